"""The coach's desk: reviews, notes, messages, hand-overs; questions that follow their entry, answered in one place"""

import sqlalchemy as sa
from alembic import op

from bot.adapters.sql.tables import Utc

revision = '0004_coach'
down_revision = '0002_escalation'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('coach_review',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('patient_id', sa.String(length=32), nullable=False),
    sa.Column('coach_id', sa.Integer(), nullable=False),
    sa.Column('until', Utc(timezone=True), nullable=False),
    sa.Column('at', Utc(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['coach_id'], ['user.id']),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id']),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_coach_review_coach_id'), 'coach_review', ['coach_id'])
    op.create_index(op.f('ix_coach_review_patient_id'), 'coach_review', ['patient_id'])
    op.create_table('coach_note',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('patient_id', sa.String(length=32), nullable=False),
    sa.Column('coach_id', sa.Integer(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('at', Utc(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['coach_id'], ['user.id']),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id']),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_coach_note_patient_id'), 'coach_note', ['patient_id'])
    op.create_table('handover',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('patient_id', sa.String(length=32), nullable=False),
    sa.Column('from_coach', sa.Integer(), nullable=False),
    sa.Column('to_coach', sa.Integer(), nullable=False),
    sa.Column('proposed_at', Utc(timezone=True), nullable=False),
    sa.Column('history', sa.String(length=12), nullable=True),
    sa.Column('decided_at', Utc(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['from_coach'], ['user.id']),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id']),
    sa.ForeignKeyConstraint(['to_coach'], ['user.id']),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_handover_patient_id'), 'handover', ['patient_id'])
    op.create_table('digest_notice',
    sa.Column('coach_id', sa.Integer(), nullable=False),
    sa.Column('week', sa.String(length=8), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('due_at', Utc(timezone=True), nullable=False),
    sa.Column('sent_at', Utc(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['coach_id'], ['user.id']),
    sa.PrimaryKeyConstraint('coach_id', 'week')
    )
    with op.batch_alter_table('patient') as batch:
        batch.add_column(sa.Column('shares_from', Utc(timezone=True), nullable=True))
        batch.add_column(sa.Column('shares_nothing', sa.Boolean(), server_default=sa.false(), nullable=False))
    with op.batch_alter_table('question') as batch:
        batch.add_column(sa.Column('entry_id', sa.String(length=32), nullable=True))
        batch.create_foreign_key('fk_question_entry_id_entry', 'entry', ['entry_id'], ['id'])
        batch.create_index(op.f('ix_question_entry_id'), ['entry_id'])
    # An answer's words stand in the conversation; who gave it and when stays with the question.
    op.execute(
        'UPDATE question SET answered_by = (SELECT member_id FROM answer WHERE question_id = question.id), '
        'answered_at = (SELECT at FROM answer WHERE question_id = question.id) '
        'WHERE answered_at IS NULL AND id IN (SELECT question_id FROM answer)'
    )
    op.drop_table('answer')
    op.create_table('coach_message',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('patient_id', sa.String(length=32), nullable=False),
    sa.Column('coach_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('at', Utc(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['coach_id'], ['user.id']),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id']),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_coach_message_patient_id'), 'coach_message', ['patient_id'])


def downgrade() -> None:
    op.drop_table('coach_message')
    op.create_table('answer',
    sa.Column('question_id', sa.String(length=32), nullable=False),
    sa.Column('patient_id', sa.String(length=32), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('at', Utc(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['user.id']),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id']),
    sa.PrimaryKeyConstraint('question_id')
    )
    op.create_index(op.f('ix_answer_patient_id'), 'answer', ['patient_id'])
    with op.batch_alter_table('question') as batch:
        batch.drop_index(op.f('ix_question_entry_id'))
        batch.drop_constraint('fk_question_entry_id_entry', type_='foreignkey')
        batch.drop_column('entry_id')
    with op.batch_alter_table('patient') as batch:
        batch.drop_column('shares_nothing')
        batch.drop_column('shares_from')
    for table in ('digest_notice', 'handover', 'coach_note', 'coach_review'):
        op.drop_table(table)
