"""The worker: owns time. Delivers what is owed, escalates, lets silence count, answers what waited for Rasa."""

from __future__ import annotations

import os
import signal
import threading
import uuid
from collections.abc import Callable

import structlog

from bot.bootstrap import Application

log = structlog.get_logger()
PAUSE_SECONDS = 1.0


def work(app: Application, *, stop: threading.Event | None = None) -> None:
    """Run until SIGTERM or Ctrl-C. A failing job is logged by an id and tried again; it never stops the others."""
    ending = stop or threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ending.set())
    name = f"worker-{os.getpid()}"
    jobs: dict[str, Callable[[], object]] = {
        "deliver": lambda: app.delivery.run_once(name),
        "silences": app.sittings.break_silences,
        "waiting": app.conversation.deliver_waiting,
        "digests": app.digest_notices.run_once,
        "beat": lambda: _beat(app),
    }
    log.info("worker.started", worker=name)
    while not ending.is_set():
        for job, run in jobs.items():
            try:
                run()
            except Exception as error:
                log.error("worker.failed", job=job, failure=uuid.uuid4().hex[:12], error=type(error).__name__)
        ending.wait(PAUSE_SECONDS)
    log.info("worker.stopped", worker=name)


def _beat(app: Application) -> None:
    with app.uow() as tx:
        tx.beat("worker", app.clock())
