"""Writing a first .env, and the small environment that Rasa's process gets."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

from bot.settings import ROOT, SECRETS, Settings

LEAN = {"MALLOC_ARENA_MAX": "2", "OMP_NUM_THREADS": "1"}  # many threads that mostly wait: little memory for each
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE")


def env_path() -> Path:
    """Where the settings file lies."""
    return Path(os.environ.get("KAT_ENV_FILE", ROOT / ".env"))


def write_env(path: Path | None = None) -> str:
    """Write fresh keys to the settings file, readable by the owner only. An existing file is left alone.

    Returns what was done.
    """
    path = path or env_path()
    if path.exists():
        return f"{path.name} is already there and was not changed."
    lines = [
        "# Keys of this installation. Keep a copy of KAT_CLINIC_KEY in a safe place: without it all records are lost."
    ]
    for name in SECRETS:
        raw = os.urandom(32)
        value = base64.b64encode(raw).decode() if name.endswith("_key") else secrets.token_urlsafe(32)
        lines.append(f"KAT_{name.upper()}={value}")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return f"{path.name} was written with fresh keys."


def rasa_environment(settings: Settings) -> dict[str, str]:
    """What Rasa's process may know: its own secrets and ports; no database and no key of the clinic."""
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return (
        passed
        | LEAN
        | {
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "ignore",  # of Rasa's own dependencies; ours are errors in the tests
            "SANIC_HOST": "127.0.0.1",
            "RASA_TELEMETRY_ENABLED": "false",
            "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "LOG_LEVEL": "WARNING",
            "KAT_CHANNEL_SECRET": settings.channel_secret,
            "KAT_ACTION_SECRET": settings.action_secret,
            "KAT_TRACKER_KEY": settings.tracker_key,
            "KAT_ACTIONS_PORT": str(settings.actions_port),
            "KAT_TRACKER_PATH": str(settings.tracker_store),
        }
    )
