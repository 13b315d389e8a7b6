"""Carrying out what a turn leads to: entries, questions, notes for the team, ended sittings. Inside its transaction."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.core.coaching import History
from bot.core.escalation import AlertEvent
from bot.core.flow.outcome import Effect
from bot.core.flow.state import SittingState
from bot.core.journal import Entry, EntryLine, Visibility
from bot.core.patterns import SittingRecord
from bot.core.people import Patient
from bot.core.reminders import Reminder, moments
from bot.services.escalation import restricting_alert, speaking_alert
from bot.services.facts import where_in_time
from bot.services.handover import settle
from bot.services.ports import Transaction
from bot.services.removal import ask_deletion, forget_words, remove_entry, withdraw_deletion

UNDONE_WITHIN = timedelta(hours=24)  # deleting all, asked for without the passphrase: until then it can be taken back


class Keeper:
    """Keeps what the interpreter decided; decides nothing itself."""

    def apply(
        self,
        tx: Transaction,
        patient: Patient,
        before: SittingState,
        after: SittingState,
        effect: Effect,
        now: datetime,
    ) -> None:
        """Carry out one effect. `before` and `after` are the sitting's states around the turn."""
        data = effect.data
        if effect.kind == "save":
            self.save(tx, patient, before, data, now)
        elif effect.kind == "discard":
            forget_words(tx, patient.id, before.sitting_id, now)
        elif effect.kind == "discard_later":
            entry = self.save(tx, patient, before, {**data, "visibility": "draft"}, now)
            tx.request_deletion(patient.id, entry.id, now)
        elif effect.kind in ("remove_entry", "remove_later", "unshare"):
            self._change_entry(tx, patient, effect, now)
        elif effect.kind == "delete_all":
            until = now + UNDONE_WITHIN if data["wait"] else None
            ask_deletion(tx, patient, now, window=UNDONE_WITHIN, wait_until=until)
        elif effect.kind == "keep_all":
            withdraw_deletion(tx, patient.id, now)
        elif effect.kind == "handover":
            settle(tx, patient, History(data["choice"]), now)
        elif effect.kind == "discarded_again":
            self._discard_again(tx, patient, now, remove=bool(data["remove"]))
        elif effect.kind in ("question", "team_note"):
            kind = "note" if effect.kind == "team_note" else "question"
            tx.add_question(patient.id, data["to"], data["text"], now, kind=kind)
        elif effect.kind == "plan":
            tx.put_plan_line(patient.id, data["line"], data["text"], now)
        elif effect.kind in ("staff_answer", "staff_text"):
            self._tell_staff(tx, patient, effect, now)
        elif effect.kind == "restrict":
            barred = tuple(dict.fromkeys((*patient.restricted_staff, *_named(tx, patient, str(data["who"])))))
            tx.put_patient(replace(patient, restricted_staff=barred))
            tx.audit("system", "patient.restricted_staff", patient.id, now, who=data["who"])
        elif effect.kind == "schedule_missing":
            tx.audit("system", "schedule.missing", patient.id, now)
        elif effect.kind == "slept":
            self._note_sleep(tx, patient, slept=bool(data["slept"]))
        elif effect.kind == "sitting_ended":
            tx.add_sitting_record(self._record(tx, patient, before, after, data, now))

    def save(
        self, tx: Transaction, patient: Patient, state: SittingState, data: Mapping[str, Any], now: datetime
    ) -> Entry:
        """Make an entry of these lines, and meet the parts named in it."""
        where = where_in_time(tx, patient, now)
        hours = where.hours_since_dose(now)
        visibility = Visibility(data["visibility"])
        entry = Entry(
            id=uuid.uuid4().hex,
            patient_id=patient.id,
            sitting_id=state.sitting_id,
            phase=where.phase.protocol_id,
            visibility=visibility,
            practices=tuple(data.get("practices") or state.practices),
            lines=tuple(
                EntryLine(field=row["field"], label=row["label"], step=row["step"], text=row["text"])
                for row in data["lines"]
            ),
            created_at=now,
            shared_at=now if visibility is Visibility.shared else None,
            hours_since_dose=None if hours is None else int(hours),
            content_version=state.content_version,
            held=patient.coach_id in patient.restricted_staff or _complained(tx, patient.id),
        )
        tx.put_entry(entry)
        for line in entry.lines:
            if line.field == "part.name":
                tx.see_part(patient.id, line.text, now)
        if entry.line("step.text") is not None:
            for due_at in moments(state.values.get("step.reminder"), now, patient.time_zone):
                reminder = Reminder(id=uuid.uuid4().hex, patient_id=patient.id, entry_id=entry.id, due_at=due_at)
                tx.add_reminder(reminder)
        tx.audit(f"patient:{patient.id}", f"entry.{visibility.value}", entry.id, now)
        return entry

    def _discard_again(self, tx: Transaction, patient: Patient, now: datetime, *, remove: bool) -> None:
        for entry_id in tx.deletion_requests(patient.id):
            entry = tx.entry(entry_id)
            if remove and entry is not None:
                remove_entry(tx, entry, now)
            tx.drop_deletion_request(entry_id)

    def _change_entry(self, tx: Transaction, patient: Patient, effect: Effect, now: datetime) -> None:
        """Remove, set aside or unshare an entry that is still the patient's own to change."""
        entry = tx.entry(str(effect.data["entry"]))
        if entry is None or entry.patient_id != patient.id or entry.visibility is Visibility.discarded:
            return
        if effect.kind == "remove_entry":
            remove_entry(tx, entry, now)
        elif effect.kind == "remove_later":
            tx.request_deletion(patient.id, entry.id, now)
            tx.audit(f"patient:{patient.id}", "entry.removal_asked", entry.id, now)
        else:
            tx.put_entry(replace(entry, visibility=Visibility.private, shared_at=None))
            tx.audit(f"patient:{patient.id}", "entry.private", entry.id, now)

    def _tell_staff(self, tx: Transaction, patient: Patient, effect: Effect, now: datetime) -> None:
        alert = speaking_alert(tx, patient.id) or restricting_alert(tx, patient.id)
        if alert is not None:
            detail = {key: value for key, value in effect.data.items() if key != "text"}
            words = effect.data.get("text")
            tx.add_alert_event(
                alert.id, AlertEvent(at=now, kind=effect.kind, actor_id=None, detail=detail, words=words)
            )

    def _note_sleep(self, tx: Transaction, patient: Patient, *, slept: bool) -> None:
        done = [(j.dose_ended_at, j) for j in tx.journeys(patient.id) if j.dose_ended_at is not None]
        if done:
            tx.put_journey(replace(max(done, key=lambda pair: pair[0])[1], slept=slept))

    def _record(
        self,
        tx: Transaction,
        patient: Patient,
        before: SittingState,
        after: SittingState,
        ratings: Mapping[str, Any],
        now: datetime,
    ) -> SittingRecord:
        where = where_in_time(tx, patient, now)
        hours = where.hours_since_dose(now)
        began = datetime.fromisoformat(before.started_at) if before.started_at else now
        return SittingRecord(
            id=before.sitting_id or after.sitting_id,
            patient_id=patient.id,
            began_at=began,
            ended_at=now,
            phase=where.phase.protocol_id,
            practices=tuple(before.practices),
            seconds=int(after.spent_seconds),
            hours_since_dose=None if hours is None else int(hours),
            **ratings,
        )


def _named(tx: Transaction, patient: Patient, who: str) -> list[int]:
    """The people whom an answer in a complaint about the clinic names (protocol 6.5.4)."""
    coach = [patient.coach_id] if patient.coach_id is not None else []
    medical = [member.id for member in tx.staff() if "medical" in member.roles]
    return {"coach": coach, "medical_team_members": medical, "all_session_staff": [*coach, *medical]}.get(who, [])


def _complained(tx: Transaction, patient_id: str) -> bool:
    return any(alert.boundary for alert in tx.alerts(patient_id=patient_id, unresolved=True))
