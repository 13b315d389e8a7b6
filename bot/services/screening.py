"""Receiving a message: kept, assessed and alerted on in one transaction, before anything else happens to it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as AssessmentTimeout
from dataclasses import dataclass, replace
from typing import Any

from bot.core.journal import Message
from bot.core.news import taken_back
from bot.core.people import Patient
from bot.core.reports import CRISIS_REFERRED
from bot.core.safety.verdict import AssessmentContext, Level, Verdict, combine, verdict_from_json
from bot.services.escalation import EscalationService
from bot.services.facts import where_in_time
from bot.services.ports import Assessor, Clock, Conflict, Transaction, UnitOfWork

MOST_CHARACTERS = 40_000
ASSESSMENT_SECONDS = 2.0  # protocol 6.2: a gate that takes longer counts as failed
RECORD_ID = re.compile(r"[0-9a-f]{32}")  # the value of a button that names an entry
ASSESSED_AT_ONCE = 4_000  # characters; a longer text may take longer in proportion
# (text id, text) of the opening of an emergency's response flow
CrisisTexts = Callable[[Transaction, Verdict, Patient], list[tuple[str, str]]]


class EmptyMessage(ValueError):
    """There is nothing in the message: no words and no button."""


class MessageTooLong(ValueError):
    """The message is longer than MOST_CHARACTERS. Nothing was kept; the page still has it."""


@dataclass(frozen=True, kw_only=True)
class Received:
    """What became of a message. `crisis` are replies that were stored with it, to be shown first."""

    message: Message
    verdict: Verdict
    duplicate: bool
    crisis: tuple[Message, ...]


class ScreeningService:
    """The gateway's own part of the way of a message (design 4, steps 1 to 3)."""

    def __init__(
        self,
        uow: UnitOfWork,
        clock: Clock,
        assessor: Assessor,
        escalation: EscalationService,
        crisis_texts: CrisisTexts,
        unavailable_text: str,
        retractions: Mapping[str, Sequence[str]],
    ) -> None:
        self._uow, self._clock, self._assessor, self._escalation = uow, clock, assessor, escalation
        self._crisis_texts, self._unavailable = crisis_texts, unavailable_text
        self._retractions = retractions
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="assess")

    def receive(
        self,
        patient_id: str,
        client_id: str,
        text: str,
        *,
        control_id: str | None = None,
        value: Any = None,
        lines: Mapping[str, str | None] | None = None,
    ) -> Received:
        """Keep and assess one message. The same `client_id` again gives the same result and changes nothing.

        Raises EmptyMessage or MessageTooLong, before anything is kept.
        """
        words = typed_words(text, control_id, value, lines)
        if not text.strip() and control_id is None:
            raise EmptyMessage
        if len(text) + len(words) > 2 * MOST_CHARACTERS or len(text) > MOST_CHARACTERS:
            raise MessageTooLong
        verdict: Verdict | None = None
        for _ in range(3):
            with self._uow.reading() as tx:
                known = tx.message_of_client(patient_id, client_id)
                if known is not None:
                    return self._again(tx, known)
                patient = tx.patient(patient_id)
                assert patient is not None
                context = self._context(tx, patient)
            verdict = verdict or self.assess(words, context)
            try:
                return self._keep(patient, client_id, text, words, control_id, value, lines, verdict)
            except Conflict:
                continue  # the same message came in twice at once: the other one is kept
        raise Conflict(client_id)

    def check_aside(self, patient_id: str, words: str) -> Received | None:
        """Check words that were written on a page (protocol 0.1). Where they ask for more, they become a message.

        That message is kept, alerted on and answered like any other; None where there is nothing to answer. A concern
        that may wait is put on the staff's list.
        """
        with self._uow() as tx:
            patient = tx.patient(patient_id)
            assert patient is not None
            context = self._context(tx, patient)
        verdict = self.assess(words, context)
        if verdict.interrupts:
            return self._keep(patient, uuid.uuid4().hex, words, words, None, None, None, verdict)
        if verdict.categories:
            with self._uow() as tx:
                self._alert(tx, patient, None, words, verdict, verdict.level, "written_on_a_page")
        return None

    def assess(self, words: str, context: AssessmentContext) -> Verdict:
        """Assess, failing towards people: no answer in time, or an error, asks at least and tells staff."""
        version = self._assessor.version
        if not words.strip():
            return combine((), version=version)
        future = self._pool.submit(self._assessor.assess, words, context)
        try:
            return future.result(timeout=ASSESSMENT_SECONDS * max(1.0, len(words) / ASSESSED_AT_ONCE))
        except (AssessmentTimeout, ArithmeticError, LookupError, RuntimeError, TypeError, ValueError, OSError):
            future.cancel()
            return combine((), version=version, failed_layers=("all",))

    def _context(self, tx: Transaction, patient: Patient) -> AssessmentContext:
        now = self._clock()
        sitting = tx.sitting(patient.id)
        frames = sitting.state.get("frames", ()) if sitting is not None else ()
        where = where_in_time(tx, patient, now)
        return AssessmentContext(
            phase=where.phase.protocol_id,
            practice=frames[-1]["flow"] if frames else None,
            history=tx.recent_texts(patient.id, 3),
            hours_since_dose=where.hours_since_dose(now),
            quiet_rules=frozenset(sitting.state.get("quiet_rules", ())) if sitting is not None else frozenset(),
        )

    def _keep(
        self,
        patient: Patient,
        client_id: str,
        text: str,
        words: str,
        control_id: str | None,
        value: Any,
        lines: Mapping[str, str | None] | None,
        verdict: Verdict,
    ) -> Received:
        now = self._clock()
        structured = control_id is not None or lines
        payload = {"control_id": control_id, "value": value, "lines": lines} if structured else None
        with self._uow() as tx:
            message = tx.add_message(
                Message(
                    id=uuid.uuid4().hex,
                    seq=0,
                    patient_id=patient.id,
                    sender="patient",
                    kind="text" if control_id is None else "button",
                    text=text,
                    client_id=client_id,
                    payload=payload,
                    created_at=now,
                )
            )
            tx.add_assessment(message.id, verdict, now)
            crisis: list[Message] = []
            if verdict.failed_layers == ("all",):
                crisis.append(self._say(tx, message, "safety_shared.gate_unavailable", self._unavailable, "crisis"))
                self._alert(tx, patient, message, words, verdict, Level.urgent, "could_not_assess")
            elif verdict.level >= Level.urgent:
                self._alert(tx, patient, message, words, verdict, verdict.level, "message")
                if verdict.level is Level.emergency:
                    texts = self._crisis_texts(tx, verdict, patient)
                    crisis += self._say_crisis(tx, patient, message, texts)
            elif verdict.failed_layers:  # the patient is asked; staff learn that a layer is down
                self._alert(tx, patient, message, words, verdict, Level.urgent, "assessment_layer_failed")
            if crisis:
                tx.audit("system", CRISIS_REFERRED, message.id, now)
            if verdict.level < Level.urgent:
                self._take_back(tx, patient, message, words)
        return Received(message=message, verdict=verdict, duplicate=False, crisis=tuple(crisis))

    def _alert(
        self,
        tx: Transaction,
        patient: Patient,
        message: Message | None,
        words: str,
        verdict: Verdict,
        level: Level,
        why: str,
    ) -> None:
        self._escalation.raise_alert(
            tx,
            patient,
            level=level,
            categories=tuple(category.value for category in verdict.categories),
            subtype=verdict.subtype,
            reason=why,
            message_id=None if message is None else message.id,
            words=words,
            version=verdict.version,
        )

    def _say_crisis(
        self, tx: Transaction, patient: Patient, message: Message, texts: list[tuple[str, str]]
    ) -> list[Message]:
        """Say what is true at once; that staff were told is said when they were."""
        said = []
        for text_id, line in texts:
            shown = self._escalation.showable(tx, patient, text_id, line, "crisis", message.id, message.created_at)
            if shown:
                said.append(self._say(tx, message, text_id, shown, "crisis"))
        return said

    def _take_back(self, tx: Transaction, patient: Patient, message: Message, words: str) -> None:
        text_id = taken_back(words, self._retractions)
        if text_id is not None:
            self._escalation.note_retraction(tx, patient, text_id, words, message.id, message.created_at)

    def _say(self, tx: Transaction, message: Message, text_id: str, text: str, kind: str) -> Message:
        return tx.add_message(
            replace(
                message,
                id=uuid.uuid4().hex,
                sender="assistant",
                kind=kind,
                text=text,
                text_id=text_id,
                client_id=None,
                payload=None,
                reply_to=message.id,
            )
        )

    def _again(self, tx: Transaction, message: Message) -> Received:
        assessment = tx.assessment(message.id)
        verdict = combine((), version="") if assessment is None else verdict_from_json(assessment)
        crisis = tuple(reply for reply in tx.replies(message.id) if reply.kind == "crisis")
        return Received(message=message, verdict=verdict, duplicate=True, crisis=crisis)


def typed_words(text: str, control_id: str | None, value: Any, lines: Mapping[str, str | None] | None) -> str:
    """All that the patient typed with their own hands: a button's label is not, a word beside a body place is."""
    if control_id is None:  # with edits of the summary's card, where it was on the page
        return "\n".join(part for part in (text, *(lines or {}).values()) if part)
    typed = [] if isinstance(value, str) and value else [text]
    plain = isinstance(value, str) and value not in {"skip", "lot", "continue"} and not RECORD_ID.fullmatch(value)
    if plain and (len(value) > 30 or " " in value):
        typed.append(value)
    if isinstance(value, list):
        typed += [
            str(row.get("word", "")) + " " + str(row.get("place", "")) for row in value if isinstance(row, Mapping)
        ]
        typed += [row for row in value if isinstance(row, str) and " " in row]
    typed += [line for line in (lines or {}).values() if line]
    return "\n".join(dict.fromkeys(part for part in typed if part.strip()))
