"""Authored flows as records: what the YAML under data/ says, checked and ready to be run. Source: protocol 3, 6.5."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

from bot.core.flow.expressions import Expression
from bot.core.flow.speech import AnswerType, Option

Variants = tuple[str, ...]  # wordings of one message; which is shown follows the protocol's rule


class ContentError(ValueError):
    """Authored content cannot be run as written."""


@dataclass(frozen=True, kw_only=True)
class AnswerSpec:
    """How a step may be answered."""

    type: AnswerType
    options: tuple[Option, ...] = ()
    minimum: int = 0
    maximum: int = 10
    safety: bool = False
    with_word: bool = False
    with_text: bool = False
    multiple: bool = False
    extra: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()  # who a question may go to
    sources: tuple[str, ...] = ()  # fields of earlier entries offered as buttons


@dataclass(frozen=True, kw_only=True)
class AlertSpec:
    """An alert that a branch or step raises."""

    category: str
    level: str
    reason: str
    to: str | None = None
    urgent_if: Expression | None = None  # when the level is urgent instead
    only_if: Expression | None = None
    otherwise_note: str | None = None  # the line for the coach where `only_if` does not hold


@dataclass(frozen=True, kw_only=True)
class Branch:
    """What follows when a condition holds: messages, then an offer of buttons or a place to go."""

    when: Expression
    say: tuple[Variants, ...] = ()
    goto: str | None = None
    offer: tuple[Option, ...] = ()
    set: Mapping[str, Any] = dataclass_field(default_factory=dict)
    alert: AlertSpec | None = None
    if_close: str | None = None  # where "close" of the offer leads instead
    faq: str | None = None
    most: int | None = None  # how often this branch may be taken in one sitting
    note: str | None = None  # an update for staff, such as a severity


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a flow."""

    id: str
    prompts: Variants = ()
    say: tuple[Variants, ...] = ()  # messages before the prompt
    answer: AnswerSpec | None = None  # None: speak and go on at once
    skippable: bool = True
    field: str | None = None
    default: str | None = None
    branches: tuple[Branch, ...] = ()
    next: str | None = None
    acks: Variants = ()
    acks_by_value: Mapping[str, str] = dataclass_field(default_factory=dict)
    show_if: Expression | None = None
    skip_if: Expression | None = None
    counter: str | None = None
    counter_max: int | None = None
    seconds: int | None = None
    small_print: str | None = None
    guard: bool = False
    tender_stop: str | None = None
    set: Mapping[str, Any] = dataclass_field(default_factory=dict)
    alert: AlertSpec | None = None
    alert_if: Expression | None = None
    skip_to: str | None = None  # where a skip leads, where that is not `next` (protocol 3.1)
    follow_on: Option | None = None  # offered after the answer, such as "Make it a small step"


@dataclass(frozen=True, kw_only=True)
class Flow:
    """One practice or response flow. `order` is the order of steps as written; the first one starts it."""

    id: str
    steps: Mapping[str, Step]
    order: tuple[str, ...]
    label: str = ""
    minutes: int = 0
    kind: str = "practice"  # practice, response, sitting
    phases: frozenset[str] = frozenset()
    requires: Expression | None = None
    modes: Mapping[str, tuple[str, ...]] = dataclass_field(default_factory=dict)  # short, harvest, preparation
    say: tuple[Variants, ...] = ()  # response flows: before the first question
    phase_notes: Mapping[str, tuple[Variants, ...]] = dataclass_field(default_factory=dict)  # practices: said first
    crisis: bool = False  # emergency: its `say` is shown by the gateway before anything else
    resume: str | None = None  # R1, R2, R3
    staff: str | None = None
    level: str | None = None
    category: str | None = None
    end: str | None = None
    parts_line: str | None = None  # first bubble in place of the first `say` where parts language was used
    silence_seconds: int | None = None
    silence_level: str | None = None

    def after(self, step_id: str, mode: tuple[str, ...] = ()) -> str | None:
        """The step that follows in the order as written (or in a mode's list), or None at the end."""
        order = mode if step_id in mode else self.order
        place = order.index(step_id) + 1
        return order[place] if place < len(order) else None


@dataclass(frozen=True, kw_only=True)
class GroundingOrder:
    """Which settling practices come first in which state (protocol 3.3, `picker`)."""

    by_state: Mapping[str, tuple[str, ...]]
    outward_only: tuple[str, ...]
    outward_when: Expression
    names: Mapping[str, str]
    most_shown: int


@dataclass(frozen=True, kw_only=True)
class Resource:
    """Something of the clinic's own to read, watch or hear (data/resources)."""

    id: str
    kind: str  # article, video or practice
    title: str
    about: str
    minutes: int
    phases: frozenset[str]
    fits: frozenset[str]  # practices after which it is named
    body: tuple[str, ...]  # paragraphs


@dataclass(frozen=True, kw_only=True)
class Library:
    """All authored content, checked. `version` is a hash of the files it came from."""

    flows: Mapping[str, Flow]
    texts: Mapping[str, tuple[Variants, ...]]  # messages by dotted name, such as "sitting.pause"
    faq: Mapping[str, tuple[str, ...]]
    faq_routes: Mapping[str, str]  # none, medical_team, coach, clinic or help
    crisis_card: tuple[str, ...]
    grounding: GroundingOrder
    fields: Mapping[str, str]  # field -> label on the summary card, in the order of the card
    decision_patterns: Mapping[str, tuple[str, ...]]
    short_questions: Mapping[str, tuple[Variants, str]]  # phase -> (prompts, field)
    body_places: tuple[str, ...]
    tips: Mapping[str, tuple[tuple[str, str], ...]]  # phase -> (id, text), in order
    notes: Mapping[str, str]  # lines for the team without the patient's text
    onboarding: tuple[Mapping[str, Any], ...]
    resources: tuple[Resource, ...]
    version: str
    sources: Mapping[str, str]  # relative path -> text of the files it came from
