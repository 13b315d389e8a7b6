"""A patient's sitting: load it, let the interpreter take one turn, keep all that follows in one transaction.

Used by Rasa's actions and by the gateway. Idempotent on the message id: a message is marked as answered in the very
transaction that takes its turn, so a second delivery gives the stored replies again and changes nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from bot.core.flow.content import ContentError, Library
from bot.core.flow.facts import Facts
from bot.core.flow.interpreter import Interpreter, Outcome
from bot.core.flow.speech import Reply, Utterance
from bot.core.flow.state import SittingState
from bot.core.flow.steering import LEFT_STANDING, OUT_OF_SCOPE
from bot.core.journal import Message
from bot.core.people import Patient
from bot.core.reports import CRISIS_REFERRED
from bot.core.safety.verdict import Level, Verdict
from bot.core.steering import StepContext
from bot.services.escalation import EscalationService
from bot.services.facts import FactsReader
from bot.services.keeping import Keeper
from bot.services.ports import Clock, Conflict, Spoken, StoredSitting, Transaction, UnitOfWork
from bot.services.rounds import each
from bot.services.telling import Telling

COMMAND_FAQ = {
    "who_reads_this": "faq_who_reads",
    "are_you_human": "faq_human",
    "what_is_a_part": "faq_what_is_part",
    "can_i_drive": "faq_drive",
    "medication_question": "faq_meds",
}
JUST_CLOSED = timedelta(hours=1)  # coming back sooner does not begin the next sitting by itself
Words = str | None  # of the patient's message as it was kept; None where the turn is about no message
Turn = Callable[[Interpreter, SittingState, Facts, datetime, Words], Outcome]

Recompile = Callable[[Mapping[str, str]], Library]  # content files of an earlier version; may raise ContentError


class SittingService:
    """Runs sittings against the database."""

    def __init__(
        self, uow: UnitOfWork, clock: Clock, library: Library, recompile: Recompile,
        escalation: EscalationService, telling: Telling,
    ) -> None:  # fmt: skip
        self._uow, self._clock, self._library = uow, clock, library
        self._recompile = recompile
        self._escalation = escalation
        self._reader = FactsReader(telling, escalation.paging.expectation)
        self._keeper = Keeper()
        self._interpreters = {library.version: Interpreter(library)}
        self._kept_versions: set[str] = set()

    # --- used by actions ---

    def answer(self, conversation_id: str, reply: Reply) -> tuple[Spoken, ...]:
        """Take a reply as the answer to the current step. Its text is that of the message as it was kept, if it was."""

        def turn(interpreter: Interpreter, state: SittingState, facts: Facts, now: datetime, words: Words) -> Outcome:
            kept = reply if words is None else replace(reply, text=words)
            return interpreter.answer(state, kept, facts, now)

        return self._turn(conversation_id, reply.message_id, turn)

    def ask(self, conversation_id: str, message_id: str) -> tuple[Spoken, ...]:
        """Speak the current prompt again, as the answer to a message that could not be taken as one."""
        return self._turn(conversation_id, message_id, lambda i, s, f, now, _: i.ask(s, f, now))

    def steer(self, conversation_id: str, message_id: str, command: str) -> tuple[Spoken, ...]:
        """Carry out a steering command."""
        faq = COMMAND_FAQ.get(command)
        if faq is not None:
            return self.inform(conversation_id, message_id, faq)

        if command == "out_of_scope":
            return self.inform(conversation_id, message_id, OUT_OF_SCOPE)

        with self._uow.reading() as tx:
            message = tx.message(message_id)
        lines = ((message.payload if message is not None else None) or {}).get("lines")

        def turn(interpreter: Interpreter, state: SittingState, facts: Facts, now: datetime, _: Words) -> Outcome:
            return interpreter.steer(state, command, facts, now, sitting_id=uuid.uuid4().hex, lines=lines)

        return self._turn(conversation_id, message_id, turn)

    def inform(self, conversation_id: str, message_id: str, faq_id: str) -> tuple[Spoken, ...]:
        """Answer a question of protocol 8, then ask again where we were. Raises KeyError for an unknown answer.

        What the assistant may not answer is no dead end: it offers to carry the question on, where it is tracked.
        """
        if faq_id != OUT_OF_SCOPE and faq_id not in self._library.faq:
            raise KeyError(faq_id)

        def turn(interpreter: Interpreter, state: SittingState, facts: Facts, now: datetime, words: Words) -> Outcome:
            return interpreter.inform(state, faq_id, words or "", facts, now, sitting_id=uuid.uuid4().hex)

        return self._turn(conversation_id, message_id, turn)

    def respond_to_risk(self, conversation_id: str, message_id: str, verdict: Verdict) -> tuple[Spoken, ...]:
        """Put the response flow of the verdict first. The alert was raised when the message came in."""
        with self._uow.reading() as tx:
            crisis = any(reply.kind == "crisis" for reply in tx.replies(message_id))

        def turn(interpreter: Interpreter, state: SittingState, facts: Facts, now: datetime, words: Words) -> Outcome:
            return interpreter.respond_to_risk(state, verdict, words or "", facts, now, crisis_shown=crisis)

        return self._turn(conversation_id, message_id, turn)

    def note_concern(self, conversation_id: str, message_id: str, verdict: Verdict) -> None:
        """A concern that may wait: remember it for the end of the practice, and put it on the staff's list."""

        def turn(interpreter: Interpreter, state: SittingState, facts: Facts, now: datetime, _: Words) -> Outcome:
            return interpreter.respond_to_risk(state, verdict, "", facts, now, crisis_shown=False)

        self._turn(conversation_id, None, turn)

    def open(self, conversation_id: str) -> tuple[Spoken, ...]:
        """What the patient sees on arriving. Says nothing where a prompt is still waiting on the page."""
        with self._uow.reading() as tx:
            patient = self._patient(tx, conversation_id)
            stored = tx.sitting(patient.id)
        if stored is not None and self._still_asking(stored):
            return ()
        new_id = uuid.uuid4().hex
        return self._turn(conversation_id, None, lambda i, s, f, now, _: i.open(s, f, now, sitting_id=new_id))

    def _still_asking(self, stored: StoredSitting) -> bool:
        """Whether the page already shows what the patient may answer; a reload then repeats nothing."""
        state = SittingState.from_json(stored.state)
        since = self._clock() - stored.updated_at
        if state.status == "paused":
            return state.frame is not None and state.frame.flow == "sitting.resume_offer"
        if state.frames:
            return state.control is not None and since < LEFT_STANDING
        return bool(state.sitting_id) and since < JUST_CLOSED

    def step_context(self, conversation_id: str) -> StepContext:
        """What the current step asks, for the decision between answer and command."""
        with self._uow.reading() as tx:
            patient = self._patient(tx, conversation_id)
            stored = tx.sitting(patient.id)
        state = SittingState.from_json(stored.state) if stored is not None else SittingState()
        frame = state.frame
        if frame is None:
            return StepContext(context="idle")
        flow = self._library.flows[frame.flow]
        step = flow.steps.get(frame.step)
        kind = step.answer.type.value if step is not None and step.answer is not None else None
        where = "paused" if state.status == "paused" else "end_of_entry" if frame.flow == "summary" else "mid_step"
        return StepContext(
            context=where,
            answer_type="choice" if frame.offer else kind,
            step_id=frame.step,
            response=flow.kind == "response",
        )

    def in_sitting(self, conversation_id: str) -> bool:
        """Whether a flow awaits an answer."""
        return self.step_context(conversation_id).context not in ("idle", "paused")

    # --- used by the worker ---

    def break_silences(self) -> int:
        """Let silence count where a question has waited too long. Returns how many sittings were moved."""
        with self._uow.reading() as tx:
            due = [tx.patient(patient_id) for patient_id in tx.silent(self._clock())]
        silent = [patient.conversation_id for patient in due if patient is not None]
        return len(each(silent, lambda conversation_id: self._turn(conversation_id, None, _silence)))

    # --- one turn ---

    def _turn(self, conversation_id: str, message_id: str | None, turn: Turn) -> tuple[Spoken, ...]:
        for attempt in range(4):
            try:
                return self._try_turn(conversation_id, message_id, turn)
            except Conflict:
                if attempt == 3:
                    raise
        raise AssertionError("unreachable")

    def _try_turn(self, conversation_id: str, message_id: str | None, turn: Turn) -> tuple[Spoken, ...]:
        now = self._clock()
        with self._uow() as tx:
            patient = self._patient(tx, conversation_id)
            stored = tx.sitting(patient.id)
            message = tx.message(message_id) if message_id is not None else None
            if message is not None and message.answered_at is not None:
                return tuple(_spoken(reply) for reply in tx.replies(message.id) if reply.kind != "crisis")
            state = SittingState.from_json(stored.state) if stored is not None else SittingState()
            interpreter = self._interpreter_for(tx, state)
            words = message.text if message is not None else None
            outcome = turn(interpreter, state, self._reader.facts(tx, patient, now), now, words)
            self._keep_version(tx, outcome.state.content_version, now)
            for row in outcome.raises:
                self._escalation.raise_alert(
                    tx,
                    patient,
                    level=Level[row.level],
                    categories=(row.category,),
                    subtype=row.subtype,
                    reason=row.reason,
                    message_id=message_id,
                    version=self._library.version,
                )
            for effect in outcome.effects:
                self._keeper.apply(tx, patient, state, outcome.state, effect, now)
            tx.put_sitting(
                patient.id,
                outcome.state.as_json(),
                expected_version=stored.version if stored is not None else 0,
                silence_due_at=outcome.state.silence_due_at,
                last_message_id=message_id or (stored.last_message_id if stored is not None else None),
                at=now,
            )
            sitting_id = outcome.state.sitting_id or None
            if message is not None:
                tx.mark_answered(message.id, now, sitting_id)
            if any(utterance.kind == "crisis" for utterance in outcome.say):
                tx.audit("system", CRISIS_REFERRED, message_id or sitting_id or patient.id, now)
            said = (self._store(tx, patient, message_id, sitting_id, utterance, now) for utterance in outcome.say)
            return tuple(spoken for spoken in said if spoken is not None)

    def _store(
        self,
        tx: Transaction,
        patient: Patient,
        message_id: str | None,
        sitting_id: str | None,
        utterance: Utterance,
        now: datetime,
    ) -> Spoken | None:
        """Keep one utterance; None where all of it waits until staff were in fact told."""
        if utterance.control is None:
            text = self._escalation.showable(
                tx, patient, utterance.text_id, utterance.text, utterance.kind, message_id, now
            )
            if not text:
                return None
            utterance = replace(utterance, text=text)
        stored = tx.add_message(
            Message(
                id=uuid.uuid4().hex,
                seq=0,
                patient_id=patient.id,
                sender="assistant",
                kind=utterance.kind,
                text=utterance.text,
                text_id=utterance.text_id,
                control=None if utterance.control is None else utterance.control.as_json(),
                small_print=utterance.small_print,
                links=[asdict(link) for link in utterance.links],
                sitting_id=sitting_id,
                reply_to=message_id,
                created_at=now,
            )
        )
        return Spoken(id=stored.id, utterance=utterance)

    def _interpreter_for(self, tx: Transaction, state: SittingState) -> Interpreter:
        """An open sitting goes on with the content that it began with, also after a deploy that changed it.

        Where that version is not kept, or today's code cannot read it, today's content is used (ADR 0003).
        """
        version = state.content_version if state.frames else self._library.version
        if version not in self._interpreters:
            files = tx.content_files(version)
            try:
                library = self._library if files is None else self._recompile(files)
            except (ContentError, KeyError, TypeError, ValueError):
                library = self._library
            self._interpreters[version] = Interpreter(library, self._library)
        return self._interpreters[version]

    def _keep_version(self, tx: Transaction, version: str, now: datetime) -> None:
        if version == self._library.version and version not in self._kept_versions:
            tx.keep_content(version, self._library.sources, now)
            self._kept_versions.add(version)

    def _patient(self, tx: Transaction, conversation_id: str) -> Patient:
        patient = tx.patient_of_conversation(conversation_id)
        if patient is None:
            raise LookupError("no patient has this conversation")
        return patient

    def slots(self, tx: Transaction, patient: Patient, now: datetime) -> dict[str, str]:
        """The values of protocol 0.2 that come from the clinic and the patient's record."""
        return self._reader.slots(tx, patient, now)


def _silence(interpreter: Interpreter, state: SittingState, facts: Facts, now: datetime, _: Words) -> Outcome:
    """Let silence count, unless the patient or another worker came first."""
    if state.silence_due_at is None or state.silence_due_at > now:
        return Outcome(state=state, say=(), raises=(), effects=())
    return interpreter.silence(state, facts, now)


def _spoken(message: Message) -> Spoken:
    utterance = Utterance(
        text=message.text, text_id=message.text_id or "", kind=message.kind, small_print=message.small_print
    )
    return Spoken(id=message.id, utterance=utterance)
