"""Messages, their assessments, and the state of sittings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from bot.adapters.sql import tables as t
from bot.adapters.sql.sealed import Sealed
from bot.core.journal import Message
from bot.core.safety.verdict import Verdict
from bot.services.ports import Conflict, StoredSitting


class ConversationRecords(Sealed):
    """Messages, their assessments, and the state of sittings."""

    def add_message(self, message: Message) -> Message:
        content = {
            "text": message.text,
            "control": message.control,
            "small_print": message.small_print,
            "payload": message.payload,
            "links": list(message.links),
        }
        row = t.MessageRow(
            id=message.id,
            patient_id=message.patient_id,
            client_id=message.client_id,
            sender=message.sender,
            kind=message.kind,
            text_id=message.text_id,
            reply_to=message.reply_to,
            sitting_id=message.sitting_id,
            sealed=self._seal(message.patient_id, f"message/{message.id}", content),
            created_at=message.created_at,
            answered_at=message.answered_at,
        )
        self._s.add(row)
        try:
            self._s.flush()
        except IntegrityError as error:
            raise Conflict("this message is already kept") from error
        return replace(message, seq=row.seq)

    def _message(self, row: t.MessageRow) -> Message:
        content = self._open(row.patient_id, f"message/{row.id}", row.sealed)
        return Message(
            id=row.id,
            seq=row.seq,
            patient_id=row.patient_id,
            client_id=row.client_id,
            sender=row.sender,
            kind=row.kind,
            text_id=row.text_id,
            reply_to=row.reply_to,
            created_at=row.created_at,
            answered_at=row.answered_at,
            sitting_id=row.sitting_id,
            **content,
        )

    def message(self, message_id: str) -> Message | None:
        row = self._s.scalar(select(t.MessageRow).where(t.MessageRow.id == message_id))
        return None if row is None else self._message(row)

    def message_of_client(self, patient_id: str, client_id: str) -> Message | None:
        same = (t.MessageRow.patient_id == patient_id, t.MessageRow.client_id == client_id)
        row = self._s.scalar(select(t.MessageRow).where(*same))
        return None if row is None else self._message(row)

    def replies(self, message_id: str) -> list[Message]:
        query = select(t.MessageRow).where(t.MessageRow.reply_to == message_id).order_by(t.MessageRow.seq)
        return [self._message(row) for row in self._s.scalars(query)]

    def messages(self, patient_id: str, *, after: int = 0, before: int | None = None, limit: int = 50) -> list[Message]:
        query = select(t.MessageRow).where(t.MessageRow.patient_id == patient_id)
        if before is not None:
            query = query.where(t.MessageRow.seq < before)
            rows = list(self._s.scalars(query.order_by(t.MessageRow.seq.desc()).limit(limit)))[::-1]
        elif after:
            rows = list(self._s.scalars(query.where(t.MessageRow.seq > after).order_by(t.MessageRow.seq).limit(limit)))
        else:
            rows = list(self._s.scalars(query.order_by(t.MessageRow.seq.desc()).limit(limit)))[::-1]
        return [self._message(row) for row in rows]

    def recent_texts(self, patient_id: str, count: int) -> tuple[str, ...]:
        query = (
            select(t.MessageRow)
            .where(t.MessageRow.patient_id == patient_id, t.MessageRow.sender == "patient", t.MessageRow.kind == "text")
            .order_by(t.MessageRow.seq.desc())
            .limit(count)
        )
        return tuple(self._message(row).text for row in self._s.scalars(query))[::-1]

    def mark_answered(self, message_id: str, at: datetime, sitting_id: str | None = None) -> None:
        unanswered = (t.MessageRow.id == message_id, t.MessageRow.answered_at.is_(None))
        self._s.execute(update(t.MessageRow).where(*unanswered).values(answered_at=at, sitting_id=sitting_id))

    def note_try(self, message_id: str) -> int:
        """Count a turn that failed. Returns how many have."""
        row = self._s.scalars(select(t.MessageRow).where(t.MessageRow.id == message_id).with_for_update()).one()
        row.tries += 1
        return row.tries

    def waiting(self, older_than: datetime, limit: int, *, patient_id: str | None = None) -> list[Message]:
        query = select(t.MessageRow).where(
            t.MessageRow.sender == "patient",
            t.MessageRow.answered_at.is_(None),
            t.MessageRow.created_at < older_than,
        )
        if patient_id is not None:
            query = query.where(t.MessageRow.patient_id == patient_id)
        return [self._message(row) for row in self._s.scalars(query.order_by(t.MessageRow.seq).limit(limit))]

    def add_assessment(self, message_id: str, verdict: Verdict, at: datetime) -> None:
        row = t.AssessmentRow(message_id=message_id, level=verdict.level.name, verdict=verdict.as_json(), at=at)
        self._s.add(row)

    def assessment(self, message_id: str) -> Mapping[str, Any] | None:
        row = self._s.get(t.AssessmentRow, message_id)
        return None if row is None else row.verdict

    def sitting(self, patient_id: str) -> StoredSitting | None:
        row = self._s.get(t.SittingRow, patient_id)
        if row is None:
            return None
        return StoredSitting(
            state=self._open(patient_id, f"sitting/{patient_id}", row.sealed_state),
            version=row.version,
            last_message_id=row.last_message_id,
            updated_at=row.updated_at,
        )

    def put_sitting(
        self,
        patient_id: str,
        state: Mapping[str, Any],
        *,
        expected_version: int,
        silence_due_at: datetime | None,
        last_message_id: str | None,
        at: datetime,
    ) -> None:
        values = {
            "version": expected_version + 1,
            "sealed_state": self._seal(patient_id, f"sitting/{patient_id}", state),
            "silence_due_at": silence_due_at,
            "last_message_id": last_message_id,
            "updated_at": at,
        }
        if expected_version == 0 and self._s.get(t.SittingRow, patient_id) is None:
            self._s.add(t.SittingRow(patient_id=patient_id, **values))
            try:
                self._s.flush()
            except IntegrityError as error:
                raise Conflict("the sitting was begun elsewhere") from error
            return
        unchanged = (t.SittingRow.patient_id == patient_id, t.SittingRow.version == expected_version)
        if not self._changed(update(t.SittingRow).where(*unchanged).values(**values)):
            raise Conflict("the sitting moved on elsewhere")

    def silent(self, now: datetime) -> list[str]:
        return list(self._s.scalars(select(t.SittingRow.patient_id).where(t.SittingRow.silence_due_at <= now)))
