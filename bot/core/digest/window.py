"""Which period a digest covers. Source: protocol 5; the windows of issue 5."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.core.digest.records import Window
from bot.core.journeys import Journey
from bot.core.programme import Appointment

NAMES = ("session", "journey", "dates", "all")


@dataclass(frozen=True, kw_only=True)
class WindowChoice:
    """What the reader asks for. `name` is one of NAMES, or empty for the most useful one; days are inclusive."""

    name: str = ""
    first: date | None = None
    last: date | None = None


def resolve(
    choice: WindowChoice, *, sessions: Sequence[Appointment], journeys: Sequence[Journey], zone: str, now: datetime
) -> Window:
    """The window. A session or journey that has not taken place gives all entries; dates without an end run to now."""
    session = max((s.at for s in sessions if s.cancelled_at is None and s.at <= now), default=None)
    journey = max((j.dose_ended_at for j in journeys if j.dose_ended_at and j.dose_ended_at <= now), default=None)
    name = choice.name if choice.name in NAMES else "session" if session else "journey" if journey else "all"
    after = now + timedelta(microseconds=1)  # the end is exclusive, and what was written this instant counts
    if name == "session" and session is not None:
        return Window(name=name, since=session, until=after)
    if name == "journey" and journey is not None:
        return Window(name=name, since=journey, until=after)
    if name == "dates":
        since = None if choice.first is None else _midnight(choice.first, zone)
        until = after if choice.last is None else _midnight(choice.last + timedelta(days=1), zone)
        return Window(name=name, since=since, until=until)
    return Window(name="all", since=None, until=after)


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(zone))
