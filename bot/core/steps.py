"""Small steps and what became of each, read from the entries. Source: protocol 3.8, 3.9 and 4.2 (`step`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.journal import Entry

RETIRED = frozenset({"Let it go", "A new step", "Make it smaller"})  # answers that end the step as it was
DONE = frozenset({"I did it", "It no longer fits"})


@dataclass(frozen=True, kw_only=True)
class SmallStep:
    """One small step in the patient's words. `status` is their last answer; open steps have no `closed_at`."""

    entry_id: str
    at: datetime
    text: str
    when: str | None = None
    where: str | None = None
    status: str | None = None
    note: str | None = None
    closed_at: datetime | None = None


def small_steps(entries: Iterable[Entry]) -> list[SmallStep]:
    """All small steps, newest first. A follow-up in an entry is about the newest step before it."""
    steps: list[SmallStep] = []
    for entry in sorted(entries, key=lambda e: e.created_at):
        status, wish = entry.line("revisit.step_status"), entry.line("revisit.step_next")
        if steps and steps[-1].closed_at is None and (status or wish):
            over = wish in RETIRED or (wish is None and status in DONE)
            closed = entry.created_at if over else None
            note = entry.line("revisit.step_note") or steps[-1].note
            steps[-1] = replace(steps[-1], status=status or steps[-1].status, note=note, closed_at=closed)
        text = entry.line("step.text")
        if text is not None:
            steps.append(
                SmallStep(
                    entry_id=entry.id,
                    at=entry.created_at,
                    text=text,
                    when=entry.line("step.when"),
                    where=entry.line("step.where"),
                )
            )
    return steps[::-1]


def open_step(entries: Iterable[Entry]) -> SmallStep | None:
    """The newest step, while it is open."""
    steps = small_steps(entries)
    return steps[0] if steps and steps[0].closed_at is None else None
