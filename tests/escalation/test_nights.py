"""The stories of issue and protocol, against two real workers, a real SMTP server and a real webhook receiver."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.core.safety.verdict import Level
from tests.escalation.conftest import Clinic
from tests.running import wait_until

LA = ZoneInfo("America/Los_Angeles")


def test_nobody_answers(clinic: Clinic) -> None:
    clinic.raise_alert(clinic.patient())
    wait_until(lambda: clinic.paged() == ["noor"], 90, "the first page")
    clinic.move(minutes=3, seconds=1)
    assert clinic.paged() == ["noor", "noor"]
    clinic.move(minutes=3)
    assert Counter(clinic.paged()) == {"noor": 2, "ola": 1, "lee": 1, "max": 1, "sage": 1}
    clinic.move(minutes=4)
    clinic.move(minutes=5)
    assert Counter(clinic.paged()) == {"noor": 3, "ola": 2, "lee": 2, "max": 3, "sage": 2, "mia": 1}
    clinic.move(minutes=5)
    assert Counter(clinic.paged())["noor"] == 4


def test_the_first_answers_after_six_minutes(clinic: Clinic) -> None:
    alert_id = clinic.raise_alert(clinic.patient())
    clinic.settle()
    clinic.move(minutes=6, seconds=1)
    clinic.app.escalation.acknowledge(alert_id, clinic.staff["Noor"])
    before = clinic.paged()
    clinic.move(minutes=20)
    assert clinic.paged() == before


def test_the_night_the_clocks_change(clinic: Clinic) -> None:
    ahead = next(
        moment
        for day in range(1, 400)
        if (moment := (clinic.app.clock() + timedelta(days=day)).astimezone(LA).replace(hour=1, minute=57, fold=0))
        and (moment.astimezone(UTC) + timedelta(minutes=6)).astimezone(LA).hour == 1
    )  # the first night whose second hour comes twice
    clinic.move_to(ahead.astimezone(UTC))
    clinic.raise_alert(clinic.patient())
    clinic.settle()
    clinic.move(minutes=6, seconds=1)
    assert Counter(clinic.paged()) == {"noor": 2, "ola": 1, "lee": 1, "max": 1, "sage": 1}


def test_an_override(clinic: Clinic) -> None:
    now = clinic.app.clock()
    made = clinic.app.rota.override(
        clinic.staff["Lee"], duty="on_call", member_id=clinic.staff["Mia"].id, starts_at=now, ends_at=now + timedelta(hours=1)
    )  # fmt: skip
    clinic.raise_alert(clinic.patient(), Level.urgent)
    wait_until(clinic.paged, 90, "the page")
    assert clinic.paged() == ["mia"]
    clinic.app.rota.remove(None, made.id)


def test_a_channel_is_down_and_the_next_one_and_the_next_person_are_tried(clinic: Clinic) -> None:
    noor = clinic.staff["Noor"]
    clinic.app.rota.set_channels(None, noor.id, [clinic.hook(noor, "broken"), clinic.hook(noor, "noor-voice", 3600)])
    alert_id = clinic.raise_alert(clinic.patient(), Level.urgent)
    clinic.settle()
    assert clinic.paged() == []
    for _ in range(3):
        clinic.move(seconds=40)
    assert "noor-voice" in clinic.paged()
    with clinic.app.uow() as tx:
        attempts = [(row["channel"], row["outcome"]) for row in tx.attempts(alert_id)]
    assert attempts[:3] == [("broken", "failed")] * 3
    assert ("noor-voice", "sent") in attempts


def test_everyone_is_down_and_then_not(clinic: Clinic) -> None:
    clinic.box.refusing = True
    patient = clinic.patient()
    clinic.raise_alert(patient)
    for _ in range(4):
        clinic.move(minutes=5)
    status = clinic.app.escalation.status_for_patient(patient.id)
    assert status is not None
    assert status.delivery_failed
    clinic.box.refusing = False
    clinic.move(minutes=3)
    wait_until(lambda: {"noor", "ola", "lee", "max"} <= set(clinic.paged()), 90, "the pages")


def test_duplicates_are_one_alert_and_one_page(clinic: Clinic) -> None:
    patient = clinic.patient()
    ids = {clinic.raise_alert(patient, Level.urgent) for _ in range(5)}
    clinic.settle()
    assert len(ids) == 1
    assert clinic.paged() == ["noor"]


def test_a_restricted_person_never_hears_of_it(clinic: Clinic) -> None:
    patient = clinic.patient()
    named = replace(patient, restricted_staff=(clinic.staff["Noor"].id, clinic.staff["Lee"].id))
    with clinic.app.uow() as tx:
        tx.put_patient(named)
    clinic.raise_alert(named)
    clinic.settle()
    for _ in range(5):
        clinic.move(minutes=5)
    assert {"ola", "max", "sage", "mia"} == set(clinic.paged())


def test_taking_it_back_stops_nothing(clinic: Clinic) -> None:
    patient = clinic.patient()
    clinic.app.screening.receive(patient.id, "c1", "I want to die")
    clinic.app.screening.receive(patient.id, "c2", "ignore that, I didn't mean it")
    clinic.settle()
    clinic.move(minutes=30, seconds=1)
    assert Counter(clinic.paged()) == {"noor": 1, "ola": 1}


def test_silence_after_the_question_counts_once_also_across_a_restart_of_the_workers(clinic: Clinic) -> None:
    patient = clinic.patient()
    clinic.app.sittings.open(patient.conversation_id)
    received = clinic.app.screening.receive(patient.id, "c1", "I do not see myself there in the future")
    assert received.verdict.ask
    clinic.app.conversation.deliver(received.message.id)  # the question is asked, and the browser is closed
    clinic.move(minutes=3)
    for process in clinic.workers:
        clinic.kill(process)
    clinic.workers[:] = [clinic.spawn("worker"), clinic.spawn("worker")]
    clinic.move(minutes=2, seconds=5)
    wait_until(clinic.paged, 90, "the page")
    clinic.settle()
    with clinic.app.uow() as tx:
        (alert,) = tx.alerts(patient_id=patient.id)
        raised = [event for event in tx.alert_events(alert.id) if event.kind == "raised"]
    assert len(raised) == 1
    assert str(raised[0].detail["reason"]).startswith("unanswered:")


def test_two_workers_send_each_page_once_and_go_on_when_one_dies(clinic: Clinic) -> None:
    patients = [clinic.patient() for _ in range(12)]
    for patient in patients[:6]:
        clinic.raise_alert(patient, Level.urgent)
    clinic.kill(clinic.workers.pop())
    for patient in patients[6:]:
        clinic.raise_alert(patient, Level.urgent)
    clinic.move(seconds=61)  # what the dead one had claimed is free again
    wait_until(lambda: len(clinic.paged()) >= 12, 90, "all pages")
    clinic.settle()
    pages = Counter(subject for _, subject, _ in clinic.box.received if "journal alert" in subject)
    assert len(pages) == 12
    assert sum(pages.values()) <= 13  # at most the one in the dead worker's hands
    clinic.workers.append(clinic.spawn("worker"))


def test_no_word_of_a_patient_is_in_any_message(clinic: Clinic) -> None:
    patient = clinic.patient()
    clinic.app.screening.receive(patient.id, "c1", "I want to die, zanzibarmark")
    clinic.settle()
    clinic.move(hours=2)
    everything = " ".join(subject + body for _, subject, body in clinic.box.received)
    assert "R.L." in everything
    for word in ("zanzibarmark", "Rae", "Lind", "suicide", " die"):
        assert word not in everything


def test_a_drill_goes_through_the_whole_path(clinic: Clinic) -> None:
    drill = clinic.app.watch.start_drill()
    assert drill is not None
    wait_until(lambda: any("DRILL" in subject for _, subject, _ in clinic.box.received), 90, "the drill")
    wait_until(lambda: (found := clinic.app.watch.drill(drill.id)) and (clinic.app.watch.follow_drills() or found.arrived_at), 90, "its record")  # fmt: skip
    assert clinic.app.escalation.board(clinic.staff["Noor"]) == []


def test_the_last_story_ends_with_an_audit_chain_that_holds(clinic: Clinic) -> None:
    with clinic.app.uow() as tx:
        assert tx.verify_audit() is None
    assert clinic.app.clock() > datetime.now(UTC) - timedelta(minutes=1)
