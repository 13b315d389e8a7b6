"""Backups: consistent while patients write, useless without the key, restored whole; SQLite and PostgreSQL alike."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters.backup import BackupUnreadable, NotEmpty, restore_backup, write_backup
from bot.adapters.sql.migrate import upgrade
from bot.bootstrap import Application, build
from bot.core.people import Patient
from tests import builders
from tests.security.test_keys import FRESH


def running(folder: Path, clock: builders.MovableClock, **changes: str) -> Application:
    """An application on a migrated database, as `kat run` makes it."""
    found = builders.settings(folder, **changes)
    found.data_path.mkdir(parents=True, exist_ok=True)
    upgrade(found.database)
    return build(found, clock=clock, notifier=builders.Outbox(), engine=builders.AbsentEngine())


def written(app: Application, text: str) -> Patient:
    patient = builders.patient(app)
    app.screening.receive(patient.id, "c1", text)
    return patient


def texts(app: Application, patient: Patient) -> list[str]:
    return [message.text for message in app.conversation.since(patient.id, 0)]


def test_a_backup_taken_while_patients_write_restores_whole(tmp_path: Path, clock: builders.MovableClock) -> None:
    app = running(tmp_path / "one", clock)
    patient = written(app, "before the backup")
    with sqlite3.connect(app.settings.tracker_store) as rasa:
        rasa.execute("CREATE TABLE window (sender_id TEXT PRIMARY KEY, sealed BLOB, updated REAL)")
        rasa.execute("INSERT INTO window VALUES ('c', x'00', 0)")
    ending, wrote = threading.Event(), []

    def write() -> None:
        while not ending.is_set():
            app.screening.receive(patient.id, f"w{len(wrote)}", f"line {len(wrote)}")
            wrote.append(1)

    writer = threading.Thread(target=write)
    writer.start()
    target = tmp_path / "kept" / "now.backup"
    while len(wrote) < 3:
        ending.wait(0.05)
    size = write_backup(app.database, app.settings.tracker_store, builders.KEY, target, clock())
    ending.set()
    writer.join()
    assert size == target.stat().st_size
    assert target.stat().st_mode & 0o077 == 0
    assert [path.name for path in target.parent.iterdir()] == ["now.backup"]

    other = builders.settings(tmp_path / "two")
    taken = restore_backup(target, [builders.KEY], other.database, other.tracker_store, replace=False)
    assert taken == clock().isoformat()
    restored = build(other, clock=clock)
    kept = texts(restored, patient)
    assert "before the backup" in kept
    lines = [int(line.removeprefix("line ")) for line in kept if line.startswith("line ")]
    assert lines == sorted(lines)
    with restored.uow() as tx:
        assert tx.verify_audit() is None
    with sqlite3.connect(other.tracker_store) as rasa:
        assert rasa.execute("SELECT count(*) FROM window").fetchone() == (1,)
    for made in (app, restored):
        made.database.dispose()


def test_a_backup_holds_nothing_readable_and_opens_with_its_key_only(
    tmp_path: Path, clock: builders.MovableClock
) -> None:
    app = running(tmp_path / "one", clock)
    member = builders.staff_member(app, "Mo", "coach")
    target, two = tmp_path / "now.backup", builders.settings(tmp_path / "two")
    write_backup(app.database, app.settings.tracker_store, builders.KEY, target, clock())
    held = target.read_bytes()
    assert member.email.encode() not in held
    assert b"SQLite" not in held

    def refused(data: bytes, key: str = builders.KEY) -> None:
        target.write_bytes(data)
        with pytest.raises(BackupUnreadable):
            restore_backup(target, [key], two.database, two.tracker_store, replace=False)
        assert not (two.data_path / "clinic.sqlite3").exists()

    refused(held, FRESH)
    refused(held[:-30])
    refused(held[:200] + bytes([held[200] ^ 1]) + held[201:])
    refused(b"something else entirely")
    target.write_bytes(held)
    restore_backup(target, [FRESH, builders.KEY], two.database, two.tracker_store, replace=False)
    with pytest.raises(NotEmpty):
        restore_backup(target, [builders.KEY], two.database, two.tracker_store, replace=False)
    restore_backup(target, [builders.KEY], two.database, two.tracker_store, replace=True)
    app.database.dispose()


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL of our own, where the host has one."""
    if "KAT_TEST_POSTGRES" in os.environ:
        yield os.environ["KAT_TEST_POSTGRES"]
        return
    if shutil.which("initdb") is None or os.geteuid() == 0:
        pytest.skip("needs PostgreSQL's programs and an ordinary user, or KAT_TEST_POSTGRES")
    folder = tmp_path_factory.mktemp("postgres")
    subprocess.run(["initdb", "-D", folder, "-U", "kat", "--auth=trust"], check=True, capture_output=True)
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}'"
    subprocess.run(["pg_ctl", "-D", folder, "-o", options, "-w", "-l", folder / "log", "start"], check=True)
    yield f"postgresql+psycopg://kat@/postgres?host={folder}"
    subprocess.run(["pg_ctl", "-D", folder, "-m", "immediate", "stop"], check=True)


def test_a_backup_moves_between_sqlite_and_postgresql_both_ways(
    tmp_path: Path, clock: builders.MovableClock, postgres: str
) -> None:
    app = running(tmp_path / "one", clock)
    patient = written(app, "kept in one file")
    first, second = tmp_path / "first.backup", tmp_path / "second.backup"
    write_backup(app.database, app.settings.tracker_store, builders.KEY, first, clock())
    server = builders.settings(tmp_path / "server", database_url=postgres)
    restore_backup(first, [builders.KEY], server.database, server.tracker_store, replace=True)
    served = build(server, clock=clock, engine=builders.AbsentEngine(), notifier=builders.Outbox())
    assert "kept in one file" in texts(served, patient)
    served.screening.receive(patient.id, "c2", "written on the server")  # the sequences go on
    write_backup(served.database, server.tracker_store, builders.KEY, second, clock())
    served.privacy.ask_deletion(patient.id)
    assert served.privacy.run_deletions() == 1
    assert texts(served, patient) == []
    back = builders.settings(tmp_path / "back")
    restore_backup(second, [builders.KEY], back.database, back.tracker_store, replace=False)
    again = build(back, clock=clock)
    assert "written on the server" in texts(again, patient)
    with again.uow() as tx:
        assert tx.verify_audit() is None
    for made in (app, served, again):
        made.database.dispose()
