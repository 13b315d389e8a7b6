"""Rasa's memory of conversations: sealed at rest, and only the latest turn is kept.

A turn costs the same at message five hundred as at ten: the truth of a sitting is in the clinic's database, so Rasa
needs the latest turn only, and the form stays active by the events put before it.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import SerializedTrackerAsText, TrackerStore
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, Event
from rasa.shared.core.trackers import DialogueStateTracker

SCHEMA = """
CREATE TABLE IF NOT EXISTS window (sender_id TEXT PRIMARY KEY, sealed BLOB NOT NULL, updated REAL NOT NULL)
"""


class SealedWindowStore(TrackerStore, SerializedTrackerAsText):
    """One sealed row a conversation: the events of its latest turn and the loop that is active."""

    def __init__(
        self,
        domain: Domain | None = None,
        url: str | None = None,
        event_broker: EventBroker | None = None,
        host: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(domain, event_broker, **kwargs)
        self._key = AESGCM(base64.b64decode(os.environ["KAT_TRACKER_KEY"]))
        self._lock = threading.Lock()
        path = os.environ.get("KAT_TRACKER_PATH") or url or ":memory:"
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL", SCHEMA):
            self._database.execute(statement)

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Keep the latest turn. What falls out of it is gone from Rasa; the clinic's database has it."""
        await self.stream_events(tracker)
        events = [event.as_dict() for event in latest_turn(list(tracker.events))]
        plain = json.dumps({"events": events, "loop": tracker.active_loop_name}).encode()
        nonce = os.urandom(12)
        sealed = nonce + self._key.encrypt(nonce, plain, tracker.sender_id.encode())
        when = tracker.latest_event_time if hasattr(tracker, "latest_event_time") else 0.0
        await asyncio.get_event_loop().run_in_executor(None, self._write, tracker.sender_id, sealed, when)

    def _write(self, sender_id: str, sealed: bytes, when: float) -> None:
        with self._lock:
            self._database.execute("INSERT OR REPLACE INTO window VALUES (?, ?, ?)", (sender_id, sealed, when))

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """The tracker of the latest turn, with its form active, or None for a new conversation."""
        with self._lock:
            row = self._database.execute("SELECT sealed FROM window WHERE sender_id = ?", (sender_id,)).fetchone()
        if row is None or self.domain is None:
            return None
        kept = json.loads(self._key.decrypt(row[0][:12], row[0][12:], sender_id.encode()))
        events = kept["events"]
        if kept["loop"] is not None and not any(event["event"] == "active_loop" for event in events):
            first = events[0]["timestamp"] if events else 0.0
            start = [
                {"event": "active_loop", "timestamp": first, "name": kept["loop"]},
                {"event": "slot", "timestamp": first, "name": "requested_slot", "value": "reply"},
            ]
            events = start + events
        return DialogueStateTracker.from_dict(sender_id, events, self.domain.slots)

    async def keys(self) -> Iterable[str]:
        """The conversations kept."""
        with self._lock:
            return [row[0] for row in self._database.execute("SELECT sender_id FROM window")]


def latest_turn(events: Sequence[Event]) -> Sequence[Event]:
    """The events from where Rasa last listened, answered and listens again; all of them where it did so only once."""
    actions = [(place, event) for place, event in enumerate(events) if isinstance(event, ActionExecuted)]
    listened = [place for place, action in actions if action.action_name == ACTION_LISTEN_NAME]
    return events[listened[-2] :] if len(listened) > 1 else events
