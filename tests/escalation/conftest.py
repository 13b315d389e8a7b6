"""A clinic with real workers, a real SMTP server and a real webhook receiver, and a clock that can be moved."""

from __future__ import annotations

import email
import email.policy
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from bot.adapters.sql.tables import Base
from bot.bootstrap import Application
from bot.core.escalation import AlertStatus
from bot.core.people import Patient, StaffMember
from bot.core.safety.verdict import Level
from bot.settings import ROOT
from tests import builders
from tests.escalation.nursery import make
from tests.running import free_port, wait_until


class Mailbox:
    """Everything that arrived, by e-mail or by webhook, as (person, subject, body)."""

    def __init__(self) -> None:
        self.received: list[tuple[str, str, str]] = []
        self.refusing = False  # what the receivers answer while True: no

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.refusing:
            return "451 try again later"
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        body = parsed.get_body(("plain",))  # type: ignore[attr-defined]
        self.received.append((envelope.rcpt_tos[0].split("@")[0], str(parsed["subject"]), body.get_content()))
        return "250 OK"


class Hook(BaseHTTPRequestHandler):
    """Takes what Apprise posts to json://host:port/PERSON."""

    box: Mailbox

    def do_POST(self) -> None:
        posted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        refused = self.box.refusing or self.path.startswith("/broken")
        if not refused:
            self.box.received.append((self.path.strip("/"), posted["title"], posted["message"]))
        self.send_response(503 if refused else 200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None: ...


class Clinic:
    """The clinic's services in this process, over the same database as the workers."""

    def __init__(self, folder: Path, workers: int, database_url: str = "") -> None:
        self.folder, self.box = folder, Mailbox()
        (folder / "clock").write_text("0")
        self.mail = Controller(self.box, hostname="127.0.0.1", port=free_port())
        self.mail.start()
        handler = type("OurHook", (Hook,), {"box": self.box})
        self.hooks = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.hooks.serve_forever, daemon=True).start()
        self.app: Application = make(folder, self.mail.port, database_url)
        Base.metadata.create_all(self.app.database)
        self.staff = builders.clinic_staff(self.app)
        command = [sys.executable, "-m", "tests.escalation.nursery", str(folder), str(self.mail.port), database_url]
        self.nursery = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert self.nursery.stdout is not None
        assert self.nursery.stdout.readline() == "ready\n"
        self.workers = [self.spawn("worker") for _ in range(workers)]
        self.settle()

    def spawn(self, *what: str) -> int:
        """Start a worker or a writer; returns its process id."""
        assert self.nursery.stdin is not None
        assert self.nursery.stdout is not None
        self.nursery.stdin.write(" ".join(what) + "\n")
        self.nursery.stdin.flush()
        while not (line := self.nursery.stdout.readline().strip()).isdigit():
            assert self.nursery.poll() is None
        return int(line)

    def move(self, **by: float) -> None:
        """Move everyone's clock, and let the workers see it."""
        moved = float((self.folder / "clock").read_text()) + timedelta(**by).total_seconds()
        (self.folder / "clock.new").write_text(str(moved))
        (self.folder / "clock.new").replace(self.folder / "clock")
        self.settle()

    def move_to(self, moment: datetime) -> None:
        self.move(seconds=(moment - self.app.clock()).total_seconds())

    def settle(self) -> None:
        """Wait until the workers have done all that was due by now, and have gone round since."""
        now = self.app.clock()

        def done() -> bool:
            with self.app.uow() as tx:  # one look at all of it: what an alert owes is owed as its step is taken
                due = tx.due_alerts(now) or tx.oldest_owed(self.app.clock())
                beat = tx.last_beat("worker")
            return beat is not None and beat >= now + timedelta(seconds=1.2) and not due

        wait_until(done, 180, "all that was due")

    def patient(self) -> Patient:
        return builders.patient(self.app, None)

    def paged(self) -> list[str]:
        return [who for who, subject, _ in self.box.received if "journal alert" in subject]

    def raise_alert(self, patient: Patient, level: Level = Level.emergency, *categories: str, **facts: Any) -> str:
        with self.app.uow() as tx:
            return self.app.escalation.raise_alert(
                tx, patient, level=level, categories=categories or ("suicide",), reason="test", **facts
            ).id

    def hook(self, person: StaffMember, path: str, delay: int = 0) -> tuple[str, str, int]:
        """A channel of this person by webhook."""
        return (path, f"json://127.0.0.1:{self.hooks.server_port}/{path}", delay)

    def fresh(self) -> None:
        """Close what other stories left open, and empty the mailbox."""
        self.box.refusing = False
        with self.app.uow() as tx:
            left = [alert.id for alert in tx.alerts(unresolved=True)]
            for alert_id in left:
                alert = tx.alert(alert_id, lock=True)
                assert alert is not None
                tx.put_alert(replace(alert, status=AlertStatus.resolved, due_at=None, cleared_at=self.app.clock()))
                tx.drop_waiting(alert_id)
        for member in self.staff.values():
            self.app.rota.set_channels(None, member.id, [])
        self.settle()
        self.box.received.clear()

    def kill(self, process: int, number: int = signal.SIGKILL) -> None:
        try:
            os.kill(process, number)
        except ProcessLookupError:
            return
        for _ in range(200):
            try:
                os.kill(process, 0)
            except ProcessLookupError:
                return
            time.sleep(0.01)

    def stop(self) -> None:
        for process in self.workers:
            self.kill(process)
        assert self.nursery.stdin is not None
        self.nursery.stdin.close()
        self.nursery.wait(120)
        assert self.nursery.stdout is not None
        self.nursery.stdout.close()
        self.hooks.shutdown()
        self.hooks.server_close()
        self.mail.stop()
        self.app.database.dispose()


@pytest.fixture(scope="session")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """Two real workers, for all stories."""
    clinic = Clinic(tmp_path_factory.mktemp("night"), workers=2)
    yield clinic
    clinic.stop()


@pytest.fixture
def clinic(night: Clinic) -> Clinic:
    night.fresh()
    return night
