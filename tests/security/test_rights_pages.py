"""The patient's rights on the pages: correcting words, files, reminders, a new coach; and links of the conversation."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from bot.core.reminders import Reminder
from bot.core.reports import CRISIS_REFERRED
from bot.core.safety.verdict import Level
from tests import builders
from tests.security.site import Site


def test_words_of_an_entry_are_corrected_and_that_is_on_record(own_site: Site) -> None:
    browser = own_site.browser("patient")
    browser.form(f"/entries/{own_site.shared.id}/correct", line="a wide green field")
    assert "a wide green field" in browser.get(f"/entries/{own_site.shared.id}").text
    assert "a wide green field" in own_site.browser("coach").get(f"/coach/patients/{own_site.patient.id}").text
    with own_site.app.uow() as tx:
        assert tx.audit_of(own_site.shared.id)[-1]["action"] == "entry.corrected"


@pytest.mark.parametrize("lines", [[], [""], ["one", "two"], ["x" * 50_000]])
def test_a_correction_that_does_not_fit_changes_nothing(own_site: Site, lines: list[str]) -> None:
    browser = own_site.browser("patient")
    answer = browser.form(f"/entries/{own_site.shared.id}/correct", line=lines)
    assert answer.status_code == 422
    assert own_site.app.journal.entry(own_site.patient.id, own_site.shared.id).lines == own_site.shared.lines


def test_danger_written_into_a_correction_is_answered_like_any_message(own_site: Site) -> None:
    browser = own_site.browser("patient")
    answer = browser.form(f"/entries/{own_site.private.id}/correct", line="I want to kill myself tonight")
    assert answer.headers["Location"] == "/journal"
    messages = browser.get("/api/v1/messages").get_json()["messages"]
    assert any(m["kind"] == "crisis" and "988" in m["text"] for m in messages)
    with own_site.app.uow() as tx:
        levels = [a.level for a in tx.alerts(patient_id=own_site.patient.id)]
    assert max(levels) is Level.emergency
    entry = own_site.app.journal.entry(own_site.patient.id, own_site.private.id)
    assert entry.lines[0].text == "I want to kill myself tonight"


def test_anothers_entry_cannot_be_corrected_nor_its_reminders_stopped(own_site: Site) -> None:
    browser = own_site.browser("other")
    assert browser.form(f"/entries/{own_site.shared.id}/correct", line="mine now").status_code == 404
    assert browser.form(f"/entries/steps/{own_site.shared.id}/quiet").status_code == 404


def test_the_record_of_alerts_is_a_file_without_words_or_rules(own_site: Site) -> None:
    answer = own_site.browser("patient").form("/entries/copy/alerts")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="alerts.md"'
    assert "suicide · urgent · still open" in answer.text
    assert "words of an alert" not in answer.text
    assert "test" not in answer.text


def test_links_of_the_conversation_lead_to_own_pages(own_site: Site) -> None:
    browser, app, patient = own_site.browser("patient"), own_site.app, own_site.patient
    app.sittings.steer(patient.conversation_id, uuid.uuid4().hex, "show_entries")
    app.sittings.steer(patient.conversation_id, uuid.uuid4().hex, "export_data")
    messages = browser.get("/api/v1/messages").get_json()["messages"]
    found = [link["href"] for message in messages for link in message["links"]]
    assert found[-2:] == ["/entries/copy", "/entries/copy#alerts"]
    assert {f"/entries/{own_site.shared.id}", f"/entries/{own_site.private.id}"} == set(found[:-2])
    assert all(browser.get(path).status_code == 200 for path in found)


def test_reminders_are_listed_with_small_steps_and_stopped_there(own_site: Site) -> None:
    app, patient = own_site.app, own_site.patient
    with app.uow() as tx:
        line = own_site.shared.lines[0]
        step = type(line)(field="step.text", label="A small step", step="os_step", text="sit with the dog")
        tx.put_entry(type(own_site.shared)(**{**own_site.shared.__dict__, "lines": (step,)}))
        due = app.clock() + timedelta(days=1)
        tx.add_reminder(Reminder(id="r1", patient_id=patient.id, entry_id=own_site.shared.id, due_at=due))
    browser = own_site.browser("patient")
    assert "A plain reminder comes" in browser.get("/entries/steps").text
    browser.form(f"/entries/steps/{own_site.shared.id}/quiet")
    assert "A plain reminder comes" not in browser.get("/entries/steps").text


def test_the_year_is_counted_without_anyone_in_it(own_site: Site) -> None:
    browser = own_site.browser("patient")
    browser.json("/api/v1/messages", {"client_id": "y1", "text": "I want to kill myself tonight"})
    rows = own_site.browser("clinical_lead").get("/staff/reports/year.csv?year=2026").text.splitlines()
    assert rows[0] == "category,level,count"
    assert rows[-1] == "crisis_referrals,any,1"
    assert any(row.startswith("suicide,") for row in rows)
    whole = "\n".join(rows)
    assert not any(word in whole for word in (own_site.patient.id, "Rae", "Lind", own_site.alert.id))
    with own_site.app.uow() as tx:
        assert tx.count_audited(CRISIS_REFERRED, builders.NOON, builders.NOON + timedelta(hours=1)) == 1
    counted = own_site.app.reports.year(None, 2025)
    assert counted == [("crisis_referrals", "any", 0)]
