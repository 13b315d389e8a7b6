"""Scripted conversations against the real servers; the scripts are data (tests/dialogue/scripts)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.core.safety.verdict import Level
from tests.running import Stack, Visitor, wait_until

SCRIPTS = {
    script["name"]: script
    for path in sorted((Path(__file__).parent / "scripts").glob("*.yml"))
    for script in yaml.safe_load(path.read_text(encoding="utf-8"))["dialogues"]
}
AT_A_TIME = 3  # conversations held side by side, as in a clinic; it also uses a second core
AT_ONCE = ("a pause keeps the step and the words", "digressions in a row are answered and the question comes back")


@pytest.fixture(scope="module")
def held(stack: Stack, request: pytest.FixtureRequest) -> Iterator[dict[str, Future[None]]]:
    """All conversations that this run asks for, begun in their order; each test waits for its own."""
    params = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    wanted = [found["name"] for found in params if found.get("name") in SCRIPTS]
    assert stack.application is not None  # made once, before threads ask for it
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield {name: pool.submit(hold, stack, SCRIPTS[name]) for name in wanted}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_conversation_leaves_what_its_script_says(held: dict[str, Future[None]], name: str) -> None:
    held[name].result()


def test_two_patients_at_once_do_not_mix(stack: Stack) -> None:
    with ThreadPoolExecutor(len(AT_ONCE)) as pool:
        for conversation in [pool.submit(hold, stack, SCRIPTS[name]) for name in AT_ONCE]:
            conversation.result()


def hold(stack: Stack, script: dict[str, Any]) -> None:
    """Have the conversation of one script with a new patient, and look at what it left."""
    visitor = stack.invite(
        hours_since_journey=script.get("hours_since_journey", 48),
        next_journey_in_hours=script.get("next_journey_in_hours"),
    )
    for turn in script["turns"]:
        said = play(stack, visitor, turn)
        for words in [turn["hears"]] if "hears" in turn else []:
            assert words in said, said
        if "hears_later" in turn:  # what may be said only once it is true, such as that staff were told
            await_words(stack, visitor.patient_id, turn["hears_later"])
        if "hears_one_of" in turn:
            assert any(words in said for words in turn["hears_one_of"]), said
    check(stack, visitor.patient_id, script)


def play(stack: Stack, visitor: Visitor, turn: dict[str, Any]) -> str:
    """One turn; returns all that was said in answer."""
    if "tap" in turn:
        return "\n".join(m["text"] for value in turn["tap"] for m in visitor.choose(value))
    if "say" in turn:
        return "\n".join(m["text"] for m in visitor.say(typed(turn)))
    if "away_hours" in turn:
        stay_away(stack, visitor, turn["away_hours"])
    if "open" in turn:
        before = visitor.said[-1]["seq"]
        visitor.http.get("/journal")
        return "\n".join(m["text"] for m in visitor.messages(before) if m["from"] == "assistant")
    if "close" in turn:
        finish(visitor, turn)
    return ""


def await_words(stack: Stack, patient_id: str, words: str) -> None:
    """Wait until the assistant has said this."""
    since = stack.application.conversation.since
    wait_until(lambda: any(words in message.text for message in since(patient_id, 0)), 30, words)


def typed(turn: dict[str, Any]) -> str:
    """The text of a turn, as often as it says."""
    return str(turn["say"] * turn.get("times", 1)).strip()


def stay_away(stack: Stack, visitor: Visitor, hours: float) -> None:
    """Make the sitting as old as if the patient had been away for so long."""
    since = timedelta(hours=hours)
    with stack.application.uow() as tx:
        stored = tx.sitting(visitor.patient_id)
        assert stored is not None
        last = datetime.fromisoformat(stored.state["last_at"]) - since
        tx.put_sitting(
            visitor.patient_id,
            {**stored.state, "last_at": last.isoformat()},
            expected_version=stored.version,
            silence_due_at=None,
            last_message_id=stored.last_message_id,
            at=stored.updated_at - since,
        )


def finish(visitor: Visitor, turn: dict[str, Any]) -> None:
    """Answer whatever is left in the gentlest way, and save as chosen, with lines changed or left out by field."""
    for _ in range(30):
        control = visitor.control
        assert control is not None
        offered = [option["value"] for option in control["options"]]
        if offered == ["start_journal"]:
            return
        if control["type"] == "summary":
            edits = turn.get("edits", {})
            lines = {line["id"]: edits[line["label"]] for line in control["lines"] if line["label"] in edits}
            visitor.choose(turn["close"], lines=lines)
            if turn["close"] == "discard" and visitor.control is not None and visitor.control["type"] == "choice":
                visitor.choose(turn.get("sure", "yes"))
        elif control["type"] == "none":
            visitor.choose("continue")
        elif closing := next((v for v in ("close", "enough", "stop", "no") if v in offered), None):
            visitor.choose(closing)
        else:
            visitor.choose(3 if control["type"] == "scale" else "skip")
    raise AssertionError("the sitting did not end")


def check(stack: Stack, patient_id: str, script: dict[str, Any]) -> None:
    """What must be in the database after a conversation; and always all that was typed, verbatim and answered."""
    app, after = stack.application, script["after"]
    entries = app.journal.entries(patient_id)
    with app.uow() as tx:
        alerts = tx.alerts(patient_id=patient_id)
        parts = tx.parts(patient_id)
        sitting = tx.sitting(patient_id)
        messages = [m for m in tx.messages(patient_id, limit=1000) if m.sender == "patient"]
    soon = 0 <= (script.get("hours_since_journey", 48) or -1) < 24  # within a day of a dose nothing goes at once
    discarded = script["turns"][-1].get("close") == "discard" and not soon  # the words leave the page too
    written = ["" if discarded else typed(turn) for turn in script["turns"] if "say" in turn]
    assert [m.text for m in messages if m.kind == "text"] == written
    assert all(m.answered_at for m in messages)
    levels = [alert.level for alert in alerts]
    if "entries" in after:
        assert len(entries) == after["entries"]
    if "alerts" in after:
        assert [level.name for level in levels] == after["alerts"]
    if "about" in after:
        assert {category for alert in alerts for category in alert.categories} == set(after["about"])
    if "no_alert_above" in after:
        assert all(level <= Level[after["no_alert_above"]] for level in levels)
    if "visibility" in after:
        assert entries[0].visibility.value == after["visibility"]
    if "practice" in after:
        assert after["practice"] in entries[0].practices
    for field, text in after.get("lines", {}).items():
        assert entries[0].line(field) == text, field
    for field, count in after.get("words", {}).items():
        assert len((entries[0].line(field) or "").split()) == count
    if "parts" in after:
        assert parts == after["parts"]
    if "steps" in after:
        assert [step.text for step in app.journal.steps(patient_id)] == after["steps"]
    if "questions" in after:
        assert [question.text for question in app.journal.questions(patient_id)] == after["questions"]
    if "at" in after:
        assert sitting is not None
        assert sitting.state["frames"][-1]["step"] == after["at"]
