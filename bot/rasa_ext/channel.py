"""The only door into Rasa: the gateway, with a shared secret, over loopback.

Text of patients can never become a command to Rasa: a leading slash is set apart before Rasa reads it. A turn begun is
finished even when the gateway has stopped waiting.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from rasa.core.channels.channel import CollectingOutputChannel, InputChannel, UserMessage
from sanic import Blueprint, Request, response
from sanic.response import HTTPResponse

from bot.core.safety.verdict import verdict_from_json
from bot.rasa_ext.answers import check_schema_once
from bot.rasa_ext.policy import PRIORITY

MOST_BYTES = 400_000
TURN_SECONDS = 10.0
METADATA = ("message_id", "verdict", "control_id", "value", "lines")


class ClinicInput(InputChannel):
    """Takes `{sender, message_id, text, verdict, control_id, value, lines}` and answers `{replies: […]}`."""

    @classmethod
    def name(cls) -> str:
        return "clinic"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> ClinicInput:
        return cls(str((credentials or {}).get("secret", "")))

    def __init__(self, secret: str) -> None:
        if len(secret) < 16:
            raise ValueError("KAT_CHANNEL_SECRET must be set to at least 16 characters")
        self._secret = secret
        check_schema_once()

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """The routes of the channel."""
        routes = Blueprint("clinic_channel")

        @routes.get("/")
        async def health(_: Request) -> HTTPResponse:
            return response.json({"status": "ok"})

        @routes.post("/webhook")
        async def receive(request: Request) -> HTTPResponse:
            given = request.headers.get("X-Channel-Secret", "")
            if not hmac.compare_digest(given.encode(), self._secret.encode()):
                return response.json({"error": "forbidden"}, status=403)
            if len(request.body) > MOST_BYTES:
                return response.json({"error": "too long"}, status=413)
            body = request.json
            if not isinstance(body, dict) or not body.get("sender") or not isinstance(body.get("text"), str):
                return response.json({"error": "sender and text are needed"}, status=422)
            collector = CollectingOutputChannel()
            text, metadata = text_for_rasa(body["text"]), {key: body.get(key) for key in METADATA}
            message = UserMessage(
                text,
                collector,
                str(body["sender"]),
                parse_data=reading_of_a_tap(text, metadata),
                input_channel=self.name(),
                metadata=metadata,
            )
            turn = asyncio.ensure_future(on_new_message(message))
            try:
                await asyncio.wait_for(asyncio.shield(turn), TURN_SECONDS)
            except asyncio.TimeoutError:
                return response.json({"error": "the turn takes too long"}, status=504)
            replies = [reply.get("custom") or {"text": reply.get("text", "")} for reply in collector.messages]
            if not replies:
                return response.json({"error": "no reply"}, status=502)
            return response.json({"replies": replies})

        return routes


def text_for_rasa(text: str) -> str:
    """The text with nothing in it that Rasa would obey: a leading slash set apart, never empty."""
    plain = text.lstrip()
    if plain.startswith("/"):
        return "\u2044 " + plain[1:]
    return plain or "-"


def reading_of_a_tap(text: str, metadata: Mapping[str, Any]) -> dict[str, Any] | None:
    """What Rasa needs to know of a tap, in the shape of its NLU's result; None where there are words to be read.

    Words typed along with a tap were assessed by the gateway: its verdict says whether they come first.
    """
    if not metadata.get("control_id"):
        return None
    verdict = metadata.get("verdict")
    first = PRIORITY if verdict and verdict_from_json(verdict).interrupts else "inform"
    intent = {"name": first, "confidence": 1.0}
    return {"text": text, "intent": intent, "intent_ranking": [intent], "entities": [], "metadata": dict(metadata)}
