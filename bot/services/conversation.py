"""Getting a kept message answered: through Rasa, and, when Rasa is away, by telling the patient so with numbers."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.core.journal import Message
from bot.core.jurisdiction import Jurisdiction, disclosure_due
from bot.core.safety.verdict import combine, verdict_from_json
from bot.services.ports import Clock, DialogueEngine, EngineUnavailable, Transaction, UnitOfWork
from bot.services.sittings import SittingService

AWAY = "engine.away"
DISCLOSURE = "disclosure"
SAYS_SO = (DISCLOSURE, "arrive.ar_hello", "faq_human.1")  # the texts that say that this is a program
LATE = timedelta(seconds=20)  # a message unanswered for so long is delivered again by the worker


class ConversationService:
    """The gateway's second part of the way of a message (design 4, steps 4 to 7)."""

    def __init__(
        self,
        uow: UnitOfWork,
        clock: Clock,
        engine: DialogueEngine,
        sittings: SittingService,
        away_text: str,
        place: Jurisdiction,
    ) -> None:
        self._uow, self._clock, self._engine, self._sittings = uow, clock, engine, sittings
        self._away, self._place = away_text, place

    def open(self, conversation_id: str) -> None:
        """Let the assistant greet, or offer what was left unfinished. Needs no Rasa."""
        self._sittings.open(conversation_id)

    def deliver(self, message_id: str, *, tell: bool = True) -> tuple[Message, ...]:
        """Have a message answered and return all replies to it, in order. An answered one gives its replies again."""
        with self._uow() as tx:
            message = tx.message(message_id)
            assert message is not None
            if message.answered_at is not None:
                return tuple(tx.replies(message_id))
            tx.note_try(message_id)
            patient = tx.patient(message.patient_id)
            assessment = tx.assessment(message_id)
            verdict = combine((), version="") if assessment is None else verdict_from_json(assessment)
            if not verdict.interrupts:
                self._disclose(tx, message)
        assert patient is not None
        try:
            replies = self._engine.turn(patient.conversation_id, message, verdict)
        except EngineUnavailable:
            return self._tell_away(message) if tell else ()
        now = self._clock()
        with self._uow() as tx:
            known = {reply.id for reply in tx.replies(message_id)}
            for reply in replies:
                if reply.get("id") not in known and reply.get("text"):
                    tx.add_message(_from_engine(message, reply, now_of=self._clock))
            tx.mark_answered(message_id, now)
            return tuple(tx.replies(message_id))

    def _disclose(self, tx: Transaction, message: Message) -> None:
        """Say again that this is a program where the place's rule asks for it, once for a message."""
        said_at = tx.last_said(message.patient_id, SAYS_SO)
        written_at = tx.written_before(message.patient_id, message.seq)
        if disclosure_due(self._place, said_at, written_at, self._clock()):
            words = {"text": self._place.disclosure, "text_id": DISCLOSURE, "kind": "notice"}
            tx.add_message(_from_engine(message, words, self._clock))

    def deliver_waiting(self) -> int:
        """Deliver again what is still unanswered, oldest first. Returns how many were answered."""
        with self._uow() as tx:
            waiting = tx.waiting(self._clock() - LATE, limit=20)
        answered = 0
        for message in waiting:
            if not self.deliver(message.id, tell=False):
                break
            answered += 1
        return answered

    def since(self, patient_id: str, seq: int, limit: int = 100) -> list[Message]:
        """Messages after a sequence number, oldest first; 0 gives the newest page."""
        with self._uow() as tx:
            return tx.messages(patient_id, after=seq, limit=limit)

    def before(self, patient_id: str, seq: int, limit: int = 50) -> list[Message]:
        """The page of messages before a sequence number, oldest first."""
        with self._uow() as tx:
            return tx.messages(patient_id, before=seq, limit=limit)

    def _tell_away(self, message: Message) -> tuple[Message, ...]:
        with self._uow() as tx:
            replies = tx.replies(message.id)
            if not any(reply.text_id == AWAY for reply in replies):
                notice = _from_engine(message, {"text": self._away, "text_id": AWAY, "kind": "notice"}, self._clock)
                replies.append(tx.add_message(notice))
            return tuple(replies)


def _from_engine(message: Message, reply: Mapping[str, Any], now_of: Clock) -> Message:
    return replace(
        message,
        id=uuid.uuid4().hex,
        sender="assistant",
        kind=str(reply.get("kind", "say")),
        text=str(reply["text"]),
        text_id=reply.get("text_id"),
        control=reply.get("control"),
        small_print=None,
        client_id=None,
        payload=None,
        reply_to=message.id,
        created_at=now_of(),
        answered_at=None,
    )
