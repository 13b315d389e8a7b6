"""Starting and stopping the whole program: one clear sentence for what stands in the way, and no orphan left."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bot.settings import ROOT
from bot.supervisor import run, training
from bot.supervisor.demo import seed
from bot.supervisor.environment import write_env
from bot.supervisor.logs import readable
from tests.running import Stack, free_port

START_CPU_SECONDS = 150  # of all processes together; training alone takes more


def kat_run(folder: Path, **overrides: str) -> subprocess.CompletedProcess[str]:
    """`kat run` where it cannot start."""
    ports = {f"KAT_{name}_PORT": str(free_port()) for name in ("WEB", "RASA", "ACTIONS", "SINK")}
    environment = os.environ | {"KAT_ENV_FILE": str(folder / ".env"), "KAT_DATA_DIR": str(folder / "var")} | ports
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", "run"], cwd=ROOT, env=environment | overrides, capture_output=True,
        text=True, timeout=280, check=False,
    )  # fmt: skip


def test_a_taken_port_is_named_with_the_setting_that_moves_it(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = kat_run(tmp_path, KAT_WEB_PORT=str(port))
    assert done.returncode == 2
    assert done.stderr.strip() == f"kat: port {port} is taken by another program; stop it or set KAT_WEB_PORT."


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"KAT_WEB_PORT=eighty\n", "KAT_TRACKER_KEY is not set in .env"),
        (b"KAT_CLINIC_KEY=abc\n", "KAT_TRACKER_KEY is not set in .env"),
        (b"\xff\xfe\x00broken", "cannot be read as text"),
    ],
    ids=["no keys", "half a file", "no text"],
)
def test_a_broken_env_file_gives_one_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / ".env").write_bytes(content)
    done = kat_run(tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("kat: ")]) == 1


def test_a_wrong_value_in_the_env_file_is_named(tmp_path: Path) -> None:
    write_env(tmp_path / ".env")
    with (tmp_path / ".env").open("a") as file:
        file.write("KAT_TURN_SECONDS=soon\n")
    assert kat_run(tmp_path).stderr.strip() == "kat: KAT_TURN_SECONDS must be a number; correct it in .env."


def test_a_missing_interpreter_of_rasa_gives_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KAT_ENV_FILE", str(tmp_path / ".env"))
    monkeypatch.setenv("KAT_DATA_DIR", str(tmp_path / "var"))
    for name in ("WEB", "RASA", "ACTIONS", "SINK"):
        monkeypatch.setenv(f"KAT_{name}_PORT", str(free_port()))
    monkeypatch.setattr(run, "RASA_PYTHON", tmp_path / "bin/python")
    assert run.run_all() == 2
    assert capsys.readouterr().err == f"kat: {training.NO_RASA}\n"


def test_ctrl_c_leaves_no_orphan_and_a_second_start_makes_nothing_anew(stack: Stack) -> None:
    family = stack.family()
    assert stack.stop() == 0
    assert [p for p in family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []
    stack.log.unlink()
    stack.start()
    assert sum(sum(p.cpu_times()[:2]) for p in stack.family()) < START_CPU_SECONDS
    said = stack.log.read_text()
    assert "training" not in said
    for face in ("patients  http", "coaches   http", "staff     http", "rae@example.com", "mo@plum-spring.example"):
        assert face in said
    assert "DeprecationWarning" not in said
    with stack.application.uow() as tx:
        assert [p.first_name for p in tx.patients()].count("Sam") == 1


def test_the_wrong_key_for_a_database_gives_one_sentence(tmp_path: Path) -> None:
    from bot.adapters.sql.migrate import upgrade
    from bot.bootstrap import build
    from bot.settings import load

    write_env(tmp_path / ".env")
    settings = load({"KAT_DATA_DIR": str(tmp_path / "var")}, tmp_path / ".env")
    settings.data_path.mkdir()
    upgrade(settings.database)
    application = build(settings)
    seed(application)
    application.database.dispose()
    (tmp_path / ".env").unlink()
    done = kat_run(tmp_path)
    assert done.returncode == 2
    assert "is not the key that this database was written with" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_log_keeps_every_line_but_other_peoples_deprecation_warnings() -> None:
    lines = [
        "started\n", "\n",
        "/lib/pkg/a.py:134: DeprecationWarning: pkg_resources is deprecated\n", "  import pkg_resources\n",
        "/lib/pkg/b.py:12: PyparsingDeprecationWarning: 'x'\n", "Second line of it.\n", "  declare(pkg)\n",
        "  indented but ours\n", "ready\n",
    ]  # fmt: skip
    assert list(readable(lines)) == ["started", "  indented but ours", "ready"]
