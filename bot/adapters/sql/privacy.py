"""Consent with its versions, requests to delete, erasure, retention and patients' wrapped keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, bindparam, func, select

from bot.adapters.sql import erasure
from bot.adapters.sql import tables as t
from bot.adapters.sql.sealed import Sealed
from bot.core.privacy import Consent, DeletionRequest

COUNTED: Mapping[str, Any] = {
    "messages": t.MessageRow,
    "entries": t.EntryRow,
    "questions": t.QuestionRow,
    "parts": t.PartRow,
    "consents": t.ConsentRow,
    "alerts": t.AlertRow,
}

CONSENT, MESSAGE = t.plain(t.ConsentRow), t.plain(t.MessageRow)
OWNER: BindParameter[str] = bindparam("patient")
CONSENTS = select(CONSENT).where(CONSENT.c.patient_id == OWNER).order_by(CONSENT.c.id)
NEWEST = select(MESSAGE.c.created_at).where(MESSAGE.c.patient_id == OWNER).order_by(MESSAGE.c.seq.desc()).limit(1)
WRITTEN = NEWEST.where(MESSAGE.c.sender == "patient")
WRITTEN_BEFORE = WRITTEN.where(MESSAGE.c.seq < bindparam("before"))
SAID = NEWEST.where(MESSAGE.c.text_id.in_(bindparam("texts", expanding=True)))


class PrivacyRecords(Sealed):
    """Consent with its versions, requests to delete, erasure, retention and patients' wrapped keys."""

    def consent_records(self, patient_id: str) -> list[Consent]:
        return [
            Consent(text_id=row.text_id, answer=row.answer, version=row.content_version, at=row.at)
            for row in self._rows(CONSENTS, patient=patient_id)
        ]

    def last_written_at(self, patient_id: str) -> datetime | None:
        return _moment(self._row(WRITTEN, patient=patient_id))

    def written_before(self, patient_id: str, seq: int) -> datetime | None:
        return _moment(self._row(WRITTEN_BEFORE, patient=patient_id, before=seq))

    def last_said(self, patient_id: str, text_ids: Sequence[str]) -> datetime | None:
        return _moment(self._row(SAID, patient=patient_id, texts=text_ids))

    def add_deletion(self, request: DeletionRequest) -> None:
        self._s.add(t.DeletionRow(**asdict(request)))

    def put_deletion(self, request: DeletionRequest) -> None:
        self._s.merge(t.DeletionRow(**asdict(request)))

    def deletion(self, patient_id: str) -> DeletionRequest | None:
        open_one = (t.DeletionRow.withdrawn_at.is_(None), t.DeletionRow.done_at.is_(None))
        query = select(t.DeletionRow).where(t.DeletionRow.patient_id == patient_id, *open_one)
        row = self._s.scalar(query.order_by(t.DeletionRow.asked_at.desc()).limit(1))
        return None if row is None else _deletion(row)

    def deletions_due(self, now: datetime) -> list[DeletionRequest]:
        due = (
            t.DeletionRow.confirmed_at.is_not(None),
            t.DeletionRow.withdrawn_at.is_(None),
            t.DeletionRow.done_at.is_(None),
            t.DeletionRow.not_before <= now,
        )
        return [_deletion(row) for row in self._s.scalars(select(t.DeletionRow).where(*due))]

    def counts_of(self, patient_id: str) -> Mapping[str, int]:
        counts = {}
        for name, rows in COUNTED.items():
            mine = rows.__table__.c.patient_id == patient_id
            counts[name] = self._s.scalar(select(func.count()).select_from(rows).where(mine)) or 0
        return counts

    def erase(self, patient_id: str, at: datetime) -> Mapping[str, int]:
        gone = erasure.erase(self._s, self._vault, patient_id, at)
        self._keys.pop(patient_id, None)
        return gone

    def forget_messages(self, before: datetime) -> int:
        return self._forget(t.MessageRow, t.MessageRow.created_at < before)

    def forget_entries(self, before: datetime) -> int:
        self._forget(t.QuestionRow, t.QuestionRow.created_at < before)
        self._forget(t.PartRow, t.PartRow.last_seen < before)
        self._forget(t.SittingRecordRow, t.SittingRecordRow.ended_at < before)
        self._forget(t.SafetyPlanRow, t.SafetyPlanRow.updated_at < before)
        return self._forget(t.EntryRow, t.EntryRow.created_at < before)

    def forget_alerts(self, before: datetime) -> int:
        return self._forget(t.AlertRow, t.AlertRow.resolved_at < before)

    def forget_invitations(self, before: datetime) -> int:
        return self._forget(t.InvitationRow, t.InvitationRow.expires_at < before)

    def _forget(self, rows: type[t.Base], which: ColumnElement[bool]) -> int:
        return erasure.delete_with_dependents(self._s, t.plain(rows), which)

    def wrapped_keys(self, after: str, limit: int) -> list[tuple[str, bytes]]:
        query = select(t.PatientRow.id, t.PatientRow.wrapped_key).where(t.PatientRow.id > after)
        return [(row.id, row.wrapped_key) for row in self._s.execute(query.order_by(t.PatientRow.id).limit(limit))]

    def rewrap(self, patient_id: str, old: bytes, new: bytes) -> bool:
        return erasure.rewrap(self._s, patient_id, old, new)


def _moment(row: Any) -> datetime | None:
    found: datetime | None = None if row is None else row.created_at
    return found


def _deletion(row: t.DeletionRow) -> DeletionRequest:
    return DeletionRequest(
        id=row.id,
        patient_id=row.patient_id,
        asked_at=row.asked_at,
        not_before=row.not_before,
        confirmed_at=row.confirmed_at,
        withdrawn_at=row.withdrawn_at,
        done_at=row.done_at,
    )
