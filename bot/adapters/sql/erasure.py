"""Erasing a patient: every row that belongs to them, by the tables' own foreign keys, so that a new table is covered.

What the law keeps stays, sealed anew: the patient gets a fresh key, the excerpts of alerts and the name on them move to
it, and the old key is overwritten. Whatever copy of the old ciphertext is left anywhere can then no longer be opened.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Table, delete, select, text, update
from sqlalchemy.orm import Session

from bot.adapters.crypto import Vault
from bot.adapters.sql import tables as t

KEPT = {
    "patient": "the record's number, and the name where an alert bears it",
    "alert": "the clinic's record of what it was told and did",
    "alert_event": "the history of those alerts, with their excerpts",
    "outbox": "who was notified when",
    "consent": "what was agreed to and when; no words of the patient",
    "deletion": "the request itself",
}
OF_ACCOUNT = ("account_session", "device_pin", "recovery", "webauthn", "roles_users", "user")


def erase(session: Session, vault: Vault, patient_id: str, at: datetime) -> dict[str, int]:
    """Erase a patient inside the caller's transaction and return how many rows went, by table."""
    row = session.get_one(t.PatientRow, patient_id)
    old, new = row.wrapped_key, vault.new_key(patient_id)
    alerts = select(t.AlertRow.id).where(t.AlertRow.patient_id == patient_id)
    events = list(session.scalars(select(t.AlertEventRow).where(t.AlertEventRow.alert_id.in_(alerts))))
    place = f"identity/{patient_id}"
    identity = vault.open(old, patient_id, place, row.sealed_identity)
    if not events:
        identity = '{"first_name": "", "last_name": "", "phone": ""}'
    for event in events:
        if event.sealed_words is not None:
            spot = f"alert/{event.alert_id}/{event.at.isoformat()}"
            words = vault.open(old, patient_id, spot, event.sealed_words)
            event.sealed_words = vault.seal(new, patient_id, spot, words)
    row.wrapped_key, row.sealed_identity = new, vault.seal(new, patient_id, place, identity)
    user_id, row.user_id, row.coach_id, row.consented_at, row.erased_at = row.user_id, None, None, None, at
    row.flags = {}
    session.flush()
    gone = _delete_rows(session, patient_id)
    if user_id is not None:
        _delete_account(session, user_id)
    return gone


def _delete_rows(session: Session, patient_id: str) -> dict[str, int]:
    gone: dict[str, int] = {}
    for table in t.Base.metadata.sorted_tables:
        if "patient_id" in table.c and table.name not in KEPT:
            gone[table.name] = delete_with_dependents(session, table, table.c.patient_id == patient_id)
    session.expire_all()
    return gone


def delete_with_dependents(session: Session, table: Table, which: ColumnElement[bool]) -> int:
    """Delete rows and, before them, the rows that hang on them. Returns how many of the former."""
    for child in t.Base.metadata.sorted_tables:
        for key in child.foreign_keys:
            if key.column.table is table and child is not table:
                delete_with_dependents(session, child, key.parent.in_(select(key.column).where(which)))
    result: Any = session.execute(delete(table).where(which), execution_options={"synchronize_session": False})
    return int(result.rowcount)


def _delete_account(session: Session, user_id: int) -> None:
    for name in OF_ACCOUNT:
        table = t.Base.metadata.tables[name]
        column = table.c.id if name == "user" else table.c.user_id
        session.execute(delete(table).where(column == user_id))
    session.expire_all()


def forget_freed_pages(engine: Engine) -> None:
    """Make sure that what was overwritten is gone from the disk: empty SQLite's log, vacuum PostgreSQL's rows."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT", writes=False) as connection:
        if engine.dialect.name == "sqlite":
            connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
        else:
            connection.execute(text("VACUUM patient"))


def rewrap(session: Session, patient_id: str, old: bytes, new: bytes) -> bool:
    """Replace a wrapped key if it is still the one that was read. Returns whether it was."""
    same = (t.PatientRow.id == patient_id, t.PatientRow.wrapped_key == old)
    result: Any = session.execute(update(t.PatientRow).where(*same).values(wrapped_key=new))
    return bool(result.rowcount == 1)
