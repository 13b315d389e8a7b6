"""Who holds which duty when. Shifts recur by the clinic's wall clock, so that a hand-over at 09:00 stays at 09:00.

An override wins over shifts; a person away holds nothing; where no one is left there is a gap, shown before it comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from bot.core.hours import DAY, wall


@dataclass(frozen=True, kw_only=True)
class Shift:
    """One person's recurring duty. It starts on `first_day` and every `every_days` after it; 0 means once."""

    id: str
    duty: str
    member_id: int
    first_day: date
    starts: time  # hand-over, wall clock
    lasts_days: int  # the day of its end, counted from the day of its start
    ends: time
    every_days: int = 7
    last_day: date | None = None  # the last day on which it may start
    on_holidays: bool = True

    def spans(self, start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[tuple[date, datetime, datetime]]:
        """(first day, start, end) of each occurrence that touches the time between."""
        earliest = start.astimezone(zone).date() - timedelta(days=self.lasts_days + 1)
        day = self.first_day
        if self.every_days and day < earliest:
            day += timedelta(days=(earliest - day).days // self.every_days * self.every_days)
        latest = end.astimezone(zone).date()
        while day <= latest and (self.last_day is None or day <= self.last_day):
            begins = wall(day, self.starts, zone)
            finishes = wall(day + timedelta(days=self.lasts_days), self.ends, zone)
            if begins < end and finishes > start:
                yield day, begins, finishes
            if not self.every_days:
                return
            day += timedelta(days=self.every_days)


@dataclass(frozen=True, kw_only=True)
class Override:
    """For this time the duty is this person's, whatever the shifts say. `made_at` decides between two."""

    id: str
    duty: str
    member_id: int
    starts_at: datetime
    ends_at: datetime
    made_at: datetime
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class DayOff:
    """A person's leave, or, without a person, a day on which the clinic is closed. Both days inclusive."""

    id: str
    first_day: date
    last_day: date
    member_id: int | None = None
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Span:
    """A time in which the same people hold a duty; no one, where `members` is empty."""

    starts_at: datetime
    ends_at: datetime
    members: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Rota:
    """All that is known about who is on duty."""

    zone: ZoneInfo
    shifts: Sequence[Shift] = field(default_factory=tuple)
    overrides: Sequence[Override] = field(default_factory=tuple)
    days_off: Sequence[DayOff] = field(default_factory=tuple)

    def on_duty(self, duty: str, at: datetime) -> tuple[int, ...]:
        """Who holds the duty at this moment, first the one to be tried first; empty when no one does."""
        covering = [o for o in self.overrides if o.duty == duty and o.starts_at <= at < o.ends_at]
        if covering:
            chosen = max(covering, key=lambda override: override.made_at)
            return (chosen.member_id,) if not self._away(chosen.member_id, at) else ()
        holidays = self.holidays
        held: dict[int, None] = {}
        for shift in self.shifts:
            if shift.duty != duty or self._away(shift.member_id, at):
                continue
            for day, _, _ in shift.spans(at, at + timedelta(microseconds=1), self.zone):
                if shift.on_holidays or day not in holidays:
                    held[shift.member_id] = None
        return tuple(held)

    def ever_on(self, duty: str) -> tuple[int, ...]:
        """Everyone who holds the duty at any time, leave or not: the last resort where it may go to no one else."""
        holders = [shift.member_id for shift in self.shifts if shift.duty == duty]
        holders += [override.member_id for override in self.overrides if override.duty == duty]
        return tuple(dict.fromkeys(holders))

    @property
    def holidays(self) -> frozenset[date]:
        """The days on which the clinic is closed."""
        return frozenset(
            day.first_day + DAY * n
            for day in self.days_off
            if day.member_id is None
            for n in range((day.last_day - day.first_day).days + 1)
        )

    def spans(self, duty: str, start: datetime, end: datetime) -> list[Span]:
        """The time between, cut where the people on duty change; neighbours with the same people are joined."""
        found: list[Span] = []
        edges = self._edges(duty, start, end)
        for begins, finishes in pairwise(edges):
            members = self.on_duty(duty, begins)
            if found and found[-1].members == members:
                found[-1] = Span(starts_at=found[-1].starts_at, ends_at=finishes, members=members)
            else:
                found.append(Span(starts_at=begins, ends_at=finishes, members=members))
        return found

    def gaps(self, duty: str, start: datetime, end: datetime) -> list[Span]:
        """When no one holds the duty."""
        return [span for span in self.spans(duty, start, end) if not span.members]

    def _edges(self, duty: str, start: datetime, end: datetime) -> list[datetime]:
        edges = {start, end}
        for shift in self.shifts:
            if shift.duty == duty:
                for _, begins, finishes in shift.spans(start, end, self.zone):
                    edges |= {begins, finishes}
        for override in self.overrides:
            if override.duty == duty:
                edges |= {override.starts_at, override.ends_at}
        for off in self.days_off:
            edges |= {wall(off.first_day, time(), self.zone), wall(off.last_day + DAY, time(), self.zone)}
        return sorted(edge for edge in edges if start <= edge <= end)

    def _away(self, member_id: int, at: datetime) -> bool:
        day = at.astimezone(self.zone).date()
        return any(off.member_id == member_id and off.first_day <= day <= off.last_day for off in self.days_off)
