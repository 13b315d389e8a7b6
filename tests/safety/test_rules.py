"""The rules as data: every rule's own sentences, the form of the files, and what holds for all of them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml

from bot.adapters.language.rulebook import KINDS, Rule, load_rulebook
from bot.adapters.language.rules import RuleLayer
from bot.core.safety.verdict import AssessmentContext, Category, Finding, Level

FOLDER = Path(__file__).parents[2] / "data/safety"
LAYER = RuleLayer(FOLDER)
RULES = list(LAYER.rules.values())
MUST = [(rule, text) for rule in RULES for text in rule.must]
MUST_NOT = [(rule, text) for rule in RULES for text in rule.must_not]
RASA_KEYS = {"nlu", "rules", "stories", "responses", "intents", "entities", "slots", "forms", "actions"}


def context_of(rule: Rule) -> AssessmentContext:
    return AssessmentContext(phase=rule.only_in if rule.only_in == "first_24h" else "open_integration")


def in_full(rule: Rule, text: str) -> list[Finding]:
    """The rule's findings at its own level, lowered by nothing."""
    found = LAYER.findings(text, context_of(rule))
    return [f for f in found if f.evidence.rule == rule.id and f.level is rule.level and f.ask is rule.asks]


@pytest.mark.parametrize(("rule", "text"), MUST, ids=[f"{rule.id}: {text}" for rule, text in MUST])
def test_a_rule_matches_what_it_must(rule: Rule, text: str) -> None:
    found = in_full(rule, text)
    assert found
    for finding in found:
        assert text[finding.evidence.start : finding.evidence.end].strip()


@pytest.mark.parametrize(("rule", "text"), MUST_NOT, ids=[f"{rule.id}: {text}" for rule, text in MUST_NOT])
def test_a_rule_leaves_its_near_misses(rule: Rule, text: str) -> None:
    assert not in_full(rule, text)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_says_what_a_clinician_needs_to_sign_it(rule: Rule) -> None:
    assert rule.must
    assert rule.must_not
    assert rule.source
    assert rule.asks is (rule.if_no_answer is not Level.none)


@pytest.mark.parametrize("category", Category)
def test_every_category_has_standing_rules_and_mentions(category: Category) -> None:
    own = [rule for rule in RULES if rule.category is category]
    assert any(rule.loose for rule in own)
    assert any(not rule.loose and rule.level >= Level.urgent for rule in own)


def test_every_word_of_a_rule_can_be_met_in_a_text() -> None:
    """A word that the speller rewrites would never reach a matcher."""
    book = load_rulebook(FOLDER / "rules")
    rewritten = set(book.spelling["fillers"].split()) | set(book.spelling["written_otherwise"])
    named = {
        word
        for rule in RULES
        for phrase in (*rule.says, *rule.unless)
        for stretch in phrase.stretches
        for word in stretch_words(stretch)
    }
    assert not named & rewritten


def stretch_words(stretch: tuple[object, ...]) -> set[str]:
    found: set[str] = set()
    for item in stretch:
        words = getattr(item, "words", None)
        if words is not None:
            found |= words
        else:
            for choice in item.choices:  # type: ignore[attr-defined]
                found |= stretch_words(choice)
    return found


@pytest.mark.parametrize("path", sorted((FOLDER / "rules").glob("*.yml")), ids=lambda path: path.stem)
def test_no_file_of_rules_is_read_by_rasa(path: Path) -> None:
    assert not RASA_KEYS & set(yaml.safe_load(path.read_text()))


def test_there_is_one_file_for_each_category() -> None:
    files = {path.stem for path in (FOLDER / "rules").glob("*.yml")}
    assert files == {*KINDS, "words", "qualifiers", "spelling"}
    assert set(KINDS) == {category.value for category in Category}


ONE_WISH = [
    "i want to die", "I WANT TO DIE", "i wanna die", "i wana die", "I w a n t to d i e", "iwanttodie", "i want to diiiie",
    "I want to d1e", "i wnat to die", "i want 2 die. i want to die", "I just really fucking want to die", "Ｉ ｗａｎｔ ｔｏ ｄｉｅ",
    "I wаnt to die", "i want to die 🙂", "i 🙂 want to die", "Ah'm wanting to die", "quiero morir", "i wan die",
    "had eggs then i went to work and my boss was fine and i want to die and then i came home", "“I want to die” is what I feel. I want to die.",
]  # fmt: skip


@pytest.mark.parametrize("text", ONE_WISH)
def test_one_wish_is_found_however_it_is_typed(text: str) -> None:
    found = LAYER.findings(text, AssessmentContext())
    assert any(f.category is Category.suicide and f.level >= Level.urgent and not f.loose for f in found)


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("killmyself", Category.suicide), ("k i l l m y s e l f", Category.suicide), ("kms", Category.suicide),
        ("im gonna k*ll myself", Category.suicide), ("i feel suicdal", Category.suicide),
        ("i cnat breathe", Category.medical), ("i cant breeth", Category.medical), ("my chset hurts", Category.medical),
        ("he is strangeling me", Category.abuse), ("my husbnad hit me again", Category.abuse),
        ("i cut mysefl last nite on purpose", Category.self_harm), ("i relasped", Category.substance),
        ("im hearing voises", Category.psychosis_mania), ("im gona kill him tonite", Category.harm_to_others),
        ("i cnt cope anymore", Category.distress), ("pls call me asap", Category.human_request),
    ],
)  # fmt: skip
def test_one_slip_in_a_key_word_hides_nothing(text: str, category: Category) -> None:
    found = LAYER.findings(text, AssessmentContext())
    assert any(f.category is category and f.level >= Level.urgent and not f.loose for f in found)


def test_evidence_points_at_the_words_of_a_mended_text() -> None:
    text = "Fine day. Honestly I’d  rather   be ded than go on, k?"
    found = LAYER.findings(text, AssessmentContext())
    assert any("rather   be ded" in text[f.evidence.start : f.evidence.end] for f in found)


def test_a_quiet_rule_does_not_ask_again() -> None:
    text = "I went up on the roof"
    (finding,) = LAYER.findings(text, AssessmentContext())
    assert finding.evidence.rule == "SUI-TW-05"
    assert not LAYER.findings(text, AssessmentContext(quiet_rules=frozenset({"SUI-TW-05"})))


def test_a_hundred_words_take_under_eight_milliseconds() -> None:
    """Processor time, so that a busy machine does not decide; the median of many entries."""
    sentences = [rule.must_not[0] for rule in RULES]
    entries = [". ".join(sentences[i : i + 14]) for i in range(0, len(sentences) - 14, 3)]
    entries = [" ".join(entry.split()[:100]) for entry in entries]
    spent = []
    for _ in range(3):
        for entry in entries:
            begun = time.process_time()
            LAYER.findings(entry, AssessmentContext())
            spent.append(time.process_time() - begun)
    assert sorted(spent)[len(spent) // 2] < 0.016  # twice the aim: processors differ


def test_a_long_text_without_punctuation_is_read_to_its_end_in_time() -> None:
    text = "I walked along the river and noticed the light " * 1200 + " and I want to die"
    begun = time.process_time()
    assert any(f.level is Level.urgent for f in LAYER.findings(text, AssessmentContext()))
    assert time.process_time() - begun < 10
