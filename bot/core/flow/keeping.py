"""Keeping: the patient's words go into the draft of the entry, or to the team where a response flow asks."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import asdict
from typing import Any

from bot.core.flow.asking import shorten
from bot.core.flow.branching import Branching
from bot.core.flow.content import Step
from bot.core.flow.outcome import Effect
from bot.core.flow.reading import is_free
from bot.core.flow.state import Frame, SittingState

ALIASES = {
    "state.ladder": "ladder",
    "state.activation_start": "activation",
    "state.presence": "presence",
    "grounding.activation_after": "activation",
    "grounding.presence_after": "presence",
    "recall.activation_after": "activation",
    "state.activation_end": "activation",
    "meta.mode": "mode",
}
ABOUT = {  # an answer about something earlier is kept with what was quoted: field -> (field, slot)
    "revisit.step_status": ("revisit.step", "last_step"),
    "revisit.part_status": ("revisit.part_name", "last_part"),
    "revisit.intention_note": ("revisit.intention", "last_intention"),
}
NOT_KEPT = (
    "grounding.",
    "screen.",
    "meta.",
    "part.unblend",
    "part.find",
    "recall.availability",
    "step.reminder",
    "recall.past_scene_tell_coach",
    "letter.status",
)


class Keeping(Branching):
    """Remembers where the patient was and what they wrote."""

    def remember(self) -> None:
        if self.in_response():
            return
        snapshot = {
            "frames": [asdict(f) for f in self.state.frames],
            "values": deepcopy(self.state.values),
            "kept": len(self.state.kept),
        }
        self.state.history = [*self.state.history, snapshot][-SittingState.HISTORY :]

    def keep_aside(self, text: str) -> None:
        """Words that are no answer to the question are still the patient's words: they are kept in the draft."""
        frame = self.state.frame
        if not text:
            return
        if (frame is not None and self.library.flows[frame.flow].kind == "response") or self.locked_now():
            self.effects.append(Effect(kind="staff_text", data={"text": text}))
        else:
            self.state.kept.append({"step": "aside", "field": "freeform", "label": "Also written", "text": text})

    def keep(self, frame: Frame, step: Step, value: Any, words: str) -> None:
        if step.field is None:
            return
        name = self.field_of(step)
        if name.startswith("safety_plan."):
            if words:
                self.effects.append(Effect(kind="plan", data={"line": name.partition(".")[2], "text": words}))
            return
        self.state.values[name] = value
        if name in ALIASES and (value is not None or ALIASES[name] == "ladder"):
            self.state.values[ALIASES[name]] = value
        if self.library.flows[frame.flow].kind == "response":
            self.effects.append(
                Effect(kind="staff_answer", data={"question": step.id, "value": value if not is_free(step) else None})
            )
            if is_free(step) and words:
                self.effects.append(Effect(kind="staff_text", data={"text": words}))
            return
        if name == "part.name" and words:
            self.state.slots["part_name"] = words
        if name in ("step.text", "step.when") and words:
            self.state.slots["plan_step" if name == "step.text" else "plan_when"] = shorten(words)
        if name == "prep.medical_change" and value is None:
            self.state.values["changes_skipped"] = True
        if name == "prep.medical_change_detail" and words:
            self.effects.append(Effect(kind="question", data={"to": "medical_team", "text": words}))
        about, slot = ABOUT.get(name, ("", ""))
        quoted = self.slots().get(slot)
        if words and quoted:
            self.state.kept.append({"step": step.id, "field": about, "label": about, "text": quoted})
        if words and not name.startswith(NOT_KEPT):
            self.state.kept.append({"step": step.id, "field": name, "label": name, "text": words})

    def field_of(self, step: Step) -> str:
        if step.id == "short_one":
            return self.library.short_questions[self.facts.phase.protocol_id][1]
        return str(step.field).replace("[]", "")
