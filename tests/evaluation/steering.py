"""How well the trained model and the interruption rule tell steering from answers, on messages kept apart.

`python -m tests.evaluation.steering [FILE …]` prints a report: accuracy by command, answers taken for commands, and what
was taken for what, with Wilson intervals of 95 %. Rows: `{"text","context","command"|null,"step"?}`.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

from bot.core.steering import DESTRUCTIVE, Decision, context_of, decide
from bot.supervisor.interpreting import heard

HERE = Path(__file__).parent
HOLDOUT, BLIND = HERE / "steering_holdout.jsonl", HERE / "steering_blind.jsonl"


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One message: what should have been done with it (None: kept as an answer), and what was decided."""

    text: str
    context: str
    expected: str | None
    decision: Decision

    @property
    def right(self) -> bool:
        """An answer is right when nothing interrupts; a command when it is that very command."""
        return self.decision.command == self.expected and (self.expected is not None or not self.decision.interrupts)


def judge(path: Path) -> list[Judged]:
    """Decide on every row of a file, by the code behind `kat interpret`."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Judged(
            text=row["text"],
            context=row["context"],
            expected=row["command"],
            decision=decide(row["text"], understood, context_of(row["context"], row.get("step"))),
        )
        for row, understood in zip(rows, heard([row["text"] for row in rows]), strict=True)
    ]


def wilson(right: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a proportion. Source: Wilson 1927."""
    if n == 0:
        return 0.0, 1.0
    z, p = 1.96, right / n
    middle, spread = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - spread) / (1 + z * z / n), (middle + spread) / (1 + z * z / n)


def share(rows: Iterable[Judged]) -> str:
    """`right/n = percentage [interval]`."""
    kept = list(rows)
    right, n = sum(row.right for row in kept), len(kept)
    low, high = wilson(right, n)
    return f"{right}/{n} = {right / max(1, n):.1%} [{low:.1%}, {high:.1%}]"


def steering(rows: Sequence[Judged]) -> list[Judged]:
    return [row for row in rows if row.expected is not None]


def answers(rows: Sequence[Judged]) -> list[Judged]:
    return [row for row in rows if row.expected is None]


def destroyed(rows: Sequence[Judged]) -> list[Judged]:
    """Answers on which a command that removes words would run."""
    return [row for row in answers(rows) if row.decision.command in DESTRUCTIVE]


def report(rows: Sequence[Judged]) -> str:
    """The whole picture as text."""
    lines = [f"steering  {share(steering(rows))}", f"answers   {share(answers(rows))}"]
    lines += [f"answers on which a removing command would run: {len(destroyed(rows))}", ""]
    for command in sorted({str(row.expected) for row in steering(rows)}):
        lines.append(f"  {command:20} {share(row for row in rows if row.expected == command)}")
    confused = Counter(
        (row.expected or "(answer)", row.decision.command or row.decision.question or "(answer)")
        for row in rows
        if not row.right
    )
    lines += ["", "taken for:", *(f"  {n:3} {was} -> {taken}" for (was, taken), n in confused.most_common())]
    lines += ["", "misses:"]
    lines += [
        f"  {row.decision.confidence:.2f} {row.expected} -> {row.decision.command or row.decision.question}: {row.text}"
        for row in rows
        if not row.right
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    for given in [Path(name) for name in sys.argv[1:]] or [HOLDOUT, BLIND]:
        print(f"{given.name}\n{report(judge(given))}\n")
