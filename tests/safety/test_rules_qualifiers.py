"""The qualifiers of protocol 6.4 with their traps: what lowers a match, how far, and what never does."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.adapters.language.rules import RuleLayer
from bot.core.safety.verdict import AssessmentContext, Verdict, combine

LAYER = RuleLayer(Path(__file__).parents[2] / "data/safety")


def read(text: str, **context: object) -> Verdict:
    return combine(LAYER.findings(text, AssessmentContext(**context)), version="rules")  # type: ignore[arg-type]


def outcome(text: str, **context: object) -> str:
    """What the rules decide that do not rest on a mere mention."""
    found = LAYER.findings(text, AssessmentContext(**context))  # type: ignore[arg-type]
    verdict = combine([finding for finding in found if not finding.loose], version="rules")
    return f"ask {verdict.if_no_answer.name}" if verdict.if_no_answer is not None else verdict.level.name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # negation, and what only looks like it
        ("I'm not suicidal, just tired", "none"),
        ("no thoughts of killing myself", "none"),
        ("I don't want to die", "none"),
        ("I'm not going to kill myself tonight", "ask urgent"),
        ("I don't want to live", "urgent"),
        ("I can't stay safe", "emergency"),
        ("no reason to live", "urgent"),
        ("I'm not going to do it, but I wish I were dead", "urgent"),
        ("I don't want to kill myself, but I want to die", "urgent"),
        ("I'm not hungry and I want to die", "urgent"),
        ("not hungry not tired i want to die", "urgent"),
        ("no chest pain, no trouble breathing", "none"),
        ("no chest pain but I can't breathe", "emergency"),
        # history, and what cancels it
        ("I tried to kill myself when I was 19", "concern"),
        ("When I was 19, I tried to kill myself", "concern"),
        ("I tried to kill myself. That was eleven years ago.", "concern"),
        ("when i was 19 i tried to kill myself", "concern"),
        ("I tried to kill myself years ago and tried to kill myself again last week", "emergency"),
        ("I tried to kill myself last month", "emergency"),
        ("years ago i was happy but i want to die", "urgent"),
        ("my first husband beat me, I left him in 1998", "concern"),
        ("I had a seizure when I was twelve", "none"),
        # another person
        ("my friend says she wants to end it tonight", "urgent"),
        ("my brother hanged himself in 2015", "concern"),
        # hypothetical
        ("if I killed myself it would be over", "ask urgent"),
        ("what if I just disappeared", "urgent"),
        # idioms
        ("I'm dying to see my dog", "none"),
        ("killing time until the session", "none"),
        ("my back is killing me", "none"),
        ("killing time, though I want to kill myself", "urgent"),
        # quoting and fiction
        ("there's a song that goes I want to die", "ask urgent"),
        ("in the film he says he wants to die", "ask urgent"),
        # humour never hides a wish
        ("haha I should just die", "urgent"),
        ("kms lol", "urgent"),
        # a spiritual frame does not lower a command
        ("God is telling me to burn the house down", "emergency"),
    ],
)
def test_a_qualifier_acts_as_the_protocol_states(text: str, expected: str) -> None:
    assert outcome(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("in the journey I was going to kill myself and the sea took me", "ask urgent"),
        ("I watched myself hang and felt calm", "ask urgent"),
        ("I died in the journey and was born from a whale", "none"),
        ("since the journey I want to die every day", "urgent"),
        ("I wish I had stayed there and not come back", "ask urgent"),
    ],
)
def test_journey_imagery_lowers_no_wish_below_a_question(text: str, expected: str) -> None:
    assert outcome(text, practice="journey_recall" if "since" not in text else None) == expected


@pytest.mark.parametrize(
    "text",
    [
        "I want to die",
        "I am going to kill myself tonight",
        "I want to cut myself",
        "I keep thinking about hurting my baby",
    ],
)
@pytest.mark.parametrize("frame", ["a part of me says {}", "part of me: {}", "my inner critic says {}", "{}, says one side of me"])  # fmt: skip
def test_parts_language_never_lowers(text: str, frame: str) -> None:
    assert read(frame.format(text)).level >= read(text).level


def test_a_denial_is_a_question_where_something_else_was_said() -> None:
    assert outcome("I do not want to die") == "none"
    assert outcome("I do not want to die, but I cut myself last night") == "urgent"
    assert outcome("I do not want to die", history=("I want to die",)) == "ask urgent"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("I tried to kill myself when I was 19", "history"),
        ("my friend wants to die", "other person"),
        ("there's a song that goes I want to die", "fiction"),
        ("a part of me wants to die", "parts language"),
        ("The chest pain from this morning is gone now", "gone now"),
    ],
)
def test_the_evidence_names_what_acted(text: str, name: str) -> None:
    names = {name for finding in read(text).findings for name in finding.evidence.qualifiers}
    assert name in names


def test_the_first_day_changes_what_driving_and_drink_mean() -> None:
    for text in ("driving home now", "had a beer tonight", "so wobbly on the stairs and alone"):
        assert outcome(text, phase="first_24h") == "urgent"
        assert outcome(text, hours_since_dose=5.0) == "urgent"
        assert outcome(text) in ("none", "ask urgent")
