"""The clinic's programme around the sittings: what is recorded of it, and where a patient stands in it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.journeys import Journey, Phase, ProgramStatus
from bot.core.people import Patient
from bot.core.programme import Appointment, Evaluation, Programme, SessionKind, coming
from bot.services.facts import where_in_time
from bot.services.ports import Clock, NotPermitted, Transaction, UnitOfWork


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a patient stands. While the medical team has paused, no journey ahead is named (protocol 2.1)."""

    programme: Programme
    phase: Phase
    sessions: Sequence[Appointment]  # ahead, soonest first
    past_sessions: int
    journeys: Sequence[Journey]  # done, newest first
    next_journey: Journey | None


class ProgrammeService:
    """Records the programme and says where things stand. Judges nothing: fitness is the medical team's to say."""

    def __init__(self, uow: UnitOfWork, clock: Clock) -> None:
        self._uow, self._clock = uow, clock

    def standing(self, patient: Patient) -> Standing:
        """Where this patient stands now."""
        now = self._clock()
        with self._uow() as tx:
            programme = tx.programme(patient.id)
            where = where_in_time(tx, patient, now, programme)
            appointments = tx.appointments(patient.id)
            journeys = [j for j in tx.journeys(patient.id) if j.cancelled_at is None]
        ahead = coming(appointments, now)
        done = sorted((j for j in journeys if j.dose_ended_at), key=lambda j: j.scheduled_at, reverse=True)
        return Standing(
            programme=programme,
            phase=where.phase,
            sessions=ahead,
            past_sessions=sum(a.cancelled_at is None and a.at <= now for a in appointments),
            journeys=done,
            next_journey=next((j for j in journeys if j.scheduled_at == where.next_journey_at), None),
        )

    def set_status(self, patient_id: str, status: ProgramStatus) -> None:
        """Record the programme's state: active, paused by the medical team, completed, discharged."""
        with self._uow() as tx:
            tx.put_programme(replace(self._programme(tx, patient_id), status=status))
            tx.audit("system", "programme.status", patient_id, self._clock(), status=status.value)

    def set_evaluation(self, patient_id: str, evaluation: Evaluation, at: datetime | None = None) -> None:
        """Record where the physician's evaluation stands; `at` is its date."""
        with self._uow() as tx:
            programme = self._programme(tx, patient_id)
            tx.put_programme(replace(programme, evaluation=evaluation, evaluation_at=at or programme.evaluation_at))
            tx.audit("system", "programme.evaluation", patient_id, self._clock(), state=evaluation.value)

    def confirm_schedule(self, patient_id: str) -> None:
        """Record that the clinic has looked at the dates today. From then on they grow stale after 14 days."""
        now = self._clock()
        with self._uow() as tx:
            tx.put_programme(replace(self._programme(tx, patient_id), confirmed_at=now))
            tx.audit("system", "programme.confirmed", patient_id, now)

    def add_session(
        self, patient_id: str, kind: SessionKind, at: datetime, *, with_whom: str = "", bring: str = ""
    ) -> Appointment:
        """Put a coaching session on the calendar."""
        made = Appointment(
            id=uuid.uuid4().hex, patient_id=patient_id, kind=kind, at=at, with_whom=with_whom, bring=bring
        )
        with self._uow() as tx:
            self._programme(tx, patient_id)
            tx.put_appointment(made)
            tx.audit("system", "session.scheduled", patient_id, self._clock(), session=made.id)
        return made

    def cancel(self, patient_id: str, item_id: str) -> None:
        """Cancel a session or a journey ahead. Raises NotPermitted for one that is not this patient's."""
        now = self._clock()
        with self._uow() as tx:
            session = next((a for a in tx.appointments(patient_id) if a.id == item_id), None)
            journey = next((j for j in tx.journeys(patient_id) if j.id == item_id and j.dose_ended_at is None), None)
            if session is not None:
                tx.put_appointment(replace(session, cancelled_at=now))
            elif journey is not None:
                tx.put_journey(replace(journey, cancelled_at=now))
            else:
                raise NotPermitted(item_id)
            tx.audit("system", "schedule.cancelled", patient_id, now, item=item_id)

    def _programme(self, tx: Transaction, patient_id: str) -> Programme:
        if tx.patient(patient_id) is None:
            raise NotPermitted(patient_id)
        return tx.programme(patient_id)
