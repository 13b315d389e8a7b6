"""The one interpreter of authored flows: (state, answer, facts, now) gives the next state and what follows from it.

Deterministic and free of I/O. It never reads the patient's text for danger: the verdict comes from outside, and
`respond_to_risk` puts the response flow before everything else. Source: protocol 3, 6.5 and 6.6.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from bot.core.flow import gates
from bot.core.flow.content import AlertSpec, Branch, Flow, Library, Step, Variants
from bot.core.flow.facts import Facts
from bot.core.flow.render import choose, fill
from bot.core.flow.speech import AnswerType, Control, Option, Reply, SummaryLine, Utterance
from bot.core.flow.state import Frame, SittingState
from bot.core.journeys import Phase
from bot.core.safety.verdict import Category, Level, Verdict

BEGIN = Option(value="start_journal", label="Check in")  # the way back into a sitting when nothing is open
MOST_MOVES = 200  # steps that one turn may pass through; more is a loop in the content
LOT = frozenset({"meet_a_part", "body_tracking", "journey_recall", "meaning_and_insight"})
PARTS_LANGUAGE = re.compile(
    r"\b(?:a|one|some|another|this|that|my|the) (?:\w+ )?(?:part|side|voice|critic|protector)\b", re.I
)
TENDER = re.compile(
    r"\b(little (me|one|girl|boy|kid)|child|kid|baby|toddler|younger me|([1-9]|1[0-7]) ?(years? old|yo|yrs?)|"
    r"when i was (a|little|small|young|\d+)|memor(y|ies)|flashback|happened to me|abandon\w*|left alone|ashamed|shame|"
    r"unlovable|worthless|hurt part|wound\w*|sobbing|crying hard|terrified)\b",
    re.I,
)  # protocol 3.5, seed list
OFFER_GOTO = {
    "ground": "grounding",
    "again": "grounding",
    "person": "safety.human_request",
    "letter": "letter_to_coach",
    "gentle": "menu",
    "stop": "closing",
    "close": "closing",
    "enough": "closing",
    "corner": "jr_images",
    "switch": "mp_name",
    "glimmer": "glimmer",
}
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
STATED_PHASE = {
    "yesterday": Phase.first_24h,
    "d2_3": Phase.h24_72,
    "older": Phase.open_integration,
    "none_yet": Phase.preparation,
}
ABOUT = {  # an answer about something earlier is kept with what was quoted: field -> (field, slot)
    "revisit.step_status": ("revisit.step", "last_step"),
    "revisit.part_status": ("revisit.part", "last_part"),
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


class FlowError(RuntimeError):
    """The content asks for something that cannot be done. Nothing of the turn is kept; the caller keeps the message."""


@dataclass(frozen=True, kw_only=True)
class Raise:
    """An alert to raise, or to add to the open one."""

    category: str
    level: str
    reason: str
    subtype: str | None = None


@dataclass(frozen=True, kw_only=True)
class Effect:
    """Something that the services do in the same transaction as the new state.

    kinds: save (visibility), discard, staff_answer (question id and value), staff_text (words for the team), question
    (to, text), restrict (who), card (open the crisis card), pause, part (name).
    """

    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one turn leads to."""

    state: SittingState
    say: tuple[Utterance, ...]
    raises: tuple[Raise, ...]
    effects: tuple[Effect, ...]


class Interpreter:
    """Runs the flows of one library. Holds no state of its own; every method is a pure function of its arguments."""

    def __init__(self, library: Library) -> None:
        self.library = library

    def open(self, state: SittingState, facts: Facts, now: datetime, *, sitting_id: str) -> Outcome:
        """What the patient sees on arriving: a new sitting, or the offer to pick up the unfinished one."""
        turn = _Turn(self.library, state, facts, now)
        if state.status == "idle":
            turn.begin(sitting_id)
        elif state.status == "paused" and state.frames and not _is(state, "sitting.resume_offer"):
            turn.push("sitting.resume_offer")
        else:
            turn.ask_again()
        return turn.outcome()

    def answer(self, state: SittingState, reply: Reply, facts: Facts, now: datetime) -> Outcome:
        """Take a reply as the answer to the current step. A structured answer to another control changes nothing."""
        turn = _Turn(self.library, state, facts, now)
        if reply.control_id is not None and reply.control_id != state.control:
            turn.notice("steering.stale_button")
            turn.ask_again()
        elif not state.frames and reply.value == BEGIN.value:
            turn.begin(reply.message_id)
        else:
            turn.take(reply)
        return turn.outcome()

    def ask(self, state: SittingState, facts: Facts, now: datetime) -> Outcome:
        """Speak the current prompt again, as after a question in between."""
        turn = _Turn(self.library, state, facts, now)
        turn.ask_again()
        return turn.outcome()

    def steer(self, state: SittingState, command: str, facts: Facts, now: datetime, *, sitting_id: str) -> Outcome:
        """Carry out one steering command (the commands of `kat interpret`)."""
        turn = _Turn(self.library, state, facts, now)
        turn.steer(command, sitting_id)
        return turn.outcome()

    def respond_to_risk(
        self, state: SittingState, verdict: Verdict, text: str, facts: Facts, now: datetime, *, crisis_shown: bool
    ) -> Outcome:
        """Put the response flow of a verdict before everything, or, for what may wait, before the closing."""
        turn = _Turn(self.library, state, facts, now)
        turn.respond(verdict, text, crisis_shown=crisis_shown)
        return turn.outcome()

    def silence(self, state: SittingState, facts: Facts, now: datetime) -> Outcome:
        """No answer came in time: ask once more where the flow says so, else it counts as the graver answer."""
        turn = _Turn(self.library, state, facts, now)
        turn.silence()
        return turn.outcome()


def _is(state: SittingState, flow_id: str) -> bool:
    return state.frame is not None and state.frame.flow == flow_id


class _Turn:
    """One turn under way, on a copy of the state."""

    def __init__(self, library: Library, state: SittingState, facts: Facts, now: datetime) -> None:
        self.library, self.facts, self.now = library, facts, now
        self.state = deepcopy(state)
        self.said: list[Utterance] = []
        self.raises: list[Raise] = []
        self.effects: list[Effect] = []
        self.moves = 0
        self.believe_stated_phase()

    def believe_stated_phase(self) -> None:
        """Where the clinic's dates are missing, what the patient said stands in for this sitting (protocol 2.3)."""
        stated = self.state.values.get("meta.stated_phase")
        if self.facts.phase is Phase.unknown and "meta.stated_phase" in self.state.values:
            self.facts = replace(self.facts, phase=STATED_PHASE.get(str(stated), Phase.first_24h))

    def outcome(self) -> Outcome:
        return Outcome(state=self.state, say=tuple(self.said), raises=tuple(self.raises), effects=tuple(self.effects))

    # --- beginning, steering, silence -------------------------------------------------------------------------

    def begin(self, sitting_id: str) -> None:
        shown = self.state.shown
        self.state = SittingState(
            sitting_id=sitting_id,
            status="active",
            started_at=self.now.isoformat(),
            content_version=self.library.version,
            shown=shown,
        )
        if self.facts.open_alert is Level.emergency:
            self.lock()
            return
        if self.facts.open_alert is Level.urgent:
            self.say_text("safety_shared.gentle_screen")
        if self.facts.days_since_last is not None and self.facts.days_since_last >= 7:
            self.say_text("returning.after_30_days" if self.facts.days_since_last >= 30 else "returning.after_7_days")
        self.state.frames = [Frame(flow="arrive", step="ar_hello")]
        if self.facts.sittings_today >= gates.MOST_SITTINGS_A_DAY:
            self.say_text("sitting.cap_reached")
        if self.facts.phase is Phase.unknown:
            self.push("phase_unknown")
            return
        self.show()

    def steer(self, command: str, sitting_id: str) -> None:
        known = {
            "start_journal": lambda: self.begin(sitting_id) if not self.state.frames else self.resume(),
            "resume": lambda: self.begin(sitting_id) if not self.state.frames else self.resume(),
            "pause": self.pause,
            "goodbye": self.pause,
            "skip_step": self.skip,
            "go_back": self.back,
            "change_last_answer": self.back,
            "stop_and_discard": self.stop,
            "save_entry": self.to_summary,
            "keep_private": self.to_summary,
            "short_version": self.shorten,
            "grounding_now": lambda: self.settle(sitting_id),
            "talk_to_human": lambda: self.push_over("safety.human_request", sitting_id),
            "repeat_question": self.ask_again,
            "crisis_resources": self.crisis_card,
        }
        if command in known:
            known[command]()
            return
        self.inform(command)
        self.ask_again()

    def inform(self, command: str) -> None:
        """Answer without moving: a question about the journal, its people, or what is kept."""
        name = f"steering.{command}"
        if name not in self.library.texts:
            raise FlowError(f"no such command {command}")
        self.say_text(name, kind="notice")

    def resume(self) -> None:
        self.state.status = "active"
        if _is(self.state, "sitting.resume_offer"):
            self.state.frames.pop()
        self.ask_again()

    def pause(self) -> None:
        if not self.state.frames:
            self.notice("steering.goodbye")
            return
        self.state.status = "paused"
        self.state.silence_due = self.state.silence_due if self.in_response() else None
        self.say_text("sitting.pause", kind="notice")
        self.effects.append(Effect(kind="pause"))

    def skip(self) -> None:
        step = self.step()
        if step is None:
            self.ask_again()
        elif step.skippable or (self.state.frame and self.state.frame.offer is not None):
            self.take(Reply(message_id="", text="", control_id=self.state.control, value="skip"))
        else:
            self.take(Reply(message_id="", text="", control_id=self.state.control, value="continue")) if (
                step.answer is not None and step.answer.type is AnswerType.none
            ) else self.ask_again()

    def back(self) -> None:
        if not self.state.history or self.in_response():
            self.notice("steering.nothing_to_go_back_to")
        else:
            before = self.state.history.pop()
            self.state.frames = [Frame(**frame) for frame in before["frames"]]
            self.state.values = before["values"]
            self.state.kept = self.state.kept[: before["kept"]]
            self.state.status = "active"
        self.ask_again()

    def stop(self) -> None:
        if self.in_response() or not self.state.frames:
            self.ask_again()
        elif self.state.kept:
            self.say_text("sitting.stop")
            self.to_summary()
        else:
            self.say_text("steering.stopped_nothing_written")
            self.finish()
            self.offer_to_begin()

    def shorten(self) -> None:
        self.state.mode = "short"
        if self.in_response() or not self.state.frames:
            self.ask_again()
            return
        frame = self.state.frames[-1]
        flow = self.library.flows[frame.flow]
        self.say_variants("short_version.offer", self.library.texts["short_version.offer"][0])
        if "short" in flow.modes:
            frame.mode = "short"
        self.ask_again()

    def settle(self, sitting_id: str) -> None:
        if self.facts.open_alert is not Level.emergency:
            self.push_over("grounding", sitting_id)
        else:
            self.ask_again()

    def push_over(self, flow_id: str, sitting_id: str) -> None:
        if not self.state.frames:
            shown = self.state.shown
            self.state = SittingState(
                sitting_id=sitting_id,
                started_at=self.now.isoformat(),
                shown=shown,
                content_version=self.library.version,
            )
        self.state.status = "active"
        self.push(flow_id)

    def crisis_card(self) -> None:
        self.say_text("steering.crisis_resources", kind="crisis")
        self.effects.append(Effect(kind="card"))
        if self.state.frames:
            self.ask_again()

    def silence(self) -> None:
        self.state.silence_due = None
        frame = self.state.frame
        if frame is None:
            return
        flow = self.library.flows[frame.flow]
        if flow.kind != "response":
            return
        if frame.flow == "suicide.screen" and not self.state.reprompted:
            self.state.reprompted = True
            self.said.append(
                Utterance(
                    text=fill(self.library.texts["screen.reprompt"][0][0], self.slots()),
                    text_id="suicide.screen.reprompt",
                )
            )
            self.wait(flow)
            return
        if frame.flow == "suicide.screen":
            self.take(Reply(message_id="", text="", control_id=self.state.control, value="skip"))
            return
        level = max(Level[flow.silence_level or "urgent"], Level[self.state.if_no_answer or "urgent"])
        self.raises.append(
            Raise(category=flow.category or "distress", level=level.name, reason=f"unanswered:{flow.id}")
        )
        self.say_text("safety_shared.clarify_timeout", kind="notice")
        self.state.frames.pop()
        if level is Level.emergency:
            self.lock()
        else:
            self.push("safety_shared.aftercare")

    # --- risk -------------------------------------------------------------------------------------------------

    def respond(self, verdict: Verdict, text: str, *, crisis_shown: bool) -> None:
        category, level = verdict.primary, verdict.level
        if category is None:
            return
        self.state.status = "active"
        self.state.if_no_answer = verdict.if_no_answer.name if verdict.if_no_answer is not None else None
        if self.locked_now() and not verdict.ask:
            self.effects.append(Effect(kind="staff_text", data={"text": text}))
            self.notice("steering.passed_on")
            return
        if verdict.ask:
            rules = [f.evidence.rule for f in verdict.findings if f.ask and f.evidence.rule]
            self.state.asked_rules = rules
            self.start_response(self.clarifier(category, verdict), text, verdict.subtype)
            return
        target = f"{category.value}.{level.name}"
        if verdict.subtype == "clinic_boundary":
            target = "abuse.clinic_boundary"
        if target not in self.library.flows:
            target = {"distress.emergency": "suicide.emergency", "human_request.emergency": "safety.danger_pick"}.get(
                target, f"{category.value}.urgent"
            )
        if level is Level.concern and not verdict.interrupts:
            seen = {c["flow"] for c in self.state.pending_concerns}
            if target not in seen and self.state.frames:
                self.state.pending_concerns.append({"flow": target, "subtype": verdict.subtype})
                self.raises.append(
                    Raise(category=category.value, level="concern", reason=target, subtype=verdict.subtype)
                )
            if self.state.frames:
                return
        self.state.explicit_trigger = True
        self.state.values["prefilled_sc_wish"] = category is Category.suicide
        self.start_response(target, text, verdict.subtype, say=not (crisis_shown and level is Level.emergency))

    def clarifier(self, category: Category, verdict: Verdict) -> str:
        if category is Category.suicide:
            self.state.explicit_trigger = False
            return "suicide.clarify"
        if category is Category.medical and verdict.subtype == "chest":
            return "medical.clarify_chest"
        own = {Category.distress: "safety.distress_check", Category.human_request: "safety.human_request"}
        return own.get(category, f"safety.clarify_generic.{category.value}")

    def start_response(self, flow_id: str, text: str, subtype: str | None, *, say: bool = True) -> None:
        current = self.state.frame
        if current is not None and self.library.flows[current.flow].kind == "response":
            if current.flow == flow_id:  # said again: no second block of the same text
                self.ask_again()
                return
            self.state.frames.pop()
        parts = bool(PARTS_LANGUAGE.search(text))
        self.push(flow_id, subtype=subtype, say=say, parts=parts)

    def lock(self) -> None:
        self.state.locked = True
        self.state.frames = [f for f in self.state.frames if self.library.flows[f.flow].kind == "practice"]
        self.push("safety_shared.stay")

    def locked_now(self) -> bool:
        return self.state.frame is not None and self.state.frame.flow == "safety_shared.stay"

    def in_response(self) -> bool:
        return self.state.frame is not None and self.library.flows[self.state.frame.flow].kind == "response"

    # --- moving -----------------------------------------------------------------------------------------------

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
        if flow_id in self.library.flows and flow.kind == "practice" and flow_id not in self.state.practices:
            self.state.practices.append(flow_id)
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
        return "short" if short and "short" in flow.modes and flow.id != "closing" else ""

    def say_beginning(self, flow: Flow, subtype: str | None, parts: bool) -> None:
        messages = list(flow.say)
        if flow.parts_line and parts and messages:
            messages[0] = (flow.parts_line,)
        if flow.id == "meaning_and_insight" and self.facts.phase is not Phase.h24_72:
            messages = []
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

    def step(self) -> Step | None:
        frame = self.state.frame
        return None if frame is None else self.library.flows[frame.flow].steps.get(frame.step)

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
        if flow.kind == "practice" and not gates.permitted(frame.flow, self.library, self.facts, self.variables(None)):
            self.state.frames.pop()
            self.menu()
        else:
            self.show()

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
        elif flow.kind == "practice":
            self.close()
        else:
            self.resume_below()

    def end_response(self, flow: Flow, frame: Frame) -> None:
        if flow.end and flow.end in self.library.flows and not flow.end.startswith("safety_shared"):
            self.push(flow.end)
            return
        if flow.id == "suicide.screen":
            self.end_screen()
            return
        if flow.level == "emergency":
            self.lock()
            return
        if flow.level == "concern" and flow.category:
            self.raises.append(Raise(category=flow.category, level="concern", reason=flow.id, subtype=frame.subtype))
        below = self.state.frame is not None
        if flow.resume == "R1" and below:
            self.push("safety_shared.aftercare_go_on")
        else:
            self.push("safety_shared.aftercare")

    def end_screen(self) -> None:
        """Outcomes of the plain questions (6.5.1, "Mapping"); no number is formed."""
        answers = {k.removeprefix("screen."): v for k, v in self.state.values.items() if k.startswith("screen.")}
        ideation = "yes" in (answers.get("sc_wish"), answers.get("sc_thoughts"), answers.get("sc_how"))
        given = [v for v in answers.values() if v not in (None, "skip")]
        explicit = self.state.explicit_trigger
        if ideation:
            name, level, reason = (
                "ideation",
                "urgent",
                "method thought, denies intent" if answers.get("sc_how") == "yes" else "current thoughts",
            )
        elif not given:
            name, level, reason = "unanswered", "urgent", "unanswered check"
        elif answers.get("sc_before") == "past":
            name, level, reason = "past", "urgent" if explicit else "concern", "earlier attempt, denies now"
        elif explicit:
            name, level, reason = "denied", "urgent", "explicit words, denies on screen"
        else:
            name, level, reason = "cleared", "concern", "clarified"
        self.raises.append(Raise(category="suicide", level=level, reason=reason))
        self.say_text(f"screen.{name}")
        for key in [key for key in self.state.values if key.startswith("screen.")]:
            del self.state.values[key]
        self.push("suicide.company" if level == "urgent" else "safety_shared.aftercare")

    def close(self) -> None:
        """Offer what waited for the end of the practice, then close."""
        if self.state.pending_concerns:
            waiting = self.state.pending_concerns.pop(0)
            self.push(waiting["flow"], subtype=waiting["subtype"])
            return
        if "closing" in self.state.practices:
            self.to_summary()
            return
        if self.offers_another():
            self.push("sitting.between_practices")
            return
        self.push("closing")

    def offers_another(self) -> bool:
        full = [p for p in self.state.practices if p not in gates.UNCAPPED]
        asked = self.state.values.get("between_asked")
        open_ended = self.state.values.get("mode") == "open" and self.gate() == "open"
        return bool(open_ended and not asked and 0 < len(full) < gates.MOST_PRACTICES)

    def suggest(self) -> None:
        gate = self.gate()
        if gate == "locked":
            self.lock()
            return
        if gate == "hold":
            self.say_text("phase.journey_day_after")
            self.finish()
            return
        if gate in ("settle", "orient_first") and not self.state.rounds:
            self.push("grounding", outward=gate == "orient_first")
            return
        phase_text = f"phase.{self.facts.phase.value}"
        if phase_text in self.library.texts and not self.state.values.get("phase_said"):
            self.state.values["phase_said"] = True
            self.say_text(phase_text)
        short = self.state.values.get("mode") == "short" or self.state.mode == "short"
        if short and gate in ("open", "landing") and "short" not in self.state.practices:
            self.state.mode = "short"
            self.state.practices.append("short")
            self.push("short")
            return
        self.push("sitting.suggest")

    def menu(self) -> None:
        self.push("sitting.menu_after_no")

    def to_summary(self) -> None:
        if self.in_response():
            self.ask_again()
            return
        self.state.frames = []
        if not self.state.kept:
            self.say_text("steering.nothing_written_yet")
            self.push_closing_goodbye()
            return
        self.push("summary")

    def push_closing_goodbye(self) -> None:
        self.state.frames.append(Frame(flow="closing", step="cl_bye"))
        self.show()

    def offer_to_begin(self) -> None:
        """Nothing is open: say so, with the button that opens a sitting."""
        control = self.new_control(Control(id="", type=AnswerType.choice, options=(BEGIN,), skippable=False))
        text = self.text("steering.idle")
        self.said.append(Utterance(text=text, text_id="steering.idle", kind="notice", control=control))

    def finish(self) -> None:
        """The sitting is over; what was kept has been saved, or is kept as a draft."""
        self.state.frames = []
        self.state.control = None
        self.state.status = "idle"
        self.state.silence_due = None

    # --- showing ----------------------------------------------------------------------------------------------

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
        if step.answer is None:
            for number, variants in enumerate(step.say):
                self.speak(variants, f"{step.id}.say.{number + 1}")
            self.apply(step.set, None)
            self.settle_branch(step, self.variables(None), None)
            return
        self.prompt(step)

    def ask_again(self) -> None:
        """Speak the current prompt once more, whatever it is."""
        frame, step = self.state.frame, self.step()
        if frame is None:
            self.offer_to_begin()
            return
        if frame.offer is not None:
            self.offer_again(frame)
        elif step is not None:
            self.prompt(step, again=True)

    def prompt(self, step: Step, *, again: bool = False) -> None:
        frame = self.state.frame
        assert frame is not None
        assert step.answer is not None
        flow = self.library.flows[frame.flow]
        times = self.state.shown.get(step.id, 0)
        if not again:
            for number, variants in enumerate(step.say):
                self.speak(variants, f"{step.id}.say.{number + 1}")
            self.state.shown[step.id] = times + 1
        else:
            times = max(0, times - 1)
        prompts = self.prompts_of(step)
        text = choose(prompts, times, self.slots()) if prompts else ""
        self.said.append(
            Utterance(
                text=text,
                text_id=f"{flow.id}.{step.id}",
                kind="summary" if step.answer.type is AnswerType.summary else "prompt",
                small_print=step.small_print,
                control=self.control(flow, step),
            )
        )
        self.wait(flow)

    def prompts_of(self, step: Step) -> Variants:
        if step.id == "short_one":
            return self.library.short_questions[self.facts.phase.protocol_id][0]
        return step.prompts

    def control(self, flow: Flow, step: Step) -> Control:
        assert step.answer is not None
        answer = step.answer
        control = Control(
            id="",
            type=answer.type,
            options=self.options(step),
            minimum=answer.minimum,
            maximum=answer.maximum,
            minimum_label="not at all" if answer.type is AnswerType.scale else "",
            maximum_label="most" if answer.type is AnswerType.scale else "",
            skippable=step.skippable,
            lot=flow.id in LOT,
            safety=answer.safety,
            seconds=step.seconds,
            with_word=answer.with_word,
            with_text=answer.with_text,
            multiple=answer.multiple,
            lines=self.summary_lines() if answer.type is AnswerType.summary else (),
        )
        return self.new_control(control)

    def new_control(self, control: Control) -> Control:
        """The control with an id of its own: an answer to any earlier one is stale from here on."""
        self.state.control_no += 1
        self.state.control = f"{self.state.sitting_id[:8]}-{self.state.control_no}"
        return replace(control, id=self.state.control)

    def options(self, step: Step) -> tuple[Option, ...]:
        assert step.answer is not None
        if step.id == "gr_pick":
            return self.grounding_options()
        if step.id in ("sitting.suggest", "sitting.menu_after_no"):
            return self.practice_options()
        if step.answer.type is AnswerType.part:
            return tuple(Option(value=name, label=name) for name in self.facts.known_parts)
        if step.answer.type is AnswerType.body:
            places = (*self.library.body_places, *step.answer.extra)
            return tuple(Option(value=place, label=place.capitalize()) for place in dict.fromkeys(places))
        if step.answer.sources:
            found = [text for source in step.answer.sources for text in self.facts.entry_lines.get(source, ())[:2]]
            return tuple(Option(value=text, label=text) for text in dict.fromkeys(found))
        return step.answer.options

    def grounding_options(self) -> tuple[Option, ...]:
        order, frame = self.library.grounding, self.state.frame
        assert frame is not None
        ladder = str(self.state.values.get("ladder") or "unsure")
        wanted = list(order.by_state.get(ladder, order.by_state["unsure"]))
        if frame.outward:
            wanted = [p for p in wanted if p in order.outward_only] + [p for p in order.outward_only if p not in wanted]
        flow, variables = self.library.flows["grounding"], self.variables(None)
        fit = [p for p in wanted if (flow.steps[p].show_if or _always)(variables)]
        shown = [Option(value=p, label=order.names[p]) for p in fit[: order.most_shown]]
        return (*shown, Option(value="choose", label="Choose for me"))

    def practice_options(self) -> tuple[Option, ...]:
        done = tuple(p for p in self.state.practices if p not in ("grounding", "letter_to_coach"))
        offered = gates.suggestion(self.library, self.facts, self.variables(None), done)
        shown = [Option(value=name, label=self.library.flows[name].label) for name in offered]
        if self.gate() in ("settle", "orient_first", "ground_first"):
            shown.append(Option(value="person", label="A person"))
        return (*shown, Option(value="close", label="Just close"))

    def summary_lines(self) -> tuple[SummaryLine, ...]:
        order = {name: place for place, name in enumerate(self.library.fields)}
        lines = [
            SummaryLine(id=str(number), label=self.library.fields.get(row["field"], row["label"]), text=row["text"])
            for number, row in sorted(
                enumerate(self.state.kept), key=lambda pair: (order.get(pair[1]["field"], 999), pair[0])
            )
        ]
        return tuple(lines)

    def wait(self, flow: Flow) -> None:
        self.state.silence_due = None
        if flow.kind == "response" and flow.silence_seconds:
            self.state.silence_due = (self.now + timedelta(seconds=flow.silence_seconds)).isoformat()

    # --- answering --------------------------------------------------------------------------------------------

    def take(self, reply: Reply) -> None:
        frame, step = self.state.frame, self.step()
        if frame is None or step is None:
            self.offer_to_begin()
            return
        self.state.status, self.state.reprompted = "active", False
        if frame.offer is not None:
            self.take_offer(frame, reply)
            return
        if step.answer is None:
            raise FlowError(f"{frame.flow}.{step.id} awaits no answer")
        if reply.value == "lot" and frame.flow in LOT:
            self.too_much(frame)
            return
        read = self.read(step, reply)
        if read is None:
            return
        value, words = read
        if value is None and not step.skippable and step.answer.type is not AnswerType.none:
            self.notice("steering.please_choose")
            self.ask_again()
            return
        self.remember()
        self.state.silence_due = None
        self.keep(frame, step, value, words)
        self.special(frame, step, value, words, reply)

    def read(self, step: Step, reply: Reply) -> tuple[Any, str] | None:
        """The value and the words to keep. None after saying why the answer does not fit the question."""
        assert step.answer is not None
        kind, value, text = step.answer.type, reply.value, reply.text.strip()
        if value == "skip" or (reply.control_id is not None and value is None and not text):
            return None, ""
        if kind is AnswerType.none:
            if reply.control_id is None and text and not _just_continue(text):
                self.keep_aside(text)
            return "continue", ""
        if kind in (AnswerType.text, AnswerType.short_text):
            return text or str(value or ""), text or str(value or "")
        if kind is AnswerType.scale:
            number = _number(value if reply.control_id is not None else text)
            if number is None or not step.answer.minimum <= number <= step.answer.maximum:
                self.keep_aside(text)
                self.notice("steering.scale")
                self.ask_again()
                return None
            return number, str(number)
        options = self.options(step)
        if kind is AnswerType.choice:
            return self.read_choice(step, options, reply, text)
        if kind is AnswerType.multi:
            chosen = value if isinstance(value, list) else [w.strip() for w in re.split(r",| and ", text) if w.strip()]
            labels = {o.value: o.label for o in options}
            return [str(v) for v in chosen], ", ".join(labels.get(str(v), str(v)) for v in chosen)
        if kind is AnswerType.body:
            rows = value if isinstance(value, list) else [{"place": text, "word": ""}] if text else []
            words = "; ".join(
                ": ".join(p for p in (str(r.get("place", "")), str(r.get("word", ""))) if p)
                for r in rows
                if isinstance(r, Mapping)
            )
            extra = any(isinstance(r, Mapping) and r.get("place") in step.answer.extra for r in rows)
            self.state.values["extra"] = extra
            return words, words
        if kind is AnswerType.part:
            name = (str(value) if isinstance(value, str) else text)[:60]
            return name, name
        return str(value), ""

    def read_choice(self, step: Step, options: tuple[Option, ...], reply: Reply, text: str) -> tuple[Any, str] | None:
        typed = str(reply.value) if reply.control_id is not None and reply.value is not None else text
        match = _match(options, typed)
        assert step.answer is not None
        if match is not None:
            return match.value, match.label
        if step.answer.with_text or step.answer.sources:
            return typed, typed
        self.keep_aside(text)
        self.notice("steering.please_choose")
        self.ask_again()
        return None

    def keep_aside(self, text: str) -> None:
        """Words that are no answer to the question are still the patient's words: they are kept in the draft."""
        frame = self.state.frame
        if not text:
            return
        if (frame is not None and self.library.flows[frame.flow].kind == "response") or self.locked_now():
            self.effects.append(Effect(kind="staff_text", data={"text": text}))
        else:
            self.state.kept.append({"step": "aside", "field": "freeform", "label": "Also written", "text": text})

    def remember(self) -> None:
        if self.in_response():
            return
        snapshot = {
            "frames": [asdict(f) for f in self.state.frames],
            "values": deepcopy(self.state.values),
            "kept": len(self.state.kept),
        }
        self.state.history = [*self.state.history, snapshot][-SittingState.HISTORY :]

    def keep(self, frame: Frame, step: Step, value: Any, words: str) -> None:
        if step.field is None:
            return
        name = self.field_of(step)
        self.state.values[name] = value
        if name in ALIASES and (value is not None or ALIASES[name] == "ladder"):
            self.state.values[ALIASES[name]] = value
        if self.library.flows[frame.flow].kind == "response":
            self.effects.append(
                Effect(kind="staff_answer", data={"question": step.id, "value": value if not _free(step) else None})
            )
            if _free(step) and words:
                self.effects.append(Effect(kind="staff_text", data={"text": words}))
            return
        if name == "part.name" and words:
            self.state.slots["part_name"] = words
            self.effects.append(Effect(kind="part", data={"name": words}))
        if name in ("step.text", "step.when") and words:
            self.state.slots["plan_step" if name == "step.text" else "plan_when"] = words
        if name.startswith("questions") and words:
            self.effects.append(Effect(kind="question", data={"to": "coach", "text": words}))
        about = ABOUT.get(name)
        if about is not None and words and self.facts.slots.get(about[1]):
            quoted = self.facts.slots[about[1]]
            self.state.kept.append({"step": step.id, "field": about[0], "label": about[0], "text": quoted})
        if words and not name.startswith(NOT_KEPT):
            self.state.kept.append({"step": step.id, "field": name, "label": name, "text": words})

    def field_of(self, step: Step) -> str:
        if step.id == "short_one":
            return self.library.short_questions[self.facts.phase.protocol_id][1]
        return str(step.field).replace("[]", "")

    def special(self, frame: Frame, step: Step, value: Any, words: str, reply: Reply) -> None:
        """The few steps whose answers act, then the rules that all others follow."""
        place = frame.flow
        if place == "sitting.resume_offer":
            self.answer_resume(str(value))
        elif place in ("sitting.suggest", "sitting.menu_after_no"):
            self.state.frames.pop()
            self.choose_practice(str(value) if value is not None else "close")
        elif place == "sitting.between_practices":
            self.state.frames.pop()
            self.state.values["between_asked"] = True
            self.push("sitting.suggest") if value == "more" else self.push("closing")
        elif place == "phase_unknown":
            self.believe_stated_phase()
            self.effects.append(Effect(kind="schedule_missing"))
            self.state.frames.pop()
            self.show()
        elif place == "summary":
            self.answer_summary(str(value), reply)
        elif place == "discard_confirm":
            self.answer_discard(str(value))
        elif place == "safety_shared.stay":
            self.effects.append(Effect(kind="staff_text", data={"text": words}))
            self.notice("steering.passed_on")
            self.ask_again()
        elif place in ("safety_shared.aftercare", "safety_shared.aftercare_go_on"):
            self.answer_aftercare(str(value))
        elif step.id == "gr_pick":
            self.choose_grounding(frame, None if value in (None, "choose") else str(value))
        elif step.id == "gr_rate":
            self.state.rounds += 1
            self.note_settling(frame, value)
            self.advance(frame, step, value, words)
        elif step.tender_stop and TENDER.search(words):
            self.goto(step.tender_stop)
        else:
            self.advance(frame, step, value, words)

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

    def following(self, step: Step) -> str | None:
        """Where the step leads by itself; in a mode, the next step of the mode's list."""
        frame = self.state.frame
        assert frame is not None
        flow = self.library.flows[frame.flow]
        mode = flow.modes.get(frame.mode, ())
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
            return "closing"
        return None

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
                text = "something tender came up" if self.state.values.get("tender") else "this part"
                row = {"step": "set", "field": "part.bring_to_coach", "label": "part.bring_to_coach", "text": text}
                self.state.kept.append(row)
            elif name == "part.tender_flag":
                self.state.values["tender"] = True

    def raise_from(self, spec: AlertSpec) -> None:
        self.raises.append(Raise(category=spec.category, level=spec.level, reason=spec.reason))

    # --- offers -----------------------------------------------------------------------------------------------

    def offer(self, options: tuple[Option, ...], frame: Frame) -> None:
        frame.offer = [asdict(option) for option in options]
        control = self.new_control(Control(id="", type=AnswerType.choice, options=options, skippable=False))
        if self.said and self.said[-1].control is None and self.said[-1].kind in ("say", "crisis"):
            self.said[-1] = replace(self.said[-1], control=control)
        else:
            self.said.append(
                Utterance(
                    text=self.text("steering.what_next"), text_id="steering.what_next", kind="prompt", control=control
                )
            )

    def offer_again(self, frame: Frame) -> None:
        options = tuple(Option(**row) for row in frame.offer or ())
        self.said.append(Utterance(text=self.text("steering.what_next"), text_id="steering.what_next"))
        self.offer(options, frame)

    def take_offer(self, frame: Frame, reply: Reply) -> None:
        options = tuple(Option(**row) for row in frame.offer or ())
        typed = str(reply.value) if reply.control_id is not None and reply.value is not None else reply.text
        match = _match(options, typed)
        if typed == "skip":
            match = next((o for o in options if o.value in ("go_on", "close", "enough", "stop", "keep")), options[-1])
        if match is None:
            self.keep_aside(reply.text.strip())
            self.notice("steering.please_choose")
            self.offer_again(frame)
            return
        self.remember()
        frame.offer = None
        self.follow_offer(frame, match.value)

    def follow_offer(self, frame: Frame, value: str) -> None:
        step = self.step()
        assert step is not None
        flow = self.library.flows[frame.flow]
        if value in ("go_on", "keep"):
            if frame.flow == "grounding":
                self.state.frames.pop()
                self.after_settling()
            else:
                self.goto(self.following(step))
        elif value == "smaller":
            self.goto("os_step")
        elif value == "drop":
            self.state.kept = [row for row in self.state.kept if not row["field"].startswith("step.")]
            self.goto("closing")
        elif value == "close" and frame.offer_close is not None:
            target, frame.offer_close = frame.offer_close, None
            self.branch_goto(target, step)
        elif value == "close" and frame.flow == "closing":
            self.goto(self.following(step))
        elif value == "gentle":
            self.state.values["declined_settling"] = True
            self.goto("gate" if frame.flow == "arrive" else "menu")
        elif value in flow.steps or value in self.library.flows:
            self.goto(value)
        else:
            self.goto(OFFER_GOTO.get(value, "closing"))

    def after_settling(self) -> None:
        """Go on after grounding: with what waited below, if the gate allows it, else with a suggestion."""
        if self.state.frames:
            self.resume_below()
        else:
            self.suggest()

    def too_much(self, frame: Frame) -> None:
        """ "This is a lot": settle now, and never ask why. Twice in a sitting leads to the distress check."""
        self.state.lots += 1
        if self.state.lots >= 2 and not self.state.distress_checks:
            self.state.distress_checks += 1
            self.push("safety.distress_check")
            return
        self.push("grounding", outward=True)

    def choose_practice(self, value: str) -> None:
        if value == "person":
            self.push("safety.human_request")
        elif value == "close" or value not in self.library.flows:
            self.push("closing")
        elif not gates.permitted(value, self.library, self.facts, self.variables(None)):
            self.menu()
        else:
            self.push(value)

    def choose_grounding(self, frame: Frame, value: str | None) -> None:
        offered = [option.value for option in self.grounding_options() if option.value != "choose"]
        picked = value if value in offered else offered[self.state.rounds % len(offered)]
        frame.start = self.state.values.get("activation")
        self.state.values["settled_with"] = picked
        self.goto(picked)

    def note_settling(self, frame: Frame, after: Any) -> None:
        """Keep what a round of settling went with: its name, the rating before, where there is one, and after."""
        name = self.library.grounding.names.get(str(self.state.values.get("settled_with")))
        if name is not None and after is not None:
            text = f"{name}: {after}" if frame.start is None else f"{name}: {frame.start} → {after}"
            self.state.kept.append({"step": "gr_rate", "field": "settling", "label": "settling", "text": text})

    def answer_resume(self, value: str) -> None:
        self.state.frames.pop()
        if value == "fresh":
            self.to_draft()
            self.begin(self.state.sitting_id)
        elif value == "close":
            self.to_summary()
        else:
            self.state.status = "active"
            self.ask_again()

    def to_draft(self) -> None:
        if self.state.kept:
            self.effects.append(Effect(kind="save", data={"visibility": "draft", "lines": self.lines({})}))

    def answer_aftercare(self, value: str) -> None:
        self.state.frames.pop()
        if value == "go_on":
            self.resume_below()
        elif value == "ground":
            self.state.frames = []
            self.push("grounding", outward=True)
        elif value == "letter":
            self.state.frames = []
            self.push("letter_to_coach")
        elif self.state.kept:
            self.to_summary()
        else:
            self.state.frames = []
            self.push_closing_goodbye()

    def answer_summary(self, value: str, reply: Reply) -> None:
        edits = reply.lines or {}
        lines = self.lines(edits)
        if value == "discard":
            early = self.facts.phase in (Phase.first_24h, Phase.journey_day_before, Phase.journey_day_after)
            if early:  # protocol 1.4, N15: nothing irreversible within a day of a dose
                self.save("draft", lines, "summary.discard_first_24h")
            else:
                self.push("discard_confirm")
            return
        visibility, after = {
            "share": ("shared", "summary.after_share"),
            "private": ("private", "summary.after_private"),
        }.get(value, ("draft", "summary.after_later"))
        self.save(visibility, lines, after)

    def save(self, visibility: str, lines: list[dict[str, Any]], text: str) -> None:
        self.effects.append(Effect(kind="save", data={"visibility": visibility, "lines": lines}))
        self.say_text(text)
        self.state.kept = []
        self.state.frames = []
        self.push_closing_goodbye()

    def lines(self, edits: Mapping[str, str | None]) -> list[dict[str, Any]]:
        kept = []
        for line in self.summary_lines():
            text = edits.get(line.id, line.text)
            if text is not None and text.strip():
                row = self.state.kept[int(line.id)]
                kept.append({"step": row["step"], "field": row["field"], "label": line.label, "text": text})
        return kept

    def answer_discard(self, value: str) -> None:
        self.state.frames.pop()
        if value != "yes":
            self.ask_again()
            return
        self.effects.append(Effect(kind="discard"))
        self.state.kept, self.state.frames = [], []
        self.push_closing_goodbye()

    # --- speaking ---------------------------------------------------------------------------------------------

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
                facts.open_step_days is not None or facts.known_parts or facts.slots.get("last_intention")
            ),
            "urinary": bool(frame is not None and frame.subtype == "urinary"),
            "prefilled_sc_wish": False,
            "prefilled_sc_thoughts": False,
        }
        current.update(values)
        current.update(screen)
        if frame is not None and frame.flow == "grounding" and frame.step == "gr_after":
            current["value"] = values.get("activation")
        current["value"] = value if value is not None else current.get("value")
        return current


def _always(_: Mapping[str, Any]) -> bool:
    return True


def _free(step: Step) -> bool:
    return step.answer is not None and step.answer.type in (AnswerType.text, AnswerType.short_text)


def _just_continue(text: str) -> bool:
    return re.sub(r"\W+", " ", text.lower()).strip() in {
        "ok",
        "okay",
        "continue",
        "yes",
        "go on",
        "next",
        "k",
        "sure",
        "ready",
    }


def _number(value: Any) -> int | None:
    words = {
        "zero": 0,
        "one": 1,
        "two": 2,
        "three": 3,
        "four": 4,
        "five": 5,
        "six": 6,
        "seven": 7,
        "eight": 8,
        "nine": 9,
        "ten": 10,
    }
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value
    text = str(value).strip().lower()
    found = re.findall(r"\d+", text)
    if len(found) == 1:
        return int(found[0])
    if len(found) == 2 and found[1] == "10" and re.search(r"/|out of", text):
        return int(found[0])
    named = [words[w] for w in re.findall(r"[a-z]+", text) if w in words]
    return named[0] if len(named) == 1 and len(text.split()) <= 6 else None


def _match(options: tuple[Option, ...], typed: str) -> Option | None:
    """The option that a typed or tapped answer names: by value, by label, or by the label's first word."""
    plain = re.sub(r"[^\w ]+", "", typed.lower()).strip()
    for option in options:
        if typed == option.value or plain in (option.value.lower(), re.sub(r"[^\w ]+", "", option.label.lower())):
            return option
    starts = [o for o in options if plain and re.sub(r"[^\w ]+", "", o.label.lower()).startswith(plain + " ")]
    return starts[0] if len(starts) == 1 else None
