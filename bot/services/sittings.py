"""A patient's sitting: load it, let the interpreter take one turn, keep all that follows in one transaction.

Used by Rasa's actions and by the gateway. Idempotent on the message id: a message that was answered gives its stored
replies again and changes nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.core.escalation import AlertEvent
from bot.core.flow.content import Library
from bot.core.flow.facts import Facts
from bot.core.flow.interpreter import Effect, Interpreter, Outcome
from bot.core.flow.render import fill
from bot.core.flow.speech import Reply, Utterance
from bot.core.flow.state import SittingState
from bot.core.journal import Entry, EntryLine, Message, Visibility
from bot.core.journeys import Phase, timeline
from bot.core.people import Patient
from bot.core.safety.verdict import Level, Verdict
from bot.core.steering import StepContext
from bot.services.escalation import EscalationService, restricting_alert
from bot.services.ports import Clock, Conflict, Spoken, StoredSitting, Transaction, UnitOfWork

COMMAND_FAQ = {
    "who_reads_this": "faq_who_reads",
    "are_you_human": "faq_human",
    "what_is_a_part": "faq_what_is_part",
    "can_i_drive": "faq_drive",
    "medication_question": "faq_meds",
}
JUST_CLOSED = timedelta(hours=1)  # coming back sooner does not begin the next sitting by itself
Turn = Callable[[SittingState, Facts, datetime], Outcome]


@dataclass(frozen=True, kw_only=True)
class ClinicFacts:
    """The clinic's own words for the slots of authored texts."""

    name: str
    phone: str
    oncall_phone: str
    hours: str
    covered: bool


class SittingService:
    """Runs sittings against the database."""

    def __init__(
        self, uow: UnitOfWork, clock: Clock, library: Library, escalation: EscalationService, clinic: ClinicFacts
    ) -> None:
        self._uow, self._clock, self._library = uow, clock, library
        self._escalation, self._clinic = escalation, clinic
        self._interpreter = Interpreter(library)

    # --- used by actions ---

    def answer(self, conversation_id: str, reply: Reply) -> tuple[Spoken, ...]:
        """Take a reply as the answer to the current step."""
        return self._turn(
            conversation_id, reply.message_id, lambda s, f, now: self._interpreter.answer(s, reply, f, now)
        )

    def ask(self, conversation_id: str, message_id: str) -> tuple[Spoken, ...]:
        """Speak the current prompt again."""
        return self._turn(conversation_id, message_id, self._interpreter.ask, adds=True)

    def steer(self, conversation_id: str, message_id: str, command: str) -> tuple[Spoken, ...]:
        """Carry out a steering command."""
        faq = COMMAND_FAQ.get(command)
        if faq is not None:
            return self.inform(conversation_id, message_id, faq)

        def turn(state: SittingState, facts: Facts, now: datetime) -> Outcome:
            return self._interpreter.steer(state, command, facts, now, sitting_id=uuid.uuid4().hex)

        return self._turn(conversation_id, message_id, turn)

    def inform(self, conversation_id: str, message_id: str, faq_id: str) -> tuple[Spoken, ...]:
        """Answer a question of protocol 8, then ask again where we were. Raises KeyError for an unknown answer."""
        texts = self._library.faq[faq_id]

        def turn(state: SittingState, facts: Facts, now: datetime) -> Outcome:
            again = self._interpreter.ask(state, facts, now)
            said = tuple(
                Utterance(text=fill(text, facts.slots), text_id=f"{faq_id}.{n}", kind="notice")
                for n, text in enumerate(texts, start=1)
            )
            rest = () if not state.frames else again.say
            return Outcome(state=again.state, say=(*said, *rest), raises=(), effects=())

        return self._turn(conversation_id, message_id, turn)

    def respond_to_risk(self, conversation_id: str, message_id: str, verdict: Verdict) -> tuple[Spoken, ...]:
        """Put the response flow of the verdict first. The alert was raised when the message came in."""
        with self._uow() as tx:
            message = tx.message(message_id)
            crisis = any(reply.kind == "crisis" for reply in tx.replies(message_id))
        text = message.text if message is not None else ""

        def turn(state: SittingState, facts: Facts, now: datetime) -> Outcome:
            return self._interpreter.respond_to_risk(state, verdict, text, facts, now, crisis_shown=crisis)

        return self._turn(conversation_id, message_id, turn)

    def note_concern(self, conversation_id: str, message_id: str, verdict: Verdict) -> None:
        """A concern that may wait: remember it for the end of the practice, and put it on the staff's list."""

        def turn(state: SittingState, facts: Facts, now: datetime) -> Outcome:
            return self._interpreter.respond_to_risk(state, verdict, "", facts, now, crisis_shown=False)

        self._turn(conversation_id, None, turn)

    def open(self, conversation_id: str) -> tuple[Spoken, ...]:
        """What the patient sees on arriving. Says nothing where a prompt is still waiting on the page."""
        with self._uow() as tx:
            patient = self._patient(tx, conversation_id)
            stored = tx.sitting(patient.id)
        if stored is not None and self._still_asking(stored):
            return ()
        new_id = uuid.uuid4().hex
        return self._turn(conversation_id, None, lambda s, f, now: self._interpreter.open(s, f, now, sitting_id=new_id))

    def _still_asking(self, stored: StoredSitting) -> bool:
        """Whether the page already shows what the patient may answer; a reload then repeats nothing."""
        state = SittingState.from_json(stored.state)
        if state.control is None:
            return False
        if state.status == "paused":
            return state.frame is not None and state.frame.flow == "sitting.resume_offer"
        return bool(state.frames) or self._clock() - stored.updated_at < JUST_CLOSED

    def step_context(self, conversation_id: str) -> StepContext:
        """What the current step asks, for the decision between answer and command."""
        with self._uow() as tx:
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
        with self._uow() as tx:
            due = [tx.patient(patient_id) for patient_id in tx.silent(self._clock())]
        for patient in due:
            if patient is not None:
                self._turn(patient.conversation_id, None, self._interpreter.silence)
        return len(due)

    # --- one turn ---

    def _turn(
        self, conversation_id: str, message_id: str | None, turn: Turn, *, adds: bool = False
    ) -> tuple[Spoken, ...]:
        for attempt in range(4):
            try:
                return self._try_turn(conversation_id, message_id, turn, adds)
            except Conflict:
                if attempt == 3:
                    raise
        raise AssertionError("unreachable")

    def _try_turn(self, conversation_id: str, message_id: str | None, turn: Turn, adds: bool) -> tuple[Spoken, ...]:
        now = self._clock()
        with self._uow() as tx:
            patient = self._patient(tx, conversation_id)
            stored = tx.sitting(patient.id)
            if message_id is not None and stored is not None and stored.last_message_id == message_id and not adds:
                return tuple(_spoken(reply) for reply in tx.replies(message_id) if reply.kind != "crisis")
            state = SittingState.from_json(stored.state) if stored is not None else SittingState()
            outcome = turn(state, self.facts(tx, patient, state, stored, now), now)
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
                self._apply(tx, patient, outcome.state, effect, now)
            tx.put_sitting(
                patient.id,
                outcome.state.as_json(),
                expected_version=stored.version if stored is not None else 0,
                silence_due_at=outcome.state.silence_due_at,
                last_message_id=message_id or (stored.last_message_id if stored is not None else None),
                at=now,
            )
            return tuple(self._store(tx, patient, message_id, utterance, now) for utterance in outcome.say)

    def _store(
        self, tx: Transaction, patient: Patient, message_id: str | None, utterance: Utterance, now: datetime
    ) -> Spoken:
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
                reply_to=message_id,
                created_at=now,
            )
        )
        return Spoken(id=stored.id, utterance=utterance)

    def _apply(self, tx: Transaction, patient: Patient, state: SittingState, effect: Effect, now: datetime) -> None:
        if effect.kind == "save":
            self._save(tx, patient, state, effect.data, now)
        elif effect.kind == "question":
            tx.add_question(patient.id, effect.data["to"], effect.data["text"], now)
        elif effect.kind == "part":
            tx.see_part(patient.id, effect.data["name"], now)
        elif effect.kind in ("staff_answer", "staff_text"):
            alert = restricting_alert(tx, patient.id)
            if alert is not None:
                words = effect.data.get("text")
                detail = {key: value for key, value in effect.data.items() if key != "text"}
                event = AlertEvent(at=now, kind=effect.kind, actor_id=None, detail=detail, words=words)
                tx.add_alert_event(alert.id, event)
        elif effect.kind == "restrict" and effect.data["who"] in ("coach", "all_session_staff") and patient.coach_id:
            barred = tuple(dict.fromkeys((*patient.restricted_staff, patient.coach_id)))
            tx.put_patient(_with(patient, restricted_staff=barred))
        elif effect.kind == "schedule_missing":
            tx.audit("system", "schedule.missing", patient.id, now)

    def _save(
        self, tx: Transaction, patient: Patient, state: SittingState, data: Mapping[str, Any], now: datetime
    ) -> None:
        where = timeline(tx.journeys(patient.id), now=now, time_zone=patient.time_zone)
        hours = where.hours_since_dose(now)
        visibility = Visibility(data["visibility"])
        tx.put_entry(
            Entry(
                id=uuid.uuid4().hex,
                patient_id=patient.id,
                sitting_id=state.sitting_id,
                phase=where.phase.protocol_id,
                visibility=visibility,
                practices=tuple(state.practices),
                lines=tuple(
                    EntryLine(field=row["field"], label=row["label"], step=row["step"], text=row["text"])
                    for row in data["lines"]
                ),
                created_at=now,
                shared_at=now if visibility is Visibility.shared else None,
                hours_since_dose=None if hours is None else int(hours),
                content_version=state.content_version,
                held=bool(patient.restricted_staff and patient.coach_id in patient.restricted_staff),
            )
        )
        tx.audit(f"patient:{patient.id}", f"entry.{visibility.value}", state.sitting_id, now)

    def _patient(self, tx: Transaction, conversation_id: str) -> Patient:
        patient = tx.patient_of_conversation(conversation_id)
        if patient is None:
            raise LookupError("no patient has this conversation")
        return patient

    # --- facts ---

    def slots(self, tx: Transaction, patient: Patient, now: datetime) -> dict[str, str]:
        """The values of protocol 0.2 that come from the clinic and the patient's record."""
        coach = next((m.name for m in tx.staff() if m.id == patient.coach_id), "")
        where = timeline(tx.journeys(patient.id), now=now, time_zone=patient.time_zone)
        parts = tx.parts(patient.id)
        following = where.next_journey_at
        date = "" if following is None else f"{following.astimezone(ZoneInfo(patient.time_zone)):%A, %B %-d}"
        return {
            "first_name": patient.first_name,
            "coach_name": coach,
            "clinic_name": self._clinic.name,
            "clinic_phone": self._clinic.phone,
            "oncall_phone": self._clinic.oncall_phone,
            "clinic_hours": self._clinic.hours,
            "contact_expectation": self._expectation(),
            "phone_masked": f"the number ending in {patient.phone[-2:]}" if patient.phone else "",
            "last_part": parts[0] if parts else "",
            "next_journey_date": date,
        }

    def _expectation(self) -> str:
        name = "covered" if self._clinic.covered else "no_cover"
        text = self._library.texts[f"contact_expectation.{name}"][0][0]
        return fill(text, {"clinic_hours": self._clinic.hours})

    def facts(
        self, tx: Transaction, patient: Patient, state: SittingState, stored: StoredSitting | None, now: datetime
    ) -> Facts:
        """What one turn may know."""
        where = timeline(tx.journeys(patient.id), now=now, time_zone=patient.time_zone)
        entries = [e for e in tx.entries(patient.id) if e.visibility is not Visibility.discarded]
        lines: dict[str, tuple[str, ...]] = {}
        for entry in entries:
            for line in entry.lines:
                lines[line.field] = (*lines.get(line.field, ()), line.text)
        zone = ZoneInfo(patient.time_zone)
        today = now.astimezone(zone).date()
        since = [
            e for e in entries if where.last_dose_ended_at is not None and e.created_at >= where.last_dose_ended_at
        ]
        fields_since = {line.field for entry in since for line in entry.lines}
        step = next(((e, ln) for e in entries for ln in e.lines if ln.field == "step.text"), None)
        alert = restricting_alert(tx, patient.id)
        slots = self.slots(tx, patient, now)
        slots["last_step"] = step[1].text[:120] if step is not None else ""
        slots["last_intention"] = lines.get("intention.text", ("",))[0][:120]
        last = entries[0].created_at if entries else None
        hours_to = None if where.next_journey_at is None else (where.next_journey_at - now).total_seconds() / 3600
        return Facts(
            phase=where.phase,
            slots=slots,
            flags=patient.flags,
            journeys_completed=where.journeys_completed,
            hours_since_dose=where.hours_since_dose(now),
            hours_to_journey=hours_to,
            open_alert=alert.level if alert is not None else Level.none,
            known_parts=tuple(tx.parts(patient.id)[:8]),
            entry_lines=lines,
            open_step_days=None if step is None else (now - step[0].created_at).total_seconds() / 86400,
            recalled_this_journey=bool({"recall.images", "recall.words", "recall.quiet_note"} & fields_since),
            intention_this_journey="intention.text" in lines and where.phase is Phase.before_next,
            sittings_today=len({e.sitting_id for e in entries if e.created_at.astimezone(zone).date() == today}),
            days_since_last=None if last is None else (now - last).total_seconds() / 86400,
        )


def _spoken(message: Message) -> Spoken:
    utterance = Utterance(
        text=message.text, text_id=message.text_id or "", kind=message.kind, small_print=message.small_print
    )
    return Spoken(id=message.id, utterance=utterance)


def _with(patient: Patient, **changes: Any) -> Patient:
    values = {name: getattr(patient, name) for name in patient.__dataclass_fields__}
    return Patient(**(values | changes))
