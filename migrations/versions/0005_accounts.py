"""Sessions, lockout, recovery links, requests to delete"""

import sqlalchemy as sa
from alembic import op

from bot.adapters.sql.tables import Utc

revision = "0005_accounts"
down_revision = "0003_journal"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("patient") as batch:
        batch.add_column(sa.Column("erased_at", Utc(), nullable=True))
    with op.batch_alter_table("user") as batch:
        batch.add_column(sa.Column("totp_counter", sa.Integer(), nullable=True))
    op.create_table(
        "account_session",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("user.id"), nullable=False),
        sa.Column("device", sa.String(60), nullable=False),
        sa.Column("device_hash", sa.String(64), nullable=False),
        sa.Column("new_device", sa.Boolean(), nullable=False),
        sa.Column("begun_at", Utc(), nullable=False),
        sa.Column("seen_at", Utc(), nullable=False),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.Column("told_at", Utc(), nullable=True),
    )
    op.create_index("ix_account_session_user_id", "account_session", ["user_id"])
    op.create_table(
        "sign_in_guard",
        sa.Column("account_hash", sa.String(64), primary_key=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("first_at", Utc(), nullable=False),
        sa.Column("locked_until", Utc(), nullable=True),
    )
    op.create_table(
        "recovery",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("user.id"), nullable=False),
        sa.Column("expires_at", Utc(), nullable=False),
        sa.Column("used_at", Utc(), nullable=True),
    )
    op.create_index("ix_recovery_user_id", "recovery", ["user_id"])
    op.create_table(
        "deletion",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("patient_id", sa.String(32), sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("asked_at", Utc(), nullable=False),
        sa.Column("not_before", Utc(), nullable=False),
        sa.Column("confirmed_at", Utc(), nullable=True),
        sa.Column("withdrawn_at", Utc(), nullable=True),
        sa.Column("done_at", Utc(), nullable=True),
    )
    op.create_index("ix_deletion_patient_id", "deletion", ["patient_id"])


def downgrade() -> None:
    for table in ("deletion", "recovery", "sign_in_guard", "account_session"):
        op.drop_table(table)
    with op.batch_alter_table("patient") as batch:
        batch.drop_column("erased_at")
    with op.batch_alter_table("user") as batch:
        batch.drop_column("totp_counter")
