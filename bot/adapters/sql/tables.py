"""The tables. A column named `sealed…` holds ciphertext under the patient's key; nothing else holds their words."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

from flask_security.models import sqla as accounts
from sqlalchemy import (
    JSON,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
    false,
)
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
    totp_counter: Mapped[int | None]  # of the last code taken: a code is good once

    def check_tf_required(
        self, tf_setup_methods: list[tuple[str, str]], tf_fresh: bool
    ) -> tuple[bool, list[tuple[str, str]]]:
        """Whether signing in needs a second factor: always once one is set up, whatever this device did before."""
        return bool(tf_setup_methods), tf_setup_methods


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
    erased_at: Mapped[datetime | None] = mapped_column(Utc)


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
    cancelled_at: Mapped[datetime | None] = mapped_column(Utc)
    attended_by: Mapped[str] = mapped_column(String(120), default="", server_default="")
    slept: Mapped[bool | None]


class ProgrammeRow(Base):
    """Where a patient stands in the clinic's programme; patients without a row are active and not yet evaluated."""

    __tablename__ = "programme"
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    status: Mapped[str] = mapped_column(String(20))
    evaluation: Mapped[str] = mapped_column(String(20))
    evaluation_at: Mapped[datetime | None] = mapped_column(Utc)
    confirmed_at: Mapped[datetime | None] = mapped_column(Utc)


class AppointmentRow(Base):
    """A session around the journeys: preparatory or integration coaching."""

    __tablename__ = "appointment"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(Utc)
    with_whom: Mapped[str] = mapped_column(String(120))
    bring: Mapped[str] = mapped_column(String(500))
    cancelled_at: Mapped[datetime | None] = mapped_column(Utc)


class MessageRow(Base):
    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("patient_id", "client_id"),
        Index("ix_message_patient_seq", "patient_id", "seq"),
        Index("ix_message_waiting", "answered_at", "sender"),
        Index("ix_message_sitting", "sitting_id"),
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
    sitting_id: Mapped[str | None] = mapped_column(String(32))  # known once the turn was taken


class ForgettingRow(Base):
    """A patient of whom Rasa's window still holds words that were removed here."""

    __tablename__ = "forgetting"
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    asked_at: Mapped[datetime] = mapped_column(Utc)


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


class SittingRecordRow(Base):
    """An ended sitting: when it was, and the sealed self-ratings."""

    __tablename__ = "sitting_record"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    began_at: Mapped[datetime] = mapped_column(Utc)
    ended_at: Mapped[datetime] = mapped_column(Utc)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class ContentVersionRow(Base):
    """The authored files (path to text) that a sitting began with: an open sitting stays on them after a deploy."""

    __tablename__ = "content_version"
    version: Mapped[str] = mapped_column(String(16), primary_key=True)
    files: Mapped[dict[str, str]] = mapped_column(JSON)
    first_used_at: Mapped[datetime] = mapped_column(Utc)


class DeletionRequestRow(Base):
    """An entry that its patient asked to remove on a journey day: set aside, and asked about again."""

    __tablename__ = "deletion_request"
    entry_id: Mapped[str] = mapped_column(ForeignKey("entry.id"), primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    requested_at: Mapped[datetime] = mapped_column(Utc)


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


class ReminderRow(Base):
    """A reminder of a small step, for a patient who asked for one. Holds no words."""

    __tablename__ = "reminder"
    __table_args__ = (Index("ix_reminder_due", "state", "due_at"),)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    entry_id: Mapped[str] = mapped_column(ForeignKey("entry.id"), index=True)
    due_at: Mapped[datetime] = mapped_column(Utc)
    state: Mapped[str] = mapped_column(String(10))  # waiting, sent, failed, dropped
    tries: Mapped[int] = mapped_column(default=0)


class QuestionRow(Base):
    __tablename__ = "question"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    addressee: Mapped[str] = mapped_column(String(20))  # coach or medical_team
    status: Mapped[str] = mapped_column(String(10), default="open")  # open, answered, withdrawn
    kind: Mapped[str] = mapped_column(String(10), default="question", server_default="question")  # or note
    entry_id: Mapped[str | None] = mapped_column(ForeignKey("entry.id"), index=True)  # the shared entry that asks it
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_answer: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Utc)
    answered_at: Mapped[datetime | None] = mapped_column(Utc)
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))


class PartRow(Base):
    __tablename__ = "part"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    sealed_name: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_aliases: Mapped[bytes | None] = mapped_column(LargeBinary)  # earlier names, after a merge
    times: Mapped[int] = mapped_column(default=1)
    first_seen: Mapped[datetime] = mapped_column(Utc)
    last_seen: Mapped[datetime] = mapped_column(Utc)


class ReviewRow(Base):
    """A coach has read what a patient shared, up to a moment."""

    __tablename__ = "coach_review"
    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    coach_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    until: Mapped[datetime] = mapped_column(Utc)
    at: Mapped[datetime] = mapped_column(Utc)


class CoachNoteRow(Base):
    """A coach's private note."""

    __tablename__ = "coach_note"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    coach_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(Utc)


class CoachMessageRow(Base):
    """A question or a practice that a coach sent into the chat; the message itself is in the conversation as well."""

    __tablename__ = "coach_message"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    coach_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    kind: Mapped[str] = mapped_column(String(10))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(Utc)


class HandoverRow(Base):
    """A change of coach, proposed and, once the patient has chosen, decided."""

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


class SessionRow(Base):
    """One signed-in browser. The cookie holds a random token; only its hash is kept."""

    __tablename__ = "account_session"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    device: Mapped[str] = mapped_column(String(60))  # browser and system, in words
    device_hash: Mapped[str] = mapped_column(String(64))
    new_device: Mapped[bool] = mapped_column(default=False)
    begun_at: Mapped[datetime] = mapped_column(Utc)
    seen_at: Mapped[datetime] = mapped_column(Utc)
    ended_at: Mapped[datetime | None] = mapped_column(Utc)
    told_at: Mapped[datetime | None] = mapped_column(Utc)  # when the owner was told of the new device


class DevicePinRow(Base):
    """A short code for coming back on one device. It opens nothing on any other."""

    __tablename__ = "device_pin"
    device_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    pin_hash: Mapped[str] = mapped_column(String(200))  # argon2id
    tries: Mapped[int] = mapped_column(default=0)  # wrong ones in a row
    good_until: Mapped[datetime] = mapped_column(Utc)
    made_at: Mapped[datetime] = mapped_column(Utc)


class SignInGuardRow(Base):
    """Failed sign-ins of one account, known or not; the account is kept as a keyed hash of its e-mail address."""

    __tablename__ = "sign_in_guard"
    account_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    first_at: Mapped[datetime] = mapped_column(Utc)
    locked_until: Mapped[datetime | None] = mapped_column(Utc)


class RecoveryRow(Base):
    """A one-time link to a new passphrase, given by staff through the clinic's own channel."""

    __tablename__ = "recovery"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    expires_at: Mapped[datetime] = mapped_column(Utc)
    used_at: Mapped[datetime | None] = mapped_column(Utc)


class DeletionRow(Base):
    """A patient's request to delete everything (protocol 7.4), with each of its moments."""

    __tablename__ = "deletion"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    asked_at: Mapped[datetime] = mapped_column(Utc)
    not_before: Mapped[datetime] = mapped_column(Utc)  # a day after the dose: nothing irreversible before
    confirmed_at: Mapped[datetime | None] = mapped_column(Utc)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Utc)
    done_at: Mapped[datetime | None] = mapped_column(Utc)


def plain(rows: type[Base]) -> Table:
    """The table behind a class of rows, for statements on plain columns."""
    found = rows.__table__
    assert isinstance(found, Table)
    return found
