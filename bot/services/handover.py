"""A change of coach, inside the caller's transaction: proposed by the clinic, decided by the patient (protocol 7.5)."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime

from bot.core.coaching import Handover, History
from bot.core.people import Patient
from bot.services.ports import Transaction


def propose(tx: Transaction, patient: Patient, to_coach: int, by: str, now: datetime) -> Handover | None:
    """Note whom the clinic proposes; a newer proposal wins. Returns None for a first coach, who simply begins."""
    if patient.coach_id is None:
        tx.put_patient(replace(patient, coach_id=to_coach))
        tx.audit(by, "coach.assigned", patient.id, now, to=to_coach)
        return None
    current = tx.pending_handover(patient.id)
    handover = Handover(
        id=current.id if current is not None else uuid.uuid4().hex,
        patient_id=patient.id,
        from_coach=patient.coach_id,
        to_coach=to_coach,
        proposed_at=now,
    )
    tx.put_handover(handover)
    tx.audit(by, "handover.proposed", patient.id, now, to=to_coach)
    return handover


def settle(tx: Transaction, patient: Patient, history: History, now: datetime) -> bool:
    """Carry out the patient's choice: a proposed coach takes over, and the coach reads what was chosen.

    Without a proposal it changes an earlier choice. Returns whether there was anything to choose.
    """
    handover = tx.pending_handover(patient.id)
    if handover is None and patient.shares_from is None:
        return False
    if handover is not None:
        tx.put_handover(replace(handover, history=history, decided_at=now))
    tx.put_patient(
        replace(
            patient,
            coach_id=patient.coach_id if handover is None else handover.to_coach,
            shares_from=None if history is History.all else now,
            shares_nothing=history is History.nothing,
        )
    )
    tx.audit(f"patient:{patient.id}", "handover.decided", patient.id, now, history=history.value)
    return True
