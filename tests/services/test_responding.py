"""What staff may do with an alert, and that only named people do it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.bootstrap import Application
from bot.core.escalation import AlertStatus
from bot.core.people import Patient, StaffMember
from bot.core.safety.verdict import Level
from bot.services.escalation import NotYet, restricting_alert
from bot.services.ports import NotPermitted
from tests import builders
from tests.builders import MovableClock, Outbox

Staff = dict[str, StaffMember]


@pytest.fixture
def staff(app: Application) -> Staff:
    return builders.clinic_staff(app)


@pytest.fixture
def patient(app: Application, staff: Staff) -> Patient:
    return builders.patient(app, builders.staff_member(app, "Mo", "coach"))


def raise_alert(app: Application, patient: Patient, level: Level, *categories: str) -> str:
    with app.uow() as tx:
        return app.escalation.raise_alert(tx, patient, level=level, categories=categories, reason="test").id


def test_a_lowered_alert_stays_open_and_goes_on_by_its_new_level(
    app: Application, staff: Staff, patient: Patient
) -> None:
    alert_id = raise_alert(app, patient, Level.emergency, "suicide")
    lowered = app.escalation.lower(alert_id, staff["Noor"], Level.urgent, "Spoke: no intent")
    assert (lowered.level, lowered.status) == (Level.urgent, AlertStatus.open)
    with app.uow() as tx:
        facts = [row for row in tx.audit_of(alert_id) if row["action"] == "alert.lowered"]
    assert [(row["actor"], row["detail"]) for row in facts] == [
        (f"user:{staff['Noor'].id}", {"from": "emergency", "to": "urgent"})
    ]


@pytest.mark.parametrize(("level", "reason"), [(Level.emergency, "x"), (Level.none, "x"), (Level.concern, "  ")])
def test_a_level_is_lowered_only_to_a_lower_one_and_with_a_reason(
    app: Application, staff: Staff, patient: Patient, level: Level, reason: str
) -> None:
    alert_id = raise_alert(app, patient, Level.urgent, "suicide")
    with pytest.raises(ValueError, match="nothing was changed"):
        app.escalation.lower(alert_id, staff["Noor"], level, reason)


def test_closing_needs_an_outcome_and_a_reason(app: Application, staff: Staff, patient: Patient) -> None:
    alert_id = raise_alert(app, patient, Level.urgent, "suicide")
    for outcome, reason in (("contacted", " "), ("gone", "spoke")):
        with pytest.raises(ValueError, match="nothing was changed"):
            app.escalation.resolve(alert_id, staff["Noor"], outcome, reason)
    done = app.escalation.resolve(alert_id, staff["Noor"], "contacted", "Spoke for ten minutes")
    assert (done.status, done.outcome) == (AlertStatus.resolved, "contacted")
    assert app.escalation.notes(alert_id, staff["Lee"])[0][1:] == (staff["Noor"].id, "Spoke for ten minutes")


def test_an_alert_opened_again_pages_from_the_beginning(
    app: Application, staff: Staff, patient: Patient, outbox: Outbox, clock: MovableClock
) -> None:
    alert_id = raise_alert(app, patient, Level.urgent, "suicide")
    app.escalation.resolve(alert_id, staff["Noor"], "contacted", "Spoke")
    clock.move(hours=5)
    app.escalation.reopen(alert_id, staff["Lee"], "The family rang")
    app.delivery.run_once("w1")
    assert [address.split("@")[0] for address, *_ in outbox.sent] == ["noor"]


def test_a_disclosure_after_closing_is_a_new_alert(app: Application, staff: Staff, patient: Patient) -> None:
    first = raise_alert(app, patient, Level.urgent, "suicide")
    app.escalation.resolve(first, staff["Noor"], "contacted", "Spoke")
    assert raise_alert(app, patient, Level.urgent, "suicide") != first


def test_after_a_suicide_emergency_the_journal_stays_held_for_a_day_at_least(
    app: Application, staff: Staff, patient: Patient, clock: MovableClock
) -> None:
    alert_id = raise_alert(app, patient, Level.emergency, "suicide")
    with pytest.raises(NotYet, match="speak with the patient first"):
        app.escalation.clear_to_journal(alert_id, staff["Noor"])
    app.escalation.acknowledge(alert_id, staff["Noor"])
    clock.move(hours=23, minutes=59)
    with pytest.raises(NotYet, match="opens again from"):
        app.escalation.clear_to_journal(alert_id, staff["Noor"])
    clock.move(minutes=1)
    app.escalation.clear_to_journal(alert_id, staff["Noor"])
    with app.uow() as tx:
        assert restricting_alert(tx, patient.id) is None
        said = [m.text for m in tx.messages(patient.id)]
    assert said[-1] == "Thank you for talking with them. Journaling is open again when you'd like it."


def test_a_medical_emergency_and_a_confirmed_misreading_may_be_cleared_sooner(
    app: Application, staff: Staff, patient: Patient
) -> None:
    medical = raise_alert(app, patient, Level.emergency, "medical")
    app.escalation.acknowledge(medical, staff["Mia"])
    app.escalation.clear_to_journal(medical, staff["Mia"])
    app.escalation.resolve(medical, staff["Mia"], "sent_to_emergency", "At the hospital")
    misread = raise_alert(app, patient, Level.emergency, "suicide")
    app.escalation.resolve(misread, staff["Noor"], "not_a_risk", "A film title")
    app.escalation.clear_to_journal(misread, staff["Noor"])
    with app.uow() as tx:
        assert restricting_alert(tx, patient.id) is None


def test_a_coach_or_administrator_without_the_role_sees_and_does_nothing(
    app: Application, staff: Staff, patient: Patient
) -> None:
    alert_id = raise_alert(app, patient, Level.urgent, "suicide")
    for name, role in (("Cy", "coach"), ("Ada", "administrator")):
        outsider = builders.staff_member(app, name, role)
        for attempt in (
            lambda who: app.escalation.view(alert_id, who),
            lambda who: app.escalation.acknowledge(alert_id, who),
            lambda who: app.escalation.resolve(alert_id, who, "contacted", "x"),
            lambda who: app.escalation.clear_to_journal(alert_id, who),
            lambda who: app.escalation.reveal_words(alert_id, who),
        ):
            with pytest.raises(NotPermitted):
                attempt(outsider)


def test_the_page_gathers_answers_contact_and_context_and_reading_entries_is_shown_to_the_patient(
    app: Application, staff: Staff, patient: Patient
) -> None:
    app.sittings.open(patient.conversation_id)
    received = app.screening.receive(patient.id, "c1", "my husband hits me")
    app.conversation.deliver(received.message.id)
    with app.uow() as tx:
        (alert,) = tx.alerts()
    page = app.alert_pages.open(alert.id, staff["Noor"])
    assert page.contexts[0]["phase"] == "h24_72"
    assert page.evidence
    assert page.text_count == 1
    assert all(event.words is None for event in page.view.events)
    app.alert_pages.shared_entries(alert.id, staff["Noor"])
    assert [name for name, _ in app.digests.readers(patient.id)] == ["Noor"]


def test_a_complaint_is_hidden_from_the_coach_even_before_anyone_is_named(
    app: Application, staff: Staff, patient: Patient
) -> None:
    with app.uow() as tx:
        app.escalation.raise_alert(
            tx, patient, level=Level.urgent, categories=("abuse",), reason="test", subtype="clinic_boundary"
        )
        coach = next(member for member in tx.staff() if member.name == "Mo")
    assert [row.concern for row in app.caseload.rows(coach)] == [Level.none]


def test_a_journal_that_stays_held_reminds_the_leads_daily(
    app: Application, staff: Staff, patient: Patient, outbox: Outbox, clock: MovableClock
) -> None:
    alert_id = raise_alert(app, patient, Level.urgent, "suicide")
    app.escalation.resolve(alert_id, staff["Noor"], "contacted", "Spoke")
    for hours, reminders in ((23, 0), (2, 3), (10, 3), (15, 6)):
        clock.move(hours=hours)
        app.watch.watch()
        app.delivery.run_once("w1")
        assert sum("reminder" in subject for _, subject, _ in outbox.sent) == reminders  # three people lead here
    clock.move(days=1)
    app.escalation.clear_to_journal(alert_id, staff["Lee"])
    app.watch.watch()
    app.delivery.run_once("w1")
    assert sum("reminder" in subject for _, subject, _ in outbox.sent) == 6


def test_an_acknowledgement_says_who_and_how_long_it_took(
    app: Application, staff: Staff, patient: Patient, clock: MovableClock
) -> None:
    alert_id = raise_alert(app, patient, Level.urgent, "suicide")
    clock.now += timedelta(minutes=4)
    app.escalation.acknowledge(alert_id, staff["Noor"], by="link")
    with app.uow() as tx:
        (fact,) = [row for row in tx.audit_of(alert_id) if row["action"] == "alert.acknowledged"]
    assert (fact["actor"], fact["detail"]) == (f"user:{staff['Noor'].id}", {"waited_seconds": 240, "by": "link"})
