"""Asking for one's rights at any point of any sitting: it always ends, and nothing irreversible happens unconfirmed."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from bot.core.flow.facts import Facts
from bot.core.flow.interpreter import Outcome
from bot.core.flow.steering import RIGHTS
from bot.core.journal import EntryMark, Visibility
from bot.core.journeys import Phase
from tests.core.test_flow_paths import answers, ends, reply
from tests.core.test_flow_walks import FACTS, INTERPRETER, NOW, answer_to, begin, control_of, tap

MARKS = tuple(
    EntryMark(id=f"{n:032x}", when="Sun, Nov 22, 14:05", practices=("arrive", "glimmer"), visibility=visibility)
    for n, visibility in enumerate([Visibility.shared, Visibility.private, Visibility.draft] * 3)
)
KNOWN = replace(FACTS, own_entries=MARKS)
IRREVERSIBLE = {"remove_entry", "delete_all", "discard"}
COMMANDS = sorted({*RIGHTS, "keep_private"})


def effects(outcome: Outcome) -> set[str]:
    return {effect.kind for effect in outcome.effects}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("phase", [Phase.h24_72, Phase.first_24h, Phase.before_next])
def test_each_right_can_be_asked_for_anywhere_and_ends(command: str, phase: Phase) -> None:
    facts, rnd = replace(KNOWN, phase=phase), random.Random(f"{command}{phase}")
    outcome = begin(facts)
    for _ in range(50):
        if not outcome.state.frames:
            outcome = begin(facts)
        asked = INTERPRETER.steer(outcome.state, command, facts, NOW, sitting_id="sitting-0002")
        assert asked.say
        assert not effects(asked) & IRREVERSIBLE
        assert all("{" not in u.text and u.text.strip() for u in asked.say)
        if outcome.state.frames[-1].flow != "safety_shared.stay":
            assert ends(asked, facts, most=60) <= 60
        value, text = answer_to(control_of(outcome), rnd)
        outcome = tap(outcome, value, text, facts)


def walked(command: str, facts: Facts) -> list[tuple[list[str], Outcome]]:
    """Every way through the questions of a command from rest, with the answers that led there."""
    idle = INTERPRETER.steer(begin(facts).state, "stop_and_discard", facts, NOW, sitting_id="s")
    assert not idle.state.frames
    first = INTERPRETER.steer(idle.state, command, facts, NOW, sitting_id="sitting-0003")
    found: list[tuple[list[str], Outcome]] = []
    waiting: list[tuple[list[str], Outcome]] = [([], first)]
    while waiting:
        path, outcome = waiting.pop()
        if not outcome.state.frames:
            found.append((path, outcome))
            continue
        for value in answers(control_of(outcome)):
            waiting.append(([*path, str(value)], reply(outcome, value, facts)))
    return found


@pytest.mark.parametrize(("command", "kind"), [("delete_entry", "remove_entry"), ("delete_all_data", "delete_all")])
def test_nothing_is_removed_but_by_two_answers(command: str, kind: str) -> None:
    ways = walked(command, KNOWN)
    assert len(ways) > 2
    for path, outcome in ways:
        assert (kind in effects(outcome)) is (len(path) == 2 and path[-1] == "yes"), path


def test_within_a_day_of_a_dose_nothing_is_removed_at_all() -> None:
    early = replace(KNOWN, phase=Phase.first_24h, hours_since_dose=5.0)
    ways = walked("delete_entry", early) + walked("delete_all_data", early)
    assert not any(effects(outcome) & {"remove_entry", "discard"} for _, outcome in ways)
    waits = [e.data["wait"] for _, outcome in ways for e in outcome.effects if e.kind == "delete_all"]
    assert waits == [True]


def test_only_shared_entries_are_offered_to_be_taken_back() -> None:
    idle = INTERPRETER.steer(begin(KNOWN).state, "stop_and_discard", KNOWN, NOW, sitting_id="s")
    asked = INTERPRETER.steer(idle.state, "keep_private", KNOWN, NOW, sitting_id="sitting-0004")
    offered = [option.value for option in control_of(asked).options]
    assert offered == [m.id for m in MARKS if m.visibility is Visibility.shared] + ["none"]


def test_no_label_holds_a_word_of_an_entry() -> None:
    asked = INTERPRETER.steer(begin(KNOWN).state, "show_entries", KNOWN, NOW, sitting_id="s")
    labels = [link.label for u in asked.say for link in u.links]
    assert labels[0] == "Sun, Nov 22, 14:05 · A small good thing · shared"
    assert len(labels) == 6
