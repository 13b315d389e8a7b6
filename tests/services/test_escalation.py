"""Stories of alerts with a movable clock: who hears when, and what the patient is told."""

from __future__ import annotations

import pytest

from bot.bootstrap import Application
from bot.core.people import Patient
from bot.core.safety.verdict import Level
from bot.services.ports import NotPermitted, SendFailed
from tests import builders
from tests.builders import MovableClock, Outbox

URGENT = "I want to die"
EMERGENCY = "I'm going to kill myself tonight"


@pytest.fixture
def patient(app: Application) -> Patient:
    for duty, name, role in (
        ("on_call", "Noor", "responder"),
        ("second", "Ola", "responder"),
        ("director", "Lee", "clinical_lead"),
    ):
        builders.on_duty(app, duty, builders.staff_member(app, name, role))
    return builders.patient(app)


def receivers(outbox: Outbox) -> list[str]:
    return [address.split("@")[0] for address, subject, _ in outbox.sent if "journal alert" in subject]


def say(app: Application, patient: Patient, words: str, client_id: str = "c1") -> None:
    app.screening.receive(patient.id, client_id, words)


def test_the_message_to_staff_carries_initials_level_and_link_but_no_words(
    app: Application, patient: Patient, outbox: Outbox
) -> None:
    say(app, patient, URGENT)
    app.delivery.run_once("w1")
    _, subject, body = outbox.sent[0]
    assert "URGENT" in subject
    assert "R.L." in body
    assert "/staff/alerts/" in body
    assert not {"die", "Rae", "Lind", "suicide"} & set((subject + " " + body).replace(",", " ").split())


def test_an_unacknowledged_emergency_reaches_the_second_responder_after_six_minutes(
    app: Application, patient: Patient, outbox: Outbox, clock: MovableClock
) -> None:
    say(app, patient, EMERGENCY)
    app.delivery.run_once("w1")
    assert receivers(outbox) == ["noor"]
    clock.move(minutes=3)
    app.delivery.run_once("w1")
    clock.move(minutes=3)
    app.delivery.run_once("w1")
    assert receivers(outbox) == ["noor", "noor", "ola", "lee"]


def test_an_acknowledged_alert_pages_no_one_else(
    app: Application, patient: Patient, outbox: Outbox, clock: MovableClock
) -> None:
    say(app, patient, EMERGENCY)
    app.delivery.run_once("w1")
    noor = next(m for m in staff(app) if m.name == "Noor")
    alert = app.escalation.board(noor)[0].alert
    clock.move(minutes=2)
    app.escalation.acknowledge(alert.id, noor)
    clock.move(minutes=29)
    app.delivery.run_once("w1")
    assert receivers(outbox) == ["noor"]
    status = app.escalation.status_for_patient(patient.id)
    assert status is not None
    assert (status.seen_by, status.next_at) == ("Noor", None)


def test_a_repeated_disclosure_joins_the_open_alert_and_a_rise_pages_again(
    app: Application, patient: Patient, outbox: Outbox
) -> None:
    say(app, patient, URGENT)
    say(app, patient, URGENT, "c2")
    app.delivery.run_once("w1")
    assert len(outbox.sent) == 1
    say(app, patient, EMERGENCY, "c3")
    app.delivery.run_once("w1")
    assert len(outbox.sent) == 2
    assert "EMERGENCY" in outbox.sent[1][1]
    with app.uow() as tx:
        assert [alert.level for alert in tx.alerts()] == [Level.emergency]


def test_a_broken_channel_is_tried_again_and_the_patient_is_told(
    app: Application, patient: Patient, outbox: Outbox, clock: MovableClock
) -> None:
    outbox.broken = SendFailed("not_accepted", permanent=False)
    say(app, patient, URGENT)
    assert app.delivery.run_once("w1").failed == 1
    status = app.escalation.status_for_patient(patient.id)
    assert status is not None
    assert status.delivery_failed
    outbox.broken = None
    clock.move(seconds=6)
    assert app.delivery.run_once("w1").sent == 1


def test_a_permanent_failure_moves_on_to_another_person_at_once(
    app: Application, patient: Patient, outbox: Outbox
) -> None:
    outbox.unreachable = {"noor"}
    say(app, patient, URGENT)
    app.delivery.run_once("w1")
    app.delivery.run_once("w1")
    assert receivers(outbox) == ["ola"]


def test_a_claim_of_a_dead_worker_is_taken_over(
    app: Application, patient: Patient, outbox: Outbox, clock: MovableClock
) -> None:
    say(app, patient, URGENT)
    with app.uow() as tx:
        claimed = tx.claim("dead", clock(), clock.now.replace(minute=1), 10)
        assert len(claimed) == 1
        assert tx.claim("other", clock(), clock(), 10) == []
    clock.move(minutes=2)
    assert app.delivery.run_once("w2").sent == 1


def test_a_restricted_person_neither_hears_nor_sees(app: Application, patient: Patient, outbox: Outbox) -> None:
    from dataclasses import replace

    noor = next(m for m in staff(app) if m.name == "Noor")
    with app.uow() as tx:
        tx.put_patient(replace(patient, restricted_staff=(noor.id,)))
    say(app, patient, URGENT)
    app.delivery.run_once("w1")
    assert receivers(outbox) == ["ola"]
    assert app.escalation.board(noor) == []
    with app.uow() as tx:
        alert_id = tx.alerts()[0].id
    with pytest.raises(NotPermitted):
        app.escalation.reveal_words(alert_id, noor)


def test_reading_the_words_is_audited_and_the_chain_holds(app: Application, patient: Patient) -> None:
    say(app, patient, URGENT)
    noor = next(m for m in staff(app) if m.name == "Noor")
    alert_id = app.escalation.board(noor)[0].alert.id
    assert [words for _, words in app.escalation.reveal_words(alert_id, noor)] == [URGENT]
    with app.uow() as tx:
        assert "alert.words_read" in [fact["action"] for fact in tx.audit_of(alert_id)]
        assert tx.verify_audit() is None


def test_tampering_with_the_audit_chain_is_found_where_it_was_done(app: Application, patient: Patient) -> None:
    from sqlalchemy import text

    say(app, patient, URGENT)
    with app.database.begin() as connection:
        connection.execute(text("UPDATE audit SET actor = 'someone' WHERE seq = 2"))
    with app.uow() as tx:
        assert tx.verify_audit() == 2


def test_silence_after_a_question_escalates_once(app: Application, patient: Patient, clock: MovableClock) -> None:
    app.sittings.open(patient.conversation_id)
    received = app.screening.receive(patient.id, "c1", "goodbye, thank you for everything")
    assert received.verdict.ask
    app.conversation.deliver(received.message.id)
    assert app.sittings.break_silences() == 0
    clock.move(minutes=6)
    assert app.sittings.break_silences() == 1
    assert app.sittings.break_silences() == 0
    with app.uow() as tx:
        assert [alert.level for alert in tx.alerts()] == [Level.emergency]


def staff(app: Application) -> list[builders.StaffMember]:
    with app.uow() as tx:
        return tx.staff()
