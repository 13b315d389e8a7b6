"""The results as a table: what was measured, the ratio, the target and whether it is met."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.measure import Times
from bench.ours import WORDS
from bench.processes import rasa_command
from bot.supervisor.training import content_hash

KIB_PER_GIB = 1024 * 1024
TEXT = """# Against a plain Rasa bot

Written by `python -m bench`: one run, both systems on one machine at the same time, their turns alternating. Ratios
count; absolute figures only place them.

{table}

{machine}. Load average {load}.

- The plain bot is the starter that the installed Rasa makes: default config, REST channel, SQL tracker store (SQLite).
  This assistant is whole: session, CSRF, assessment, encryption, storage, Rasa, actions, worker. Its supervisor is in
  its memory, the development mail sink is not.
- One client: n = {alone} turns of each system. The plain bot gets a new conversation every {every} turns, which favours
  it; ours goes on with one patient, who taps what is offered and writes {written} texts of
  {shortest} to {longest} words.
- Eight clients: n = {our_many} and {plain_many} turns in alternating loads.
- Turn {early}: fresh conversations, n = {early_n} and {plain_early_n}. Turn {late}: one conversation from turn
  {late_first} on. Ours really talked until there; the plain bot's store was given copies of its own turns' events.
- Start: all processes, models trained before, files in the system's cache. Training: `rasa train`, for ours without the
  encoder of the safety gate.
- Memory: resident after all of this, a piece of a file that several processes map counted once a system. The worker
  needs the assessment for its daily drill only; none was due here.
"""


@dataclass(frozen=True, kw_only=True)
class Findings:
    """All that was found about one system."""

    alone: Times  # one client
    alone_processor_seconds: float
    many: Times  # eight clients
    early: Times
    late: Times
    start_seconds: float
    training_seconds: float
    memory_mib: float


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a measure should reach."""

    limit: float
    at_least: bool = False
    of_ours: bool = False  # holds for our own number, not for the ratio

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}×{', ours' if self.of_ours else ''}"

    def met(self, ours: float, ratio: float) -> bool:
        """Whether it is reached."""
        found = ours if self.of_ours else ratio
        return found >= self.limit if self.at_least else found <= self.limit


@dataclass(frozen=True)
class Measure:
    """One row of the table."""

    name: str
    of: Callable[[Findings], float]
    digits: int = 0
    target: Target | None = None

    def row(self, ours: Findings, plain: Findings) -> str:
        """The row in Markdown."""
        ratio = self.of(ours) / self.of(plain)
        target, met = "", ""
        if self.target is not None:
            target, met = str(self.target), "yes" if self.target.met(self.of(ours), ratio) else "**no**"
        numbers = (f"{self.of(system):.{self.digits}f}" for system in (ours, plain))
        return f"| {' | '.join((self.name, *numbers, f'{ratio:.2f}×', target, met))} |"


MEASURES = (
    Measure("turn, one client, median, ms", lambda s: s.alone.median_ms, target=Target(limit=0.7)),
    Measure("the same, turns with a written text", lambda s: s.alone.written.median_ms, target=Target(limit=0.7)),
    Measure("turn, one client, p95, ms", lambda s: s.alone.p95_ms),
    Measure(
        "processor time of a turn, all processes, ms", lambda s: 1000 * s.alone_processor_seconds / len(s.alone.turns)
    ),
    Measure("turns per second, eight clients", lambda s: s.many.per_second, 1, Target(limit=2, at_least=True)),
    Measure("turn, eight clients, p95, ms", lambda s: s.many.p95_ms),
    Measure("turn {early} of a conversation, median, ms", lambda s: s.early.median_ms),
    Measure("turn {late} of a conversation, median, ms", lambda s: s.late.median_ms),
    Measure(
        "turn {late} ÷ turn {early}", lambda s: s.late.median_ms / s.early.median_ms, 2, Target(limit=1.2, of_ours=True)
    ),
    Measure("start to first reply, s", lambda s: s.start_seconds),
    Measure("training, s", lambda s: s.training_seconds),
    Measure("resident memory, MiB", lambda s: s.memory_mib, target=Target(limit=1.2)),
)


def table(ours: Findings, plain: Findings, *, early: int, late: int) -> str:
    """All measures in Markdown."""
    head = "| measure | this assistant | plain bot | ratio | target | met |\n|---|---|---|---|---|---|\n"
    return head + "\n".join(measure.row(ours, plain) for measure in MEASURES).format(early=early, late=late)


def whole(found: str, ours: Findings, plain: Findings, *, early: int, late: int, every: int, load: str) -> str:
    """The file: the table, where it was measured, and how."""
    lengths = [len(words.split()) for words in WORDS]
    return TEXT.format(
        table=found,
        machine=machine(),
        load=load,
        alone=len(ours.alone.turns),
        every=every,
        written=len(ours.alone.written.turns),
        shortest=min(lengths),
        longest=max(lengths),
        our_many=len(ours.many.turns),
        plain_many=len(plain.many.turns),
        early=early,
        early_n=len(ours.early.turns),
        plain_early_n=len(plain.early.turns),
        late=late,
        late_first=late - len(ours.late.turns) // 2,
    )


def machine() -> str:
    """Where and with what this ran, without naming the machine."""
    total = Path("/proc/meminfo").read_text().split()[1]
    ask = "import platform, importlib.metadata as m; print(m.version('rasa'), platform.python_version())"
    asked = subprocess.run([rasa_command()[0], "-c", ask], capture_output=True, text=True, check=True)  # noqa: S603
    rasa, rasa_python = asked.stdout.split()
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {int(total) / KIB_PER_GIB:.0f} GiB. "
        f"Rasa {rasa} on Python {rasa_python}; the clinic's side on Python {platform.python_version()}; "
        f"content {content_hash()}"
    )
