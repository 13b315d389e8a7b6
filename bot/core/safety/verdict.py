"""The verdict of an assessment: a level, its categories, and the evidence a clinician can follow.

Knows nothing of how the layers reach their findings. Source: protocol 6.1 to 6.3.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


class Level(enum.IntEnum):
    """How soon a person must act. Ordered: a higher value outranks a lower one."""

    none = 0
    concern = 1
    urgent = 2
    emergency = 3


class Category(str, enum.Enum):
    """What the concern is about. Declared in tie order: the earlier wins the patient's flow (6.2 step 5)."""

    medical = "medical"
    suicide = "suicide"
    harm_to_others = "harm_to_others"
    psychosis_mania = "psychosis_mania"
    self_harm = "self_harm"
    substance = "substance"
    abuse = "abuse"
    distress = "distress"
    human_request = "human_request"

    @property
    def rank(self) -> int:
        """Place in the tie order, 0 first."""
        return list(Category).index(self)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One reason for a verdict. `start` and `end` are character offsets in the patient's text, end exclusive."""

    start: int
    end: int
    score: float  # 1.0 for a rule; a probability-like score, 0 to 1, for a model
    rule: str | None = None  # id of a rule in data/safety
    nearest: str | None = None  # id of the nearest training example
    qualifiers: tuple[str, ...] = ()  # what lowered a rule's match, such as "past" or "journey imagery" (6.4)

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"start": self.start, "end": self.end, "score": round(self.score, 4)}
        if self.rule is not None:
            found["rule"] = self.rule
        if self.nearest is not None:
            found["nearest"] = self.nearest
        return found


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one layer found in one category: a level to alert at, or a question with the level that silence means."""

    category: Category
    level: Level  # Level.none when it only asks
    ask: bool = False
    if_no_answer: Level = Level.none  # meaningful only where `ask`
    subtype: str | None = None  # such as "clinic_boundary", "eating", "bereavement"
    evidence: Evidence
    loose: bool = False  # a mere mention: it stands unless another layer is sure that there is no harm (ADR 5)

    @property
    def weight(self) -> tuple[int, int, int]:
        """Sort key: alert level, then what silence would mean, then the tie order (greater is graver)."""
        return (int(self.level), int(self.if_no_answer) if self.ask else 0, -self.category.rank)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The combined outcome for one message. `ask` is true only when nothing reached an alert level."""

    level: Level
    categories: tuple[Category, ...]  # gravest first
    ask: bool
    if_no_answer: Level | None
    subtype: str | None
    findings: tuple[Finding, ...]
    version: str  # of rules, model and code together
    failed_layers: tuple[str, ...] = ()

    @property
    def primary(self) -> Category | None:
        """The category whose response flow the patient sees."""
        return self.categories[0] if self.categories else None

    @property
    def interrupts(self) -> bool:
        """Whether the response comes before the current step at once (6.4c, "When a flow interrupts")."""
        if self.ask or self.level >= Level.urgent:
            return True
        at_once = {Category.suicide, Category.self_harm, Category.abuse, Category.psychosis_mania}
        return self.level is Level.concern and self.primary in at_once

    def as_json(self) -> dict[str, Any]:
        """The JSON shape of `kat assess` (without an id). Holds offsets and ids, never the patient's words."""
        return {
            "level": self.level.name,
            "categories": [category.value for category in self.categories],
            "ask": self.ask,
            "if_no_answer": None if self.if_no_answer is None else self.if_no_answer.name,
            "subtype": self.subtype,
            "evidence": [finding.evidence.as_json() for finding in self.findings],
            "version": self.version,
        }


@dataclass(frozen=True, kw_only=True)
class AssessmentContext:
    """What is known around a message. `history`: the patient's last messages, oldest first; at most three count."""

    phase: str = "open_integration"  # a phase id of protocol 2.1
    practice: str | None = None  # the practice being written in, if any
    history: tuple[str, ...] = ()
    hours_since_dose: float | None = None
    quiet_rules: frozenset[str] = field(default_factory=frozenset)  # tripwires answered "no" in this sitting


def combine(findings: Iterable[Finding], *, version: str, failed_layers: tuple[str, ...] = ()) -> Verdict:
    """Merge what the layers found; a layer can only raise.

    1. The gravest alert level wins; all categories with a finding are listed, gravest first.
    2. A question stands only where no finding alerts at urgent or above, and where its silence would be graver
       than the alert that there is.
    3. A failed layer asks at least (silence then counts as urgent). Source: protocol 0.1 and 6.2.
    """
    ordered = sorted(findings, key=lambda finding: finding.weight, reverse=True)
    level = max((finding.level for finding in ordered), default=Level.none)
    silent = max((finding.if_no_answer for finding in ordered if finding.ask), default=Level.none)
    ask = silent > level and level < Level.urgent
    if ask:
        ordered.sort(key=lambda f: (f.ask, int(f.if_no_answer), int(f.level), -f.category.rank), reverse=True)
    if failed_layers and level < Level.urgent and not ask:
        ask, silent = True, Level.urgent
    categories: dict[Category, None] = {}
    for finding in ordered:
        categories.setdefault(finding.category)
    if failed_layers and not categories:
        categories[Category.suicide] = None
    return Verdict(
        level=level,
        categories=tuple(categories),
        ask=ask,
        if_no_answer=silent if ask else None,
        subtype=next((f.subtype for f in ordered if f.subtype and f.category is next(iter(categories))), None),
        findings=tuple(ordered),
        version=version,
        failed_layers=failed_layers,
    )


def verdict_from_json(data: Mapping[str, Any]) -> Verdict:
    """Rebuild a verdict (without findings) from `Verdict.as_json`. Raises KeyError or ValueError on foreign data."""
    return Verdict(
        level=Level[data["level"]],
        categories=tuple(Category(name) for name in data["categories"]),
        ask=bool(data["ask"]),
        if_no_answer=None if data["if_no_answer"] is None else Level[data["if_no_answer"]],
        subtype=data.get("subtype"),
        findings=(),
        version=str(data["version"]),
    )
