"""Messages, their assessments, and the state of sittings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.adapters.sql import tables as t
from bot.adapters.sql.sealed import Sealed
from bot.core.journal import Message
from bot.core.safety.verdict import Verdict
from bot.services.ports import Conflict, StoredSitting

MESSAGE, ASSESSMENT, SITTING = (t.plain(row) for row in (t.MessageRow, t.AssessmentRow, t.SittingRow))
MESSAGES = select(MESSAGE)
BY_ID = MESSAGES.where(MESSAGE.c.id == bindparam("message"))
OF_CLIENT = MESSAGES.where(MESSAGE.c.patient_id == bindparam("patient"), MESSAGE.c.client_id == bindparam("client"))
REPLIES = MESSAGES.where(MESSAGE.c.reply_to == bindparam("message")).order_by(MESSAGE.c.seq)
OF_PATIENT = MESSAGES.where(MESSAGE.c.patient_id == bindparam("patient"))
NEWEST_FIRST = OF_PATIENT.order_by(MESSAGE.c.seq.desc()).limit(bindparam("most"))
BEFORE = OF_PATIENT.where(MESSAGE.c.seq < bindparam("before")).order_by(MESSAGE.c.seq.desc()).limit(bindparam("most"))
AFTER = OF_PATIENT.where(MESSAGE.c.seq > bindparam("after")).order_by(MESSAGE.c.seq).limit(bindparam("most"))
TEXTS = NEWEST_FIRST.where(MESSAGE.c.sender == "patient", MESSAGE.c.kind == "text")
WAITING = (
    MESSAGES.where(
        MESSAGE.c.sender == "patient", MESSAGE.c.answered_at.is_(None), MESSAGE.c.created_at < bindparam("older_than")
    )
    .order_by(MESSAGE.c.seq)
    .limit(bindparam("most"))
)
WAITING_OF_PATIENT = WAITING.where(MESSAGE.c.patient_id == bindparam("patient"))
ANSWERED = (
    update(MESSAGE)
    .where(MESSAGE.c.id == bindparam("message"), MESSAGE.c.answered_at.is_(None))
    .values(answered_at=bindparam("at"), sitting_id=bindparam("sitting"))
)
VERDICT = select(ASSESSMENT.c.verdict).where(ASSESSMENT.c.message_id == bindparam("message"))
STATE = select(SITTING).where(SITTING.c.patient_id == bindparam("patient"))
MOVED_ON = update(SITTING).where(
    SITTING.c.patient_id == bindparam("patient"), SITTING.c.version == bindparam("expected")
)


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
        row = {
            "id": message.id,
            "patient_id": message.patient_id,
            "client_id": message.client_id,
            "sender": message.sender,
            "kind": message.kind,
            "text_id": message.text_id,
            "reply_to": message.reply_to,
            "sitting_id": message.sitting_id,
            "sealed": self._seal(message.patient_id, f"message/{message.id}", content),
            "created_at": message.created_at,
            "answered_at": message.answered_at,
        }
        self._s.flush()
        try:
            kept: Any = self._s.execute(insert(MESSAGE), row)
        except IntegrityError as error:
            raise Conflict("this message is already kept") from error
        return replace(message, seq=kept.inserted_primary_key.seq)

    def _message(self, row: Any) -> Message:
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
        row = self._row(BY_ID, message=message_id)
        return None if row is None else self._message(row)

    def message_of_client(self, patient_id: str, client_id: str) -> Message | None:
        row = self._row(OF_CLIENT, patient=patient_id, client=client_id)
        return None if row is None else self._message(row)

    def replies(self, message_id: str) -> list[Message]:
        return [self._message(row) for row in self._rows(REPLIES, message=message_id)]

    def messages(self, patient_id: str, *, after: int = 0, before: int | None = None, limit: int = 50) -> list[Message]:
        if before is not None:
            rows = self._rows(BEFORE, patient=patient_id, before=before, most=limit)[::-1]
        elif after:
            rows = self._rows(AFTER, patient=patient_id, after=after, most=limit)
        else:
            rows = self._rows(NEWEST_FIRST, patient=patient_id, most=limit)[::-1]
        return [self._message(row) for row in rows]

    def recent_texts(self, patient_id: str, count: int) -> tuple[str, ...]:
        return tuple(self._message(row).text for row in self._rows(TEXTS, patient=patient_id, most=count))[::-1]

    def mark_answered(self, message_id: str, at: datetime, sitting_id: str | None = None) -> None:
        self._s.execute(ANSWERED, {"message": message_id, "at": at, "sitting": sitting_id})

    def note_try(self, message_id: str) -> int:
        """Count a turn that failed. Returns how many have."""
        row = self._s.scalars(select(t.MessageRow).where(t.MessageRow.id == message_id).with_for_update()).one()
        row.tries += 1
        return row.tries

    def waiting(self, older_than: datetime, limit: int, *, patient_id: str | None = None) -> list[Message]:
        if patient_id is None:
            rows = self._rows(WAITING, older_than=older_than, most=limit)
        else:
            rows = self._rows(WAITING_OF_PATIENT, older_than=older_than, most=limit, patient=patient_id)
        return [self._message(row) for row in rows]

    def add_assessment(self, message_id: str, verdict: Verdict, at: datetime) -> None:
        row = {"message_id": message_id, "level": verdict.level.name, "verdict": verdict.as_json(), "at": at}
        self._s.execute(insert(ASSESSMENT), row)

    def assessment(self, message_id: str) -> Mapping[str, Any] | None:
        row = self._row(VERDICT, message=message_id)
        return None if row is None else row.verdict

    def sitting(self, patient_id: str) -> StoredSitting | None:
        row = self._row(STATE, patient=patient_id)
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
        if expected_version == 0 and self._row(STATE, patient=patient_id) is None:
            try:
                self._s.execute(insert(SITTING), {"patient_id": patient_id, **values})
            except IntegrityError as error:
                raise Conflict("the sitting was begun elsewhere") from error
            return
        moved: Any = self._s.execute(MOVED_ON, {"patient": patient_id, "expected": expected_version, **values})
        if moved.rowcount != 1:
            raise Conflict("the sitting moved on elsewhere")

    def silent(self, now: datetime) -> list[str]:
        return list(self._s.scalars(select(t.SittingRow.patient_id).where(t.SittingRow.silence_due_at <= now)))
