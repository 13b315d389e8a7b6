"""What is older than the policy keeps goes, by the worker's own job, and that is on record; Rasa forgets in step."""

from __future__ import annotations

import sqlite3
import uuid
from dataclasses import replace

import pytest

from bot.bootstrap import Application
from bot.core.patterns import SittingRecord
from bot.core.reminders import Reminder
from bot.core.safety.verdict import Level
from bot.worker.loop import jobs_of
from tests import builders
from tests.builders import MovableClock
from tests.services.test_conversations import Talk
from tests.services.test_rights import written


def run(app: Application, name: str) -> object:
    """One round of a job of the worker."""
    (job,) = (job for job in jobs_of(app, "w") if job.name == name)
    return job.run()


@pytest.fixture
def talk(app: Application) -> Talk:
    return Talk(app, builders.patient(app, builders.staff_member(app, "Mo", "coach")))


def rows(app: Application, patient_id: str) -> dict[str, int]:
    """Rows of a patient by table, of those that retention is about."""
    names = ("message", "entry", "question", "part", "sitting_record", "safety_plan", "reminder")
    with sqlite3.connect(app.settings.data_path / "clinic.sqlite3") as database:
        counted = {n: database.execute(f"SELECT count(*) FROM {n} WHERE patient_id = ?", (patient_id,)) for n in names}
        return {name: int(found.fetchone()[0]) for name, found in counted.items()}


def test_every_kind_of_record_ends_with_its_time_and_not_before(
    app: Application, talk: Talk, clock: MovableClock
) -> None:
    patient_id = talk.patient.id
    entry = written(talk, "share")
    with app.uow() as tx:
        tx.add_question(patient_id, "coach", "why", clock())
        tx.see_part(patient_id, "the Clerk", clock())
        tx.put_plan_line(patient_id, "people", "my sister", clock())
        tx.add_reminder(Reminder(id="r1", patient_id=patient_id, entry_id=entry.id, due_at=clock()))
        record = SittingRecord(
            id=uuid.uuid4().hex, patient_id=patient_id, began_at=clock(), ended_at=clock(), phase="h24_72",
            practices=(), seconds=1, hours_since_dose=48, activation_start=1, activation_end=1, presence=1, pattern=None,
        )  # fmt: skip
        tx.add_sitting_record(record)
    before = rows(app, patient_id)
    assert all(before.values()), before
    keep = app.jurisdiction.retention
    assert keep.messages == keep.entries
    clock.move(days=keep.entries - 1)
    run(app, "retention")
    assert rows(app, patient_id) == before
    clock.move(days=2)
    run(app, "retention")
    assert not any(rows(app, patient_id).values()), rows(app, patient_id)
    with app.uow() as tx:
        swept = [f for f in tx.audit_of("clinic") if f["action"] == "retention.swept"]
        assert [fact["detail"]["entries"] > 0 for fact in swept] == [False, True]  # first only the old invitation
        assert tx.verify_audit() is None


def test_a_closed_alert_ends_and_an_open_one_never(app: Application, talk: Talk, clock: MovableClock) -> None:
    patients = {reason: builders.patient(app) for reason in ("old", "open")}
    with app.uow() as tx:
        for reason, patient in patients.items():
            app.escalation.raise_alert(
                tx, patient, level=Level.urgent, categories=("suicide",), reason=reason, words=reason
            )
        old = next(a for a in tx.alerts() if a.reason == "old")
        tx.put_alert(replace(old, status=type(old.status).resolved, resolved_at=clock()))
    clock.move(days=app.jurisdiction.retention.alerts + 1)
    run(app, "retention")
    with app.uow() as tx:
        assert [a.reason for a in tx.alerts()] == ["open"]


def test_rasa_forgets_what_was_removed_once_the_patient_is_quiet(
    app: Application, talk: Talk, clock: MovableClock
) -> None:
    store = app.settings.tracker_store
    with sqlite3.connect(store) as rasa:
        rasa.execute("CREATE TABLE window (sender_id TEXT PRIMARY KEY, sealed BLOB NOT NULL, updated REAL NOT NULL)")
        for name in (talk.patient.conversation_id, "another"):
            rasa.execute("INSERT INTO window VALUES (?, ?, 0)", (name, b"sealed"))
    entry = written(talk)
    app.journal.remove(talk.patient, entry.id)
    assert run(app, "forgetting") == 0  # a turn may still be under way
    clock.move(seconds=50)
    talk.say("still here")
    clock.move(seconds=30)
    assert run(app, "forgetting") == 0
    clock.move(seconds=61)
    assert run(app, "forgetting") == 1
    with sqlite3.connect(store) as rasa:
        assert rasa.execute("SELECT sender_id FROM window").fetchall() == [("another",)]
    assert run(app, "forgetting") == 0


def test_a_sitting_that_ended_remembers_nothing_of_a_removed_entry(app: Application, talk: Talk) -> None:
    entry = written(talk)
    app.journal.remove(talk.patient, entry.id)
    with app.uow() as tx:
        stored = tx.sitting(talk.patient.id)
    assert "heron" not in repr(stored)
    assert stored is not None
    assert stored.state["shown"]
