"""The clinic's programme around the sittings: medical evaluation, coaching sessions, journeys. Nothing is judged here.

The assistant says where things stand and carries questions on; whether someone is fit for a journey is the medical
team's to say (protocol 1.4, N7).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.core.journeys import ProgramStatus


class Evaluation(str, enum.Enum):
    """Where the medical evaluation by a physician stands."""

    not_scheduled = "not_scheduled"
    scheduled = "scheduled"
    cleared = "cleared"  # by the physician, for the programme
    paused = "paused"  # by the physician; the medical team says what comes next


class SessionKind(str, enum.Enum):
    """The sessions with a coach around the journeys."""

    preparation = "preparation"  # preparatory coaching with the attendant
    integration = "integration"


@dataclass(frozen=True, kw_only=True)
class Programme:
    """What the clinic has recorded. `confirmed_at`: when it last confirmed the dates, where it keeps that."""

    patient_id: str
    status: ProgramStatus = ProgramStatus.active
    evaluation: Evaluation = Evaluation.not_scheduled
    evaluation_at: datetime | None = None
    confirmed_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Appointment:
    """One coaching session. `bring` is the clinic's own sentence on what to bring; times are aware UTC."""

    id: str
    patient_id: str
    kind: SessionKind
    at: datetime
    with_whom: str = ""
    bring: str = ""
    cancelled_at: datetime | None = None


def coming(appointments: Iterable[Appointment], now: datetime) -> list[Appointment]:
    """Sessions still ahead, soonest first; cancelled ones left out."""
    return sorted((a for a in appointments if a.cancelled_at is None and a.at > now), key=lambda a: a.at)
