"""Scripted conversations against the real servers; the scripts are data (tests/dialogue/scripts)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.core.safety.verdict import Level
from tests.running import Stack, Visitor

SCRIPTS = [
    script
    for path in sorted((Path(__file__).parent / "scripts").glob("*.yml"))
    for script in yaml.safe_load(path.read_text(encoding="utf-8"))["dialogues"]
]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole program, started once for all scripts."""
    stack = Stack(tmp_path_factory.mktemp("scripts")).start()
    yield stack
    stack.stop()


@pytest.mark.parametrize("script", SCRIPTS, ids=[script["name"] for script in SCRIPTS])
def test_a_conversation_leaves_what_its_script_says(servers: Stack, script: dict[str, Any]) -> None:
    visitor = servers.invite(hours_since_journey=script.get("hours_since_journey", 48))
    visitor.http.get("/journal")
    visitor.messages()
    for turn in script["turns"]:
        said = play(visitor, turn)
        for words in [turn["hears"]] if "hears" in turn else []:
            assert words in said, said
        if "hears_one_of" in turn:
            assert any(words in said for words in turn["hears_one_of"]), said
    check(servers, visitor.patient_id, script["after"])


def play(visitor: Visitor, turn: dict[str, Any]) -> str:
    """One turn; returns all that was said in answer."""
    if "tap" in turn:
        return "\n".join(m["text"] for value in turn["tap"] for m in visitor.choose(value))
    if "say" in turn:
        return "\n".join(m["text"] for m in visitor.say((turn["say"] * turn.get("times", 1)).strip()))
    if "open" in turn:
        visitor.http.get("/journal")
        return "\n".join(m["text"] for m in visitor.messages() if m["from"] == "assistant")
    finish(visitor, turn["close"])
    return ""


def finish(visitor: Visitor, choice: str) -> None:
    """Answer whatever is left in the gentlest way, and save as chosen."""
    for _ in range(30):
        control = visitor.control
        assert control is not None
        offered = [option["value"] for option in control["options"]]
        if offered == ["start_journal"]:
            return
        if control["type"] == "summary":
            visitor.choose(choice)
        elif control["type"] == "none":
            visitor.choose("continue")
        elif closing := next((v for v in ("close", "enough", "stop", "no") if v in offered), None):
            visitor.choose(closing)
        else:
            visitor.choose(3 if control["type"] == "scale" else "skip")
    raise AssertionError("the sitting did not end")


def check(servers: Stack, patient_id: str, after: dict[str, Any]) -> None:
    """What must be in the database after a conversation."""
    app = servers.application
    entries = app.journal.entries(patient_id)
    with app.uow() as tx:
        levels = [alert.level for alert in tx.alerts(patient_id=patient_id)]
        parts = tx.parts(patient_id)
    if "entries" in after:
        assert len(entries) == after["entries"]
    if "alerts" in after:
        assert [level.name for level in levels] == after["alerts"]
    if "no_alert_above" in after:
        assert all(level <= Level[after["no_alert_above"]] for level in levels)
    if "visibility" in after:
        assert entries[0].visibility.value == after["visibility"]
    for field, text in after.get("lines", {}).items():
        assert entries[0].line(field) == text
    for field, count in after.get("words", {}).items():
        assert len((entries[0].line(field) or "").split()) == count
    if "parts" in after:
        assert parts == after["parts"]
    if "questions" in after:
        assert [question.text for question in app.journal.questions(patient_id)] == after["questions"]
