"""Moving: from step to step, into a flow and out of it, wherever the content leads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from bot.core.flow import gates
from bot.core.flow.asking import Asking
from bot.core.flow.content import Flow, Step
from bot.core.flow.outcome import FlowError, Raise
from bot.core.flow.speech import Option, Utterance
from bot.core.flow.state import Frame
from bot.core.journeys import Phase

MOST_MOVES = 200  # steps that one turn may pass through; more is a loop in the content


class Moving(Asking, ABC):
    """Walks the flows. Where a flow ends, the subjects named by the abstract methods take over."""

    @abstractmethod
    def settle_branch(self, step: Step, variables: Mapping[str, Any], value: Any) -> None:
        """Follow the first branch that holds, else the next step (branching)."""

    @abstractmethod
    def apply(self, changes: Mapping[str, Any], value: Any) -> None:
        """Carry out what a step or branch sets (branching)."""

    @abstractmethod
    def end_response(self, flow: Flow, frame: Frame) -> None:
        """A response flow has run to its end (risk)."""

    @abstractmethod
    def lead(self, value: str | None) -> None:
        """Go where the last question of a response flow points (offers)."""

    @abstractmethod
    def suggest(self) -> None:
        """Suggest a practice, as the gate allows (course)."""

    @abstractmethod
    def close(self) -> None:
        """A practice is over: offer what waited, then close (course)."""

    @abstractmethod
    def to_summary(self) -> None:
        """Show what will be kept (course)."""

    @abstractmethod
    def finish(self) -> None:
        """The sitting is over (course)."""

    def push(
        self, flow_id: str, *, subtype: str | None = None, say: bool = True, parts: bool = False, outward: bool = False
    ) -> None:
        """Put a flow on top and speak its beginning."""
        flow = self.library.flows[flow_id]
        if flow.kind == "response":
            self.alert_on_entry(flow, subtype)
        frame = Frame(flow=flow_id, step=flow.order[0] if flow.order else "", subtype=subtype)
        if flow_id == "grounding":
            frame.outward = outward or self.library.grounding.outward_when(self.variables(None))
            frame.start = self.state.values.get("activation")
        frame.mode = self.mode_for(flow)
        self.state.frames.append(frame)
        if flow.kind == "practice" and flow_id not in self.state.practices:
            self.state.practices.append(flow_id)
            self.state.echoes = 0
        if say:
            self.say_beginning(flow, subtype, parts)
        if not flow.order:
            self.end_frame()
        else:
            if frame.mode:
                frame.step = flow.modes[frame.mode][0]
            self.show()

    def mode_for(self, flow: Flow) -> str:
        if self.facts.phase is Phase.first_24h and "harvest" in flow.modes:
            return "harvest"
        if self.facts.phase is Phase.preparation and "preparation" in flow.modes:
            return "preparation"
        short = self.state.mode == "short" or self.gate() == "landing"
        return "short" if short and "short" in flow.modes else ""

    def say_beginning(self, flow: Flow, subtype: str | None, parts: bool) -> None:
        messages = list(flow.say)
        if flow.parts_line and parts and messages:
            messages[0] = (flow.parts_line,)
        messages += flow.phase_notes.get(self.facts.phase.value, ())
        if flow.id == "grounding" and self.state.rounds:
            messages = []
        kind = "crisis" if flow.kind == "response" and flow.level in ("emergency", "urgent") else "say"
        for number, variants in enumerate(messages):
            self.speak(variants, f"{flow.id}.say.{number + 1}", kind=kind)
        for name in (f"{flow.id}.{subtype}", f"{flow.id}.variant.{subtype or 'past'}"):
            if name in self.library.texts:
                self.say_text(name)

    def alert_on_entry(self, flow: Flow, subtype: str | None) -> None:
        """Emergency and urgent flows alert before their first bubble (6.4d, "Timing of the alert")."""
        if flow.level in ("emergency", "urgent") and flow.category:
            self.raises.append(Raise(category=flow.category, level=flow.level, reason=flow.id, subtype=subtype))

    def goto(self, target: str | None) -> None:
        """Go to a step of this flow, another flow, or one of the places that the content names."""
        self.moves += 1
        if self.moves > MOST_MOVES:
            raise FlowError(f"no end from {target}")
        frame = self.state.frame
        if frame is None:
            return
        frame.offer = None
        if target is None:
            self.end_frame()
            return
        flow = self.library.flows[frame.flow]
        target = {"safety.clarify_generic.end_clear": "end_clear"}.get(target, target)
        if target in flow.steps:
            frame.step = target
            self.show()
        elif target == "gate":
            self.state.frames.pop()
            self.suggest()
        elif target == "menu":
            self.state.frames.pop()
            self.menu()
        elif target == "end_clear":
            self.say_text("safety.end_clear")
            self.state.quiet_rules.extend(self.state.asked_rules)
            self.state.frames.pop()
            self.resume_below()
        elif target == "medical_by_pattern":
            self.goto(f"medical.{self.state.if_no_answer or 'urgent'}")
        elif target.startswith("grounding"):
            self.go_to_grounding(frame, outward=target.endswith("outward"))
        elif target in ("closing", "summary"):
            self.state.frames.pop()
            self.close() if target == "closing" else self.to_summary()
        elif target not in self.library.flows:
            raise FlowError(f"{flow.id}.{frame.step} leads to {target}, which does not exist")
        elif self.library.flows[target].kind == "response":
            if flow.kind == "response":
                self.state.frames.pop()
            else:
                self.stay_after(frame)
            self.push(target)
        elif target == "safety_shared.collect_phone":
            frame.step = flow.after(frame.step) or frame.step
            self.push(target)
        else:
            self.state.frames.pop()
            self.start_practice(target)

    def stay_after(self, frame: Frame) -> None:
        """When a practice gives way to a response flow, it later goes on behind the step that led there."""
        flow = self.library.flows[frame.flow]
        step = flow.steps.get(frame.step)
        following = step.next if step is not None else None
        if following in flow.steps:
            frame.step = str(following)

    def go_to_grounding(self, frame: Frame, *, outward: bool) -> None:
        if frame.flow == "grounding":
            frame.step = "gr_pick"
            frame.start = self.state.values.get("activation")
            frame.outward = frame.outward or outward
            self.show()
            return
        flow = self.library.flows[frame.flow]
        step = flow.steps.get(frame.step)
        if flow.kind != "practice" or frame.flow == "arrive":
            self.state.frames.pop()
        elif step is not None and step.next in flow.steps:
            frame.step = str(step.next)
        else:
            self.state.frames.pop()
        self.push("grounding", outward=outward)

    def start_practice(self, name: str) -> None:
        values = self.variables(None)
        if name in self.state.practices and name in ("closing",):
            self.to_summary()
        elif not gates.permitted(name, self.library, self.facts, values):
            self.menu()
        else:
            self.push(name)

    def resume_below(self) -> None:
        """Go on with what was interrupted, if the gate still allows it."""
        frame = self.state.frame
        if frame is None:
            self.suggest() if self.state.status == "active" else None
            return
        flow = self.library.flows[frame.flow]
        if flow.kind == "practice" and not self.may_go_on(frame):
            self.state.frames.pop()
            self.menu()
        else:
            self.show()

    def may_go_on(self, frame: Frame) -> bool:
        """Whether a practice under way may still go on: what was felt, or the day, may have changed since."""
        return frame.flow == "short" or gates.permitted(
            frame.flow, self.library, self.facts, self.variables(None), begun=True
        )

    def end_frame(self) -> None:
        """The flow has no next step."""
        frame = self.state.frames.pop()
        flow = self.library.flows[frame.flow]
        if flow.kind == "response":
            self.end_response(flow, frame)
        elif frame.flow == "closing":
            self.finish()
            self.offer_to_begin()
        elif frame.flow == "safety_shared.collect_phone":
            self.resume_below()
        elif frame.flow == "staying_safe":
            self.say_text("staying_safe.done")
            self.push("safety_shared.aftercare")
        elif flow.kind == "practice":
            self.close()
        else:
            self.resume_below()

    def show(self) -> None:
        """Speak the current step, moving past those that do not apply, until an answer is awaited."""
        self.moves += 1
        if self.moves > MOST_MOVES:
            raise FlowError("a flow without an end")
        frame, step = self.state.frame, self.step()
        if frame is None or step is None:
            raise FlowError(f"no step {frame.step if frame else None}")
        variables = self.variables(None)
        if (step.show_if and not step.show_if(variables)) or (step.skip_if and step.skip_if(variables)):
            self.goto(self.following(step))
            return
        if step.counter == "unblend" and frame.counters.get("unblend", 0) >= (step.counter_max or 0):
            self.goto("mp_enough")
            return
        if step.id == "lc_review" and not self.letter_rows():
            self.goto("closing")
            return
        if self.is_long():
            self.offer_closing()
            return
        if step.answer is None:
            for number, variants in enumerate(step.say):
                self.speak(variants, f"{step.id}.say.{number + 1}")
            self.apply(step.set, None)
            self.settle_branch(step, self.variables(None), None)
            return
        if step.id == "lc_review":
            note = "\n".join(row["text"] for _, row in self.letter_rows())
            self.said.append(Utterance(text=note, text_id="letter_to_coach.note"))
        self.prompt(step)

    def letter_rows(self) -> list[tuple[int, dict[str, Any]]]:
        """The rows of the note to the coach, with their places."""
        return [(place, row) for place, row in self.current_rows() if row["step"].startswith("lc_")]

    def is_long(self) -> bool:
        """Whether the sitting has reached the phase's length inside a practice, and that was not said yet."""
        frame = self.state.frame
        if frame is None or frame.flow in gates.UNCAPPED or self.library.flows[frame.flow].kind != "practice":
            return False
        limit = 60 * gates.most_minutes(self.facts)
        return self.state.spent_seconds >= limit and not self.state.values.get("length_said")

    def offer_closing(self) -> None:
        """A soft stop: closing is offered, and going on stays possible (protocol 2.2)."""
        self.state.values["length_said"] = True
        frame = self.state.frame
        assert frame is not None
        self.say_text("sitting.length_reached")
        self.offer((Option(value="close", label="Close"), Option(value="carry_on", label="Go on")), frame)

    def following(self, step: Step) -> str | None:
        """Where the step leads by itself; in a mode, the next step of the mode's list."""
        frame = self.state.frame
        assert frame is not None
        flow = self.library.flows[frame.flow]
        mode = flow.modes.get(frame.mode, ())
        if flow.id == "closing" and mode:  # the 3-minute version leaves out the word and the care (3.15)
            return "summary" if step.id == "cl_rate" else None
        if mode and step.id in mode:
            after = flow.after(step.id, mode)
            return after or (
                "closing" if flow.id not in ("arrive", "closing") else "gate" if flow.id == "arrive" else None
            )
        if step.next is not None:
            if mode and step.next in flow.steps and step.next not in mode:
                later = [s for s in mode if flow.order.index(s) > flow.order.index(step.id)]
                return later[0] if later else "closing"
            return step.next
        if flow.kind == "response":
            return flow.after(step.id)
        if flow.kind == "practice" and flow.id != "closing":
            return "gate" if flow.id == "arrive" else "closing"
        return None

    def menu(self) -> None:
        """Other ways to go on; where the sitting or the day has had its fill, that is said first."""
        if gates.capped(self.facts, self.variables(None)) and not self.state.values.get("cap_said"):
            self.state.values["cap_said"] = True
            self.say_text("sitting.cap_reached")
        self.push("sitting.menu_after_no")
