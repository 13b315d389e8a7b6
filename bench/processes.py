"""Starting a system as its own group of processes, waiting for it, weighing it and stopping it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import httpx

from bot.settings import ROOT

START_SECONDS = 240.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.1
KIB_PER_MIB = 1024


class BenchError(RuntimeError):
    """A measurement cannot be trusted or taken. The message says what happened."""


class Running:
    """A started system: one process, and whatever it starts. Use it as a context: it is stopped whatever happens."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path) -> None:
        self.begun = time.perf_counter()
        self._log = log
        with log.open("w") as output:
            self._process = subprocess.Popen(  # noqa: S603
                command,
                cwd=folder,
                env=dict(environment),
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Ask it to stop, then insist."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                self._process.send_signal(number)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(STOP_SECONDS)

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Wait until a probe succeeds. Raises BenchError when the system ends or takes too long."""
        while not ready():
            if self._process.poll() is not None or time.perf_counter() - self.begun > START_SECONDS:
                raise BenchError(f"a system did not become ready; {self._log} says why")
            time.sleep(POLL_SECONDS)

    def processor_seconds(self) -> float:
        """Processor time that all its processes took so far."""
        stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in family(self._process.pid)]
        return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")

    def memory_mib(self) -> float:
        """Resident memory of all its processes, see `resident_mib`."""
        return resident_mib(family(self._process.pid))


def answers(url: str) -> bool:
    """Whether a GET of this address succeeds."""
    try:
        return httpx.get(url, timeout=2.0).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody listens on."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def rasa_command(*words: str) -> list[str]:
    """A command of the installed Rasa."""
    return [str(ROOT / ".venv-rasa/bin/python"), "-m", "rasa", *words]


def family(root: int) -> list[int]:
    """A process and all its descendants."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            children.setdefault(parent, []).append(int(folder.name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, ()))
    return found


def resident_mib(pids: Sequence[int]) -> float:
    """Resident memory of a group of processes as if they were alone on the machine.

    The sum of their PSS would depend on who else maps the same libraries: the two systems, and any other stack on the
    machine, share Rasa's. So: the PSS of anonymous and shared memory (nobody outside the group has a part in it), and
    of every mapped piece of a file the most that one process of the group keeps resident.
    """
    anonymous, pieces = 0, dict[tuple[str, str], int]()
    for pid in pids:
        rollup = _fields(Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
        anonymous += rollup["Pss_Anon"] + rollup["Pss_Shmem"]
        for piece, rows in _mappings(Path(f"/proc/{pid}/smaps").read_text()):
            sizes = _fields(rows)
            pieces[piece] = max(pieces.get(piece, 0), sizes["Rss"] - sizes["Anonymous"])
    return (anonymous + sum(pieces.values())) / KIB_PER_MIB


def _mappings(smaps: str) -> list[tuple[tuple[str, str], list[str]]]:
    """Mapped pieces of files as ((inode and path, offset), lines of sizes)."""
    found: list[tuple[tuple[str, str], list[str]]] = []
    file = False
    for line in smaps.splitlines():
        words = line.split(maxsplit=5)
        if not words[0].endswith(":"):
            file = words[4] != "0"
            if file:
                found.append(((f"{words[3]} {words[4]}", words[2]), []))
        elif file:
            found[-1][1].append(line)
    return found


def _fields(rows: Sequence[str]) -> dict[str, int]:
    """Sizes in KiB by name."""
    parts = [row.split() for row in rows]
    return {words[0].rstrip(":"): int(words[1]) for words in parts if len(words) == 3 and words[2] == "kB"}
