"""What the interpreter may know about the patient and the moment. Read once per turn; never changed by a flow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.core.journeys import Phase
from bot.core.safety.verdict import Level


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Facts for one turn. `slots` holds the values of protocol 0.2 that do not come from the sitting itself."""

    phase: Phase
    slots: Mapping[str, str]
    flags: Mapping[str, Any] = field(default_factory=dict)
    journeys_completed: int = 0
    hours_since_dose: float | None = None
    hours_to_journey: float | None = None
    open_alert: Level = Level.none
    paused_by_medical: bool = False
    known_parts: tuple[str, ...] = ()
    entry_lines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # field -> earlier texts, newest first
    safety_plan: Mapping[str, str] = field(default_factory=dict)  # line -> the patient's words, where there is a plan
    open_step_days: float | None = None  # age of the open small step in days
    recalled_this_journey: bool = False
    intention_this_journey: bool = False
    sittings_today: int = 0
    days_since_last: float | None = None

    def flag(self, name: str) -> bool:
        """A care-team switch of protocol 1.5; unset counts as false, except `breath_ok`."""
        value = self.flags.get(name)
        return name == "breath_ok" if value is None else bool(value)
