"""The patient's rights by asking in the conversation: see, copy, remove, unshare, delete everything, a new coach."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from bot.bootstrap import Application
from bot.core.coaching import History
from bot.core.journal import Entry, Visibility
from bot.core.people import Patient, StaffMember
from bot.services.desk import TooSoon
from bot.services.ports import NotPermitted
from tests import builders
from tests.builders import MovableClock
from tests.services.test_conversations import TO_SUGGESTIONS, Talk


@pytest.fixture
def coach(app: Application) -> StaffMember:
    return builders.staff_member(app, "Mo", "coach")


@pytest.fixture
def talk(app: Application, coach: StaffMember) -> Talk:
    builders.staff_member(app, "Noor", "responder")
    return Talk(app, builders.patient(app, coach))


def written(talk: Talk, choice: str = "private", words: str = "a heron in the reeds") -> Entry:
    """A whole sitting with these words, saved as chosen; the newest entry."""
    if talk.in_flow() is None:
        talk.app.sittings.steer(talk.patient.conversation_id, uuid.uuid4().hex, "start_journal")
    talk.tap(*TO_SUGGESTIONS, "journey_recall", "continue", "some")
    talk.say(words)
    entry = talk.close(choice)
    assert entry is not None
    talk.app.clock.move(minutes=5)  # type: ignore[attr-defined]
    return entry


def offered(talk: Talk) -> list[str]:
    return [option["value"] for option in talk.control["options"]]


def texts(talk: Talk) -> str:
    return "\n".join(m.text for m in talk.app.conversation.since(talk.patient.id, 0, 100))


def links(talk: Talk) -> list[dict[str, Any]]:
    return [dict(link) for m in talk.app.conversation.since(talk.patient.id, 0) for link in m.links]


def request(talk: Talk) -> Any:
    with talk.app.uow() as tx:
        return tx.deletion(talk.patient.id)


def test_entries_are_listed_by_date_with_a_way_to_each_and_none_of_their_words(talk: Talk) -> None:
    entry = written(talk, "share")
    said = talk.steer("show_entries")
    assert "Here are your latest entries" in said
    (link,) = links(talk)
    assert (link["page"], link["id"]) == ("entry", entry.id)
    assert link["label"] == "Tue, Nov 24, 12:00 · Gather what came · shared"
    assert "heron" not in link["label"]


def test_asking_for_entries_in_the_middle_leaves_the_question_where_it_was(talk: Talk) -> None:
    talk.tap("continue")
    before, asked = talk.in_flow(), talk.control["type"]
    assert "Nothing has been kept yet" in talk.steer("show_entries")
    assert (talk.in_flow(), talk.control["type"]) == (before, asked)


def test_a_copy_is_a_way_to_the_page_that_makes_it(talk: Talk) -> None:
    assert "ready to download" in talk.steer("export_data")
    assert [link["page"] for link in links(talk)] == ["copy", "alerts"]


def test_removing_asks_which_then_whether_and_takes_the_words_out_of_the_conversation(
    app: Application, talk: Talk
) -> None:
    kept = written(talk, words="a quiet harbour")
    entry = written(talk)
    assert "heron" in texts(talk)
    talk.steer("delete_entry")
    assert offered(talk) == [entry.id, kept.id, "none"]
    assert "I can't bring it back" in talk.tap(entry.id)
    assert app.journal.entry(talk.patient.id, entry.id).lines
    assert "It's removed" in talk.tap("yes")
    with app.uow() as tx:
        gone = tx.entry(entry.id)
        facts = [fact["action"] for fact in tx.audit_of(entry.id)]
    assert gone is not None
    assert (gone.visibility, gone.lines) == (Visibility.discarded, ())
    assert facts == ["entry.private", "entry.discarded"]
    assert "heron" not in texts(talk)
    assert "a quiet harbour" in texts(talk)
    assert app.journal.entry(talk.patient.id, kept.id).lines
    with app.uow() as tx:
        assert "heron" not in repr(tx.sitting(talk.patient.id))


def test_the_words_in_the_way_of_danger_stay_with_the_alert(app: Application, talk: Talk) -> None:
    talk.tap(*TO_SUGGESTIONS, "journey_recall", "continue", "some")
    talk.say("a heron. I want to kill myself tonight.")
    lead = builders.staff_member(app, "Lee", "clinical_lead")
    with app.uow() as tx:
        (alert,) = tx.alerts(patient_id=talk.patient.id)
        sitting = tx.sitting(talk.patient.id)
        assert sitting is not None
        tx.empty_messages(talk.patient.id, sitting.state["sitting_id"])
    assert "heron" not in texts(talk)
    assert "988" in texts(talk)  # the numbers stay on the page
    assert "heron" in repr(app.escalation.reveal_words(alert.id, lead))


def test_changing_ones_mind_removes_nothing(app: Application, talk: Talk) -> None:
    entry = written(talk)
    talk.steer("delete_entry")
    assert "Nothing was removed" in talk.tap("none")
    talk.steer("delete_entry")
    talk.tap(entry.id)
    assert "Nothing was removed" in talk.tap("no")
    assert app.journal.entry(talk.patient.id, entry.id).lines
    assert talk.in_flow() is None


def test_a_stale_button_removes_nothing(app: Application, talk: Talk) -> None:
    entry = written(talk)
    talk.steer("delete_entry")
    talk.tap(entry.id)
    confirm = talk.control["id"]
    talk.tap("no")
    assert "earlier question" in talk._send("", confirm, "yes")
    assert app.journal.entry(talk.patient.id, entry.id).lines


def test_anothers_entry_cannot_be_named(app: Application, talk: Talk, coach: StaffMember) -> None:
    other = Talk(app, builders.patient(app, coach))
    theirs = written(other)
    written(talk)
    talk.steer("delete_entry")
    talk.tap(theirs.id)
    assert talk.in_flow() == "rights.delete_pick"
    assert app.journal.entry(other.patient.id, theirs.id).lines


def test_going_back_never_returns_to_a_removal(talk: Talk) -> None:
    written(talk)
    talk.app.sittings.steer(talk.patient.conversation_id, uuid.uuid4().hex, "start_journal")
    talk.tap("continue", "no")
    talk.steer("delete_entry")
    talk.tap(offered(talk)[-2], "yes")
    talk.steer("go_back")
    assert not str(talk.in_flow()).startswith("rights.")


def test_what_is_being_written_can_be_let_go_too(app: Application, talk: Talk) -> None:
    talk.tap(*TO_SUGGESTIONS, "journey_recall", "continue", "some")
    talk.say("a heron in the reeds")
    talk.steer("delete_entry")
    assert offered(talk)[0] == "now"
    assert "Discard this entry?" in talk.tap("now")
    talk.tap("yes")
    talk.close()
    assert app.journal.entries(talk.patient.id) == []
    assert "heron" not in texts(talk)
    with app.uow() as tx:
        assert "heron" not in repr(tx.sitting(talk.patient.id))


def test_within_a_day_of_a_dose_an_entry_is_set_aside_and_asked_about_again(
    app: Application, talk: Talk, clock: MovableClock
) -> None:
    entry = written(talk)
    builders.journey_ended(app, talk.patient.id, 2)
    talk.steer("delete_entry")
    talk.tap(entry.id)
    assert "out of sight for a day" in talk.tap("yes")
    assert app.journal.waiting_removals(talk.patient.id) == 1
    with app.uow() as tx:
        assert tx.entry(entry.id).lines  # type: ignore[union-attr]
    assert "heron" in texts(talk)
    clock.move(hours=38)
    app.conversation.open(talk.patient.conversation_id)
    assert talk.in_flow() == "own.discard_again"
    talk.tap("yes")
    assert "heron" not in texts(talk)


def test_deleting_everything_says_what_stays_asks_twice_and_leaves_a_day_to_take_it_back(
    app: Application, talk: Talk, clock: MovableClock
) -> None:
    written(talk)
    said = talk.steer("delete_all_data")
    assert "Records of alerts stay" in said
    assert request(talk) is None
    assert "Once more" in talk.tap("yes")
    assert request(talk) is None
    assert "carried out in a day" in talk.tap("yes")
    assert request(talk).confirmed_at is not None
    clock.move(hours=23)
    assert app.privacy.run_deletions() == 0
    clock.move(hours=2)
    assert app.privacy.run_deletions() == 1


def test_deleting_everything_can_be_taken_back_by_asking(talk: Talk) -> None:
    talk.steer("delete_all_data")
    talk.tap("yes", "yes")
    talk.steer("delete_all_data")
    assert "Everything is kept" in talk.tap("no")
    assert request(talk) is None


@pytest.mark.parametrize("answers", [["no"], ["yes", "no"]])
def test_deleting_everything_needs_both_answers(talk: Talk, answers: list[str]) -> None:
    talk.steer("delete_all_data")
    talk.tap(*answers)
    assert request(talk) is None


def test_within_a_day_of_a_dose_deletion_is_noted_and_asked_again_at_the_next_sitting(
    app: Application, coach: StaffMember, clock: MovableClock
) -> None:
    talk = Talk(app, builders.patient(app, coach, hours_since_journey=4))
    talk.steer("delete_all_data")
    assert "I've noted your request and will ask you again tomorrow. Nothing is removed yet." in talk.tap("yes", "yes")
    assert request(talk).confirmed_at is None
    clock.move(hours=38)
    assert app.privacy.run_deletions() == 0
    app.conversation.open(talk.patient.conversation_id)
    talk.tap("fresh")
    assert talk.in_flow() == "rights.delete_all_again"
    talk.tap("yes")
    assert request(talk).confirmed_at is not None
    assert talk.in_flow() == "arrive"


def test_an_entry_is_taken_back_from_the_coach_by_asking(app: Application, talk: Talk, coach: StaffMember) -> None:
    entry = written(talk, "share")
    talk.steer("keep_private")
    assert offered(talk) == [entry.id, "none"]
    assert "may already have read it" in talk.tap(entry.id)
    assert app.digests.patient_page(coach, talk.patient.id).entries == []
    assert "None of your entries is shared" in talk.steer("keep_private")


def test_at_the_summary_keep_private_saves_the_card_as_it_stands_on_the_page(app: Application, talk: Talk) -> None:
    talk.tap(*TO_SUGGESTIONS, "journey_recall", "continue", "some")
    talk.say("a heron in the reeds")
    talk.steer("save_entry")
    ids = {line["label"]: line["id"] for line in talk.control["lines"]}
    received = app.screening.receive(
        talk.patient.id, "k1", "keep it private", lines={ids["Images"]: "a heron", ids["Where I was"]: None}
    )
    app.sittings.steer(talk.patient.conversation_id, received.message.id, "keep_private")
    (entry,) = app.journal.entries(talk.patient.id)
    assert entry.visibility is Visibility.private
    assert entry.line("recall.images") == "a heron"
    assert entry.line("state.ladder") is None


def test_words_changed_on_the_card_are_checked_for_danger_beside_a_typed_text(app: Application, talk: Talk) -> None:
    received = app.screening.receive(
        talk.patient.id, "k2", "keep private", lines={"0": "I want to kill myself tonight"}
    )
    assert received.verdict.level.name == "emergency"


@pytest.mark.parametrize("command", ["show_entries", "delete_entry", "export_data", "delete_all_data"])
def test_a_question_about_safety_comes_before_any_of_it(talk: Talk, command: str) -> None:
    written(talk)
    talk.say("I want to die")
    before = talk.in_flow()
    said = talk.steer(command)
    assert "The question here comes first" in said
    assert talk.in_flow() == before
    assert request(talk) is None


def test_nothing_passes_to_a_new_coach_until_the_patient_says_so(
    app: Application, talk: Talk, coach: StaffMember
) -> None:
    entry = written(talk, "share")
    new = builders.staff_member(app, "Kit", "coach")
    app.desk.change_coach(talk.patient.id, new.id, "system")
    with pytest.raises(NotPermitted):
        app.digests.patient_page(new, talk.patient.id)
    app.sittings.steer(talk.patient.conversation_id, uuid.uuid4().hex, "start_journal")
    assert talk.in_flow() == "rights.new_coach"
    assert "Kit is your new coach" in texts(talk)
    talk.tap("all")
    with pytest.raises(NotPermitted):
        app.digests.patient_page(coach, talk.patient.id)
    assert [e.id for e in app.digests.patient_page(new, talk.patient.id).entries] == [entry.id]
    with app.uow() as tx:
        actions = [fact["action"] for fact in tx.audit_of(talk.patient.id)]
    assert "handover.proposed" in actions
    assert "handover.decided" in actions


@pytest.mark.parametrize(("choice", "may_share"), [("from_today", True), ("nothing", False)])
def test_sharing_from_today_or_nothing_yet_leaves_the_past_alone(
    app: Application, talk: Talk, choice: str, may_share: bool
) -> None:
    written(talk, "share")
    new = builders.staff_member(app, "Kit", "coach")
    app.desk.change_coach(talk.patient.id, new.id, "system")
    app.sittings.steer(talk.patient.conversation_id, uuid.uuid4().hex, "start_journal")
    talk.tap(choice)
    talk.tap(*TO_SUGGESTIONS, "glimmer")
    talk.say("the dog")
    talk.steer("save_entry")
    assert ("share" in offered(talk)) is may_share
    assert app.digests.patient_page(new, talk.patient.id).entries == []
    if not may_share:
        app.desk.choose_history(talk.patient.id, History.all)
        assert len(app.digests.patient_page(new, talk.patient.id).entries) == 1


def test_a_new_coach_is_not_asked_about_within_a_day_of_a_dose(app: Application, coach: StaffMember) -> None:
    patient: Patient = builders.patient(app, coach, hours_since_journey=5)
    new = builders.staff_member(app, "Kit", "coach")
    app.desk.change_coach(patient.id, new.id, "system")
    talk = Talk(app, patient)
    assert talk.in_flow() == "arrive"
    with pytest.raises(TooSoon):
        app.desk.choose_history(patient.id, History.all)
