"""Branching: what an answer leads to, by the content's own conditions. Source: protocol 3.1."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.core.flow import gates
from bot.core.flow.content import AlertSpec, Branch, Step
from bot.core.flow.outcome import Effect, Raise
from bot.core.flow.render import choose
from bot.core.flow.saving import Saving
from bot.core.flow.speech import Option, Utterance
from bot.core.flow.state import Frame

TENDER = re.compile(
    r"\b(little (me|one|girl|boy|kid)|child|kid|baby|toddler|younger me|([1-9]|1[0-7]) ?(years? old|yo|yrs?)|"
    r"when i was (a|little|small|young|\d+)|memor(y|ies)|flashback|happened to me|abandon\w*|left alone|ashamed|shame|"
    r"unlovable|worthless|hurt part|wound\w*|sobbing|crying hard|terrified)\b",
    re.I,
)  # protocol 3.5, seed list  # protocol 3.5, seed list


class Branching(Saving):
    """Follows branches, raises what they raise, and acknowledges answers."""

    def advance(self, frame: Frame, step: Step, value: Any, words: str) -> None:
        self.acknowledge(step, value, words)
        if step.guard and words:
            self.decision_guard(words)
        self.apply(step.set, value)
        self.settle_branch(step, self.variables(value), value)

    def acknowledge(self, step: Step, value: Any, words: str) -> None:
        if value is None:
            return
        if str(value) in step.acks_by_value:
            self.speak((step.acks_by_value[str(value)],), f"{step.id}.ack.{value}")
        elif step.acks:
            slots = {**self.slots(), "user_words": self.echo(words)}
            text = choose(step.acks, self.state.shown.get(f"{step.id}.ack", 0), slots)
            self.state.shown[f"{step.id}.ack"] = self.state.shown.get(f"{step.id}.ack", 0) + 1
            self.said.append(Utterance(text=text, text_id=f"{step.id}.ack"))

    def echo(self, words: str) -> str:
        """The patient's own words for an echo, or nothing where a rule of protocol 0.2 forbids one."""
        if self.state.echoes or not words or TENDER.search(words) or len(words) > 240:
            return ""
        short = words if len(words) <= 60 else words[:60].rsplit(" ", 1)[0]
        self.state.echoes += 1
        return short

    def decision_guard(self, words: str) -> None:
        """A big decision, medicines or food: say so once and carry the question on. Source: protocol 3.7."""
        for name, patterns in self.library.decision_patterns.items():
            told = self.state.values.get(f"guarded_{name}")
            if not told and any(re.search(rf"\b{pattern}", words, re.I) for pattern in patterns):
                self.state.values[f"guarded_{name}"] = True
                self.say_text(f"decision_guard.{name}_say")
                to = "coach" if name == "big_life" else "medical_team"
                self.effects.append(Effect(kind="question", data={"to": to, "text": words}))
                if to == "medical_team":
                    self.raises.append(Raise(category="medical", level="concern", reason=f"decision:{name}"))

    def settle_branch(self, step: Step, variables: Mapping[str, Any], value: Any) -> None:
        """Follow the first branch that holds, else the next step."""
        frame = self.state.frame
        assert frame is not None
        if step.counter:
            frame.counters[step.counter] = frame.counters.get(step.counter, 0) + 1
            variables = {**variables, "counter": frame.counters[step.counter], "max": step.counter_max}
            exhausted = step.counter_max is not None and frame.counters[step.counter] >= step.counter_max
            stop = next((b for b in step.branches if b.when.source.startswith("counter")), None)
            if exhausted and stop is not None and value not in ("no_room", "none", "too_much"):
                self.follow(stop, step, value)
                return
            if exhausted and step.counter == "unblend" and value == "room":
                self.goto("mp_enough")
                return
        if step.alert and (step.alert_if is None or step.alert_if(variables)):
            self.raise_from(step.alert)
        for branch in step.branches:
            if branch.when(variables) and self.may_take(branch, step, frame):
                self.follow(branch, step, value)
                return
        if step.id == "gr_after":
            self.follow(step.branches[0], step, value)
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
            self.offer(branch.offer, frame)
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
        if target == "safety.distress_check" and self.state.distress_checks:
            target = "distress.urgent"
        self.goto(target)

    def apply(self, changes: Mapping[str, Any], value: Any) -> None:
        for name, new in changes.items():
            if name == "restricted_staff":
                self.effects.append(Effect(kind="restrict", data={"who": str(new)}))
            elif name == "part.name":
                self.state.slots["part_name"] = str(new)
                self.state.kept.append({"step": "set", "field": "part.name", "label": "part.name", "text": str(new)})
            elif name == "part.bring_to_coach" and (new is True or (new == "from_answer" and value == "tell")):
                self.effects.append(Effect(kind="coach_note", data={"note": "asked to bring a part to you"}))
            elif name == "part.tender_flag":
                self.state.values["tender"] = True

    def raise_from(self, spec: AlertSpec) -> None:
        self.raises.append(Raise(category=spec.category, level=spec.level, reason=spec.reason))
