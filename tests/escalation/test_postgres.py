"""The same claims on PostgreSQL: two real workers send each page once, and the audit chain holds."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.core.safety.verdict import Level
from tests.escalation.conftest import Clinic
from tests.running import free_port, wait_until


def programs() -> Path | None:
    """The folder of PostgreSQL's programs: named by POSTGRES_BIN, on PATH, or where Debian keeps them."""
    folders = [os.environ.get("POSTGRES_BIN", ""), *os.environ["PATH"].split(os.pathsep)]
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    places = [*(Path(folder) for folder in folders if folder), *debian]
    return next((place for place in places if (place / "initdb").exists() and (place / "pg_ctl").exists()), None)


def command(program: str, *words: str) -> list[str]:
    """PostgreSQL refuses to run as root; a container's tests often do."""
    folder = programs()
    assert folder is not None
    own = [str(folder / program), *words]
    return ["runuser", "-u", "postgres", "--", *own] if os.geteuid() == 0 else own


def can_run() -> bool:
    """Whether a server can be started here: its programs, and, for root, the user that it runs as."""
    if programs() is None:
        return False
    try:
        return os.geteuid() != 0 or bool(pwd.getpwnam("postgres"))
    except KeyError:
        return False


@pytest.fixture
def database() -> Iterator[str]:
    """The URL of a fresh PostgreSQL server."""
    folder = Path(tempfile.mkdtemp(prefix="kat-postgres-"))
    port = free_port()
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    data = str(folder / "data")
    subprocess.run(command("initdb", "-D", data, "-U", "kat", "--auth=trust"), check=True, capture_output=True)
    options = f"-p {port} -h 127.0.0.1 -k {folder}"
    start = command("pg_ctl", "-D", data, "-o", options, "-w", "-l", str(folder / "log"), "start")
    subprocess.run(start, check=True, stdout=subprocess.DEVNULL)
    yield f"postgresql+psycopg://kat@127.0.0.1:{port}/postgres"
    subprocess.run(command("pg_ctl", "-D", data, "-m", "immediate", "stop"), check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.skipif(not can_run(), reason="PostgreSQL is not installed here; scripts/postgres.sh says how to get it")
def test_two_workers_on_postgresql_send_each_page_once(tmp_path: Path, database: str) -> None:
    clinic = Clinic(tmp_path, workers=2, database_url=database)
    try:
        patients = [clinic.patient() for _ in range(15)]
        for patient in patients:
            clinic.raise_alert(patient, Level.emergency)
            clinic.raise_alert(patient, Level.emergency)  # the same again joins
        wait_until(lambda: len(clinic.paged()) >= 15, 120, "the first pages")
        clinic.settle()
        assert Counter(clinic.paged()) == {"noor": 15}
        clinic.move(minutes=6, seconds=1)
        wait_until(lambda: len(clinic.paged()) >= 15 * 6, 180, "the second step")
        clinic.settle()
        assert Counter(clinic.paged()) == {"noor": 30, "ola": 15, "lee": 15, "max": 15, "sage": 15}
        with clinic.app.uow() as tx:
            assert len(tx.alerts()) == 15
            assert tx.verify_audit() is None
    finally:
        clinic.stop()
