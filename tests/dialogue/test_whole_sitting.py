"""A whole sitting of protocol 3.14, by API, against the running program, and what it leaves behind."""

from __future__ import annotations

from typing import Any

from bot.core.journal import Visibility
from tests.running import Stack, Visitor


def answer_for(visitor: Visitor) -> tuple[Any, str]:
    """A calm answer to the current control: (value, text)."""
    control = visitor.control
    assert control is not None
    kind, values = control["type"], [option["value"] for option in control["options"]]
    if kind == "none":
        return "continue", "Continue"
    if kind == "scale":
        return 4, "4"
    if kind == "body":
        return [{"place": "chest", "word": "warm"}], "chest: warm"
    if kind == "multi":
        return values[:1], values[0]
    if kind == "part":
        return "the Clerk", "the Clerk"
    wanted = next((v for v in ("no", "sympathetic", "open", "journey_recall", "go_on", "close") if v in values), None)
    return wanted or values[0], str(wanted or values[0])


def sit_until(visitor: Visitor, kind: str, words: str = "a wide green field", most: int = 60) -> None:
    """Answer calmly until a control of this kind is asked."""
    for _ in range(most):
        control = visitor.control
        assert control is not None, visitor.texts()
        if control["type"] == kind:
            return
        if control["type"] in ("text", "short_text"):
            visitor.say(words)
        else:
            value, text = answer_for(visitor)
            visitor.choose(value, text=text)
    raise AssertionError(f"no {kind} within {most} answers:\n{visitor.texts()}")


def state_of(stack: Stack, visitor: Visitor) -> Any:
    with stack.application.uow() as tx:
        stored = tx.sitting(visitor.patient_id)
    assert stored is not None
    return stored.state


def entries_of(stack: Stack, visitor: Visitor) -> list[Any]:
    with stack.application.uow() as tx:
        return tx.entries(visitor.patient_id)


def test_a_whole_sitting_ends_as_a_shared_entry_on_the_coachs_page(stack: Stack) -> None:
    visitor = stack.invite()
    visitor.http.get("/journal")
    visitor.messages()
    assert "automated journal" in str(visitor.said[-1]["small_print"])
    sit_until(visitor, "summary", "a wide green field, mirrormark")
    for practice in ("journey_recall", "closing"):
        assert practice in state_of(stack, visitor)["practices"]
    lines = visitor.control["lines"]  # type: ignore[index]
    assert "a wide green field, mirrormark" in [line["text"] for line in lines]
    words = next(line for line in lines if "mirrormark" in line["text"])
    left_out = next(line for line in lines if line["label"].startswith("Stirred up"))
    visitor.choose("share", lines={words["id"]: "a wide green field, in my words", left_out["id"]: None})
    (entry,) = entries_of(stack, visitor)
    assert entry.visibility is Visibility.shared
    assert entry.phase == "h24_72"
    assert "a wide green field, in my words" in [line.text for line in entry.lines]
    assert left_out["label"] not in [line.label for line in entry.lines if line.text == left_out["text"]]
    visitor.choose("continue")
    assert state_of(stack, visitor)["status"] == "idle"
    coach = stack.sign_in("mo@plum-spring.example")
    page = coach.http.get(f"/coach/patients/{visitor.patient_id}").text
    assert "a wide green field, in my words" in page
    assert "Mo Adler" in visitor.http.get("/entries/seen").text


def test_a_private_entry_never_reaches_the_coach(stack: Stack) -> None:
    visitor = stack.invite()
    sit_until(visitor, "summary", "zanzibarmark is only mine")
    visitor.choose("private")
    (entry,) = entries_of(stack, visitor)
    assert entry.visibility is Visibility.private
    coach = stack.sign_in("mo@plum-spring.example")
    for path in (f"/coach/patients/{visitor.patient_id}", "/coach/", f"/api/v1/patients/{visitor.patient_id}/entries"):
        assert "zanzibarmark" not in coach.http.get(path).text
    assert "zanzibarmark" in visitor.http.get("/entries").text


def test_the_safety_button_works_without_any_text_and_alerts_staff(stack: Stack) -> None:
    visitor = stack.invite()
    visitor.choose("continue")
    visitor.choose("hurting")
    with stack.application.uow() as tx:
        (alert,) = tx.alerts(patient_id=visitor.patient_id)
    assert (alert.level.name, alert.categories) == ("urgent", ("self_harm",))
    assert "988" in visitor.texts()


def test_a_reload_repeats_nothing_and_another_device_goes_on(stack: Stack) -> None:
    visitor = stack.invite()
    visitor.choose("continue")
    visitor.choose("no")
    before = [m["id"] for m in visitor.messages()]
    visitor.http.get("/journal")
    assert [m["id"] for m in visitor.messages()] == before
    other = Visitor(stack.address, visitor.email, visitor.patient_id)
    other.sign_in()
    other.http.get("/journal")
    assert [m["id"] for m in other.messages()] == before
    assert other.control == visitor.control
    other.choose("mixed")
    assert state_of(stack, visitor)["values"]["ladder"] == "mixed"


def test_pause_and_resume_keep_the_place(stack: Stack) -> None:
    visitor = stack.invite()
    visitor.choose("continue")
    visitor.choose("no")
    visitor.say("pause")
    assert "Paused" in visitor.texts()
    assert state_of(stack, visitor)["status"] == "paused"
    visitor.http.get("/journal")
    visitor.messages()
    assert {o["value"] for o in visitor.control["options"]} == {"resume", "fresh", "close"}  # type: ignore[index]
    visitor.choose("resume")
    assert state_of(stack, visitor)["frames"][-1]["step"] == "ar_ladder"


def test_a_step_can_be_skipped_in_words_and_by_button(stack: Stack) -> None:
    visitor = stack.invite()
    visitor.choose("continue")
    visitor.choose("skip")
    assert state_of(stack, visitor)["frames"][-1]["step"] == "ar_ladder"
    visitor.say("skip this")
    assert state_of(stack, visitor)["frames"][-1]["step"] == "ar_activation"


def test_stop_offers_to_save_what_was_written(stack: Stack) -> None:
    visitor = stack.invite()
    sit_until(visitor, "text")
    visitor.say("a quiet river, stopmark")
    visitor.say("stop")
    assert visitor.control["type"] == "summary"  # type: ignore[index]
    assert "stopmark" in str(visitor.control["lines"])  # type: ignore[index]


def test_a_question_in_between_is_answered_and_the_same_step_asked_again(stack: Stack) -> None:
    visitor = stack.invite()
    visitor.choose("continue")
    visitor.choose("no")
    replies = visitor.say("who can read this?")
    assert "can read entries you share" in replies[0]["text"]
    assert state_of(stack, visitor)["frames"][-1]["step"] == "ar_ladder"
    assert replies[-1]["control"]["type"] == "choice"
    visitor.choose("ventral")
    assert state_of(stack, visitor)["values"]["ladder"] == "ventral"


def test_a_journal_text_that_mentions_pausing_stays_journal_text(stack: Stack) -> None:
    visitor = stack.invite()
    sit_until(visitor, "text")
    text = "I pause whenever my manager shows up, and then I go on as if nothing had happened"
    visitor.say(text)
    assert text in str(state_of(stack, visitor)["kept"])
