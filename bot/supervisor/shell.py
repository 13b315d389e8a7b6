"""`rasa shell` for a developer: the trained model and the running action server, as one invented patient."""

from __future__ import annotations

import socket
import subprocess

from sqlalchemy.orm import Session

from bot.adapters.sql.tables import User
from bot.bootstrap import Application
from bot.settings import ROOT
from bot.supervisor.environment import rasa_environment
from bot.supervisor.training import RASA_PYTHON, train


class ShellRefused(RuntimeError):
    """The shell cannot be opened. The message says what to do."""


def talk(app: Application, email: str) -> int:
    """Run `rasa shell` on the patient's conversation until its end. Returns its exit status. Raises ShellRefused.

    Rasa's own memory is kept in this process only: where the sitting stands is in the clinic's database.
    """
    if app.settings.env != "development":
        raise ShellRefused("The shell is for development only: it shows a patient's conversation in a terminal.")
    conversation_id = _conversation_of(app, email)
    environment = rasa_environment(app.settings) | {"KAT_TRACKER_PATH": ":memory:", "LOG_LEVEL": "ERROR"}
    command = [str(RASA_PYTHON), "-m", "rasa", "shell", "--model", str(train()), "--endpoints", "endpoints.yml"]
    command += ["--port", str(_free_port()), "--conversation-id", conversation_id]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode  # noqa: S603


def _conversation_of(app: Application, email: str) -> str:
    with Session(app.database) as session:
        user_id = session.query(User.id).filter(User.email == email.strip().lower()).scalar()
    patient = app.access.patient_of_user(user_id) if user_id is not None else None
    if patient is None:
        raise ShellRefused(f"No patient signs in with {email}; `kat run` prints the invented people.")
    return patient.conversation_id


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
