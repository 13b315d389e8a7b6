"""Reading kept lines: the patient may have edited them, so nothing is taken for a number or a place but what is one."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.digest.records import Counted, Rating, Said, Source, Spread
from bot.core.journal import Entry, EntryLine

LAST = 3  # ratings named one by one in a sentence
ROUND = re.compile(r"(?P<name>.+): (?:(?P<before>\d{1,2}) → )?(?P<after>\d{1,2})")


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One line of one entry."""

    field: str
    said: Said
    label: str
    entry: Entry

    @property
    def at(self) -> datetime:
        return self.entry.created_at


def lines(entries: Iterable[Entry], *fields: str) -> list[Kept]:
    """The lines of these fields, oldest entry first, in the entry's order."""
    ordered = sorted(entries, key=lambda entry: (entry.created_at, entry.id))
    return [
        Kept(field=line.field, said=_said(entry, place, line), label=line.label, entry=entry)
        for entry in ordered
        for place, line in enumerate(entry.lines)
        if line.field in fields
    ]


def _said(entry: Entry, place: int, line: EntryLine) -> Said:
    source = Source(entry_id=entry.id, step=line.step, line=place, at=entry.created_at)
    return Said(text=line.text, source=source)


def rating(said: Said) -> Rating | None:
    """The self-rating, or None where the line holds anything but a whole number from 0 to 10."""
    text = said.text.strip()
    if not re.fullmatch(r"\d{1,2}", text, re.ASCII) or int(text) > 10:
        return None
    return Rating(value=int(text), source=said.source)


def spread(values: Sequence[int]) -> Spread | None:
    """Median and range; None without values."""
    if not values:
        return None
    return Spread(
        n=len(values),
        lowest=min(values),
        highest=max(values),
        median=float(statistics.median(values)),
        last=tuple(values[-LAST:]),
    )


def picks(said: Said) -> list[str]:
    """The labels picked in a multiple choice, as kept: "Awe, Sadness"."""
    return [label.strip() for label in said.text.split(",") if label.strip()]


def places(said: Said) -> list[tuple[str, str]]:
    """(place, word) pairs of a body answer, as kept: "jaw: tight; chest". The word may be empty."""
    found = []
    for piece in said.text.split(";"):
        place, _, word = piece.partition(":")
        if place.strip():
            found.append((place.strip(), word.strip()))
    return found


def count(named: Iterable[tuple[str, Source]]) -> tuple[Counted, ...]:
    """How often each name occurs, most first, then in order of first use. Upper and lower case are one name."""
    shown: dict[str, str] = {}
    sources: dict[str, list[Source]] = {}
    for name, source in named:
        key = name.casefold()
        shown.setdefault(key, name)
        sources.setdefault(key, []).append(source)
    ordered = sorted(sources, key=lambda key: -len(sources[key]))
    return tuple(Counted(name=shown[key], count=len(sources[key]), sources=tuple(sources[key])) for key in ordered)
