"""Which onboarding text is asked next, and when nothing is asked at all. Source: protocol 7.2, 7.3 and 7.6."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.core.journeys import Phase, Timeline
from bot.core.privacy import REVOKED, Consent, next_text, text_version, undecided_until
from tests.builders import NOON

TEXTS: list[dict[str, Any]] = [
    {"id": "ob_age", "prompt": ["Are you 18 or older?"], "options": [{"value": "yes"}]},
    {"id": "ob_see", "prompt": ["Entries you share go to {coach_name}."], "ack_label": "Understood"},
]


def given(*ids: str, at: datetime = NOON, coach: int = 1) -> list[Consent]:
    known = {text["id"]: text for text in TEXTS}
    return [Consent(text_id=i, answer="yes", version=text_version(known[i], coach), at=at) for i in ids]


def asked(consents: list[Consent], now: datetime = NOON, coach: int = 1, wrote: datetime | None = None) -> str | None:
    step = next_text(TEXTS, consents, coach_id=coach, last_written_at=wrote, now=now)
    return None if step is None else str(step["id"])


def test_texts_come_in_order_and_end() -> None:
    assert [asked([]), asked(given("ob_age")), asked(given("ob_age", "ob_see"))] == ["ob_age", "ob_see", None]


def test_a_text_whose_words_changed_is_asked_again_and_no_other() -> None:
    old = given("ob_age", "ob_see")
    TEXTS[0]["prompt"] = ["Are you at least 18?"]
    try:
        assert asked(old) == "ob_age"
        assert asked([*old, *given("ob_age")]) is None
    finally:
        TEXTS[0]["prompt"] = ["Are you 18 or older?"]


def test_a_new_coach_is_asked_about_where_the_coach_is_named() -> None:
    assert asked(given("ob_age", "ob_see"), coach=2) == "ob_see"


@pytest.mark.parametrize(("days", "again"), [(364, None), (366, "ob_age")])
def test_consent_is_renewed_after_a_year(days: int, again: str | None) -> None:
    assert asked(given("ob_age", "ob_see"), now=NOON + timedelta(days=days)) == again


@pytest.mark.parametrize(("days", "again"), [(89, None), (91, "ob_age")])
def test_consent_is_renewed_when_someone_returns_after_ninety_days(days: int, again: str | None) -> None:
    consents, now = given("ob_age", "ob_see"), NOON + timedelta(days=days)
    assert asked(consents, now=now, wrote=NOON) == again
    assert asked([*consents, *given("ob_age", "ob_see", at=now)], now=now, wrote=NOON) is None


def test_taking_consent_back_asks_everything_anew() -> None:
    revoked = Consent(text_id=REVOKED, answer="yes", version="", at=NOON)
    assert asked([*given("ob_age", "ob_see"), revoked]) == "ob_age"
    assert asked([*given("ob_age", "ob_see"), revoked, *given("ob_age", "ob_see")]) is None


@pytest.mark.parametrize(("hours", "phase", "waits"), [
    (23.9, Phase.first_24h, 0.1), (24.1, Phase.h24_72, None), (30, Phase.first_24h, 24),
    (None, Phase.journey_day_before, 24), (1, Phase.journey_day_after, 23), (None, Phase.preparation, None),
])  # fmt: skip
def test_nothing_binding_is_asked_close_to_a_journey(hours: float | None, phase: Phase, waits: float | None) -> None:
    ended = None if hours is None else NOON - timedelta(hours=hours)
    where = Timeline(phase=phase, journeys_completed=1, last_dose_ended_at=ended, next_journey_at=None)
    until = undecided_until(where, NOON)
    assert until == (None if waits is None else NOON + timedelta(hours=waits))
