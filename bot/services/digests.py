"""What a coach may read: the shared entries of own patients and the digest of them. Every read is audited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.coaching import (
    BOUNDARY,
    CoachMessage,
    CoachNote,
    MessageKind,
    Review,
    Session,
    StoredQuestion,
    may_read,
    reaches_coach,
)
from bot.core.digest import build as digest_of
from bot.core.digest.parts import Epoch, parts_map
from bot.core.digest.records import Digest, MedicalQuestion, Question, SafetyEvent, Said, Source
from bot.core.digest.window import WindowChoice, resolve
from bot.core.escalation import Alert, AlertStatus
from bot.core.journal import Entry, Visibility
from bot.core.journeys import Journey, Timeline, timeline
from bot.core.people import Patient, StaffMember
from bot.services.ports import Clock, NotPermitted, Transaction, UnitOfWork

CLOSERS = ("clinical_lead", "medical", "responder", "coach", "administrator")
MOST_USEFUL = WindowChoice()
VIEW = "entries.viewed"  # the audit's name for any look at a patient's shared entries


@dataclass(frozen=True, kw_only=True)
class PatientView:
    """One patient as their coach sees them, or as the patient sees what the coach sees. Entries are newest first."""

    patient: Patient
    where: Timeline
    digest: Digest
    epochs: Sequence[Epoch]
    entries: Sequence[Entry]
    private_count: int
    questions: Sequence[Question]  # of all time
    journeys: Sequence[Journey]
    sessions: Sequence[Session]
    reviews: Sequence[Review]
    notes: Sequence[CoachNote]
    messages: Sequence[CoachMessage]
    names: Mapping[int, str]  # staff by id
    open_alerts: Sequence[Alert]
    made_at: datetime


class DigestService:
    """Reading for coaches, and for patients what their coach can read."""

    def __init__(self, uow: UnitOfWork, clock: Clock, wordings: digest_of.Wordings) -> None:
        self._uow, self._clock, self._wordings = uow, clock, wordings

    def patient_page(
        self, coach: StaffMember, patient_id: str, choice: WindowChoice = MOST_USEFUL, *, page: str = "digest"
    ) -> PatientView:
        """One own patient. Raises NotPermitted for anyone else's; the view is audited with the page's name."""
        now = self._clock()
        with self._uow() as tx:
            patient = tx.patient(patient_id)
            if patient is None or not may_read(coach, patient):
                raise NotPermitted(patient_id)
            tx.audit(f"user:{coach.id}", VIEW, patient_id, now, page=page)
            view = self._view(tx, patient, choice, now)
            return replace(view, notes=tx.notes(patient_id, coach.id))

    def own_page(self, patient_id: str, choice: WindowChoice = MOST_USEFUL) -> PatientView:
        """What the coach can read, for the patient: the same digest, without dates of abuse alerts (protocol 5.1).

        Someone else may be looking at the phone. Raises NotPermitted for an unknown patient.
        """
        with self._uow() as tx:
            patient = tx.patient(patient_id)
            if patient is None:
                raise NotPermitted(patient_id)
            view = self._view(tx, patient, choice, self._clock())
        safety = tuple(event for event in view.digest.safety if "abuse" not in event.categories)
        return replace(view, digest=replace(view.digest, safety=safety), open_alerts=())

    def own_entries(self, patient_id: str) -> list[Entry]:
        """All that a patient kept, newest first."""
        with self._uow() as tx:
            return [e for e in tx.entries(patient_id) if e.visibility is not Visibility.discarded]

    def set_visibility(self, patient_id: str, entry_id: str, visibility: Visibility) -> Entry:
        """Share or unshare an own entry. Raises NotPermitted for another's entry or a discarded one."""
        now = self._clock()
        with self._uow() as tx:
            entry = tx.entry(entry_id)
            if entry is None or entry.patient_id != patient_id or entry.visibility is Visibility.discarded:
                raise NotPermitted(entry_id)
            if visibility not in (Visibility.shared, Visibility.private):
                raise NotPermitted(entry_id)
            shared_at = now if visibility is Visibility.shared else None
            changed = replace(entry, visibility=visibility, shared_at=shared_at)
            tx.put_entry(changed)
            tx.audit(f"patient:{patient_id}", f"entry.{visibility.value}", entry_id, now)
        return changed

    def readers(self, patient_id: str) -> list[tuple[str, str]]:
        """Who read this patient's entries and when: (name, ISO 8601 UTC), oldest first."""
        with self._uow() as tx:
            names = {f"user:{member.id}": member.name for member in tx.staff()}
            views = [fact for fact in tx.audit_of(patient_id) if fact["action"] == VIEW]
            return [(names.get(str(fact["actor"]), "staff"), str(fact["at"])) for fact in views]

    def _view(self, tx: Transaction, patient: Patient, choice: WindowChoice, now: datetime) -> PatientView:
        kept = [entry for entry in tx.entries(patient.id) if entry.visibility is not Visibility.discarded]
        entries = [entry for entry in kept if reaches_coach(patient, entry)]
        closed = [entry for entry in kept if not reaches_coach(patient, entry)]
        journeys, sessions = tx.journeys(patient.id), tx.sessions(patient.id)
        staff = tx.staff()
        alerts = [alert for alert in tx.alerts(patient_id=patient.id) if alert.subtype != BOUNDARY]
        stored, messages = tx.stored_questions(patient.id), tx.coach_messages(patient.id)
        names = {member.id: member.name for member in staff}
        questions = _questions(stored, entries, messages, names)
        where = timeline(journeys, now=now, time_zone=patient.time_zone)
        material = digest_of.Material(
            entries=entries,
            private_at=[entry.created_at for entry in closed],
            questions=questions,
            medical_questions=[
                MedicalQuestion(sent_at=q.at, status=q.status) for q in stored if q.addressee == "medical_team"
            ],
            safety=[_event(alert, staff) for alert in alerts],
            journeys=journeys,
            where=where,
            names=[patient.first_name, patient.last_name, *names.values()],
            zone=patient.time_zone,
        )
        window = resolve(choice, sessions=sessions, journeys=journeys, zone=patient.time_zone, now=now)
        return PatientView(
            patient=patient,
            where=where,
            digest=digest_of.build(material, window, self._wordings, now),
            epochs=parts_map(entries, digest_of.marks(journeys)),
            entries=entries,
            private_count=len(closed),
            questions=questions,
            journeys=sorted(journeys, key=lambda journey: journey.scheduled_at, reverse=True),
            sessions=sessions,
            reviews=tx.reviews(patient.id),
            notes=(),
            messages=messages,
            names=names,
            open_alerts=[alert for alert in alerts if alert.status is not AlertStatus.resolved],
            made_at=now,
        )


def _questions(
    stored: Sequence[StoredQuestion],
    entries: Sequence[Entry],
    messages: Sequence[CoachMessage],
    names: Mapping[int, str],
) -> list[Question]:
    """The questions of the entries that the coach may read, newest first, each tied to its line."""
    answers = {m.question_id: m for m in messages if m.kind is MessageKind.answer}
    readable = {entry.id: entry for entry in entries}
    found = []
    for row in stored:
        entry = readable.get(row.entry_id or "")
        if entry is None or row.status == "withdrawn":
            continue
        place = next((n for n, ln in enumerate(entry.lines) if (ln.field, ln.text) == ("questions", row.text)), None)
        if place is None:
            continue
        source = Source(entry_id=entry.id, step=entry.lines[place].step, line=place, at=entry.created_at)
        answer = answers.get(row.id)
        found.append(
            Question(
                id=row.id,
                said=Said(text=row.text, source=source),
                status=row.status,
                answer=None if answer is None else answer.text,
                answered_by=None if answer is None else names.get(answer.coach_id, "staff"),
                answered_at=None if answer is None else answer.at,
            )
        )
    return found


def _event(alert: Alert, staff: Sequence[StaffMember]) -> SafetyEvent:
    """An alert as a fact: when, what about, how soon, and where it stands."""
    who = alert.resolved_by if alert.status is AlertStatus.resolved else alert.acknowledged_by
    roles = next((member.roles for member in staff if member.id == who), frozenset())
    role = next((name.replace("_", " ") for name in CLOSERS if name in roles), "staff")
    status = {
        AlertStatus.open: "open",
        AlertStatus.acknowledged: f"acknowledged by {role}",
        AlertStatus.resolved: f"closed by {role}",
    }[alert.status]
    return SafetyEvent(at=alert.raised_at, categories=alert.categories, level=alert.level.name, status=status)
