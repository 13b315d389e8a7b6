"""Reads the escalation policy and the small lists beside it from data/escalation, and refuses what cannot be run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from bot.core.hours import ClinicHours
from bot.core.policy import Plan, Policy, PolicyError, PolicyStep, Route, check
from bot.core.safety.verdict import Level

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def load_policy(path: Path, zone: str) -> Policy:
    """The clinic's escalation policy. Raises PolicyError with one sentence."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))["escalation_policy"]
        policy = Policy(
            hours=_hours(raw, ZoneInfo(zone)),
            routes=tuple(_route(row) for row in raw["routes"]),
            fallbacks={target: tuple(chain) for target, chain in raw["fallbacks"].items()},
            holds={Level[name]: timedelta(minutes=m) for name, m in raw["acknowledgement_holds"].items()},
            repage_repeated=timedelta(minutes=raw["repeated_disclosure_pages_after"]),
            unseen_told=timedelta(minutes=raw["patient_told_unseen_after"]),
            claim_checked=timedelta(seconds=raw["claim_checked_seconds"]),
            uncleared_reminder=timedelta(hours=raw["uncleared_reminder_hours"]),
            answers_due={who: timedelta(hours=h) for who, h in raw["answers_due_working_hours"].items()},
        )
    except (KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise PolicyError(f"{path.name} cannot be used: {type(error).__name__} {error}") from error
    check(policy)
    return policy


def load_phrases(path: Path, key: str) -> Any:
    """One small list or mapping of phrases."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))[key]


def _hours(raw: Mapping[str, Any], zone: ZoneInfo) -> ClinicHours:
    working, quiet = raw["working_hours"], raw["quiet_hours"]
    return ClinicHours(
        zone=zone,
        days=frozenset(WEEKDAYS.index(day) for day in working["days"]),
        opens=time.fromisoformat(working["opens"]),
        closes=time.fromisoformat(working["closes"]),
        quiet_from=time.fromisoformat(quiet["from"]),
        quiet_until=time.fromisoformat(quiet["until"]),
    )


def _route(row: Mapping[str, Any]) -> Route:
    return Route(
        name=row["route"],
        plans={level: _plan(row[level.name]) for level in Level if level.name in row},
        subtypes=frozenset(row.get("subtypes", ())),
        categories=frozenset(row.get("categories", ())),
        phases=frozenset(row.get("phases", ())),
        levels=frozenset(Level[name] for name in row.get("levels", ())),
    )


def _plan(row: Mapping[str, Any]) -> Plan:
    repeat = row.get("repeat")
    return Plan(
        steps=tuple(PolicyStep(delay=timedelta(minutes=s["minutes"]), target=s["target"]) for s in row["steps"]),
        repeat=None if repeat is None else timedelta(minutes=repeat["minutes"]),
        repeat_targets=() if repeat is None else tuple(repeat["targets"]),
        begins=row.get("begins", "at_once"),
    )
