"""Risk: response flows come before everything, and an emergency holds the sitting. Source: protocol 6.5, 6.6."""

from __future__ import annotations

import re

from bot.core.flow.content import Flow
from bot.core.flow.moving import Moving
from bot.core.flow.outcome import Effect, Raise
from bot.core.flow.state import Frame
from bot.core.safety.verdict import Category, Level, Verdict

PARTS_LANGUAGE = re.compile(
    r"\b(?:a|one|some|another|this|that|my|the) (?:\w+ )?(?:part|side|voice|critic|protector)\b", re.I
)

ASKS_WHERE_TO = ("dn_next", "du_help")  # the last questions of the distress flows say where to go on


class Responding(Moving):
    """Puts the response flow of a verdict first and carries it to its end. Never reads the text for danger itself."""

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
        self.state.values["risk_seen"] = True  # no meeting a part in a sitting whose text held risk (3.5)
        if category in (Category.abuse, Category.harm_to_others):
            self.state.values["harm_mentioned"] = True
        if level is Level.concern and not verdict.interrupts:
            self.state.values["concern_in_words"] = True  # never echoed (0.2)
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
        wish = [self.state.values.pop(f"screen.{question}", None) for question in ASKS_WHERE_TO]
        if any(wish):
            self.lead(next(str(value) for value in wish if value))
        elif below and (flow.resume == "R1" or flow.level is None):
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
