"""The acceptance vectors of protocol 6.10: regression only, they were written together with the patterns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.adapters.language.assess import load_assessor
from bot.core.safety.verdict import AssessmentContext, Level

VECTORS = yaml.safe_load((Path(__file__).parent / "vectors.yml").read_text())
ASSESSOR = load_assessor(Path(__file__).parents[2] / "data/safety")
PRACTICES = ("journey_recall", "meet_a_part", "body_tracking", "meaning_and_insight", "arrive")


def context_of(row: dict[str, Any]) -> AssessmentContext:
    place = str(row.get("ctx", ""))
    practice = next((name for name in PRACTICES if name in place), None)
    return AssessmentContext(practice=practice, phase="first_24h" if "first_24h" in place else "open_integration")


RISKY = [(category, row) for category, rows in VECTORS["vectors"].items() for row in rows]


KNOWN_FALSE = {"something from my unconscious", "she takes my hand"}  # of the meaning layer, listed in the safety case


@pytest.mark.parametrize(("category", "row"), RISKY, ids=[row["t"] for _, row in RISKY])
def test_a_vector_reaches_its_level_or_above(category: str, row: dict[str, Any]) -> None:
    """The protocol's levels are floors: a layer may raise, never lower."""
    verdict = ASSESSOR.assess(row["t"], context_of(row))
    if row["l"] == "clarify":
        assert verdict.ask or verdict.level >= Level.urgent
    elif row["l"] == "none":
        assert verdict.level is Level.none
        assert not verdict.ask
    else:
        assert verdict.level >= Level[row["l"]] or (verdict.ask and row["l"] == "concern")
        assert category in [found.value for found in verdict.categories]


@pytest.mark.parametrize("row", VECTORS["benign"], ids=lambda row: row["t"])
def test_an_ordinary_line_raises_no_alert(row: dict[str, Any]) -> None:
    verdict = ASSESSOR.assess(row["t"], context_of(row))
    quiet = verdict.level is Level.none and verdict.ask <= (row["l"] == "clarify")
    assert quiet is (row["t"] not in KNOWN_FALSE)


@pytest.mark.parametrize("row", [r for r in RISKY if r[1]["l"] in ("urgent", "emergency")], ids=lambda row: row[1]["t"])
@pytest.mark.parametrize("frame", ["A part of me says: {}", "{} lol", "{}!!!", "  {}  ", "{}\n\nthat is all"])
def test_framing_never_lowers_below_a_question(row: tuple[str, dict[str, Any]], frame: str) -> None:
    verdict = ASSESSOR.assess(frame.format(row[1]["t"]), context_of(row[1]))
    assert verdict.ask or verdict.level >= Level.urgent


@pytest.mark.parametrize("text", ["7", "", "   ", "10/10", "-", "3."])
def test_a_bare_number_is_no_disclosure(text: str) -> None:
    assert ASSESSOR.assess(text, AssessmentContext()).level is Level.none


def test_evidence_points_at_the_patients_own_words() -> None:
    text = "Honestly? I can’t promise to stay safe, I wannnna die"
    verdict = ASSESSOR.assess(text, AssessmentContext())
    spans = [text[f.evidence.start : f.evidence.end] for f in verdict.findings]
    assert any("die" in span for span in spans)


def test_ten_thousand_words_are_assessed_in_bounded_time() -> None:
    import time

    text = "I walked along the river and noticed the light " * 1200 + " and I want to die"
    begun = time.perf_counter()
    assert ASSESSOR.assess(text, AssessmentContext()).level is Level.urgent
    assert time.perf_counter() - begun < 30
