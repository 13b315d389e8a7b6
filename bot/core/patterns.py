"""Patterns over the last sittings that a person should hear of. Counts and self-ratings only. Source: protocol 3.16."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

HIGH = 7  # activation at the end
FAR_AWAY = 3  # presence
IN_A_ROW = 3  # sittings, or days of heavy use
WITHIN = timedelta(days=7)
HEAVY = 3  # more sittings than this in one day

THREE_HIGH = "three_high_in_a_row"
THREE_FAR_AWAY = "three_low_presence"
HEAVY_USE = "daily_heavy_use"


@dataclass(frozen=True, kw_only=True)
class SittingRecord:
    """What an ended sitting leaves behind besides its entry. Ratings are 0 to 10; none of the patient's words."""

    id: str
    patient_id: str
    began_at: datetime
    ended_at: datetime
    phase: str
    practices: tuple[str, ...] = ()
    seconds: int = 0  # spent in it, pauses left out
    activation_start: int | None = None
    activation_end: int | None = None
    presence: int | None = None
    hours_since_dose: int | None = None
    pattern: str | None = None  # the pattern that this sitting told the patient of


def repeated_pattern(records: Sequence[SittingRecord], *, now: datetime, time_zone: str) -> str | None:
    """The pattern that the next sitting should speak of, or None. `records` newest first.

    A pattern that was spoken of counts afresh from the sitting after it.
    """
    if _last_of(records, THREE_HIGH, lambda r: r.activation_end is not None and r.activation_end >= HIGH, now):
        return THREE_HIGH
    if _last_of(records, THREE_FAR_AWAY, _far_away, now):
        return THREE_FAR_AWAY
    return HEAVY_USE if _heavy_use(_since(records, HEAVY_USE), now, ZoneInfo(time_zone)) else None


def _since(records: Sequence[SittingRecord], pattern: str) -> Sequence[SittingRecord]:
    told = next((place for place, record in enumerate(records) if record.pattern == pattern), len(records))
    return records[:told]


def _last_of(
    records: Sequence[SittingRecord], pattern: str, holds: Callable[[SittingRecord], bool], now: datetime
) -> bool:
    last = _since(records, pattern)[:IN_A_ROW]
    return len(last) == IN_A_ROW and all(holds(r) and now - r.ended_at <= WITHIN for r in last)


def _far_away(record: SittingRecord) -> bool:
    hours = record.hours_since_dose
    return record.presence is not None and record.presence <= FAR_AWAY and (hours is None or hours > 24)


def _heavy_use(records: Sequence[SittingRecord], now: datetime, zone: ZoneInfo) -> bool:
    today = now.astimezone(zone).date()
    days = [record.ended_at.astimezone(zone).date() for record in records]
    return all(days.count(today - timedelta(days=back)) > HEAVY for back in range(1, IN_A_ROW + 1))
