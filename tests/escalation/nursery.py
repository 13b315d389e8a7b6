"""A process that has everything loaded and forks real workers and writers on command, so that killing them is cheap.

Run as `python -m tests.escalation.nursery FOLDER MAIL_PORT [DATABASE_URL]`. It reads lines from standard input, `worker`
or `writer PATIENT_ID FILE`, and answers each with the child's process id.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.adapters.channels import development_mail_url, load_channels
from bot.bootstrap import Application, build
from bot.worker.loop import work
from tests import builders

PR_SET_PDEATHSIG = 1
WORDS = "I'm going to kill myself tonight"


class FileClock:
    """The real time, moved by as many seconds as the file says."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(self._path.read_text() or 0))


def make(folder: Path, mail_port: int, database_url: str = "") -> Application:
    mail = development_mail_url(mail_port, "journal@plum-spring.example")
    built: list[Application] = []
    app = build(
        builders.settings(folder, mail_url=mail, database_url=database_url, drill_at="00:00"),
        clock=FileClock(folder / "clock"),
        engine=builders.DirectEngine(lambda: built[0]),
        assessor=builders.shared_assessor(),
    )
    built.append(app)
    return app


def write(app: Application, patient_id: str, acknowledged: Path) -> None:
    """Post disclosures as fast as they are kept; note each one only after the service said that it has it."""
    with acknowledged.open("a", buffering=1) as out:
        while True:
            client_id = uuid.uuid4().hex
            app.screening.receive(patient_id, client_id, WORDS)
            out.write(client_id + "\n")
            os.fsync(out.fileno())
            time.sleep(0.01)


def main() -> None:
    folder, mail_port = Path(sys.argv[1]), int(sys.argv[2])
    app = make(folder, mail_port, sys.argv[3] if len(sys.argv) > 3 else "")
    load_channels()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    for line in sys.stdin:
        what, *rest = line.split()
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # no test leaves a worker behind
            nowhere = os.open(folder / "children.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            app.database.dispose(close=False)
            try:
                work(app) if what == "worker" else write(app, rest[0], Path(rest[1]))
            finally:
                os._exit(0)
        print(child, flush=True)


if __name__ == "__main__":
    main()
