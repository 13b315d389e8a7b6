"""A coach's list of patients, read without opening an entry, and how it is sorted and searched."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.core.coaching import may_read
from bot.core.journeys import Timeline, timeline
from bot.core.people import Patient, StaffMember
from bot.core.safety.verdict import Level
from bot.services.ports import CaseloadFacts, Clock, NotPermitted, UnitOfWork


@dataclass(frozen=True, kw_only=True)
class CaseloadRow:
    """One patient. Days are whole days; None where there is nothing to count from. Quiet is information, no more."""

    patient: Patient
    where: Timeline
    days_since_journey: int | None
    days_until_journey: int | None
    shared: int
    unread: int
    last_shared_at: datetime | None
    quiet_days: int | None
    open_questions: int
    concern: Level
    reviewed_at: datetime | None

    @property
    def name(self) -> str:
        return f"{self.patient.first_name} {self.patient.last_name}"


SORTS: dict[str, Callable[[CaseloadRow], Any]] = {  # smallest first; None sorts last
    "name": lambda row: row.name.casefold(),
    "since": lambda row: row.days_since_journey,
    "until": lambda row: row.days_until_journey,
    "unread": lambda row: -row.unread,
    "questions": lambda row: -row.open_questions,
    "quiet": lambda row: None if row.quiet_days is None else -row.quiet_days,
    "concern": lambda row: -row.concern,
}
FILTERS: dict[str, Callable[[CaseloadRow], bool]] = {
    "unread": lambda row: row.unread > 0,
    "questions": lambda row: row.open_questions > 0,
    "concern": lambda row: row.concern > Level.none,
    "next": lambda row: row.days_until_journey is not None and row.days_until_journey <= 7,
}


class CaseloadService:
    """The caseload of one coach."""

    def __init__(self, uow: UnitOfWork, clock: Clock) -> None:
        self._uow, self._clock = uow, clock

    def rows(self, coach: StaffMember) -> list[CaseloadRow]:
        """Own patients, by name. Raises NotPermitted for anyone who is not a coach; the view is audited."""
        if "coach" not in coach.roles:
            raise NotPermitted(str(coach.id))
        now = self._clock()
        with self._uow() as tx:
            facts = [row for row in tx.caseload(coach.id) if may_read(coach, row.patient)]
            tx.audit(f"user:{coach.id}", "caseload.viewed", f"user:{coach.id}", now, patients=len(facts))
        return arrange([_row(row, now) for row in facts])


def arrange(
    rows: Iterable[CaseloadRow], *, sort: str = "name", only: str = "", phase: str = "", search: str = ""
) -> list[CaseloadRow]:
    """Filter and sort. Unknown names of sorts, filters and phases change nothing; equal rows stay in order of name."""
    wanted = search.strip().casefold()
    keep = FILTERS.get(only)
    found = [
        row
        for row in rows
        if (keep is None or keep(row))
        and (not phase or row.where.phase.protocol_id == phase)
        and wanted in row.name.casefold()
    ]
    found.sort(key=SORTS["name"])
    key = SORTS.get(sort, SORTS["name"])
    known = [row for row in found if key(row) is not None]
    return sorted(known, key=key) + [row for row in found if key(row) is None]


def _row(facts: CaseloadFacts, now: datetime) -> CaseloadRow:
    where = timeline(
        facts.journeys,
        now=now,
        time_zone=facts.patient.time_zone,
        status=facts.programme.status,
        confirmed_at=facts.programme.confirmed_at,
    )
    hours = where.hours_since_dose(now)
    ahead = where.next_journey_at
    return CaseloadRow(
        patient=facts.patient,
        where=where,
        days_since_journey=None if hours is None else int(hours // 24),
        days_until_journey=None if ahead is None else max(0, -((now - ahead) // timedelta(days=1))),
        shared=facts.shared,
        unread=facts.unread,
        last_shared_at=facts.last_shared_at,
        quiet_days=None if facts.last_shared_at is None else (now - facts.last_shared_at) // timedelta(days=1),
        open_questions=facts.open_questions,
        concern=facts.concern,
        reviewed_at=facts.reviewed_at,
    )
