"""Taking over the clinic's schedule: journeys and sessions from a file, for the coach's own patients only."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.coaching import may_read
from bot.core.journeys import Journey, Route
from bot.core.people import Patient, StaffMember
from bot.core.programme import Appointment, SessionKind
from bot.services.ports import Clock, NotPermitted, Transaction, UnitOfWork

NAMESPACE = uuid.UUID("5b0c2a56-6f0e-4f0e-9d5e-0a8f6d1c7e21")  # a row's id comes from its key


class ScheduleUnreadable(ValueError):
    """A file is no schedule at all; the message says what was expected, and that nothing was taken over."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One row of a schedule. `patient` is a patient's id or full name; `key` stays the same when the row is moved."""

    place: str  # where it stands in the file, such as "line 3"
    kind: str  # journey or session
    patient: str
    at: datetime
    key: str
    route: Route | None = None
    attended_by: str = ""
    session_kind: SessionKind = SessionKind.integration


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A row that was not taken over, and why."""

    place: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What an import did."""

    journeys: int
    sessions: int
    refused: tuple[Refused, ...]


class ScheduleService:
    """Imports schedules."""

    def __init__(self, uow: UnitOfWork, clock: Clock) -> None:
        self._uow, self._clock = uow, clock

    def take_over(self, coach: StaffMember, rows: Sequence[Planned]) -> Imported:
        """Put the rows of own patients on their timelines; taking the same file twice changes nothing.

        Rows that fit no own patient, or more than one, are refused and the others kept. A journey that has taken place
        is never moved. Raises NotPermitted for anyone who is not a coach.
        """
        if "coach" not in coach.roles:
            raise NotPermitted(str(coach.id))
        counts = {"journey": 0, "session": 0}
        refused: list[Refused] = []
        with self._uow() as tx:
            own = [patient for patient in tx.patients_of_coach(coach.id) if may_read(coach, patient)]
            for row in rows:
                found = [p for p in own if row.patient.casefold() in (p.id, f"{p.first_name} {p.last_name}".casefold())]
                if len(found) != 1:
                    why = "none of your patients" if not found else "more than one of your patients; use the id"
                    refused.append(Refused(place=row.place, reason=f"fits {why}"))
                    continue
                problem = self._put(tx, found[0], row)
                if problem is not None:
                    refused.append(Refused(place=row.place, reason=problem))
                    continue
                counts[row.kind] += 1
                tx.audit(f"user:{coach.id}", f"{row.kind}.imported", found[0].id, self._clock())
        return Imported(journeys=counts["journey"], sessions=counts["session"], refused=tuple(refused))

    def _put(self, tx: Transaction, patient: Patient, row: Planned) -> str | None:
        row_id = uuid.uuid5(NAMESPACE, f"{patient.id}/{row.kind}/{row.key}").hex
        if row.kind == "session":
            known_one = next((session for session in tx.appointments(patient.id) if session.id == row_id), None)
            session = known_one or Appointment(id=row_id, patient_id=patient.id, kind=row.session_kind, at=row.at)
            tx.put_appointment(replace(session, kind=row.session_kind, at=row.at, with_whom=row.attended_by))
            return None
        if row.route is None:
            return "names no route (sublingual, intranasal or intramuscular)"
        known = next((journey for journey in tx.journeys(patient.id) if journey.id == row_id), None)
        if known is not None and known.dose_ended_at is not None:
            return "this journey has taken place and stays as it was recorded"
        journey = known or Journey(id=row_id, patient_id=patient.id, route=row.route, scheduled_at=row.at)
        tx.put_journey(replace(journey, route=row.route, scheduled_at=row.at, attended_by=row.attended_by))
        return None
