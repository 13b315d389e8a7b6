"""Putting a digest together from what a reader may see. Source: protocol 5."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.digest import parts, sections, steps, words
from bot.core.digest.records import Digest, JourneyMark, MedicalQuestion, Question, SafetyEvent, Said, Step, Window
from bot.core.journal import Entry
from bot.core.journeys import Journey, Timeline


@dataclass(frozen=True, kw_only=True)
class Wordings:
    """What the digest needs to know of the authored content, and the word lists for section 11."""

    ladder: tuple[str, ...]  # labels, in the order of the question
    places: tuple[str, ...]
    values: Mapping[str, Mapping[str, str]]  # field -> label -> value
    stop_words: Collection[str]
    is_risk: Callable[[str], bool]


@dataclass(frozen=True, kw_only=True)
class Material:
    """All that one digest is made of. `entries` are the shared ones of all time; the window is applied here."""

    entries: Sequence[Entry]
    private_at: Sequence[datetime]  # when each entry that the reader may not see was written
    questions: Sequence[Question]
    medical_questions: Sequence[MedicalQuestion]
    safety: Sequence[SafetyEvent]
    journeys: Sequence[Journey]
    where: Timeline
    names: Collection[str]  # people whose names section 11 leaves out
    zone: str


def marks(journeys: Sequence[Journey]) -> tuple[JourneyMark, ...]:
    """The journeys that have taken place, numbered from 1."""
    done = sorted((j.dose_ended_at, j.route.value) for j in journeys if j.dose_ended_at is not None)
    return tuple(JourneyMark(number=n, ended_at=at, route=route) for n, (at, route) in enumerate(done, start=1))


def build(material: Material, window: Window, wordings: Wordings, now: datetime) -> Digest:
    """The digest of a window. An earlier step or intention is in it when the window's entries come back to it."""
    entries = [entry for entry in material.entries if window.holds(entry.created_at)]
    known = [entry for entry in material.entries if entry.created_at < window.until]
    handling = sections.handling(entries)
    register, loose = parts.parts(entries)
    plans = tuple(step for step in steps.steps(known, wordings.values) if _in(window, step))
    hours = material.where.hours_since_dose(now)
    return Digest(
        header=sections.header(
            entries,
            window,
            material.where,
            private=sum(window.holds(at) for at in material.private_at),
            zone=material.zone,
            days_since=None if hours is None else int(hours // 24),
        ),
        questions=tuple(
            question if question.source is None else replace(question, handling=handling.get(question.source.entry_id))
            for question in sorted(material.questions, key=lambda q: q.asked_at, reverse=True)
            if window.holds(question.asked_at)
        ),
        medical_questions=tuple(row for row in material.medical_questions if window.holds(row.sent_at)),
        safety=tuple(event for event in material.safety if window.holds(event.at)),
        state=sections.state(entries, material.zone, wordings.ladder),
        settling=sections.settling(entries),
        parts=register,
        part_notes=loose,
        body=sections.body(entries, wordings.places),
        intentions=tuple(i for i in steps.intentions(known) if _touched(window, i.said, *i.later)),
        steps=plans,
        follow_through=steps.follow_through(plans),
        recall=sections.recall(entries),
        feelings=sections.picked(entries, "recall.feelings"),
        themes=sections.picked(entries, "insight.themes"),
        repeated=words.repeated(
            entries,
            stop_words=wordings.stop_words,
            names=[*material.names, *(part.name for part in register)],
            is_risk=wordings.is_risk,
        ),
        glimmers=sections.verbatim(entries, "glimmers"),
        to_know=sections.verbatim(entries, "letter.share"),
        hard_to_say=sections.verbatim(entries, "letter.hard_to_say"),
        journeys=tuple(mark for mark in marks(material.journeys) if window.holds(mark.ended_at)),
        zone=material.zone,
    )


def _in(window: Window, step: Step) -> bool:
    return _touched(window, step.said, *(report.said for report in step.reports))


def _touched(window: Window, *said: Said) -> bool:
    return any(window.holds(words.source.at) for words in said)
