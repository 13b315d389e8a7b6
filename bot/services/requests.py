"""The queue of questions and requests: tracked until a named person has answered in the patient's chat."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.coaching import reaches_coach
from bot.core.escalation import Alert
from bot.core.journal import Question
from bot.core.people import Patient, StaffMember
from bot.core.policy import Policy
from bot.core.safety.verdict import Level
from bot.services.escalation import EscalationService, require
from bot.services.paging import RESPONDERS
from bot.services.ports import Clock, NotPermitted, Transaction, UnitOfWork
from bot.services.telling import put_text

WORKERS = RESPONDERS | {"coach"}
MOST_ANSWER = 2000  # characters


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """One question in the queue, with when its answer is due."""

    request: Question
    patient: Patient
    due_at: datetime
    overdue: bool


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Someone who asked for a person, before the next session: an alert at concern, worked on from its page."""

    alert: Alert
    patient: Patient
    due_at: datetime
    overdue: bool


class RequestService:
    """Reading and answering the queue. Reading is audited per patient."""

    def __init__(self, uow: UnitOfWork, clock: Clock, policy: Policy, escalation: EscalationService) -> None:
        self._uow, self._clock, self._policy, self._escalation = uow, clock, policy, escalation

    def queue(self, viewer: StaffMember) -> tuple[list[Waiting], list[Wish]]:
        """What waits for an answer, the longest due first. Raises NotPermitted."""
        require(viewer, WORKERS)
        now = self._clock()
        with self._uow() as tx:
            holidays = self._escalation.paging.rota(tx).holidays
            waiting = []
            for request in tx.open_questions():
                patient = self._asker(tx, request, viewer)
                if patient is None:
                    continue
                length = self._policy.answers_due.get(request.addressee, self._policy.answers_due["coach"])
                due = self._policy.hours.add_working(request.created_at, length, holidays)
                waiting.append(Waiting(request=request, patient=patient, due_at=due, overdue=due < now))
            for patient_id in {row.patient.id for row in waiting}:
                tx.audit(f"user:{viewer.id}", "questions.viewed", patient_id, now)
            wishes = self._wishes(tx, viewer, now) if viewer.roles & RESPONDERS else []
        return sorted(waiting, key=lambda row: row.due_at), sorted(wishes, key=lambda row: row.due_at)

    def answer(self, viewer: StaffMember, request_id: str, text: str) -> Question:
        """Answer in the patient's chat, under the person's own name. Answering twice says nothing twice.

        Raises NotPermitted, or ValueError for an answer without words.
        """
        words = text.strip()
        if not words or len(words) > MOST_ANSWER:
            raise ValueError(f"An answer has 1 to {MOST_ANSWER} characters; nothing was sent.")
        now = self._clock()
        with self._uow() as tx:
            request = tx.question(request_id)
            if request is None or self._asker(tx, request, viewer) is None:
                raise NotPermitted(request_id)
            if request.status != "open":
                return request
            answered = replace(request, status="answered", answer=words, answered_at=now, answered_by=viewer.id)
            tx.put_question(answered)
            shown = f"{viewer.name}, about your question: {words}"
            put_text(tx, request.patient_id, "staff.answer", shown, now, kind="answer", sender="staff")
            tx.audit(f"user:{viewer.id}", "question.answered", request.id, now, patient=request.patient_id)
        return answered

    def _wishes(self, tx: Transaction, viewer: StaffMember, now: datetime) -> list[Wish]:
        found = []
        for alert in tx.alerts(unresolved=True):
            if alert.level is not Level.concern or "human_request" not in alert.categories or alert.boundary:
                continue
            patient = self._patient(tx, alert.patient_id, viewer)
            if patient is not None:
                holidays = self._escalation.paging.rota(tx).holidays
                due = self._policy.hours.add_working(alert.raised_at, self._policy.answers_due["coach"], holidays)
                found.append(Wish(alert=alert, patient=patient, due_at=due, overdue=due < now))
        return found

    def _asker(self, tx: Transaction, question: Question, viewer: StaffMember) -> Patient | None:
        """Who asked, where this person may work on it: a coach on what own patients let reach their coach."""
        patient = self._patient(tx, question.patient_id, viewer)
        if patient is None or viewer.roles & RESPONDERS:
            return patient
        if patient.coach_id != viewer.id or question.addressee != "coach":
            return None
        if question.entry_id is None:
            return patient
        entry = tx.entry(question.entry_id)
        aside = question.entry_id in tx.deletion_requests(patient.id)
        return patient if entry is not None and reaches_coach(patient, entry) and not aside else None

    def _patient(self, tx: Transaction, patient_id: str, viewer: StaffMember) -> Patient | None:
        patient = tx.patient(patient_id)
        return None if patient is None or viewer.id in patient.restricted_staff else patient
