"""The audit chain and heartbeats."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select, text

from bot.adapters.sql import tables as t
from bot.adapters.sql.sealed import Sealed

AUDIT_LOCK = 77_0177  # PostgreSQL advisory lock: one writer of the audit chain at a time
WATCH_LOCK = 77_0178  # the same for what only one worker may do at a time
GENESIS = "0" * 64


class TrustRecords(Sealed):
    """The audit chain and heartbeats."""

    def audit(self, actor: str, action: str, subject: str, at: datetime, **detail: Any) -> None:
        if self._s.get_bind().dialect.name == "postgresql":
            self._s.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": AUDIT_LOCK})
        last = self._s.scalar(select(t.AuditRow).order_by(t.AuditRow.seq.desc()).limit(1))
        seq, previous = (1, GENESIS) if last is None else (last.seq + 1, last.hash)
        when = at.astimezone(UTC).isoformat()
        row = t.AuditRow(seq=seq, at=when, actor=actor, action=action, subject=subject, detail=detail)
        row.previous_hash, row.hash = previous, _link(previous, seq, when, actor, action, subject, detail)
        self._s.add(row)
        self._s.flush()

    def audit_of(self, subject: str) -> list[Mapping[str, Any]]:
        rows = self._s.scalars(select(t.AuditRow).where(t.AuditRow.subject == subject).order_by(t.AuditRow.seq))
        names = ("at", "actor", "action", "detail")
        return [{name: getattr(row, name) for name in names} for row in rows]

    def count_audited(self, action: str, start: datetime, end: datetime) -> int:
        """How many subjects an action was audited of from `start` until before `end`."""
        first, last = (moment.astimezone(UTC).isoformat() for moment in (start, end))
        between = (t.AuditRow.action == action, t.AuditRow.at >= first, t.AuditRow.at < last)
        return self._s.scalar(select(func.count(t.AuditRow.subject.distinct())).where(*between)) or 0

    def verify_audit(self) -> int | None:
        previous, expected = GENESIS, 1
        for row in self._s.scalars(select(t.AuditRow).order_by(t.AuditRow.seq)):
            whole = _link(previous, row.seq, row.at, row.actor, row.action, row.subject, row.detail)
            if row.seq != expected or row.previous_hash != previous or row.hash != whole:
                return row.seq
            previous, expected = row.hash, expected + 1
        return None

    def audit_head(self) -> tuple[int, str]:
        last = self._s.scalar(select(t.AuditRow).order_by(t.AuditRow.seq.desc()).limit(1))
        return (0, GENESIS) if last is None else (last.seq, last.hash)

    def audit_row(self, seq: int) -> Mapping[str, Any] | None:
        row = self._s.get(t.AuditRow, seq)
        names = ("seq", "at", "actor", "action", "subject", "hash")
        return None if row is None else {name: getattr(row, name) for name in names}

    def exclusive(self) -> None:
        if self._s.get_bind().dialect.name == "postgresql":  # SQLite has one writer anyway
            self._s.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WATCH_LOCK})

    def beat(self, process: str, at: datetime) -> None:
        self._s.merge(t.HeartbeatRow(process=process, at=at))

    def last_beat(self, process: str) -> datetime | None:
        return self._s.scalar(select(t.HeartbeatRow.at).where(t.HeartbeatRow.process == process))


def _link(previous: str, *fields: Any) -> str:
    return hashlib.sha256(json.dumps([previous, *fields], sort_keys=True).encode()).hexdigest()
