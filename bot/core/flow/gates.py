"""Which practices are open now, and which one to suggest. Pure tables. Source: protocol 3.0, 2.2 and 3.14."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.core.flow.content import Library
from bot.core.flow.facts import Facts
from bot.core.journeys import Phase
from bot.core.safety.verdict import Level

GENTLE = ("grounding", "glimmer", "letter_to_coach")
HIGH = 7  # activation at which inward work waits
FAR_AWAY = 3  # presence at which only outward practices are offered
MOST_PRACTICES = 2  # full practices in one sitting
MOST_SITTINGS_A_DAY = 3
UNCAPPED = frozenset({"grounding", "letter_to_coach", "arrive", "closing", "glimmer", "short"})
NEVER_CAPPED = ("grounding", "letter_to_coach")
EXTRA_WITHIN_HOURS = 72  # of the next journey: preparing for it is offered beside the days just after the last
MOST_MINUTES = {"preparation": 15, "journey_day_before": 5, "journey_day_after": 2, "first_24h": 7}  # protocol 2.2
OTHERWISE_MINUTES = 20


def gate(facts: Facts, values: Mapping[str, Any]) -> str:
    """The gate of protocol 3.0; first match wins. Unknown activation counts as 5."""
    activation = values.get("activation")
    activation = 5 if activation is None else activation
    presence = values.get("presence")
    if facts.open_alert is Level.emergency:
        return "locked"
    if facts.open_alert is Level.urgent:
        return "gentle_only"
    if facts.phase is Phase.journey_day_after:
        return "hold"
    if activation >= 9:
        return "settle"
    if activation >= HIGH:
        return "gentle_only" if values.get("declined_settling") else "ground_first"
    if presence is not None and presence <= FAR_AWAY:
        return "orient_first"
    if facts.phase in (Phase.first_24h, Phase.journey_day_before):
        return "landing"
    return "open"


def most_minutes(facts: Facts) -> int:
    """How long a sitting may be before closing is offered. Source: protocol 2.2."""
    return MOST_MINUTES.get(facts.phase.value, OTHERWISE_MINUTES)


def capped(facts: Facts, values: Mapping[str, Any]) -> bool:
    """Whether this sitting, or this day, has had its fill of practices."""
    return facts.sittings_today >= MOST_SITTINGS_A_DAY or values.get("full_practices", 0) >= MOST_PRACTICES


def permitted(practice: str, library: Library, facts: Facts, values: Mapping[str, Any], *, begun: bool = False) -> bool:
    """Whether a practice may start now, or, once `begun`, go on: gate, caps, phase, switches, its own requirement."""
    state = gate(facts, values)
    if practice in ("arrive", "closing"):
        return True
    if state in ("locked", "hold"):
        return practice == "grounding"
    if state in ("settle", "orient_first"):
        return practice in NEVER_CAPPED
    if state in ("gentle_only", "ground_first"):
        return practice in GENTLE
    if not begun and capped(facts, values):
        return practice in NEVER_CAPPED
    flow = library.flows[practice]
    resource_half = facts.phase is Phase.preparation and "preparation" in flow.modes
    if flow.phases and facts.phase.protocol_id not in flow.phases and not resource_half:
        return False
    if practice == "before_next_journey" and not _may_prepare(facts):
        return False
    if practice == "meet_a_part" and values.get("risk_seen"):
        return False
    inward = {"meet_a_part", "body_tracking"}
    if practice in inward and values.get("activation") is None:
        return False
    return flow.requires is None or flow.requires(values)


def _may_prepare(facts: Facts) -> bool:
    """Never while the medical team has paused; in the days just after, only with the next journey close (2.1)."""
    close = facts.hours_to_journey is not None and facts.hours_to_journey <= EXTRA_WITHIN_HOURS
    return not facts.paused_by_medical and (facts.phase is not Phase.h24_72 or close)


def suggestion(library: Library, facts: Facts, values: Mapping[str, Any], done: tuple[str, ...]) -> tuple[str, ...]:
    """The suggested practice, then at most two others; those not permitted or done in this sitting are left out.

    With the next journey close, preparing for it comes as an extra (protocol 2.1, overlap rule).
    """
    row = GENTLE if values.get("gentle") else _row(facts, values)
    rest = GENTLE if values.get("gentle") else ("glimmer", "grounding", "letter_to_coach", "revisit", "one_small_step")
    offered = [p for p in dict.fromkeys(row + rest) if p not in done and permitted(p, library, facts, values)]
    extra = "before_next_journey"
    wanted = facts.phase is Phase.h24_72 and extra not in done and not values.get("gentle")
    return (*offered[:3], *([extra] if wanted and permitted(extra, library, facts, values) else []))


def _row(facts: Facts, values: Mapping[str, Any]) -> tuple[str, ...]:
    state, ladder = gate(facts, values), values.get("ladder")
    if state in ("locked", "hold", "settle", "orient_first", "ground_first"):
        return ("grounding", "letter_to_coach")
    if state == "gentle_only":
        return GENTLE
    if facts.phase is Phase.journey_day_before:
        return ("grounding",)
    if state == "landing":
        first = "glimmer" if facts.recalled_this_journey else "journey_recall"
        return (first, "grounding", "letter_to_coach")
    if facts.phase is Phase.h24_72:
        if not facts.recalled_this_journey:
            return ("journey_recall", "body_tracking", "letter_to_coach")
        return {
            "dorsal": ("glimmer", "grounding", "letter_to_coach"),
            "sympathetic": ("body_tracking", "grounding", "meet_a_part"),
        }.get(str(ladder), ("meaning_and_insight", "meet_a_part", "body_tracking"))
    if facts.phase is Phase.before_next:
        if facts.intention_this_journey:
            return ("revisit", "before_next_journey", "letter_to_coach")
        return ("before_next_journey", "revisit", "meet_a_part")
    if facts.phase is Phase.preparation:
        return ("before_next_journey", "glimmer", "body_tracking")
    if facts.open_step_days is not None and facts.open_step_days >= 2:
        return ("revisit", "meet_a_part", "one_small_step")
    return {
        "dorsal": ("glimmer", "revisit", "letter_to_coach"),
        "sympathetic": ("body_tracking", "meet_a_part", "grounding"),
        "ventral": ("one_small_step", "meaning_and_insight", "meet_a_part"),
    }.get(str(ladder), ("meet_a_part", "revisit", "glimmer"))
