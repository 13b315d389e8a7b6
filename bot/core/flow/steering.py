"""Steering: the patient's commands, carried out at any step."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.core.flow.answering import Answering
from bot.core.flow.outcome import Effect, FlowError, Raise
from bot.core.flow.render import fill
from bot.core.flow.speech import AnswerType, Reply, Utterance
from bot.core.flow.state import Frame
from bot.core.safety.verdict import Level

LEFT_STANDING = timedelta(hours=6)  # an open question left for so long is offered to be picked up again
OUT_OF_SCOPE = "out_of_scope"  # a question that no answer of the FAQ fits
RIGHTS = frozenset({"show_entries", "delete_entry", "export_data", "delete_all_data"})
ROUTED = frozenset({"medical_team", "coach", "clinic"})
WHEN_LOCKED = frozenset({"faq_human", "faq_who_reads", "faq_emergency", "faq_monitored", "faq_wrong"})  # protocol 8


class Turn(Answering):
    """One turn, whole: an answer, a command, or a silence."""

    def steer(self, command: str, sitting_id: str, reply: Reply) -> None:
        """Carry out a command. `reply` has what the card of the summary held, where it came with one."""
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
            "keep_private": lambda: self.keep_private(sitting_id, reply),
            "short_version": self.shorten,
            "grounding_now": lambda: self.settle(sitting_id),
            "talk_to_human": lambda: self.push_over("safety.human_request", sitting_id),
            "repeat_question": self.ask_again,
            "crisis_resources": self.crisis_card,
        }
        if command in RIGHTS:
            self.exercise(command, sitting_id)
            return
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

    def answer_question(self, faq_id: str, question: str, sitting_id: str) -> None:
        """Answer from the FAQ. A question for people is offered to be sent to them, and is tracked (protocol 8)."""
        if self.locked_now() and faq_id not in WHEN_LOCKED:
            self.say_text("safety_shared.locked_screen", kind="notice")
            self.ask_again()
            return
        texts = () if faq_id == OUT_OF_SCOPE else self.library.faq[faq_id]
        for number, text in enumerate(texts, start=1):
            self.speak((text,), f"{faq_id}.{number}", kind="notice")
        if faq_id == OUT_OF_SCOPE:
            self.notice("steering.out_of_scope")
        for_people = faq_id == OUT_OF_SCOPE or self.library.faq_routes[faq_id] in ROUTED
        if for_people and question.strip() and not self.in_response() and not self.locked_now():
            if self.is_at("own.send_question"):
                self.state.frames.pop()
            self.push_over("own.send_question", sitting_id)
            self.state.values["question_text"] = question.strip()
        elif self.state.frames:
            self.ask_again()

    def may_offer_to_resume(self) -> bool:
        """Whether coming back offers a choice: after a pause, or when a question was left standing for long.

        Never over a response to risk or a held screen: those go on where they were.
        """
        last = self.state.last_at
        left = last is not None and self.now - datetime.fromisoformat(last) >= LEFT_STANDING
        waiting = self.state.status == "paused" or left
        return waiting and not (self.in_response() or self.locked_now() or self.is_at("sitting.resume_offer"))

    def resume(self) -> None:
        if self.is_at("sitting.resume_offer"):
            self.state.frames.pop()
        self.pick_up()

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
