"""What happens to a message before and without Rasa: kept, assessed, alerted on, once."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from bot.bootstrap import Application
from bot.core.safety.verdict import AssessmentContext, Level, Verdict
from bot.services.screening import EmptyMessage, MessageTooLong
from tests import builders
from tests.builders import MovableClock, Outbox

EMERGENCY = "I'm going to kill myself tonight"


def test_a_message_is_kept_and_assessed_in_one_transaction(app: Application) -> None:
    patient = builders.patient(app)
    received = app.screening.receive(patient.id, "c1", "the river was wide")
    with app.uow() as tx:
        assert tx.assessment(received.message.id) is not None
        assert [m.text for m in tx.messages(patient.id)] == ["the river was wide"]


def test_the_same_client_id_changes_nothing(app: Application) -> None:
    builders.staff_member(app, "Noor", "responder")
    patient = builders.patient(app)
    first = app.screening.receive(patient.id, "c1", EMERGENCY)
    again = app.screening.receive(patient.id, "c1", EMERGENCY)
    assert again.duplicate
    assert again.message.id == first.message.id
    assert [m.text for m in again.crisis] == [m.text for m in first.crisis]
    with app.uow() as tx:
        assert len(tx.alerts()) == 1
        assert len(tx.messages(patient.id)) == 1 + len(first.crisis)


def test_an_emergency_shows_numbers_before_rasa_is_asked(app: Application) -> None:
    patient = builders.patient(app)
    received = app.screening.receive(patient.id, "c1", EMERGENCY)
    assert received.verdict.level is Level.emergency
    assert "988" in " ".join(m.text for m in received.crisis)


def test_with_rasa_down_the_message_is_kept_alerted_and_answered_with_numbers(
    tmp_path: Path, clock: MovableClock, outbox: Outbox
) -> None:
    app = builders.application(tmp_path, clock, outbox, builders.AbsentEngine())
    builders.staff_member(app, "Noor", "responder")
    patient = builders.patient(app)
    received = app.screening.receive(patient.id, "c1", "I want to die")
    replies = app.conversation.deliver(received.message.id)
    assert "988" in replies[-1].text
    assert app.delivery.run_once("w1").sent == 1
    with app.uow() as tx:
        clock.move(seconds=30)
        assert [m.id for m in tx.waiting(clock(), 10)] == [received.message.id]
    app.database.dispose()


@pytest.mark.parametrize("bad", ["", "   ", "\n\n"])
def test_an_empty_message_is_refused(app: Application, bad: str) -> None:
    with pytest.raises(EmptyMessage):
        app.screening.receive(builders.patient(app).id, "c1", bad)


def test_too_long_a_message_is_refused_before_anything_is_kept(app: Application) -> None:
    patient = builders.patient(app)
    with pytest.raises(MessageTooLong):
        app.screening.receive(patient.id, "c1", "a" * 40_001)
    with app.uow() as tx:
        assert tx.messages(patient.id) == []


@pytest.mark.parametrize(
    "odd", ["🙂🙂", "/restart", '/intent{"x":"y"}', "שלום לך", "a\x00b\x07", "word " * 5000], ids=lambda odd: odd[:8]
)
def test_odd_input_is_kept_verbatim(app: Application, odd: str) -> None:
    patient = builders.patient(app)
    received = app.screening.receive(patient.id, "c1", odd)
    with app.uow() as tx:
        kept = tx.message(received.message.id)
    assert kept is not None
    assert kept.text == odd


class Broken:
    version = "broken"

    def assess(self, text: str, context: AssessmentContext) -> Verdict:
        raise RuntimeError("no model")


def test_failing_to_assess_is_itself_an_alert(app: Application, outbox: Outbox) -> None:
    builders.staff_member(app, "Noor", "responder")
    patient = builders.patient(app)
    app.screening._assessor = Broken()
    received = app.screening.receive(patient.id, "c1", "hello")
    assert "988" in received.crisis[0].text
    app.delivery.run_once("w1")
    assert len(outbox.sent) == 1


def test_no_words_of_the_patient_lie_readable_in_the_database(app: Application, tmp_path: Path) -> None:
    builders.staff_member(app, "Noor", "responder")
    patient = builders.patient(app)
    app.screening.receive(patient.id, "c1", "I want to die, zanzibarmark")
    app.sittings.open(patient.conversation_id)
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert b"zanzibarmark" not in stored
    assert b"Lind" not in stored


def receive_and_die(folder: str, patient_id: str) -> None:
    app = builders.build(builders.settings(Path(folder)), clock=MovableClock(), notifier=Outbox())
    app.screening.receive(patient_id, "c1", EMERGENCY)
    os.kill(os.getpid(), signal.SIGKILL)


def test_nothing_received_is_lost_when_the_process_is_killed(tmp_path: Path, app: Application) -> None:
    builders.staff_member(app, "Noor", "responder")
    patient = builders.patient(app)
    process = multiprocessing.get_context("spawn").Process(target=receive_and_die, args=(str(tmp_path), patient.id))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    with app.uow() as tx:
        kept = tx.message_of_client(patient.id, "c1")
        assert kept is not None
        assert tx.assessment(kept.id) is not None
        assert [alert.level for alert in tx.alerts()] == [Level.emergency]
        assert tx.oldest_owed() is not None
