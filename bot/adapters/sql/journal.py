"""Entries, questions and parts."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import select

from bot.adapters.sql import tables as t
from bot.adapters.sql.sealed import Sealed
from bot.core.journal import Entry, EntryLine, Visibility


class JournalRecords(Sealed):
    """Entries, questions and parts."""

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
        """Let the questions to the coach follow their entry: open while it is shared as it now reads, else withdrawn.

        Done with every write of an entry, so that no way of changing one can leave a question behind.
        """
        shared = entry.visibility is Visibility.shared and not entry.held
        asked = [line.text for line in entry.lines if line.field == "questions"] if shared else []
        rows = self._s.scalars(select(t.QuestionRow).where(t.QuestionRow.entry_id == entry.id)).all()
        known = {row.id: self._open(entry.patient_id, f"question/{row.id}", row.sealed) for row in rows}
        for row in rows:
            if row.status != "answered":
                row.status = "open" if known[row.id] in asked else "withdrawn"
        for text in asked:
            if text not in known.values():
                self.add_question(entry.patient_id, "coach", text, entry.created_at, entry_id=entry.id)

    def _entry(self, row: t.EntryRow) -> Entry:
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
        query = select(t.EntryRow).where(t.EntryRow.patient_id == patient_id).order_by(t.EntryRow.created_at.desc())
        return [self._entry(row) for row in self._s.scalars(query)]

    def add_question(
        self, patient_id: str, addressee: str, text: str, at: datetime, *, entry_id: str | None = None
    ) -> None:
        question_id = uuid.uuid4().hex
        sealed = self._seal(patient_id, f"question/{question_id}", text)
        self._s.add(
            t.QuestionRow(
                id=question_id,
                patient_id=patient_id,
                addressee=addressee,
                entry_id=entry_id,
                sealed=sealed,
                created_at=at,
            )
        )

    def questions(self, patient_id: str) -> list[tuple[str, str, str, datetime]]:
        query = (
            select(t.QuestionRow)
            .where(t.QuestionRow.patient_id == patient_id)
            .order_by(t.QuestionRow.created_at.desc())
        )
        return [
            (row.addressee, row.status, self._open(patient_id, f"question/{row.id}", row.sealed), row.created_at)
            for row in self._s.scalars(query)
        ]

    def see_part(self, patient_id: str, name: str, at: datetime) -> None:
        for row in self._s.scalars(select(t.PartRow).where(t.PartRow.patient_id == patient_id)):
            if self._open(patient_id, f"part/{row.id}", row.sealed_name).casefold() == name.casefold():
                row.times, row.last_seen = row.times + 1, at
                return
        part_id = uuid.uuid4().hex
        sealed = self._seal(patient_id, f"part/{part_id}", name)
        self._s.add(t.PartRow(id=part_id, patient_id=patient_id, sealed_name=sealed, first_seen=at, last_seen=at))

    def parts(self, patient_id: str) -> list[str]:
        query = select(t.PartRow).where(t.PartRow.patient_id == patient_id).order_by(t.PartRow.last_seen.desc())
        return [self._open(patient_id, f"part/{row.id}", row.sealed_name) for row in self._s.scalars(query)]
