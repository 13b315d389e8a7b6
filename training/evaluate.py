"""What the assessor does on labelled messages: recall, false alarms, questions, categories, with intervals."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterable
from pathlib import Path

from bot.adapters.language.assess import load_assessor
from bot.core.safety.verdict import AssessmentContext, Level, Verdict
from training import corpus
from training.corpus import LEVELS, Message
from training.split import held_out

DATA = Path(__file__).resolve().parents[1] / "data/safety"


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The 95 % Wilson interval of a share."""
    if n == 0:
        return 0.0, 1.0
    z, p = 1.959964, hits / n
    middle, spread = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - spread) / (1 + z * z / n), (middle + spread) / (1 + z * z / n)


def share(hits: int, n: int) -> str:
    """A share with n and its interval, for people."""
    low, high = wilson(hits, n)
    return f"{hits}/{n} = {hits / n if n else 0:.3f} [{low:.3f}, {high:.3f}]"


def report(name: str, rows: list[tuple[Message, Verdict]]) -> list[str]:
    """Lines about one set."""
    lines = [f"{name}: {len(rows)} messages"]
    for level in ("emergency", "urgent", "concern"):
        own = [v for m, v in rows if m.level == level and not m.ask]
        if own:
            alert = sum(v.level >= Level.urgent for v in own)
            either = sum(v.level >= Level.urgent or v.ask for v in own)
            noticed = sum(v.level > Level.none or v.ask for v in own)
            lines.append(f"  {level}: alert {share(alert, len(own))}; alert or ask {share(either, len(own))}")
            lines.append(f"    noticed at any level {noticed}/{len(own)}; at its level or above "
                         f"{sum(v.level >= Level[level] for v in own)}/{len(own)}")  # fmt: skip
    grave = [(m, v) for m, v in rows if m.level in ("urgent", "emergency") and not m.ask]
    if grave:
        alert = sum(v.level >= Level.urgent for _, v in grave)
        either = sum(v.level >= Level.urgent or v.ask for _, v in grave)
        right = sum(v.primary is not None and v.primary.value in m.categories for m, v in grave)
        lines.append(f"  urgent or worse: alert {share(alert, len(grave))}; alert or ask {share(either, len(grave))}")
        lines.append(f"  right category {share(right, len(grave))}")
        for category in corpus.CATEGORIES:
            own = [v for m, v in grave if m.categories and m.categories[0] == category]
            if own:
                alert = sum(v.level >= Level.urgent for v in own)
                either = sum(v.level >= Level.urgent or v.ask for v in own)
                lines.append(f"    {category}: alert {alert}, alert or ask {either}, of {len(own)}")
    for form in sorted({m.facts.get("form", "other") for m, _ in rows if m.level == "none"}):
        own = [v for m, v in rows if m.level == "none" and m.facts.get("form", "other") == form]
        if len(own) >= 30:
            lines.append(
                f"  harmless, {form}: alert {share(sum(v.level >= Level.urgent for v in own), len(own))}; any level "
                f"{sum(v.level > Level.none for v in own)}; asked {share(sum(v.ask for v in own), len(own))}"
            )
    calm = [v for m, v in rows if m.level == "none"]
    if calm:
        lines.append(
            f"  harmless, all: alert {share(sum(v.level >= Level.urgent for v in calm), len(calm))}; any level "
            f"{sum(v.level > Level.none for v in calm)}; asked {share(sum(v.ask for v in calm), len(calm))}"
        )
    return lines


def public(path: Path) -> list[Message]:
    """A set of JSON lines with `text` and `label` (risk or no_risk; others are left out)."""
    made = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        row = json.loads(line)
        if row["label"] in ("risk", "no_risk"):
            level = "none" if row["label"] == "no_risk" else "urgent"
            made.append(
                Message(
                    text=row["text"], level=level, ask=False, categories=(), facts={}, source=path.stem, line=number
                )
            )
    return made


def main() -> None:
    """Measure the assessor on files of the corpus format (.txt) or of JSON lines (.jsonl)."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--misses", action="store_true", help="print what was missed and what alarmed falsely")
    parser.add_argument("--held-out", action="store_true", help="only the themes that training holds out")
    given = parser.parse_args()
    assessor = load_assessor(DATA)
    for path in given.files:
        messages: Iterable[Message] = public(path) if path.suffix == ".jsonl" else corpus.read(path)
        if given.held_out:
            messages = [m for m in messages if held_out(m)]
        rows = [(m, assessor.assess(m.text, context_of(m))) for m in messages]
        print("\n".join(report(path.stem, rows)), flush=True)
        if given.misses:
            for m, v in rows:
                graver = LEVELS.index(m.level) >= 2 and not m.ask
                if (graver and v.level < Level.urgent and not v.ask) or (m.level == "none" and v.level > Level.none):
                    rules = ",".join(f.evidence.rule or f"{f.evidence.score:.2f}" for f in v.findings)
                    print(f"    {m.level} {'+'.join(m.categories)} -> {v.level.name} [{rules}] {m.text[:160]!r}")


def context_of(message: Message) -> AssessmentContext:
    """The context that a message's facts imply."""
    form = message.facts.get("form", "")
    practice = "journey_recall" if form == "journey" else None
    return AssessmentContext(phase=message.facts.get("phase", "open_integration"), practice=practice)


if __name__ == "__main__":
    main()
