"""Serving the pages with gunicorn: one process, many threads, since SQLite has one writer."""

from __future__ import annotations

from typing import Any

import structlog
from gunicorn.app.base import BaseApplication

from bot.adapters.channels import load_channels
from bot.bootstrap import Application
from bot.web.app import MOST_BYTES, create_app
from bot.web.deadlines import PunctualWorker, WholeRequests

log = structlog.get_logger()
THREADS = 16


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, application: Application) -> None:
        self._application = application
        super().__init__()

    def load_config(self) -> None:
        settings = self._application.settings
        options = {
            "bind": f"{settings.web_host}:{settings.web_port}",
            "workers": 1,
            "threads": THREADS,
            "worker_class": PunctualWorker,
            "timeout": 60,
            "keepalive": 15,
            "loglevel": "warning",
            "limit_request_line": 2000,
            "limit_request_fields": 60,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Called in the worker, once; the first message must not wait for the assessment to be loaded."""
        log.info("web.assessing", version=self._application.assessor.version)
        return WholeRequests(create_app(self._application), MOST_BYTES)


def serve(application: Application) -> None:
    """Serve until stopped."""
    load_channels()
    application.database.dispose()
    _Server(application).run()
