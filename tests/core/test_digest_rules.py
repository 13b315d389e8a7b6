"""The rules of protocol 5 that no sample of entries would show: what is never computed, guessed or attributed."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from bot.core.digest import parts, sections, steps, words
from bot.core.digest.plain import spread_sentence
from bot.core.digest.reading import spread
from bot.core.digest.records import JourneyMark, Rating
from bot.core.journal import Entry, EntryLine, Visibility

BEGIN = datetime(2026, 11, 2, 18, tzinfo=UTC)
VALUES = {
    "revisit.step_status": {"I did it": "did", "Partly": "partly"},
    "revisit.step_next": {"Let it go": "retire", "Keep it": "keep"},
}


def entry(days: float, *rows: tuple[str, str], sitting: str | None = None) -> Entry:
    at = BEGIN + timedelta(days=days)
    return Entry(
        id=uuid.uuid4().hex,
        patient_id="p",
        sitting_id=sitting or uuid.uuid4().hex,
        phase="open_integration",
        visibility=Visibility.shared,
        practices=(),
        lines=tuple(EntryLine(field=name, label=name, step="s", text=text) for name, text in rows),
        created_at=at,
        shared_at=at,
    )


def test_a_trend_is_a_sentence_with_counts_as_in_the_protocol() -> None:
    assert spread_sentence(spread([8, 3, 4, 5, 5])) == "5 entries, range 3–8, median 5; last 3: 4, 5, 5"
    assert spread_sentence(spread([7])) == "1 entry: 7"
    assert spread_sentence(None) == "no entry"


def test_a_rating_that_was_edited_into_words_is_no_number() -> None:
    state = sections.state(
        [entry(0, ("state.activation_start", "about 5")), entry(1, ("state.activation_start", "11"))], "UTC", ()
    )
    assert state.start is None
    assert state.ratings == ()


def test_zero_is_a_rating_and_not_a_missing_one() -> None:
    state = sections.state([entry(0, ("state.activation_start", "0"))], "UTC", ())
    assert state.start is not None
    assert (state.start.n, state.start.median) == (1, 0)
    assert isinstance(state.ratings[0].start, Rating)
    assert state.ratings[0].end is None


def test_words_of_an_entry_that_names_two_parts_belong_to_neither() -> None:
    both = entry(0, ("part.name", "The Clerk"), ("part.name", "Fog"), ("part.job", "keeps the list"))
    register, loose = parts.parts([both])
    assert {part.name for part in register} == {"The Clerk", "Fog"}
    assert all(part.latest("job") is None for part in register)
    assert [said.text for _, said in loose] == ["keeps the list"]


def test_parts_are_never_merged_but_for_capital_letters() -> None:
    register, _ = parts.parts([entry(n, ("part.name", name)) for n, name in enumerate(["Fog", "fog", "the Fog"])])
    assert sorted((part.name, part.times) for part in register) == [("fog", 2), ("the Fog", 1)]


def test_a_part_counts_once_a_sitting() -> None:
    register, _ = parts.parts([entry(n, ("part.name", "Fog"), sitting="one") for n in range(3)])
    assert register[0].times == 1


def test_a_role_is_only_ever_the_patients_pick() -> None:
    register, _ = parts.parts([entry(0, ("part.name", "Fog"), ("part.job", "jumps in when it is too much"))])
    assert register[0].latest("role") is None


def test_a_status_belongs_to_the_part_that_was_asked_about_and_to_no_other() -> None:
    entries = [
        entry(0, ("part.name", "The Clerk")),
        entry(1, ("revisit.part_name", "a private one"), ("revisit.part_status", "Louder or busier")),
    ]
    register = {part.name: part for part in parts.parts(entries)[0]}
    assert register["The Clerk"].status is None
    assert register["a private one"].times == 0
    assert register["a private one"].status is not None


def test_the_map_shows_what_is_new_what_is_not_named_and_how_the_stance_changed() -> None:
    entries = [
        entry(0, ("part.name", "The Clerk"), ("part.feel_toward", "Annoyed or critical")),
        entry(10, ("part.name", "Fog")),
        entry(11, ("part.name", "The Clerk"), ("part.feel_toward", "Curious or interested")),
        entry(20, ("part.name", "Fog")),
    ]
    journeys = [JourneyMark(number=n, ended_at=BEGIN + timedelta(days=d)) for n, d in ((1, 5), (2, 15))]
    before, first, second = parts.parts_map(entries, journeys)
    assert (before.new, before.not_named) == (("The Clerk",), ())
    assert (first.new, first.not_named) == (("Fog",), ())
    clerk = first.parts[0]
    assert clerk.stance is not None
    assert clerk.stance_before is not None
    assert (clerk.stance_before.text, clerk.stance.text) == ("Annoyed or critical", "Curious or interested")
    assert (second.new, second.not_named) == ((), ("The Clerk",))
    assert second.parts[0].stance is None  # not said in this stretch, so not shown in it


def test_a_step_is_let_go_only_when_it_was_not_done() -> None:
    step = ("step.text", "a slow cup of coffee")
    about = ("revisit.step", "a slow cup of coffee")
    told = [
        entry(0, step),
        entry(1, about, ("revisit.step_status", "Partly"), ("revisit.step_next", "Let it go")),
        entry(2, ("step.text", "open the window")),
        entry(3, ("revisit.step", "open the window"), ("revisit.step_status", "I did it"), ("revisit.step_next", "Let it go")),
    ]  # fmt: skip
    found = steps.steps(told, VALUES)
    assert [s.status for s in found] == ["done", "let go"]
    assert {c.name: c.count for c in steps.follow_through(found)} == {"done": 1, "let go": 1}


def test_a_report_about_a_step_that_was_not_shared_falls_on_no_other() -> None:
    told = [
        entry(0, ("step.text", "open the window")),
        entry(1, ("revisit.step", "something private"), ("revisit.step_status", "I did it")),
    ]
    assert [s.status for s in steps.steps(told, VALUES)] == ["open"]


def test_repeated_words_leave_out_names_risk_words_and_stop_words() -> None:
    text = "the dog and Martha and the Clerk, tired, I want to die, gun, the dog's bone"
    entries = [entry(n, ("freeform", text)) for n in range(3)]
    found = words.repeated(
        entries, stop_words={"the", "and", "want"}, names=["The Clerk"], is_risk=lambda w: w == "bone"
    )
    assert {c.name: c.count for c in found} == {"dog": 6, "tired": 3}


def test_a_word_of_two_entries_is_not_repeated_however_often_it_was_written() -> None:
    entries = [entry(n, ("freeform", "list list list")) for n in range(2)]
    assert words.repeated(entries, stop_words=(), names=(), is_risk=lambda _: False) == ()


def test_a_body_answer_keeps_unknown_places_as_written() -> None:
    found = sections.body([entry(0, ("state.body_note", "Jaw: tight; behind the left ear"))], ("jaw",))
    assert [(place.name, place.count) for place in found] == [("jaw", 1), ("behind the left ear", 1)]
