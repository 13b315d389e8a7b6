"""Section 8: intentions and small steps, each with its story. Source: protocol 5.2; statuses from protocol 3.9.

A report belongs to the step that the assistant quoted when it asked (the line `revisit.step`), so that a step kept
private never leaves its trace on a shared one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.core.digest.reading import Kept, lines, rating
from bot.core.digest.records import Counted, Intention, Said, Step, StepReport
from bot.core.journal import Entry

QUOTED = 120  # characters of a step or an intention that the assistant quotes
STATUS = {
    "did": "done",
    "partly": "partly",
    "not_done": "not done",
    "forgot": "forgotten",
    "changed": "no longer fits",
}
OPEN, LET_GO = "open", "let go"


def steps(entries: Sequence[Entry], values: Mapping[str, Mapping[str, str]]) -> tuple[Step, ...]:
    """All steps, newest first. `values` is field -> label -> value: {"revisit.step_status": {"I did it": "did"}}."""
    plans = lines(entries, "step.text")
    reports: dict[str, list[StepReport]] = {}
    for about in lines(entries, "revisit.step"):
        plan, report = _quoted(about, plans), _report(about, values)
        if plan is not None and report is not None:
            reports.setdefault(plan.entry.id, []).append(report)
    return tuple(_step(plan, tuple(reports.get(plan.entry.id, ())), values) for plan in reversed(plans))


def _quoted(about: Kept, plans: Sequence[Kept]) -> Kept | None:
    """The newest earlier line that the assistant quoted."""
    earlier = (plan for plan in reversed(plans) if plan.at < about.at)
    return next((plan for plan in earlier if plan.said.text[:QUOTED] == about.said.text[:QUOTED]), None)


def _report(about: Kept, values: Mapping[str, Mapping[str, str]]) -> StepReport | None:
    status, note, following = (
        _one(about.entry, f"revisit.{name}") for name in ("step_status", "step_note", "step_next")
    )
    if status is None:
        return None
    value = values.get("revisit.step_status", {}).get(status.text)
    return StepReport(status=STATUS.get(value or "", status.text), said=status, note=note, next=following)


def _step(kept: Kept, told: tuple[StepReport, ...], values: Mapping[str, Mapping[str, str]]) -> Step:
    status = OPEN
    if told:
        last = told[-1]
        following = None if last.next is None else values.get("revisit.step_next", {}).get(last.next.text)
        status = LET_GO if following == "retire" and last.status != STATUS["did"] else last.status
    sure = _one(kept.entry, "step.confidence")
    rated = None if sure is None else rating(sure)
    return Step(
        said=kept.said,
        when=_one(kept.entry, "step.when"),
        where=_one(kept.entry, "step.where"),
        confidence=None if rated is None else rated.value,
        reports=told,
        status=status,
    )


def follow_through(found: Sequence[Step]) -> tuple[Counted, ...]:
    """Steps counted by current status, in the order of the statuses. Counts only; never a rate."""
    order = [*STATUS.values(), LET_GO, OPEN]
    statuses = sorted({step.status for step in found}, key=lambda s: order.index(s) if s in order else len(order))
    return tuple(
        Counted(
            name=status,
            count=sum(step.status == status for step in found),
            sources=tuple(step.said.source for step in found if step.status == status),
        )
        for status in statuses
    )


def intentions(entries: Sequence[Entry]) -> tuple[Intention, ...]:
    """All intentions, newest first, each with what the patient wrote about it later."""
    plans = lines(entries, "intention.text")
    later: dict[str, list[Said]] = {}
    for about in lines(entries, "revisit.intention"):
        plan, note = _quoted(about, plans), _one(about.entry, "revisit.intention_note")
        if plan is not None and note is not None:
            later.setdefault(plan.entry.id, []).append(note)
    return tuple(Intention(said=plan.said, later=tuple(later.get(plan.entry.id, ()))) for plan in reversed(plans))


def _one(entry: Entry, field: str) -> Said | None:
    return next((kept.said for kept in lines([entry], field)), None)
