"""Escalation: rota, channels, attempts, drills"""

import sqlalchemy as sa
from alembic import op

from bot.adapters.sql.tables import Utc

revision = '0002_escalation'
down_revision = '0005_accounts'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('channel',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('place', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('delay_seconds', sa.Integer(), nullable=False),
    sa.Column('sealed_url', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['user.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('channel', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_channel_member_id'), ['member_id'], unique=False)

    op.create_table('day_off',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('first_day', sa.Date(), nullable=False),
    sa.Column('last_day', sa.Date(), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=True),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['user.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('override',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('duty', sa.String(length=20), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('starts_at', Utc(), nullable=False),
    sa.Column('ends_at', Utc(), nullable=False),
    sa.Column('made_at', Utc(), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['user.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('shift',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('duty', sa.String(length=20), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('first_day', sa.Date(), nullable=False),
    sa.Column('starts', sa.Time(), nullable=False),
    sa.Column('lasts_days', sa.Integer(), nullable=False),
    sa.Column('ends', sa.Time(), nullable=False),
    sa.Column('every_days', sa.Integer(), nullable=False),
    sa.Column('last_day', sa.Date(), nullable=True),
    sa.Column('on_holidays', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['user.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('supervision',
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('supervisor_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['user.id'], ),
    sa.ForeignKeyConstraint(['supervisor_id'], ['user.id'], ),
    sa.PrimaryKeyConstraint('member_id')
    )
    op.create_table('answer',
    sa.Column('question_id', sa.String(length=32), nullable=False),
    sa.Column('patient_id', sa.String(length=32), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('at', Utc(), nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['user.id'], ),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], ),
    sa.PrimaryKeyConstraint('question_id')
    )
    with op.batch_alter_table('answer', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_answer_patient_id'), ['patient_id'], unique=False)

    op.create_table('safety_plan',
    sa.Column('patient_id', sa.String(length=32), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('updated_at', Utc(), nullable=False),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], ),
    sa.PrimaryKeyConstraint('patient_id')
    )
    op.create_table('drill',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('alert_id', sa.String(length=32), nullable=False),
    sa.Column('started_at', Utc(), nullable=False),
    sa.Column('arrived_at', Utc(), nullable=True),
    sa.Column('failed_at', Utc(), nullable=True),
    sa.ForeignKeyConstraint(['alert_id'], ['alert.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('drill', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_drill_started_at'), ['started_at'], unique=False)

    op.create_table('held_text',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('alert_id', sa.String(length=32), nullable=False),
    sa.Column('reply_to', sa.String(length=32), nullable=True),
    sa.Column('text_id', sa.String(length=80), nullable=False),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('text', sa.String(length=400), nullable=False),
    sa.Column('held_at', Utc(), nullable=False),
    sa.Column('told_at', Utc(), nullable=True),
    sa.ForeignKeyConstraint(['alert_id'], ['alert.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('held_text', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_held_text_told_at'), ['told_at'], unique=False)

    op.create_table('attempt',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('outbox_id', sa.String(length=32), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('worker', sa.String(length=64), nullable=False),
    sa.Column('started_at', Utc(), nullable=False),
    sa.Column('finished_at', Utc(), nullable=True),
    sa.Column('outcome', sa.String(length=10), nullable=False),
    sa.Column('code', sa.String(length=40), nullable=True),
    sa.ForeignKeyConstraint(['outbox_id'], ['outbox.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('attempt', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_attempt_outbox_id'), ['outbox_id'], unique=False)

    with op.batch_alter_table('alert', schema=None) as batch_op:
        batch_op.add_column(sa.Column('phase', sa.String(length=20), server_default='', nullable=False))
        batch_op.add_column(sa.Column('due_at', Utc(), nullable=True))
        batch_op.add_column(sa.Column('paging_since', Utc(), nullable=True))
        batch_op.add_column(sa.Column('hold_until', Utc(), nullable=True))
        batch_op.add_column(sa.Column('retracted_at', Utc(), nullable=True))
        batch_op.add_column(sa.Column('drill', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.create_index(batch_op.f('ix_alert_due_at'), ['due_at'], unique=False)

    # Alerts that are open now must be looked at, or they would wait for ever.
    op.execute("UPDATE alert SET due_at = level_at WHERE status = 'open'")
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.add_column(sa.Column('kind', sa.String(length=10), server_default='alert', nullable=False))
        batch_op.add_column(sa.Column('about', sa.String(length=40), server_default='', nullable=False))
        batch_op.add_column(sa.Column('channel_id', sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column('place', sa.Integer(), server_default='0', nullable=False))



def downgrade() -> None:
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.drop_column('place')
        batch_op.drop_column('channel_id')
        batch_op.drop_column('about')
        batch_op.drop_column('kind')

    with op.batch_alter_table('alert', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_alert_due_at'))
        batch_op.drop_column('drill')
        batch_op.drop_column('retracted_at')
        batch_op.drop_column('hold_until')
        batch_op.drop_column('paging_since')
        batch_op.drop_column('due_at')
        batch_op.drop_column('phase')

    with op.batch_alter_table('attempt', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_attempt_outbox_id'))

    op.drop_table('attempt')
    with op.batch_alter_table('held_text', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_held_text_told_at'))

    op.drop_table('held_text')
    with op.batch_alter_table('drill', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_drill_started_at'))

    op.drop_table('drill')
    with op.batch_alter_table('answer', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_answer_patient_id'))

    op.drop_table('answer')
    op.drop_table('safety_plan')
    op.drop_table('supervision')
    op.drop_table('shift')
    op.drop_table('override')
    op.drop_table('day_off')
    with op.batch_alter_table('channel', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_channel_member_id'))

    op.drop_table('channel')
