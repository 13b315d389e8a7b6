"""Reminders, emptied bubbles, and what Rasa is still to forget."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update

from bot.adapters.sql import tables as t
from bot.adapters.sql.sealed import Sealed
from bot.core.reminders import Reminder

EMPTY: dict[str, Any] = {"text": "", "control": None, "small_print": None, "payload": None, "links": []}


class RightsRecords(Sealed):
    """Reminders, emptied bubbles, and what Rasa is still to forget."""

    def empty_messages(self, patient_id: str, sitting_id: str) -> int:
        """Overwrite the words of a sitting's messages; crisis texts, which are ours, stay. Returns how many."""
        mine = (t.MessageRow.patient_id == patient_id, t.MessageRow.sitting_id == sitting_id)
        rows = list(self._s.scalars(select(t.MessageRow).where(*mine, t.MessageRow.kind != "crisis")))
        for row in rows:
            row.sealed = self._seal(patient_id, f"message/{row.id}", EMPTY)
        self._s.flush()
        return len(rows)

    def ask_forgetting(self, patient_id: str, at: datetime) -> None:
        self._s.merge(t.ForgettingRow(patient_id=patient_id, asked_at=at))

    def to_forget(self, before: datetime) -> list[str]:
        """Patients to be forgotten by Rasa, asked before a moment, who have written nothing since it."""
        latest = select(func.max(t.MessageRow.created_at)).where(
            t.MessageRow.patient_id == t.ForgettingRow.patient_id, t.MessageRow.sender == "patient"
        )
        quiet = func.coalesce(latest.scalar_subquery(), t.ForgettingRow.asked_at) < before
        return list(self._s.scalars(select(t.ForgettingRow.patient_id).where(t.ForgettingRow.asked_at < before, quiet)))

    def drop_forgetting(self, patient_id: str, before: datetime) -> None:
        done = (t.ForgettingRow.patient_id == patient_id, t.ForgettingRow.asked_at < before)
        self._s.execute(delete(t.ForgettingRow).where(*done))

    def add_reminder(self, reminder: Reminder) -> None:
        self._s.flush()  # its entry comes first
        self._s.add(t.ReminderRow(**asdict(reminder)))

    def reminders(self, patient_id: str) -> list[Reminder]:
        """Those still waiting, soonest first."""
        mine = (t.ReminderRow.patient_id == patient_id, t.ReminderRow.state == "waiting")
        query = select(t.ReminderRow).where(*mine).order_by(t.ReminderRow.due_at)
        return [_reminder(row) for row in self._s.scalars(query)]

    def reminders_due(self, now: datetime, limit: int) -> list[Reminder]:
        due = (t.ReminderRow.state == "waiting", t.ReminderRow.due_at <= now)
        query = select(t.ReminderRow).where(*due).order_by(t.ReminderRow.due_at).limit(limit)
        return [_reminder(row) for row in self._s.scalars(query)]

    def claim_reminder(self, reminder: Reminder, again_at: datetime) -> bool:
        """Count a try, unless another worker made one since it was read."""
        same = (
            t.ReminderRow.id == reminder.id,
            t.ReminderRow.state == "waiting",
            t.ReminderRow.tries == reminder.tries,
        )
        return self._changed(update(t.ReminderRow).where(*same).values(tries=reminder.tries + 1, due_at=again_at))

    def settle_reminder(self, reminder_id: str, state: str) -> None:
        self._s.execute(update(t.ReminderRow).where(t.ReminderRow.id == reminder_id).values(state=state))

    def drop_reminders(self, entry_id: str) -> None:
        waiting = (t.ReminderRow.entry_id == entry_id, t.ReminderRow.state == "waiting")
        self._s.execute(update(t.ReminderRow).where(*waiting).values(state="dropped"))

    def email_of(self, user_id: int) -> str | None:
        return self._s.scalar(select(t.User.email).where(t.User.id == user_id, t.User.active.is_(True)))


def _reminder(row: t.ReminderRow) -> Reminder:
    return Reminder(
        id=row.id,
        patient_id=row.patient_id,
        entry_id=row.entry_id,
        due_at=row.due_at,
        state=row.state,
        tries=row.tries,
    )
