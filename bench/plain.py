"""The plain bot: the starter that the installed Rasa makes, with its REST channel and an SQL tracker store."""

from __future__ import annotations

import itertools
import os
import sqlite3
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx

from bench.measure import Turn
from bench.processes import BenchError, Running, answers, free_ports, rasa_command
from bot.supervisor.environment import PASSED_ON

SAYS = (
    "hello", "I feel sad", "yes", "goodbye",
    "good evening", "I am feeling great today", "see you later",
    "hi there", "so disappointed with myself", "not really", "bye",
    "are you a bot?",
)  # fmt: skip
STORE = """
tracker_store:
  type: SQL
  dialect: sqlite
  db: {path}
"""


class PlainBot:
    """The starter bot in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._store = folder, folder / "tracker.sqlite3"
        self._port = free_ports(1)[0]
        self._environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ} | {
            "RASA_TELEMETRY_ENABLED": "false",
            "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "LOG_LEVEL": "WARNING",
        }

    def train(self) -> float:
        """Have Rasa make its starter and train it, unless an earlier run did. Returns the seconds of `rasa train`."""
        taken = self._folder / "training-seconds"
        if not taken.exists():
            self._folder.mkdir(parents=True)
            make = "import sys; from rasa.cli.scaffold import create_initial_project as make; make(sys.argv[1])"
            self._run([rasa_command()[0], "-c", make, str(self._folder)])
            begun = time.perf_counter()
            self._run(rasa_command("train"))
            taken.write_text(str(time.perf_counter() - begun), encoding="utf-8")
        return float(taken.read_text(encoding="utf-8"))

    @contextmanager
    def started(self) -> Iterator[tuple[Running, float]]:
        """Run it, giving it with the seconds from start to the first reply."""
        self._store.unlink(missing_ok=True)
        (self._folder / "endpoints.yml").write_text(STORE.format(path=self._store), encoding="utf-8")
        command = rasa_command("run", "--interface", "127.0.0.1", "--port", str(self._port))
        with Running(command, self._environment, self._folder, self._folder / "run.log") as running:
            running.wait_until(lambda: answers(f"http://127.0.0.1:{self._port}/"))
            self.sender().turn()
            yield running, time.perf_counter() - running.begun

    def sender(self) -> Sender:
        """A new conversation."""
        return Sender(self._port, uuid.uuid4().hex)

    def aged_sender(self, turns: int) -> Sender:
        """A conversation with so many turns behind it.

        To talk five hundred turns with it takes minutes, so its store is given what they would have left there: the
        events of one round of SAYS, again and again.
        """
        round_ = self.sender()
        for _ in SAYS:
            round_.turn()
        aged = self.sender()
        with closing(sqlite3.connect(self._store, timeout=30)) as store, store:
            columns = "type_name, timestamp, intent_name, action_name, data"
            rows = store.execute(
                f"SELECT {columns} FROM events WHERE sender_id = ? ORDER BY id",  # noqa: S608
                (round_.id,),
            ).fetchall()
            first = next(place for place, row in enumerate(rows) if row[0] == "user")
            for row in rows[:first] + rows[first:] * (turns // len(SAYS)):
                store.execute(
                    f"INSERT INTO events (sender_id, {columns}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608
                    (aged.id, *row),
                )
        return aged

    def _run(self, command: list[str]) -> None:
        log = self._folder / "training.log"
        with log.open("a") as output:
            done = subprocess.run(  # noqa: S603
                command, cwd=self._folder, env=self._environment, stdout=output, stderr=output, check=False
            )
        if done.returncode != 0:
            raise BenchError(f"the plain bot could not be made; {log} says why")


class Sender:
    """One conversation with the plain bot, going round SAYS."""

    def __init__(self, port: int, sender: str) -> None:
        self.id = sender
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60.0)
        self._says = itertools.cycle(SAYS)

    def turn(self) -> Turn:
        """Say the next thing and wait for the replies."""
        body = {"sender": self.id, "message": next(self._says)}
        begun = time.perf_counter()
        response = self._http.post("/webhooks/rest/webhook", json=body)
        took = time.perf_counter() - begun
        response.raise_for_status()
        return Turn(seconds=took)
