"""The escalation policy as data: what the clinic's file says, and what no file may say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.policy_file import load_policy
from bot.core.escalation import CLARIFIED, Disclosure, accumulated
from bot.core.policy import Plan, Policy, PolicyError, PolicyStep, Route, check, step_at, targets_due
from bot.core.safety.verdict import Level
from bot.settings import ROOT

LA = ZoneInfo("America/Los_Angeles")
NOON = datetime(2026, 11, 24, 20, tzinfo=UTC)  # Tuesday noon in Los Angeles
POLICY = load_policy(ROOT / "data/escalation/policy.yml", "America/Los_Angeles")


def steps(
    level: Level, *categories: str, subtype: str | None = None, phase: str = "open_integration"
) -> list[tuple[int, str]]:
    plan = POLICY.plan(level, categories, subtype, phase)
    return [(int(step.delay.total_seconds() // 60), step.target) for step in plan.steps]


def test_an_emergency_goes_up_as_the_protocol_says() -> None:
    assert steps(Level.emergency, "suicide") == [
        (0, "on_call"), (3, "on_call"), (6, "second"), (6, "clinical_lead"), (10, "everyone"), (15, "director"),
    ]  # fmt: skip


def test_an_unanswered_urgent_alert_is_paged_as_an_emergency_after_an_hour() -> None:
    hour_on = [(minutes - 60, target) for minutes, target in steps(Level.urgent, "suicide") if minutes >= 60]
    assert hour_on == steps(Level.emergency, "suicide")


def test_medical_alerts_go_to_the_medical_team_and_the_on_call_person_at_once() -> None:
    assert {target for minutes, target in steps(Level.urgent, "medical") if minutes == 0} == {"medical_team", "on_call"}


def test_a_complaint_about_the_clinic_never_goes_to_everyone_nor_to_the_coach() -> None:
    for level in (Level.concern, Level.urgent, Level.emergency):
        assert {target for _, target in steps(level, "abuse", subtype="clinic_boundary")} <= {
            "safeguarding",
            "director",
        }


def test_a_medical_concern_of_the_first_day_reaches_the_medical_team_the_same_day() -> None:
    assert steps(Level.concern, "medical", phase="first_24h") == [(0, "medical_team")]
    assert steps(Level.concern, "medical") == [(0, "coach")]


@pytest.mark.parametrize(
    ("raised", "begins"),
    [
        (datetime(2026, 11, 24, 12, tzinfo=LA), datetime(2026, 11, 24, 12, tzinfo=LA)),
        (datetime(2026, 11, 24, 18, tzinfo=LA), datetime(2026, 11, 25, 9, tzinfo=LA)),
        (datetime(2026, 11, 27, 18, tzinfo=LA), datetime(2026, 11, 30, 9, tzinfo=LA)),  # Friday evening
        (datetime(2026, 11, 25, 18, tzinfo=LA), datetime(2026, 11, 27, 9, tzinfo=LA)),  # Thanksgiving between
        (datetime(2026, 10, 31, 23, tzinfo=LA), datetime(2026, 11, 2, 9, tzinfo=LA)),  # the clocks go back
    ],
)
def test_a_concern_waits_for_the_next_working_day(raised: datetime, begins: datetime) -> None:
    plan = POLICY.plan(Level.concern, ("distress",), None, "open_integration")
    assert POLICY.begins_at(plan, raised, {date(2026, 11, 26)}) == begins


def test_quiet_hours_hold_back_a_concern_but_never_an_emergency() -> None:
    night = datetime(2026, 11, 24, 23, tzinfo=LA)
    concern = POLICY.plan(Level.concern, ("medical",), None, "first_24h")
    assert POLICY.begins_at(concern, night, frozenset()) == datetime(2026, 11, 25, 8, tzinfo=LA)
    for level in (Level.urgent, Level.emergency):
        assert POLICY.begins_at(POLICY.plan(level, ("medical",), None, "first_24h"), night, frozenset()) == night


def test_answers_are_due_in_working_time() -> None:
    friday = datetime(2026, 11, 27, 16, tzinfo=LA)
    due = POLICY.hours.add_working(friday, timedelta(hours=4), frozenset())
    assert due == datetime(2026, 11, 30, 12, tzinfo=LA)


def test_after_a_long_outage_each_target_is_named_once() -> None:
    plan = POLICY.plan(Level.emergency, ("suicide",), None, "open_integration")
    taken, targets = targets_due(plan, NOON, 0, NOON + timedelta(days=3))
    assert targets == ("on_call", "second", "clinical_lead", "everyone", "director")
    following = step_at(plan, NOON, taken)
    assert following is not None
    assert NOON + timedelta(days=3) < following <= NOON + timedelta(days=3, minutes=5)


@given(minutes=st.lists(st.integers(0, 600), max_size=12), level=st.sampled_from([Level.urgent, Level.emergency]))
def test_looking_often_or_seldom_names_the_same_targets(minutes: list[int], level: Level) -> None:
    plan = POLICY.plan(level, ("suicide",), None, "open_integration")
    seen: set[str] = set()
    taken = 0
    for moment in sorted([*minutes, 600]):
        taken, targets = targets_due(plan, NOON, taken, NOON + timedelta(minutes=moment))
        seen |= set(targets)
    once = targets_due(plan, NOON, 0, NOON + timedelta(minutes=600))
    assert (taken, seen) == (once[0], set(once[1]))


def with_routes(*routes: Route) -> Policy:
    return replace(POLICY, routes=routes)


def test_a_policy_under_which_an_alert_could_wait_for_ever_is_refused() -> None:
    good = POLICY.routes[-1]
    silent = Plan(
        steps=(PolicyStep(delay=timedelta(minutes=5), target="on_call"),),
        repeat=timedelta(minutes=5),
        repeat_targets=("everyone",),
    )
    no_repeat = Plan(steps=(PolicyStep(delay=timedelta(), target="on_call"),))
    for plan, words in ((silent, "at once"), (no_repeat, "repeat")):
        broken = replace(good, plans={**good.plans, Level.urgent: plan})
        with pytest.raises(PolicyError, match=words):
            check(with_routes(broken))
    with pytest.raises(PolicyError, match="fit every alert"):
        check(with_routes(POLICY.routes[0]))


def earlier(days: float, *categories: str, reason: str = "message") -> Disclosure:
    return Disclosure(at=NOON - timedelta(days=days), categories=categories, reason=reason)


@pytest.mark.parametrize(
    ("category", "before", "level"),
    [
        ("suicide", [], Level.concern),
        ("suicide", [earlier(6, "suicide")], Level.urgent),
        ("suicide", [earlier(6, "self_harm")], Level.urgent),
        ("suicide", [earlier(8, "suicide")], Level.concern),
        ("suicide", [earlier(2, "suicide", reason=CLARIFIED)], Level.concern),
        ("suicide", [earlier(2, "distress")], Level.concern),
        ("distress", [earlier(2, "distress")], Level.concern),
        ("distress", [earlier(2, "distress"), earlier(4, "distress")], Level.urgent),
        ("distress", [earlier(2, "distress"), earlier(2.05, "distress")], Level.concern),  # read, then asked about
        ("medical", [earlier(1, "medical"), earlier(2, "medical")], Level.concern),
    ],
)
def test_concerns_add_up_within_a_week(category: str, before: list[Disclosure], level: Level) -> None:
    assert accumulated(Level.concern, (category,), before, NOON) is level


def test_adding_up_never_lowers() -> None:
    assert accumulated(Level.emergency, ("suicide",), [], NOON) is Level.emergency
