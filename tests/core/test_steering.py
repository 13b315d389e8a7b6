"""The decision between answer and command, apart from the classifier that ranks the text."""

from __future__ import annotations

import pytest

from bot.core.steering import StepContext, decide

WRITING = StepContext(context="mid_step", answer_type="text")


@pytest.mark.parametrize("text", ["había un río muy ancho, y mi abuela me saludaba", "zzz", "the price of tin"])
def test_strange_words_where_words_are_asked_for_are_an_answer(text: str) -> None:
    assert decide(text, [("out_of_scope", 0.95)], WRITING).command is None


@pytest.mark.parametrize(
    ("text", "context"),
    [("what's the price of tin?", WRITING), ("the price of tin", StepContext(context="idle"))],
)
def test_a_question_out_of_scope_is_still_answered_as_one(text: str, context: StepContext) -> None:
    assert decide(text, [("out_of_scope", 0.95)], context).command == "out_of_scope"


def test_a_question_is_the_answer_where_questions_are_asked_for() -> None:
    asked = StepContext(context="mid_step", answer_type="text", invites_question=True)
    for command in ("medication_question", "can_i_drive", "out_of_scope"):
        assert decide("can I drive the day after?", [(command, 0.99)], asked).command is None
    assert decide("skip this", [("skip_step", 0.99)], asked).command == "skip_step"
