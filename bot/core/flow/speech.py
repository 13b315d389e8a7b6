"""What the assistant says and how the patient may answer, free of any channel.

The JSON of these records is what Rasa carries and what the page draws.
"""

from __future__ import annotations

import enum
from dataclasses import asdict, dataclass
from typing import Any


class AnswerType(str, enum.Enum):
    """The answer types of protocol 3.1, and `summary`, the card of 3.14."""

    none = "none"  # message only, a Continue button
    text = "text"
    short_text = "short_text"  # 60 characters shown as enough
    scale = "scale"
    choice = "choice"
    multi = "multi"
    part = "part"
    body = "body"
    summary = "summary"


@dataclass(frozen=True, kw_only=True)
class Option:
    """One button: the value that comes back and the label shown."""

    value: str
    label: str


@dataclass(frozen=True, kw_only=True)
class SummaryLine:
    """One line of the summary card, in the patient's words."""

    id: str  # the field, as in protocol 4.2, with an index where it repeats
    label: str  # such as "Images"
    text: str
    included: bool = True
    editable: bool = True


@dataclass(frozen=True, kw_only=True)
class Control:
    """How the current prompt may be answered. `id` names one asking of one step; an answer for another id is stale."""

    id: str
    type: AnswerType
    options: tuple[Option, ...] = ()  # choice, multi, part (known parts), body (places)
    minimum: int = 0  # scale
    maximum: int = 10
    minimum_label: str = ""
    maximum_label: str = ""
    skippable: bool = True
    lot: bool = False  # show "This is a lot"
    safety: bool = False  # the answer passes the safety gate although it is a button
    seconds: int | None = None  # a soft timer, can be ended at once
    with_word: bool = False  # body: a place and a word
    with_text: bool = False  # choice or multi: free text beside the options
    multiple: bool = False  # body: several places
    lines: tuple[SummaryLine, ...] = ()  # summary

    def as_json(self) -> dict[str, Any]:
        data = asdict(self)
        data["type"] = self.type.value
        return data


@dataclass(frozen=True, kw_only=True)
class Link:
    """A way from a bubble to one of the patient's own pages: `page` is entry (with its `id`), copy or alerts."""

    page: str
    label: str
    id: str = ""


@dataclass(frozen=True, kw_only=True)
class Utterance:
    """One bubble. `text_id` names the authored text for review; `kind` is say, prompt, crisis, notice or summary."""

    text: str
    text_id: str
    kind: str = "say"
    small_print: str | None = None
    control: Control | None = None
    links: tuple[Link, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "text_id": self.text_id,
            "kind": self.kind,
            "small_print": self.small_print,
            "control": None if self.control is None else self.control.as_json(),
            "links": [asdict(link) for link in self.links],
        }


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the patient sent: free text, or a structured answer to the control `control_id`.

    `value` by answer type: scale "0" to "10"; choice, part one value; multi a list of values;
    body a list of {"place", "word"}; none "continue"; any type "skip", or "lot" where offered;
    summary one of share, private, later, discard, with `lines` {line id: new text or None to leave out}.
    """

    message_id: str
    text: str
    control_id: str | None = None
    value: Any = None
    lines: dict[str, str | None] | None = None
