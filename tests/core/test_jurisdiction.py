"""The profile of the place: complete, in step with the authored texts, and when it asks to be said that this is a program."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.adapters.jurisdictions import JurisdictionUnknown, load_jurisdiction
from bot.core.jurisdiction import disclosure_due
from bot.settings import ROOT
from tests.builders import NOON

US = load_jurisdiction(ROOT / "data/jurisdictions", "us")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(("said", "written", "due"), [
    (None, None, False),                        # the greeting of a first sitting says it
    (NOON - 2 * HOUR, NOON - HOUR / 2, False),
    (NOON - 3 * HOUR, NOON - HOUR / 2, True),   # every three hours of use
    (NOON, NOON - 8 * DAY, False),              # just greeted after days away
    (NOON - 8 * DAY, NOON - 7 * DAY, True),     # days away and not greeted
])  # fmt: skip
def test_it_is_said_again_as_often_as_the_strictest_state_asks(said: object, written: object, due: bool) -> None:
    assert disclosure_due(US, said, written, NOON) is due  # type: ignore[arg-type]


def test_the_profiles_numbers_are_those_of_the_crisis_card() -> None:
    card = (ROOT / "data/safety/shared.yml").read_text(encoding="utf-8")
    for line in US.crisis_lines:
        for way in ("call", "text", "word"):
            assert line.get(way, "") in card


def test_the_disclosure_keeps_to_the_style_guide() -> None:
    assert len(US.disclosure.split()) <= 45
    assert "!" not in US.disclosure
    assert US.retention.alerts >= US.retention.messages


@pytest.mark.parametrize("name", ["nowhere", "../us", ""])
def test_an_unknown_profile_is_refused_with_those_that_there_are(name: str) -> None:
    with pytest.raises(JurisdictionUnknown, match="there are: us"):
        load_jurisdiction(ROOT / "data/jurisdictions", name)
