"""Reading the facts of one turn from the records: the slots of authored texts, and what conditions may ask about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from bot.core.flow.facts import Facts
from bot.core.journal import Entry, EntryMark, Visibility
from bot.core.journeys import Timeline, timeline
from bot.core.patterns import repeated_pattern
from bot.core.people import Patient
from bot.core.privacy import DeletionRequest
from bot.core.programme import Programme, SessionKind, coming
from bot.core.safety.verdict import Level
from bot.core.steps import open_step
from bot.services.escalation import restricting_alert
from bot.services.ports import Transaction
from bot.services.telling import Telling

MOST_PARTS = 8  # known parts offered as buttons
MOST_MARKS = 20  # newest entries that can be named in the conversation
MOST_RECORDS = 30  # ended sittings looked back on for patterns
SLOT_CHARACTERS = 120  # of the patient's own words read back in a prompt
Expectation = Callable[[Transaction, datetime], str]  # in_hours, covered or no_cover, by the rota


def where_in_time(tx: Transaction, patient: Patient, now: datetime, programme: Programme | None = None) -> Timeline:
    """The patient's place on the journey timeline, by the clinic's own records."""
    programme = programme or tx.programme(patient.id)
    return timeline(
        tx.journeys(patient.id),
        now=now,
        time_zone=patient.time_zone,
        status=programme.status,
        confirmed_at=programme.confirmed_at,
    )


class FactsReader:
    """Reads what a turn may know, once per turn."""

    def __init__(self, telling: Telling, expectation: Expectation) -> None:
        self._telling, self._expectation = telling, expectation

    def slots(self, tx: Transaction, patient: Patient, now: datetime) -> dict[str, str]:
        """The values of protocol 0.2 that come from the clinic and the patient's record."""
        return self._slots(tx, patient, now, where_in_time(tx, patient, now), tx.parts(patient.id))

    def _slots(
        self, tx: Transaction, patient: Patient, now: datetime, where: Timeline, parts: Sequence[str]
    ) -> dict[str, str]:
        coach = next((m.name for m in tx.staff() if m.id == patient.coach_id), "")
        following = where.next_journey_at
        date = "" if following is None else f"{following.astimezone(ZoneInfo(patient.time_zone)):%A, %B %-d}"
        return {
            **self._telling.slots(self._expectation(tx, now)),
            "first_name": patient.first_name,
            "coach_name": coach,
            "phone_masked": f"the number ending in {patient.phone[-2:]}" if patient.phone else "",
            "last_part": parts[0] if parts else "",
            "next_journey_date": date,
        }

    def facts(self, tx: Transaction, patient: Patient, now: datetime) -> Facts:
        """What one turn may know."""
        programme = tx.programme(patient.id)
        where = where_in_time(tx, patient, now, programme)
        entries = [e for e in tx.entries(patient.id) if e.visibility is not Visibility.discarded]
        requests = tx.deletion_requests(patient.id)
        records = tx.sitting_records(patient.id, MOST_RECORDS)
        lines = _lines(entries)
        zone = ZoneInfo(patient.time_zone)
        today = now.astimezone(zone).date()
        since_dose = [e for e in entries if where.last_dose_ended_at and e.created_at >= where.last_dose_ended_at]
        fields_since = {line.field for entry in since_dose for line in entry.lines}
        step = open_step(entries)
        alert = restricting_alert(tx, patient.id)
        parts = tx.parts(patient.id)
        slots = self._slots(tx, patient, now, where, parts)
        handover = tx.pending_handover(patient.id)
        if handover is not None:
            slots["new_coach_name"] = next((m.name for m in tx.staff() if m.id == handover.to_coach), "")
        slots["last_step"] = step.text[:SLOT_CHARACTERS] if step is not None else ""
        slots["last_intention"] = lines.get("intention.text", ("",))[0][:SLOT_CHARACTERS]
        moments = [e.created_at for e in entries[:1]] + [r.ended_at for r in records[:1]]
        sittings_today = {e.sitting_id for e in entries if e.created_at.astimezone(zone).date() == today}
        sittings_today |= {r.id for r in records if r.ended_at.astimezone(zone).date() == today}
        hours_to = None if where.next_journey_at is None else (where.next_journey_at - now).total_seconds() / 3600
        sessions = coming(tx.appointments(patient.id), now)
        return Facts(
            phase=where.phase,
            slots=slots,
            flags=patient.flags,
            journeys_completed=where.journeys_completed,
            hours_since_dose=where.hours_since_dose(now),
            hours_to_journey=hours_to,
            open_alert=alert.level if alert is not None else Level.none,
            known_parts=tuple(parts[:MOST_PARTS]),
            entry_lines=lines,
            safety_plan=tx.safety_plan(patient.id),
            open_step_days=None if step is None else (now - step.at).total_seconds() / 86400,
            recalled_this_journey=bool({"recall.images", "recall.words", "recall.quiet_note"} & fields_since),
            intention_this_journey="intention.text" in fields_since
            or (where.journeys_completed == 0 and "intention.text" in lines),
            sittings_today=len(sittings_today),
            days_since_last=(now - max(moments)).total_seconds() / 86400 if moments else None,
            pattern=repeated_pattern(records, now=now, time_zone=patient.time_zone),
            slept_since_dose=where.slept_since_dose,
            discards_due=tuple(requests),
            program=programme.status,
            own_entries=tuple(_mark(e, zone) for e in islice((e for e in entries if e.id not in requests), MOST_MARKS)),
            deletion=_deletion(tx.deletion(patient.id), now),
            coach_is_new=handover is not None,
            shares_nothing=patient.shares_nothing,
            session_booked=any(s.kind is SessionKind.integration for s in sessions),
        )


def _mark(entry: Entry, zone: ZoneInfo) -> EntryMark:
    when = f"{entry.created_at.astimezone(zone):%a, %b %-d, %H:%M}"
    return EntryMark(id=entry.id, when=when, practices=entry.practices, visibility=entry.visibility)


def _deletion(request: DeletionRequest | None, now: datetime) -> str | None:
    """Where a request to delete everything stands: confirmed, to be asked again, or noted until then."""
    if request is None:
        return None
    return "confirmed" if request.confirmed_at is not None else "due" if request.not_before <= now else "noted"


def _lines(entries: list[Entry]) -> dict[str, tuple[str, ...]]:
    """The texts by field, newest first."""
    lines: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        for line in entry.lines:
            lines[line.field] = (*lines.get(line.field, ()), line.text)
    return lines
