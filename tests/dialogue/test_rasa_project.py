"""The Rasa project as Rasa itself sees it: it validates, and a developer can talk to it in a terminal."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from bot.settings import ROOT
from bot.supervisor.environment import rasa_environment
from bot.supervisor.training import RASA_PYTHON
from tests.dialogue.test_whole_sitting import state_of
from tests.running import Stack

START_SECONDS = 270.0
MEANT = (
    "The intent 'priority' is listed in the domain file, but is not found in the NLU training data",  # never guessed
    "The following duplicated intents have been found across multiple domain files: faq",  # Rasa adds retrieval intents
)


def test_rasa_data_validate_is_clean(stack: Stack) -> None:
    command = [str(RASA_PYTHON), "-m", "rasa", "data", "validate", "--fail-on-warnings"]
    done = subprocess.run(
        command, cwd=ROOT, env=rasa_environment(stack.settings), capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    warned = [line for line in said.splitlines() if "UserWarning" in line]
    assert [line for line in warned if not any(words in line for words in MEANT)] == []
    assert done.returncode == 0, said[-3000:]


class Terminal:
    """A terminal with `kat shell` in it, as a developer has."""

    def __init__(self, stack: Stack, email: str) -> None:
        master, slave = pty.openpty()
        self.master, self.seen = master, ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bot.cli", "shell", "--email", email], cwd=ROOT, stdin=slave, stdout=slave,
            stderr=slave, env=os.environ | stack.environment | {"TERM": "dumb"}, start_new_session=True,
        )  # fmt: skip
        os.close(slave)

    def wait_for(self, words: str, seconds: float = START_SECONDS) -> None:
        until = time.monotonic() + seconds
        while words not in self.seen and time.monotonic() < until:
            ready, _, _ = select.select([self.master], [], [], 1.0)
            if ready:
                data = os.read(self.master, 4096).decode(errors="replace")
                self.seen += data
                if "\x1b[6n" in data:  # the line editor asks where the cursor is
                    os.write(self.master, b"\x1b[1;1R")
        assert words in self.seen, self.seen[-2000:]

    def type(self, line: str) -> None:
        time.sleep(1.0)
        self.seen = ""
        os.write(self.master, line.encode() + b"\r")

    def close(self) -> None:
        os.killpg(self.process.pid, 9)
        self.process.wait()
        os.close(self.master)


@pytest.fixture
def terminal(stack: Stack) -> Iterator[Terminal]:
    visitor = stack.invite()
    made = Terminal(stack, visitor.email)
    made.patient = visitor  # type: ignore[attr-defined]
    yield made
    made.close()


def test_a_developer_talks_to_rasa_in_a_terminal(stack: Stack, terminal: Terminal) -> None:
    terminal.wait_for("Your input")
    terminal.type("ok")
    terminal.wait_for("needs a person")
    terminal.wait_for("Your input")
    terminal.type("no, not today")
    terminal.wait_for("Steady, open, connected")
    assert state_of(stack, terminal.patient)["frames"][-1]["step"] == "ar_ladder"  # type: ignore[attr-defined]
