"""Marked words are driven through real flows; then everything that is written anywhere is searched for them."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest
import structlog

from bot.adapters.backup import write_backup
from tests import builders
from tests.security.site import Site

MARK = "ZQXJKW"  # no word of any text of ours
WORDS = {
    "message": f"{MARK}one I sat by the window",
    "danger": f"{MARK}two I want to kill myself tonight",
    "name": f"{MARK}three",
    "entry": f"{MARK}four a green field",
    "question": f"{MARK}five",
    "part": f"{MARK}six",
    "note": f"{MARK}seven",
}


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


def drive(site: Site) -> None:
    """Write the marked words in every way that there is, by the pages, and let others look at them."""
    app, patient = site.app, site.browser("patient")
    patient.form("/privacy/correct", first_name=WORDS["name"], phone="555-0100")
    for number, key in enumerate(("message", "danger")):
        answer = patient.json("/api/v1/messages", {"client_id": f"m{number}", "text": WORDS[key]})
        assert answer.status_code == 200
    patient.json(
        "/api/v1/messages", {"client_id": "m9", "text": WORDS["message"], "lines": {WORDS["part"]: WORDS["part"]}}
    )
    site.entry(site.patient, site.shared.visibility, WORDS["entry"])
    with app.uow() as tx:
        tx.add_question(site.patient.id, "coach", WORDS["question"], app.clock())
        tx.see_part(site.patient.id, WORDS["part"], app.clock())
        alert = tx.alerts(patient_id=site.patient.id)[0]
    lead = site.browser("clinical_lead")
    assert WORDS["danger"] in lead.form(f"/staff/alerts/{alert.id}/words").text
    lead.form(f"/staff/alerts/{alert.id}/acknowledge")
    lead.form(f"/staff/alerts/{alert.id}/resolve", outcome="contacted", note=WORDS["note"])
    assert WORDS["entry"] in site.browser("coach").get(f"/coach/patients/{site.patient.id}").text
    app.delivery.run_once("worker-1")
    app.escalation.escalate_due()


def fail(site: Site) -> None:
    """Make a request fail while it holds marked words."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(WORDS["message"])

    object.__setattr__(site.app.screening, "receive", broken)
    answer = site.browser("patient").json("/api/v1/messages", {"client_id": "f1", "text": WORDS["message"]})
    assert answer.status_code == 500
    assert MARK not in answer.text


def test_marked_words_are_found_nowhere_but_under_the_patients_key(
    own_site: Site,
    outbox: builders.Outbox,
    temp: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    with caplog.at_level("DEBUG"):
        drive(own_site)
        fail(own_site)
    app = own_site.app
    write_backup(app.database, app.settings.tracker_store, builders.KEY, tmp_path / "one.backup", app.clock())
    written = capfd.readouterr()
    places = {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert any(name.endswith("clinic.sqlite3-wal") for name in places)
    places |= {"stdout": written.out.encode(), "stderr": written.err.encode(), "log": caplog.text.encode()}
    places["mails"] = repr(outbox.sent).encode()
    assert "request.failed" in written.err + written.out + caplog.text
    assert {name for name, held in places.items() if MARK.encode() in held} == set()
    assert not list(temp.iterdir())


def test_the_search_would_find_a_word_that_leaks(own_site: Site, tmp_path: Path) -> None:
    with own_site.app.uow() as tx:
        tx.audit("system", "leak.proof", WORDS["note"][:40], own_site.app.clock())
    held = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert MARK.encode() in held
