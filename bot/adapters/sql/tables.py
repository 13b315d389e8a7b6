"""The tables. A column named `sealed…` holds ciphertext under the patient's key; nothing else holds their words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask_security.models import sqla as accounts
from sqlalchemy import JSON, DateTime, ForeignKey, Index, LargeBinary, String, TypeDecorator, UniqueConstraint, false
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Utc(TypeDecorator[datetime]):
    """Aware UTC datetimes, also where the database keeps no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class Base(DeclarativeBase):
    """The one metadata that the migrations follow."""


accounts.FsModels.set_db_info(base_model=Base)  # type: ignore[no-untyped-call]


class Role(Base, accounts.FsRoleMixin):
    """A role of bot.core.people.ROLES."""

    __tablename__ = "role"


class User(Base, accounts.FsUserMixin):
    """An account: a patient's or a staff member's."""

    __tablename__ = "user"
    display_name: Mapped[str] = mapped_column(String(120), default="")


class WebAuthn(Base, accounts.FsWebAuthnMixin):
    """A passkey of an account."""

    __tablename__ = "webauthn"


class PatientRow(Base):
    __tablename__ = "patient"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), unique=True)
    coach_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    wrapped_key: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_identity: Mapped[bytes] = mapped_column(LargeBinary)  # names and phone, JSON
    time_zone: Mapped[str] = mapped_column(String(64))
    flags: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    restricted_staff: Mapped[list[int]] = mapped_column(JSON, default=list)
    consented_at: Mapped[datetime | None] = mapped_column(Utc)
    shares_from: Mapped[datetime | None] = mapped_column(Utc)
    shares_nothing: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(Utc)


class InvitationRow(Base):
    __tablename__ = "invitation"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"))
    expires_at: Mapped[datetime] = mapped_column(Utc)
    used_at: Mapped[datetime | None] = mapped_column(Utc)


class ConsentRow(Base):
    __tablename__ = "consent"
    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    text_id: Mapped[str] = mapped_column(String(64))
    answer: Mapped[str] = mapped_column(String(200))
    content_version: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(Utc)


class JourneyRow(Base):
    __tablename__ = "journey"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    route: Mapped[str] = mapped_column(String(20))
    scheduled_at: Mapped[datetime] = mapped_column(Utc)
    dose_ended_at: Mapped[datetime | None] = mapped_column(Utc)
    discharged_at: Mapped[datetime | None] = mapped_column(Utc)
    attendants: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")


class MessageRow(Base):
    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("patient_id", "client_id"),
        Index("ix_message_patient_seq", "patient_id", "seq"),
        Index("ix_message_waiting", "answered_at", "sender"),
    )
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(32), unique=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"))
    client_id: Mapped[str | None] = mapped_column(String(64))
    sender: Mapped[str] = mapped_column(String(10))
    kind: Mapped[str] = mapped_column(String(10))
    text_id: Mapped[str | None] = mapped_column(String(80))
    reply_to: Mapped[str | None] = mapped_column(String(32), index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)  # text, control, small print and payload, JSON
    created_at: Mapped[datetime] = mapped_column(Utc)
    answered_at: Mapped[datetime | None] = mapped_column(Utc)
    tries: Mapped[int] = mapped_column(default=0)


class AssessmentRow(Base):
    __tablename__ = "assessment"
    message_id: Mapped[str] = mapped_column(ForeignKey("message.id"), primary_key=True)
    level: Mapped[str] = mapped_column(String(10))
    verdict: Mapped[dict[str, Any]] = mapped_column(JSON)  # rule ids, offsets, scores, versions; no words
    at: Mapped[datetime] = mapped_column(Utc)


class SittingRow(Base):
    __tablename__ = "sitting"
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    version: Mapped[int] = mapped_column(default=0)
    sealed_state: Mapped[bytes] = mapped_column(LargeBinary)
    silence_due_at: Mapped[datetime | None] = mapped_column(Utc, index=True)
    last_message_id: Mapped[str | None] = mapped_column(String(32))
    updated_at: Mapped[datetime] = mapped_column(Utc)


class EntryRow(Base):
    __tablename__ = "entry"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    sitting_id: Mapped[str] = mapped_column(String(32))
    phase: Mapped[str] = mapped_column(String(20))
    visibility: Mapped[str] = mapped_column(String(10))
    practices: Mapped[list[str]] = mapped_column(JSON)
    hours_since_dose: Mapped[int | None]
    content_version: Mapped[str] = mapped_column(String(16))
    held: Mapped[bool] = mapped_column(default=False)
    sealed_lines: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Utc)
    shared_at: Mapped[datetime | None] = mapped_column(Utc)


class QuestionRow(Base):
    __tablename__ = "question"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    addressee: Mapped[str] = mapped_column(String(20))  # coach or medical_team
    status: Mapped[str] = mapped_column(String(10), default="open")
    entry_id: Mapped[str | None] = mapped_column(ForeignKey("entry.id"), index=True)  # a question to the coach
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Utc)


class PartRow(Base):
    __tablename__ = "part"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    sealed_name: Mapped[bytes] = mapped_column(LargeBinary)
    times: Mapped[int] = mapped_column(default=1)
    first_seen: Mapped[datetime] = mapped_column(Utc)
    last_seen: Mapped[datetime] = mapped_column(Utc)


class SessionRow(Base):
    __tablename__ = "coach_session"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    at: Mapped[datetime] = mapped_column(Utc)


class ReviewRow(Base):
    __tablename__ = "coach_review"
    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    coach_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    until: Mapped[datetime] = mapped_column(Utc)
    at: Mapped[datetime] = mapped_column(Utc)


class CoachNoteRow(Base):
    __tablename__ = "coach_note"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    coach_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(Utc)


class CoachMessageRow(Base):
    """What a coach sent into the chat; the message itself is in the conversation as well."""

    __tablename__ = "coach_message"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    coach_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    kind: Mapped[str] = mapped_column(String(10))
    question_id: Mapped[str | None] = mapped_column(ForeignKey("question.id"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(Utc)


class HandoverRow(Base):
    __tablename__ = "handover"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    from_coach: Mapped[int] = mapped_column(ForeignKey("user.id"))
    to_coach: Mapped[int] = mapped_column(ForeignKey("user.id"))
    proposed_at: Mapped[datetime] = mapped_column(Utc)
    history: Mapped[str | None] = mapped_column(String(12))
    decided_at: Mapped[datetime | None] = mapped_column(Utc)


class DigestNoticeRow(Base):
    """A weekly e-mail that is owed or was sent to a coach: no content, one a week."""

    __tablename__ = "digest_notice"
    coach_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    week: Mapped[str] = mapped_column(String(8), primary_key=True)  # ISO year and week, such as 2026-W48
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(Utc)
    sent_at: Mapped[datetime | None] = mapped_column(Utc)


class AlertRow(Base):
    __tablename__ = "alert"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(32), unique=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    level: Mapped[str] = mapped_column(String(10))
    categories: Mapped[list[str]] = mapped_column(JSON)
    subtype: Mapped[str | None] = mapped_column(String(30))
    status: Mapped[str] = mapped_column(String(12), index=True)
    raised_at: Mapped[datetime] = mapped_column(Utc)
    level_at: Mapped[datetime] = mapped_column(Utc)  # when it rose to its level; the policy counts from here
    message_id: Mapped[str | None] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(String(200))
    version: Mapped[str] = mapped_column(String(80))
    steps_taken: Mapped[int] = mapped_column(default=0)
    acknowledged_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    acknowledged_at: Mapped[datetime | None] = mapped_column(Utc)
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    resolved_at: Mapped[datetime | None] = mapped_column(Utc)
    outcome: Mapped[str | None] = mapped_column(String(40))
    cleared_at: Mapped[datetime | None] = mapped_column(Utc)


class AlertEventRow(Base):
    __tablename__ = "alert_event"
    id: Mapped[int] = mapped_column(primary_key=True)
    alert_id: Mapped[str] = mapped_column(ForeignKey("alert.id"), index=True)
    at: Mapped[datetime] = mapped_column(Utc)
    kind: Mapped[str] = mapped_column(String(30))
    actor_id: Mapped[int | None]
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    sealed_words: Mapped[bytes | None] = mapped_column(LargeBinary)


class OutboxRow(Base):
    """One notification that is owed. The row exists before the first attempt and stays as the record of it."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_due", "state", "due_at"),)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    alert_id: Mapped[str | None] = mapped_column(ForeignKey("alert.id"), index=True)
    recipient_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    target: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10))  # waiting, claimed, sent, failed
    due_at: Mapped[datetime] = mapped_column(Utc)
    claimed_by: Mapped[str | None] = mapped_column(String(64))
    claimed_until: Mapped[datetime | None] = mapped_column(Utc)
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None] = mapped_column(Utc)
    error: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(Utc)


class AuditRow(Base):
    """One link of the audit chain: append-only, each hash covers the one before."""

    __tablename__ = "audit"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(String(40))
    actor: Mapped[str] = mapped_column(String(40))
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(64), index=True)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class HeartbeatRow(Base):
    __tablename__ = "heartbeat"
    process: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime] = mapped_column(Utc)
