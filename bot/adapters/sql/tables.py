"""The tables. A column named `sealed…` holds ciphertext under the patient's key; nothing else holds their words."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
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


class SafetyPlanRow(Base):
    """A patient's own plan for staying safe."""

    __tablename__ = "safety_plan"
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    updated_at: Mapped[datetime] = mapped_column(Utc)


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
    level_at: Mapped[datetime] = mapped_column(Utc)  # when it came to its level
    message_id: Mapped[str | None] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(String(200))
    version: Mapped[str] = mapped_column(String(80))
    steps_taken: Mapped[int] = mapped_column(default=0)
    phase: Mapped[str] = mapped_column(String(20), default="", server_default="")
    due_at: Mapped[datetime | None] = mapped_column(Utc, index=True)  # when the worker must look at it next
    paging_since: Mapped[datetime | None] = mapped_column(Utc)  # None: from level_at
    hold_until: Mapped[datetime | None] = mapped_column(Utc)
    retracted_at: Mapped[datetime | None] = mapped_column(Utc)
    drill: Mapped[bool] = mapped_column(default=False, server_default=false())
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
    kind: Mapped[str] = mapped_column(String(10), default="alert", server_default="alert")  # alert, reminder, alarm
    about: Mapped[str] = mapped_column(String(40), default="", server_default="")  # what an alarm is about
    channel_id: Mapped[str | None] = mapped_column(String(32))  # None: e-mail to the account's address
    place: Mapped[int] = mapped_column(default=0, server_default="0")  # 0 is the recipient's first channel
    state: Mapped[str] = mapped_column(String(10))  # waiting, claimed, sent, failed, dropped
    due_at: Mapped[datetime] = mapped_column(Utc)
    claimed_by: Mapped[str | None] = mapped_column(String(64))
    claimed_until: Mapped[datetime | None] = mapped_column(Utc)
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None] = mapped_column(Utc)
    error: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(Utc)


class AttemptRow(Base):
    """One try to hand a notification over: written before it is made, its outcome after."""

    __tablename__ = "attempt"
    id: Mapped[int] = mapped_column(primary_key=True)
    outbox_id: Mapped[str] = mapped_column(ForeignKey("outbox.id"), index=True)
    number: Mapped[int]
    worker: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime] = mapped_column(Utc)
    finished_at: Mapped[datetime | None] = mapped_column(Utc)
    outcome: Mapped[str] = mapped_column(String(10), default="unknown")  # unknown until told: sent, failed
    code: Mapped[str | None] = mapped_column(String(40))


class ChannelRow(Base):
    """One way to reach a responder. The address is sealed under the clinic's key: it may hold a token or a number."""

    __tablename__ = "channel"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    place: Mapped[int]
    name: Mapped[str] = mapped_column(String(40))
    delay_seconds: Mapped[int] = mapped_column(default=0)
    sealed_url: Mapped[bytes] = mapped_column(LargeBinary)


class ShiftRow(Base):
    __tablename__ = "shift"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    duty: Mapped[str] = mapped_column(String(20))
    member_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    first_day: Mapped[date]
    starts: Mapped[time]
    lasts_days: Mapped[int]
    ends: Mapped[time]
    every_days: Mapped[int]
    last_day: Mapped[date | None]
    on_holidays: Mapped[bool] = mapped_column(default=True)


class OverrideRow(Base):
    __tablename__ = "override"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    duty: Mapped[str] = mapped_column(String(20))
    member_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    starts_at: Mapped[datetime] = mapped_column(Utc)
    ends_at: Mapped[datetime] = mapped_column(Utc)
    made_at: Mapped[datetime] = mapped_column(Utc)
    reason: Mapped[str] = mapped_column(String(200), default="")


class DayOffRow(Base):
    __tablename__ = "day_off"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    first_day: Mapped[date]
    last_day: Mapped[date]
    member_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    name: Mapped[str] = mapped_column(String(80), default="")


class SupervisionRow(Base):
    """Whose work a person supervises: who is named in a complaint keeps it from those below too."""

    __tablename__ = "supervision"
    member_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    supervisor_id: Mapped[int] = mapped_column(ForeignKey("user.id"))


class AnswerRow(Base):
    """A staff member's answer to a patient's question or request."""

    __tablename__ = "answer"
    question_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(Utc)


class HeldTextRow(Base):
    """An authored sentence that says staff were told; it waits until that is true."""

    __tablename__ = "held_text"
    id: Mapped[int] = mapped_column(primary_key=True)
    alert_id: Mapped[str] = mapped_column(ForeignKey("alert.id"))
    reply_to: Mapped[str | None] = mapped_column(String(32))
    text_id: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(String(400))  # ours, not the patient's
    held_at: Mapped[datetime] = mapped_column(Utc)
    told_at: Mapped[datetime | None] = mapped_column(Utc, index=True)


class DrillRow(Base):
    __tablename__ = "drill"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    alert_id: Mapped[str] = mapped_column(ForeignKey("alert.id"))
    started_at: Mapped[datetime] = mapped_column(Utc, index=True)
    arrived_at: Mapped[datetime | None] = mapped_column(Utc)
    failed_at: Mapped[datetime | None] = mapped_column(Utc)


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
