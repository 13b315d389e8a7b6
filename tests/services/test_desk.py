"""What a coach does at the desk, and what the patient gets of it."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from bot.bootstrap import Application
from bot.core.coaching import History
from bot.core.digest.window import WindowChoice
from bot.core.journal import Entry, EntryLine, Visibility
from bot.core.journeys import Route
from bot.core.people import Patient, StaffMember
from bot.core.programme import SessionKind
from bot.core.safety.verdict import Level
from bot.services.caseload import arrange
from bot.services.desk import TooSoon
from bot.services.ports import NotPermitted, SendFailed
from tests import builders

ALL = WindowChoice(name="all")


@pytest.fixture
def coach(app: Application) -> StaffMember:
    return builders.staff_member(app, "Mo", "coach")


@pytest.fixture
def other(app: Application, coach: StaffMember) -> StaffMember:
    return builders.staff_member(app, "Kit", "coach")


@pytest.fixture
def patient(app: Application, coach: StaffMember) -> Patient:
    return builders.patient(app, coach, hours_since_journey=100)


def put(app: Application, patient: Patient, visibility: Visibility = Visibility.shared, **lines: str) -> Entry:
    now = app.clock()
    entry = Entry(
        id=uuid.uuid4().hex,
        patient_id=patient.id,
        sitting_id=uuid.uuid4().hex,
        phase="open_integration",
        visibility=visibility,
        practices=(),
        lines=tuple(EntryLine(field=k.replace("__", "."), label=k, step="s", text=v) for k, v in lines.items()),
        created_at=now,
        shared_at=now if visibility is Visibility.shared else None,
    )
    with app.uow() as tx:
        tx.put_entry(entry)
    return entry


def chat(app: Application, patient: Patient) -> list[str]:
    return [message.text for message in app.conversation.since(patient.id, 0)]


def test_an_answer_waits_in_the_chat_and_is_said_once(app: Application, coach: StaffMember, patient: Patient) -> None:
    put(app, patient, questions="Can the music be quieter?")
    question = app.digests.patient_page(coach, patient.id, ALL).questions[0]
    for _ in range(2):
        app.desk.answer(coach, patient.id, question.id, "Yes, we can.")
    said = [line for line in chat(app, patient) if "Yes, we can." in line]
    assert said == ["Mo, about your question: Yes, we can."]
    found = app.digests.patient_page(coach, patient.id, ALL).digest.questions[0]
    assert (found.status, found.answer, found.answered_by) == ("answered", "Yes, we can.", "Mo")


def test_a_question_of_a_private_entry_reaches_nobody_until_it_is_shared(
    app: Application, coach: StaffMember, patient: Patient
) -> None:
    entry = put(app, patient, Visibility.private, questions="Is this all right?")
    assert app.digests.patient_page(coach, patient.id, ALL).questions == []
    app.digests.set_visibility(patient.id, entry.id, Visibility.shared)
    assert [q.status for q in app.digests.patient_page(coach, patient.id, ALL).questions] == ["open"]
    app.digests.set_visibility(patient.id, entry.id, Visibility.private)
    with app.uow() as tx:
        assert [q.status for q in tx.tracked_questions(patient.id)] == ["withdrawn"]


def test_a_question_sent_by_itself_is_not_asked_again_by_the_entry_that_holds_it(
    app: Application, coach: StaffMember, patient: Patient
) -> None:
    with app.uow() as tx:
        tx.add_question(patient.id, "coach", "Can we start later?", app.clock())
    entry = put(app, patient, questions="Can we start later?")
    questions = app.digests.patient_page(coach, patient.id, ALL).digest.questions
    assert [(q.text, q.source) for q in questions] == [("Can we start later?", None)]
    assert [row.open_questions for row in app.caseload.rows(coach)] == [1]
    app.digests.set_visibility(patient.id, entry.id, Visibility.private)
    assert len(app.digests.patient_page(coach, patient.id, ALL).questions) == 1  # sent on its own, it stays sent


def test_an_entry_that_its_patient_asked_to_remove_is_out_of_the_coachs_sight(
    app: Application, coach: StaffMember, patient: Patient
) -> None:
    entry = put(app, patient, glimmers="sun", questions="What now?")
    with app.uow() as tx:
        tx.request_deletion(patient.id, entry.id, app.clock())
    view = app.digests.patient_page(coach, patient.id, ALL)
    assert (view.entries, view.questions, view.digest.header.private) == ([], [], 0)
    assert [(row.shared, row.open_questions) for row in app.caseload.rows(coach)] == [(0, 0)]


def test_parts_that_the_patient_made_one_are_one_for_the_coach_without_a_private_name(
    app: Application, coach: StaffMember, patient: Patient
) -> None:
    names = ("The Clerk", "Clerk", "Secret Clerk")
    for name in names:
        put(app, patient, Visibility.private if name.startswith("Secret") else Visibility.shared, part__name=name)
        with app.uow() as tx:
            tx.see_part(patient.id, name, app.clock())
    with app.uow() as tx:
        register = {part.names[0]: part.id for part in tx.part_register(patient.id)}
    app.journal.merge_parts(patient.id, register["Clerk"], register["The Clerk"], by="test")
    app.journal.merge_parts(patient.id, register["Secret Clerk"], register["Clerk"], by="test")
    view = app.digests.patient_page(coach, patient.id, ALL)
    assert [(part.name, part.times) for part in view.digest.parts] == [("Clerk", 2)]
    assert [part.name for epoch in view.epochs for part in epoch.parts] == ["Clerk"]


def test_suggestions_follow_the_switches(app: Application, coach: StaffMember, patient: Patient) -> None:
    app.desk.suggest(coach, patient.id, "meet_a_part")
    assert "Get to know a part" in chat(app, patient)[-1]
    app.desk.set_switches(coach, patient.id, {"parts_work_ok": False})
    with pytest.raises(ValueError, match="cannot be suggested"):
        app.desk.suggest(coach, patient.id, "meet_a_part")


def test_cool_water_is_set_by_the_medical_team_only(app: Application, coach: StaffMember, patient: Patient) -> None:
    with pytest.raises(ValueError, match="not yours"):
        app.desk.set_switches(coach, patient.id, {"cool_water_ok": True})
    app.desk.set_switches(replace(coach, roles=frozenset({"coach", "medical"})), patient.id, {"cool_water_ok": True})
    with app.uow() as tx:
        found = tx.patient(patient.id)
    assert found is not None
    assert found.flags["cool_water_ok"] is True


def test_what_is_shared_after_the_page_was_read_stays_unread(
    app: Application, coach: StaffMember, patient: Patient, clock: builders.MovableClock
) -> None:
    put(app, patient, glimmers="sun")
    read_at = clock()
    clock.move(minutes=5)
    put(app, patient, glimmers="rain")
    app.desk.mark_reviewed(coach, patient.id, read_at)
    assert [(row.shared, row.unread) for row in app.caseload.rows(coach)] == [(2, 1)]
    review = app.digests.patient_page(coach, patient.id).reviews[0]
    assert (review.coach_id, review.until) == (coach.id, read_at)


def test_notes_are_sealed_and_read_by_their_author_only(
    app: Application, coach: StaffMember, other: StaffMember, patient: Patient
) -> None:
    app.desk.write_note(coach, patient.id, "ask how the mornings are")
    with app.database.connect() as connection:
        stored = connection.execute(text("SELECT sealed FROM coach_note")).scalar_one()
    assert b"mornings" not in stored
    with app.uow() as tx:
        assert tx.notes(patient.id, other.id) == []
        note = tx.notes(patient.id, coach.id)[0]
    with app.uow() as tx:
        tx.put_patient(replace(patient, coach_id=other.id))
    with pytest.raises(NotPermitted):
        app.desk.remove_note(other, patient.id, note.id)


def test_a_hand_over_waits_for_the_patient_and_never_within_a_day_of_a_dose(
    app: Application, coach: StaffMember, other: StaffMember, patient: Patient, clock: builders.MovableClock
) -> None:
    builders.journey_ended(app, patient.id, hours_ago=3)
    app.desk.propose_handover(coach, patient.id, other.id)
    assert "Nothing is passed on before you choose" in chat(app, patient)[-1]
    with pytest.raises(TooSoon):
        app.desk.choose_history(patient.id, History.all)
    assert [row.patient.id for row in app.caseload.rows(coach)] == [patient.id]
    clock.move(hours=30)
    app.desk.choose_history(patient.id, History.all)
    assert app.caseload.rows(coach) == []
    assert [row.patient.id for row in app.caseload.rows(other)] == [patient.id]


def test_a_coach_who_is_barred_cannot_become_the_coach(
    app: Application, coach: StaffMember, other: StaffMember, patient: Patient
) -> None:
    with app.uow() as tx:
        tx.put_patient(replace(patient, restricted_staff=(other.id,)))
    with pytest.raises(NotPermitted):
        app.desk.propose_handover(coach, patient.id, other.id)


def test_journeys_keep_who_attended_and_refuse_times_that_cannot_be(
    app: Application, coach: StaffMember, patient: Patient
) -> None:
    at = app.clock() + timedelta(days=3)
    made = app.desk.put_journey(
        coach, patient.id, route=Route.intranasal, scheduled_at=at, attended_by="Noor Haddad, Mo"
    )
    with app.uow() as tx:
        assert next(j for j in tx.journeys(patient.id) if j.id == made.id).attended_by == "Noor Haddad, Mo"
    with pytest.raises(ValueError, match="before the journey"):
        app.desk.put_journey(
            coach, patient.id, route=Route.intranasal, scheduled_at=at, dose_ended_at=at - timedelta(hours=1)
        )


def test_the_window_since_the_last_session_begins_there(
    app: Application, coach: StaffMember, patient: Patient, clock: builders.MovableClock
) -> None:
    put(app, patient, glimmers="before")
    clock.move(hours=1)
    app.desk.put_session(coach, patient.id, SessionKind.integration, clock())
    clock.move(hours=1)
    put(app, patient, glimmers="after")
    digest = app.digests.patient_page(coach, patient.id).digest
    assert digest.header.window.name == "session"
    assert [said.text for said in digest.glimmers] == ["after"]


def test_the_patients_own_digest_is_the_same_but_for_abuse_alerts(
    app: Application, coach: StaffMember, patient: Patient
) -> None:
    put(app, patient, glimmers="sun")
    for category in ("abuse", "medical"):
        with app.uow() as tx:
            app.escalation.raise_alert(tx, patient, level=Level.concern, categories=(category,), reason="test")
    theirs = app.digests.patient_page(coach, patient.id, ALL).digest
    own = app.digests.own_page(patient.id, ALL).digest
    assert theirs.safety
    assert all("abuse" not in event.categories for event in own.safety)
    assert replace(own, safety=()) == replace(theirs, safety=())


def test_a_complaint_about_the_clinic_shows_on_no_desk(app: Application, coach: StaffMember, patient: Patient) -> None:
    with app.uow() as tx:
        app.escalation.raise_alert(
            tx, patient, level=Level.urgent, categories=("abuse",), subtype="clinic_boundary", reason="test"
        )
    assert app.digests.patient_page(coach, patient.id, ALL).digest.safety == ()
    assert app.caseload.rows(coach)[0].concern is Level.none


def test_the_caseload_sorts_filters_and_searches(app: Application, coach: StaffMember, patient: Patient) -> None:
    for name in ("Ada", "Zoe"):
        app.access.invite(first_name=name, last_name="Elm", coach_id=coach.id)
    put(app, patient, questions="What now?")
    rows = app.caseload.rows(coach)
    assert [row.patient.first_name for row in rows] == ["Ada", "Rae", "Zoe"]
    assert [row.patient.first_name for row in arrange(rows, sort="since")] == ["Rae", "Ada", "Zoe"]
    assert [row.patient.first_name for row in arrange(rows, only="questions")] == ["Rae"]
    assert [row.patient.first_name for row in arrange(rows, search="elm", phase="unknown")] == ["Ada", "Zoe"]


def test_one_email_a_week_says_only_that_a_digest_is_ready(
    app: Application, coach: StaffMember, patient: Patient, outbox: builders.Outbox, clock: builders.MovableClock
) -> None:
    clock.now = datetime(2026, 11, 30, 14, 59, tzinfo=UTC)  # Monday, 6:59 in Los Angeles: still last week's
    put(app, patient, glimmers="a secret meadow")
    app.digest_notices.run_once()
    clock.move(minutes=2)
    for _ in range(3):
        app.digest_notices.run_once()
    assert [to for to, _, _ in outbox.sent] == [coach.email, coach.email]  # one for each of the two weeks
    told = " ".join(outbox.sent[-1])
    assert "A digest is ready" in told
    assert all(word not in told for word in ("meadow", "Rae", "Lind"))


def test_an_email_that_failed_is_tried_again(
    app: Application, coach: StaffMember, patient: Patient, outbox: builders.Outbox, clock: builders.MovableClock
) -> None:
    put(app, patient, glimmers="sun")
    outbox.broken = SendFailed("down", permanent=False)
    assert app.digest_notices.run_once() == 0
    outbox.broken = None
    assert app.digest_notices.run_once() == 0  # not before its time
    clock.move(minutes=1)
    assert app.digest_notices.run_once() == 1
