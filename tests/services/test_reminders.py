"""Reminders of a small step: only where asked for, at most as often, and saying nothing of what they are about."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.bootstrap import Application
from bot.core.journal import Entry
from bot.core.reminders import moments
from bot.core.safety.verdict import Level
from bot.services.ports import NotPermitted, SendFailed
from bot.worker.loop import jobs_of
from tests import builders
from tests.builders import NOON, MovableClock, Outbox
from tests.services.test_conversations import Talk


@pytest.fixture
def talk(app: Application) -> Talk:
    coach = builders.staff_member(app, "Mo", "coach")
    patient = builders.patient(app, coach, hours_since_journey=200)
    account = builders.staff_member(app, "Rae", "patient")
    with app.uow() as tx:
        tx.put_patient(replace(patient, user_id=account.id, consented_at=app.clock()))
        found = tx.patient(patient.id)
    assert found is not None
    return Talk(app, found)


def stepped(talk: Talk, answer: str, choice: str = "private") -> Entry:
    """A sitting with a small step, and this answer to the question about a reminder."""
    if talk.in_flow() is None:
        talk.app.sittings.steer(talk.patient.conversation_id, uuid.uuid4().hex, "start_journal")
    talk.tap("continue", "no", "ventral", 3, [{"place": "jaw", "word": "soft"}], "medium", "one_small_step")
    assert talk.in_flow() == "one_small_step"
    talk.tap("skip")
    talk.say("sit with the dog")
    talk.tap("yes")
    talk.say("after coffee")
    while talk.in_flow() == "one_small_step":
        offered = [option["value"] for option in talk.control["options"]]
        if "daily3" in offered:
            talk.tap(answer)
        elif talk.control["type"] == "scale":
            talk.tap(8)
        else:
            talk.tap("ok" if "ok" in offered else "skip")
    entry = talk.close(choice)
    assert entry is not None
    assert entry.line("step.text") == "sit with the dog"
    return entry


def run(app: Application) -> int:
    """The worker's own job, as it runs it."""
    (job,) = (job for job in jobs_of(app, "w") if job.name == "reminders")
    return int(str(job.run()))


def test_once_means_the_next_morning_and_daily_the_next_three_in_the_patients_zone() -> None:
    assert moments("once", NOON, "America/Los_Angeles") == [NOON + timedelta(hours=22)]
    assert moments("daily3", NOON, "America/Los_Angeles") == [NOON + timedelta(hours=22, days=d) for d in range(3)]
    assert moments("no", NOON, "America/Los_Angeles") == moments(None, NOON, "UTC") == []


def test_a_reminder_tells_nothing_and_comes_once(
    app: Application, talk: Talk, clock: MovableClock, outbox: Outbox
) -> None:
    entry = stepped(talk, "once")
    assert run(app) == 0
    clock.move(hours=23)
    assert run(app) == 1
    assert run(app) == 0
    assert outbox.sent == [("rae@plum-spring.example", "A note", "You have a note from your journal.\n")]
    with app.uow() as tx:
        assert [f["action"] for f in tx.audit_of(entry.id)][-1] == "reminder.sent"


def test_daily_comes_on_three_days_and_then_no_more(
    app: Application, talk: Talk, clock: MovableClock, outbox: Outbox
) -> None:
    stepped(talk, "daily3")
    for _ in range(5):
        clock.move(hours=24)
        run(app)
    assert len(outbox.sent) == 3


@pytest.mark.parametrize("answer", ["no", "skip"])
def test_who_did_not_ask_is_not_reminded(app: Application, talk: Talk, clock: MovableClock, answer: str) -> None:
    stepped(talk, answer)
    clock.move(days=4)
    assert run(app) == 0
    assert app.reminders.waiting(talk.patient.id) == []


def test_a_reminder_ends_with_its_entry(app: Application, talk: Talk, clock: MovableClock) -> None:
    entry = stepped(talk, "daily3")
    app.journal.remove(talk.patient, entry.id)
    clock.move(days=1)
    assert run(app) == 0


def test_a_discarded_step_is_not_reminded_of(app: Application, talk: Talk, clock: MovableClock) -> None:
    with pytest.raises(AssertionError):
        stepped(talk, "daily3", choice="discard")
    clock.move(days=1)
    assert run(app) == 0


def test_the_patient_stops_them_and_no_one_else_does(app: Application, talk: Talk, clock: MovableClock) -> None:
    entry = stepped(talk, "daily3")
    with pytest.raises(NotPermitted):
        app.reminders.quiet(builders.patient(app).id, entry.id)
    app.reminders.quiet(talk.patient.id, entry.id)
    clock.move(days=1)
    assert run(app) == 0


def test_nothing_is_sent_while_the_clinic_answers_an_alert_or_after_stopping(
    app: Application, talk: Talk, clock: MovableClock, outbox: Outbox
) -> None:
    stepped(talk, "daily3")
    with app.uow() as tx:
        app.escalation.raise_alert(tx, talk.patient, level=Level.urgent, categories=("suicide",), reason="test")
    clock.move(days=1)
    assert run(app) == 0
    app.privacy.stop(talk.patient.id)
    clock.move(days=1)
    assert run(app) == 0
    assert outbox.sent == []


def test_a_channel_that_fails_is_tried_again_and_not_for_ever(
    app: Application, talk: Talk, clock: MovableClock, outbox: Outbox
) -> None:
    entry = stepped(talk, "once")
    outbox.broken = SendFailed("timeout", permanent=False)
    clock.move(hours=23)
    assert run(app) == 0
    outbox.broken = None
    assert run(app) == 0  # not at once
    clock.move(minutes=11)
    assert run(app) == 1
    assert len(outbox.sent) == 1
    again = stepped(talk, "once")
    outbox.broken = SendFailed("address", permanent=True)
    clock.move(days=1)
    assert run(app) == 0
    with app.uow() as tx:
        assert [f["action"] for f in tx.audit_of(again.id)][-1] == "reminder.failed"
        assert [f["action"] for f in tx.audit_of(entry.id)][-1] == "reminder.sent"


def test_two_workers_send_one_reminder(app: Application, talk: Talk, clock: MovableClock, outbox: Outbox) -> None:
    stepped(talk, "once")
    clock.move(hours=23)
    with app.uow() as tx:
        (due,) = tx.reminders_due(clock(), 10)
        assert tx.claim_reminder(due, clock() + timedelta(minutes=10))
        assert not tx.claim_reminder(due, clock() + timedelta(minutes=10))
    assert run(app) == 0
