"""The digest as plain data for JSON, section by section, with the source of every line."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from bot.core.digest.records import Digest


def as_data(digest: Digest) -> dict[str, Any]:
    """Dictionaries, lists, strings and numbers only; moments and days as ISO 8601."""
    plain = _plain(asdict(digest))
    assert isinstance(plain, dict)
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value
