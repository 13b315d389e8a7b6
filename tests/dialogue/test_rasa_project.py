"""The Rasa project as Rasa itself sees it: it validates without a warning, and a developer can talk to it."""

from __future__ import annotations

import os
import subprocess
import sys

from bot.settings import ROOT
from bot.supervisor.environment import rasa_environment
from bot.supervisor.training import RASA_PYTHON
from tests.running import Stack


def test_rasa_data_validate_is_clean(stack: Stack) -> None:
    command = [str(RASA_PYTHON), "-m", "rasa", "data", "validate", "--fail-on-warnings"]
    done = subprocess.run(
        command, cwd=ROOT, env=rasa_environment(stack.settings), capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-3000:]
    assert "No story structure conflicts found" in said or "conflict" not in said.lower()
    assert not [line for line in said.splitlines() if "UserWarning" in line]


def test_a_developer_talks_to_rasa_in_a_terminal(stack: Stack) -> None:
    visitor = stack.invite()
    environment = os.environ | stack.environment
    done = subprocess.run(
        [sys.executable, "-m", "bot.cli", "shell", "--email", visitor.email],
        cwd=ROOT, env=environment, input="ok\nno, not today\n/stop\n", capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert "needs a person" in said, said[-3000:]
    assert done.returncode == 0
    with stack.application.uow() as tx:
        sitting = tx.sitting(visitor.patient_id)
    assert sitting is not None
    assert sitting.state["frames"][-1]["step"] == "ar_ladder"
