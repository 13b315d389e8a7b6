"""The gateway's side of Rasa's channel: one request a turn, over loopback, with the shared secret."""

from __future__ import annotations

import httpx

from bot.core.journal import Message
from bot.core.safety.verdict import Verdict
from bot.services.ports import EngineUnavailable


class RasaEngine:
    """Posts a message to Rasa; its actions keep what they say in the clinic's database. Thread-safe."""

    def __init__(self, port: int, secret: str, seconds: float) -> None:
        self._url = f"http://127.0.0.1:{port}/webhooks/clinic/webhook"
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=32)
        self._client = httpx.Client(headers={"X-Channel-Secret": secret}, timeout=seconds, limits=limits)

    def turn(self, conversation_id: str, message: Message, verdict: Verdict) -> None:
        """Take one turn. Raises EngineUnavailable when Rasa does not answer, in time, with success."""
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
            self._client.post(self._url, json=body).raise_for_status()
        except httpx.HTTPError as error:
            raise EngineUnavailable(type(error).__name__) from error
