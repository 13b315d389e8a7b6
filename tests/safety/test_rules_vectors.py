"""The acceptance vectors of protocol 6.10 on the rules alone: regression only, they were written with the patterns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.adapters.language.rules import RuleLayer
from bot.core.safety.verdict import AssessmentContext, Level, Verdict, combine

VECTORS = yaml.safe_load((Path(__file__).parent / "vectors.yml").read_text())
LAYER = RuleLayer(Path(__file__).parents[2] / "data/safety")
PRACTICES = ("journey_recall", "meet_a_part", "body_tracking", "meaning_and_insight", "arrive")
RISKY = [(category, row) for category, rows in VECTORS["vectors"].items() for row in rows]
GRAVE = [row for _, row in RISKY if row["l"] in ("urgent", "emergency")]
FRAMES = ("A part of me says: {}", "{} lol", "{}!!!", "  {}  ", "{}\n\nthat is all")


def verdict_on(text: str, row: dict[str, Any]) -> Verdict:
    place = str(row.get("ctx", ""))
    practice = next((name for name in PRACTICES if name in place), None)
    phase = "first_24h" if "first_24h" in place else "open_integration"
    return combine(LAYER.findings(text, AssessmentContext(practice=practice, phase=phase)), version="rules")


@pytest.mark.parametrize(("category", "row"), RISKY, ids=[row["t"] for _, row in RISKY])
def test_a_vector_reaches_its_level(category: str, row: dict[str, Any]) -> None:
    verdict = verdict_on(row["t"], row)
    if row["l"] == "clarify":
        assert verdict.ask or verdict.level >= Level[row["level_if_no_answer"]]
    elif row["l"] == "none":
        assert verdict.level is Level.none
        assert not verdict.ask
    else:
        assert verdict.level is Level[row["l"]]
        assert category in [found.value for found in verdict.categories]


@pytest.mark.parametrize("row", VECTORS["benign"], ids=lambda row: row["t"])
def test_an_ordinary_line_raises_no_alert(row: dict[str, Any]) -> None:
    verdict = verdict_on(row["t"], row)
    assert verdict.level is Level.none
    assert verdict.ask is (row["l"] == "clarify")


@pytest.mark.parametrize("row", GRAVE, ids=[row["t"] for row in GRAVE])
@pytest.mark.parametrize("frame", FRAMES)
def test_framing_never_lowers_below_a_question(row: dict[str, Any], frame: str) -> None:
    verdict = verdict_on(frame.format(row["t"]), row)
    assert verdict.ask or verdict.level >= Level.urgent
