"""Drills, cover in the days ahead, the rota's keeping, questions, reports: what keeps the path worth trusting."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.bootstrap import Application
from bot.core.people import StaffMember
from bot.core.reports import percentile
from bot.core.safety.verdict import Level
from bot.services.ports import NotPermitted, SendFailed
from bot.services.rota import RotaError
from tests import builders
from tests.builders import MovableClock, Outbox

LA = ZoneInfo("America/Los_Angeles")
Staff = dict[str, StaffMember]


@pytest.fixture
def staff(app: Application) -> Staff:
    return builders.clinic_staff(app)


def la(*at: int) -> datetime:
    return datetime(*at, tzinfo=LA).astimezone(UTC)  # type: ignore[misc, arg-type]


def subjects(outbox: Outbox) -> list[str]:
    return [subject for _, subject, _ in outbox.sent]


def test_a_drill_is_sent_every_day_and_arrives(
    app: Application, staff: Staff, outbox: Outbox, clock: MovableClock
) -> None:
    clock.now = la(2026, 11, 24, 9)
    app.watch.watch()
    assert app.watch.drill_state().last_arrived_at is None
    for day in (24, 25):
        clock.now = la(2026, 11, day, 10, 1)
        app.watch.watch()
        app.delivery.run_once("w1")
        app.watch.watch()
    assert [subject.split("] ")[1].split(" ")[0] for subject in subjects(outbox)] == ["DRILL", "DRILL"]
    assert not app.watch.drill_state().missing
    with app.uow() as tx:
        assert len([p for p in tx.patients() if p.flags.get("drill")]) == 1


def test_a_drill_that_does_not_arrive_pages_and_is_missing(
    app: Application, staff: Staff, outbox: Outbox, clock: MovableClock
) -> None:
    clock.now = la(2026, 11, 24, 9)
    app.watch.watch()
    outbox.broken = SendFailed("not_accepted", permanent=False)
    clock.now = la(2026, 11, 24, 10, 0)
    app.watch.watch()
    app.delivery.run_once("w1")
    clock.now = la(2026, 11, 24, 10, 11)
    app.watch.watch()
    assert app.watch.drill_state().missing
    outbox.broken = None
    clock.move(minutes=3)
    app.delivery.run_once("w1")
    assert any("needs someone" in subject for subject in subjects(outbox))
    clock.now = la(2026, 11, 25, 10, 1)
    app.watch.watch()
    app.delivery.run_once("w1")
    app.watch.watch()
    assert not app.watch.drill_state().missing


def test_a_worker_that_never_ran_the_drill_is_found_missing(
    app: Application, staff: Staff, clock: MovableClock
) -> None:
    clock.now = la(2026, 11, 24, 9)
    app.watch.watch()
    clock.now = la(2026, 11, 24, 10, 30)
    assert app.watch.drill_state().missing


def test_a_drill_is_no_alert_of_the_patients_reports_or_journal(
    app: Application, staff: Staff, clock: MovableClock
) -> None:
    app.watch.start_drill()
    app.delivery.run_once("w1")
    app.watch.follow_drills()
    assert app.reports.week(staff["Lee"]).total == 0
    assert app.escalation.board(staff["Noor"]) == []


def test_a_gap_in_the_next_two_days_raises_an_alarm_once_an_hour(
    app: Application, staff: Staff, outbox: Outbox, clock: MovableClock
) -> None:
    tomorrow = (clock() + timedelta(days=1)).date()
    app.rota.day_off(None, first_day=tomorrow, last_day=tomorrow, member_id=staff["Noor"].id)
    for _ in range(3):
        app.watch.watch()
        app.delivery.run_once("w1")
        clock.move(minutes=10)
    assert len(outbox.sent) == 3  # three people lead here, each told once


def test_production_does_not_start_without_cover(app: Application, clock: MovableClock) -> None:
    assert "Production needs on-call cover (P-01)" in str(app.rota.missing_cover())
    builders.on_duty(app, "on_call", builders.staff_member(app, "Noor", "responder"))
    assert app.rota.missing_cover() is None


def test_a_swap_exchanges_two_stretches(app: Application, staff: Staff, clock: MovableClock) -> None:
    with app.uow() as tx:
        for row in tx.rota(LA).shifts:
            tx.remove_from_rota(row.id)
    for name, first in (("Noor", date(2026, 11, 16)), ("Ola", date(2026, 11, 23))):
        app.rota.add_shift(None, duty="on_call", member_id=staff[name].id, first_day=first, lasts_days=7, every_days=14)
    app.rota.swap(staff["Lee"], duty="on_call", first=la(2026, 11, 25, 12), second=la(2026, 12, 1, 12))
    rota, names = app.rota.whole()

    def who(*at: int) -> list[str]:
        return [names[member] for member in rota.on_duty("on_call", la(*at))]

    assert (who(2026, 11, 25, 12), who(2026, 12, 1, 12), who(2026, 12, 8, 12)) == (["Noor"], ["Ola"], ["Ola"])


def test_only_those_who_lead_change_the_rota_and_every_change_is_audited(app: Application, staff: Staff) -> None:
    start = app.clock()
    with pytest.raises(NotPermitted):
        app.rota.override(
            staff["Noor"],
            duty="on_call",
            member_id=staff["Ola"].id,
            starts_at=start,
            ends_at=start + timedelta(hours=1),
        )
    made = app.rota.override(
        staff["Lee"], duty="on_call", member_id=staff["Ola"].id, starts_at=start, ends_at=start + timedelta(hours=1)
    )
    with app.uow() as tx:
        assert [row["actor"] for row in tx.audit_of(made.id)] == [f"user:{staff['Lee'].id}"]
    with pytest.raises(RotaError, match="end after it starts"):
        app.rota.override(staff["Lee"], duty="on_call", member_id=staff["Ola"].id, starts_at=start, ends_at=start)


def test_contact_is_promised_only_as_the_rota_and_the_clock_allow(
    app: Application, staff: Staff, clock: MovableClock
) -> None:
    with app.uow() as tx:
        assert app.escalation.paging.expectation(tx, la(2026, 11, 24, 12)) == "in_hours"
        assert app.escalation.paging.expectation(tx, la(2026, 11, 24, 22)) == "covered"
    app.rota.day_off(
        None, first_day=date(2026, 11, 26), last_day=date(2026, 11, 26), member_id=None, name="Thanksgiving"
    )
    with app.uow() as tx:
        assert app.escalation.paging.expectation(tx, la(2026, 11, 26, 12)) == "covered"


# --- questions ---


def test_a_question_is_due_in_working_time_and_answered_in_the_chat_once(
    app: Application, staff: Staff, clock: MovableClock
) -> None:
    patient = builders.patient(app)
    clock.now = la(2026, 11, 24, 16)
    with app.uow() as tx:
        tx.add_question(patient.id, "medical_team", "May I take my allergy tablet?", clock())
    waiting, _ = app.requests.queue(staff["Mia"])
    assert [(row.due_at, row.overdue) for row in waiting] == [(la(2026, 11, 25, 12), False)]
    clock.now = la(2026, 11, 25, 12, 1)
    assert app.requests.queue(staff["Mia"])[0][0].overdue
    for _ in range(2):
        app.requests.answer(staff["Mia"], waiting[0].request.id, "Yes, that is fine.")
    with app.uow() as tx:
        said = [(m.sender, m.text) for m in tx.messages(patient.id) if m.sender == "staff"]
    assert said == [("staff", "Mia, about your question: Yes, that is fine.")]
    assert app.requests.queue(staff["Mia"])[0] == []


def test_a_question_is_neither_shown_to_nor_answered_by_someone_restricted_or_another_coach(
    app: Application, staff: Staff, clock: MovableClock
) -> None:
    from dataclasses import replace

    mo, other = builders.staff_member(app, "Mo", "coach"), builders.staff_member(app, "Cy", "coach")
    patient = builders.patient(app, mo)
    with app.uow() as tx:
        tx.put_patient(replace(patient, restricted_staff=(staff["Noor"].id,)))
        tx.add_question(patient.id, "coach", "Can we talk about the field?", clock())
        (asked,) = tx.tracked_questions(patient.id)
    assert [row.request.id for row in app.requests.queue(mo)[0]] == [asked.id]
    for outsider in (other, staff["Noor"]):
        assert app.requests.queue(outsider)[0] == []
        with pytest.raises(NotPermitted):
            app.requests.answer(outsider, asked.id, "hello")


# --- reports ---


def test_a_week_counts_alerts_minutes_steps_and_false_alarms(
    app: Application, staff: Staff, clock: MovableClock
) -> None:
    clock.now = la(2026, 11, 24, 12)
    for number, (minutes, outcome) in enumerate(((1, "contacted"), (4, "not_a_risk"), (9, "contacted"))):
        patient = builders.patient(app)
        app.screening.receive(patient.id, f"c{number}", "I'm going to kill myself tonight")
        with app.uow() as tx:
            alert_id = tx.alerts()[0].id
        for _ in range(minutes):
            app.delivery.run_once("w1")
            clock.move(minutes=1)
        app.escalation.acknowledge(alert_id, staff["Noor"])
        app.escalation.resolve(alert_id, staff["Noor"], outcome, "x")
    report = app.reports.week(staff["Lee"])
    assert report.total == 3
    assert report.counts[("suicide", Level.emergency)] == 3
    assert report.acknowledged[Level.emergency] == (4.0, 9.0, 9.0)
    assert report.reached["clinical_lead"] == 1
    assert any(wrong == 1 and judged == 3 for _, wrong, judged in report.false_alarms)
    assert report.nights_without_cover == 0
    assert app.reports.year(None, 2026) == [("suicide", "emergency", 3), ("crisis_referrals", "any", 3)]


def test_nights_without_cover_are_counted(app: Application, staff: Staff, clock: MovableClock) -> None:
    clock.now = la(2026, 11, 29, 12)
    app.rota.day_off(None, first_day=date(2026, 11, 26), last_day=date(2026, 11, 26), member_id=staff["Noor"].id)
    assert app.reports.week(staff["Lee"]).nights_without_cover == 2  # from the 25th to the 26th, and the next


def test_percentiles_are_values_that_occurred() -> None:
    values = [float(n) for n in range(1, 11)]
    assert (percentile(values, 50), percentile(values, 90), percentile([3.0], 90)) == (5.0, 9.0, 3.0)
