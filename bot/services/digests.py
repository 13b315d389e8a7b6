"""What a coach may read: the shared entries of own patients and the digest of them. Every read is audited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.coaching import CoachMessage, CoachNote, Review, may_read, reaches_coach
from bot.core.digest import build as digest_of
from bot.core.digest.parts import Epoch, parts_map, under_present_names
from bot.core.digest.records import Digest, MedicalQuestion, Question, SafetyEvent, Source
from bot.core.digest.window import WindowChoice, resolve
from bot.core.escalation import Alert, AlertStatus
from bot.core.journal import Entry, Visibility
from bot.core.journal import Question as Asked
from bot.core.journeys import Journey, Timeline
from bot.core.people import Patient, StaffMember
from bot.core.programme import Appointment
from bot.services.facts import where_in_time
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
    sessions: Sequence[Appointment]
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
        aside = tx.deletion_requests(patient.id)
        kept = [e for e in tx.entries(patient.id) if e.visibility is not Visibility.discarded and e.id not in aside]
        entries = [replace(e, lines=e.lines_for_coach) for e in kept if reaches_coach(patient, e)]
        closed = [entry for entry in kept if not reaches_coach(patient, entry)]
        journeys = [journey for journey in tx.journeys(patient.id) if journey.cancelled_at is None]
        sessions = [session for session in tx.appointments(patient.id) if session.cancelled_at is None]
        staff = tx.staff()
        alerts = [alert for alert in tx.alerts(patient_id=patient.id) if not alert.boundary and not alert.drill]
        asked = tx.tracked_questions(patient.id)
        names = {member.id: member.name for member in staff}
        questions = _questions(asked, entries, names)
        where = where_in_time(tx, patient, now)
        named = under_present_names(entries, tx.part_register(patient.id))
        material = digest_of.Material(
            entries=named,
            private_at=[entry.created_at for entry in closed],
            questions=questions,
            medical_questions=[
                MedicalQuestion(sent_at=q.created_at, status=q.status) for q in asked if q.addressee == "medical_team"
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
            epochs=parts_map(named, digest_of.marks(journeys)),
            entries=entries,
            private_count=len(closed),
            questions=questions,
            journeys=sorted(journeys, key=lambda journey: journey.scheduled_at, reverse=True),
            sessions=sessions,
            reviews=tx.reviews(patient.id),
            notes=(),
            messages=tx.coach_messages(patient.id),
            names=names,
            open_alerts=[alert for alert in alerts if alert.status is not AlertStatus.resolved],
            made_at=now,
        )


def _questions(asked: Sequence[Asked], entries: Sequence[Entry], names: Mapping[int, str]) -> list[Question]:
    """The questions to the coach, newest first: those of entries that the coach may read, and those sent by themselves.

    One that stands in such an entry is tied to its line.
    """
    readable = {entry.id: entry for entry in entries}
    return [
        Question(
            id=row.id,
            text=row.text,
            asked_at=row.created_at,
            source=_line(readable.get(row.entry_id or ""), row.text),
            status=row.status,
            answer=row.answer,
            answered_by=None if row.answered_by is None else names.get(row.answered_by, "staff"),
            answered_at=row.answered_at,
        )
        for row in asked
        if row.addressee == "coach" and row.status != "withdrawn" and (row.entry_id is None or row.entry_id in readable)
    ]


def _line(entry: Entry | None, text: str) -> Source | None:
    """Where an entry asks this."""
    if entry is None:
        return None
    place = next((n for n, ln in enumerate(entry.lines) if (ln.field, ln.text) == ("questions", text)), None)
    if place is None:
        return None
    return Source(entry_id=entry.id, step=entry.lines[place].step, line=place, at=entry.created_at)


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
