"""Rasa's own store, on Rasa's own interpreter: marked words go in, and nothing of them is on the disk."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bot.settings import ROOT
from tests import builders

RASA = ROOT / ".venv-rasa/bin/python"
MARK = "ZQXJKW"
SCRIPT = f"""
import asyncio
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, BotUttered, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from bot.rasa_ext.tracker_store import SealedWindowStore

async def main():
    store = SealedWindowStore(Domain.load("domain.yml"))
    tracker = DialogueStateTracker.from_events("conversation-1", [
        ActionExecuted("action_listen"), UserUttered("{MARK} words"), SlotSet("reply", "{MARK} slot"), BotUttered("{MARK} said"),
    ])
    await store.save(tracker)
    again = await store.retrieve("conversation-1")
    assert again.latest_message.text == "{MARK} words"

asyncio.run(main())
"""


@pytest.mark.skipif(not RASA.exists(), reason="the environment of Rasa is not installed here")
def test_rasas_store_holds_no_word_in_the_clear(tmp_path: Path) -> None:
    store = tmp_path / "rasa.sqlite3"
    passed = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    passed |= {"PYTHONPATH": str(ROOT), "KAT_TRACKER_KEY": builders.KEY, "KAT_TRACKER_PATH": str(store)}
    passed |= {"PYTHONWARNINGS": "ignore", "SQLALCHEMY_SILENCE_UBER_WARNING": "1", "TMPDIR": str(tmp_path)}
    done = subprocess.run([RASA, "-c", SCRIPT], cwd=ROOT, env=passed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    held = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert held
    assert MARK.encode() not in held + done.stdout.encode() + done.stderr.encode()
