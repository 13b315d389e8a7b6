"""Backups: one consistent, encrypted file, taken while everything runs; useless without the clinic's key.

A backup is a tar of a manifest and two SQLite files: the clinic's database, copied by SQLite's own backup or in one
read-only snapshot from PostgreSQL, and Rasa's store. So one taken from either database can be restored into either.
The tar is sealed in chunks by AES-256-GCM under a key derived from the clinic's; the last chunk is marked, so
that a file cut short is found.
"""

from __future__ import annotations

import base64
import io
import json
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection, Engine, MetaData, func, insert, select, text

from bot.adapters.sql.engine import make_engine
from bot.adapters.sql.migrate import upgrade
from bot.adapters.sql.tables import Base

MAGIC = b"KATBACKUP1\n"
SALT_BYTES = 16
CHUNK = 1 << 20
TAG_BYTES = 16
ROWS = 500
CLINIC, TRACKER, MANIFEST = "clinic.sqlite3", "rasa.sqlite3", "manifest.json"


class BackupUnreadable(ValueError):
    """A backup cannot be opened: another key, cut short, or changed. The message is one sentence."""


class NotEmpty(ValueError):
    """There is something where a backup would be restored to. The message is one sentence."""


def write_backup(database: Engine, tracker_store: Path, clinic_key: str, target: Path, at: datetime) -> int:
    """Write a backup and return its size in bytes. The file appears under its name only when it is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as folder:
        clinic, tar = Path(folder) / CLINIC, Path(folder) / "tar"
        if database.dialect.name == "sqlite":
            _copy_sqlite(Path(str(database.url.database)), clinic)
        else:
            _copy_rows(database, clinic)
        with tarfile.open(tar, "w") as archive:
            note = json.dumps({"at": at.isoformat(), "from": database.dialect.name}).encode()
            entry = tarfile.TarInfo(MANIFEST)
            entry.size = len(note)
            archive.addfile(entry, io.BytesIO(note))
            archive.add(clinic, CLINIC)
            if tracker_store.exists():
                _copy_sqlite(tracker_store, Path(folder) / TRACKER)
                archive.add(Path(folder) / TRACKER, TRACKER)
        sealed = Path(folder) / "sealed"
        with tar.open("rb") as source, sealed.open("wb") as sink:
            os.fchmod(sink.fileno(), 0o600)
            _seal(source, sink, clinic_key)
            sink.flush()
            os.fsync(sink.fileno())
        sealed.replace(target)
    return target.stat().st_size


def restore_backup(source: Path, clinic_keys: Sequence[str], url: str, tracker_store: Path, *, replace: bool) -> str:
    """Put a backup in place of the database and Rasa's store, and bring it up to date. Returns when it was taken.

    All processes must be stopped. Raises BackupUnreadable, or NotEmpty where there is a database and not `replace`.
    """
    tracker_store.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=tracker_store.parent, prefix=".restore-") as folder:
        tar = Path(folder) / "tar"
        with source.open("rb") as sealed, tar.open("wb") as sink:
            _open(sealed, sink, clinic_keys)
        with tarfile.open(tar) as archive:
            members = {name: _member(archive, name, Path(folder) / name) for name in (MANIFEST, CLINIC, TRACKER)}
        clinic, taken = members[CLINIC], members[MANIFEST]
        if clinic is None or taken is None:
            raise BackupUnreadable("This file is sealed with the right key but holds no backup.")
        upgrade(f"sqlite:///{clinic}")
        if url.startswith("sqlite"):
            _put(clinic, Path(url.removeprefix("sqlite:///")), replace)
        else:
            _fill(url, clinic, replace)
        store = members[TRACKER]
        if store is not None:
            _put(store, tracker_store, replace=True)
        return str(json.loads(taken.read_text())["at"])


def _copy_sqlite(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source, timeout=30)) as origin, closing(sqlite3.connect(target)) as copy:
        origin.backup(copy)  # all pages in one step: one snapshot, and writers go on


def _copy_rows(database: Engine, target: Path) -> None:
    copy = make_engine(f"sqlite:///{target}")
    Base.metadata.create_all(copy)
    snapshot = database.connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with snapshot as origin, copy.begin() as sink:
        revision = origin.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        sink.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
        sink.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})
        _pour(origin, sink)
    copy.dispose()
    with closing(sqlite3.connect(target)) as whole:
        whole.execute("PRAGMA journal_mode=DELETE")


def _pour(origin: Connection, sink: Connection) -> None:
    for table in Base.metadata.sorted_tables:
        for rows in origin.execute(select(table)).mappings().partitions(ROWS):
            sink.execute(insert(table), [dict(row) for row in rows])


def _fill(url: str, clinic: Path, replace: bool) -> None:
    upgrade(url)
    database, copy = make_engine(url), make_engine(f"sqlite:///{clinic}")
    with copy.connect() as origin, database.begin() as sink:
        if sink.execute(select(func.count()).select_from(Base.metadata.tables["patient"])).scalar_one() and not replace:
            raise NotEmpty("There are patients in this database; restore into an empty one, or say --replace.")
        for table in reversed(Base.metadata.sorted_tables):
            sink.execute(table.delete())
        _pour(origin, sink)
        _reset_sequences(sink, Base.metadata)
    database.dispose()
    copy.dispose()


def _reset_sequences(sink: Connection, metadata: MetaData) -> None:
    quote = sink.dialect.identifier_preparer.quote
    for table in metadata.sorted_tables:
        for column in table.primary_key.columns:
            found = text("SELECT pg_get_serial_sequence(:table, :column)")
            sequence = sink.execute(found, {"table": quote(table.name), "column": column.name}).scalar()
            if sequence is not None:
                highest = sink.execute(select(func.max(column))).scalar() or 0
                sink.execute(select(func.setval(sequence, highest + 1, False)))


def _put(file: Path, place: Path, replace: bool) -> None:
    if place.exists() and not replace:
        raise NotEmpty("There is a database in the data folder; move it away first, or say --replace.")
    place.parent.mkdir(parents=True, exist_ok=True)
    for leftover in ("-wal", "-shm"):
        place.with_name(place.name + leftover).unlink(missing_ok=True)
    file.chmod(0o600)
    file.replace(place)


def _member(archive: tarfile.TarFile, name: str, place: Path) -> Path | None:
    try:
        found = archive.extractfile(name)
    except KeyError:
        return None
    if found is None:
        return None
    with place.open("wb") as sink:
        while piece := found.read(CHUNK):
            sink.write(piece)
    return place


def _key(clinic_key: str, salt: bytes) -> AESGCM:
    whole = HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"backup")
    return AESGCM(whole.derive(base64.b64decode(clinic_key)))


def _seal(source: IO[bytes], sink: IO[bytes], clinic_key: str) -> None:
    salt = os.urandom(SALT_BYTES)
    key = _key(clinic_key, salt)
    sink.write(MAGIC + salt)
    number, piece = 0, source.read(CHUNK)
    while True:
        following = source.read(CHUNK)
        sink.write(key.encrypt(number.to_bytes(12), piece, b"more" if following else b"last"))
        if not following:
            return
        number, piece = number + 1, following


def _open(source: IO[bytes], sink: IO[bytes], clinic_keys: Sequence[str]) -> None:
    if source.read(len(MAGIC)) != MAGIC:
        raise BackupUnreadable("This file is no backup of ours.")
    salt = source.read(SALT_BYTES)
    keys = [_key(key, salt) for key in clinic_keys]
    number, piece = 0, source.read(CHUNK + TAG_BYTES)
    while piece:
        following = source.read(CHUNK + TAG_BYTES)
        place = b"more" if following else b"last"
        plain = next((p for key in keys if (p := _opened(key, number, piece, place)) is not None), None)
        if plain is None:
            raise BackupUnreadable("This backup is of another clinic key, or it is cut short or damaged.")
        sink.write(plain)
        number, piece = number + 1, following


def _opened(key: AESGCM, number: int, piece: bytes, place: bytes) -> bytes | None:
    try:
        return key.decrypt(number.to_bytes(12), piece, place)
    except InvalidTag:
        return None
