"""Answer or command: the decision's rules, on rankings as the classifier gives them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.adapters.content import load_library
from bot.core.steering import (
    COMMANDS,
    CONTEXTS,
    DESTRUCTIVE,
    FITS,
    NAME_STEPS,
    QUESTION_STEPS,
    TWINS,
    WORD_STEPS,
    Heard,
    StepContext,
    context_of,
    decide,
    heard_from_json,
)

DATA = Path(__file__).parents[2] / "data"
MID = StepContext(context="mid_step", answer_type="text")


def hears(**weights: float) -> Heard:
    """What the classifier hears, the rest going to an answer."""
    rest = 1.0 - sum(weights.values())
    return Heard(ranking=[*weights.items(), ("inform", rest)])


def test_a_sure_command_is_carried_out() -> None:
    assert decide("skip this one", hears(skip_step=0.9), MID).command == "skip_step"


def test_an_unsure_command_is_kept_as_an_answer() -> None:
    assert decide("skip along", hears(skip_step=0.4), MID).command is None


def test_two_commands_that_share_the_weight_are_still_no_answer() -> None:
    """Whether one steers is asked first, and only then where to."""
    assert decide("that's me for tonight", hears(goodbye=0.45, pause=0.4), MID).command == "goodbye"


def test_the_context_decides_between_commands() -> None:
    heard = hears(go_back=0.6, resume=0.35)
    assert decide("back", heard, StepContext(context="paused")).command == "resume"
    assert decide("back", heard, MID).command == "go_back"


def test_where_nothing_is_asked_less_certainty_is_needed() -> None:
    heard = hears(show_entries=0.35)
    assert decide("the old pages", heard, StepContext(context="idle")).command == "show_entries"
    assert decide("the old pages", heard, MID).command is None


@pytest.mark.parametrize("command", sorted(DESTRUCTIVE))
def test_a_command_that_removes_words_needs_more_certainty_than_others(command: str) -> None:
    text = "get rid of it"
    assert decide(text, hears(**{command: 0.85}), MID).command is None
    assert decide(text, hears(skip_step=0.85), MID).command == "skip_step"


def test_a_command_that_removes_words_is_never_picked_from_a_tie() -> None:
    heard = hears(stop_and_discard=0.4, pause=0.3, goodbye=0.25)
    assert decide("that's enough for me now", heard, MID).command != "stop_and_discard"


def test_a_long_story_is_an_answer_though_the_classifier_leans_the_other_way() -> None:
    text = (
        "I wanted it all to stop and then I said goodbye to my grandmother and she laughed the way she used to, and I "
        "thought I could go back to the kitchen and skip the rest of it"
    )
    assert decide(text, hears(stop_and_discard=0.9), MID).command is None


@pytest.mark.parametrize(
    ("text", "command"), [("Help", "help_menu"), ("goodbye", "goodbye"), ("again", "repeat_question")]
)
def test_a_step_that_invites_a_word_keeps_a_bare_command_word(text: str, command: str) -> None:
    heard = hears(**{command: 0.97})
    assert decide(text, heard, StepContext(context="mid_step", answer_type="text", step_id="jr_words")).command is None
    assert decide(text, heard, MID).command == command


def test_a_step_that_invites_a_word_can_still_be_skipped_paused_and_stopped() -> None:
    step = StepContext(context="mid_step", answer_type="short_text", step_id="cl_word")
    for text, command in (("skip", "skip_step"), ("pause", "pause"), ("stop", "stop_and_discard")):
        assert decide(text, hears(**{command: 0.97}), step).command == command


def test_a_part_may_be_called_skip() -> None:
    step = StepContext(context="mid_step", answer_type="part", step_id="mp_name")
    assert decide("Skip", hears(skip_step=0.99), step).command is None


def test_a_question_for_the_team_is_an_answer_where_questions_are_asked_for() -> None:
    step = StepContext(context="mid_step", answer_type="text", step_id="bj_questions")
    heard = hears(medication_question=0.95)
    assert decide("can I take my pills that morning?", heard, step).command is None
    assert decide("can I take my pills that morning?", heard, MID).command == "medication_question"


def test_a_statement_of_the_faq_is_an_answer_in_a_step_and_a_question_elsewhere() -> None:
    heard = Heard(ranking=[("faq", 0.95), ("inform", 0.05)], questions=[("numb", 0.9)])
    assert not decide("I feel nothing", heard, MID).interrupts
    assert decide("I feel nothing", heard, StepContext(context="idle")).question == "numb"
    assert decide("why do I feel nothing?", heard, MID).question == "numb"


def test_a_question_of_the_faq_that_is_a_command_in_other_words_counts_for_the_command() -> None:
    heard = Heard(ranking=[("faq", 0.5), ("are_you_human", 0.45), ("inform", 0.05)], questions=[("human", 0.9)])
    decision = decide("is a person answering?", heard, MID)
    assert (decision.command, decision.question) == ("are_you_human", None)


def test_a_missed_dose_gets_the_answer_that_names_poison_control() -> None:
    heard = Heard(ranking=[("faq", 0.8), ("medication_question", 0.15), ("inform", 0.05)], questions=[("missed", 0.9)])
    decision = decide("what if I took it twice?", heard, MID)
    assert (decision.command, decision.question) == ("medication_question", "missed")


def test_a_farewell_in_a_response_flow_is_kept_for_the_staff() -> None:
    asked = StepContext(context="mid_step", answer_type="choice", step_id="sc_now", response=True)
    assert not decide("goodbye and thank you", hears(goodbye=0.99), asked).interrupts
    assert not decide("stop", hears(stop_and_discard=0.99), asked).interrupts
    assert decide("give me the number", hears(crisis_resources=0.9), asked).command == "crisis_resources"


@pytest.mark.parametrize("text", ["", "   ", "…", "?!"])
def test_a_text_without_a_word_is_an_answer(text: str) -> None:
    assert not decide(text, hears(repeat_question=0.99), MID).interrupts


def test_a_danger_that_the_rules_named_does_not_hide_what_was_asked() -> None:
    heard = Heard(ranking=[("priority", 1.0), ("crisis_resources", 0.9), ("inform", 0.1)])
    assert decide("suicide hotline number", heard, MID).command == "crisis_resources"


def test_parse_data_of_rasa_are_read() -> None:
    parsed = {
        "intent_ranking": [{"name": "faq", "confidence": 0.9}],
        "response_selector": {"faq": {"ranking": [{"intent_response_key": "faq/food", "confidence": 0.8}]}},
    }
    assert heard_from_json(parsed) == Heard(ranking=(("faq", 0.9),), questions=(("food", 0.8),))
    assert heard_from_json({}) == Heard(ranking=())


def test_the_tables_name_only_commands_contexts_steps_and_questions_that_exist() -> None:
    library = load_library(DATA)
    steps = {step for flow in library.flows.values() for step in flow.steps}
    assert set(FITS) == set(CONTEXTS)
    assert all(set(fits) <= COMMANDS for fits in FITS.values())
    assert steps >= (WORD_STEPS | NAME_STEPS | QUESTION_STEPS)
    assert {f"faq_{question}" for question in TWINS} <= set(library.faq)
    assert set(TWINS.values()) <= COMMANDS


def test_every_context_of_the_console_is_a_context_of_the_decision() -> None:
    for context in CONTEXTS:
        assert context_of(context).context == context


@pytest.mark.parametrize("text", ["/restart", '\u2044 intent{"x":"y"}', "<b>stop</b>"])
def test_what_looks_like_a_programs_command_is_kept_as_an_answer(text: str) -> None:
    assert not decide(text, hears(stop_and_discard=0.99), MID).interrupts
