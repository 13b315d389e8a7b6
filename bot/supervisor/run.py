"""One supervisor for all processes: start, wait until healthy, restart what falls over, stop cleanly."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx

from bot.adapters.crypto import SealBroken
from bot.adapters.sql.migrate import upgrade
from bot.settings import ROOT, Settings, SettingsError, load
from bot.supervisor.environment import LEAN, rasa_environment, write_env
from bot.supervisor.logs import readable
from bot.supervisor.training import NO_RASA, RASA_PYTHON, TrainingFailed, model_path, train

COLOURS = {"web": 36, "rasa": 35, "actions": 33, "worker": 32, "sink": 34}
GRACE_SECONDS = 8.0
HEALTH_SECONDS = 420.0  # also enough on a machine with much else to do
STEADY_SECONDS = 120.0  # a process that ran so long starts again at once when it falls
PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """One process under supervision."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    healthy: Callable[[], bool]
    process: subprocess.Popen[str] | None = None
    falls: int = 0
    again_at: float = 0.0
    since: float = 0.0


class Supervisor:
    """Runs the children until told to stop."""

    def __init__(self, children: list[Child], out: IO[str]) -> None:
        self._children, self._out = children, out
        self._lock = threading.Lock()
        self._colour = out.isatty() and "NO_COLOR" not in os.environ
        self.ending = threading.Event()

    def say(self, name: str, line: str) -> None:
        """One readable line, with the name of who says it."""
        label = f"{name:>8} | "
        if self._colour:
            label = f"\033[{COLOURS.get(name, 37)}m{label}\033[0m"
        with self._lock:
            print(label + line, file=self._out, flush=True)

    def start(self) -> bool:
        """Start all and wait until each is healthy. Returns False when stopped or out of time before that."""
        begun = time.monotonic()
        for child in self._children:
            self._spawn(child)
        waiting = {child.name: child for child in self._children}
        said = ""
        while waiting and not self.ending.is_set():
            self._mend()
            for name in [name for name, child in waiting.items() if child.healthy()]:
                del waiting[name]
                self.say("kat", f"{name} is ready ({time.monotonic() - begun:.0f} s)")
            if waiting and time.monotonic() - begun > HEALTH_SECONDS:
                self.say("kat", f"{', '.join(waiting)} did not become ready; its lines above say why.")
                return False
            now_waiting = ", ".join(waiting)
            if now_waiting != said:
                said = now_waiting
                if said:
                    self.say("kat", f"waiting for {said}")
            self.ending.wait(0.25)
        return not self.ending.is_set()

    def watch(self) -> None:
        """Restart what falls over, until stopped."""
        while not self.ending.is_set():
            self._mend()
            self.ending.wait(0.5)

    def stop(self) -> None:
        """Ask all to stop, then insist."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            for child in self._children:
                if child.process is not None and child.process.poll() is None:
                    os.killpg(child.process.pid, number)
            until = time.monotonic() + GRACE_SECONDS
            while time.monotonic() < until and any(c.process and c.process.poll() is None for c in self._children):
                time.sleep(0.1)

    def _mend(self) -> None:
        for child in self._children:
            if child.process is None or child.process.poll() is None:
                continue
            if not child.again_at:
                steady = time.monotonic() - child.since > STEADY_SECONDS
                child.falls = 1 if steady else child.falls + 1
                wait = min(30.0, 0.5 * 2**child.falls)
                child.again_at = time.monotonic() + wait
                self.say("kat", f"{child.name} stopped (status {child.process.returncode}); again in {wait:.0f} s")
            elif time.monotonic() >= child.again_at:
                child.again_at = 0.0
                self._spawn(child)

    def _spawn(self, child: Child) -> None:
        child.since = time.monotonic()
        child.process = subprocess.Popen(  # noqa: S603
            child.command,
            cwd=ROOT,
            env=dict(child.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
        reader = threading.Thread(target=self._relay, args=(child, child.process), daemon=True)
        reader.start()

    def _relay(self, child: Child, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in readable(process.stdout):
            self.say(child.name, line)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def run_all() -> int:
    """`kat run`: everything on this host. Returns the exit status."""
    try:
        settings, model, signs_in = _prepare()
    except (SettingsError, TrainingFailed, PortTaken, WrongKey) as error:
        print(f"kat: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("kat: stopped before anything was started", file=sys.stderr)
        return 130
    supervisor = Supervisor(children_of(settings, str(model)), sys.stdout)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.ending.set())
    try:
        if not supervisor.start():
            return 0 if supervisor.ending.is_set() else 1
        _welcome(supervisor, settings, signs_in)
        supervisor.watch()
    finally:
        supervisor.say("kat", "stopping")
        supervisor.stop()
    return 0


def _prepare() -> tuple[Settings, Path, list[str]]:
    """All that has to be there before a process starts: settings, ports, database, model, invented people."""
    write_env()
    settings = load()
    _check_ports(settings)
    if not RASA_PYTHON.exists():
        raise TrainingFailed(NO_RASA)
    settings.data_path.mkdir(parents=True, exist_ok=True)
    print("kat: bringing the database up to date", flush=True)
    upgrade(settings.database)
    if not model_path().exists():
        print("kat: training the dialogue model, since what it learns from changed; about a minute", flush=True)
    model = train()
    try:
        signs_in = _seed(settings) if settings.env == "development" else []
    except SealBroken as error:
        raise WrongKey("KAT_CLINIC_KEY is not the key that this database was written with; set that key.") from error
    _check_cover(settings)
    return settings, model, signs_in


class WrongKey(RuntimeError):
    """The clinic's key does not open its database."""


class PortTaken(RuntimeError):
    """Another program listens where one of ours should."""


def children_of(settings: Settings, model: str) -> list[Child]:
    """The processes of these settings, with how to tell that each is well."""
    kat = [sys.executable, "-m", "bot.cli"]
    own = dict(os.environ) | LEAN | {"PYTHONUNBUFFERED": "1"}
    rasa = [str(RASA_PYTHON), "-m", "rasa", "run", "--interface", "127.0.0.1", "--port", str(settings.rasa_port)]
    rasa += ["--model", model, "--endpoints", "endpoints.yml", "--credentials", "credentials.yml"]
    children = [
        Child(
            "actions", [*kat, "actions"], own | {"SANIC_HOST": "127.0.0.1"}, _answers(settings.actions_port, "/health")
        ),
        Child("rasa", rasa, rasa_environment(settings), _answers(settings.rasa_port, "/webhooks/clinic/")),
        Child("web", [*kat, "web"], own, _answers(settings.web_port, "/healthz")),
        Child("worker", [*kat, "worker"], own, _answers(settings.web_port, "/readyz")),
    ]
    if settings.env == "development" and not settings.mail_url:
        children.insert(0, Child("sink", [*kat, "sink"], own, lambda: _listens(settings.sink_port)))
    return children


def _answers(port: int, path: str) -> Callable[[], bool]:
    """Asks a health address. One client for all asking: making one reads the machine's certificates each time."""
    client = httpx.Client(timeout=2.0, limits=httpx.Limits(max_keepalive_connections=0))

    def probe() -> bool:
        try:
            return client.get(f"http://127.0.0.1:{port}{path}").status_code == 200
        except httpx.HTTPError:
            return False

    return probe


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _check_ports(settings: Settings) -> None:
    ports = {"web": settings.web_port, "rasa": settings.rasa_port, "actions": settings.actions_port}
    if settings.env == "development" and not settings.mail_url:
        ports["sink"] = settings.sink_port
    for name, port in ports.items():
        if _listens(port):
            raise PortTaken(f"port {port} is taken by another program; stop it or set KAT_{name.upper()}_PORT.")


def _check_cover(settings: Settings) -> None:
    from bot.bootstrap import build

    missing = build(settings).rota.missing_cover() if settings.env == "production" else None
    if missing is not None:
        raise SettingsError(missing)


def _seed(settings: Settings) -> list[str]:
    from bot.bootstrap import build
    from bot.supervisor.demo import seed

    return seed(build(settings))


def _welcome(supervisor: Supervisor, settings: Settings, signs_in: list[str]) -> None:
    lines = [
        "",
        f"patients  {settings.address}/",
        f"coaches   {settings.address}/coach/",
        f"staff     {settings.address}/staff/",
        *signs_in,
        "Ctrl-C stops everything.",
    ]
    for line in lines:
        supervisor.say("kat", line)
