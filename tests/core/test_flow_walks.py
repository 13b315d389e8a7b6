"""Every sitting ends: thousands of random but repeatable patients walk through all flows, phases and switches."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.content import load_library
from bot.core.flow.facts import Facts
from bot.core.flow.interpreter import Interpreter, Outcome
from bot.core.flow.speech import AnswerType, Control, Reply
from bot.core.flow.state import SittingState
from bot.core.journeys import Phase
from bot.core.safety.verdict import Category, Evidence, Finding, Level, combine

LIBRARY = load_library(Path(__file__).parents[2] / "data")
INTERPRETER = Interpreter(LIBRARY)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SLOTS = {
    "first_name": "Rae",
    "coach_name": "Mo",
    "clinic_name": "Plum Spring Clinic",
    "clinic_phone": "555-0100",
    "oncall_phone": "555-0101",
    "clinic_hours": "9 to 5",
    "contact_expectation": "They aim to reach you within the hour.",
}
FACTS = Facts(
    phase=Phase.h24_72,
    slots=SLOTS,
    flags={"parts_work_ok": True, "body_work_ok": True},
    journeys_completed=1,
    hours_since_dose=48.0,
)


def control_of(outcome: Outcome) -> Control:
    found = next((u.control for u in reversed(outcome.say) if u.control is not None), None)
    assert found is not None, f"nothing can be answered at {outcome.state.frames[-1:]}"
    return found


def answer_to(control: Control, rnd: random.Random) -> tuple[Any, str]:
    if control.type in (AnswerType.choice, AnswerType.summary):
        return (rnd.choice(control.options).value if control.options else "a thread of mine"), ""
    if control.type is AnswerType.scale:
        return rnd.randint(0, 10), ""
    if control.type is AnswerType.multi:
        return [option.value for option in control.options[:2]], ""
    if control.type is AnswerType.body:
        return [{"place": "jaw", "word": "tight"}], ""
    if control.type is AnswerType.none:
        return "continue", ""
    if control.type is AnswerType.part:
        return "the Clerk", ""
    return None, rnd.choice(["a field", "when i was little there was a field", "quit my job", "not much"])


def begin(facts: Facts = FACTS) -> Outcome:
    return INTERPRETER.open(SittingState(), facts, NOW, sitting_id="sitting-0001")


def tap(outcome: Outcome, value: Any = None, text: str = "", facts: Facts = FACTS) -> Outcome:
    reply = Reply(message_id="m", text=text, control_id=control_of(outcome).id, value=value)
    return INTERPRETER.answer(outcome.state, reply, facts, NOW)


@pytest.mark.parametrize("phase", list(Phase))
def test_every_random_sitting_ends_or_is_held_for_the_team(phase: Phase) -> None:
    for seed in range(150):
        rnd = random.Random(f"{phase}{seed}")
        flags = {name: rnd.random() < 0.7 for name in ("parts_work_ok", "body_work_ok", "cool_water_ok")}
        facts = replace(
            FACTS,
            phase=phase,
            flags=flags,
            journeys_completed=rnd.choice([0, 2]),
            open_step_days=rnd.choice([None, 3.0]),
        )
        outcome, turns = begin(facts), 0
        while outcome.state.frames and outcome.state.frames[-1].flow != "safety_shared.stay":
            turns += 1
            assert turns < 200, [frame.flow for frame in outcome.state.frames]
            assert SittingState.from_json(outcome.state.as_json()) == outcome.state
            control = control_of(outcome)
            value, text = answer_to(control, rnd)
            roll = rnd.random()
            if roll < 0.06 and control.skippable:
                value, text = "skip", ""
            elif roll < 0.1 and control.lot:
                value, text = "lot", ""
            outcome = tap(outcome, value, text, facts)
            assert all("{" not in utterance.text for utterance in outcome.say)


@pytest.mark.parametrize(
    "command", ["pause", "skip_step", "stop_and_discard", "go_back", "short_version", "grounding_now"]
)
def test_each_step_of_a_sitting_can_be_steered(command: str) -> None:
    rnd = random.Random(command)
    outcome = begin()
    for _ in range(60):
        if not outcome.state.frames:
            outcome = begin()
        steered = INTERPRETER.steer(outcome.state, command, FACTS, NOW, sitting_id="sitting-0002")
        assert steered.say
        if command == "pause":
            assert steered.state.status == "paused"
            resumed = INTERPRETER.steer(steered.state, "resume", FACTS, NOW, sitting_id="sitting-0002")
            assert resumed.state.frames == steered.state.frames
        value, text = answer_to(control_of(outcome), rnd)
        outcome = tap(outcome, value, text)


def test_a_stale_button_changes_nothing() -> None:
    outcome = begin()
    reply = Reply(message_id="m", text="", control_id="other-1", value="no")
    after = INTERPRETER.answer(outcome.state, reply, FACTS, NOW)
    assert after.state.frames == outcome.state.frames
    assert after.say[0].kind == "notice"


def test_activation_nine_leads_to_settling_before_anything_else() -> None:
    outcome = tap(tap(tap(begin(), "continue"), "no"), "ventral")
    outcome = tap(outcome, 9)
    assert outcome.state.frames[-1].flow == "grounding"


def test_a_button_disclosure_alerts_before_its_first_bubble() -> None:
    outcome = tap(tap(begin(), "continue"), "dying")
    assert [(r.category, r.level) for r in outcome.raises] == [("suicide", "urgent")]
    assert "988" in " ".join(u.text for u in outcome.say)


def test_not_safe_right_now_becomes_an_emergency_and_holds_the_sitting() -> None:
    outcome = tap(tap(begin(), "continue"), "dying")
    outcome = tap(outcome, "no")
    assert ("suicide", "emergency") in [(r.category, r.level) for r in outcome.raises]


def test_a_disclosure_mid_practice_comes_first_and_is_not_an_answer() -> None:
    outcome = tap(tap(begin(), "continue"), "no")
    evidence = Evidence(start=0, end=13, score=1.0, rule="SUI-UR-01")
    verdict = combine([Finding(category=Category.suicide, level=Level.urgent, evidence=evidence)], version="1")
    risky = INTERPRETER.respond_to_risk(outcome.state, verdict, "I want to die", FACTS, NOW, crisis_shown=False)
    assert risky.state.frames[-1].flow == "suicide.screen"
    assert risky.state.frames[0].flow == "arrive"
    assert risky.state.kept == outcome.state.kept


def test_the_words_of_a_text_answer_are_kept_verbatim() -> None:
    outcome = begin()
    for value in ("continue", "no", "ventral", 3):
        outcome = tap(outcome, value)
    outcome = tap(outcome, [{"place": "jaw", "word": "tight"}])
    outcome = tap(outcome, "medium")
    outcome = tap(outcome, "journey_recall")
    outcome = tap(tap(outcome, "continue"), "some")
    words = "I wanted it all to stop, and then I said goodbye to my grandmother."
    outcome = tap(outcome, None, words)
    assert {
        "step": "jr_images",
        "field": "recall.images",
        "label": "recall.images",
        "text": words,
    } in outcome.state.kept
