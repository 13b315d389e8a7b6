"""The queue of patients' questions and requests, and the answers that staff gave."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from bot.adapters.sql import tables as t
from bot.adapters.sql.sealed import Sealed
from bot.core.requests import Request


class RequestRecords(Sealed):
    """Questions as staff work on them."""

    def requests(self, *, status: str = "open") -> list[Request]:
        query = select(t.QuestionRow).where(t.QuestionRow.status == status).order_by(t.QuestionRow.created_at)
        return [self._request(row) for row in self._s.scalars(query)]

    def request(self, request_id: str) -> Request | None:
        row = self._s.get(t.QuestionRow, request_id, with_for_update=True)
        return None if row is None else self._request(row)

    def answer_request(self, request: Request, member_id: int, text: str, at: datetime) -> None:
        row = self._s.get_one(t.QuestionRow, request.id)
        row.status = "answered"
        sealed = self._seal(request.patient_id, f"answer/{request.id}", text)
        self._s.merge(
            t.AnswerRow(
                question_id=request.id, patient_id=request.patient_id, member_id=member_id, sealed=sealed, at=at
            )
        )

    def _request(self, row: t.QuestionRow) -> Request:
        return Request(
            id=row.id,
            patient_id=row.patient_id,
            addressee=row.addressee,
            status=row.status,
            asked_at=row.created_at,
            text=self._open(row.patient_id, f"question/{row.id}", row.sealed),
        )
