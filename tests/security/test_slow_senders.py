"""Slow senders over real sockets: they are cut off, and others are served meanwhile."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from bot.settings import ROOT
from bot.web.deadlines import READ_SECONDS
from bot.web.server import THREADS
from tests.running import free_port, wait_until

SLACK = 12.0  # seconds that a busy machine may take on top


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    port = free_port()
    server = subprocess.Popen([sys.executable, "-m", "tests.security.slow_server", str(port)], cwd=ROOT)
    wait_until(lambda: answers(port), 300, "the start of the server")
    yield "127.0.0.1", port
    server.send_signal(signal.SIGTERM)
    server.wait(60)


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


class SlowSender(threading.Thread):
    """Begins a request, then sends one byte a second until the other side closes."""

    def __init__(self, address: tuple[str, int], beginning: bytes) -> None:
        super().__init__(daemon=True)
        self.connection = socket.create_connection(address, timeout=1)
        self.connection.sendall(beginning)
        self.began, self.cut_after, self.answer = time.monotonic(), None, b""

    def run(self) -> None:
        while True:
            try:
                self.connection.sendall(b"a")
                got = self.connection.recv(4096)
                self.answer += got
                if not got:
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        self.cut_after = time.monotonic() - self.began  # type: ignore[assignment]
        self.connection.close()


HEAD = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
BODY = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{"


def test_slow_senders_are_cut_off_and_others_are_served(address: tuple[str, int]) -> None:
    senders = [SlowSender(address, HEAD if n % 2 else BODY) for n in range(THREADS + 4)]  # more than there are threads
    for sender in senders:
        sender.start()
    began = time.monotonic()
    answer = httpx.get(f"http://{address[0]}:{address[1]}/", timeout=60)
    served_after = time.monotonic() - began
    assert answer.status_code == 200
    assert served_after < 2 * READ_SECONDS + SLACK
    for sender in senders:
        sender.join(2 * READ_SECONDS + SLACK)
    assert all(sender.cut_after is not None for sender in senders)
    assert all(b" 200 " not in sender.answer for sender in senders)
    print(f"\n{len(senders)} slow senders cut off after {max(s.cut_after or 0 for s in senders):.1f} s at most; "
          f"another was served after {served_after:.1f} s")  # fmt: skip


def test_a_request_that_takes_its_time_but_is_whole_in_time_is_answered(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=30) as connection:
        for piece in (b"GET / HTTP/1.1\r\n", b"Host: 127.0.0.1\r\n", b"Connection: close\r\n\r\n"):
            connection.sendall(piece)
            time.sleep(1)
        assert b" 200 " in connection.recv(4096)


def test_a_body_sent_in_pieces_arrives_whole(address: tuple[str, int]) -> None:
    def pieces() -> Iterator[bytes]:
        for piece in (b"four", b"and more"):
            yield piece
            time.sleep(0.5)

    answer = httpx.post(f"http://{address[0]}:{address[1]}/", content=pieces(), timeout=30)
    assert (answer.status_code, answer.text) == (200, "12")
