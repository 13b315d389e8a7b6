"""Slow senders cannot hold the real server: it goes on answering, and lets go of them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

from bot.adapters.sql.migrate import upgrade
from bot.settings import ROOT, load
from bot.supervisor.environment import write_env
from bot.web.server import READ_SECONDS, THREADS
from tests.running import START_SECONDS, free_port, wait_until


def test_the_server_answers_while_slow_senders_hold_on_and_then_lets_go_of_them(tmp_path: Path) -> None:
    env_file, port = tmp_path / ".env", free_port()
    write_env(env_file)
    own = {"KAT_ENV_FILE": str(env_file), "KAT_DATA_DIR": str(tmp_path / "var"), "KAT_WEB_PORT": str(port)}
    settings = load(own, env_file)
    settings.data_path.mkdir()
    upgrade(settings.database)
    address = f"http://127.0.0.1:{port}"

    def healthy() -> bool:
        try:
            return httpx.get(f"{address}/healthz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "bot.cli", "web"], cwd=ROOT, env=os.environ | own, stdout=log, stderr=log
        )
    try:
        wait_until(healthy, START_SECONDS, "the start of the server")
        slow = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(THREADS + 4)]
        for number, sender in enumerate(slow):
            if number % 2:
                sender.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            else:
                sender.sendall(b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nemail=")
        begun = time.monotonic()
        wait_until(healthy, READ_SECONDS * 3, "an answer beside slow senders")
        assert time.monotonic() - begun < READ_SECONDS * 3
        time.sleep(READ_SECONDS)
        for sender in slow:
            sender.settimeout(READ_SECONDS)
            assert b"200 OK" not in sender.recv(4096)
            sender.close()
    finally:
        server.terminate()
        server.wait(30)
