"""Removing what a patient wrote, inside the caller's transaction: an entry, a sitting's words, or the wish for all."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.flow.state import SittingState
from bot.core.journal import Entry, Visibility
from bot.core.people import Patient
from bot.core.privacy import DeletionRequest, undecided_until
from bot.services.facts import where_in_time
from bot.services.ports import Transaction


def remove_entry(tx: Transaction, entry: Entry, now: datetime) -> None:
    """Remove an entry's words for good, here and in the conversation; that it was there stays on record."""
    tx.put_entry(replace(entry, visibility=Visibility.discarded, lines=(), shared_at=None))
    tx.drop_deletion_request(entry.id)
    tx.drop_reminders(entry.id)
    forget_words(tx, entry.patient_id, entry.sitting_id, now)
    tx.audit(f"patient:{entry.patient_id}", "entry.discarded", entry.id, now)


def forget_words(tx: Transaction, patient_id: str, sitting_id: str, now: datetime) -> None:
    """Empty the bubbles of a sitting. Their order, assessments and what staff were told stay; Rasa's window follows."""
    if sitting_id:
        tx.empty_messages(patient_id, sitting_id)
        tx.ask_forgetting(patient_id, now)


def forget_ended_sitting(tx: Transaction, patient_id: str, sitting_id: str, now: datetime) -> None:
    """Where a sitting has ended and no other began, what it still remembers goes too."""
    stored = tx.sitting(patient_id)
    if stored is None:
        return
    state = SittingState.from_json(stored.state)
    if state.sitting_id != sitting_id or state.frames:
        return
    rest = SittingState(shown=state.shown, control_no=state.control_no)
    tx.put_sitting(
        patient_id,
        rest.as_json(),
        expected_version=stored.version,
        silence_due_at=None,
        last_message_id=stored.last_message_id,
        at=now,
    )


def undecided(tx: Transaction, patient: Patient, now: datetime) -> datetime | None:
    """Until when nothing that cannot be undone may be decided, or None (protocol 7.6)."""
    return undecided_until(where_in_time(tx, patient, now), now)


def ask_deletion(
    tx: Transaction, patient: Patient, now: datetime, *, window: timedelta, wait_until: datetime | None = None
) -> DeletionRequest:
    """Ask to delete everything: confirmed at once, or noted and asked again when a day has passed after a dose.

    A confirmed one is carried out when `window` has passed. A request that was noted is confirmed by asking again.
    """
    known = tx.deletion(patient.id)
    if known is not None and known.confirmed_at is not None:
        return known
    wait = max(filter(None, (undecided(tx, patient, now), wait_until)), default=None)
    if known is None:
        known = DeletionRequest(id=uuid.uuid4().hex, patient_id=patient.id, asked_at=now, not_before=now)
        tx.add_deletion(known)
    changed = replace(known, not_before=wait or now + window, confirmed_at=None if wait else now)
    tx.put_deletion(changed)
    tx.audit(f"patient:{patient.id}", "deletion.noted" if wait else "deletion.confirmed", patient.id, now)
    return changed


def withdraw_deletion(tx: Transaction, patient_id: str, now: datetime) -> None:
    """Keep everything after all. Changes nothing where nothing was asked."""
    request = tx.deletion(patient_id)
    if request is not None:
        tx.put_deletion(replace(request, withdrawn_at=now))
        tx.audit(f"patient:{patient_id}", "deletion.withdrawn", patient_id, now)
