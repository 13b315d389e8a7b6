"""The clinic's key: where it comes from, changing it while patients write, and what erasing a patient destroys."""

from __future__ import annotations

import base64
import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from bot.adapters.clinic_key import KeyUnavailable, clinic_key
from bot.adapters.crypto import SealBroken, Vault
from bot.adapters.sql import tables as t
from bot.adapters.sql.erasure import KEPT
from bot.bootstrap import Application, build
from bot.core.journal import Visibility
from bot.core.safety.verdict import Level
from bot.services.keys import STEP, KeyService
from bot.services.privacy import PrivacyService
from tests import builders
from tests.security.site import Site

FRESH = base64.b64encode(b"n" * 32).decode()
RESEALED = {"patient.sealed_identity", "alert_event.sealed_words"}


def test_the_key_comes_from_a_private_file_or_a_command(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(FRESH + "\n")
    file.chmod(0o644)
    with pytest.raises(KeyUnavailable, match="mode to 600"):
        clinic_key(value="", file=str(file), command="")
    file.chmod(0o600)
    assert clinic_key(value="", file=str(file), command="") == FRESH
    assert clinic_key(value="", file="", command=f"cat {file}") == FRESH


@pytest.mark.parametrize("command", ["/nowhere/at/all", "false", "echo short", "'unbalanced"])
def test_a_command_that_gives_no_key_is_refused_without_quoting_anything(command: str) -> None:
    with pytest.raises(KeyUnavailable) as refused:
        clinic_key(value="", file="", command=command)
    assert "short" not in str(refused.value)


def test_a_value_cannot_be_moved_to_another_place_or_patient() -> None:
    vault = Vault(FRESH)
    one, two = vault.new_key("one"), vault.new_key("two")
    sealed = vault.seal(one, "one", "entry/1", "words")
    assert vault.open(one, "one", "entry/1", sealed) == "words"
    for key, patient, place in ((one, "one", "entry/2"), (two, "two", "entry/1")):
        with pytest.raises(SealBroken):
            vault.open(key, patient, place, sealed)
    with pytest.raises(SealBroken):
        vault.open(one, "two", "entry/1", sealed)


def test_keys_rotate_while_patients_write_and_go_on_after_an_interruption(app: Application, tmp_path: Path) -> None:
    people = [builders.patient(app) for _ in range(3)]
    both = build(builders.settings(tmp_path, clinic_key=FRESH, earlier_clinic_keys=builders.KEY), clock=app.clock)

    class Interrupted(Vault):
        """Stops after the first patient, as a killed process would."""

        calls = 0

        def rewrap(self, wrapped: bytes, patient_id: str) -> bytes:
            self.calls += 1
            if self.calls > 1:
                raise KeyboardInterrupt
            return super().rewrap(wrapped, patient_id)

    with pytest.raises(KeyboardInterrupt):
        KeyService(both.uow, both.clock, Interrupted(FRESH, builders.KEY)).rotate("system")
    assert STEP > 3
    assert both.keys.count().earlier == 3  # a step is whole or not at all
    assert both.keys.rotate("system") == 3
    assert both.keys.rotate("system") == 0
    assert both.keys.count().current == 3
    both.screening.receive(people[0].id, "c1", "written during the change")
    after = build(builders.settings(tmp_path, clinic_key=FRESH), clock=app.clock)
    assert after.conversation.since(people[0].id, 0)[-1].text == "written during the change"
    with app.uow() as tx, pytest.raises(SealBroken):  # the earlier key alone opens nothing any more
        tx.patient(people[0].id)
    with after.uow() as tx:
        assert [fact["detail"]["count"] for fact in tx.audit_of("clinic") if fact["action"] == "keys.rotated"] == [3]
        assert tx.verify_audit() is None
    for made in (both, after):
        made.database.dispose()


def test_a_change_by_someone_else_during_rotation_is_not_overwritten(app: Application) -> None:
    patient = builders.patient(app)
    with app.uow() as tx:
        [(_, wrapped)] = tx.wrapped_keys("", 10)
        assert not tx.rewrap(patient.id, b"something older", b"x" * 60)
        assert tx.wrapped_keys("", 10) == [(patient.id, wrapped)]


def test_every_sealed_column_is_erased_with_its_row_or_sealed_anew() -> None:
    """Enumerated, so that a new table of patients' words cannot be forgotten."""
    for table in t.Base.metadata.sorted_tables:
        sealed = {f"{table.name}.{c.name}" for c in table.columns if c.name.startswith("sealed")}
        if table.name in KEPT:
            assert sealed <= RESEALED, table.name
        elif sealed:
            owners = {key.column.table.name for key in table.foreign_keys} | {table.name}
            assert "patient_id" in table.c or owners & {"message", "entry", "sitting"}, table.name


def erased(site: Site) -> Path:
    """The site after its patient was erased; returns the database's file."""
    site.app.privacy.ask_deletion(site.patient.id)
    with site.app.uow() as tx:
        for alert in tx.alerts(patient_id=site.patient.id):
            tx.put_alert(replace(alert, status=type(alert.status).resolved, resolved_at=site.app.clock()))
    assert site.app.privacy.run_deletions() == 1
    return site.app.settings.data_path / "clinic.sqlite3"


def test_erasing_destroys_the_key_and_every_word_but_the_alerts(own_site: Site) -> None:
    site = own_site
    browser = site.browser("patient")
    browser.json("/api/v1/messages", {"client_id": "c1", "text": "a quiet morning"})
    file = site.app.settings.data_path / "clinic.sqlite3"
    with sqlite3.connect(file) as before:
        old_key, old_entry = before.execute(
            "SELECT wrapped_key, sealed_lines FROM patient JOIN entry ON entry.patient_id = patient.id WHERE entry.id = ?",
            (site.private.id,),
        ).fetchone()
    erased(site)
    assert not browser.is_signed_in
    with sqlite3.connect(file) as after:
        for table in ("message", "entry", "question", "part", "sitting", "journey"):
            mine = f"SELECT count(*) FROM {table} WHERE patient_id = ?"
            assert after.execute(mine, (site.patient.id,)).fetchone() == (0,), table
        assert after.execute('SELECT count(*) FROM "user" WHERE id = ?', (site.ids["patient"],)).fetchone() == (0,)
        new_key = after.execute("SELECT wrapped_key FROM patient WHERE id = ?", (site.patient.id,)).fetchone()[0]
    vault = Vault(builders.KEY)
    with pytest.raises(SealBroken):  # even a copy of the old ciphertext, with the clinic's key at hand
        vault.open(new_key, site.patient.id, f"entry/{site.private.id}", old_entry)
    for part in (file, file.with_name(file.name + "-wal")):
        held = part.read_bytes() if part.exists() else b""
        assert old_key not in held
        assert old_entry not in held
    words = site.app.escalation.reveal_words(site.alert.id, builders.staff_member(site.app, "Lee", "clinical_lead"))
    assert [text for _, text in words] == ["words of an alert"]
    with site.app.uow() as tx:
        assert tx.consent_records(site.patient.id)
        assert tx.verify_audit() is None
    assert site.app.digests.own_entries(site.other.id)[0].lines[0].text == "another's words"


def test_erasing_also_empties_what_rasa_remembers(own_site: Site) -> None:
    store = own_site.app.settings.tracker_store
    with sqlite3.connect(store) as rasa:
        rasa.execute("CREATE TABLE window (sender_id TEXT PRIMARY KEY, sealed BLOB NOT NULL, updated REAL NOT NULL)")
        for one in (own_site.patient, own_site.other):
            rasa.execute("INSERT INTO window VALUES (?, ?, 0)", (one.conversation_id, b"REMEMBERED" + os.urandom(20)))
    erased(own_site)
    with sqlite3.connect(store) as rasa:
        assert rasa.execute("SELECT sender_id FROM window").fetchall() == [(own_site.other.conversation_id,)]


def test_nothing_is_deleted_within_a_day_of_a_dose(own_site: Site, clock: builders.MovableClock) -> None:
    site = own_site
    builders.journey_ended(site.app, site.patient.id, 20)
    browser = site.browser("patient")
    page = browser.client.post(
        "/privacy/delete",
        data={"sure": "yes", "passphrase": "plum blossom river stone", "csrf_token": browser.token},
        follow_redirects=True,
    ).text
    assert "ask you again tomorrow. Nothing is removed yet." in page
    assert site.app.privacy.run_deletions() == 0
    clock.move(hours=5)
    assert site.app.privacy.run_deletions() == 0  # noted is not confirmed
    asked = site.app.privacy.ask_deletion(site.patient.id)
    assert asked.confirmed_at is not None
    builders.journey_ended(site.app, site.patient.id, 1)  # a new dose makes it too early again
    assert site.app.privacy.run_deletions() == 0
    assert site.app.digests.own_entries(site.patient.id)


def test_deletion_waits_while_the_clinic_answers_an_alert_and_can_be_withdrawn(own_site: Site) -> None:
    site = own_site
    site.app.privacy.ask_deletion(site.patient.id)
    assert site.app.privacy.run_deletions() == 0
    site.app.privacy.withdraw_deletion(site.patient.id)
    assert site.app.privacy.overview(site.patient.id).deletion is None


def test_stopping_unshares_and_takes_nothing_new_but_reading_stays(own_site: Site) -> None:
    browser, coach = own_site.browser("patient"), own_site.browser("coach")
    browser.form("/privacy/stop")
    answer = browser.json("/api/v1/messages", {"client_id": "c2", "text": "hello"})
    assert answer.status_code == 409
    assert "a green field" in browser.get("/entries").text
    assert "a green field" not in coach.get(f"/coach/patients/{own_site.patient.id}").text
    assert browser.get("/journal").headers["Location"] == "/consent"
    assert all(e.visibility is Visibility.private for e in own_site.app.digests.own_entries(own_site.patient.id))


def test_the_patient_sees_who_looked_and_at_what(own_site: Site) -> None:
    own_site.browser("coach").get(f"/coach/patients/{own_site.patient.id}")
    own_site.browser("responder").form(f"/staff/alerts/{own_site.alert.id}/words")
    page = own_site.browser("patient").get("/privacy").text
    assert "Coach: entries you share" in page
    assert "Responder: the words behind an alert" in page


def test_retention_deletes_what_is_old_and_keeps_what_is_not(app: Application, clock: builders.MovableClock) -> None:
    patient = builders.patient(app)
    app.screening.receive(patient.id, "c1", "long ago")
    clock.move(days=2600)
    app.screening.receive(patient.id, "c2", "today")
    gone = app.privacy.sweep()
    assert gone["messages"] >= 1
    texts = [m.text for m in app.conversation.since(patient.id, 0)]
    assert "today" in texts
    assert "long ago" not in texts
    assert app.privacy.sweep() == {}  # at most once an hour
    with app.uow() as tx:
        assert [f["action"] for f in tx.audit_of("clinic")] == ["retention.swept"]


def test_an_open_alert_is_never_swept(app: Application, clock: builders.MovableClock) -> None:
    patient = builders.patient(app)
    with app.uow() as tx:
        app.escalation.raise_alert(tx, patient, level=Level.urgent, categories=("suicide",), reason="test")
    clock.move(days=3000)
    app.privacy.sweep()
    with app.uow() as tx:
        assert len(tx.alerts(patient_id=patient.id)) == 1
    assert isinstance(app.privacy, PrivacyService)
