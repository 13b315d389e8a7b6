"""Conversations as they happen, through the services, each with what must be in the database afterwards."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest

from bot.bootstrap import Application
from bot.core.journal import Entry, Visibility
from bot.core.people import Patient, StaffMember
from tests import builders
from tests.builders import MovableClock

TO_SUGGESTIONS: list[Any] = ["continue", "no", "mixed", 4, 7, [{"place": "jaw", "word": "tight"}], "medium"]


class Talk:
    """A patient at the page, through the services: taps, types, steers; looks at what was kept."""

    def __init__(self, app: Application, patient: Patient) -> None:
        self.app, self.patient = app, patient
        app.conversation.open(patient.conversation_id)

    @property
    def control(self) -> dict[str, Any]:
        messages = self.app.conversation.since(self.patient.id, 0)
        return next(dict(m.control) for m in reversed(messages) if m.control is not None)

    def _send(self, text: str, control_id: str | None, value: Any) -> str:
        received = self.app.screening.receive(
            self.patient.id, uuid.uuid4().hex, text, control_id=control_id, value=value
        )
        return "\n".join(m.text for m in self.app.conversation.deliver(received.message.id))

    def tap(self, *values: Any) -> str:
        said = ""
        for value in values:
            said = self._send("", self.control["id"], value)
        return said

    def say(self, text: str) -> str:
        return self._send(text, None, None)

    def steer(self, command: str) -> str:
        spoken = self.app.sittings.steer(self.patient.conversation_id, uuid.uuid4().hex, command)
        return "\n".join(row.utterance.text for row in spoken)

    def ask(self, text: str, faq: str) -> str:
        received = self.app.screening.receive(self.patient.id, uuid.uuid4().hex, text)
        spoken = self.app.sittings.inform(self.patient.conversation_id, received.message.id, faq)
        return "\n".join(row.utterance.text for row in spoken)

    def close(self, choice: str = "private") -> Entry | None:
        """Answer whatever is left in the gentlest way, save, and return the newest entry."""
        before = {e.id for e in self.app.journal.entries(self.patient.id)}
        for _ in range(25):
            if self.in_flow() is None:
                break
            control = self.control
            offered = [o["value"] for o in control["options"]]
            if control["type"] == "summary":
                self.tap(choice)
            elif control["type"] == "none":
                self.tap("continue")
            elif closing := next((v for v in ("close", "enough", "stop", "no") if v in offered), None):
                self.tap(closing)
            elif control["type"] == "scale":
                self.tap(3)
            else:
                self.tap("skip")
        return next((e for e in self.app.journal.entries(self.patient.id) if e.id not in before), None)

    def in_flow(self) -> str | None:
        with self.app.uow() as tx:
            stored = tx.sitting(self.patient.id)
        frames = stored.state["frames"] if stored else []
        return str(frames[-1]["flow"]) if frames else None

    def alerts(self) -> list[str]:
        with self.app.uow() as tx:
            return [alert.level.name for alert in tx.alerts(patient_id=self.patient.id)]


@pytest.fixture
def coach(app: Application) -> StaffMember:
    return builders.staff_member(app, "Mo", "coach")


@pytest.fixture
def talk(app: Application, coach: StaffMember) -> Talk:
    builders.staff_member(app, "Noor", "responder")
    return Talk(app, builders.patient(app, coach))


def lines(entry: Entry | None) -> dict[str, str]:
    assert entry is not None
    return {line.field: line.text for line in entry.lines}


def test_someone_tired_writes_one_line_and_it_is_kept(talk: Talk) -> None:
    assert "Tired is fine" in talk.steer("short_version") or "tiny" in talk.steer("short_version")
    talk.tap("continue", "no", "dorsal", 3, 8)
    assert talk.in_flow() == "short"
    talk.say("the rain, mostly")
    entry = talk.close()
    assert lines(entry)["recall.words"] == "the rain, mostly"
    assert talk.alerts() == []


def test_digressions_in_a_row_are_answered_and_the_question_stays(talk: Talk) -> None:
    talk.tap(*TO_SUGGESTIONS, "journey_recall", "continue", "some")
    for text, faq in (
        ("who reads this?", "faq_who_reads"),
        ("what is a part?", "faq_what_is_part"),
        ("are you a bot?", "faq_human"),
    ):
        assert talk.ask(text, faq)
    assert talk.in_flow() == "journey_recall"
    talk.say("a long corridor of glass")
    assert lines(talk.close())["recall.images"] == "a long corridor of glass"


def test_a_pause_of_a_day_brings_back_the_same_step_and_the_earlier_words(talk: Talk, clock: MovableClock) -> None:
    talk.tap(*TO_SUGGESTIONS, "journey_recall", "continue", "some")
    talk.say("a green field")
    talk.steer("pause")
    clock.move(hours=20)
    talk.app.conversation.open(talk.patient.conversation_id)
    assert talk.in_flow() == "sitting.resume_offer"
    talk.tap("resume", [{"place": "hands", "word": "warm"}])
    assert lines(talk.close())["recall.images"] == "a green field"


def test_leaving_without_pausing_is_offered_to_be_picked_up_later(talk: Talk, clock: MovableClock) -> None:
    talk.tap(*TO_SUGGESTIONS)
    clock.move(hours=9)
    talk.app.conversation.open(talk.patient.conversation_id)
    assert talk.in_flow() == "sitting.resume_offer"


def test_a_changed_answer_replaces_the_earlier_one(talk: Talk) -> None:
    talk.tap(*TO_SUGGESTIONS, "journey_recall", "continue", "some")
    talk.say("a blue door")
    talk.steer("change_last_answer")
    talk.say("a red door")
    entry = talk.close()
    assert [line.text for line in entry.lines if line.field == "recall.images"] == ["a red door"] if entry else False


def test_activation_nine_settles_first_and_stays_high_leads_to_a_person(talk: Talk) -> None:
    talk.tap("continue", "no", "sympathetic", 9)
    assert talk.in_flow() == "grounding"
    for _ in range(2):
        talk.tap("choose", "continue", 9)
        if talk.in_flow() == "grounding":
            talk.tap("again")
    assert talk.in_flow() == "safety.distress_check"
    talk.tap("hard")
    assert "urgent" in talk.alerts()


def test_no_part_noticed_has_a_gentle_end_and_registers_nothing(talk: Talk) -> None:
    talk.tap(*TO_SUGGESTIONS[:-1], "medium")
    with talk.app.uow() as tx:
        assert tx.part_register(talk.patient.id) == []
    talk.tap("journey_recall", "continue", "nothing")
    assert "full answer" in talk.say("only the blanket was heavy")
    assert lines(talk.close())["recall.quiet_note"] == "only the blanket was heavy"


def _meet_a_part(app: Application, coach: StaffMember) -> Talk:
    patient = builders.patient(app, coach, hours_since_journey=240.0)
    talk = Talk(app, patient)
    talk.tap("continue", "no", "mixed", 3, 8, "skip", "medium", "meet_a_part", "yes", "found")
    return talk


def test_a_part_gets_its_name_its_words_and_its_place_in_the_register(app: Application, coach: StaffMember) -> None:
    talk = _meet_a_part(app, coach)
    talk.say("the Clerk")
    talk.tap([{"place": "jaw", "word": ""}])
    talk.say("grey, always counting")
    talk.tap("curious")
    talk.say("keeps the list so nothing falls")
    talk.tap("manager_like")
    talk.say("that I'd forget something that matters")
    assert talk.close("share") is not None
    register = app.journal.parts(talk.patient.id)
    assert [p.part.names for p in register] == [("the Clerk",)]
    assert [said.text for said in register[0].jobs] == ["keeps the list so nothing falls"]
    assert [said.text for said in register[0].places] == ["jaw"]
    assert [said.text for said in register[0].fears] == ["that I'd forget something that matters"]


def test_a_tender_part_stops_and_only_a_line_goes_to_the_coach(app: Application, coach: StaffMember) -> None:
    talk = _meet_a_part(app, coach)
    talk.say("the quiet one")
    talk.tap("skip")
    assert "tender" in talk.say("a little girl behind a door")
    talk.tap("tell")
    assert talk.in_flow() == "grounding"
    notes = app.journal.questions(talk.patient.id)
    assert [(q.kind, q.text) for q in notes] == [("note", "Something tender came up, and the practice stopped there.")]
    assert talk.alerts() == ["concern"]


def test_a_frightening_journey_can_be_left_alone_and_alerts_no_one(talk: Talk) -> None:
    talk.tap(*TO_SUGGESTIONS, "journey_recall", "continue", "too_much")
    talk.tap("corner")
    talk.say("a dark tunnel and it was scary, then light at the end")
    assert lines(talk.close())["recall.images"].startswith("a dark tunnel")
    assert "emergency" not in talk.alerts()


def test_a_symbolic_death_in_a_journey_is_kept_and_alerts_no_one(talk: Talk) -> None:
    talk.tap(*TO_SUGGESTIONS, "journey_recall", "continue", "some")
    words = "In the journey my ego dissolved and it was like a small death, then I was the ocean."
    talk.say(words)
    if talk.in_flow() != "journey_recall":  # one plain question may come first
        talk.tap("no")
    assert words in lines(talk.close()).values()
    assert "emergency" not in talk.alerts()
    assert "urgent" not in talk.alerts()


def test_swearing_in_an_answer_is_kept_as_written_and_alone_it_is_taken_calmly(talk: Talk) -> None:
    talk.tap(*TO_SUGGESTIONS, "journey_recall", "continue", "some")
    talk.say("fucking bright, all of it")
    assert lines(talk.close())["recall.images"] == "fucking bright, all of it"
    assert "okay to say here" in talk.say("shit bot")


def test_another_language_is_kept_as_it_was_written(talk: Talk) -> None:
    talk.tap(*TO_SUGGESTIONS, "journey_recall", "continue", "some")
    talk.say("había un río muy ancho, y mi abuela me saludaba")
    assert lines(talk.close())["recall.images"] == "había un río muy ancho, y mi abuela me saludaba"


def test_five_thousand_words_are_kept_whole(talk: Talk) -> None:
    talk.tap(*TO_SUGGESTIONS, "journey_recall", "continue", "some")
    words = " ".join(["river", "light", "stone", "warm", "slow"] * 1000)
    talk.say(words)
    assert lines(talk.close())["recall.images"] == words


def test_two_patients_at_once_never_meet(app: Application, coach: StaffMember) -> None:
    first, second = Talk(app, builders.patient(app, coach)), Talk(app, builders.patient(app, coach))
    for value in TO_SUGGESTIONS:
        first.tap(value)
        second.tap(value)
    first.tap("journey_recall", "continue", "some")
    second.tap("journey_recall", "continue", "some")
    first.say("a mountain")
    second.say("a lake")
    assert lines(first.close())["recall.images"] == "a mountain"
    assert lines(second.close())["recall.images"] == "a lake"


def test_a_medical_question_becomes_a_tracked_one_and_its_answer_comes_back(app: Application, talk: Talk) -> None:
    nurse = builders.staff_member(app, "Ira", "medical")
    talk.ask("can I take melatonin tonight?", "faq_meds")
    talk.tap("medical_team")
    waiting, _ = app.requests.queue(nurse)
    assert [row.request.text for row in waiting] == ["can I take melatonin tonight?"]
    app.requests.answer(nurse, waiting[0].request.id, "Please call us before you take it.")
    assert [q.answer for q in app.journal.questions(talk.patient.id)] == ["Please call us before you take it."]
    assert ("Ira", "your questions") in [(name, what) for name, what, _ in app.journal.seen_by(talk.patient.id)]
    assert talk.control["type"] == "none"  # the sitting goes on where it was


def test_what_is_out_of_scope_is_offered_to_be_carried_on_and_not_sent_unasked(app: Application, talk: Talk) -> None:
    talk.steer("out_of_scope")
    assert app.journal.questions(talk.patient.id) == []


def test_a_letter_kept_private_sends_nothing(app: Application, talk: Talk, coach: StaffMember) -> None:
    talk.tap(*TO_SUGGESTIONS, "letter_to_coach", "ok")
    talk.say("why do I cry when I'm not sad")
    talk.tap("skip", "skip", "skip", "keep")
    assert app.journal.questions(talk.patient.id) == []
    assert app.digests.patient_page(coach, talk.patient.id).entries == []
    assert [e.visibility for e in app.journal.entries(talk.patient.id)] == [Visibility.private]


def test_the_question_of_a_letter_that_is_sent_is_asked_once(app: Application, talk: Talk, coach: StaffMember) -> None:
    talk.tap(*TO_SUGGESTIONS, "letter_to_coach", "ok")
    talk.say("why do I cry when I'm not sad")
    talk.tap("skip", "skip", "skip", "send")
    waiting, _ = app.requests.queue(coach)
    assert [row.request.text for row in waiting] == ["why do I cry when I'm not sad"]


def test_a_discard_on_the_first_day_waits_and_is_asked_again(
    app: Application, coach: StaffMember, clock: MovableClock
) -> None:
    talk = Talk(app, builders.patient(app, coach, hours_since_journey=4.0))
    talk.tap("continue", "no", "mixed", 3, 8, "with_me", "journey_recall", "continue", "some")
    talk.say("three soft words")
    talk.tap("skip")
    for _ in range(6):
        if talk.control["type"] == "summary":
            break
        talk.tap(2 if talk.control["type"] == "scale" else "skip")
    assert "out of sight for a day" in talk.tap("discard")
    talk.tap("continue")
    assert app.journal.entries(talk.patient.id) == []
    assert app.journal.waiting_removals(talk.patient.id) == 1
    clock.move(hours=40)
    app.conversation.open(talk.patient.conversation_id)
    assert talk.in_flow() == "own.discard_again"
    talk.tap("yes")
    assert app.journal.waiting_removals(talk.patient.id) == 0
    with app.uow() as tx:
        assert [e.visibility for e in tx.entries(talk.patient.id)] == [Visibility.discarded]
        assert [e.lines for e in tx.entries(talk.patient.id)] == [()]


def test_an_open_sitting_survives_a_deploy_that_changes_its_practice(app: Application, talk: Talk) -> None:
    talk.tap(*TO_SUGGESTIONS, "journey_recall", "continue", "some")
    sources = dict(app.library.sources)
    sources["practices/journey_recall.yml"] = sources["practices/journey_recall.yml"].replace(
        "jr_images", "jr_pictures"
    )
    from bot.adapters.content import compile_library
    from bot.services.sittings import SittingService

    newer = compile_library(sources)
    telling = app.sittings._reader._telling
    deployed = SittingService(app.uow, app.clock, newer, compile_library, app.escalation, telling)
    spoken = deployed.ask(talk.patient.conversation_id, uuid.uuid4().hex)
    assert spoken[-1].utterance.text_id == "journey_recall.jr_images"
    with app.uow() as tx:
        stored = tx.sitting(talk.patient.id)
        assert tx.content_files(app.library.version) is not None
    assert stored is not None
    assert stored.state["content_version"] == app.library.version


def test_a_past_scene_is_never_shown_to_the_coach_in_a_shared_entry(
    app: Application, talk: Talk, coach: StaffMember
) -> None:
    talk.tap(*TO_SUGGESTIONS, "journey_recall", "continue", "some")
    talk.say("a house")
    talk.tap("skip", "skip", "skip", "yes", "tell")
    assert lines(talk.close("share")).get("recall.past_scene_flag")
    shared = app.digests.patient_page(coach, talk.patient.id).entries[0]
    assert "recall.past_scene_flag" not in {line.field for line in shared.lines}
    notes = [q.text for q in app.journal.questions(talk.patient.id)]
    assert notes == ["Something like a scene from the past came up. No details were asked for."]


def test_the_schedule_being_missing_is_asked_about_and_restricts_when_unsure(
    app: Application, coach: StaffMember
) -> None:
    invited = app.access.invite(first_name="Ida", last_name="Vale", coach_id=coach.id)
    app.access.set_flags(invited.patient_id, parts_work_ok=True, body_work_ok=True)
    with app.uow() as tx:
        patient = tx.patient(invited.patient_id)
    assert patient is not None
    talk = Talk(app, replace(patient))
    assert talk.in_flow() == "phase_unknown"
    talk.tap("unsure", "continue", "no", "ventral", 2, 8)
    assert talk.in_flow() == "arrive"  # the first day's question about company
    talk.tap("reachable")
    assert {o["value"] for o in talk.control["options"]} <= {
        "journey_recall",
        "glimmer",
        "grounding",
        "letter_to_coach",
        "close",
    }
