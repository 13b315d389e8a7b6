"""Where a sitting stands. Plain data that survives restarts and days; the clinic's side saves it encrypted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class Frame:
    """One flow under way. The last frame of a sitting is the one being spoken; those below wait for it."""

    flow: str
    step: str
    mode: str = ""  # short, harvest or preparation: which list of steps is walked
    counters: dict[str, int] = field(default_factory=dict)
    offer: list[dict[str, str]] | None = None  # buttons of a branch that await a choice
    offer_close: str | None = None  # where "close" leads instead of closing
    outward: bool = False  # grounding by eyes and feet only
    start: int | None = None  # grounding: activation before this round
    subtype: str | None = None
    after_lot: bool = False  # grounding that "This is a lot" led to


@dataclass
class SittingState:
    """A sitting from the first hello to the goodbye. Mutable inside the interpreter only."""

    sitting_id: str = ""
    status: str = "idle"  # idle, active, paused
    started_at: str | None = None
    content_version: str = ""
    frames: list[Frame] = field(default_factory=list)
    control: str | None = None  # the control awaiting an answer
    control_no: int = 0
    values: dict[str, Any] = field(default_factory=dict)  # what conditions may ask about
    kept: list[dict[str, Any]] = field(default_factory=list)  # step, field, text: the draft entry
    history: list[dict[str, Any]] = field(default_factory=list)  # for going back, at most HISTORY
    practices: list[str] = field(default_factory=list)
    mode: str = ""
    rounds: int = 0
    lots: int = 0
    distress_checks: int = 0
    locked: bool = False
    entry_id: str | None = None
    pending_concerns: list[dict[str, Any]] = field(default_factory=list)  # shown at the end of the practice
    explicit_trigger: bool = True
    if_no_answer: str | None = None  # of the question being asked: what silence means
    quiet_rules: list[str] = field(default_factory=list)
    asked_rules: list[str] = field(default_factory=list)
    restricted: list[str] = field(default_factory=list)
    echoes: int = 0
    slots: dict[str, str] = field(default_factory=dict)
    shown: dict[str, int] = field(default_factory=dict)  # per step, across sittings: chooses the variant
    silence_due: str | None = None  # when no answer counts as one, ISO 8601 UTC
    reprompted: bool = False
    spent_seconds: float = 0.0  # in this sitting, pauses left out
    last_at: str | None = None  # the last turn, ISO 8601 UTC

    HISTORY = 8

    @property
    def frame(self) -> Frame | None:
        """The flow being spoken."""
        return self.frames[-1] if self.frames else None

    @property
    def silence_due_at(self) -> datetime | None:
        """When silence counts as an answer, aware UTC."""
        return datetime.fromisoformat(self.silence_due) if self.silence_due else None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SittingState:
        known = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        known["frames"] = [Frame(**frame) for frame in data.get("frames", ())]
        return cls(**known)
