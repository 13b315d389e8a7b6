"""The one interpreter of authored flows: (state, answer, facts, now) gives the next state and what follows from it.

Deterministic and free of I/O. It never reads the patient's text for danger: the verdict comes from outside, and
`respond_to_risk` puts the response flow before everything else. Source: protocol 3, 6.5 and 6.6.
"""

from __future__ import annotations

from datetime import datetime

from bot.core.flow.asking import BEGIN
from bot.core.flow.content import Library
from bot.core.flow.facts import Facts
from bot.core.flow.outcome import Effect, FlowError, Outcome, Raise
from bot.core.flow.speech import Reply
from bot.core.flow.state import SittingState
from bot.core.flow.steering import Turn
from bot.core.safety.verdict import Verdict

__all__ = ["Effect", "FlowError", "Interpreter", "Outcome", "Raise"]


class Interpreter:
    """Runs the flows of one library. Holds no state of its own; every method is a pure function of its arguments."""

    def __init__(self, library: Library, newest: Library | None = None) -> None:
        """`library` is what the open sitting began with, `newest` what the next one will run on."""
        self.library, self.newest = library, newest or library

    def _turn(self, state: SittingState, facts: Facts, now: datetime) -> Turn:
        return Turn(self.library, state, facts, now, self.newest)

    def open(self, state: SittingState, facts: Facts, now: datetime, *, sitting_id: str) -> Outcome:
        """What the patient sees on arriving: a new sitting, or the offer to pick up the unfinished one."""
        turn = self._turn(state, facts, now)
        if state.status == "idle":
            turn.begin(sitting_id)
        elif state.frames and turn.may_offer_to_resume():
            turn.push("sitting.resume_offer")
        else:
            turn.ask_again()
        return turn.outcome()

    def answer(self, state: SittingState, reply: Reply, facts: Facts, now: datetime) -> Outcome:
        """Take a reply as the answer to the current step. A structured answer to another control changes nothing."""
        turn = self._turn(state, facts, now)
        if reply.control_id is not None and reply.control_id != state.control:
            turn.notice("steering.stale_button")
            turn.ask_again()
        elif not state.frames and reply.value == BEGIN.value:
            turn.begin(reply.message_id)
        elif not state.frames and reply.control_id is None and reply.text.strip():
            turn.take_aside(reply.text.strip(), reply.message_id)
        else:
            turn.take(reply)
        return turn.outcome()

    def ask(self, state: SittingState, facts: Facts, now: datetime) -> Outcome:
        """Speak the current prompt again, as after a question in between."""
        turn = self._turn(state, facts, now)
        turn.ask_again()
        return turn.outcome()

    def steer(
        self,
        state: SittingState,
        command: str,
        facts: Facts,
        now: datetime,
        *,
        sitting_id: str,
        lines: dict[str, str | None] | None = None,
    ) -> Outcome:
        """Carry out one steering command (the commands of `kat interpret`). `lines` are edits of the summary's card."""
        turn = self._turn(state, facts, now)
        turn.steer(command, sitting_id, Reply(message_id="", text="", lines=lines))
        return turn.outcome()

    def respond_to_risk(
        self, state: SittingState, verdict: Verdict, text: str, facts: Facts, now: datetime, *, crisis_shown: bool
    ) -> Outcome:
        """Put the response flow of a verdict before everything, or, for what may wait, before the closing."""
        turn = self._turn(state, facts, now)
        turn.respond(verdict, text, crisis_shown=crisis_shown)
        return turn.outcome()

    def inform(
        self, state: SittingState, faq_id: str, question: str, facts: Facts, now: datetime, *, sitting_id: str
    ) -> Outcome:
        """Answer a question about the journal, or offer to carry it on; then ask again where the sitting was."""
        turn = self._turn(state, facts, now)
        turn.answer_question(faq_id, question, sitting_id)
        return turn.outcome()

    def silence(self, state: SittingState, facts: Facts, now: datetime) -> Outcome:
        """No answer came in time: ask once more where the flow says so, else it counts as the graver answer."""
        turn = self._turn(state, facts, now)
        turn.silence()
        return turn.outcome()
