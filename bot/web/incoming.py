"""A message as it arrives over the API: its shape is checked here, before any service sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOST_PARTS = 60  # places or choices in one answer
CLIENT_ID = 64


class Malformed(ValueError):
    """The body has not the documented shape. The message says which part; nothing was kept."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What the page sent: a text, or the answer to a control."""

    client_id: str
    text: str
    control_id: str | None
    value: Any  # None, text, a number, or a list of texts or of {place, word}
    lines: Mapping[str, str | None] | None


def read_message(body: Any) -> Sent:
    """Read the JSON body of a new message. Raises Malformed."""
    if not isinstance(body, dict):
        raise Malformed("A message is a JSON object.")
    client_id, text, control_id = body.get("client_id"), body.get("text", ""), body.get("control_id")
    if not isinstance(client_id, str) or not 1 <= len(client_id) <= CLIENT_ID:
        raise Malformed(f"A message needs a client_id of 1 to {CLIENT_ID} characters.")
    if not isinstance(text, str) or not isinstance(control_id, str | None):
        raise Malformed("text and control_id are strings.")
    return Sent(
        client_id=whole(client_id),
        text=whole(text),
        control_id=None if control_id is None else whole(control_id),
        value=_value(body.get("value")),
        lines=_lines(body.get("lines")),
    )


def whole(text: str) -> str:
    """The text with every half of a character pair made one replacement character: such halves cannot be stored."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _value(value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, list) and len(value) <= MOST_PARTS:
        return [_part(part) for part in value]
    raise Malformed("value is text, a number, or a list of texts or of places with a word.")


def _part(part: Any) -> str | dict[str, str]:
    if isinstance(part, str):
        return whole(part)
    if isinstance(part, dict) and all(isinstance(part.get(name, ""), str) for name in ("place", "word")):
        return {name: whole(part.get(name, "")) for name in ("place", "word")}
    raise Malformed("Each part of value is a text, or an object with place and word.")


def _lines(lines: Any) -> Mapping[str, str | None] | None:
    if lines is None:
        return None
    if not isinstance(lines, dict) or not all(isinstance(text, str | None) for text in lines.values()):
        raise Malformed("lines is an object of texts, or null for a line left out.")
    return {whole(name): None if text is None else whole(text) for name, text in lines.items()}
