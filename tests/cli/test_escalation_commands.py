"""The console keeps the rota, says where an audit chain breaks, and prints reports."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from bot.bootstrap import Application
from bot.cli.main import main
from bot.core.safety.verdict import Level
from tests import builders


@pytest.fixture
def kat(app: Application, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    """The console on the same database, with the real clock."""
    monkeypatch.setattr("bot.cli.rota.application", lambda: app)
    monkeypatch.setattr("bot.cli.trust.application", lambda: app)
    return CliRunner()


def run(kat: CliRunner, *words: str) -> Result:
    return kat.invoke(main, list(words))


def test_the_rota_is_kept_and_its_gaps_are_found(kat: CliRunner, app: Application) -> None:
    builders.staff_member(app, "Noor", "responder")
    assert run(kat, "rota", "gaps").exit_code == 1
    for duty in ("on_call", "second"):
        made = run(kat, "rota", "shift", duty, "noor@plum-spring.example", "--from", "2026-01-05")
        assert made.exit_code == 0, made.output
    assert "No gaps in the next 30 days." in run(kat, "rota", "gaps").output
    away = run(kat, "rota", "day-off", "--from", "2026-12-01", "--person", "noor@plum-spring.example")
    assert "gap: no one is on_call from Tue Dec 01 00:00 to Wed Dec 02 00:00 PST" in away.output
    assert run(kat, "rota", "remove", away.output.split()[2]).exit_code == 0
    assert run(kat, "rota", "gaps").exit_code == 0
    shown = run(kat, "rota", "show").output
    assert "Noor" in shown
    assert "NO ONE" in shown  # nobody directs yet
    assert "No staff account" in run(kat, "rota", "shift", "on_call", "who@example.com", "--from", "2026-01-05").output


def test_channels_are_set_without_ever_being_printed(kat: CliRunner, app: Application) -> None:
    noor = builders.staff_member(app, "Noor", "responder")
    done = run(kat, "rota", "channels", noor.email, "pager@0=json://user:zanzibarmark@host/", "sms@120=json://host/b")
    assert done.output.strip() == f"{noor.email} is reached by pager, sms."
    refused = run(kat, "rota", "channels", noor.email, "pager@0=nonsense")
    assert (refused.exit_code, "stay as they were" in refused.output) == (1, True)
    with app.uow() as tx:
        assert [channel.name for channel in tx.channels(noor.id)] == ["pager", "sms"]


def test_the_audit_chain_is_verified_and_tampering_is_named(kat: CliRunner, app: Application) -> None:
    builders.clinic_staff(app)
    raise_alert(app)
    whole = run(kat, "audit", "verify")
    assert (whole.exit_code, "fit together" in whole.output) == (0, True)
    anchor = run(kat, "audit", "head").output.strip()
    with app.database.begin() as connection:
        connection.execute(text("UPDATE audit SET actor = 'someone' WHERE seq = 3"))
    broken = run(kat, "audit", "verify")
    assert (broken.exit_code, "breaks at record 3" in broken.output) == (1, True)
    with app.database.begin() as connection:
        connection.execute(text("DELETE FROM audit WHERE seq > 2"))
    assert run(kat, "audit", "verify").exit_code == 0  # a cut-off end shows only against what was noted elsewhere
    cut = run(kat, "audit", "verify", "--anchor", anchor)
    assert (cut.exit_code, "cut off" in cut.output) == (1, True)


def test_a_report_names_no_one(kat: CliRunner, app: Application) -> None:
    builders.clinic_staff(app)
    raise_alert(app)
    week, year = run(kat, "report").output, run(kat, "report", "--year", "2026").output
    assert "alerts,suicide urgent,1,alerts" in week
    assert "suicide,urgent,1" in year
    for word in ("Rae", "Lind", "R.L.", "Noor"):
        assert word not in week + year


def raise_alert(app: Application) -> None:
    patient = builders.patient(app)
    with app.uow() as tx:
        app.escalation.raise_alert(tx, patient, level=Level.urgent, categories=("suicide",), reason="x")
