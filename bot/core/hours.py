"""The clinic's hours: when staff work, when a quiet notification waits. Wall-clock times in the clinic's zone."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
MOST_CLOSED_DAYS = 60  # a clinic that is closed for longer is misconfigured


def wall(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The UTC moment of a wall-clock time. One that daylight saving skips means the same moment for everyone."""
    return datetime.combine(day, at, tzinfo=zone).astimezone(timezone.utc)


@dataclass(frozen=True, kw_only=True)
class ClinicHours:
    """Working hours and quiet hours. `days` counts Monday as 0; quiet hours may pass midnight."""

    zone: ZoneInfo
    days: frozenset[int]
    opens: time
    closes: time
    quiet_from: time
    quiet_until: time

    def working(self, at: datetime, holidays: Set[date]) -> bool:
        """Whether staff are at work at this moment."""
        local = at.astimezone(self.zone)
        return self._open_on(local.date(), holidays) and self.opens <= local.time() < self.closes

    def next_working(self, at: datetime, holidays: Set[date]) -> datetime:
        """`at` itself when staff are at work, else the next opening."""
        if self.working(at, holidays):
            return at
        local = at.astimezone(self.zone)
        day = local.date() if local.time() < self.opens else local.date() + DAY
        for _ in range(MOST_CLOSED_DAYS):
            if self._open_on(day, holidays):
                return wall(day, self.opens, self.zone)
            day += DAY
        return at

    def after_quiet(self, at: datetime) -> datetime:
        """`at` itself outside quiet hours, else their end."""
        local = at.astimezone(self.zone)
        now, start, end = local.time(), self.quiet_from, self.quiet_until
        if start <= end:
            return wall(local.date(), end, self.zone) if start <= now < end else at
        if now >= start:
            return wall(local.date() + DAY, end, self.zone)
        return wall(local.date(), end, self.zone) if now < end else at

    def add_working(self, at: datetime, length: timedelta, holidays: Set[date]) -> datetime:
        """The moment when so much working time has passed since `at`."""
        left = length
        for _ in range(MOST_CLOSED_DAYS):
            at = self.next_working(at, holidays)
            closing = wall(at.astimezone(self.zone).date(), self.closes, self.zone)
            if at + left <= closing:
                return at + left
            left -= max(closing - at, timedelta())
            at = closing
        return at

    def _open_on(self, day: date, holidays: Set[date]) -> bool:
        return day.weekday() in self.days and day not in holidays
