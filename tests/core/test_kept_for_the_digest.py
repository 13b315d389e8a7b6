"""What a sitting keeps so that a digest can say what was about what: the quoted step, the settling, the wish to bring."""

from __future__ import annotations

from dataclasses import replace

from bot.core.flow.speech import Reply
from tests.core.test_flow_paths import facts_for, reply
from tests.core.test_flow_walks import INTERPRETER, NOW, control_of
from tests.core.test_protocol_rules import at


def test_an_answer_about_an_earlier_step_is_kept_with_the_step_that_was_quoted() -> None:
    facts = facts_for("revisit")
    facts = replace(facts, slots={**facts.slots, "last_step": "sit with the dog"}, open_step_days=2.0)
    kept = reply(at("revisit", "rv_step", facts), "did", facts).state.kept
    assert [(row["field"], row["text"]) for row in kept] == [
        ("revisit.step", "sit with the dog"),
        ("revisit.step_status", "I did it"),
    ]


def test_a_round_of_settling_is_kept_with_its_name_and_both_ratings() -> None:
    facts = facts_for("grounding")
    outcome = at("grounding", "gr_pick", facts, activation=7)
    options = [option.value for option in control_of(outcome).options if option.value != "choose"]
    outcome = reply(outcome, options[0], facts)
    for _ in range(4):
        if outcome.state.frames[-1].step == "gr_rate":
            break
        control = control_of(outcome)
        value = control.options[0].value if control.options else None
        outcome = INTERPRETER.answer(
            outcome.state, Reply(message_id="m", text="a lamp", control_id=control.id, value=value), facts, NOW
        )
    assert outcome.state.frames[-1].step == "gr_rate"
    kept = reply(outcome, 5, facts).state.kept
    (settled,) = [row["text"] for row in kept if row["field"] == "settling"]
    assert settled.endswith(": 7 → 5")


def test_the_wish_to_bring_a_part_to_the_coach_stands_in_the_entry_too() -> None:
    facts = facts_for("meet_a_part")
    outcome = reply(at("meet_a_part", "mp_enough", facts), "tell", facts)
    assert ("part.bring_to_coach", "this part") in [(row["field"], row["text"]) for row in outcome.state.kept]
    assert "team_note" in [effect.kind for effect in outcome.effects]
