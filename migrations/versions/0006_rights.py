"""The patient's rights: whose sitting a message is, reminders, codes of devices"""

import sqlalchemy as sa
from alembic import op

from bot.adapters.sql.tables import Utc

revision = "0006_rights"
down_revision = "0004_coach"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("message") as batch:
        batch.add_column(sa.Column("sitting_id", sa.String(32), nullable=True))
        batch.create_index("ix_message_sitting", ["sitting_id"])
    op.create_table(
        "forgetting",
        sa.Column("patient_id", sa.String(32), sa.ForeignKey("patient.id"), primary_key=True),
        sa.Column("asked_at", Utc(), nullable=False),
    )
    op.create_table(
        "reminder",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("patient_id", sa.String(32), sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("entry_id", sa.String(32), sa.ForeignKey("entry.id"), nullable=False),
        sa.Column("due_at", Utc(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
    )
    with op.batch_alter_table("reminder") as batch:
        batch.create_index("ix_reminder_due", ["state", "due_at"])
        batch.create_index(batch.f("ix_reminder_patient_id"), ["patient_id"])
        batch.create_index(batch.f("ix_reminder_entry_id"), ["entry_id"])
    op.create_table(
        "device_pin",
        sa.Column("device_hash", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("user.id"), nullable=False),
        sa.Column("pin_hash", sa.String(200), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("good_until", Utc(), nullable=False),
        sa.Column("made_at", Utc(), nullable=False),
    )
    with op.batch_alter_table("device_pin") as batch:
        batch.create_index(batch.f("ix_device_pin_user_id"), ["user_id"])


def downgrade() -> None:
    for table in ("device_pin", "reminder", "forgetting"):
        op.drop_table(table)
    with op.batch_alter_table("message") as batch:
        batch.drop_index("ix_message_sitting")
        batch.drop_column("sitting_id")
