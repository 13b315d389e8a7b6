"""Training Rasa, only when something that it learns from changed."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

from bot.settings import ROOT

RASA_PYTHON = ROOT / ".venv-rasa/bin/python"
MODELS = ROOT / "models"
LEARNED_FROM = (
    "config.yml", "domain.yml", "data/nlu", "data/rules", "data/responses", "data/steering", "bot/rasa_ext",
    "bot/adapters/language/sentences.py", "bot/adapters/language/encoder.py",
)  # fmt: skip
KEPT_MODELS = 2
NO_RASA = "the environment of Rasa (.venv-rasa) is missing or has lost its Python; run `make bootstrap`."


class TrainingFailed(RuntimeError):
    """Rasa could not be trained. The message says where its words are."""


def content_hash() -> str:
    """A short hash of everything that a trained model depends on."""
    digest = hashlib.sha256()
    for name in LEARNED_FROM:
        path = ROOT / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def model_path() -> Path:
    """Where the model for the present content is, or would be."""
    return MODELS / f"{content_hash()}.tar.gz"


def train(*, force: bool = False) -> Path:
    """Train when stale and return the model. Raises TrainingFailed."""
    path = model_path()
    if path.exists() and not force:
        return path
    if not RASA_PYTHON.exists():
        raise TrainingFailed(NO_RASA)
    MODELS.mkdir(exist_ok=True)
    passed = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = passed | {
        "PYTHONPATH": str(ROOT),
        "RASA_TELEMETRY_ENABLED": "false",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "KAT_ACTIONS_PORT": "5055",
        "KAT_ACTION_SECRET": "unused-in-training",
        "KAT_CHANNEL_SECRET": "unused-in-training",
        "KAT_TRACKER_PATH": ":memory:",
    }
    name = path.name.removesuffix(".tar.gz")
    log = MODELS / "training.log"
    command = [str(RASA_PYTHON), "-m", "rasa", "train", "--fixed-model-name", name, "--out", str(MODELS)]
    with log.open("w") as output:
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=output, stderr=output, check=False)  # noqa: S603
    if done.returncode != 0 or not path.exists():
        raise TrainingFailed(f"Rasa could not be trained; models/{log.name} says why.")
    for old in sorted(MODELS.glob("*.tar.gz"), key=lambda model: model.stat().st_mtime)[:-KEPT_MODELS]:
        old.unlink()
    return path
