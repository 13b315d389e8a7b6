"""The outbox: what is owed to whom, and every attempt to hand it over."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select, update

from bot.adapters.sql import tables as t
from bot.adapters.sql.sealed import Sealed
from bot.services.ports import Owed

UNFINISHED = ("waiting", "claimed")


class OutboxRecords(Sealed):
    """Notifications. A row exists before the first attempt and stays as the record of it."""

    def owe(
        self,
        alert_id: str | None,
        recipient_id: int,
        target: str,
        due_at: datetime,
        *,
        now: datetime,
        kind: str = "alert",
        about: str = "",
        channel_id: str | None = None,
        place: int = 0,
    ) -> None:
        self._s.add(
            t.OutboxRow(
                id=uuid.uuid4().hex,
                alert_id=alert_id,
                recipient_id=recipient_id,
                target=target,
                kind=kind,
                about=about,
                channel_id=channel_id,
                place=place,
                state="waiting",
                due_at=due_at,
                created_at=now,
            )
        )
        self._s.flush()

    def claim(self, worker: str, now: datetime, until: datetime, limit: int, alert_id: str | None = None) -> list[Owed]:
        row = t.OutboxRow
        free = (row.state == "waiting") | ((row.state == "claimed") & (row.claimed_until < now))
        query = select(row.id).where(free, row.due_at <= now).order_by(row.due_at).limit(limit)
        if alert_id is not None:
            query = query.where(row.alert_id == alert_id)
        claimed = []
        for owed_id in self._s.scalars(query).all():  # the condition is repeated: whoever changes the row first has it
            taken = {"state": "claimed", "claimed_by": worker, "claimed_until": until, "attempts": row.attempts + 1}
            if self._changed(update(row).where(row.id == owed_id, free).values(**taken)):
                found = self._s.get_one(row, owed_id, populate_existing=True)
                self._s.add(t.AttemptRow(outbox_id=owed_id, number=found.attempts, worker=worker, started_at=now))
                claimed.append(_owed(found))
        return claimed

    def settle_owed(
        self, owed: Owed, *, state: str, now: datetime, due_at: datetime | None = None, error: str | None = None
    ) -> None:
        outcome = {"sent": "sent", "dropped": "dropped"}.get(state, "failed")
        attempt = (t.AttemptRow.outbox_id == owed.id, t.AttemptRow.number == owed.attempts)
        told = {"finished_at": now, "outcome": outcome, "code": error}
        self._s.execute(update(t.AttemptRow).where(*attempt).values(**told))
        row = t.OutboxRow
        still = (row.id == owed.id, row.attempts == owed.attempts, row.state == "claimed")
        values: dict[str, Any] = {"state": state, "error": error, "due_at": due_at or now}
        if state == "sent":  # true whatever became of the row meanwhile
            self._s.execute(update(row).where(row.id == owed.id).values(**values, sent_at=now))
            return
        self._s.execute(update(row).where(*still).values(**values))

    def bring_forward(self, alert_id: str, recipient_id: int, place: int, now: datetime) -> bool:
        row = t.OutboxRow
        waiting = (
            row.alert_id == alert_id,
            row.recipient_id == recipient_id,
            row.place == place,
            row.state == "waiting",
        )
        result: Any = self._s.execute(update(row).where(*waiting, row.due_at > now).values(due_at=now))
        later = select(row.id).where(*waiting).limit(1)
        return bool(result.rowcount) or self._s.scalar(later) is not None

    def drop_waiting(self, alert_id: str) -> None:
        waiting = (t.OutboxRow.alert_id == alert_id, t.OutboxRow.state == "waiting")
        self._s.execute(update(t.OutboxRow).where(*waiting).values(state="dropped"))

    def owes(self, alert_id: str, recipient_id: int, place: int) -> bool:
        row = t.OutboxRow
        query = select(row.id).where(
            row.alert_id == alert_id,
            row.recipient_id == recipient_id,
            row.place == place,
            row.state.in_(UNFINISHED),
        )
        return self._s.scalar(query.limit(1)) is not None

    def deliveries(self, alert_id: str) -> list[Mapping[str, Any]]:
        rows = self._s.scalars(
            select(t.OutboxRow).where(t.OutboxRow.alert_id == alert_id).order_by(t.OutboxRow.created_at)
        )
        names = ("recipient_id", "target", "state", "attempts", "sent_at", "due_at", "error", "kind", "channel_id")
        return [{name: getattr(row, name) for name in (*names, "created_at")} for row in rows]

    def attempts(self, alert_id: str) -> list[Mapping[str, Any]]:
        query = (
            select(t.AttemptRow, t.OutboxRow.recipient_id, t.ChannelRow.name)
            .join(t.OutboxRow, t.OutboxRow.id == t.AttemptRow.outbox_id)
            .outerjoin(t.ChannelRow, t.ChannelRow.id == t.OutboxRow.channel_id)
            .where(t.OutboxRow.alert_id == alert_id)
            .order_by(t.AttemptRow.id)
        )
        return [
            {
                "recipient_id": recipient_id,
                "channel": name or "e-mail",
                "started_at": row.started_at,
                "finished_at": row.finished_at,
                "outcome": row.outcome,
                "code": row.code,
            }
            for row, recipient_id, name in self._s.execute(query)
        ]

    def oldest_owed(self, now: datetime | None = None) -> datetime | None:
        row = t.OutboxRow
        since = case((row.attempts > 0, row.created_at), else_=row.due_at)  # one that failed has waited from the start
        query = select(func.min(since)).where(row.state.in_(UNFINISHED))
        oldest: datetime | None = self._s.scalar(query if now is None else query.where(row.due_at <= now))
        return oldest

    def last_alarm(self, about: str) -> datetime | None:
        query = select(func.max(t.OutboxRow.created_at)).where(t.OutboxRow.kind == "alarm", t.OutboxRow.about == about)
        return self._s.scalar(query)


def _owed(row: t.OutboxRow) -> Owed:
    return Owed(
        id=row.id,
        alert_id=row.alert_id,
        recipient_id=row.recipient_id,
        target=row.target,
        attempts=row.attempts,
        kind=row.kind,
        about=row.about,
        channel_id=row.channel_id,
        place=row.place,
    )
