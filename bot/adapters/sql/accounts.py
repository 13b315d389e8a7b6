"""Sessions, failed sign-ins and ways back in."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from bot.adapters.sql import tables as t
from bot.adapters.sql.sealed import Sealed
from bot.core.accounts import Guard, Session

SESSION = t.plain(t.SessionRow)
BY_ID = select(SESSION).where(SESSION.c.id == bindparam("session"))


class AccountRecords(Sealed):
    """Sessions, failed sign-ins and ways back in."""

    def add_session(self, session: Session) -> None:
        self._s.add(t.SessionRow(**asdict(session)))

    def put_session(self, session: Session) -> None:
        row = self._s.get_one(t.SessionRow, session.id)
        row.seen_at, row.ended_at = session.seen_at, session.ended_at

    def session(self, session_id: str) -> Session | None:
        row = self._row(BY_ID, session=session_id)
        return None if row is None else _session(row)

    def sessions(self, user_id: int) -> list[Session]:
        query = select(t.SessionRow).where(t.SessionRow.user_id == user_id).order_by(t.SessionRow.begun_at)
        return [_session(row) for row in self._s.scalars(query)]

    def untold_sessions(self, limit: int) -> list[tuple[Session, str, bool]]:
        untold = (t.SessionRow.new_device.is_(True), t.SessionRow.told_at.is_(None))
        query = select(t.SessionRow, t.User).join(t.User).where(*untold).order_by(t.SessionRow.begun_at).limit(limit)
        return [
            (_session(row), user.email, any(role.name != "patient" for role in user.roles))
            for row, user in self._s.execute(query)
        ]

    def mark_told(self, session_id: str, at: datetime) -> None:
        self._s.execute(update(t.SessionRow).where(t.SessionRow.id == session_id).values(told_at=at))

    def device_known(self, email: str, device_hash: str) -> bool:
        same = (t.User.email == email, t.SessionRow.device_hash == device_hash)
        return self._s.scalar(select(t.SessionRow.id).join(t.User).where(*same).limit(1)) is not None

    def guard(self, account_hash: str) -> Guard | None:
        row = self._s.get(t.SignInGuardRow, account_hash)
        if row is None:
            return None
        return Guard(failures=row.failures, first_at=row.first_at, locked_until=row.locked_until)

    def put_guard(self, account_hash: str, guard: Guard) -> None:
        self._s.merge(t.SignInGuardRow(account_hash=account_hash, **asdict(guard)))

    def drop_guard(self, account_hash: str) -> None:
        self._s.execute(delete(t.SignInGuardRow).where(t.SignInGuardRow.account_hash == account_hash))

    def user_id_of(self, email: str) -> int | None:
        return self._s.scalar(select(t.User.id).where(t.User.email == email, t.User.active.is_(True)))

    def second_factors(self) -> set[int]:
        return set(self._s.scalars(select(t.User.id).where(t.User.tf_primary_method.is_not(None))))

    def add_recovery(self, token_hash: str, user_id: int, expires_at: datetime) -> None:
        self._s.add(t.RecoveryRow(token_hash=token_hash, user_id=user_id, expires_at=expires_at))

    def recovery(self, token_hash: str) -> tuple[int, datetime, datetime | None] | None:
        row = self._s.get(t.RecoveryRow, token_hash)
        return None if row is None else (row.user_id, row.expires_at, row.used_at)

    def use_recovery(self, token_hash: str, at: datetime) -> bool:
        unused = (t.RecoveryRow.token_hash == token_hash, t.RecoveryRow.used_at.is_(None))
        return self._changed(update(t.RecoveryRow).where(*unused).values(used_at=at))

    def void_recoveries(self, user_id: int, at: datetime) -> None:
        unused = (t.RecoveryRow.user_id == user_id, t.RecoveryRow.used_at.is_(None))
        self._s.execute(update(t.RecoveryRow).where(*unused).values(used_at=at))

    def forget_sign_ins(self, before: datetime) -> dict[str, int]:
        """Delete ended sessions, guards and spent links older than a moment. Returns how many of each."""
        old: dict[str, Any] = {
            "sessions": delete(t.SessionRow).where(t.SessionRow.seen_at < before),
            "sign_ins": delete(t.SignInGuardRow).where(t.SignInGuardRow.first_at < before),
            "recoveries": delete(t.RecoveryRow).where(t.RecoveryRow.expires_at < before),
        }
        found: dict[str, int] = {}
        for name, statement in old.items():
            result: Any = self._s.execute(statement)
            found[name] = result.rowcount
        return found


def _session(row: t.SessionRow) -> Session:
    return Session(
        id=row.id,
        user_id=row.user_id,
        device=row.device,
        device_hash=row.device_hash,
        begun_at=row.begun_at,
        seen_at=row.seen_at,
        new_device=row.new_device,
        ended_at=row.ended_at,
    )
