"""Marked words are driven through real flows; then everything that is written anywhere is searched for them."""

from __future__ import annotations

import random
import sys
import tempfile
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import structlog

from bot.adapters.backup import write_backup
from bot.worker.loop import jobs_of
from tests import builders
from tests.security.site import Site

MARK = "ZQXJKW"  # no word of any text of ours
SITTINGS, TURNS = 12, 25
WRITTEN = ("a field", "quit my job", "i want it all to stop", "the Clerk", "when i was little", "I feel unreal again")
WORDS = {
    "message": f"{MARK}one I sat by the window",
    "danger": f"{MARK}two I want to kill myself tonight",
    "name": f"{MARK}three",
    "entry": f"{MARK}four a green field",
    "question": f"{MARK}five",
    "part": f"{MARK}six",
    "note": f"{MARK}seven",
    "corrected": f"{MARK}eight",
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
    for limiter in site.flask.extensions["limiter"]:
        limiter.enabled = False
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
    rights(site)
    walked = sum((walk(site, seed) for seed in range(SITTINGS)), Counter())
    print("\nflows walked with marked words:", dict(walked))
    app.delivery.run_once("worker-1")
    for job in jobs_of(app, "worker-1"):
        job.run()


def rights(site: Site) -> None:
    """Everything that a patient may do with what they wrote, by asking and on the pages."""
    app, patient, browser = site.app, site.other, site.browser("other")
    entry = site.entry(patient, site.shared.visibility, WORDS["entry"])
    browser.form("/entries/search", words=WORDS["entry"])
    browser.form(f"/entries/{entry.id}/correct", line=WORDS["corrected"])
    assert WORDS["corrected"] in browser.get(f"/entries/{entry.id}").text
    for kind in ("markdown", "json", "pdf", "alerts"):
        assert browser.form(f"/entries/copy/{kind}").status_code == 200
    for command in ("show_entries", "export_data", "keep_private", "delete_entry", "delete_all_data"):
        app.sittings.steer(patient.conversation_id, uuid.uuid4().hex, command)
    browser.json("/api/v1/messages", {"client_id": "r1", "text": WORDS["message"]})
    app.desk.change_coach(patient.id, site.ids["coach"], "system")
    browser.form("/coach-change", history=WORDS["note"])
    browser.form("/coach-change", history="all")
    while (step := app.access.next_consent(patient.id)) is not None:  # a new coach, so it is asked again (7.3)
        app.access.record_consent(patient.id, str(step["id"]), "yes")
    browser.form("/account/pin", pin="730418", passphrase=WORDS["note"])
    app.journal.remove(patient, entry.id)


def walk(site: Site, seed: int) -> Counter[str]:
    """A sitting with marked words in every answer that takes words; which flows it passed through."""
    app, patient, browser, rnd = site.app, site.other, site.browser("other"), random.Random(seed)
    passed: Counter[str] = Counter()
    app.sittings.steer(patient.conversation_id, uuid.uuid4().hex, "start_journal")
    for number in range(TURNS):
        messages = browser.get("/api/v1/messages").get_json()["messages"]
        control = next(m["control"] for m in reversed(messages) if m["control"])
        with app.uow() as tx:
            stored = tx.sitting(patient.id)
        assert stored is not None
        passed.update({frame["flow"] for frame in stored.state["frames"][-1:]})
        sent: dict[str, Any] = {"client_id": f"w{seed}-{number}", "control_id": control["id"]}
        kind, words = control["type"], f"{MARK}{seed} {rnd.choice(WRITTEN)}"
        if kind in ("text", "short_text", "part"):
            sent["text"] = words
        elif kind == "body":
            sent["value"] = [{"place": "jaw", "word": words}]
        elif kind == "multi":
            sent["value"] = [option["value"] for option in control["options"][:1]] + [words]
        elif kind == "scale":
            sent["value"] = rnd.choice([2, 4, 9])
        elif kind == "none":
            sent["value"] = "continue"
        else:
            sent["value"] = rnd.choice(control["options"])["value"] if control["options"] else words
        answer = browser.json("/api/v1/messages", sent)
        assert answer.status_code == 200, answer.text
    return passed


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
