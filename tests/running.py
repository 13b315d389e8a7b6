"""The whole program, running for real: web, Rasa, actions, worker and a mail sink on ports of their own."""

from __future__ import annotations

import email
import email.policy
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
import weakref
from collections.abc import Callable, Mapping
from datetime import timedelta
from email.message import EmailMessage
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import psutil

from bot.bootstrap import Application, build
from bot.core.journeys import Route
from bot.settings import ROOT, Settings, load
from bot.supervisor.demo import PASSPHRASE, PATIENT
from bot.supervisor.environment import write_env

START_SECONDS = 480.0  # generous: a loaded machine is slow, and one that is stuck is still found

STOP_SECONDS = 120.0


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(holds: Callable[[], Any], seconds: float = 30.0, what: str = "it") -> Any:
    """Wait until `holds()` gives something true, and return that. Fails with `what` when time is up."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = holds()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{what} did not happen within {seconds:.0f} s")


class Stack:
    """`kat run` as a child process in a folder of its own."""

    def __init__(self, folder: Path, **overrides: str) -> None:
        self.folder = folder
        self.log = folder / "run.log"
        env_file = folder / ".env"
        write_env(env_file)
        ports = {f"KAT_{name}_PORT": str(free_port()) for name in ("WEB", "RASA", "ACTIONS", "SINK")}
        self.environment = {"KAT_ENV_FILE": str(env_file), "KAT_DATA_DIR": str(folder / "var"), **ports}
        self.environment |= {"KAT_REQUESTS_PER_MINUTE": "100000", "KAT_SIGN_INS_PER_MINUTE": "10000", **overrides}
        self.process: subprocess.Popen[bytes] | None = None

    @cached_property
    def settings(self) -> Settings:
        return load(self.environment, Path(self.environment["KAT_ENV_FILE"]))

    @cached_property
    def application(self) -> Application:
        """The same services over the same database, for looking at what became of a conversation."""
        return build(self.settings)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.settings.web_port}"

    def start(self) -> Stack:
        """Start and wait until everything is healthy; what does not get there is stopped again."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bot.cli", "run"], cwd=ROOT, stdout=output, stderr=output,
                env=os.environ | self.environment, start_new_session=True,
            )  # fmt: skip
        try:
            wait_until(self._started, START_SECONDS, "the start of all processes")
        except BaseException:
            self.stop()
            raise
        return self

    def _started(self) -> bool:
        assert self.process is not None
        text = self.log.read_text(errors="replace")
        if self.process.poll() is not None:
            raise AssertionError(f"kat run ended with {self.process.returncode}:\n{text[-3000:]}")
        return "Ctrl-C stops everything" in text

    def stop(self) -> int:
        """Ctrl-C, and wait; what does not end is killed. Returns the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def kill(self, name: str) -> None:
        """`kill -9` one process (web, rasa, actions or worker), with its children; the supervisor starts it again."""
        for process in self.processes(name):
            for child in (*process.children(recursive=True), process):
                child.kill()

    def family(self) -> list[psutil.Process]:
        """`kat run` and every process below it."""
        assert self.process is not None
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def processes(self, name: str) -> list[psutil.Process]:
        assert self.process is not None
        children = psutil.Process(self.process.pid).children()
        wanted = ["rasa", "run"] if name == "rasa" else ["bot.cli", name]
        return [c for c in children if c.is_running() and " ".join(wanted) in " ".join(c.cmdline())]

    def mails(self) -> list[EmailMessage]:
        """All e-mails that the sink received."""
        found = sorted((self.folder / "var/mail").glob("*.eml"), key=lambda path: path.stat().st_mtime)
        messages = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in found]
        return [message for message in messages if isinstance(message, EmailMessage)]

    def invite(
        self,
        first_name: str = "Ida",
        hours_since_journey: float | None = 48,
        next_journey_in_hours: float | None = None,
        **facts: Any,
    ) -> Visitor:
        """A new invented patient, through invitation and consent over HTTP; returns their client, in the journal.

        The journeys come after the consent, which is not taken within a day of a dose.
        """
        from tests.builders import journey_ended

        coach = next(m.id for m in self.staff() if "coach" in m.roles)
        made = self.application.access.invite(
            first_name=first_name, last_name="Vale", phone="555-0177", coach_id=coach, **facts
        )
        self.application.access.set_flags(made.patient_id, parts_work_ok=True, body_work_ok=True)
        visitor = Visitor(self.address, f"{uuid.uuid4().hex[:10]}@example.com", made.patient_id)
        visitor.accept(made.token)
        if hours_since_journey is not None:
            journey_ended(self.application, made.patient_id, hours_since_journey)
        if next_journey_in_hours is not None:
            at = self.application.clock() + timedelta(hours=next_journey_in_hours)
            self.application.access.schedule_journey(made.patient_id, Route.sublingual, at)
        visitor.open()
        return visitor

    def staff(self) -> list[Any]:
        with self.application.uow() as tx:
            return tx.staff()

    def sign_in(self, address: str) -> Visitor:
        """A client signed in as one of the invented people."""
        visitor = Visitor(self.address, address)
        visitor.sign_in()
        return visitor

    def demo_patient(self) -> Visitor:
        return self.sign_in(PATIENT)


class Visitor:
    """One person's browser as far as HTTP goes: a cookie jar and the CSRF token."""

    def __init__(self, address: str, email_address: str, patient_id: str = "") -> None:
        self.email, self.patient_id = email_address, patient_id
        self.http = httpx.Client(base_url=address, timeout=30.0, follow_redirects=True)
        weakref.finalize(self, self.http.close)
        self.said: list[dict[str, Any]] = []
        self._token = ""

    @property
    def token(self) -> str:
        """The session's CSRF token; signing in begins another session."""
        if not self._token:
            self._token = str(self.http.get("/api/v1/session").json()["csrf_token"])
        return self._token

    def sign_in(self) -> None:
        answer = self.post("/api/v1/session", email=self.email, passphrase=PASSPHRASE)
        assert answer.status_code == 200, answer.text
        self._token = ""

    def post(self, path: str, **body: Any) -> httpx.Response:
        return self.http.post(path, json=body, headers={"X-CSRFToken": self.token})

    def form(self, path: str, **fields: Any) -> httpx.Response:
        return self.http.post(path, data={**fields, "csrf_token": self.token})

    def accept(self, token: str) -> None:
        """Take the invitation and answer every onboarding text."""
        path = f"/invitation/{token}"
        self.form(path, email=self.email, passphrase=PASSPHRASE, again=PASSPHRASE)
        self._token = ""
        while (page := self.http.get("/consent", follow_redirects=False)).status_code == 200:
            step = page.text.split('name="step" value="')[1].split('"')[0]
            offered = re.findall(r'name="answer" value="(\w+)"', page.text)
            answer: Any = ["call", "text"] if step == "ob_contact" else "yes" if "yes" in offered else offered[0]
            fields = {"step": step, "answer": answer, "csrf_token": self.token}
            self.http.post("/consent", data=fields, follow_redirects=False)

    def open(self) -> None:
        """Go to the journal, as if the page were loaded."""
        assert self.http.get("/journal").status_code == 200
        self.messages()

    def messages(self, after: int = 0) -> list[dict[str, Any]]:
        """The page of messages after a number; it also tells this client which control is current."""
        answer = self.http.get("/api/v1/messages", params={"after": after, "limit": 100})
        assert answer.status_code == 200, answer.text
        found = answer.json()["messages"]
        if found and (not self.said or found[-1]["seq"] > self.said[-1]["seq"]):
            self.said = found
        return list(found)

    @property
    def control(self) -> Mapping[str, Any] | None:
        """The control of the newest prompt."""
        controls = [m["control"] for m in self.said if m["from"] == "assistant" and m["control"]]
        return controls[-1] if controls else None

    def say(self, text: str, client_id: str | None = None) -> list[dict[str, Any]]:
        """Type a message; returns the replies."""
        return self._send({"text": text}, client_id)

    def post_text(self, text: str) -> list[dict[str, Any]]:
        """Send a text as a browser would encode it, halves of character pairs included; returns the replies."""
        body = json.dumps({"client_id": uuid.uuid4().hex, "text": text})
        headers = {"X-CSRFToken": self.token, "Content-Type": "application/json"}
        answer = self.http.post("/api/v1/messages", content=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["replies"])

    def choose(self, value: Any, *, lines: Mapping[str, str | None] | None = None, text: str = "") -> Any:
        """Answer the current control."""
        control = self.control
        assert control is not None
        label = next((o["label"] for o in control["options"] if o["value"] == value), text or str(value))
        return self._send({"text": label, "control_id": control["id"], "value": value, "lines": lines}, None)

    def _send(self, body: dict[str, Any], client_id: str | None) -> list[dict[str, Any]]:
        body = {key: value for key, value in body.items() if value is not None}
        answer = self.post("/api/v1/messages", client_id=client_id or uuid.uuid4().hex, **body)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        self.said += [found["message"], *found["replies"]]
        return list(found["replies"])

    def texts(self) -> str:
        """All that the assistant said, for looking for a sentence in it."""
        return "\n".join(m["text"] for m in self.said if m["from"] == "assistant")
