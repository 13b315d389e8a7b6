"""That this is a program is said at the start, every three hours of use, after days away, and whenever asked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.bootstrap import Application
from bot.services.conversation import DISCLOSURE
from tests import builders
from tests.builders import MovableClock
from tests.services.test_conversations import Talk


@pytest.fixture
def talk(app: Application) -> Talk:
    return Talk(app, builders.patient(app, builders.staff_member(app, "Mo", "coach")))


def said(talk: Talk) -> int:
    """How often it was said in between so far."""
    return sum(m.text_id == DISCLOSURE for m in talk.app.conversation.since(talk.patient.id, 0, 100))


def test_it_is_said_at_the_start_of_a_sitting(talk: Talk) -> None:
    greeting = talk.app.conversation.since(talk.patient.id, 0)[-1]
    assert "automated journal" in str(greeting.small_print)
    assert said(talk) == 0


def test_it_is_said_after_three_hours_of_use_and_again_after_three_more(talk: Talk, clock: MovableClock) -> None:
    talk.tap("continue", "no", "mixed", 4)
    for hours, times in ((2.9, 0), (0.2, 1), (2.5, 1), (0.6, 2)):
        clock.move(hours=hours)
        talk.say("7")
        assert said(talk) == times
    assert "a program with fixed texts" in talk.app.jurisdiction.disclosure
    assert talk.app.jurisdiction.disclose_every == timedelta(hours=3)


def test_it_is_said_after_seven_days_away_to_someone_who_goes_on_without_a_greeting(
    talk: Talk, clock: MovableClock
) -> None:
    talk.tap("continue")
    clock.move(days=7)
    talk.say("hello again")
    assert said(talk) == 1


def test_it_is_said_whenever_asked(talk: Talk) -> None:
    for _ in range(2):
        assert "I'm an automated journal" in talk.steer("are_you_human")
        assert "I'm an automated journal" in talk.ask("am I talking to a person", "faq_human")


def test_an_answer_to_danger_comes_first(talk: Talk, clock: MovableClock) -> None:
    talk.tap("continue")
    clock.move(hours=4)
    reply = talk.say("I want to kill myself tonight")
    assert said(talk) == 0
    assert "988" in reply
