"""What a coach may read: the shared entries of own patients, in the patient's words. Every read is audited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.journal import Entry, Visibility
from bot.core.journeys import Timeline
from bot.core.people import Patient, StaffMember
from bot.core.safety.verdict import Level
from bot.services.facts import where_in_time
from bot.services.ports import Clock, NotPermitted, Transaction, UnitOfWork


@dataclass(frozen=True, kw_only=True)
class CaseloadRow:
    """One patient in a coach's list. `last_shared_at` is None before the first shared entry."""

    patient: Patient
    where: Timeline
    days_since_journey: int | None
    shared: int
    last_shared_at: datetime | None
    open_questions: int
    concern: Level


@dataclass(frozen=True, kw_only=True)
class PatientPage:
    """What a coach sees of one patient: shared entries, newest first, and the questions meant for the coach."""

    patient: Patient
    where: Timeline
    entries: Sequence[Entry]
    private_count: int
    questions: Sequence[tuple[str, str, str, datetime]]


class DigestService:
    """Reading for coaches, and a patient's own entries."""

    def __init__(self, uow: UnitOfWork, clock: Clock) -> None:
        self._uow, self._clock = uow, clock

    def caseload(self, coach: StaffMember) -> list[CaseloadRow]:
        """Own patients, by first name. Raises NotPermitted for anyone who is not a coach."""
        if "coach" not in coach.roles:
            raise NotPermitted(str(coach.id))
        with self._uow() as tx:
            rows = [self._row(tx, p) for p in tx.patients_of_coach(coach.id) if coach.id not in p.restricted_staff]
        return sorted(rows, key=lambda row: row.patient.first_name)

    def patient_page(self, coach: StaffMember, patient_id: str) -> PatientPage:
        """One own patient's shared entries. Raises NotPermitted for anyone else's patient; the view is audited."""
        now = self._clock()
        with self._uow() as tx:
            patient = tx.patient(patient_id)
            if (
                patient is None
                or "coach" not in coach.roles
                or patient.coach_id != coach.id
                or coach.id in patient.restricted_staff
            ):
                raise NotPermitted(patient_id)
            entries = tx.entries(patient_id)
            tx.audit(f"user:{coach.id}", "entries.viewed", patient_id, now)
            return PatientPage(
                patient=patient,
                where=where_in_time(tx, patient, now),
                entries=[
                    replace(e, lines=e.lines_for_coach)
                    for e in entries
                    if e.visibility is Visibility.shared and not e.held
                ],
                private_count=sum(e.visibility in (Visibility.private, Visibility.draft) for e in entries),
                questions=[q for q in tx.questions(patient_id) if q[0] == "coach"],
            )

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
            views = [fact for fact in tx.audit_of(patient_id) if fact["action"] == "entries.viewed"]
            return [(names.get(str(fact["actor"]), "staff"), str(fact["at"])) for fact in views]

    def _row(self, tx: Transaction, patient: Patient) -> CaseloadRow:
        now = self._clock()
        where = where_in_time(tx, patient, now)
        shared = [e for e in tx.entries(patient.id) if e.visibility is Visibility.shared and not e.held]
        hours = where.hours_since_dose(now)
        alerts = [a for a in tx.alerts(patient_id=patient.id, unresolved=True) if not a.boundary]
        return CaseloadRow(
            patient=patient,
            where=where,
            days_since_journey=None if hours is None else int(hours // 24),
            shared=len(shared),
            last_shared_at=max((e.shared_at for e in shared if e.shared_at), default=None),
            open_questions=sum(q[0] == "coach" and q[1] == "open" for q in tx.questions(patient.id)),
            concern=max((alert.level for alert in alerts), default=Level.none),
        )
