"""Answering: a reply becomes a value and words, both are kept, and the step's own rules follow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.core.flow import gates
from bot.core.flow.asking import LOT
from bot.core.flow.content import Step
from bot.core.flow.echo import TENDER
from bot.core.flow.outcome import Effect, FlowError, Raise
from bot.core.flow.reading import find_number, find_option, says_go_on
from bot.core.flow.rights import Rights
from bot.core.flow.speech import AnswerType, Option, Reply
from bot.core.flow.state import Frame

BEFORE_ARRIVING = ("phase_unknown", "own.slept", "own.discard_again", "rights.delete_all_again", "rights.new_coach")
ROUTES = (
    Option(value="to_coach", label="My coach"),
    Option(value="to_medical", label="The medical team"),
    Option(value="to_no_one", label="Just keep it"),
)


class Answering(Rights):
    """Takes the answer to the current step."""

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

    def is_tender(self, frame: Frame, step: Step, words: str) -> bool:
        """Tender-part detection: every text of this one practice (protocol 3.5). A false positive is kind and cheap."""
        assert step.answer is not None
        written = step.answer.type in (AnswerType.text, AnswerType.short_text, AnswerType.part, AnswerType.body)
        return frame.flow == "meet_a_part" and written and TENDER.search(words) is not None

    def watch_tender(self, activation: Any) -> None:
        """Still stirred up after the tender-part stop: staff hear of it (protocol 3.5, mp_tender_stop)."""
        values = self.state.values
        if (
            values.get("tender")
            and activation is not None
            and activation >= gates.HIGH
            and not values.get("tender_told")
        ):
            values["tender_told"] = True
            reason = "tender/vulnerable material surfaced; still stirred up after settling"
            self.raises.append(Raise(category="distress", level="concern", reason=reason))

    def read(self, step: Step, reply: Reply) -> tuple[Any, str] | None:
        """The value and the words to keep. None after saying why the answer does not fit the question."""
        assert step.answer is not None
        kind, value, text = step.answer.type, reply.value, reply.text.strip()
        rather_not = any(option.value == "skip" for option in step.answer.options)  # an answer there, not a skip
        if (value == "skip" and not rather_not) or (reply.control_id is not None and value is None and not text):
            return step.default, ""
        if kind is AnswerType.none:
            if reply.control_id is None and text and not says_go_on(text):
                self.keep_aside(text)
            return "continue", ""
        if kind in (AnswerType.text, AnswerType.short_text):
            return text or str(value or ""), text or str(value or "")
        if kind is AnswerType.scale:
            number = find_number(value if reply.control_id is not None else text)
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
        match = find_option(options, typed)
        assert step.answer is not None
        if match is not None:
            return match.value, match.label
        if step.answer.with_text or step.answer.sources:
            return typed, typed
        self.keep_aside(text)
        self.notice("steering.please_choose")
        self.ask_again()
        return None

    def special(self, frame: Frame, step: Step, value: Any, words: str, reply: Reply) -> None:
        """The few steps whose answers act, then the rules that all others follow."""
        place = frame.flow
        if place == "sitting.resume_offer":
            self.answer_resume(str(value), reply.message_id)
        elif place in ("sitting.suggest", "sitting.menu_after_no"):
            self.state.frames.pop()
            self.choose_practice(str(value) if value is not None else "close")
        elif place == "sitting.between_practices":
            self.state.frames.pop()
            self.state.values["between_asked"] = True
            self.push("sitting.suggest") if value == "more" else self.push("closing")
        elif place in BEFORE_ARRIVING:
            self.answer_before(place, None if value is None else str(value))
        elif place.startswith("rights."):
            self.answer_rights(place, str(value))
        elif place == "own.send_question":
            self.answer_send(str(value))
        elif place == "own.kept_aside":
            self.answer_aside(str(value), reply.message_id)
        elif place == "own.write_freely":
            self.to_summary()
        elif step.id == "lc_review" and value != "edit":
            self.answer_letter(None if value is None else str(value))
            self.goto("closing")
        elif step.id == "lc_review":
            self.goto("lc_share" if not frame.mode else "lc_questions")
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
            self.watch_tender(value)
            self.advance(frame, step, value, words)
        elif self.is_tender(frame, step, words):
            self.goto("mp_tender_stop")
        elif step.answer is not None and step.answer.routes and words:
            self.state.values["question_text"] = words
            self.say_text("steering.question_for")
            self.offer(ROUTES, frame)
        else:
            self.advance(frame, step, value, words)
