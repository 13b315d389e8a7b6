"""What the interpreter may know about the patient and the moment. Read once per turn; never changed by a flow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.core.journal import EntryMark
from bot.core.journeys import Phase, ProgramStatus
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
    known_parts: tuple[str, ...] = ()
    entry_lines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # field -> earlier texts, newest first
    safety_plan: Mapping[str, str] = field(default_factory=dict)  # line -> the patient's words, where there is a plan
    open_step_days: float | None = None  # age of the open small step in days
    recalled_this_journey: bool = False
    intention_this_journey: bool = False
    sittings_today: int = 0
    pattern: str | None = None  # a pattern over the last sittings to speak of (bot.core.patterns)
    slept_since_dose: bool | None = None  # None: not asked yet
    discards_due: tuple[str, ...] = ()  # entries whose removal was asked for on a journey day, to be asked again
    program: ProgramStatus = ProgramStatus.active
    session_booked: bool = False  # an integration coaching session is on the calendar
    days_since_last: float | None = None
    own_entries: tuple[EntryMark, ...] = ()  # the newest, newest first; what is set aside is out of sight
    deletion: str | None = None  # the request to delete everything: noted, due (to be asked again) or confirmed
    coach_is_new: bool = False  # a new coach, and the patient has not chosen what to share with them
    shares_nothing: bool = False  # that was the choice

    @property
    def paused_by_medical(self) -> bool:
        """Whether the medical team has paused the programme: no next journey is mentioned."""
        return self.program is ProgramStatus.paused_by_medical

    @property
    def may_share(self) -> bool:
        """Whether a coach reads this patient's entries; not after discharge (2.3), nor a new one unasked (7.5)."""
        return self.program is not ProgramStatus.discharged and not self.shares_nothing

    @property
    def within_a_day(self) -> bool:
        """Whether consent and irreversible deletion have to wait (protocol 1.4 N15, 7.6)."""
        early = self.phase in (Phase.first_24h, Phase.journey_day_before, Phase.journey_day_after)
        return early or (self.hours_since_dose is not None and self.hours_since_dose < 24)

    def flag(self, name: str) -> bool:
        """A care-team switch of protocol 1.5; unset counts as false, except `breath_ok`."""
        value = self.flags.get(name)
        return name == "breath_ok" if value is None else bool(value)
