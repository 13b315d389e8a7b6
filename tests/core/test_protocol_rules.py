"""Rules of the protocol that the flows must keep, one by one. The name of each test is the rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.flow import gates
from bot.core.flow.echo import echo
from bot.core.flow.facts import Facts
from bot.core.flow.interpreter import Interpreter, Outcome
from bot.core.flow.speech import Reply
from bot.core.flow.state import Frame, SittingState
from bot.core.journeys import Phase, ProgramStatus
from bot.core.patterns import HEAVY_USE, THREE_FAR_AWAY, THREE_HIGH, SittingRecord, repeated_pattern
from bot.core.safety.verdict import Level
from tests.core.test_flow_paths import at_start, facts_for, reply
from tests.core.test_flow_walks import FACTS, INTERPRETER, LIBRARY, NOW, begin, control_of, tap

CALM: dict[str, Any] = {"activation": 3, "presence": 7, "ladder": "ventral"}


def at(flow: str, step: str, facts: Facts, **values: Any) -> Outcome:
    state = SittingState(sitting_id="rule0001", status="active", frames=[Frame(flow=flow, step=step)])
    state.values.update(CALM | values)
    return INTERPRETER.ask(state, facts, NOW)


def step_of(outcome: Outcome) -> str:
    return outcome.state.frames[-1].step if outcome.state.frames else "end"


# --- gates (3.0) ---


@pytest.mark.parametrize(
    ("facts", "values", "expected"),
    [
        (replace(FACTS, open_alert=Level.emergency), {}, "locked"),
        (replace(FACTS, open_alert=Level.urgent), {"activation": 9}, "gentle_only"),
        (replace(FACTS, phase=Phase.journey_day_after), {"activation": 9}, "hold"),
        (FACTS, {"activation": 9, "declined_settling": True}, "settle"),
        (FACTS, {"activation": 7}, "ground_first"),
        (FACTS, {"activation": 7, "declined_settling": True}, "gentle_only"),
        (FACTS, {"activation": 6, "declined_settling": True}, "open"),
        (FACTS, {"presence": 3}, "orient_first"),
        (replace(FACTS, phase=Phase.first_24h), {}, "landing"),
        (FACTS, {"activation": None}, "open"),
    ],
)
def test_the_gate_is_the_first_row_that_matches(facts: Facts, values: dict[str, Any], expected: str) -> None:
    assert gates.gate(facts, values) == expected


def test_inward_practices_never_start_when_activation_was_skipped() -> None:
    values = {"activation": None, "parts_work_ok": True, "body_work_ok": True}
    assert not gates.permitted("meet_a_part", LIBRARY, FACTS, values)
    assert not gates.permitted("body_tracking", LIBRARY, FACTS, values)


def test_meeting_a_part_is_closed_once_a_text_of_the_sitting_held_risk() -> None:
    values = CALM | {"parts_work_ok": True, "risk_seen": True}
    assert not gates.permitted("meet_a_part", LIBRARY, FACTS, values)


def test_two_full_practices_or_three_sittings_a_day_leave_settling_and_the_note_open() -> None:
    tired = replace(FACTS, sittings_today=3)
    for facts, values in ((tired, CALM), (FACTS, CALM | {"full_practices": 2})):
        assert not gates.permitted("journey_recall", LIBRARY, facts, values)
        assert gates.permitted("letter_to_coach", LIBRARY, facts, values)
        assert gates.permitted("grounding", LIBRARY, facts, values)


def test_preparing_for_the_next_journey_is_an_extra_only_when_it_is_close_and_not_paused() -> None:
    values = CALM | {"journeys_completed": 1, "body_work_ok": True, "parts_work_ok": True}
    close = replace(FACTS, hours_to_journey=60.0)
    assert "before_next_journey" in gates.suggestion(LIBRARY, close, values, ())
    assert "before_next_journey" not in gates.suggestion(LIBRARY, replace(close, hours_to_journey=100.0), values, ())
    paused = replace(close, program=ProgramStatus.paused_by_medical)
    assert "before_next_journey" not in gates.suggestion(LIBRARY, paused, values, ())


def test_in_preparation_only_the_resource_half_of_body_tracking_is_walked() -> None:
    facts = replace(FACTS, phase=Phase.preparation, journeys_completed=0)
    assert gates.permitted("body_tracking", LIBRARY, facts, CALM | {"body_work_ok": True})
    outcome = at("sitting.suggest", "sitting.suggest", facts, body_work_ok=True)
    outcome = reply(outcome, "body_tracking", facts)
    assert outcome.state.frames[-1].mode == "preparation"


# --- skips (3.1) ---


@pytest.mark.parametrize(
    ("flow", "step", "leads_to"),
    [
        ("meet_a_part", "mp_find", "mp_none"),
        ("meet_a_part", "mp_unblend_other", "mp_enough"),
        ("meet_a_part", "mp_unblend_self", "mp_enough"),
        ("meet_a_part", "mp_neutral", "mp_enough"),
        ("meet_a_part", "mp_feel_toward", "mp_neutral"),
        ("journey_recall", "jr_any", "jr_title"),
        ("journey_recall", "jr_past", "jr_heat"),
        ("body_tracking", "bt_size", "bt_wide"),
        ("body_tracking", "bt_again", "bt_rate"),
        ("body_tracking", "bt_resource", "gr_pick"),
        ("letter_to_coach", "lc_intro", "lc_questions"),
        ("one_small_step", "os_step", "cl_rate"),
        ("meet_a_part", "mp_none", "cl_rate"),
        ("meet_a_part", "mp_consent", "sitting.menu_after_no"),
    ],
)
def test_a_skipped_decision_takes_the_gentlest_road(flow: str, step: str, leads_to: str) -> None:
    facts = facts_for(flow)
    assert step_of(reply(at(flow, step, facts), "skip", facts)) == leads_to


def test_a_skipped_question_about_changes_is_said_once_more_before_closing() -> None:
    facts = facts_for("before_next_journey")
    outcome = reply(at("before_next_journey", "bj_changes", facts), "skip", facts)
    outcome = reply(outcome, "skip", facts)
    assert any("555-0100" in u.text for u in outcome.say)


def test_skipping_the_length_means_the_short_version() -> None:
    outcome = reply(at("arrive", "ar_time", FACTS), "skip", FACTS)
    assert outcome.state.frames[-1].flow == "short"


# --- practices ---


def test_the_letter_is_shown_sent_by_choice_and_never_part_of_the_rest() -> None:
    facts = facts_for("letter_to_coach")
    outcome = at_start("letter_to_coach", facts)
    for value in ("ok", None, None, "skip", "ask_me"):
        text = "why do I cry" if value is None else ""
        outcome = INTERPRETER.answer(
            outcome.state, Reply(message_id="m", text=text, control_id=control_of(outcome).id, value=value), facts, NOW
        )
    assert step_of(outcome) == "lc_review"
    assert any("why do I cry" in u.text for u in outcome.say)
    sent = reply(outcome, "send", facts)
    (saved,) = [e.data for e in sent.effects if e.kind == "save"]
    assert saved["visibility"] == "shared"
    assert [row["text"] for row in saved["lines"] if row["field"] == "questions"] == ["why do I cry"]
    assert sent.state.kept == []
    kept = reply(outcome, "keep", facts)
    assert [e.data["visibility"] for e in kept.effects if e.kind == "save"] == ["private"]
    assert "question" not in [e.kind for e in kept.effects]


def test_a_big_decision_tells_the_coach_one_line_and_never_the_words() -> None:
    facts = facts_for("one_small_step")
    outcome = at("one_small_step", "os_step", facts)
    after = INTERPRETER.answer(
        outcome.state,
        Reply(message_id="m", text="quit my job on Monday", control_id=control_of(outcome).id), facts, NOW,
    )  # fmt: skip
    notes = [e.data["text"] for e in after.effects if e.kind == "team_note"]
    assert notes == ["Wants to talk over a decision."]
    assert any("some days" in u.text for u in after.say)


@pytest.mark.parametrize("step", ["mp_name", "mp_flesh", "mp_befriend", "mp_fears", "mp_need"])
def test_a_tender_word_stops_the_practice_at_any_of_its_texts(step: str) -> None:
    facts = facts_for("meet_a_part")
    outcome = at("meet_a_part", step, facts)
    after = INTERPRETER.answer(
        outcome.state, Reply(message_id="m", text="a little girl who was left alone", control_id=control_of(outcome).id),
        facts, NOW,
    )  # fmt: skip
    assert step_of(after) == "mp_tender_stop"


def test_room_that_is_made_twice_still_ends_before_a_third_asking() -> None:
    facts = facts_for("meet_a_part")
    outcome = at("meet_a_part", "mp_feel_toward", facts)
    for value in ("annoyed", "room", "annoyed", "room"):
        outcome = reply(outcome, value, facts)
    assert step_of(outcome) == "mp_feel_toward"
    assert step_of(reply(outcome, "annoyed", facts)) == "mp_enough"


def test_a_question_for_the_team_goes_only_where_the_patient_sends_it() -> None:
    facts = facts_for("before_next_journey")
    outcome = at("before_next_journey", "bj_questions", facts)
    asked = INTERPRETER.answer(
        outcome.state, Reply(message_id="m", text="is the room quiet", control_id=control_of(outcome).id), facts, NOW
    )
    assert [e.kind for e in asked.effects] == []
    sent = reply(asked, "to_medical", facts)
    assert [(e.kind, e.data["to"]) for e in sent.effects] == [("question", "medical_team")]
    assert [e.kind for e in reply(asked, "to_no_one", facts).effects] == []


def test_a_change_reported_within_a_day_of_the_journey_is_urgent() -> None:
    for hours, level in ((20.0, "urgent"), (60.0, "concern")):
        facts = replace(facts_for("before_next_journey"), hours_to_journey=hours)
        after = reply(at("before_next_journey", "bj_changes", facts), "yes", facts)
        assert [r.level for r in after.raises] == [level]


def test_someone_who_feels_pushed_is_asked_by_whom() -> None:
    facts = facts_for("before_next_journey")
    asked = reply(at("before_next_journey", "bj_want_to_go", facts), "pressured", facts)
    assert step_of(asked) == "bj_pressure"
    assert reply(asked, "clinic", facts).state.frames[-1].flow == "abuse.clinic_boundary"
    assert step_of(reply(at("before_next_journey", "bj_want_to_go", facts), "mixed", facts)) == "bj_intention"


def test_still_far_away_after_two_rounds_by_day_asks_about_unreality() -> None:
    facts = replace(FACTS, hours_since_dose=60.0)
    outcome = at("grounding", "gr_presence", facts, presence=2, activation=4)
    outcome.state.rounds = 2
    assert reply(outcome, 2, facts).state.frames[-1].flow == "safety.unreality_check"


def test_this_is_a_lot_settles_then_offers_going_on_something_gentler_or_stopping() -> None:
    facts = facts_for("journey_recall")
    outcome = reply(at("journey_recall", "jr_images", facts), "lot", facts)
    outcome = reply(reply(outcome, "choose", facts), "continue", facts)
    outcome = reply(outcome, 3, facts)
    assert [o.value for o in control_of(outcome).options] == ["go_on", "gentle", "stop"]
    assert step_of(reply(outcome, "go_on", facts)) == "jr_images"


# --- the whole sitting ---


def test_the_short_version_takes_at_most_nine_turns() -> None:
    outcome = INTERPRETER.steer(begin().state, "short_version", FACTS, NOW, sitting_id="s")
    turns = 0
    while outcome.state.frames:
        turns += 1
        control = control_of(outcome)
        value: Any = {"none": "continue", "scale": 3, "summary": "private"}.get(control.type.value)
        if control.type.value == "choice":
            value = "no" if "no" in [o.value for o in control.options] else "ventral"
        outcome = tap(outcome, value, "" if value is not None else "the light on the wall")
        assert turns <= 9
    assert any(e.kind == "sitting_ended" for e in outcome.effects)


def test_at_the_length_of_the_phase_closing_is_offered_once() -> None:
    facts = facts_for("journey_recall")
    outcome = at("journey_recall", "jr_frame", facts)
    outcome.state.spent_seconds = 20 * 60
    outcome = reply(outcome, "continue", facts)
    assert [o.value for o in control_of(outcome).options] == ["close", "carry_on"]
    assert step_of(reply(outcome, "carry_on", facts)) == "jr_any"
    assert step_of(reply(outcome, "close", facts)) == "cl_rate"


def test_on_the_journey_day_after_the_dose_there_is_one_holding_text_and_nothing_to_answer() -> None:
    outcome = begin(replace(FACTS, phase=Phase.journey_day_after))
    assert [u.text_id for u in outcome.say] == ["phase.journey_day_after.1"]
    assert outcome.state.frames == []


def test_from_hour_18_a_nights_sleep_is_asked_once_and_no_keeps_the_first_day() -> None:
    facts = replace(FACTS, hours_since_dose=26.0, phase=Phase.h24_72)
    outcome = begin(facts)
    assert step_of(outcome) == "own.slept"
    outcome = tap(outcome, "no", facts=facts)
    assert ("slept", {"slept": False}) in [(e.kind, dict(e.data)) for e in outcome.effects]
    outcome.state.frames[-1].step = "ar_presence"
    later = INTERPRETER.ask(outcome.state, facts, NOW)
    assert step_of(tap(later, 8, facts=facts)) == "ar_support"
    assert step_of(begin(replace(facts, slept_since_dose=True))) == "ar_hello"


def test_one_tip_of_the_phase_is_said_in_turn() -> None:
    first = reply(at("arrive", "ar_body", FACTS), "skip", FACTS)
    first = reply(first, "medium", FACTS)
    tips = [u.text_id for u in first.say if u.text_id.startswith("tip.")]
    assert tips == ["tip.h72_1"]
    assert first.state.shown["tips.h24_72"] == 1


def test_words_typed_while_nothing_is_asked_are_kept_and_given_ways_on() -> None:
    idle = SittingState()
    outcome = INTERPRETER.answer(idle, Reply(message_id="m1", text="the dog came back"), FACTS, NOW)
    assert [row["text"] for row in outcome.state.kept] == ["the dog came back"]
    saved = tap(tap(outcome, "close"), "private")
    assert [e.data["lines"][0]["text"] for e in saved.effects if e.kind == "save"] == ["the dog came back"]


def test_after_discharge_nothing_can_be_shared() -> None:
    facts = replace(FACTS, program=ProgramStatus.discharged)
    state = SittingState(sitting_id="rule0001", status="active", frames=[Frame(flow="summary", step="summary")])
    state.kept = [{"step": "aside", "field": "freeform", "label": "Also written", "text": "a field"}]
    shown = INTERPRETER.ask(state, facts, NOW)
    assert "share" not in [o.value for o in control_of(shown).options]


def test_a_sitting_that_opened_on_older_content_goes_on_with_it_and_the_next_begins_on_the_newest() -> None:
    newest = replace(LIBRARY, version="newest000000")
    outcome = Interpreter(LIBRARY, newest).answer(
        begin().state, Reply(message_id="m", text="", control_id=control_of(begin()).id, value="continue"), FACTS, NOW
    )
    assert outcome.state.content_version == LIBRARY.version
    again = Interpreter(LIBRARY, newest).open(SittingState(), FACTS, NOW, sitting_id="s2")
    assert again.state.content_version == "newest000000"


# --- echoes (0.2) ---


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("grey and busy, like a clock", "grey and busy, like a clock"),
        ("a kid hiding", ""),
        ("so much shit to do", ""),
        ("it wants to kill the mood", ""),
        ("it sounds like my mother", ""),
        ("it talks like Daniel at work", ""),
        ('it says "hurry"', ""),
        ("", ""),
    ],
)
def test_words_are_echoed_only_where_no_rule_forbids_it(words: str, shown: str) -> None:
    assert echo(words) == shown


def test_an_echo_is_cut_at_a_word_and_at_sixty_characters() -> None:
    shown = echo("grey and busy and always looking for the next thing that might go wrong today")
    assert len(shown) <= 60
    assert shown.endswith("thing that")


# --- patterns (3.16) ---


def record(days_ago: float, **facts: Any) -> SittingRecord:
    ended = NOW - timedelta(days=days_ago)
    return SittingRecord(id=f"s{days_ago}", patient_id="p", began_at=ended, ended_at=ended, phase="h24_72", **facts)


def test_three_high_endings_within_a_week_are_spoken_of_once() -> None:
    high = [record(d, activation_end=8) for d in (1, 2, 3)]
    assert repeated_pattern(high, now=NOW, time_zone="UTC") == THREE_HIGH
    told = [record(0.5, activation_end=8, pattern=THREE_HIGH), *high]
    assert repeated_pattern(told, now=NOW, time_zone="UTC") is None
    assert repeated_pattern([record(d, activation_end=8) for d in (1, 2, 9)], now=NOW, time_zone="UTC") is None
    assert repeated_pattern([record(1, activation_end=3), *high[1:]], now=NOW, time_zone="UTC") is None


def test_three_far_away_sittings_count_only_a_day_after_the_dose() -> None:
    far = [record(d, presence=2, hours_since_dose=60) for d in (1, 2, 3)]
    assert repeated_pattern(far, now=NOW, time_zone="UTC") == THREE_FAR_AWAY
    early = [record(d, presence=2, hours_since_dose=10) for d in (1, 2, 3)]
    assert repeated_pattern(early, now=NOW, time_zone="UTC") is None


def test_more_than_three_sittings_on_three_days_running_is_heavy_use() -> None:
    days = [record(day + part / 10) for day in (1, 2, 3) for part in range(4)]
    assert repeated_pattern(days, now=NOW, time_zone="UTC") == HEAVY_USE
    assert repeated_pattern(days[:-1], now=NOW, time_zone="UTC") is None


def test_a_pattern_is_told_to_the_patient_and_raised_as_a_concern() -> None:
    outcome = begin(replace(FACTS, pattern=THREE_HIGH))
    assert [r.level for r in outcome.raises] == ["concern"]
    assert any("running high" in u.text for u in outcome.say)
    far = begin(replace(FACTS, pattern=THREE_FAR_AWAY))
    assert far.state.frames[-1].flow == "safety.unreality_check"
