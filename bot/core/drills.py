"""Drills: a marked test through the whole path, every day. A missing one is an alarm. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.core.hours import DAY, wall

ARRIVES_WITHIN = timedelta(minutes=10)  # a drill that was not handed over by then has failed


@dataclass(frozen=True, kw_only=True)
class Drill:
    """One drill and what became of it."""

    id: str
    alert_id: str
    started_at: datetime
    arrived_at: datetime | None = None
    failed_at: datetime | None = None


def last_scheduled(now: datetime, at: time, zone: ZoneInfo) -> datetime:
    """The latest moment at which a drill was to begin."""
    today = wall(now.astimezone(zone).date(), at, zone)
    return today if today <= now else wall(now.astimezone(zone).date() - DAY, at, zone)


def is_due(drills: Sequence[Drill], installed_at: datetime, now: datetime, at: time, zone: ZoneInfo) -> bool:
    """Whether today's drill has still to begin."""
    scheduled = last_scheduled(now, at, zone)
    return installed_at < scheduled and not any(drill.started_at >= scheduled for drill in drills)


def is_missing(drills: Sequence[Drill], installed_at: datetime, now: datetime, at: time, zone: ZoneInfo) -> bool:
    """Whether the latest drill that should have arrived by now has not: nobody can count on the path."""
    scheduled = last_scheduled(now - ARRIVES_WITHIN, at, zone)
    if installed_at >= scheduled:
        return False
    return not any(drill.arrived_at is not None and drill.arrived_at >= scheduled for drill in drills)
