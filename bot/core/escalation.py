"""Alerts and who hears of them when. Pure decisions; `now` is always an argument. Source: protocol 6.1 and 6.7."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.core.safety.verdict import Level


class AlertStatus(str, enum.Enum):
    """Where an alert stands. Only a named person moves it on."""

    open = "open"
    acknowledged = "acknowledged"
    resolved = "resolved"


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One alert. Repeated disclosures join the open one; its level only rises by machine."""

    id: str
    reference: str  # shown to staff, such as A-1001
    patient_id: str
    level: Level
    categories: tuple[str, ...]
    subtype: str | None
    status: AlertStatus
    raised_at: datetime
    message_id: str | None
    reason: str
    version: str
    acknowledged_by: int | None = None
    acknowledged_at: datetime | None = None
    resolved_by: int | None = None
    resolved_at: datetime | None = None
    outcome: str | None = None
    cleared_at: datetime | None = None  # "clear to journal", by a named person


@dataclass(frozen=True, kw_only=True)
class AlertEvent:
    """One fact in the history of an alert. `words` are the patient's, shown only to a signed-in responder."""

    at: datetime
    kind: str
    actor_id: int | None
    detail: Mapping[str, Any] = field(default_factory=dict)
    words: str | None = None


@dataclass(frozen=True, kw_only=True)
class PolicyStep:
    """Whom to notify how long after the alert was raised: on_call, second, clinical_lead, everyone or director."""

    delay: timedelta
    target: str


def steps_due(
    policy: Mapping[str, Sequence[PolicyStep]], level: Level, raised_at: datetime, taken: int, now: datetime
) -> list[tuple[int, PolicyStep]]:
    """The steps of a level's policy that are due and not yet taken, with their number."""
    steps = policy.get(level.name, ())
    return [(n, step) for n, step in enumerate(steps) if n >= taken and now >= raised_at + step.delay]


def next_step_at(
    policy: Mapping[str, Sequence[PolicyStep]], level: Level, raised_at: datetime, taken: int
) -> datetime | None:
    """When the next person is tried, or None when all steps were taken."""
    steps = policy.get(level.name, ())
    return raised_at + steps[taken].delay if taken < len(steps) else None


def back_off(attempts: int) -> timedelta:
    """How long to wait after a failed attempt: 5 s, doubling, at most two minutes. It never gives up by itself."""
    return timedelta(seconds=min(120, 5 * 2 ** max(0, attempts - 1)))
