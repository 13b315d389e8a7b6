"""When to remind of a small step, for patients who asked. A reminder says nothing of what it is about.

Source: protocol 3.8 (`os_remind`) and 1.4 N16.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

HOUR = time(10)  # in the patient's zone; the patient's own "when" is in words and is not interpreted
DAYS = {"once": 1, "daily3": 3}  # the answers to `os_remind` that ask for reminders


@dataclass(frozen=True, kw_only=True)
class Reminder:
    """One reminder of a small step. `state` is waiting, sent, failed or dropped (no longer wanted or fitting)."""

    id: str
    patient_id: str
    entry_id: str
    due_at: datetime
    state: str = "waiting"
    tries: int = 0


def moments(answer: str | None, asked_at: datetime, time_zone: str) -> list[datetime]:
    """When to remind, aware UTC: at HOUR on the next day or on the next three, or never where none was asked for."""
    zone = ZoneInfo(time_zone)
    today = asked_at.astimezone(zone).date()
    days = [today + timedelta(days=number) for number in range(1, DAYS.get(answer or "", 0) + 1)]
    return [datetime.combine(day, HOUR, zone).astimezone(timezone.utc) for day in days]
