"""Reminding patients of a small step, where they asked for it: by e-mail, with nothing in it that tells of therapy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.core.journal import Visibility
from bot.core.journeys import ProgramStatus
from bot.core.people import Patient, StaffMember
from bot.core.reminders import Reminder
from bot.core.steps import open_step
from bot.services.escalation import restricting_alert
from bot.services.ports import Clock, Notifier, NotPermitted, SendFailed, Transaction, UnitOfWork
from bot.services.sign_in import NOTICE

AGAIN_AFTER = timedelta(minutes=10)  # a try that was not finished, or failed for now, is made again
MOST_TRIES = 6
AT_ONCE = 50


class ReminderService:
    """Sends what is due. A reminder is sent once; after a crash in the middle of sending it may come twice."""

    def __init__(self, uow: UnitOfWork, clock: Clock, notifier: Notifier) -> None:
        self._uow, self._clock, self._notifier = uow, clock, notifier

    def waiting(self, patient_id: str) -> Sequence[Reminder]:
        """The reminders that are still to come, soonest first."""
        with self._uow() as tx:
            return tx.reminders(patient_id)

    def quiet(self, patient_id: str, entry_id: str) -> None:
        """Send no more reminders of the step in an own entry. Raises NotPermitted."""
        with self._uow() as tx:
            entry = tx.entry(entry_id)
            if entry is None or entry.patient_id != patient_id:
                raise NotPermitted(entry_id)
            tx.drop_reminders(entry_id)
            tx.audit(f"patient:{patient_id}", "reminder.stopped", entry_id, self._clock())

    def send_due(self) -> int:
        """Send the reminders that are due; called by the worker. Returns how many went out."""
        with self._uow() as tx:
            due = tx.reminders_due(self._clock(), AT_ONCE)
        return sum(self._send(reminder) for reminder in due)

    def _send(self, reminder: Reminder) -> bool:
        now = self._clock()
        with self._uow() as tx:
            if not tx.claim_reminder(reminder, now + AGAIN_AFTER):
                return False  # another worker came first
            owner = _owner(tx, reminder)
            if owner is None:
                tx.settle_reminder(reminder.id, "dropped")
                return False
        subject, body = NOTICE[False]
        try:
            self._notifier.send(owner, subject, body)
        except SendFailed as error:
            if error.permanent or reminder.tries + 1 >= MOST_TRIES:
                with self._uow() as tx:
                    tx.settle_reminder(reminder.id, "failed")
                    tx.audit("system", "reminder.failed", reminder.entry_id, now, code=error.code)
            return False
        with self._uow() as tx:
            tx.settle_reminder(reminder.id, "sent")
            tx.audit("system", "reminder.sent", reminder.entry_id, now)
        return True


def _owner(tx: Transaction, reminder: Reminder) -> StaffMember | None:
    """Whom to write to, or None where the reminder no longer fits: the step is over, or something weighs more."""
    patient, entry = tx.patient(reminder.patient_id), tx.entry(reminder.entry_id)
    if patient is None or patient.user_id is None or patient.consented_at is None or entry is None:
        return None
    step = open_step(e for e in tx.entries(patient.id) if e.visibility is not Visibility.discarded)
    ended = tx.programme(patient.id).status in (ProgramStatus.completed, ProgramStatus.discharged)
    if step is None or step.entry_id != entry.id or ended or restricting_alert(tx, patient.id) is not None:
        return None
    return _account(tx, patient)


def _account(tx: Transaction, patient: Patient) -> StaffMember | None:
    assert patient.user_id is not None
    email = tx.email_of(patient.user_id)
    return None if email is None else StaffMember(id=patient.user_id, name="", email=email, roles=frozenset())
