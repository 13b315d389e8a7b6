"""Stories of a night: who is paged when, with a clock that moves, and a clinic where every duty is held."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.bootstrap import Application
from bot.core.escalation import AlertStatus
from bot.core.people import Patient, StaffMember
from bot.core.safety.verdict import Level
from bot.services.ports import NotPermitted, SendFailed
from tests import builders
from tests.builders import MovableClock, Outbox

URGENT, EMERGENCY, MEDICAL = "I want to die", "I'm going to kill myself tonight", "I have crushing chest pain"
LA = ZoneInfo("America/Los_Angeles")
Staff = dict[str, StaffMember]


@pytest.fixture
def staff(app: Application) -> Staff:
    return builders.clinic_staff(app)


@pytest.fixture
def patient(app: Application, staff: Staff) -> Patient:
    return builders.patient(app, builders.staff_member(app, "Mo", "coach"))


def paged(outbox: Outbox) -> list[str]:
    return [address.split("@")[0] for address, subject, _ in outbox.sent if "journal alert" in subject]


def raise_alert(app: Application, patient: Patient, level: Level, *categories: str, **facts: str) -> str:
    with app.uow() as tx:
        found = app.escalation.raise_alert(tx, patient, level=level, categories=categories, reason="test", **facts)  # type: ignore[arg-type]
    return found.id


def pass_time(app: Application, clock: MovableClock, minutes: int) -> None:
    """Minute by minute, as a worker sees it."""
    for _ in range(minutes):
        clock.move(minutes=1)
        app.delivery.run_once("w1")


def test_nobody_answers_and_it_goes_up_to_the_director_and_on(
    app: Application, staff: Staff, patient: Patient, outbox: Outbox, clock: MovableClock
) -> None:
    raise_alert(app, patient, Level.emergency, "suicide")
    app.delivery.run_once("w1")
    assert paged(outbox) == ["noor"]
    pass_time(app, clock, 3)
    assert paged(outbox) == ["noor", "noor"]
    pass_time(app, clock, 3)
    assert paged(outbox)[2:] == ["ola", "lee", "max", "sage"]  # the second person, and everyone who leads
    before = len(paged(outbox))
    pass_time(app, clock, 4)
    assert set(paged(outbox)[before:]) == {"noor", "ola", "lee", "max", "sage", "mia"}
    before = len(paged(outbox))
    pass_time(app, clock, 5)
    assert paged(outbox)[before:] == ["max"]
    before = len(paged(outbox))
    pass_time(app, clock, 5)
    assert "noor" in paged(outbox)[before:]
    with app.uow() as tx:
        told = [e.detail["text"] for a in tx.alerts() for e in tx.alert_events(a.id) if e.kind == "told"]
    assert told == ["safety_shared.no_ack_10min"]


def test_the_first_answers_after_six_minutes_and_no_one_else_is_woken(
    app: Application, staff: Staff, patient: Patient, outbox: Outbox, clock: MovableClock
) -> None:
    alert_id = raise_alert(app, patient, Level.emergency, "suicide")
    pass_time(app, clock, 6)
    before = paged(outbox)
    app.escalation.acknowledge(alert_id, staff["Noor"])
    pass_time(app, clock, 20)
    assert paged(outbox) == before
    status = app.escalation.status_for_patient(patient.id)
    assert status is not None
    assert (status.seen_by, status.next_at) == ("Noor", None)


def test_an_acknowledgement_that_nothing_follows_pages_again(
    app: Application, staff: Staff, patient: Patient, outbox: Outbox, clock: MovableClock
) -> None:
    alert_id = raise_alert(app, patient, Level.emergency, "suicide")
    app.delivery.run_once("w1")
    app.escalation.acknowledge(alert_id, staff["Noor"])
    pass_time(app, clock, 29)
    app.escalation.note(alert_id, staff["Noor"], "Rang twice, no answer")
    pass_time(app, clock, 29)
    assert paged(outbox) == ["noor"]
    pass_time(app, clock, 1)
    assert paged(outbox) == ["noor", "noor"]
    pass_time(app, clock, 6)
    assert "ola" in paged(outbox)
    status = app.escalation.status_for_patient(patient.id)
    assert status is not None
    assert status.seen_by == "Noor"  # it was seen; that stays true
    assert status.next_at is not None


def test_on_the_night_the_clocks_go_back_the_minutes_stay_minutes(
    app: Application, staff: Staff, patient: Patient, outbox: Outbox, clock: MovableClock
) -> None:
    clock.now = datetime(2026, 11, 1, 1, 57, tzinfo=LA).astimezone(UTC)
    raise_alert(app, patient, Level.emergency, "suicide")
    app.delivery.run_once("w1")
    pass_time(app, clock, 6)
    assert clock().astimezone(LA).hour == 1  # the hour came twice
    assert paged(outbox) == ["noor", "noor", "ola", "lee", "max", "sage"]


def test_an_override_is_paged_instead_of_the_shift(
    app: Application, staff: Staff, patient: Patient, outbox: Outbox, clock: MovableClock
) -> None:
    app.rota.override(
        staff["Lee"], duty="on_call", member_id=staff["Mia"].id, starts_at=clock(), ends_at=clock() + timedelta(hours=2)
    )
    raise_alert(app, patient, Level.urgent, "suicide")
    app.delivery.run_once("w1")
    assert paged(outbox) == ["mia"]


def test_no_one_on_call_is_recorded_and_someone_is_paged_all_the_same(
    app: Application, staff: Staff, patient: Patient, outbox: Outbox, clock: MovableClock
) -> None:
    today = clock().astimezone(LA).date()
    app.rota.day_off(None, first_day=today, last_day=today, member_id=staff["Noor"].id)
    alert_id = raise_alert(app, patient, Level.emergency, "suicide")
    app.delivery.run_once("w1")
    assert paged(outbox) == ["ola"]
    with app.uow() as tx:
        facts = [e.detail for e in tx.alert_events(alert_id) if e.kind == "no_one_on_duty"]
        assert facts == [{"target": "on_call", "instead": "second"}]
        assert "alert.no_one_on_duty" in [row["action"] for row in tx.audit_of(alert_id)]
    with app.uow() as tx:
        assert app.escalation.paging.expectation(tx, clock()) == "no_cover"


def test_a_medical_alert_reaches_the_medical_team_and_the_on_call_person(
    app: Application, staff: Staff, patient: Patient, outbox: Outbox
) -> None:
    raise_alert(app, patient, Level.urgent, "medical")
    app.delivery.run_once("w1")
    assert sorted(paged(outbox)) == ["mia", "noor"]


def test_another_category_that_opens_another_route_pages_along_it(
    app: Application, staff: Staff, patient: Patient, outbox: Outbox
) -> None:
    first = raise_alert(app, patient, Level.urgent, "suicide")
    app.delivery.run_once("w1")
    assert raise_alert(app, patient, Level.urgent, "medical") == first
    app.delivery.run_once("w1")
    assert paged(outbox) == ["noor", "mia", "noor"]


def test_a_concern_waits_for_the_working_day_and_goes_to_the_coach(
    app: Application, staff: Staff, patient: Patient, outbox: Outbox, clock: MovableClock
) -> None:
    clock.now = datetime(2026, 11, 25, 21, tzinfo=LA).astimezone(UTC)
    app.rota.day_off(
        None, first_day=datetime(2026, 11, 26).date(), last_day=datetime(2026, 11, 26).date(), member_id=None
    )
    raise_alert(app, patient, Level.concern, "distress")
    app.delivery.run_once("w1")
    clock.now = datetime(2026, 11, 27, 8, 59, tzinfo=LA).astimezone(UTC)
    app.delivery.run_once("w1")
    assert paged(outbox) == []
    clock.move(minutes=1)
    app.delivery.run_once("w1")
    assert paged(outbox) == ["mo"]
    assert outbox.sent[0][2].strip().endswith("/coach/")


def test_duplicates_join_and_page_again_only_when_the_last_page_is_old(
    app: Application, staff: Staff, patient: Patient, outbox: Outbox, clock: MovableClock
) -> None:
    first = raise_alert(app, patient, Level.urgent, "suicide")
    app.delivery.run_once("w1")
    clock.move(minutes=14)
    assert raise_alert(app, patient, Level.urgent, "suicide") == first
    app.delivery.run_once("w1")
    assert paged(outbox) == ["noor"]
    clock.move(minutes=1)
    raise_alert(app, patient, Level.urgent, "suicide")
    app.delivery.run_once("w1")
    assert paged(outbox) == ["noor", "noor"]
    with app.uow() as tx:
        assert len(tx.alerts()) == 1


def test_whoever_has_an_alert_is_told_that_there_is_more(
    app: Application, staff: Staff, patient: Patient, outbox: Outbox
) -> None:
    alert_id = raise_alert(app, patient, Level.urgent, "suicide")
    app.escalation.acknowledge(alert_id, staff["Ola"])
    raise_alert(app, patient, Level.urgent, "suicide")
    app.delivery.run_once("w1")
    assert paged(outbox) == ["ola"]
    assert "There is more on" in outbox.sent[0][2]


def test_the_same_message_again_changes_nothing(app: Application, staff: Staff, patient: Patient) -> None:
    for _ in range(3):
        raise_alert(app, patient, Level.urgent, "suicide", message_id="m1")
    with app.uow() as tx:
        (alert,) = tx.alerts()
        assert sum(event.kind == "raised" for event in tx.alert_events(alert.id)) == 1


def test_a_second_suicide_concern_within_a_week_is_urgent(
    app: Application, staff: Staff, patient: Patient, outbox: Outbox, clock: MovableClock
) -> None:
    raise_alert(app, patient, Level.concern, "suicide")
    clock.move(days=6)
    raise_alert(app, patient, Level.concern, "suicide")
    app.delivery.run_once("w1")
    assert "noor" in paged(outbox)
    with app.uow() as tx:
        assert sorted(alert.level.name for alert in tx.alerts()) == ["concern", "urgent"]


# --- a complaint about the clinic's own people ---


def test_a_complaint_about_the_clinic_reaches_the_safeguarding_lead_alone(
    app: Application, staff: Staff, patient: Patient, outbox: Outbox, clock: MovableClock
) -> None:
    alert_id = raise_alert(app, patient, Level.urgent, "abuse", subtype="clinic_boundary")
    pass_time(app, clock, 59)
    assert set(paged(outbox)) == {"sage"}
    pass_time(app, clock, 1)
    assert set(paged(outbox)) == {"sage", "max"}
    for name in ("Noor", "Ola", "Lee", "Mia"):
        assert app.escalation.board(staff[name]) == []
        with pytest.raises(NotPermitted):
            app.escalation.view(alert_id, staff[name])
    assert [view.alert.id for view in app.escalation.board(staff["Sage"])] == [alert_id]


def test_when_the_safeguarding_lead_is_named_it_goes_to_the_director(
    app: Application, staff: Staff, patient: Patient, outbox: Outbox
) -> None:
    named = replace(patient, restricted_staff=(staff["Sage"].id,))
    with app.uow() as tx:
        tx.put_patient(named)
    alert_id = raise_alert(app, named, Level.urgent, "abuse", subtype="clinic_boundary")
    app.delivery.run_once("w1")
    assert paged(outbox) == ["max"]
    with pytest.raises(NotPermitted):
        app.escalation.view(alert_id, staff["Sage"])


def test_those_whom_a_named_person_supervises_are_kept_out_too(
    app: Application, staff: Staff, patient: Patient, outbox: Outbox
) -> None:
    with app.uow() as tx:
        coach = next(member for member in tx.staff() if member.name == "Mo")
    app.rota.supervise(None, member_id=staff["Noor"].id, supervisor_id=coach.id)
    app.rota.supervise(None, member_id=staff["Sage"].id, supervisor_id=staff["Noor"].id)
    raise_alert(app, patient, Level.urgent, "abuse", subtype="clinic_boundary")
    app.delivery.run_once("w1")
    assert paged(outbox) == ["max"]


def test_when_all_are_named_an_alarm_says_that_no_one_may_be_told(
    app: Application, staff: Staff, patient: Patient, outbox: Outbox
) -> None:
    named = replace(patient, restricted_staff=(staff["Sage"].id, staff["Max"].id))
    with app.uow() as tx:
        tx.put_patient(named)
    raise_alert(app, named, Level.urgent, "abuse", subtype="clinic_boundary")
    app.delivery.run_once("w1")
    assert paged(outbox) == []
    assert "external route" in outbox.sent[0][2]
    assert patient.initials not in "".join(body for _, _, body in outbox.sent)


def test_a_complaint_joins_no_other_alert(app: Application, staff: Staff, patient: Patient) -> None:
    plain = raise_alert(app, patient, Level.urgent, "suicide")
    assert raise_alert(app, patient, Level.urgent, "abuse", subtype="clinic_boundary") != plain
    assert [view.alert.id for view in app.escalation.board(staff["Noor"])] == [plain]


def test_someone_restricted_after_the_page_was_owed_is_not_sent_it(
    app: Application, staff: Staff, patient: Patient, outbox: Outbox
) -> None:
    raise_alert(app, patient, Level.urgent, "suicide")
    with app.uow() as tx:
        tx.put_patient(replace(patient, restricted_staff=(staff["Noor"].id,)))
    app.delivery.run_once("w1")
    app.delivery.run_once("w1")
    assert paged(outbox) == ["ola"]


# --- channels ---


def test_channels_are_tried_in_order_after_their_delays_until_someone_answers(
    app: Application, staff: Staff, patient: Patient, clock: MovableClock, outbox: Outbox
) -> None:
    used: list[str | None] = []
    outbox.send = lambda recipient, subject, body, *, url=None: used.append(url)  # type: ignore[method-assign]
    app.rota.set_channels(
        None, staff["Noor"].id, [("pager", "json://pager/hook", 0), ("voice", "json://voice/hook", 90)]
    )
    alert_id = raise_alert(app, patient, Level.urgent, "suicide")
    app.delivery.run_once("w1")
    assert used == ["json://pager/hook"]
    clock.move(seconds=90)
    app.delivery.run_once("w1")
    assert used == ["json://pager/hook", "json://voice/hook"]
    raise_alert(app, patient, Level.emergency, "suicide")
    app.escalation.acknowledge(alert_id, staff["Noor"])
    clock.move(minutes=2)
    app.delivery.run_once("w1")
    assert used == ["json://pager/hook", "json://voice/hook"]


def test_a_permanent_failure_brings_the_next_channel_forward_then_the_next_person(
    app: Application, staff: Staff, patient: Patient, outbox: Outbox
) -> None:
    tried: list[str] = []

    def send(recipient: StaffMember, subject: str, body: str, *, url: str | None = None) -> None:
        tried.append(url or recipient.name)
        if recipient.name == "Noor":
            raise SendFailed("address", permanent=True)

    outbox.send = send  # type: ignore[method-assign]
    app.rota.set_channels(None, staff["Noor"].id, [("pager", "json://a/1", 0), ("voice", "json://b/2", 600)])
    alert_id = raise_alert(app, patient, Level.urgent, "suicide")
    for _ in range(3):
        app.delivery.run_once("w1")
    assert [name for name in tried if name in ("json://a/1", "json://b/2", "Ola")] == [
        "json://a/1",
        "json://b/2",
        "Ola",
    ]
    with app.uow() as tx:
        attempts = [(row["channel"], row["outcome"], row["code"]) for row in tx.attempts(alert_id)]
    assert attempts == [("pager", "failed", "address"), ("voice", "failed", "address"), ("e-mail", "sent", None)]


def test_with_everything_down_it_is_tried_again_and_again_and_then_arrives(
    app: Application, staff: Staff, patient: Patient, outbox: Outbox, clock: MovableClock
) -> None:
    outbox.broken = SendFailed("not_accepted", permanent=False)
    raise_alert(app, patient, Level.emergency, "suicide")
    for _ in range(120):
        clock.move(seconds=10)
        app.delivery.run_once("w1")
    status = app.escalation.status_for_patient(patient.id)
    assert status is not None
    assert (status.sent_at, status.delivery_failed) == (None, True)
    outbox.broken = None
    clock.move(minutes=2)
    app.delivery.run_once("w1")
    assert {"noor", "ola", "lee", "max"} <= set(paged(outbox))
    later = app.escalation.status_for_patient(patient.id)
    assert later is not None
    assert later.sent_at is not None


def test_an_attempt_is_on_record_before_it_is_made(
    app: Application, staff: Staff, patient: Patient, outbox: Outbox
) -> None:
    seen: list[list[str]] = []
    alert_id = raise_alert(app, patient, Level.urgent, "suicide")

    def send(recipient: StaffMember, subject: str, body: str, *, url: str | None = None) -> None:
        with app.uow() as tx:
            seen.append([str(row["outcome"]) for row in tx.attempts(alert_id)])

    outbox.send = send  # type: ignore[method-assign]
    app.delivery.run_once("w1")
    assert seen == [["unknown"]]


def test_addresses_of_channels_are_sealed_at_rest(app: Application, staff: Staff) -> None:
    app.rota.set_channels(None, staff["Noor"].id, [("sms", "json://user:zanzibarmark@host/", 0)])
    folder = app.settings.data_path
    assert b"zanzibarmark" not in b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
    with app.uow() as tx:
        assert tx.channels(staff["Noor"].id)[0].url == "json://user:zanzibarmark@host/"
        assert "zanzibarmark" not in repr(tx.channels(staff["Noor"].id))


# --- what the patient is told ---


def texts_of(app: Application, patient: Patient) -> list[str]:
    with app.uow() as tx:
        return [m.text for m in tx.messages(patient.id) if m.sender != "patient"]


def test_that_staff_were_told_is_said_once_one_was_and_not_before(
    app: Application, staff: Staff, patient: Patient
) -> None:
    app.screening.receive(patient.id, "c1", EMERGENCY)
    assert "988" in " ".join(texts_of(app, patient))
    assert not any("I've alerted" in text for text in texts_of(app, patient))
    app.delivery.send_at_once(patient.id, "web")
    assert sum("I've alerted" in text for text in texts_of(app, patient)) == 1
    app.delivery.run_once("w1")
    assert sum("I've alerted" in text for text in texts_of(app, patient)) == 1


def test_a_failed_sending_is_said_plainly_and_its_success_later(
    app: Application, staff: Staff, patient: Patient, outbox: Outbox, clock: MovableClock
) -> None:
    outbox.broken = SendFailed("not_accepted", permanent=False)
    app.screening.receive(patient.id, "c1", EMERGENCY)
    app.delivery.send_at_once(patient.id, "web")
    clock.move(seconds=5)
    app.delivery.run_once("w1")
    said = texts_of(app, patient)
    assert sum("did not go through" in text for text in said) == 1
    assert not any("I've alerted" in text for text in said)
    outbox.broken = None
    clock.move(minutes=1)
    app.delivery.run_once("w1")
    assert sum("I've alerted" in text for text in texts_of(app, patient)) == 1


def test_taking_it_back_changes_no_level_and_is_answered_kindly(
    app: Application, staff: Staff, patient: Patient, outbox: Outbox, clock: MovableClock
) -> None:
    app.screening.receive(patient.id, "c1", URGENT)
    app.delivery.run_once("w1")
    received = app.screening.receive(patient.id, "c2", "please ignore that, I didn't mean it")
    assert received.verdict.level < Level.urgent
    assert any("can't take an alert back" in text for text in texts_of(app, patient))
    with app.uow() as tx:
        (alert,) = tx.alerts()
    assert (alert.level, alert.status) == (Level.urgent, AlertStatus.open)
    assert alert.retracted_at is not None
    words = [text for _, text in app.escalation.reveal_words(alert.id, staff["Noor"])]
    assert "please ignore that, I didn't mean it" in words
    pass_time(app, clock, 30)
    assert "ola" in paged(outbox)


def test_asking_for_a_person_holds_no_journal_back(app: Application, staff: Staff, patient: Patient) -> None:
    from bot.services.escalation import restricting_alert

    raise_alert(app, patient, Level.urgent, "human_request")
    with app.uow() as tx:
        assert restricting_alert(tx, patient.id) is None
    assert app.escalation.status_for_patient(patient.id) is not None
