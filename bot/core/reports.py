"""What a week of alerts looked like, and a year of it without anyone in it. Pure; no identities anywhere here."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.core.safety.verdict import Level

CRISIS_REFERRED = "crisis.referred"  # audited once for each message that the crisis lines were named to
LEVELS = (Level.emergency, Level.urgent, Level.concern)


@dataclass(frozen=True, kw_only=True)
class AlertFacts:
    """What a report may know of one alert."""

    level: Level
    categories: tuple[str, ...]
    raised_at: datetime
    acknowledged_after: timedelta | None  # from the first raising to the first acknowledgement
    targets_reached: tuple[str, ...]  # targets of the policy notified before that, in order
    outcome: str | None
    rules: tuple[str, ...]  # rule ids of the assessment behind it
    no_one_on_duty: int  # how often a step found no one


@dataclass(frozen=True, kw_only=True)
class WeekReport:
    """One week, Monday to Sunday in the clinic's zone."""

    counts: Mapping[tuple[str, Level], int]  # (category, level) -> alerts
    acknowledged: Mapping[Level, tuple[float, float, float]]  # median, 90th percentile, worst, in minutes
    unacknowledged: Mapping[Level, int]
    reached: Mapping[str, int]  # the last target notified before someone answered -> alerts
    false_alarms: Sequence[tuple[str, int, int]]  # (rule, no risk, all with an outcome)
    no_one_on_duty: int
    nights_without_cover: int
    total: int = 0
    categories: Sequence[str] = field(default_factory=tuple)


def week_report(alerts: Sequence[AlertFacts], nights_without_cover: int) -> WeekReport:
    """Sum a week up."""
    counts: Counter[tuple[str, Level]] = Counter()
    reached: Counter[str] = Counter()
    for alert in alerts:
        for category in alert.categories or ("unknown",):
            counts[(category, alert.level)] += 1
        if alert.targets_reached and alert.level >= Level.urgent:
            reached[alert.targets_reached[-1]] += 1
    minutes = {
        level: sorted(
            a.acknowledged_after / timedelta(minutes=1)
            for a in alerts
            if a.level is level and a.acknowledged_after is not None
        )
        for level in LEVELS
    }
    return WeekReport(
        counts=dict(counts),
        acknowledged={
            level: (percentile(found, 50), percentile(found, 90), found[-1])
            for level, found in minutes.items()
            if found
        },
        unacknowledged={
            level: sum(a.level is level and a.acknowledged_after is None for a in alerts) for level in LEVELS
        },
        reached=dict(reached),
        false_alarms=_false_alarms(alerts),
        no_one_on_duty=sum(alert.no_one_on_duty for alert in alerts),
        nights_without_cover=nights_without_cover,
        total=len(alerts),
        categories=sorted({category for category, _ in counts}),
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """The nearest-rank percentile of values in order; `share` is 0 to 100."""
    return ordered[max(0, math.ceil(share / 100 * len(ordered)) - 1)]


def _false_alarms(alerts: Iterable[AlertFacts]) -> list[tuple[str, int, int]]:
    wrong: Counter[str] = Counter()
    judged: Counter[str] = Counter()
    for alert in alerts:
        if alert.outcome is None:
            continue
        for rule in set(alert.rules):
            judged[rule] += 1
            wrong[rule] += alert.outcome == "not_a_risk"
    return sorted(((rule, wrong[rule], count) for rule, count in judged.items()), key=lambda row: (-row[1], row[0]))


def year_counts(alerts: Iterable[AlertFacts], crisis_referrals: int) -> list[tuple[str, str, int]]:
    """(category, level, count) of a year: all that a report to the authorities may hold.

    The last row is how often someone was pointed to the crisis lines. Source: the jurisdiction's `report_counts`.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for alert in alerts:
        for category in alert.categories:
            counts[(category, alert.level.name)] += 1
    rows = sorted((category, level, count) for (category, level), count in counts.items())
    return [*rows, ("crisis_referrals", "any", crisis_referrals)]


def week_rows(report: WeekReport) -> list[tuple[str, str, str, str]]:
    """A week as rows of (what, of what, value, unit), for a spreadsheet."""
    rows = [("what", "of", "value", "unit")]
    for (category, level), count in sorted(report.counts.items(), key=lambda item: (item[0][0], -item[0][1])):
        rows.append(("alerts", f"{category} {level.name}", str(count), "alerts"))
    for level, values in report.acknowledged.items():
        for name, minutes in zip(("median", "90th percentile", "worst"), values):
            rows.append((f"acknowledged, {name}", level.name, f"{minutes:.1f}", "minutes"))
    for level, count in report.unacknowledged.items():
        rows.append(("not acknowledged", level.name, str(count), "alerts"))
    for target, count in sorted(report.reached.items()):
        rows.append(("reached", target, str(count), "alerts"))
    for rule, wrong, judged in report.false_alarms:
        rows.append(("no risk found", rule, f"{wrong} of {judged}", "alerts"))
    rows.append(("no one on duty", "steps", str(report.no_one_on_duty), "times"))
    rows.append(("nights without cover", "on call", str(report.nights_without_cover), "nights"))
    return rows
