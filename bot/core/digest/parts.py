"""Section 6 and the parts map: parts as the patient named them, never merged, never given a role. Source: protocol 5.2.

What is said in an entry belongs to its part only where the entry names exactly one; otherwise it stands by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.digest.reading import Kept, lines
from bot.core.digest.records import JourneyMark, Part, Said, Visit
from bot.core.journal import Entry, EntryLine
from bot.core.parts import Part as Registered

NAMES = ("part.name", "revisit.part_name")
SAID = {  # what may be said of a part: field -> how the register names it
    "part.place": "place",
    "part.description": "description",
    "part.feel_toward": "stance",
    "part.job": "job",
    "part.fear": "fear",
    "part.request": "request",
    "part.type_by_patient": "role",
    "part.protects": "protects",
    "part.polarised_with": "polarised with",
    "part.bring_to_coach": "bring",
}
TIES = ("job", "protects", "polarised with")  # what the map writes beside a part


def under_present_names(entries: Sequence[Entry], register: Iterable[Registered]) -> list[Entry]:
    """The entries with each part under its present name, where the patient made two parts one.

    A name that stands in none of these entries is not brought in by this: it may be private.
    """
    written = {kept.said.text.strip().casefold() for kept in lines(entries, *NAMES)}
    present: dict[str, str] = {}
    for part in register:
        visible = [name for name in part.names if name.casefold() in written]
        present |= {name.casefold(): visible[0] for name in visible[1:]}
    return [replace(entry, lines=tuple(_renamed(line, present) for line in entry.lines)) for entry in entries]


def _renamed(line: EntryLine, present: Mapping[str, str]) -> EntryLine:
    name = present.get(line.text.strip().casefold()) if line.field in NAMES else None
    return line if name is None else replace(line, text=name)


def parts(entries: Sequence[Entry]) -> tuple[tuple[Part, ...], tuple[tuple[str, Said], ...]]:
    """The register, by the newest visit first, and (label, words) that belong to no single part.

    A part counts once per sitting. Two names are one part only when they are written alike, in upper or lower case;
    what the patient made one comes here under one name.
    """
    visits: dict[str, dict[str, Visit]] = {}
    shown: dict[str, str] = {}
    for about in lines(entries, "revisit.part_name"):  # a part that is only asked after has no visit in the period
        shown[about.said.text.strip().casefold()] = about.said.text.strip()
        visits.setdefault(about.said.text.strip().casefold(), {})
    loose: list[tuple[str, Said]] = []
    for entry in sorted(entries, key=lambda entry: (entry.created_at, entry.id)):
        named = _names(entry)
        details = lines([entry], *SAID)
        alone = details if len(named) == 1 else []
        loose += [(kept.label, kept.said) for kept in details if len(named) != 1]
        for kept in named:
            key = kept.said.text.strip().casefold()
            shown[key] = kept.said.text.strip()
            visits.setdefault(key, {})[entry.sitting_id] = Visit(
                at=entry.created_at,
                said={SAID[detail.field]: detail.said for detail in alone},
                source=kept.said.source,
            )
    found = [_part(shown[key], tuple(rows.values()), entries) for key, rows in visits.items()]
    return tuple(sorted(found, key=_last_heard_of, reverse=True)), tuple(loose)


def _last_heard_of(part: Part) -> datetime:
    moments = [visit.at for visit in part.visits]
    return max(moments if part.status is None else [*moments, part.status.source.at])


def _names(entry: Entry) -> list[Kept]:
    """The names in one entry, each once."""
    found: dict[str, Kept] = {}
    for kept in lines([entry], "part.name"):
        found.setdefault(kept.said.text.strip().casefold(), kept)
    return list(found.values())


def _part(name: str, visits: tuple[Visit, ...], entries: Sequence[Entry]) -> Part:
    statuses = _statuses(name, entries)
    bring = next((visit.said["bring"] for visit in reversed(visits) if "bring" in visit.said), None)
    return Part(name=name, visits=visits, status=statuses[-1] if statuses else None, asked_to_bring=bring)


def _statuses(name: str, entries: Sequence[Entry]) -> list[Said]:
    """What the patient later said of this part, oldest first."""
    return [
        status.said
        for about in lines(entries, "revisit.part_name")
        if about.said.text.strip().casefold() == name.casefold()
        for status in lines([about.entry], "revisit.part_status")
    ]


@dataclass(frozen=True, kw_only=True)
class Appearance:
    """One part in one stretch of the map. `times` is 0 where it was not named in the stretch."""

    name: str
    times: int
    new: bool
    stance: Said | None  # how the patient last said they feel toward it, in this stretch
    stance_before: Said | None  # the one before, where the two differ
    status: Said | None
    said: tuple[tuple[str, Said], ...]  # what it protects and what it is polarised with, as said


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One stretch of the parts map: from a journey to the next. `journey` is None before the first."""

    journey: JourneyMark | None
    since: datetime | None
    until: datetime | None
    parts: tuple[Appearance, ...]

    @property
    def new(self) -> tuple[str, ...]:
        return tuple(part.name for part in self.parts if part.new)

    @property
    def not_named(self) -> tuple[str, ...]:
        """Parts met earlier that this stretch does not name; why is for the patient to say."""
        return tuple(part.name for part in self.parts if not part.times)


def parts_map(entries: Sequence[Entry], journeys: Sequence[JourneyMark]) -> tuple[Epoch, ...]:
    """Each journey an epoch, oldest first; a stretch without entries that name a part before any part is left out."""
    met = [part for part in parts(entries)[0] if part.visits]
    register = sorted(met, key=lambda part: part.visits[0].at)
    marks = [None, *sorted(journeys, key=lambda mark: mark.ended_at)]
    epochs = []
    for place, mark in enumerate(marks):
        since = None if mark is None else mark.ended_at
        following = marks[place + 1] if place + 1 < len(marks) else None
        until = None if following is None else following.ended_at
        known = [part for part in register if until is None or part.visits[0].at < until]
        if known:
            rows = tuple(_appearance(part, since, until, entries) for part in known)
            epochs.append(Epoch(journey=mark, since=since, until=until, parts=rows))
    return tuple(epochs)


def _appearance(part: Part, since: datetime | None, until: datetime | None, entries: Sequence[Entry]) -> Appearance:
    def within(at: datetime) -> bool:
        return (since is None or at >= since) and (until is None or at < until)

    here = [visit for visit in part.visits if within(visit.at)]
    stances = [visit.said["stance"] for visit in part.visits if "stance" in visit.said]
    now = [stance for stance in stances if within(stance.source.at)]
    before = [stance for stance in stances if now and stance.source.at < now[-1].source.at]
    changed = before[-1] if before and before[-1].text != now[-1].text else None
    statuses = [said for said in _statuses(part.name, entries) if within(said.source.at)]
    newest = {key: visit.said[key] for visit in here for key in TIES if key in visit.said}
    return Appearance(
        name=part.name,
        times=len(here),
        new=bool(here) and here[0] is part.visits[0],
        stance=now[-1] if now else None,
        stance_before=changed,
        status=statuses[-1] if statuses else None,
        said=tuple(newest.items()),
    )
