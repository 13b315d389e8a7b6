"""Changing a patient's coach, never silently: what was shared waits until the patient has chosen (protocol 7.5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.core.handover import Handover, Sharing
from bot.core.journal import Visibility
from bot.services.ports import Clock, NotPermitted, Transaction, UnitOfWork
from bot.services.removal import undecided


class HandoverService:
    """Gives a patient another coach, and carries out what the patient then wants to share with them."""

    def __init__(self, uow: UnitOfWork, clock: Clock) -> None:
        self._uow, self._clock = uow, clock

    def change(self, patient_id: str, coach_id: int, by: str) -> Handover:
        """Give a patient another coach. What is shared becomes private until the patient chooses. Raises NotPermitted.

        `by` goes on record. A change to the same coach changes nothing that is shared.
        """
        now = self._clock()
        with self._uow() as tx:
            patient = tx.patient(patient_id)
            coach = next((m for m in tx.staff() if m.id == coach_id and "coach" in m.roles), None)
            if patient is None or patient.erased_at is not None or coach is None:
                raise NotPermitted(patient_id)
            known = tx.handover(patient_id)
            if patient.coach_id == coach_id and known is not None:
                return known
            waiting = known.entry_ids if known is not None and known.choice is not Sharing.past else ()
            shared = [e for e in tx.entries(patient_id) if e.visibility is Visibility.shared]
            for entry in shared:
                tx.put_entry(replace(entry, visibility=Visibility.private, shared_at=None))
            made = Handover(
                patient_id=patient_id,
                coach_id=coach_id,
                at=now,
                entry_ids=tuple(dict.fromkeys((*waiting, *(entry.id for entry in shared)))),
                choice=None if patient.coach_id is not None else Sharing.today,  # a first coach takes over nothing
            )
            tx.put_handover(made)
            tx.put_patient(replace(patient, coach_id=coach_id))
            tx.audit(by, "coach.changed", patient_id, now, coach=coach_id, withheld=len(shared))
        return made

    def waiting(self, patient_id: str) -> Handover | None:
        """The change that the patient has not decided on, or has decided to share nothing after, or None."""
        with self._uow() as tx:
            found = tx.handover(patient_id)
        return found if found is not None and found.choice in (None, Sharing.nothing) else None

    def choose(self, patient_id: str, choice: Sharing) -> None:
        """Take the patient's choice. Raises NotPermitted where none is open, or within a day of a dose (7.6)."""
        now = self._clock()
        with self._uow() as tx:
            patient = tx.patient(patient_id)
            if patient is None or undecided(tx, patient, now) is not None or not settle(tx, patient_id, choice, now):
                raise NotPermitted(patient_id)


def settle(tx: Transaction, patient_id: str, choice: Sharing, now: datetime) -> bool:
    """Carry out a choice inside the caller's transaction. Returns whether there was one to make."""
    known = tx.handover(patient_id)
    if known is None or known.choice not in (None, Sharing.nothing):
        return False
    if choice is Sharing.past:
        for entry in (tx.entry(entry_id) for entry_id in known.entry_ids):
            if entry is not None and entry.visibility is Visibility.private and not entry.held:
                tx.put_entry(replace(entry, visibility=Visibility.shared, shared_at=now))
    tx.put_handover(replace(known, choice=choice, chosen_at=now))
    tx.audit(f"patient:{patient_id}", "handover.chosen", patient_id, now, choice=choice.value)
    return True
