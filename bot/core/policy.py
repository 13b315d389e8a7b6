"""Whom an alert reaches when, as data: routes by category, steps with delays, repeats. Source: protocol 6.1 and 6.5.4.

Pure: rota, holidays and `now` are arguments. The first route that fits an alert is the one it takes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from bot.core.hours import ClinicHours
from bot.core.safety.verdict import Level

DUTIES = ("on_call", "second", "medical_team", "director", "safeguarding")  # held by the rota
TARGETS = (*DUTIES, "clinical_lead", "everyone", "coach")
TARGET_NAMES = {
    "on_call": "on call",
    "second": "second on call",
    "medical_team": "medical team",
    "director": "medical director",
    "safeguarding": "safeguarding lead",
    "clinical_lead": "clinical lead",
    "everyone": "everyone",
    "coach": "coach",
    "holder": "who has it",
}
BOUNDARY = "clinic_boundary"  # the subtype of a complaint about the clinic's own people


@dataclass(frozen=True, kw_only=True)
class PolicyStep:
    """Whom to notify how long after the alert reached its level."""

    delay: timedelta
    target: str  # one of TARGETS


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The steps of one route at one level; after the last, `repeat_targets` are tried again and again."""

    steps: tuple[PolicyStep, ...]
    repeat: timedelta | None = None
    repeat_targets: tuple[str, ...] = ()
    begins: str = "at_once"  # at_once, after_quiet (never in quiet hours), working (from the next opening)


@dataclass(frozen=True, kw_only=True)
class Route:
    """A plan per level, for alerts that fit. An empty condition fits all."""

    name: str
    plans: Mapping[Level, Plan]
    subtypes: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    phases: frozenset[str] = frozenset()
    levels: frozenset[Level] = frozenset()

    def fits(self, level: Level, categories: Sequence[str], subtype: str | None, phase: str) -> bool:
        """Whether an alert takes this route."""
        return (
            (not self.subtypes or subtype in self.subtypes)
            and (not self.categories or bool(self.categories & set(categories)))
            and (not self.phases or phase in self.phases)
            and (not self.levels or level in self.levels)
        )


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The whole escalation policy of the clinic."""

    hours: ClinicHours
    routes: tuple[Route, ...]
    fallbacks: Mapping[str, tuple[str, ...]]  # a target that no one holds -> who is tried instead, in order
    holds: Mapping[Level, timedelta]  # how long an acknowledgement holds when nothing follows it
    repage_repeated: timedelta  # a repeated disclosure pages again after so long without acknowledgement
    unseen_told: timedelta  # when the patient is told that no one has confirmed yet
    claim_checked: timedelta  # how long "I've alerted the team" may wait for a confirmed sending
    uncleared_reminder: timedelta  # how often leads are reminded of a journal that stays restricted
    answers_due: Mapping[str, timedelta]  # addressee of a question -> working time until its answer is due

    def route(self, level: Level, categories: Sequence[str], subtype: str | None, phase: str) -> Route:
        """The first route that fits. The last route of a valid policy fits everything."""
        return next(r for r in self.routes if r.fits(level, categories, subtype, phase))

    def plan(self, level: Level, categories: Sequence[str], subtype: str | None, phase: str) -> Plan:
        """The plan of an alert at its level; an empty one where the route has none."""
        return self.route(level, categories, subtype, phase).plans.get(level, Plan(steps=()))

    def begins_at(self, plan: Plan, level_at: datetime, holidays: Set[date]) -> datetime:
        """The moment from which a plan's delays count."""
        if plan.begins == "working":
            return self.hours.next_working(level_at, holidays)
        return self.hours.after_quiet(level_at) if plan.begins == "after_quiet" else level_at


def step_at(plan: Plan, began: datetime, number: int) -> datetime | None:
    """When step `number` (0 first; repeats count on after the last) is due, or None when there is no such step."""
    if number < len(plan.steps):
        return began + plan.steps[number].delay
    if plan.repeat is None or not plan.steps:
        return None
    return began + plan.steps[-1].delay + plan.repeat * (number - len(plan.steps) + 1)


def targets_due(plan: Plan, began: datetime, taken: int, now: datetime) -> tuple[int, tuple[str, ...]]:
    """The step number reached by now, and the targets of all steps due since `taken`, each named once, in order.

    However long nobody looked, a target is named at most as often as the clock now asks for: once.
    """
    targets: dict[str, None] = {}
    number = taken
    while (moment := step_at(plan, began, number)) is not None and moment <= now:
        due = (plan.steps[number].target,) if number < len(plan.steps) else plan.repeat_targets
        targets.update(dict.fromkeys(due))
        number += 1
    return number, tuple(targets)


def next_targets(plan: Plan, number: int) -> tuple[str, ...]:
    """Who is tried at step `number`; all who share its moment."""
    if number >= len(plan.steps):
        return plan.repeat_targets if plan.repeat is not None and plan.steps else ()
    delay = plan.steps[number].delay
    return tuple(step.target for step in plan.steps[number:] if step.delay == delay)


class PolicyError(ValueError):
    """The policy cannot be used. The message is one sentence that names the place."""


def check(policy: Policy) -> None:
    """Refuse a policy under which an alert could wait for ever. Raises PolicyError."""
    last = policy.routes[-1] if policy.routes else None
    if last is None or last.subtypes or last.categories or last.phases or last.levels:
        raise PolicyError("the last route of the escalation policy must fit every alert")
    for route in policy.routes:
        for level in (Level.urgent, Level.emergency):
            plan = route.plans.get(level)
            if route.levels and level not in route.levels:
                continue
            if plan is None or not plan.steps or plan.repeat is None or not plan.repeat_targets:
                raise PolicyError(f"route {route.name} must have steps and a repeat at {level.name}")
            if plan.steps[0].delay or plan.begins != "at_once":
                raise PolicyError(f"route {route.name} must notify someone at once at {level.name}")
        for plan in route.plans.values():
            delays = [step.delay for step in plan.steps]
            if delays != sorted(delays):
                raise PolicyError(f"the steps of route {route.name} must be in the order of their minutes")
    named = [s.target for r in policy.routes for p in r.plans.values() for s in p.steps]
    named += [t for r in policy.routes for p in r.plans.values() for t in p.repeat_targets]
    named += [t for chain in policy.fallbacks.values() for t in chain]
    for target in named:
        if target not in TARGETS:
            raise PolicyError(f"the escalation policy names {target}, which is no target")


def summary(policy: Policy) -> list[dict[str, Any]]:
    """The policy as rows for people: route, level, minutes and target."""
    return [
        {"route": route.name, "level": level.name, "minutes": int(step.delay / timedelta(minutes=1)),
         "target": step.target}
        for route in policy.routes
        for level, plan in sorted(route.plans.items(), reverse=True)
        for step in plan.steps
    ]  # fmt: skip
