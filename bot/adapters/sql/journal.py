"""Entries, questions, parts, ended sittings, requests to remove, and the plan for staying safe."""

from __future__ import annotations

import uuid
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, bindparam, delete, or_, select

from bot.adapters.sql import tables as t
from bot.adapters.sql.sealed import Sealed
from bot.core.journal import Entry, EntryLine, Question, Visibility
from bot.core.parts import Part
from bot.core.patterns import SittingRecord

ENTRY, PART, RECORD = (t.plain(row) for row in (t.EntryRow, t.PartRow, t.SittingRecordRow))
DELETION, PLAN = (t.plain(row) for row in (t.DeletionRequestRow, t.SafetyPlanRow))
OWNER: BindParameter[str] = bindparam("patient")
ENTRIES = select(ENTRY).where(ENTRY.c.patient_id == OWNER).order_by(ENTRY.c.created_at.desc())
PARTS = select(PART).where(PART.c.patient_id == OWNER).order_by(PART.c.last_seen.desc())
RECORDS = select(RECORD).where(RECORD.c.patient_id == OWNER).order_by(RECORD.c.ended_at.desc()).limit(bindparam("most"))
DELETIONS = select(DELETION).where(DELETION.c.patient_id == OWNER)
SAFETY_PLAN = select(PLAN.c.sealed).where(PLAN.c.patient_id == OWNER)


class JournalRecords(Sealed):
    """Entries, questions, parts, ended sittings and requests to remove."""

    def put_entry(self, entry: Entry) -> None:
        lines = [asdict(line) for line in entry.lines]
        self._s.merge(
            t.EntryRow(
                id=entry.id,
                patient_id=entry.patient_id,
                sitting_id=entry.sitting_id,
                phase=entry.phase,
                visibility=entry.visibility.value,
                practices=list(entry.practices),
                hours_since_dose=entry.hours_since_dose,
                content_version=entry.content_version,
                held=entry.held,
                sealed_lines=self._seal(entry.patient_id, f"entry/{entry.id}", lines),
                created_at=entry.created_at,
                shared_at=entry.shared_at,
            )
        )
        self._s.flush()
        self._follow(entry)

    def _follow(self, entry: Entry) -> None:
        """Let the questions of an entry follow it to the coach: open while it is shared as it reads, else withdrawn.

        Done with every write of an entry, so that no way of changing one can leave a question behind. What the
        patient sent by itself, in the same words, is not asked twice.
        """
        if entry.visibility is Visibility.discarded:
            self._s.execute(delete(t.QuestionRow).where(t.QuestionRow.entry_id == entry.id))
        shared = entry.visibility is Visibility.shared and not entry.held
        asked = [line.text for line in entry.lines if line.field == "questions"] if shared else []
        alone, own = t.QuestionRow.entry_id.is_(None), t.QuestionRow.entry_id == entry.id
        near = select(t.QuestionRow).where(t.QuestionRow.patient_id == entry.patient_id, or_(alone, own))
        questions = [self._question(row) for row in self._s.scalars(near)]
        for question in questions:
            if question.entry_id == entry.id and question.status != "answered":
                status = "open" if question.text in asked else "withdrawn"
                self.put_question(replace(question, status=status))
        known = {question.text for question in questions}
        for text in dict.fromkeys(asked):
            if text not in known:
                self.add_question(entry.patient_id, "coach", text, entry.created_at, entry_id=entry.id)

    def _entry(self, row: Any) -> Entry:
        lines = self._open(row.patient_id, f"entry/{row.id}", row.sealed_lines)
        return Entry(
            id=row.id,
            patient_id=row.patient_id,
            sitting_id=row.sitting_id,
            phase=row.phase,
            visibility=Visibility(row.visibility),
            practices=tuple(row.practices),
            lines=tuple(EntryLine(**line) for line in lines),
            created_at=row.created_at,
            shared_at=row.shared_at,
            hours_since_dose=row.hours_since_dose,
            content_version=row.content_version,
            held=row.held,
        )

    def entry(self, entry_id: str) -> Entry | None:
        row = self._s.get(t.EntryRow, entry_id)
        return None if row is None else self._entry(row)

    def entries(self, patient_id: str) -> list[Entry]:
        return [self._entry(row) for row in self._rows(ENTRIES, patient=patient_id)]

    def add_question(
        self,
        patient_id: str,
        addressee: str,
        text: str,
        at: datetime,
        *,
        kind: str = "question",
        entry_id: str | None = None,
    ) -> None:
        self.put_question(
            Question(
                id=uuid.uuid4().hex,
                patient_id=patient_id,
                addressee=addressee,
                text=text,
                created_at=at,
                kind=kind,
                entry_id=entry_id,
            )
        )

    def put_question(self, question: Question) -> None:
        place = f"question/{question.id}"
        answer = question.answer
        self._s.merge(
            t.QuestionRow(
                id=question.id,
                patient_id=question.patient_id,
                addressee=question.addressee,
                kind=question.kind,
                status=question.status,
                sealed=self._seal(question.patient_id, place, question.text),
                sealed_answer=None if answer is None else self._seal(question.patient_id, f"{place}/answer", answer),
                created_at=question.created_at,
                answered_at=question.answered_at,
                answered_by=question.answered_by,
                entry_id=question.entry_id,
            )
        )
        self._s.flush()

    def _question(self, row: t.QuestionRow) -> Question:
        place, sealed = f"question/{row.id}", row.sealed_answer
        return Question(
            id=row.id,
            patient_id=row.patient_id,
            addressee=row.addressee,
            kind=row.kind,
            status=row.status,
            text=self._open(row.patient_id, place, row.sealed),
            answer=None if sealed is None else self._open(row.patient_id, f"{place}/answer", sealed),
            created_at=row.created_at,
            answered_at=row.answered_at,
            answered_by=row.answered_by,
            entry_id=row.entry_id,
        )

    def question(self, question_id: str) -> Question | None:
        row = self._s.get(t.QuestionRow, question_id, with_for_update=True)
        return None if row is None else self._question(row)

    def tracked_questions(self, patient_id: str) -> list[Question]:
        own = select(t.QuestionRow).where(t.QuestionRow.patient_id == patient_id)
        return [self._question(row) for row in self._s.scalars(own.order_by(t.QuestionRow.created_at.desc()))]

    def open_questions(self) -> list[Question]:
        query = select(t.QuestionRow).where(t.QuestionRow.status == "open").order_by(t.QuestionRow.created_at)
        return [self._question(row) for row in self._s.scalars(query)]

    def questions(self, patient_id: str) -> list[tuple[str, str, str, datetime]]:
        return [(q.addressee, q.status, q.text, q.created_at) for q in self.tracked_questions(patient_id)]

    def _part(self, row: Any) -> Part:
        place = f"part/{row.id}"
        earlier = (
            () if row.sealed_aliases is None else self._open(row.patient_id, f"{place}/aliases", row.sealed_aliases)
        )
        return Part(
            id=row.id,
            patient_id=row.patient_id,
            names=(self._open(row.patient_id, place, row.sealed_name), *earlier),
            times=row.times,
            first_seen=row.first_seen,
            last_seen=row.last_seen,
        )

    def put_plan_line(self, patient_id: str, line: str, text: str, at: datetime) -> None:
        lines = self.safety_plan(patient_id) | {line: text}
        sealed = self._seal(patient_id, f"safety_plan/{patient_id}", lines)
        self._s.merge(t.SafetyPlanRow(patient_id=patient_id, sealed=sealed, updated_at=at))
        self._s.flush()

    def safety_plan(self, patient_id: str) -> dict[str, str]:
        row = self._row(SAFETY_PLAN, patient=patient_id)
        return {} if row is None else self._open(patient_id, f"safety_plan/{patient_id}", row.sealed)

    def see_part(self, patient_id: str, name: str, at: datetime) -> None:
        for part in self.part_register(patient_id):
            if part.is_called(name):
                row = self._s.get_one(t.PartRow, part.id)
                row.times, row.last_seen = row.times + 1, at
                return
        part_id = uuid.uuid4().hex
        sealed = self._seal(patient_id, f"part/{part_id}", name.strip())
        self._s.add(t.PartRow(id=part_id, patient_id=patient_id, sealed_name=sealed, first_seen=at, last_seen=at))

    def part_register(self, patient_id: str) -> list[Part]:
        return [self._part(row) for row in self._rows(PARTS, patient=patient_id)]

    def parts(self, patient_id: str) -> list[str]:
        return [part.names[0] for part in self.part_register(patient_id)]

    def merge_parts(self, kept: Part, gone: Part) -> None:
        row = self._s.get_one(t.PartRow, kept.id)
        earlier = [*kept.names[1:], *gone.names]
        row.sealed_aliases = self._seal(kept.patient_id, f"part/{kept.id}/aliases", earlier)
        row.times += gone.times
        row.first_seen, row.last_seen = min(kept.first_seen, gone.first_seen), max(kept.last_seen, gone.last_seen)
        self._s.delete(self._s.get_one(t.PartRow, gone.id))

    def add_sitting_record(self, record: SittingRecord) -> None:
        facts = asdict(record)
        known = {name: facts.pop(name) for name in ("id", "patient_id", "began_at", "ended_at")}
        sealed = self._seal(record.patient_id, f"sitting_record/{record.id}", facts)
        self._s.merge(t.SittingRecordRow(**known, sealed=sealed))

    def sitting_records(self, patient_id: str, limit: int) -> list[SittingRecord]:
        return [self._record(row) for row in self._rows(RECORDS, patient=patient_id, most=limit)]

    def _record(self, row: Any) -> SittingRecord:
        facts = self._open(row.patient_id, f"sitting_record/{row.id}", row.sealed)
        facts["practices"] = tuple(facts["practices"])
        return SittingRecord(
            id=row.id, patient_id=row.patient_id, began_at=row.began_at, ended_at=row.ended_at, **facts
        )

    def request_deletion(self, patient_id: str, entry_id: str, at: datetime) -> None:
        self._s.merge(t.DeletionRequestRow(entry_id=entry_id, patient_id=patient_id, requested_at=at))

    def deletion_requests(self, patient_id: str) -> dict[str, datetime]:
        return {row.entry_id: row.requested_at for row in self._rows(DELETIONS, patient=patient_id)}

    def drop_deletion_request(self, entry_id: str) -> None:
        self._s.execute(delete(t.DeletionRequestRow).where(t.DeletionRequestRow.entry_id == entry_id))
