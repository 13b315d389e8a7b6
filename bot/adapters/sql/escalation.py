"""Alerts, their history, sentences that wait to be true, and drills."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select, update

from bot.adapters.sql import tables as t
from bot.adapters.sql.sealed import Sealed
from bot.core.drills import Drill
from bot.core.escalation import Alert, AlertEvent, AlertStatus
from bot.core.news import HeldText
from bot.core.safety.verdict import Level

ALERT = t.plain(t.AlertRow)


@cache
def _alerts(*, of_patient: bool, unresolved: bool, since: bool) -> Select[Any]:
    query = select(ALERT).order_by(ALERT.c.number.desc())
    if of_patient:
        query = query.where(ALERT.c.patient_id == bindparam("patient"))
    if unresolved:
        query = query.where(ALERT.c.status != AlertStatus.resolved.value)
    return query.where(ALERT.c.raised_at >= bindparam("since")) if since else query


class EscalationRecords(Sealed):
    """Alerts, their history, sentences that wait to be true, and drills."""

    def lock_patient(self, patient_id: str) -> None:
        self._s.execute(select(t.PatientRow.id).where(t.PatientRow.id == patient_id).with_for_update())

    def add_alert(self, alert: Alert) -> Alert:
        row = t.AlertRow(**_alert_fields(alert))
        self._s.add(row)
        self._s.flush()
        return replace(alert, reference=_reference(row.number))

    def put_alert(self, alert: Alert) -> None:
        row = self._s.scalars(select(t.AlertRow).where(t.AlertRow.id == alert.id)).one()
        for name, value in _alert_fields(alert).items():
            setattr(row, name, value)

    def _alert(self, row: Any) -> Alert:
        names = [name for name in Alert.__dataclass_fields__ if name != "reference"]
        values = {name: getattr(row, name) for name in names}
        values |= {
            "level": Level[row.level],
            "status": AlertStatus(row.status),
            "categories": tuple(row.categories),
        }
        return Alert(reference=_reference(row.number), **values)

    def alert(self, alert_id: str, *, lock: bool = False) -> Alert | None:
        query = select(t.AlertRow).where(t.AlertRow.id == alert_id)
        if lock:  # PostgreSQL; SQLite has one writer anyway
            query = query.with_for_update().execution_options(populate_existing=True)
        row = self._s.scalar(query)
        return None if row is None else self._alert(row)

    def alerts(
        self, *, patient_id: str | None = None, unresolved: bool = False, since: datetime | None = None
    ) -> list[Alert]:
        query = _alerts(of_patient=patient_id is not None, unresolved=unresolved, since=since is not None)
        return [self._alert(row) for row in self._rows(query, patient=patient_id, since=since)]

    def due_alerts(self, now: datetime, limit: int = 100) -> list[str]:
        query = select(t.AlertRow.id).where(t.AlertRow.due_at <= now).order_by(t.AlertRow.due_at).limit(limit)
        return list(self._s.scalars(query))

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

    def hold_text(self, held: HeldText) -> None:
        values = asdict(held)
        values.pop("id")
        self._s.add(t.HeldTextRow(**values))
        self._s.flush()

    def held_texts(self, alert_id: str | None = None) -> list[HeldText]:
        query = select(t.HeldTextRow).where(t.HeldTextRow.told_at.is_(None)).order_by(t.HeldTextRow.id)
        if alert_id is not None:
            query = query.where(t.HeldTextRow.alert_id == alert_id)
        names = HeldText.__dataclass_fields__
        return [HeldText(**{name: getattr(row, name) for name in names}) for row in self._s.scalars(query)]

    def mark_text_told(self, held_id: int, at: datetime) -> bool:
        waiting = (t.HeldTextRow.id == held_id, t.HeldTextRow.told_at.is_(None))
        return self._changed(update(t.HeldTextRow).where(*waiting).values(told_at=at))

    def put_drill(self, drill: Drill) -> None:
        self._s.merge(t.DrillRow(**asdict(drill)))

    def drills(self, limit: int = 30) -> list[Drill]:
        rows = self._s.scalars(select(t.DrillRow).order_by(t.DrillRow.started_at.desc()).limit(limit))
        names = Drill.__dataclass_fields__
        return [Drill(**{name: getattr(row, name) for name in names}) for row in rows]


def _alert_fields(alert: Alert) -> dict[str, Any]:
    values = {name: getattr(alert, name) for name in alert.__dataclass_fields__ if name != "reference"}
    return values | {
        "level": alert.level.name,
        "status": alert.status.value,
        "categories": list(alert.categories),
    }


def _reference(number: int) -> str:
    return f"A-{1000 + number}"
