"""The assessor on the blind set, which nothing was trained or tuned on: floors against regressions, not claims."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.adapters.language.assess import load_assessor
from training import corpus
from training.safety_case import Rows, alerts, assess_all, grave, noticed

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def rows() -> Rows:
    blind = [m for path in sorted((ROOT / "training/blind").glob("*.txt")) for m in corpus.read(path)]
    return assess_all(load_assessor(ROOT / "data/safety"), blind)


def share(holds: list[bool]) -> float:
    return sum(holds) / len(holds)


def test_what_is_urgent_or_worse_is_noticed(rows: Rows) -> None:
    assert share([noticed(v) for _, v in grave(rows)]) >= NOTICED


def test_what_is_urgent_or_worse_alerts_at_once(rows: Rows) -> None:
    assert share([alerts(v) for _, v in grave(rows)]) >= ALERTED


def test_harmless_messages_rarely_alert(rows: Rows) -> None:
    assert share([alerts(v) for m, v in rows if m.level == "none"]) <= FALSE_ALERTS


def test_harmless_messages_are_rarely_asked_about(rows: Rows) -> None:
    assert share([v.ask for m, v in rows if m.level == "none"]) <= ASKED


NOTICED, ALERTED, FALSE_ALERTS, ASKED = 0.86, 0.69, 0.025, 0.055
