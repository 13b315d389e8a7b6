"""Dropping a conversation from Rasa's store when its patient is erased. Reads nothing from it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def forget_conversation(store: Path, conversation_id: str) -> None:
    """Overwrite what Rasa remembers of a conversation. A store that does not exist yet is left alone."""
    if not store.exists():
        return
    with closing(sqlite3.connect(store, timeout=15, isolation_level=None)) as database:
        database.execute("PRAGMA secure_delete=ON")
        if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'window'").fetchone():
            database.execute("DELETE FROM window WHERE sender_id = ?", (conversation_id,))
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
