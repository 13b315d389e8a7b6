"""The meaning layer: how messages are cut, what is pinned, and what happens when a layer fails."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest

from bot.adapters.language.assess import Assessor, load_assessor
from bot.adapters.language.encoder import tokenizer_file
from bot.adapters.language.meaning import (
    MOST_TOKENS,
    MeaningFailed,
    MeaningLayer,
    Reader,
    Reading,
    sentences,
)
from bot.adapters.language.rules import RuleLayer
from bot.core.safety.explain import explain
from bot.core.safety.verdict import AssessmentContext, Category, Evidence, Finding, Level

DATA = Path(__file__).parents[2] / "data/safety"
ASSESSOR = load_assessor(DATA)
ANYWHERE = AssessmentContext()
LONG = (
    "The bus was late again and I missed the start of the meeting, but Priya had kept me a seat. {} "
    "Lunch was the usual noodles. After work I went to the gym and watched two episodes of that baking show."
)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("ok", ["ok"]),
        ("One two three. Four five six.", ["One two three.", "Four five six."]),
        ("I stopped there. Yes.", ["I stopped there. Yes."]),
        ("first line of it\nsecond line of it", ["first line of it", "second line of it"]),
    ],
)
def test_a_text_is_cut_into_sentences(text: str, pieces: list[str]) -> None:
    assert [text[a:b] for a, b in sentences(text)] == pieces


def test_text_without_punctuation_is_cut_into_pieces() -> None:
    spans = sentences("word " * 100)
    assert 3 <= len(spans) <= 5


@pytest.mark.parametrize("text", ["word " * 700, "a. " * 900, "x" * 5000, "שלום " * 300, "🙂 " * 200])
def test_windows_cover_every_token_once_and_are_never_too_long(text: str) -> None:
    reader = Reader(tokenizer_file())
    windows = list(reader.windows(text))
    assert all(len(window.ids) <= MOST_TOKENS + 2 for window in windows)
    ends = [(window.rows[0].start, window.rows[0].end) for window in windows]
    assert ends[0][0] == 0
    assert ends[-1][1] == len(text.rstrip())
    assert all(one[1] <= following[0] for one, following in itertools.pairwise(ends))
    for window in windows:
        assert np.allclose(window.pool.sum(axis=1), 1.0, atol=1e-4)


def test_another_file_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    shutil.copytree(DATA / "meaning", tmp_path / "meaning")
    with (tmp_path / "meaning/encoder.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ValueError, match="not the file"):
        MeaningLayer(tmp_path / "meaning")


def test_a_verdict_replays_bit_for_bit() -> None:
    text = LONG.format("I have put the letters on the table and I will not be here on Friday.")
    assert load_assessor(DATA).assess(text, ANYWHERE).as_json() == ASSESSOR.assess(text, ANYWHERE).as_json()


@pytest.mark.parametrize(
    "sentence",
    [
        "I want to kill myself tonight.",
        "My husband choked me last night and I am scared of him.",
        "I took all of the pills.",
    ],
)
def test_one_sentence_of_danger_in_a_long_entry_is_found_where_it_stands(sentence: str) -> None:
    text = LONG.format(sentence)
    verdict = ASSESSOR.assess(text, ANYWHERE)
    assert verdict.level >= Level.urgent
    place = text.index(sentence)
    assert any(f.evidence.start < place + len(sentence) and f.evidence.end > place for f in verdict.findings)


def test_the_same_entry_without_it_raises_nothing() -> None:
    verdict = ASSESSOR.assess(LONG.format("The cat slept on the ironing again."), ANYWHERE)
    assert verdict.level is Level.none
    assert not verdict.ask


class FailingMeaning(MeaningLayer):
    """An encoder that cannot be run."""

    def __init__(self) -> None:
        self.version, self.thresholds = "meaning-none", {}

    def read(self, text: str) -> Reading:
        raise MeaningFailed("Fail")


class FailingRules(RuleLayer):
    """Rules that cannot be read."""

    def __init__(self) -> None:
        self.rules = ()

    def findings(self, text: str, context: AssessmentContext) -> list[Finding]:
        raise ValueError("no rules")


def test_without_the_meaning_layer_every_message_asks_at_least() -> None:
    assessor = Assessor(RuleLayer(DATA), FailingMeaning(), "test")
    verdict = assessor.assess("a quiet day with the dog", ANYWHERE)
    assert verdict.ask
    assert verdict.if_no_answer is Level.urgent
    assert verdict.failed_layers == ("meaning",)
    assert assessor.assess("I want to die", ANYWHERE).level >= Level.urgent


def test_without_any_layer_the_verdict_says_so() -> None:
    verdict = Assessor(FailingRules(), FailingMeaning(), "test").assess("anything", ANYWHERE)
    assert verdict.failed_layers == ("all",)


class CalmMeaning(MeaningLayer):
    """A reading that is sure of no harm."""

    def __init__(self) -> None:
        self.version, self.thresholds = "meaning-calm", {}

    def read(self, text: str) -> Reading:
        return Reading((), calm=True)


@pytest.mark.parametrize(
    "text", ["I want to die", "I'm going to kill myself tonight", "he's hitting me right now", "call me please"]
)
def test_what_is_said_as_ones_own_stands_however_calm_the_meaning(text: str) -> None:
    verdict = Assessor(RuleLayer(DATA), CalmMeaning(), "test").assess(text, ANYWHERE)
    assert verdict.level >= Level.urgent


def test_a_mention_of_an_emergency_earns_a_question_even_in_calm() -> None:
    verdict = Assessor(RuleLayer(DATA), CalmMeaning(), "test").assess("I get chest pain", ANYWHERE)
    assert verdict.level is Level.none
    assert verdict.ask


class RememberingMeaning(MeaningLayer):
    """Finds danger only where two given stretches stand together."""

    def __init__(self) -> None:
        self.version, self.thresholds = "meaning-pair", {}

    def read(self, text: str) -> Reading:
        if "the bottle" not in text or "tonight" not in text:
            return Reading((), calm=True)
        evidence = Evidence(start=0, end=len(text), score=0.9, nearest="none")
        return Reading((Finding(category=Category.suicide, level=Level.urgent, evidence=evidence),), calm=False)


def test_a_short_reply_that_is_grave_only_with_what_came_before_is_asked_about() -> None:
    assessor = Assessor(RuleLayer(DATA), RememberingMeaning(), "test")
    assert not assessor.assess("later tonight", ANYWHERE).ask
    together = assessor.assess("later tonight", AssessmentContext(history=("I keep the bottle by the bed",)))
    assert together.ask
    assert together.if_no_answer is Level.urgent


def test_an_explanation_names_words_rule_and_what_would_change_it() -> None:
    text = "I want to die"
    lines = "\n".join(explain(ASSESSOR.assess(text, ANYWHERE), text, ASSESSOR.thresholds))
    assert "want to die" in lines
    assert "SUI-UR-01" in lines
    assert ASSESSOR.version in lines


@pytest.mark.parametrize("text", ['/intent{"x":"y"}', "<b>tea</b>", "x=3"])
def test_what_is_no_prose_is_left_to_the_rules(text: str) -> None:
    assert not ASSESSOR.assess(text, ANYWHERE).findings


@pytest.mark.parametrize("text", ['{"x": "I want to die tonight"}', "<p>I want to die tonight</p>"])
def test_words_within_markup_are_read(text: str) -> None:
    assert ASSESSOR.assess(text, ANYWHERE).level >= Level.urgent
