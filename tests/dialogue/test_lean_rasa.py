"""What keeps a turn of Rasa short changes nothing that Rasa does: run by Rasa's own code, on Rasa's own interpreter."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bot.settings import ROOT
from bot.supervisor.training import RASA_PYTHON
from tests import builders

LATEST_TURN = """
import asyncio
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted, ActionExecutionRejected, ActiveLoop, BotUttered, FollowupAction, SessionStarted, SlotSet, UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker
from bot.rasa_ext.tracker_store import SealedWindowStore

FORM, LISTEN, EMPTY = ActionExecuted("sitting_form"), ActionExecuted("action_listen"), SlotSet("reply", None)
BEGIN = [ActionExecuted("action_session_start"), SessionStarted(), ActiveLoop("sitting_form"),
         SlotSet("requested_slot", "reply"), LISTEN]
ANSWER = [UserUttered("a"), SlotSet("reply", "a"), FORM, BotUttered("q"), EMPTY, FollowupAction("action_listen"), LISTEN]
COMMAND = [UserUttered("pause"), SlotSet("reply", "pause"), ActionExecutionRejected("sitting_form"),
           ActionExecuted("action_steer"), BotUttered("s"), FORM, EMPTY, FollowupAction("action_listen"), LISTEN]
DANGER = [UserUttered("b"), SlotSet("reply", "b"), ActionExecuted("action_respond_to_risk"), BotUttered("r"), LISTEN]

def facts(tracker):
    loop = tracker.active_loop
    return (loop.name, loop.is_interrupted, loop.rejected, tracker.current_slot_values(), tracker.latest_action_name,
            tracker.followup_action, tracker.latest_message.text, tracker.is_paused())

async def main():
    domain = Domain.load("domain.yml")
    store, all_events = SealedWindowStore(domain), list(BEGIN)
    for turn in (ANSWER, ANSWER, COMMAND, ANSWER, DANGER, ANSWER, COMMAND, COMMAND, DANGER, DANGER):
        kept = await store.retrieve("one") or DialogueStateTracker.from_events("one", all_events, domain.slots)
        all_events += turn
        kept.update_with_events(turn, domain)
        await store.save(kept)
        again = await store.retrieve("one")
        whole = DialogueStateTracker.from_events("one", all_events, domain.slots)
        assert facts(again) == facts(whole), turn
        assert len(again.events) <= 12, len(again.events)

asyncio.run(main())
"""
ANSWERS = """
from jsonschema import ValidationError
from rasa.core.actions.action import RemoteAction
from bot.rasa_ext.answers import check_schema_once

def verdict(answer):
    try:
        return RemoteAction("a", None)._validate_action_result(answer)
    except ValidationError as error:
        return list(error.absolute_path)

answers = [
    {}, {"events": [], "responses": []}, {"events": [{"event": "slot", "name": "reply", "value": None}]}, [],
    {"events": {}}, {"responses": ["text"]}, {"events": [{"event": "slot"}]}, {"events": [{"name": "x"}]},
    {"events": [{"event": "followup", "name": "action_listen"}], "responses": [{"custom": {"text": "x"}}]},
]
theirs = [verdict(answer) for answer in answers]
check_schema_once()
assert [verdict(answer) for answer in answers] == theirs
assert theirs.count(True) == 4, theirs
"""
TAPS = """
from bot.rasa_ext.channel import reading_of_a_tap

calm = {"level": "none", "categories": [], "ask": False, "if_no_answer": None, "version": "1"}
grave = calm | {"level": "urgent", "categories": ["suicide"]}
asked = calm | {"ask": True, "if_no_answer": "urgent", "categories": ["suicide"]}
assert reading_of_a_tap("words", {"control_id": None, "verdict": calm}) is None
assert reading_of_a_tap("words", {"verdict": grave}) is None
for verdict, intent in ((None, "inform"), (calm, "inform"), (grave, "priority"), (asked, "priority")):
    read = reading_of_a_tap("Yes", {"control_id": "a.b", "verdict": verdict})
    assert read["intent"]["name"] == read["intent_ranking"][0]["name"] == intent, verdict
"""


def in_rasa(code: str, folder: Path) -> None:
    """Run code in Rasa's environment; it fails the test by raising."""
    passed = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {
        "PYTHONPATH": str(ROOT), "KAT_TRACKER_KEY": builders.KEY, "KAT_TRACKER_PATH": str(folder / "rasa.sqlite3"),
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1", "RASA_TELEMETRY_ENABLED": "false",
    }  # fmt: skip
    command = [str(RASA_PYTHON), "-W", "ignore", "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=passed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("code", [LATEST_TURN, ANSWERS, TAPS], ids=["latest turn", "answers", "taps"])
def test_a_short_turn_of_rasa_says_the_same(code: str, tmp_path: Path) -> None:
    in_rasa(code, tmp_path)
