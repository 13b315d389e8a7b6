"""What a coach does for a patient: reviews, notes, answers, suggestions, switches, dates, hand-over. All audited."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.core.coaching import (
    COACH_SWITCHES,
    MEDICAL_SWITCHES,
    CoachMessage,
    CoachNote,
    Handover,
    History,
    MessageKind,
    Review,
    may_read,
)
from bot.core.flow.content import Library
from bot.core.flow.render import fill
from bot.core.journeys import Journey, Route
from bot.core.people import Patient, StaffMember
from bot.core.privacy import undecided_until
from bot.core.programme import Appointment, SessionKind
from bot.services.facts import where_in_time
from bot.services.handover import propose, settle
from bot.services.ports import Clock, NotPermitted, Transaction, UnitOfWork
from bot.services.requests import RequestService
from bot.services.telling import put_text

MOST_WORDS = 4000  # characters of a note, an answer or a question
NEEDS = {"meet_a_part": "parts_work_ok", "body_tracking": "body_work_ok"}  # practice -> its switch of protocol 1.5


class TooSoon(RuntimeError):
    """Within a day of a dose nothing about sharing is decided (protocol 7.6). Nothing changed; ask again tomorrow."""


class DeskService:
    """Raises NotPermitted throughout for anyone who is not the patient's coach."""

    def __init__(self, uow: UnitOfWork, clock: Clock, library: Library, requests: RequestService) -> None:
        self._uow, self._clock, self._library, self._requests = uow, clock, library, requests

    def own_patient(self, coach: StaffMember, patient_id: str) -> Patient:
        """The coach's own patient."""
        with self._uow() as tx:
            return self._own(tx, coach, patient_id)

    # --- reading marks and notes ---

    def mark_reviewed(self, coach: StaffMember, patient_id: str, until: datetime) -> None:
        """Note that all shared up to `until` was read; what was shared later stays unread."""
        now = self._clock()
        with self._uow() as tx:
            self._own(tx, coach, patient_id)
            tx.add_review(patient_id, Review(coach_id=coach.id, until=min(until, now), at=now))
            tx.audit(f"user:{coach.id}", "entries.reviewed", patient_id, now)

    def write_note(self, coach: StaffMember, patient_id: str, text: str) -> None:
        """Keep a private note; only its author ever reads it. Raises ValueError for one without words or too long."""
        now, words = self._clock(), _words(text)
        with self._uow() as tx:
            self._own(tx, coach, patient_id)
            tx.put_note(CoachNote(id=uuid.uuid4().hex, patient_id=patient_id, coach_id=coach.id, text=words, at=now))
            tx.audit(f"user:{coach.id}", "note.written", patient_id, now)

    def remove_note(self, coach: StaffMember, patient_id: str, note_id: str) -> None:
        """Remove an own note."""
        with self._uow() as tx:
            self._own(tx, coach, patient_id)
            if note_id not in {note.id for note in tx.notes(patient_id, coach.id)}:
                raise NotPermitted(note_id)
            tx.remove_note(note_id)
            tx.audit(f"user:{coach.id}", "note.removed", patient_id, self._clock())

    # --- into the chat ---

    def answer(self, coach: StaffMember, patient_id: str, question_id: str, text: str) -> None:
        """Answer a question of this patient's, by the one way of answering: `RequestService.answer`."""
        with self._uow() as tx:
            self._own(tx, coach, patient_id)
            question = tx.question(question_id)
            if question is None or question.patient_id != patient_id or question.addressee != "coach":
                raise NotPermitted(question_id)
        self._requests.answer(coach, question_id, text)

    def ask(self, coach: StaffMember, patient_id: str, text: str) -> None:
        """Send a question of the coach's own into the chat."""
        words = _words(text)
        with self._uow() as tx:
            self._send(tx, coach, self._own(tx, coach, patient_id), MessageKind.question, words)

    def practices(self, patient: Patient) -> dict[str, str]:
        """Practices that can be suggested to this patient: id -> the patient's name for it. Switches hide some."""
        off = {name for name, switch in NEEDS.items() if not patient.flags.get(switch)}
        return {
            flow.id: flow.label
            for flow in self._library.flows.values()
            if flow.kind == "practice" and flow.phases and flow.id not in {"arrive", "closing", *off}
        }

    def suggest(self, coach: StaffMember, patient_id: str, practice: str) -> None:
        """Suggest a practice. The patient chooses it, or not; the gates of protocol 3.0 hold as ever."""
        with self._uow() as tx:
            patient = self._own(tx, coach, patient_id)
            if practice not in self.practices(patient):
                raise ValueError("This practice cannot be suggested to this patient now; nothing was sent.")
            self._send(tx, coach, patient, MessageKind.practice, practice)

    def _send(self, tx: Transaction, coach: StaffMember, patient: Patient, kind: MessageKind, words: str) -> None:
        now = self._clock()
        tx.add_coach_message(
            CoachMessage(id=uuid.uuid4().hex, patient_id=patient.id, coach_id=coach.id, kind=kind, text=words, at=now)
        )
        shown = self._library.flows[words].label if kind is MessageKind.practice else words
        text_id = f"coach.{kind.value}"
        opening = self.text(text_id, coach.name)
        put_text(tx, patient.id, text_id, f"{opening}\n\n{shown}", now, kind="notice", sender="staff")
        tx.audit(f"user:{coach.id}", text_id, patient.id, now)

    def text(self, text_id: str, coach_name: str) -> str:
        """One of the authored lines of data/sitting/coach.yml."""
        return fill(self._library.texts[text_id][0][0], {"coach_name": coach_name})

    # --- switches and dates ---

    def set_switches(self, coach: StaffMember, patient_id: str, switches: Mapping[str, bool]) -> None:
        """Set switches of protocol 1.5; cool water is the medical team's. Raises ValueError for any other."""
        allowed = {*COACH_SWITCHES, *(MEDICAL_SWITCHES if "medical" in coach.roles else ())}
        if not set(switches) <= allowed:
            raise ValueError("One of these switches is not yours to set; nothing was changed.")
        now = self._clock()
        with self._uow() as tx:
            patient = self._own(tx, coach, patient_id)
            changed = {name: value for name, value in switches.items() if patient.flags.get(name) is not value}
            if changed:
                tx.put_patient(replace(patient, flags={**patient.flags, **changed}))
                tx.audit(f"user:{coach.id}", "patient.flags", patient_id, now, flags=changed)

    def put_journey(
        self,
        coach: StaffMember,
        patient_id: str,
        *,
        route: Route,
        scheduled_at: datetime,
        attended_by: str = "",
        dose_ended_at: datetime | None = None,
        discharged_at: datetime | None = None,
        journey_id: str | None = None,
    ) -> Journey:
        """Plan a journey, or correct one. Raises ValueError for times that cannot follow one another."""
        if dose_ended_at is not None and dose_ended_at < scheduled_at:
            raise ValueError("The end of the dose lies before the journey's start; nothing was changed.")
        if discharged_at is not None and (dose_ended_at is None or discharged_at < dose_ended_at):
            raise ValueError("Going home comes after the end of the dose; nothing was changed.")
        now = self._clock()
        with self._uow() as tx:
            self._own(tx, coach, patient_id)
            known = {journey.id: journey for journey in tx.journeys(patient_id)}
            if journey_id is not None and journey_id not in known:
                raise NotPermitted(journey_id)
            planned = Journey(
                id=journey_id or uuid.uuid4().hex, patient_id=patient_id, route=route, scheduled_at=scheduled_at
            )
            journey = replace(
                known.get(planned.id, planned),
                route=route,
                scheduled_at=scheduled_at,
                attended_by=attended_by,
                dose_ended_at=dose_ended_at,
                discharged_at=discharged_at,
            )
            tx.put_journey(journey)
            tx.audit(f"user:{coach.id}", "journey.scheduled", patient_id, now, journey=journey.id)
        return journey

    def put_session(self, coach: StaffMember, patient_id: str, kind: SessionKind, at: datetime) -> Appointment:
        """Put a session with the coach on the patient's calendar, past or to come."""
        session = Appointment(id=uuid.uuid4().hex, patient_id=patient_id, kind=kind, at=at, with_whom=coach.name)
        with self._uow() as tx:
            self._own(tx, coach, patient_id)
            tx.put_appointment(session)
            tx.audit(f"user:{coach.id}", "session.scheduled", patient_id, self._clock(), session=session.id)
        return session

    # --- change of coach ---

    def coach_name(self, patient: Patient) -> str:
        """The name of the patient's coach, or nothing where there is none."""
        with self._uow() as tx:
            return next((member.name for member in tx.staff() if member.id == patient.coach_id), "")

    def colleagues(self, coach: StaffMember, patient: Patient) -> list[StaffMember]:
        """Coaches to whom this patient may be handed over."""
        with self._uow() as tx:
            return [
                member
                for member in tx.staff()
                if "coach" in member.roles and member.id != coach.id and member.id not in patient.restricted_staff
            ]

    def propose_handover(self, coach: StaffMember, patient_id: str, to_coach: int) -> Handover | None:
        """Propose a new coach. The patient is told and chooses; until then nothing changes. A newer proposal wins."""
        with self._uow.reading() as tx:
            patient = self._own(tx, coach, patient_id)
        if to_coach not in {m.id for m in self.colleagues(coach, patient)}:
            raise NotPermitted(str(to_coach))
        return self.change_coach(patient_id, to_coach, f"user:{coach.id}")

    def change_coach(self, patient_id: str, to_coach: int, by: str) -> Handover | None:
        """Propose a coach in the clinic's name, `by` on record. Raises NotPermitted for unknown people."""
        now = self._clock()
        with self._uow() as tx:
            patient = tx.patient(patient_id)
            new = next((m for m in tx.staff() if m.id == to_coach and "coach" in m.roles), None)
            if patient is None or patient.erased_at is not None or new is None:
                raise NotPermitted(patient_id)
            handover = propose(tx, patient, to_coach, by, now)
            if handover is not None:
                text_id = "coach.new_coach_notice"
                put_text(tx, patient_id, text_id, self.text(text_id, new.name), now, kind="notice")
        return handover

    def pending_handover(self, patient_id: str) -> tuple[Handover, str] | None:
        """The proposal that waits for the patient's choice, and the new coach's name."""
        with self._uow() as tx:
            handover = tx.pending_handover(patient_id)
            if handover is None:
                return None
            return handover, next((m.name for m in tx.staff() if m.id == handover.to_coach), "")

    def choose_history(self, patient_id: str, history: History) -> None:
        """The patient's choice: a waiting new coach takes over, and the coach reads what was chosen.

        Without a proposal it changes an earlier choice. Raises TooSoon, or NotPermitted with nothing to choose.
        """
        now = self._clock()
        with self._uow() as tx:
            patient = tx.patient(patient_id)
            if patient is None:
                raise NotPermitted(patient_id)
            if undecided_until(where_in_time(tx, patient, now), now) is not None:
                raise TooSoon
            if not settle(tx, patient, history, now):
                raise NotPermitted(patient_id)

    def _own(self, tx: Transaction, coach: StaffMember, patient_id: str) -> Patient:
        patient = tx.patient(patient_id)
        if patient is None or not may_read(coach, patient):
            raise NotPermitted(patient_id)
        return patient


def _words(text: str) -> str:
    words = text.strip()
    if not words:
        raise ValueError("There were no words in it yet; nothing was kept.")
    if len(words) > MOST_WORDS:
        raise ValueError(f"That is longer than {MOST_WORDS} characters; nothing was kept. Please shorten it.")
    return words
