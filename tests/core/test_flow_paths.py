"""Every practice, walked exhaustively: each state that answers can lead to ends by skipping, by stopping, and pauses."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.flow.facts import Facts
from bot.core.flow.interpreter import Outcome
from bot.core.flow.speech import AnswerType, Control, Reply
from bot.core.flow.state import Frame, SittingState
from bot.core.journeys import Phase
from tests.core.test_flow_walks import FACTS, INTERPRETER, LIBRARY, NOW, begin, control_of

PRACTICES = [flow.id for flow in LIBRARY.flows.values() if flow.kind == "practice"]
RESPONSES = [flow.id for flow in LIBRARY.flows.values() if flow.kind == "response" and flow.order]
KNOWN = replace(FACTS, phase=Phase.before_next, hours_to_journey=40.0, open_step_days=3.0, known_parts=("the Clerk",))
MOST_STATES = 300


def facts_for(flow_id: str) -> Facts:
    slots = {
        **FACTS.slots,
        "last_part": "the Clerk",
        "last_step": "sit with the dog",
        "last_intention": "less on guard",
    }
    phase = Phase.h24_72 if flow_id == "journey_recall" else Phase.before_next
    return replace(KNOWN, phase=phase, slots=slots)


def at_start(flow_id: str, facts: Facts) -> Outcome:
    flow = LIBRARY.flows[flow_id]
    values = {"activation": 4, "state.activation_start": 4, "ladder": "mixed", "presence": 7}
    state = SittingState(sitting_id="walk0001", status="active", frames=[Frame(flow=flow_id, step=flow.order[0])])
    state.values.update(values)
    state.practices.append(flow_id)
    return INTERPRETER.ask(state, facts, NOW)


def answers(control: Control) -> list[Any]:
    found: list[Any] = []
    if control.type in (AnswerType.choice, AnswerType.summary):
        found = [option.value for option in control.options] or ["a thread"]
    elif control.type is AnswerType.scale:
        found = [2, 7, 9]
    elif control.type is AnswerType.none:
        found = ["continue"]
    elif control.type is AnswerType.multi:
        found = [[control.options[0].value]]
    elif control.type is AnswerType.body:
        found = [[{"place": "jaw", "word": "tight"}]]
    else:
        found = ["a few words", "a child in a field"]
    return [*found, *(["skip"] if control.skippable else []), *(["lot"] if control.lot else [])]


def reply(outcome: Outcome, value: Any, facts: Facts) -> Outcome:
    return INTERPRETER.answer(
        outcome.state, Reply(message_id="m", text="", control_id=control_of(outcome).id, value=value), facts, NOW
    )


def key(outcome: Outcome) -> tuple[Any, ...]:
    state = outcome.state
    frames = tuple((f.flow, f.step, tuple(sorted(f.counters.items())), bool(f.offer)) for f in state.frames)
    return frames, min(state.rounds, 2), min(state.lots, 1), bool(state.kept)


def top(outcome: Outcome) -> tuple[str, str]:
    return outcome.state.frames[-1].flow, outcome.state.frames[-1].step


def ends(outcome: Outcome, facts: Facts, *, most: int) -> int:
    """Turns until nothing is open, skipping whatever can be skipped and closing wherever that is offered."""
    for turn in range(most):
        if not outcome.state.frames or outcome.state.frames[-1].flow == "safety_shared.stay":
            return turn
        control = control_of(outcome)
        offered = [option.value for option in control.options]
        closing = next((v for v in ("close", "stop", "enough", "private", "no", "manage") if v in offered), None)
        if control.type is AnswerType.none:
            outcome = reply(outcome, "continue", facts)
        elif closing is not None:
            outcome = reply(outcome, closing, facts)
        elif control.skippable:
            outcome = reply(outcome, "skip", facts)
        else:
            outcome = reply(outcome, offered[-1] if offered else "no", facts)
    raise AssertionError(f"no end from {[f.step for f in outcome.state.frames]}")


@pytest.mark.parametrize("flow_id", [*PRACTICES, *RESPONSES])
def test_every_state_of_a_flow_can_be_skipped_paused_and_stopped(flow_id: str) -> None:
    facts = facts_for(flow_id)
    first = at_start(flow_id, facts)
    seen, waiting, left_to = {key(first)}, deque([first]), set[tuple[str, str]]()
    while waiting and len(seen) < MOST_STATES:
        outcome = waiting.popleft()
        assert ends(outcome, facts, most=40) <= 40
        paused = INTERPRETER.steer(outcome.state, "pause", facts, NOW, sitting_id="s")
        resumed = INTERPRETER.steer(paused.state, "resume", facts, NOW, sitting_id="s")
        assert resumed.state.kept == outcome.state.kept
        stopped = INTERPRETER.steer(outcome.state, "stop_and_discard", facts, NOW, sitting_id="s")
        assert ends(stopped, facts, most=30) <= 30
        for value in answers(control_of(outcome)):
            after = reply(outcome, value, facts)
            assert all("{" not in u.text and u.text.strip() for u in after.say), [u.text_id for u in after.say]
            here = bool(after.state.frames) and after.state.frames[-1].flow == flow_id
            if not here and after.state.frames and top(after) not in left_to:  # its own walk goes on from there
                left_to.add(top(after))
                assert ends(after, facts, most=40) <= 40
            if here and key(after) not in seen:
                seen.add(key(after))
                waiting.append(after)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    picks=st.lists(st.integers(0, 11), min_size=5, max_size=70),
    phase=st.sampled_from(list(Phase)),
    parts=st.booleans(),
    body=st.booleans(),
)
def test_no_sequence_of_answers_breaks_a_sitting(picks: list[int], phase: Phase, parts: bool, body: bool) -> None:
    facts = replace(KNOWN, phase=phase, flags={"parts_work_ok": parts, "body_work_ok": body})
    outcome = begin(facts)
    for pick in picks:
        if not outcome.state.frames:
            break
        offered = answers(control_of(outcome))
        outcome = reply(outcome, offered[pick % len(offered)], facts)
        assert SittingState.from_json(outcome.state.as_json()) == outcome.state
        assert all("{" not in utterance.text for utterance in outcome.say)
    ends(outcome, facts, most=60)


def test_each_practice_is_walked_from_its_first_step_to_its_last() -> None:
    """What the walk above could miss: a step that no answer leads to."""
    allowed = {"gr_longer_exhale", "gr_hand_on_heart", "gr_cool_water", "gr_move", "bj_changes_detail"}
    for flow_id in PRACTICES:
        flow = LIBRARY.flows[flow_id]
        named = {flow.order[0], *(s.next for s in flow.steps.values()), *(s.skip_to for s in flow.steps.values())}
        named |= {b.goto for s in flow.steps.values() for b in s.branches} | {flow.after(s) for s in flow.order}
        assert set(flow.order) - named - allowed == set(), flow_id
