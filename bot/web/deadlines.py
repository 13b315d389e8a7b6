"""Cutting off whoever sends too slowly: a request has to be there whole in READ_SECONDS, or its connection is closed.

A time limit on each read would not do: one byte every few seconds keeps within it for ever, and holds a thread.
"""

from __future__ import annotations

import contextlib
import io
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

READ_SECONDS = 8.0  # for the head and body of a request together
LOOK_EVERY = 0.5  # seconds


class Deadlines:
    """Until when each connection may still be sending."""

    def __init__(self) -> None:
        self._until: dict[socket.socket, float] = {}
        self._lock = threading.Lock()

    def begin(self, connection: socket.socket) -> None:
        """The time of a request begins."""
        with self._lock:
            self._until[connection] = time.monotonic() + READ_SECONDS

    def end(self, connection: socket.socket | None) -> None:
        """The request is there whole, or over."""
        if connection is None:  # another server than gunicorn, which has no deadlines
            return
        with self._lock:
            self._until.pop(connection, None)

    def cut(self) -> int:
        """Close the connections whose time is up. Returns how many."""
        now = time.monotonic()
        with self._lock:
            late = [connection for connection, until in self._until.items() if until <= now]
            for connection in late:
                del self._until[connection]
                with contextlib.suppress(OSError):  # it may be closed already
                    connection.shutdown(socket.SHUT_RDWR)
        return len(late)

    def watch(self) -> None:
        """Cut for ever; runs in a thread of its own."""
        while True:
            self.cut()
            time.sleep(LOOK_EVERY)


DEADLINES = Deadlines()


class PunctualWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threads, each of which waits for a request no longer than READ_SECONDS."""

    def init_process(self) -> None:
        threading.Thread(target=DEADLINES.watch, name="deadlines", daemon=True).start()
        super().init_process()

    def handle(self, conn: Any) -> Any:
        """One request of a connection, from its first byte."""
        connection = conn.sock
        DEADLINES.begin(connection)
        try:
            return super().handle(conn)
        finally:
            DEADLINES.end(connection)


class WholeRequests:
    """Hands a request on only once its body is there; what was cut off in the middle never reaches the pages."""

    def __init__(self, pages: Callable[..., Iterable[bytes]], most_bytes: int) -> None:
        self._pages, self._most = pages, most_bytes

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length <= self._most:  # larger ones are refused unread
            body = environ["wsgi.input"].read(length if "CONTENT_LENGTH" in environ else self._most + 1)
            if len(body) < length:
                start_response("408 Request Timeout", [("Connection", "close"), ("Content-Length", "0")])
                return []
            environ["wsgi.input"] = io.BytesIO(body)
        DEADLINES.end(environ.get("gunicorn.socket"))
        return self._pages(environ, start_response)
