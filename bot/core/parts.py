"""The register of parts: what the patient wrote of each, in their words, over time. Source: protocol 4.2.

Nothing is inferred: a part has the names, the role and the words that the patient gave. Merging is the patient's or
the coach's act, never automatic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.journal import Entry

FIELDS = {
    "part.job": "jobs",
    "part.fear": "fears",
    "part.place": "places",
    "part.request": "requests",
    "part.description": "looks",
    "part.feel_toward": "feelings",
    "part.type_by_patient": "roles",
    "revisit.part_status": "statuses",
}


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part as registered. `names[0]` is its present name, the others are earlier ones after a merge."""

    id: str
    patient_id: str
    names: tuple[str, ...]
    times: int  # entries in which it was met
    first_seen: datetime
    last_seen: datetime

    def is_called(self, name: str) -> bool:
        """Whether this is one of its names, whatever the capitals."""
        return name.strip().casefold() in {known.casefold() for known in self.names}


@dataclass(frozen=True, kw_only=True)
class Said:
    """Words of the patient, and when they were written."""

    at: datetime
    text: str
    entry_id: str


@dataclass(frozen=True, kw_only=True)
class Portrait:
    """All that entries hold of one part, newest first, each in the patient's words."""

    part: Part
    jobs: Sequence[Said] = ()  # what it protects or does
    fears: Sequence[Said] = ()
    places: Sequence[Said] = ()  # in or around the body
    requests: Sequence[Said] = ()
    looks: Sequence[Said] = ()
    feelings: Sequence[Said] = ()  # of the patient toward it
    roles: Sequence[Said] = ()  # the patient's own pick
    statuses: Sequence[Said] = ()  # softer, same, louder
    met: Sequence[datetime] = field(default_factory=tuple)


def portrait(part: Part, entries: Iterable[Entry]) -> Portrait:
    """What these entries say of a part. In an entry, lines about a part belong to the name above them."""
    found: dict[str, list[Said]] = {name: [] for name in FIELDS.values()}
    met: list[datetime] = []
    for entry in entries:
        current: str | None = None
        for line in entry.lines:
            if line.field == "part.name":
                current = line.text
                if part.is_called(current):
                    met.append(entry.created_at)
            elif line.field in FIELDS and (part.is_called(current or "") or _is_status(line.field, part, entry)):
                said = Said(at=entry.created_at, text=line.text, entry_id=entry.id)
                found[FIELDS[line.field]].append(said)
    newest = {name: tuple(sorted(rows, key=lambda s: s.at, reverse=True)) for name, rows in found.items()}
    return Portrait(part=part, met=tuple(sorted(met, reverse=True)), **newest)


def _is_status(field_name: str, part: Part, entry: Entry) -> bool:
    """A follow-up asks about the part met last; it names no part, and is kept with the one it asked about."""
    asked = next((line.text for line in entry.lines if line.field == "revisit.part_name"), None)
    return field_name == "revisit.part_status" and asked is not None and part.is_called(asked)
