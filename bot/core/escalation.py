"""Alerts and their life. Pure decisions; `now` is always an argument. Source: protocol 6.1, 6.2 step 6, 6.6 to 6.9.

Machines raise a level; only a named person lowers it, closes an alert or opens the journal again.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.core.policy import BOUNDARY
from bot.core.safety.verdict import Level

WEEK = timedelta(days=7)
ONE_SITTING = timedelta(hours=6)
CLARIFIED = "clarified"  # the reason of a concern that the patient cleared up
DAY_AFTER = timedelta(hours=24)
# Emergencies after which the journal stays closed for a day whatever happens (protocol 6.6, R3).
A_DAY_AT_LEAST = frozenset({"suicide", "self_harm", "harm_to_others", "psychosis_mania"})
OUTCOMES = ("contacted", "safety_plan", "sent_to_emergency", "not_a_risk")
MOST_TRIES = 3  # failed attempts on one channel after which the next one and the next person are tried as well


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
    level_at: datetime  # when it came to its level
    paging_since: datetime | None = None  # the policy's delays count from here; None: from `level_at`
    phase: str = ""  # of the journey, when it was raised
    steps_taken: int = 0
    due_at: datetime | None = None  # when the worker must look at it next
    hold_until: datetime | None = None  # an acknowledgement that nothing follows ends here
    acknowledged_by: int | None = None
    acknowledged_at: datetime | None = None
    resolved_by: int | None = None
    resolved_at: datetime | None = None
    outcome: str | None = None
    cleared_at: datetime | None = None  # "clear to journal", by a named person
    retracted_at: datetime | None = None  # the patient took it back; the level stays
    drill: bool = False

    @property
    def counts_from(self) -> datetime:
        """The moment from which the policy's delays count: its level, or when it was opened again."""
        return self.paging_since or self.level_at

    @property
    def boundary(self) -> bool:
        """Whether this is a complaint about the clinic's own people, which those people never see."""
        return self.subtype == BOUNDARY

    @property
    def restricts(self) -> bool:
        """Whether the journal is held back: urgent and emergency until cleared; asking for a person never does."""
        grave = self.level >= Level.urgent and set(self.categories) != {"human_request"}
        return grave and self.cleared_at is None and not self.drill


@dataclass(frozen=True, kw_only=True)
class AlertEvent:
    """One fact in the history of an alert. `words` are the patient's, shown only to a signed-in responder."""

    at: datetime
    kind: str
    actor_id: int | None
    detail: Mapping[str, Any] = field(default_factory=dict)
    words: str | None = None


def joins(unresolved: Sequence[Alert], level: Level, subtype: str | None) -> Alert | None:
    """The open alert that a new disclosure joins, or None.

    A concern never joins a louder alert's page, nor the reverse; a complaint about the clinic joins only its like,
    so that no one reads it who should not.
    """
    for alert in unresolved:
        loud = (alert.level >= Level.urgent) is (level >= Level.urgent)
        if loud and alert.boundary is (subtype == BOUNDARY) and not alert.drill:
            return alert
    return None


@dataclass(frozen=True, kw_only=True)
class Disclosure:
    """One earlier raising, as far as adding up needs it."""

    at: datetime
    categories: tuple[str, ...]
    reason: str


def accumulated(level: Level, categories: Sequence[str], earlier: Iterable[Disclosure], now: datetime) -> Level:
    """The level after counting what came before: a second suicide or self-harm concern in a week, or a third of
    distress, is urgent. A clarified false alarm is no concern and is not counted. Source: protocol 6.2 step 6.
    """
    if level is not Level.concern:
        return level
    recent = [row for row in earlier if now - row.at <= WEEK and row.reason != CLARIFIED]
    grave = {"suicide", "self_harm"}
    if grave & set(categories) and any(grave & set(row.categories) for row in recent):
        return Level.urgent
    # A distress concern is raised when it is read and again when its questions end: within hours that is one.
    sittings: list[datetime] = []
    for moment in sorted(row.at for row in recent if "distress" in row.categories):
        if not sittings or moment - sittings[-1] > ONE_SITTING:
            sittings.append(moment)
    earlier_sittings = [moment for moment in sittings if now - moment > ONE_SITTING]
    return Level.urgent if "distress" in categories and len(earlier_sittings) >= 2 else level


def may_clear_at(alert: Alert) -> datetime:
    """From when a named person may open the journal again. A misreading may be cleared at once."""
    held = alert.level is Level.emergency and A_DAY_AT_LEAST & set(alert.categories)
    return alert.level_at + DAY_AFTER if held and alert.outcome != "not_a_risk" else alert.raised_at


def back_off(attempts: int) -> timedelta:
    """How long to wait after a failed attempt: 5 s, doubling, at most two minutes. It never gives up by itself."""
    return timedelta(seconds=min(120, 5 * 2 ** min(10, max(0, attempts - 1))))
