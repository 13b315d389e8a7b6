"""The journal's own records: programme, appointments, ended sittings, content versions, answers, merged parts"""

import sqlalchemy as sa
from alembic import op

from bot.adapters.sql.tables import Utc

revision = '0003_journal'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('programme',
    sa.Column('patient_id', sa.String(length=32), nullable=False),
    sa.Column('status', sa.String(length=20), nullable=False),
    sa.Column('evaluation', sa.String(length=20), nullable=False),
    sa.Column('evaluation_at', Utc(), nullable=True),
    sa.Column('confirmed_at', Utc(), nullable=True),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], ),
    sa.PrimaryKeyConstraint('patient_id')
    )
    op.create_table('appointment',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('patient_id', sa.String(length=32), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('at', Utc(), nullable=False),
    sa.Column('with_whom', sa.String(length=120), nullable=False),
    sa.Column('bring', sa.String(length=500), nullable=False),
    sa.Column('cancelled_at', Utc(), nullable=True),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_appointment_patient_id'), 'appointment', ['patient_id'], unique=False)
    op.create_table('sitting_record',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('patient_id', sa.String(length=32), nullable=False),
    sa.Column('began_at', Utc(), nullable=False),
    sa.Column('ended_at', Utc(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_sitting_record_patient_id'), 'sitting_record', ['patient_id'], unique=False)
    op.create_table('content_version',
    sa.Column('version', sa.String(length=16), nullable=False),
    sa.Column('files', sa.JSON(), nullable=False),
    sa.Column('first_used_at', Utc(), nullable=False),
    sa.PrimaryKeyConstraint('version')
    )
    op.create_table('deletion_request',
    sa.Column('entry_id', sa.String(length=32), nullable=False),
    sa.Column('patient_id', sa.String(length=32), nullable=False),
    sa.Column('requested_at', Utc(), nullable=False),
    sa.ForeignKeyConstraint(['entry_id'], ['entry.id'], ),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], ),
    sa.PrimaryKeyConstraint('entry_id')
    )
    op.create_index(op.f('ix_deletion_request_patient_id'), 'deletion_request', ['patient_id'], unique=False)
    with op.batch_alter_table('journey', schema=None) as batch_op:
        batch_op.add_column(sa.Column('cancelled_at', Utc(), nullable=True))
        batch_op.add_column(sa.Column('attended_by', sa.String(length=120), server_default='', nullable=False))
        batch_op.add_column(sa.Column('slept', sa.Boolean(), nullable=True))
    with op.batch_alter_table('question', schema=None) as batch_op:
        batch_op.add_column(sa.Column('kind', sa.String(length=10), server_default='question', nullable=False))
        batch_op.add_column(sa.Column('sealed_answer', sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column('answered_at', Utc(), nullable=True))
        batch_op.add_column(sa.Column('answered_by', sa.Integer(), nullable=True))
        batch_op.create_foreign_key('fk_question_answered_by_user', 'user', ['answered_by'], ['id'])
    with op.batch_alter_table('part', schema=None) as batch_op:
        batch_op.add_column(sa.Column('sealed_aliases', sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('part', schema=None) as batch_op:
        batch_op.drop_column('sealed_aliases')
    with op.batch_alter_table('question', schema=None) as batch_op:
        batch_op.drop_constraint('fk_question_answered_by_user', type_='foreignkey')
        for column in ('answered_by', 'answered_at', 'sealed_answer', 'kind'):
            batch_op.drop_column(column)
    with op.batch_alter_table('journey', schema=None) as batch_op:
        for column in ('slept', 'attended_by', 'cancelled_at'):
            batch_op.drop_column(column)
    for table in ('deletion_request', 'content_version', 'sitting_record', 'appointment', 'programme'):
        op.drop_table(table)
