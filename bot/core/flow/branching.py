"""Branching: what an answer leads to, by the content's own conditions. Source: protocol 3.1."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.core.flow import gates
from bot.core.flow.content import AlertSpec, Branch, Step
from bot.core.flow.echo import echo
from bot.core.flow.outcome import Effect, Raise
from bot.core.flow.render import choose
from bot.core.flow.saving import Saving
from bot.core.flow.speech import Option, Utterance
from bot.core.flow.state import Frame

AFTER_A_LOT = (  # after "This is a lot" (protocol 3.0, mid-practice rule)
    Option(value="go_on", label="Go on"),
    Option(value="gentle", label="Something gentler"),
    Option(value="stop", label="Stop here"),
)


class Branching(Saving):
    """Follows branches, raises what they raise, and acknowledges answers."""

    def advance(self, frame: Frame, step: Step, value: Any, words: str) -> None:
        self.acknowledge(step, value, words)
        if step.guard and words:
            self.decision_guard(words)
        self.apply(step.set, value)
        if value is None and step.skip_to is not None:
            self.skip_to(step, step.skip_to)
        else:
            self.settle_branch(step, self.variables(value), value)

    def skip_to(self, step: Step, target: str) -> None:
        """Take the gentlest road from a skipped decision (protocol 3.1)."""
        if step.id == "os_step":  # nothing of the step is saved
            self.state.kept = [row for row in self.state.kept if not row["step"].startswith("os_")]
            self.state.history = []
        self.branch_goto(target, step)

    def acknowledge(self, step: Step, value: Any, words: str) -> None:
        """Say the step's acknowledgement; at most one in a practice echoes the patient's words (protocol 0.2)."""
        if value is None:
            return
        if str(value) in step.acks_by_value:
            self.speak((step.acks_by_value[str(value)],), f"{step.id}.ack.{value}")
        elif step.acks:
            grave = self.state.values.pop("concern_in_words", False)
            shown = "" if self.state.echoes or grave else echo(words)
            times = self.state.shown.get(f"{step.id}.ack", 0)
            text = choose(step.acks, times, {**self.slots(), "user_words": shown})
            self.state.echoes += bool(shown and shown in text)
            self.state.shown[f"{step.id}.ack"] = times + 1
            self.said.append(Utterance(text=text, text_id=f"{step.id}.ack"))

    def decision_guard(self, words: str) -> None:
        """A big decision, medicines or food: say so once, and tell the team that it came up. Source: protocol 3.7."""
        for name, patterns in self.library.decision_patterns.items():
            told = self.state.values.get(f"guarded_{name}")
            if not told and any(re.search(rf"\b{pattern}", words, re.I) for pattern in patterns):
                self.state.values[f"guarded_{name}"] = True
                self.say_text(f"decision_guard.{name}_say")
                to = "coach" if name == "big_life" else "medical_team"
                self.tell_team(name, to=to)
                if to == "medical_team":
                    self.raises.append(Raise(category="medical", level="concern", reason=f"decision:{name}"))

    def tell_team(self, note: str, *, to: str = "coach") -> None:
        """Leave one line for the coach or the medical team, without the patient's text."""
        self.effects.append(Effect(kind="team_note", data={"to": to, "text": self.library.notes[note]}))

    def settle_branch(self, step: Step, variables: Mapping[str, Any], value: Any) -> None:
        """Follow the first branch that holds, else the next step."""
        frame = self.state.frame
        assert frame is not None
        if step.counter:
            frame.counters[step.counter] = frame.counters.get(step.counter, 0) + 1
            variables = {**variables, "counter": frame.counters[step.counter], "max": step.counter_max}
        if step.alert and (step.alert_if is None or step.alert_if(variables)):
            self.raise_from(step.alert)
        for branch in step.branches:
            if branch.when(variables) and self.may_take(branch, step, frame):
                self.follow(branch, step, value)
                return
        if step.follow_on is not None and value is not None:
            allowed = gates.permitted(step.follow_on.value, self.library, self.facts, self.variables(None))
            if allowed:
                self.offer((step.follow_on, Option(value="go_on", label="Go on")), frame)
                return
        self.goto(self.following(step))

    def may_take(self, branch: Branch, step: Step, frame: Frame) -> bool:
        if branch.most is None:
            return True
        key = f"taken:{step.id}:{branch.when.source}"
        frame.counters[key] = frame.counters.get(key, 0) + 1
        return frame.counters[key] <= branch.most

    def follow(self, branch: Branch, step: Step, value: Any) -> None:
        for number, variants in enumerate(branch.say):
            self.speak(variants, f"{step.id}.on.{value if isinstance(value, (str, int)) else 'answer'}.{number + 1}")
        self.apply(branch.set, value)
        if branch.note:
            self.effects.append(Effect(kind="staff_answer", data={"question": "severity", "value": branch.note}))
        if branch.alert is not None:
            self.raise_from(branch.alert)
        if branch.faq is not None:
            for number, text in enumerate(self.library.faq[branch.faq]):
                self.speak((text,), f"{branch.faq}.{number + 1}")
        frame = self.state.frame
        assert frame is not None
        if branch.offer:
            frame.offer_close = branch.if_close
            goes_on = any(option.value == "go_on" for option in branch.offer)
            self.offer(AFTER_A_LOT if frame.after_lot and goes_on else branch.offer, frame)
        elif branch.goto == "end_account":
            self.finish()
        elif branch.goto is not None:
            self.branch_goto(branch.goto, step)
        else:
            self.goto(self.following(step))

    def branch_goto(self, target: str, step: Step) -> None:
        """In a mode, a branch leads outside the list only for safety, grounding and gentle ends (protocol 3.1)."""
        frame = self.state.frame
        assert frame is not None
        flow = self.library.flows[frame.flow]
        mode = flow.modes.get(frame.mode, ())
        gentle = {"jr_quiet", "mp_tender_stop", "mp_none", "mp_enough", "mp_afraid", "mp_neutral"}
        if (
            mode
            and target in flow.steps
            and target not in mode
            and target not in gentle
            and not target.startswith("mp_unblend")
        ):
            if flow.id == "arrive" and target == "ar_presence":
                self.goto(target)
                return
            self.goto(self.following(step))
            return
        if flow.id == "safety.distress_check":
            self.state.distress_checks += 1
        if target == "safety.distress_check" and self.far_away_by_day():
            target = "safety.unreality_check"
        elif target == "safety.distress_check" and self.state.distress_checks:
            target = "distress.urgent"
        self.goto(target)

    def far_away_by_day(self) -> bool:
        """Still far away after settling, and not by activation, over a day after the dose (protocol 3.0, row 6)."""
        presence, activation = self.state.values.get("presence"), self.state.values.get("activation") or 0
        hours = self.facts.hours_since_dose
        return presence is not None and presence <= gates.FAR_AWAY and activation < gates.HIGH and (hours or 0) > 24

    def apply(self, changes: Mapping[str, Any], value: Any) -> None:
        """Carry out what a step or branch sets."""
        for name, new in changes.items():
            told = new is True or (new == "from_answer" and value == "tell")
            if name == "restricted_staff":
                self.effects.append(Effect(kind="restrict", data={"who": str(new)}))
            elif name == "part.name":
                self.state.slots["part_name"] = str(new)
                self.state.kept.append({"step": "set", "field": "part.name", "label": "part.name", "text": str(new)})
            elif name == "part.tender_flag":
                self.state.values["tender"] = True
            elif name == "part.bring_to_coach" and told:
                text = "something tender came up" if self.state.values.get("tender") else "this part"
                self.state.kept.append({"step": "set", "field": name, "label": name, "text": text})
                self.tell_team("tender" if self.state.values.get("tender") else "part")
            elif name == "body.bring_to_coach" and told:
                self.tell_team("body")
            elif name == "prep.concerns_to_coach" and told:
                self.tell_team("concerns")
            elif name == "part.type_by_patient":
                self.state.values[name] = new

    def raise_from(self, spec: AlertSpec) -> None:
        """Raise what a branch or step raises, at the level that the moment asks for."""
        variables = self.variables(None)
        if spec.only_if is not None and not spec.only_if(variables):
            if spec.otherwise_note is not None:
                self.tell_team(spec.otherwise_note)
            return
        level = "urgent" if spec.urgent_if is not None and spec.urgent_if(variables) else spec.level
        self.raises.append(Raise(category=spec.category, level=level, reason=spec.reason))
