"""When a session ends, and when an account is locked. Pure decisions; `now` is always an argument.

Source: OWASP ASVS 4.0.3, 2.2.1 and 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

TRIES = 10  # failed sign-ins within WINDOW that lock an account
WINDOW = timedelta(minutes=15)
LOCKED_FOR = timedelta(minutes=15)
PIN_DIGITS = 6
PIN_TRIES = 5  # wrong codes of a device in a row; then the passphrase is needed
PIN_LASTS = timedelta(days=30)
RUNS = "01234567890 09876543210"


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


@dataclass(frozen=True, kw_only=True)
class DevicePin:
    """A short code for coming back on one device. `pin_hash` tells nothing without the device's own secret."""

    device_hash: str
    user_id: int
    pin_hash: str
    tries: int
    good_until: datetime
    made_at: datetime


def check_pin(pin: str) -> None:
    """Raise ValueError with a sentence for the person where a code is none, or the first that anyone would try."""
    if len(pin) != PIN_DIGITS or not pin.isascii() or not pin.isdigit():
        raise ValueError("A code has six digits. Nothing was changed.")
    if len(set(pin)) < 3 or pin in RUNS:
        raise ValueError("That code is easy to guess. Please choose another; nothing was changed.")


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
