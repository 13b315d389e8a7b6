"""The worker: owns time. Delivers what is owed, escalates, lets silence count, answers what waited, deletes.

Each job has its own thread: an alert never waits for Rasa, nor for anything else.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from bot.adapters.channels import load_channels
from bot.bootstrap import Application

log = structlog.get_logger()
DELIVERING = 3
BEAT = timedelta(seconds=2)


@dataclass(frozen=True, kw_only=True)
class Job:
    """Something done again and again, with a pause between."""

    name: str
    run: Callable[[], object]
    pause_seconds: float = 1.0


def work(app: Application, *, stop: threading.Event | None = None) -> None:
    """Run until SIGTERM or Ctrl-C. A failing job is logged by an id and tried again; it never stops the others."""
    ending = stop or threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ending.set())
    load_channels()
    name = f"{socket.gethostname()[:30]}-{os.getpid()}"
    threads = [threading.Thread(target=_repeat, args=(job, ending), name=job.name) for job in jobs_of(app, name)]
    log.info("worker.started", worker=name)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.info("worker.stopped", worker=name)


def jobs_of(app: Application, worker: str) -> list[Job]:
    """All that a worker does."""

    beaten_at = app.clock() - BEAT

    def deliver() -> None:
        nonlocal beaten_at
        app.delivery.run_once(worker)
        now = app.clock()
        if now - beaten_at >= BEAT:
            beaten_at = now
            with app.uow() as tx:  # the beat of this job is the one that readiness looks at
                tx.beat("worker", now)

    return [  # several deliver, so that one channel that hangs holds nothing else up
        *(Job(name=f"deliver-{number}", run=deliver, pause_seconds=0.5) for number in range(DELIVERING)),
        Job(name="silences", run=app.sittings.break_silences),
        Job(name="waiting", run=app.conversation.deliver_waiting),
        Job(name="watch", run=app.watch.watch, pause_seconds=15.0),
        Job(name="digests", run=app.digest_notices.run_once, pause_seconds=30.0),
        Job(name="devices", run=lambda: app.sign_in.tell_new_devices(app.notifier), pause_seconds=5.0),
        Job(name="deletions", run=app.privacy.run_deletions, pause_seconds=30.0),
        Job(name="reminders", run=app.reminders.send_due, pause_seconds=30.0),
        Job(name="forgetting", run=app.privacy.forget_removed, pause_seconds=30.0),
        Job(name="retention", run=app.privacy.sweep, pause_seconds=300.0),
    ]


def _repeat(job: Job, ending: threading.Event) -> None:
    while not ending.is_set():
        try:
            job.run()
        except Exception as error:
            log.error("worker.failed", job=job.name, failure=uuid.uuid4().hex[:12], error=type(error).__name__)
        ending.wait(job.pause_seconds)
