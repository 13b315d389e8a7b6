"""Speaking: the base of a turn, what it knows, and how authored texts become utterances."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.core.flow import gates
from bot.core.flow.content import Library, Step, Variants
from bot.core.flow.facts import Facts
from bot.core.flow.outcome import Effect, Outcome, Raise
from bot.core.flow.render import choose
from bot.core.flow.speech import Utterance
from bot.core.flow.state import SittingState
from bot.core.journeys import SLEEP_KEEPS_UNTIL, Phase

LONGEST_GAP_SECONDS = 180.0  # between two turns that belong together

STATED_PHASE = {
    "yesterday": Phase.first_24h,
    "d2_3": Phase.h24_72,
    "older": Phase.open_integration,
    "none_yet": Phase.preparation,
}


class Speaking:
    """One turn under way, on a copy of the state. The subjects of the flow build on it, one module each."""

    def __init__(
        self, library: Library, state: SittingState, facts: Facts, now: datetime, newest: Library | None = None
    ) -> None:
        self.library, self.facts, self.now = library, facts, now
        self.newest = newest or library  # what a sitting that begins in this turn will run on
        self.state = deepcopy(state)
        self.said: list[Utterance] = []
        self.raises: list[Raise] = []
        self.effects: list[Effect] = []
        self.moves = 0
        self.believe_stated_phase()

    def believe_stated_phase(self) -> None:
        """Where the clinic's dates are missing, what the patient said stands in for this sitting (protocol 2.3)."""
        stated = self.state.values.get("meta.stated_phase")
        hours = self.facts.hours_since_dose
        awake = self.state.values.get("meta.slept") == "no" and hours is not None and hours < SLEEP_KEEPS_UNTIL
        if awake and self.facts.phase is Phase.h24_72:
            self.facts = replace(self.facts, phase=Phase.first_24h)
        if self.facts.phase is Phase.unknown and "meta.stated_phase" in self.state.values:
            self.facts = replace(self.facts, phase=STATED_PHASE.get(str(stated), Phase.first_24h))

    def outcome(self) -> Outcome:
        self.count_time()
        return Outcome(state=self.state, say=tuple(self.said), raises=tuple(self.raises), effects=tuple(self.effects))

    def count_time(self) -> None:
        """Add the time since the last turn; a longer gap was a pause (protocol 2.2, max length)."""
        if self.state.last_at is not None and self.state.frames:
            gap = (self.now - datetime.fromisoformat(self.state.last_at)).total_seconds()
            self.state.spent_seconds += min(max(gap, 0.0), LONGEST_GAP_SECONDS)
        self.state.last_at = self.now.isoformat()

    def step(self) -> Step | None:
        frame = self.state.frame
        return None if frame is None else self.library.flows[frame.flow].steps.get(frame.step)

    def is_at(self, flow_id: str) -> bool:
        return self.state.frame is not None and self.state.frame.flow == flow_id

    def in_response(self) -> bool:
        return self.state.frame is not None and self.library.flows[self.state.frame.flow].kind == "response"

    def locked_now(self) -> bool:
        return self.state.frame is not None and self.state.frame.flow == "safety_shared.stay"

    def speak(self, variants: Variants, text_id: str, *, kind: str = "say") -> None:
        times = self.state.shown.get(text_id, 0)
        text = choose(variants, times, self.slots())
        if len(variants) > 1:
            self.state.shown[text_id] = times + 1
        if text:
            self.said.append(Utterance(text=text, text_id=text_id, kind=kind))

    def say_variants(self, name: str, variants: Variants) -> None:
        self.speak(variants, name)

    def say_text(self, name: str, *, kind: str = "say") -> None:
        for number, variants in enumerate(self.library.texts[name]):
            self.speak(variants, f"{name}.{number + 1}", kind=kind)

    def notice(self, name: str) -> None:
        self.say_text(name, kind="notice")

    def text(self, name: str) -> str:
        return choose(self.library.texts[name][0], 0, self.slots())

    def slots(self) -> dict[str, str]:
        return {**self.facts.slots, **self.state.slots}

    def gate(self) -> str:
        return gates.gate(self.facts, self.variables(None))

    def variables(self, value: Any) -> dict[str, Any]:
        """What a condition may ask about."""
        state, facts, frame = self.state, self.facts, self.state.frame
        values = state.values
        full = [p for p in state.practices if p not in gates.UNCAPPED]
        screen = {k.removeprefix("screen."): v for k, v in values.items() if k.startswith("screen.")}
        current = {
            "value": value,
            "skipped": value is None,
            "extra": bool(values.get("extra")),
            "text": str(value or ""),
            "activation": None,
            "presence": None,
            "ladder": None,
            "mode": None,
            "rounds": state.rounds,
            "start": frame.start if frame is not None and frame.start is not None else 99,
            "phase": facts.phase.protocol_id,
            "journeys_completed": facts.journeys_completed,
            "hours_to_journey": facts.hours_to_journey,
            "within_24h": facts.hours_since_dose is None or facts.hours_since_dose <= 24,
            "parts_work_ok": facts.flag("parts_work_ok"),
            "body_work_ok": facts.flag("body_work_ok"),
            "breath_ok": facts.flag("breath_ok"),
            "cool_water_ok": facts.flag("cool_water_ok"),
            "open_step": facts.open_step_days is not None,
            "last_part": bool(facts.slots.get("last_part")),
            "intention": bool(facts.slots.get("last_intention")),
            "has_something_to_revisit": bool(
                facts.open_step_days is not None
                or facts.known_parts
                or facts.slots.get("last_intention")
                or facts.entry_lines.get("glimmers")
            ),
            "urinary": bool(frame is not None and frame.subtype == "urinary"),
            "full_practices": len(full),
            "harm_mentioned": False,
            "prefilled_sc_wish": False,
            "prefilled_sc_thoughts": False,
        }
        current.update(values)
        current.update(screen)
        if frame is not None and frame.flow == "grounding" and frame.step == "gr_after":
            current["value"] = values.get("activation")
        current["value"] = value if value is not None else current.get("value")
        current["gate"] = gates.gate(facts, current)
        return current
