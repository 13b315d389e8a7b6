"""The coach's desk: the caseload in a few queries, reviews, notes, messages and hand-overs."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, case, exists, func, or_, select

from bot.adapters.sql import tables as t
from bot.adapters.sql.people import PeopleRecords, as_journey
from bot.adapters.sql.programme import as_programme
from bot.core.coaching import CoachMessage, CoachNote, Handover, History, MessageKind, Review
from bot.core.escalation import AlertStatus
from bot.core.journal import Visibility
from bot.core.journeys import Journey
from bot.core.policy import BOUNDARY
from bot.core.programme import Programme
from bot.core.safety.verdict import Level
from bot.services.ports import CaseloadFacts, DigestNotice

EVER = datetime(1970, 1, 1, tzinfo=UTC)


class CoachingRecords(PeopleRecords):
    """People, and the coach's desk over them. None of it opens an entry."""

    def caseload(self, coach_id: int) -> list[CaseloadFacts]:
        own = t.PatientRow.coach_id == coach_id
        reviewed = dict(
            self._s.execute(
                select(t.ReviewRow.patient_id, func.max(t.ReviewRow.at))
                .where(t.ReviewRow.coach_id == coach_id)
                .group_by(t.ReviewRow.patient_id)
            ).all()
        )
        entries, questions = self._shared(coach_id), self._open_questions(coach_id)
        journeys: dict[str, list[Journey]] = defaultdict(list)
        for row in self._s.scalars(select(t.JourneyRow).join(t.PatientRow).where(own)):
            journeys[row.patient_id].append(as_journey(row))
        programmes = {
            row.patient_id: as_programme(row)
            for row in self._s.scalars(select(t.ProgrammeRow).join(t.PatientRow).where(own))
        }
        concern: dict[str, Level] = {}
        alerts = (
            select(t.AlertRow.patient_id, t.AlertRow.level)
            .join(t.PatientRow)
            .where(own, t.AlertRow.status != AlertStatus.resolved.value)
            .where(or_(t.AlertRow.subtype.is_(None), t.AlertRow.subtype != BOUNDARY))
        )
        for patient_id, level in self._s.execute(alerts):
            concern[patient_id] = max(concern.get(patient_id, Level.none), Level[level])
        return [
            CaseloadFacts(
                patient=patient,
                journeys=journeys[patient.id],
                programme=programmes.get(patient.id, Programme(patient_id=patient.id)),
                shared=entries[patient.id][0] if patient.id in entries else 0,
                unread=entries[patient.id][1] if patient.id in entries else 0,
                last_shared_at=entries[patient.id][2] if patient.id in entries else None,
                open_questions=questions.get(patient.id, 0),
                concern=concern.get(patient.id, Level.none),
                reviewed_at=reviewed.get(patient.id),
            )
            for patient in self.patients_of_coach(coach_id)
        ]

    def _shared(self, coach_id: int) -> dict[str, tuple[int, int, datetime | None]]:
        """Patient -> (entries the coach may read, of these unread, when the newest was shared)."""
        until = (
            select(t.ReviewRow.patient_id, func.max(t.ReviewRow.until).label("until"))
            .where(t.ReviewRow.coach_id == coach_id)
            .group_by(t.ReviewRow.patient_id)
            .subquery()
        )
        unread = case((t.EntryRow.shared_at > func.coalesce(until.c.until, EVER), 1), else_=0)
        query = (
            select(t.EntryRow.patient_id, func.count(), func.sum(unread), func.max(t.EntryRow.shared_at))
            .join(t.PatientRow)
            .outerjoin(until, until.c.patient_id == t.EntryRow.patient_id)
            .where(t.PatientRow.coach_id == coach_id, _reaches_coach())
            .group_by(t.EntryRow.patient_id)
        )
        return {patient_id: (n, int(new), newest) for patient_id, n, new, newest in self._s.execute(query)}

    def _open_questions(self, coach_id: int) -> dict[str, int]:
        query = (
            select(t.QuestionRow.patient_id, func.count())
            .outerjoin(t.EntryRow, t.EntryRow.id == t.QuestionRow.entry_id)
            .join(t.PatientRow, t.PatientRow.id == t.QuestionRow.patient_id)
            .where(
                t.PatientRow.coach_id == coach_id,
                t.QuestionRow.status == "open",
                t.QuestionRow.addressee == "coach",
                or_(t.QuestionRow.entry_id.is_(None), _reaches_coach()),
            )
            .group_by(t.QuestionRow.patient_id)
        )
        return dict(self._s.execute(query).all())

    def add_review(self, patient_id: str, review: Review) -> None:
        self._s.add(t.ReviewRow(patient_id=patient_id, coach_id=review.coach_id, until=review.until, at=review.at))

    def reviews(self, patient_id: str) -> list[Review]:
        rows = self._s.scalars(
            select(t.ReviewRow).where(t.ReviewRow.patient_id == patient_id).order_by(t.ReviewRow.id.desc())
        )
        return [Review(coach_id=row.coach_id, until=row.until, at=row.at) for row in rows]

    def put_note(self, note: CoachNote) -> None:
        sealed = self._seal(note.patient_id, f"coach_note/{note.id}", note.text)
        self._s.merge(
            t.CoachNoteRow(id=note.id, patient_id=note.patient_id, coach_id=note.coach_id, sealed=sealed, at=note.at)
        )

    def remove_note(self, note_id: str) -> None:
        row = self._s.get(t.CoachNoteRow, note_id)
        if row is not None:
            self._s.delete(row)

    def notes(self, patient_id: str, coach_id: int) -> list[CoachNote]:
        rows = self._s.scalars(
            select(t.CoachNoteRow)
            .where(t.CoachNoteRow.patient_id == patient_id, t.CoachNoteRow.coach_id == coach_id)
            .order_by(t.CoachNoteRow.at.desc())
        )
        return [
            CoachNote(
                id=row.id,
                patient_id=patient_id,
                coach_id=coach_id,
                text=self._open(patient_id, f"coach_note/{row.id}", row.sealed),
                at=row.at,
            )
            for row in rows
        ]

    def add_coach_message(self, message: CoachMessage) -> None:
        sealed = self._seal(message.patient_id, f"coach_message/{message.id}", message.text)
        self._s.add(
            t.CoachMessageRow(
                id=message.id,
                patient_id=message.patient_id,
                coach_id=message.coach_id,
                kind=message.kind.value,
                sealed=sealed,
                at=message.at,
            )
        )

    def coach_messages(self, patient_id: str) -> list[CoachMessage]:
        rows = self._s.scalars(
            select(t.CoachMessageRow)
            .where(t.CoachMessageRow.patient_id == patient_id)
            .order_by(t.CoachMessageRow.at.desc())
        )
        return [
            CoachMessage(
                id=row.id,
                patient_id=patient_id,
                coach_id=row.coach_id,
                kind=MessageKind(row.kind),
                text=self._open(patient_id, f"coach_message/{row.id}", row.sealed),
                at=row.at,
            )
            for row in rows
        ]

    def put_handover(self, handover: Handover) -> None:
        history = None if handover.history is None else handover.history.value
        self._s.merge(t.HandoverRow(**(vars(handover) | {"history": history})))

    def pending_handover(self, patient_id: str) -> Handover | None:
        row = self._s.scalar(
            select(t.HandoverRow)
            .where(t.HandoverRow.patient_id == patient_id, t.HandoverRow.decided_at.is_(None))
            .order_by(t.HandoverRow.proposed_at.desc())
        )
        if row is None:
            return None
        return Handover(
            id=row.id,
            patient_id=patient_id,
            from_coach=row.from_coach,
            to_coach=row.to_coach,
            proposed_at=row.proposed_at,
            history=None if row.history is None else History(row.history),
        )

    def digest_notices(self, week: str) -> list[DigestNotice]:
        rows = self._s.scalars(select(t.DigestNoticeRow).where(t.DigestNoticeRow.week == week))
        return [_notice(row) for row in rows]

    def owe_digest_notice(self, coach_id: int, week: str, at: datetime, *, needed: bool) -> None:
        sent_at = None if needed else at  # with nothing to read the week is settled at once
        self._s.add(t.DigestNoticeRow(coach_id=coach_id, week=week, attempts=0, due_at=at, sent_at=sent_at))
        self._s.flush()

    def due_digest_notices(self, now: datetime) -> list[DigestNotice]:
        row = t.DigestNoticeRow
        return [
            _notice(found) for found in self._s.scalars(select(row).where(row.sent_at.is_(None), row.due_at <= now))
        ]

    def settle_digest_notice(self, coach_id: int, week: str, *, due_at: datetime, sent_at: datetime | None) -> None:
        row = self._s.get_one(t.DigestNoticeRow, (coach_id, week))
        row.attempts, row.due_at, row.sent_at = row.attempts + 1, due_at, sent_at


def _notice(row: t.DigestNoticeRow) -> DigestNotice:
    return DigestNotice(coach_id=row.coach_id, week=row.week, attempts=row.attempts)


def _reaches_coach() -> Any:
    """bot.core.coaching.reaches_coach, as a condition on entries joined with their patient.

    What the patient asked to remove is out of sight here too.
    """
    return and_(
        ~exists().where(t.DeletionRequestRow.entry_id == t.EntryRow.id),
        t.EntryRow.visibility == Visibility.shared.value,
        t.EntryRow.held.is_(False),
        t.PatientRow.shares_nothing.is_(False),
        or_(t.PatientRow.shares_from.is_(None), t.EntryRow.shared_at >= t.PatientRow.shares_from),
    )
