"""Alerts, their history, and the outbox."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from bot.adapters.sql import tables as t
from bot.adapters.sql.sealed import Sealed
from bot.core.escalation import Alert, AlertEvent, AlertStatus
from bot.core.safety.verdict import Level
from bot.services.ports import Owed


class EscalationRecords(Sealed):
    """Alerts, their history, and the outbox."""

    def add_alert(self, alert: Alert) -> Alert:
        row = t.AlertRow(level_at=alert.raised_at, **_alert_fields(alert))
        self._s.add(row)
        self._s.flush()
        return replace(alert, reference=_reference(row.number))

    def put_alert(self, alert: Alert) -> None:
        row = self._s.scalars(select(t.AlertRow).where(t.AlertRow.id == alert.id)).one()
        for name, value in _alert_fields(alert).items():
            setattr(row, name, value)

    def _alert(self, row: t.AlertRow) -> Alert:
        return Alert(
            id=row.id,
            reference=_reference(row.number),
            patient_id=row.patient_id,
            level=Level[row.level],
            categories=tuple(row.categories),
            subtype=row.subtype,
            status=AlertStatus(row.status),
            raised_at=row.raised_at,
            message_id=row.message_id,
            reason=row.reason,
            version=row.version,
            acknowledged_by=row.acknowledged_by,
            acknowledged_at=row.acknowledged_at,
            resolved_by=row.resolved_by,
            resolved_at=row.resolved_at,
            outcome=row.outcome,
            cleared_at=row.cleared_at,
        )

    def alert(self, alert_id: str) -> Alert | None:
        row = self._s.scalar(select(t.AlertRow).where(t.AlertRow.id == alert_id))
        return None if row is None else self._alert(row)

    def alerts(self, *, patient_id: str | None = None, unresolved: bool = False) -> list[Alert]:
        query = select(t.AlertRow).order_by(t.AlertRow.number.desc())
        if patient_id is not None:
            query = query.where(t.AlertRow.patient_id == patient_id)
        if unresolved:
            query = query.where(t.AlertRow.status != AlertStatus.resolved.value)
        return [self._alert(row) for row in self._s.scalars(query)]

    def level_at(self, alert_id: str) -> datetime:
        return self._s.scalars(select(t.AlertRow.level_at).where(t.AlertRow.id == alert_id)).one()

    def rise(self, alert_id: str, level: Level, at: datetime) -> None:
        row = self._s.scalars(select(t.AlertRow).where(t.AlertRow.id == alert_id)).one()
        row.level, row.level_at, row.steps_taken = level.name, at, 0
        row.status, row.acknowledged_by, row.acknowledged_at = AlertStatus.open.value, None, None

    def steps_taken(self, alert_id: str) -> int:
        return self._s.scalars(select(t.AlertRow.steps_taken).where(t.AlertRow.id == alert_id)).one()

    def take_step(self, alert_id: str, expected: int) -> bool:
        untaken = (t.AlertRow.id == alert_id, t.AlertRow.steps_taken == expected)
        return self._changed(update(t.AlertRow).where(*untaken).values(steps_taken=expected + 1))

    def add_alert_event(self, alert_id: str, event: AlertEvent) -> None:
        alert = self.alert(alert_id)
        assert alert is not None
        words = None
        if event.words is not None:
            words = self._seal(alert.patient_id, f"alert/{alert_id}/{event.at.isoformat()}", event.words)
        self._s.add(
            t.AlertEventRow(
                alert_id=alert_id,
                at=event.at,
                kind=event.kind,
                actor_id=event.actor_id,
                detail=dict(event.detail),
                sealed_words=words,
            )
        )

    def alert_events(self, alert_id: str) -> list[AlertEvent]:
        alert = self.alert(alert_id)
        assert alert is not None
        rows = self._s.scalars(
            select(t.AlertEventRow).where(t.AlertEventRow.alert_id == alert_id).order_by(t.AlertEventRow.id)
        )
        return [
            AlertEvent(
                at=row.at,
                kind=row.kind,
                actor_id=row.actor_id,
                detail=row.detail,
                words=None
                if row.sealed_words is None
                else self._open(alert.patient_id, f"alert/{alert_id}/{row.at.isoformat()}", row.sealed_words),
            )
            for row in rows
        ]

    def owe(self, alert_id: str, recipient_id: int, target: str, due_at: datetime) -> None:
        self._s.add(
            t.OutboxRow(
                id=uuid.uuid4().hex,
                alert_id=alert_id,
                recipient_id=recipient_id,
                target=target,
                state="waiting",
                due_at=due_at,
                created_at=due_at,
            )
        )

    def claim(self, worker: str, now: datetime, until: datetime, limit: int) -> list[Owed]:
        row = t.OutboxRow
        free = (row.state == "waiting") | ((row.state == "claimed") & (row.claimed_until < now))
        ids = self._s.scalars(select(row.id).where(free, row.due_at <= now).order_by(row.due_at).limit(limit)).all()
        claimed = []
        for owed_id in ids:  # the condition is repeated: whoever changes the row first has it
            taken = {"state": "claimed", "claimed_by": worker, "claimed_until": until, "attempts": row.attempts + 1}
            if self._changed(update(row).where(row.id == owed_id, free).values(**taken)):
                found = self._s.get_one(row, owed_id, populate_existing=True)
                claimed.append(
                    Owed(
                        id=found.id,
                        alert_id=str(found.alert_id),
                        recipient_id=found.recipient_id,
                        target=found.target,
                        attempts=found.attempts,
                    )
                )
        return claimed

    def settle_owed(
        self, owed_id: str, *, state: str, due_at: datetime, sent_at: datetime | None, error: str | None
    ) -> None:
        row = self._s.get_one(t.OutboxRow, owed_id)
        row.state, row.due_at, row.sent_at, row.error = state, due_at, sent_at, error

    def drop_waiting(self, alert_id: str) -> None:
        waiting = (t.OutboxRow.alert_id == alert_id, t.OutboxRow.state == "waiting")
        self._s.execute(update(t.OutboxRow).where(*waiting).values(state="dropped"))

    def deliveries(self, alert_id: str) -> list[Mapping[str, Any]]:
        rows = self._s.scalars(
            select(t.OutboxRow).where(t.OutboxRow.alert_id == alert_id).order_by(t.OutboxRow.created_at)
        )
        names = ("recipient_id", "target", "state", "attempts", "sent_at", "due_at", "error")
        return [{name: getattr(row, name) for name in names} for row in rows]

    def oldest_owed(self) -> datetime | None:
        return self._s.scalar(
            select(func.min(t.OutboxRow.created_at)).where(t.OutboxRow.state.in_(("waiting", "claimed")))
        )


def _alert_fields(alert: Alert) -> dict[str, Any]:
    values = {name: getattr(alert, name) for name in alert.__dataclass_fields__ if name != "reference"}
    return values | {
        "level": alert.level.name,
        "status": alert.status.value,
        "categories": list(alert.categories),
    }


def _reference(number: int) -> str:
    return f"A-{1000 + number}"
