"""The only door into Rasa: the gateway, with a shared secret, over loopback.

Text of patients can never become a command to Rasa: a leading slash is set apart before Rasa reads it. A turn begun is
finished even when the gateway has stopped waiting.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from typing import Any

from rasa.core.channels.channel import CollectingOutputChannel, InputChannel, UserMessage
from sanic import Blueprint, Request, response
from sanic.response import HTTPResponse

MOST_BYTES = 400_000
TURN_SECONDS = 10.0


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
            message = UserMessage(
                text_for_rasa(body["text"]),
                collector,
                str(body["sender"]),
                input_channel=self.name(),
                metadata={key: body.get(key) for key in ("message_id", "verdict", "control_id", "value", "lines")},
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
