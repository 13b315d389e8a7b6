"""Asking the trained Rasa model what it hears in texts, in Rasa's own environment."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence

from bot.core.steering import Heard, heard_from_json
from bot.settings import ROOT
from bot.supervisor.training import RASA_PYTHON, train


def heard(texts: Sequence[str]) -> list[Heard]:
    """For each text what the model hears in it, in order. Raises RuntimeError when the model cannot be asked."""
    if not texts:
        return []
    passed = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = passed | {
        "PYTHONPATH": str(ROOT),
        "RASA_TELEMETRY_ENABLED": "false",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    }
    command = [str(RASA_PYTHON), "-m", "bot.rasa_ext.rank", str(train())]
    given = "".join(json.dumps(text) + "\n" for text in texts)
    done = subprocess.run(  # noqa: S603
        command, cwd=ROOT, env=environment, input=given, capture_output=True, text=True, check=False
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or len(lines) != len(texts):
        raise RuntimeError("the trained model could not be asked; try `kat train --force`")
    return [heard_from_json(json.loads(line)) for line in lines]
