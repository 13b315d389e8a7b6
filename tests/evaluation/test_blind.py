"""The assessor on the blind set, which nothing was trained or tuned on: floors against regressions, not claims."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.adapters.language.assess import load_assessor
from training import corpus
from training.safety_case import Rows, alerts, assess_all, grave, noticed

ROOT = Path(__file__).parents[2]


# Alert at once, alert or question, harmless that alert, harmless asked about: a little below what each set gave when it was added.
FLOORS = {
    "spring": (0.83, 0.92, 0.01, 0.03),
    "summer": (0.64, 0.82, 0.025, 0.04),
    "winter": (0.62, 0.805, 0.03, 0.05),
}


@pytest.fixture(scope="module")
def rows() -> Rows:
    blind = [m for path in sorted((ROOT / "training/blind").glob("*.txt")) for m in corpus.read(path)]
    return assess_all(load_assessor(ROOT / "data/safety"), blind)


def share(holds: list[bool]) -> float:
    return sum(holds) / len(holds)


def test_every_blind_set_has_its_floors(rows: Rows) -> None:
    assert {m.source for m, _ in rows} == set(FLOORS)


@pytest.mark.parametrize("source", FLOORS)
def test_a_blind_set_reads_no_worse_than_before(rows: Rows, source: str) -> None:
    own = [(m, v) for m, v in rows if m.source == source]
    found, calm = [v for _, v in grave(own)], [v for m, v in own if m.level == "none"]
    alerted, heard, false_alerts, asked = FLOORS[source]
    assert share([alerts(v) for v in found]) >= alerted
    assert share([noticed(v) for v in found]) >= heard
    assert share([alerts(v) for v in calm]) <= false_alerts
    assert share([v.ask for v in calm]) <= asked
