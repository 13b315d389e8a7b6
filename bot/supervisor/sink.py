"""The development mail sink: a real SMTP server on loopback that keeps each e-mail as a file and prints one line."""

from __future__ import annotations

import email
import email.policy
import signal
import threading
import uuid
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from bot.settings import Settings


class Sink:
    """Keeps what arrives in a folder, one .eml a message."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        raw = envelope.content or b""
        content = raw if isinstance(raw, bytes) else raw.encode()
        path = self._folder / f"{uuid.uuid4().hex}.eml"
        path.with_suffix(".part").write_bytes(content)
        path.with_suffix(".part").rename(path)
        parsed = email.message_from_bytes(content, policy=email.policy.default)
        print(f"e-mail to {', '.join(envelope.rcpt_tos)}: {parsed['subject']}", flush=True)
        return "250 OK"


def serve(settings: Settings) -> None:
    """Serve until stopped."""
    folder = settings.data_path / "mail"
    folder.mkdir(parents=True, exist_ok=True)
    controller = Controller(Sink(folder), hostname="127.0.0.1", port=settings.sink_port)
    controller.start()
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    ending.wait()
    controller.stop()
