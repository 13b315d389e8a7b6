"""The gateway's side of Rasa's channel: one request a turn, over loopback, with the shared secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from bot.core.journal import Message
from bot.core.safety.verdict import Verdict
from bot.services.ports import EngineUnavailable


class RasaEngine:
    """Posts a message to Rasa and returns its replies. Thread-safe."""

    def __init__(self, port: int, secret: str, seconds: float) -> None:
        self._url = f"http://127.0.0.1:{port}/webhooks/clinic/webhook"
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=32)
        self._client = httpx.Client(headers={"X-Channel-Secret": secret}, timeout=seconds, limits=limits)

    def turn(self, conversation_id: str, message: Message, verdict: Verdict) -> list[Mapping[str, Any]]:
        """The replies of one turn. Raises EngineUnavailable when Rasa does not answer, in time, with success."""
        payload = message.payload or {}
        body = {
            "sender": conversation_id,
            "message_id": message.id,
            "text": message.text,
            "verdict": verdict.as_json(),
            "control_id": payload.get("control_id"),
            "value": payload.get("value"),
            "lines": payload.get("lines"),
        }
        try:
            response = self._client.post(self._url, json=body)
            response.raise_for_status()
            replies = response.json()["replies"]
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise EngineUnavailable(type(error).__name__) from error
        return list(replies)
