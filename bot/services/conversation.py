"""Getting a kept message answered: through Rasa, and, when Rasa is away, by telling the patient so with numbers."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.core.journal import Message
from bot.core.jurisdiction import Jurisdiction, disclosure_due
from bot.core.safety.verdict import Verdict, combine, verdict_from_json
from bot.services.ports import Clock, DialogueEngine, EngineUnavailable, Transaction, UnitOfWork
from bot.services.sittings import SittingService

AWAY = "engine.away"
DISCLOSURE = "disclosure"
SAYS_SO = (DISCLOSURE, "arrive.ar_hello", "faq_human.1")  # the texts that say that this is a program
LATE = timedelta(seconds=20)  # a message unanswered for so long is delivered again by the worker
MOST_TRIES = 3  # turns that may fail before the sitting's question is simply asked again


@dataclass(frozen=True, kw_only=True)
class Due:
    """A kept message whose turn is due, with all that Rasa is told about it."""

    message: Message
    conversation_id: str
    verdict: Verdict


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
        """Have a message answered and return all replies to it, in order. An answered one gives its replies again.

        What the patient wrote earlier and still waits is answered first. Whether a message was answered is read from
        the database, where its turn was kept, never from what Rasa returned: a silent turn is no outage, and a
        turn that Rasa reports as done may have failed. `tell` has the patient told when Rasa is away.
        """
        with self._uow.reading() as tx:
            message = tx.message(message_id)
            assert message is not None
            if message.answered_at is not None:
                return tuple(tx.replies(message_id))
            due = self._due(tx, message)
            earlier = tx.waiting(message.created_at, limit=20, patient_id=message.patient_id)
            waiting = [self._due(tx, one) for one in earlier]
            disclosing = not due.verdict.interrupts and self._disclosure_is_due(tx, message)
        if disclosing:
            self._disclose(message)
        try:
            for one in waiting:
                self._take_turn(one)
            return self._take_turn(due)
        except EngineUnavailable:
            if tell:
                self._tell_away(message)
        with self._uow.reading() as tx:
            return tuple(tx.replies(message_id))

    def _due(self, tx: Transaction, message: Message) -> Due:
        patient, assessment = tx.patient(message.patient_id), tx.assessment(message.id)
        assert patient is not None
        verdict = combine((), version="") if assessment is None else verdict_from_json(assessment)
        return Due(message=message, conversation_id=patient.conversation_id, verdict=verdict)

    def _disclosure_is_due(self, tx: Transaction, message: Message) -> bool:
        said_at = tx.last_said(message.patient_id, SAYS_SO)
        written_at = tx.written_before(message.patient_id, message.seq)
        return disclosure_due(self._place, said_at, written_at, self._clock())

    def _disclose(self, message: Message) -> None:
        """Say again that this is a program where the place's rule asks for it, once for a message."""
        with self._uow() as tx:
            if self._disclosure_is_due(tx, message):
                tx.add_message(self._notice(message, DISCLOSURE, self._place.disclosure))

    def deliver_waiting(self) -> int:
        """Deliver again what is still unanswered, oldest first, until Rasa is away. Returns how many were tried."""
        with self._uow.reading() as tx:
            waiting = [self._due(tx, message) for message in tx.waiting(self._clock() - LATE, limit=20)]
        tried = 0
        for due in waiting:
            try:
                self._take_turn(due)
            except EngineUnavailable:
                break
            tried += 1
        return tried

    def _take_turn(self, due: Due) -> tuple[Message, ...]:
        """One turn of Rasa, and the replies that it led to.

        Raises EngineUnavailable unless the message is answered or the question asked again.
        """
        unavailable: EngineUnavailable | None = None
        try:
            self._engine.turn(due.conversation_id, due.message, due.verdict)
        except EngineUnavailable as error:
            unavailable = error
        with self._uow.reading() as tx:
            kept = tx.message(due.message.id)
            if kept is not None and kept.answered_at is not None:
                return tuple(tx.replies(kept.id))
        if unavailable is not None:
            raise unavailable
        with self._uow() as tx:
            tries = tx.note_try(due.message.id)
        if tries < MOST_TRIES:
            raise EngineUnavailable("the action failed")
        self._sittings.ask(due.conversation_id, due.message.id)
        with self._uow.reading() as tx:
            return tuple(tx.replies(due.message.id))

    def since(self, patient_id: str, seq: int, limit: int = 100) -> list[Message]:
        """Messages after a sequence number, oldest first; 0 gives the newest page."""
        with self._uow.reading() as tx:
            return tx.messages(patient_id, after=seq, limit=limit)

    def before(self, patient_id: str, seq: int, limit: int = 50) -> list[Message]:
        """The page of messages before a sequence number, oldest first."""
        with self._uow.reading() as tx:
            return tx.messages(patient_id, before=seq, limit=limit)

    def _tell_away(self, message: Message) -> None:
        with self._uow() as tx:
            if any(reply.text_id == AWAY for reply in tx.replies(message.id)):
                return
            tx.add_message(self._notice(message, AWAY, self._away))

    def _notice(self, message: Message, text_id: str, text: str) -> Message:
        """A notice of the assistant's in reply to a message."""
        return replace(
            message,
            id=uuid.uuid4().hex,
            sender="assistant",
            kind="notice",
            text=text,
            text_id=text_id,
            control=None,
            client_id=None,
            payload=None,
            reply_to=message.id,
            created_at=self._clock(),
            answered_at=None,
        )
