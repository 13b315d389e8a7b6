"""The digest as Markdown: a letter that reads from top to bottom. Each number is paired with how it was obtained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.core.digest.records import (
    NOT_AN_ASSESSMENT,
    NOTHING,
    SELF_REPORT,
    Counted,
    Digest,
    Header,
    Part,
    Question,
    Said,
    Settling,
    Spread,
    State,
    Step,
)

WINDOWS = {
    "session": "since the last session",
    "journey": "since the last journey",
    "dates": "the dates chosen",
    "all": "everything shared",
}

PHASES = {
    "unknown": "not known yet",
    "preparation": "preparation",
    "journey_day": "journey day",
    "first_24h": "the first day",
    "h24_72": "days two and three",
    "before_next": "before the next journey",
    "open_integration": "open integration",
}


def number(value: float) -> str:
    """5.0 as "5", 4.5 as "4.5"."""
    return f"{value:g}"


def spread_sentence(found: Spread | None, what: str = "entries") -> str:
    """A trend as a sentence with counts, never an adjective: "4 entries, range 3–8, median 5; last 3: 4, 5, 5"."""
    if found is None:
        return NOTHING
    unit = what if found.n != 1 else {"entries": "entry", "times": "time"}.get(what, what)
    if found.n == 1:
        return f"1 {unit}: {found.lowest}"
    last = ", ".join(str(value) for value in found.last)
    return (
        f"{found.n} {unit}, range {found.lowest}–{found.highest}, median {number(found.median)}; "
        f"last {len(found.last)}: {last}"
    )


def counts(found: Iterable[Counted]) -> str:
    """ "rest 2, boundaries 1", or "no entry"."""
    return ", ".join(f"{row.name} {row.count}" for row in found) or NOTHING


def coverage(header: Header) -> str:
    """What the digest rests on: entries shared, private ones as a number only, days without."""
    said = [f"Entries: {header.shared} shared"]
    if header.private:
        said.append(f"private entries: {header.private} (content not shared)")
    said.append(f"days without a shared entry: {header.days_without} of {header.days}")
    return " · ".join(said)


def follow_through(digest: Digest) -> str:
    """ "3 steps: 1 done, 1 partly, 1 let go"; never a rate."""
    total = len(digest.steps)
    if not total:
        return NOTHING
    told = ", ".join(f"{row.count} {row.name}" for row in digest.follow_through)
    return f"{total} {'step' if total == 1 else 'steps'}: {told}"


def rounds(found: Settling) -> str:
    """ "Feet on the floor 3 times: 7→5, 6→4, 6→5"."""
    times = "1 time" if len(found.rounds) == 1 else f"{len(found.rounds)} times"
    pairs = ", ".join(f"{'no entry' if r.before is None else r.before}→{r.after}" for r in found.rounds)
    return f"{found.name} {times}: {pairs}"


def period(header: Header) -> str:
    """The days that the window covers."""
    if header.first_day is None:
        return f"to {header.last_day:%b %-d, %Y}"
    return f"{header.first_day:%b %-d, %Y} to {header.last_day:%b %-d, %Y}"


class _Letter:
    """Writes the sections one after another."""

    def __init__(self, digest: Digest, who: str) -> None:
        self.d, self.who, self.zone = digest, who, ZoneInfo(digest.zone)

    def day(self, at: datetime) -> str:
        return f"{at.astimezone(self.zone):%b %-d}"

    def said(self, said: Said) -> str:
        return self.quote(said.text, said.source.at)

    def quote(self, words: str, at: datetime) -> str:
        text = words.replace("\n", "\n  ")
        return f'"{text}" ({self.day(at)})'

    def header(self) -> Iterator[str]:
        head = self.d.header
        since = "no journey yet" if head.days_since_journey is None else f"last {head.days_since_journey} days ago"
        at = head.next_journey_at
        ahead = "no date" if at is None else f"{at.astimezone(self.zone):%b %-d, %Y}"
        yield f"Period: {period(head)} ({WINDOWS[head.window.name]})"
        yield (f"Phase: {PHASES[head.phase]} · Journeys completed: {head.journeys_completed} ({since}) · Next: {ahead}")
        yield coverage(head)

    def questions(self) -> Iterator[str]:
        for question in self.d.questions:
            yield f"- {self._question(question)}"
        for row in self.d.medical_questions:
            yield f"- To the medical team: sent {self.day(row.sent_at)}, {row.status}"

    def _question(self, question: Question) -> str:
        said = self.quote(question.text, question.asked_at)
        if question.handling:
            said += f", asked for: {question.handling}"
        if question.answer is not None and question.answered_at is not None:
            return f"{said}\n  answered by {question.answered_by}, {self.day(question.answered_at)}: {question.answer}"
        return f"{said}, {question.status}"

    def safety(self) -> Iterator[str]:
        for event in self.d.safety:
            about = ", ".join(name.replace("_", " ") for name in event.categories)
            yield f"- {self.day(event.at)}, {about}, {event.level}: {event.status}"
        yield NOT_AN_ASSESSMENT

    def state(self) -> Iterator[str]:
        state: State = self.d.state
        yield f"Activation at start, self-rated 0–10: {spread_sentence(state.start)}"
        yield f"Activation at the end, self-rated 0–10: {spread_sentence(state.end)}"
        yield f"Ladder, as picked: {counts(state.ladder)}"
        presence = ", ".join(str(row.value) for row in state.presence)
        yield f"Presence, self-rated 0–10: {f'{presence} ({len(state.presence)} given)' if presence else NOTHING}"

    def settling(self) -> Iterator[str]:
        for found in self.d.settling:
            before, after = found.before, found.after
            medians = "" if before is None or after is None else (
                f" (medians {number(before.median)}→{number(after.median)}, n {before.n} and {after.n})"
            )  # fmt: skip
            yield f"- {rounds(found)}{medians}"

    def parts(self) -> Iterator[str]:
        for part in self.d.parts:
            yield from self._part(part)
        for label, said in self.d.part_notes:
            yield f"- {label}, said with several parts: {self.said(said)}"

    def _part(self, part: Part) -> Iterator[str]:
        dates = ", ".join(self.day(visit.at) for visit in part.visits)
        times = "not named in this period" if not part.times else (
            f"{part.times} {'time' if part.times == 1 else 'times'} ({dates})"
        )  # fmt: skip
        yield f'- "{part.name}": {times}'
        role, status = part.latest("role"), part.status
        said_role, said_status = (NOTHING if said is None else said.text for said in (role, status))
        yield f"  - {self.who}'s pick: {said_role}; last status: {said_status}"
        for name in ("job", "fear", "request", "protects", "polarised with"):
            said = part.latest(name)
            if said is not None:
                yield f"  - {name}, in {self.who}'s words: {self.said(said)}"
        if part.asked_to_bring is not None:
            bring = part.asked_to_bring  # the assistant's words for it, so not quoted
            yield f"  - {self.who} asked to bring to you: {bring.text} ({self.day(bring.source.at)})"

    def body(self) -> Iterator[str]:
        for place in self.d.body:
            words = f" ({counts(place.words)})" if place.words else ""
            yield f"- {place.name} {place.count}{words}"

    def steps(self) -> Iterator[str]:
        yield follow_through(self.d)
        for step in self.d.steps:
            yield from self._step(step)
        for intention in self.d.intentions:
            yield f"- Journey intention: {self.said(intention.said)}"
            yield from (f"  - later: {self.said(said)}" for said in intention.later)

    def _step(self, step: Step) -> Iterator[str]:
        plan = ", ".join(said.text for said in (step.when, step.where) if said is not None)
        yield f"- {self.said(step.said)}{f', {plan}' if plan else ''}: {step.status}"
        for report in step.reports:
            note = f" (note: {report.note.text})" if report.note is not None else ""
            yield f"  - {self.day(report.said.source.at)}: {report.said.text}{note}"

    def recall(self) -> Iterator[str]:
        for row in self.d.recall:
            yield f"- {self.day(row.at)}: " + "; ".join(f'{label}: "{said.text}"' for label, said in row.said)
        if self.d.feelings:
            yield f"Feelings picked: {counts(self.d.feelings)}"

    def next_session(self) -> Iterator[str]:
        yield from (f"- To know: {self.said(said)}" for said in self.d.to_know)
        yield from (f"- Hard to say out loud: {self.said(said)}" for said in self.d.hard_to_say)


def as_markdown(digest: Digest, *, who: str, coach: str) -> str:
    """The digest in Markdown. `who` is what the patient is called in it, such as an initial."""
    letter = _Letter(digest, who)
    sections: list[tuple[str, Callable[[], Iterable[str]]]] = [
        ("", letter.header),
        (f"Questions and requests from {who}", letter.questions),
        ("Asked for a person, safety", letter.safety),
        ("State (self-rated)", letter.state),
        ("Settling (self-rated, before → after)", letter.settling),
        ("Parts", letter.parts),
        ("Body", letter.body),
        ("Intentions and steps", letter.steps),
        ("Journey recall", letter.recall),
        (f"Themes {who} chose", lambda: [counts(digest.themes)]),
        ("Repeated words (no meaning implied)", lambda: [counts(digest.repeated)]),
        ("Glimmers", lambda: [f"- {letter.said(said)}" for said in digest.glimmers]),
        ("For the next session", letter.next_session),
        ("Reading notes", lambda: [SELF_REPORT]),
    ]
    out = [f"# Digest: {who}", f"Coach: {coach}"]
    for title, write in sections:
        body = "\n".join(write()) or NOTHING
        out.append(f"## {title}\n\n{body}" if title else body.replace("\n", "\n\n"))
    return "\n\n".join(out) + "\n"
