"""Messages and journal entries as records. Source: protocol 4."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


class Visibility(str, enum.Enum):
    """Who can read an entry. Nothing is shared but by the patient's own choice."""

    draft = "draft"  # patient only, not decided yet
    shared = "shared"  # patient and their coach
    private = "private"  # patient only
    discarded = "discarded"  # text removed


@dataclass(frozen=True, kw_only=True)
class Message:
    """One bubble of a conversation. `seq` grows over the whole database; `text` is the words, decrypted."""

    id: str
    seq: int
    patient_id: str
    sender: str  # patient or assistant
    kind: str  # say, prompt, crisis, notice, summary; "text" or "button" from a patient
    text: str
    created_at: datetime
    client_id: str | None = None
    text_id: str | None = None
    control: Mapping[str, Any] | None = None
    small_print: str | None = None
    reply_to: str | None = None
    answered_at: datetime | None = None
    payload: Mapping[str, Any] | None = None  # a structured answer: control_id, value, lines
    links: Sequence[Mapping[str, str]] = ()  # to the patient's own pages: page, label, id
    sitting_id: str | None = None  # the sitting that it belongs to, known once its turn was taken


@dataclass(frozen=True, kw_only=True)
class EntryLine:
    """One kept line: the field of protocol 4.2, the label on the card, and the patient's words."""

    field: str
    label: str
    step: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question, or a note without the patient's text, on its way to the coach or the medical team."""

    id: str
    patient_id: str
    addressee: str  # coach or medical_team
    text: str
    created_at: datetime
    kind: str = "question"  # or note
    status: str = "open"  # open, answered, withdrawn
    answer: str | None = None
    answered_at: datetime | None = None
    answered_by: int | None = None  # user id
    entry_id: str | None = None  # of a shared entry: it is withdrawn when the entry is


@dataclass(frozen=True, kw_only=True)
class EntryMark:
    """What tells one entry from another in a list, without its words: a list stays where an entry may be removed."""

    id: str
    when: str  # in the patient's zone, such as "Sun, Nov 22, 14:05"
    practices: tuple[str, ...]
    visibility: Visibility


PATIENT_ONLY = frozenset({"recall.past_scene_flag"})  # class P of protocol 4.2, in a shared entry too


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One journal entry: what one sitting left behind."""

    id: str
    patient_id: str
    sitting_id: str
    phase: str
    visibility: Visibility
    practices: tuple[str, ...]
    lines: tuple[EntryLine, ...]
    created_at: datetime
    shared_at: datetime | None = None
    hours_since_dose: int | None = None
    content_version: str = ""
    held: bool = False  # kept from the coach: a complaint about the clinic (protocol 6.5.4)

    @property
    def lines_for_coach(self) -> tuple[EntryLine, ...]:
        """The lines that sharing shares: all but those that stay with the patient."""
        return tuple(line for line in self.lines if line.field not in PATIENT_ONLY)

    def line(self, field: str) -> str | None:
        """The text of the first line of a field, or None."""
        return next((line.text for line in self.lines if line.field == field), None)
