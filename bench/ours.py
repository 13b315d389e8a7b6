"""This assistant whole, on ports and a data folder of its own, and patients who talk to it as the page does."""

from __future__ import annotations

import itertools
import os
import random
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
from flask import Flask
from sqlalchemy.orm import Session

from bench.measure import Turn
from bench.processes import BenchError, Running, answers, free_ports
from bot.adapters.sql.migrate import upgrade
from bot.adapters.sql.tables import User
from bot.bootstrap import Application, build
from bot.core.journeys import Route
from bot.settings import ROOT, load
from bot.supervisor import training
from bot.supervisor.demo import PASSPHRASE, seed
from bot.supervisor.environment import write_env
from bot.web.accounts import new_user
from bot.web.app import create_app

SINCE_JOURNEY = timedelta(days=10)
PORTS = ("web", "rasa", "actions", "sink")
SORRY = "I've kept what you wrote"  # how a reply begins that Rasa or an action could not give
LEADS_AWAY = frozenset(  # from writing, towards people, or out of the sitting
    "person person_now tell letter lot special ground short stop close fresh later discard".split()
)
WORDS = (
    "A wide green field, and my hands looked very large in it.",
    "I kept hearing the same three notes, like someone practicing in the next room, and it was oddly comforting.",
    "Warm, mostly in my chest, then it moved into my arms and I noticed that I was holding my breath a little.",
    "There is a part of me that checks every door twice. It seems tired, and I think that it has done this for years.",
    "Not sure yet.",
    "My brother called on Sunday and for once I did not tidy up while we talked. We just talked about the boat we had "
    "and how the paint came off on our shirts, and I noticed afterwards that my jaw was loose.",
    "The kettle, the light on the wall, the dog breathing.",
    "I would like to remember that I can go slowly.",
    "It felt as if the careful part stepped back a little and watched from the window.",
    "Something about the color blue, and the word enough.",
)
UNLIMITED = "1000000"
NOTES = itertools.count(1)
SESSION = "/api/v1/session"


class Ours:
    """The assistant with fresh keys and a fresh data folder."""

    def __init__(self, folder: Path, mail: bool = False) -> None:
        """`mail` brings the development mail server up, for patients who raise alerts."""
        self._folder = folder
        ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        os.environ |= {
            "KAT_ENV_FILE": str(folder / "env"),
            "KAT_DATA_DIR": str(folder),
            "KAT_MAIL_URL": "" if mail else "json://127.0.0.1:9",
            "KAT_REQUESTS_PER_MINUTE": UNLIMITED,  # all patients share one address here
            "KAT_SIGN_INS_PER_MINUTE": UNLIMITED,
            **{f"KAT_{name.upper()}_PORT": str(port) for name, port in ports.items()},
        }
        write_env()
        self._settings = load()
        self._app: Application | None = None
        self._coach: int | None = None

    def train(self) -> tuple[Path, float]:
        """Train from nothing, beside the project's own models. Returns the model and the seconds."""
        begun = time.perf_counter()
        with mock.patch.object(training, "MODELS", self._folder / "models"):
            return training.train(), time.perf_counter() - begun

    def prepare(self, patients: int) -> list[Patient]:
        """The database, the clinic's people of the demonstration, and patients ten days after a journey."""
        upgrade(self._settings.database)
        self._app = build(self._settings)
        seed(self._app)
        with self._app.uow() as tx:
            self._coach = next(member.id for member in tx.staff() if "coach" in member.roles)
        flask = create_app(self._app)
        with flask.app_context():
            return [self._patient(flask, number) for number in range(patients)]

    @contextmanager
    def started(self, model: Path, patient: Patient) -> Iterator[tuple[Running, float]]:
        """Run all processes, giving them with the seconds from start to the first reply, to this patient."""
        settings = self._settings
        probes = (
            f"http://127.0.0.1:{settings.web_port}/readyz",
            f"http://127.0.0.1:{settings.rasa_port}/webhooks/clinic/",
            f"http://127.0.0.1:{settings.actions_port}/health",
        )
        command = [sys.executable, "-m", "bench.stack", str(model)]
        with Running(command, os.environ, ROOT, self._folder / "run.log") as running:
            running.wait_until(lambda: all(answers(probe) for probe in probes))
            patient.turn()
            yield running, time.perf_counter() - running.begun

    def _patient(self, flask: Flask, number: int) -> Patient:
        access, now = self.app.access, self.app.clock()
        invited = access.invite(first_name="Rae", last_name="Lind", phone="555-0142", coach_id=self._coach)
        email = f"patient{number}@example.com"
        access.accept(invited.token, new_user(flask, email, PASSPHRASE, "Rae", ["patient"]))
        while (step := access.next_consent(invited.patient_id)) is not None:
            access.record_consent(invited.patient_id, str(step["id"]), "yes")
        ended = now - SINCE_JOURNEY
        access.schedule_journey(
            invited.patient_id, Route.sublingual, ended, dose_ended_at=ended, discharged_at=ended + timedelta(hours=1)
        )
        access.set_flags(invited.patient_id, parts_work_ok=True, body_work_ok=True)
        return Patient(self._settings.web_port, email, number)

    def check_calm(self) -> None:
        """Raises BenchError when an invented patient's words raised an alert: then other things were measured."""
        with self.app.uow() as tx:
            alerts = tx.alerts()
        if alerts:
            raise BenchError(f"{len(alerts)} alerts were raised, the first for {alerts[-1].reason}")

    @property
    def mail_folder(self) -> Path:
        """Where the development mail server keeps what it received."""
        return self._settings.data_path / "mail"

    def references(self, emails: Sequence[str]) -> dict[str, str]:
        """The reference of each patient's alert, by the address they sign in with."""
        with Session(self.app.database) as session:
            users = {row.email: row.id for row in session.query(User).filter(User.email.in_(emails))}
        found = {}
        for address, user_id in users.items():
            patient = self.app.access.patient_of_user(user_id)
            with self.app.uow() as tx:
                found[address] = next(alert.reference for alert in tx.alerts(patient_id=patient.id))
        return found

    @property
    def app(self) -> Application:
        """The services, over the same database as the running processes."""
        assert self._app is not None
        return self._app


class Patient:
    """One patient at the page: taps what is offered, writes where words are asked for, begins the next sitting."""

    def __init__(self, port: int, email: str, number: int) -> None:
        self.email = email
        self._random = random.Random(number)  # noqa: S311
        self._words = itertools.cycle(WORDS[number % len(WORDS) :] + WORDS[: number % len(WORDS)])
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60.0)
        self._control: Mapping[str, Any] | None = None

    def turn(self) -> Turn:
        """Answer what is asked and wait for the replies. Signing in is not in its time."""
        if self._control is None:
            self.sign_in()
        assert self._control is not None
        body = {"client_id": uuid.uuid4().hex} | self._answer(self._control)
        begun = time.perf_counter()
        response = self._http.post("/api/v1/messages", json=body)
        took = time.perf_counter() - begun
        replies = response.raise_for_status().json()["replies"]
        self._control = _control_of(replies)
        if self._control is None or any(reply["text"].startswith(SORRY) for reply in replies):
            raise BenchError(f"no real answer to {body}")
        return Turn(seconds=took, wrote="control_id" not in body)

    def say(self, text: str) -> None:
        """Write this text, whatever is asked, and wait for the replies."""
        self._http.post("/api/v1/messages", json={"client_id": uuid.uuid4().hex, "text": text}).raise_for_status()

    def sign_in(self) -> None:
        """Sign in and look at what is asked."""
        account = {"email": self.email, "passphrase": PASSPHRASE}
        for body in (None, account):
            answer = self._http.get(SESSION) if body is None else self._http.post(SESSION, json=body)
            self._http.headers["X-CSRFToken"] = answer.raise_for_status().json()["csrf_token"]
        page = self._http.get("/api/v1/messages").raise_for_status()
        self._control = _control_of(page.json()["messages"])

    def _answer(self, control: Mapping[str, Any]) -> dict[str, Any]:
        kind = control["type"]
        if kind in ("text", "short_text"):
            return {"text": f"{next(self._words)} Note {next(NOTES)}."}  # no text twice: readings are remembered
        value = VALUES[kind](control, self._random)
        return {"control_id": control["id"], "value": value, "text": str(value)}


def _choice(control: Mapping[str, Any], rnd: random.Random) -> Any:
    values = [option["value"] for option in control["options"]]
    if control["safety"] and "no" in values:
        return "no"
    calm = [value for value in values if value not in LEADS_AWAY]
    return rnd.choice(calm or values[-1:] or ["the field"])


VALUES: Mapping[str, Callable[[Mapping[str, Any], random.Random], Any]] = {
    "none": lambda _, __: "continue",
    "scale": lambda _, __: 4,
    "choice": _choice,
    "multi": lambda control, _: [option["value"] for option in control["options"][:2]],
    "part": lambda _, rnd: rnd.choice(["the Clerk", "the Watcher", "the Careful One"]),
    "body": lambda control, rnd: [{"place": rnd.choice(control["options"])["value"], "word": "warm"}],
    "summary": lambda _, rnd: rnd.choice(["share", "private"]),
}


def _control_of(messages: list[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The control awaiting an answer, or None after the last goodbye."""
    return next((message["control"] for message in reversed(messages) if message["control"]), None)
