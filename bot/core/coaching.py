"""The coach's desk as records: what a coach may see, keep and send. Source: protocol 1.5, 5, 7.5."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from bot.core.journal import Entry, Visibility
from bot.core.people import Patient, StaffMember

COACH_SWITCHES = ("parts_work_ok", "body_work_ok", "breath_ok")  # protocol 1.5; cool water is the medical team's
MEDICAL_SWITCHES = ("cool_water_ok",)
PATIENT_CHOICES = ("phone_contact_ok", "voicemail_ok", "text_ok", "emergency_contact_consent")


class History(str, enum.Enum):
    """What a patient lets a new coach read (protocol 7.5)."""

    all = "all"
    from_today = "from_today"
    nothing = "nothing"


@dataclass(frozen=True, kw_only=True)
class Handover:
    """A change of coach. Nothing changes before the patient has chosen: `decided_at` is None until then."""

    id: str
    patient_id: str
    from_coach: int
    to_coach: int
    proposed_at: datetime
    history: History | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Review:
    """A coach has read what was shared up to `until`."""

    coach_id: int
    until: datetime
    at: datetime


@dataclass(frozen=True, kw_only=True)
class CoachNote:
    """A coach's private note. Only its author ever reads it."""

    id: str
    patient_id: str
    coach_id: int
    text: str
    at: datetime


class MessageKind(str, enum.Enum):
    """What a coach can send into the chat beside an answer."""

    question = "question"
    practice = "practice"


@dataclass(frozen=True, kw_only=True)
class CoachMessage:
    """Something a coach sent into the patient's chat. `text` is the coach's words, or the id of a practice."""

    id: str
    patient_id: str
    coach_id: int
    kind: MessageKind
    text: str
    at: datetime


def may_read(coach: StaffMember, patient: Patient) -> bool:
    """Whether this is the patient's coach, and not one whom the patient's data must never reach."""
    return "coach" in coach.roles and patient.coach_id == coach.id and coach.id not in patient.restricted_staff


def reaches_coach(patient: Patient, entry: Entry) -> bool:
    """Whether the patient's coach may read this entry: shared, not held, and within what a new coach was given."""
    if entry.visibility is not Visibility.shared or entry.held or patient.shares_nothing:
        return False
    return patient.shares_from is None or (entry.shared_at is not None and entry.shared_at >= patient.shares_from)
