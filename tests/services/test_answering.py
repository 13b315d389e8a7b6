"""Getting kept messages answered: what counts is the turn in the database, not what the engine reports."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.bootstrap import Application
from bot.core.journal import Message
from bot.core.safety.verdict import Verdict
from bot.services.conversation import AWAY, MOST_TRIES
from bot.services.ports import EngineUnavailable, NotPermitted
from tests import builders
from tests.builders import DirectEngine, MovableClock, Outbox


class MoodyEngine(DirectEngine):
    """Rasa as it can be: away, failing in its action, or done without saying that it was."""

    mood = "well"
    turns = 0

    def turn(self, conversation_id: str, message: Message, verdict: Verdict) -> None:
        self.turns += 1
        if self.mood == "away":
            raise EngineUnavailable("down")
        if self.mood == "failing":
            return
        super().turn(conversation_id, message, verdict)
        if self.mood == "too late":
            raise EngineUnavailable("ReadTimeout")


@pytest.fixture
def engine(app: Application) -> MoodyEngine:
    engine = MoodyEngine(lambda: app)
    app.conversation._engine = engine
    return engine


@pytest.fixture
def patient_id(app: Application) -> str:
    """A patient who was greeted."""
    patient = builders.patient(app)
    app.sittings.open(patient.conversation_id)
    return patient.id


def say(app: Application, patient_id: str, text: str) -> Message:
    return app.screening.receive(patient_id, text, text).message


def step(app: Application, patient_id: str) -> str:
    with app.uow() as tx:
        stored = tx.sitting(patient_id)
    assert stored is not None
    return str(stored.state["frames"][-1]["step"])


def test_a_turn_that_was_taken_is_an_answer_although_the_engine_reported_a_timeout(
    app: Application, engine: MoodyEngine, patient_id: str
) -> None:
    engine.mood = "too late"
    replies = app.conversation.deliver(say(app, patient_id, "ok").id)
    assert [r.text_id for r in replies] == ["arrive.ar_needs"]


def test_a_failed_action_is_no_answer_and_the_question_is_asked_again_in_the_end(
    app: Application, engine: MoodyEngine, patient_id: str
) -> None:
    engine.mood = "failing"
    message = say(app, patient_id, "ok")
    assert [r.text_id for r in app.conversation.deliver(message.id)] == [AWAY]
    for _ in range(MOST_TRIES - 1):
        app.conversation.deliver(message.id, tell=False)
    with app.uow() as tx:
        kept = tx.message(message.id)
        replies = tx.replies(message.id)
    assert kept is not None
    assert kept.answered_at is not None
    assert [r.text_id for r in replies] == [AWAY, "arrive.ar_hello"]
    assert app.conversation.deliver(message.id) == tuple(replies)


def test_an_absent_engine_never_uses_up_the_tries(
    app: Application, engine: MoodyEngine, patient_id: str, clock: MovableClock
) -> None:
    engine.mood = "away"
    message = say(app, patient_id, "ok")
    clock.move(seconds=60)
    for _ in range(2 * MOST_TRIES):
        assert app.conversation.deliver_waiting() == 0
    engine.mood = "well"
    assert app.conversation.deliver_waiting() == 1
    with app.uow() as tx:
        assert [r.text_id for r in tx.replies(message.id)] == ["arrive.ar_needs"]


def test_what_was_written_while_the_engine_was_away_is_taken_in_order(
    app: Application, engine: MoodyEngine, patient_id: str, clock: MovableClock
) -> None:
    engine.mood = "away"
    for text in ("ok", "no, not today"):
        app.conversation.deliver(say(app, patient_id, text).id)
        clock.move(seconds=2)
    engine.mood = "well"
    app.conversation.deliver(say(app, patient_id, "a mix").id)
    assert step(app, patient_id) == "ar_activation"


def test_a_message_taken_before_another_one_is_never_taken_twice(
    app: Application, engine: MoodyEngine, patient_id: str
) -> None:
    first, second = say(app, patient_id, "ok"), say(app, patient_id, "no, not today")
    app.conversation.deliver(first.id)
    app.conversation.deliver(second.id)
    with app.uow() as tx:
        conversation_id = tx.patient(patient_id).conversation_id  # type: ignore[union-attr]
    again = app.sittings.ask(conversation_id, first.id)
    assert [s.utterance.text_id for s in again] == ["arrive.ar_needs"]
    assert step(app, patient_id) == "ar_ladder"


def test_an_open_invitation_can_be_renewed_and_an_accepted_one_cannot(tmp_path: Path, outbox: Outbox) -> None:
    from bot.supervisor.demo import seed

    app = builders.application(tmp_path, MovableClock(), outbox)
    links = [seed(app)[-1].rsplit("/", 1)[1] for _ in range(2)]
    assert {app.access.invitation(token).first_name for token in links} == {"Sam"}
    with app.uow() as tx:
        people = [(p.first_name, p.id) for p in tx.patients()]
    assert sorted(name for name, _ in people) == ["Rae", "Sam"]
    with pytest.raises(NotPermitted):
        app.access.invite_again(dict(people)["Rae"])
    app.database.dispose()
