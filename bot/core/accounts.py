"""When a session ends, and when an account is locked. Pure decisions; `now` is always an argument.

Source: OWASP ASVS 4.0.3, 2.2.1 and 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

TRIES = 10  # failed sign-ins within WINDOW that lock an account
WINDOW = timedelta(minutes=15)
LOCKED_FOR = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True)
class Session:
    """One signed-in browser. `id` is the hash of the token in its cookie."""

    id: str
    user_id: int
    device: str  # browser and system, in words
    device_hash: str
    begun_at: datetime
    seen_at: datetime
    new_device: bool = False
    ended_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class SessionLimits:
    """How long a session lives without use, and at all."""

    idle: timedelta
    absolute: timedelta


@dataclass(frozen=True, kw_only=True)
class Guard:
    """The failed sign-ins of one account. `first_at` begins the window in which they are counted."""

    failures: int
    first_at: datetime
    locked_until: datetime | None = None


def is_live(session: Session, limits: SessionLimits, now: datetime) -> bool:
    """Whether a session still counts as signed in."""
    if session.ended_at is not None:
        return False
    return now - session.seen_at < limits.idle and now - session.begun_at < limits.absolute


def is_locked(guard: Guard | None, now: datetime) -> bool:
    """Whether an account takes no sign-in just now."""
    return guard is not None and guard.locked_until is not None and now < guard.locked_until


def after_failure(guard: Guard | None, now: datetime) -> Guard:
    """The guard after one more failed sign-in; the last of TRIES within WINDOW locks for LOCKED_FOR."""
    if guard is None or now - guard.first_at >= WINDOW:
        guard = Guard(failures=0, first_at=now)
    counted = replace(guard, failures=guard.failures + 1)
    if counted.failures < TRIES:
        return counted
    return Guard(failures=0, first_at=now, locked_until=now + LOCKED_FOR)
