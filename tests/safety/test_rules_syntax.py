"""The language that rules are written in."""

from __future__ import annotations

import pytest

from bot.adapters.language.matching import PhraseBook
from bot.adapters.language.phrases import Grammar, PhraseError

GRAMMAR = Grammar({"kin": ["sister", "brother", "best friend"], "they": ["he", "my $kin"]})


def spans(phrase: str, text: str) -> list[str]:
    words = text.split()
    book = PhraseBook({"it": [GRAMMAR.read(phrase)]})
    return [" ".join(words[a:b]) for a, b in book.find(words).get("it", [])]


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("want to die", "i want to die today", ["want to die"]),
        ("want to (die|be dead)", "i want to be dead", ["want to be dead"]),
        ("want to? die", "i want die", ["want die"]),
        ("suicid*", "so suicidal today", ["suicidal"]),
        ("(suicide|suicid*) again", "suicide again", ["suicide again"]),
        ("$they hit me", "my best friend hit me", ["my best friend hit me"]),
        ("my _ $kin", "my little sister", ["my little sister"]),
        ("he _ hit me", "he never hit me", []),
        ("took ..3 pills", "took a lot of pills", ["took a lot of pills"]),
        ("took ..2 pills", "took a lot of pills", []),
        ("gun ~4 tonight", "tonight i have the gun", ["tonight i have the gun"]),
        ("^ call me .", "call me", ["call me"]),
        ("^ call me .", "please call me", []),
        ("^ call me .", "call me later", []),
        ("(a|b c) ~5 (d|e)", "e x b c", ["e x b c"]),
    ],
)
def test_a_phrase_matches(phrase: str, text: str, found: list[str]) -> None:
    assert spans(phrase, text) == found


@pytest.mark.parametrize("phrase", ["(a", "a)", "$nobody", "(a)?", "a ..3", "", "a ..3 (b)?", "WANT", "a . b", "_"])
def test_a_phrase_that_cannot_be_read_is_refused(phrase: str) -> None:
    with pytest.raises(PhraseError):
        GRAMMAR.read(phrase)


def test_a_list_in_a_list_is_refused_before_it_grows_beyond_reason() -> None:
    long = " ".join(["(a|b c|d e|f g|h i|j k)"] * 8)
    with pytest.raises(PhraseError, match="variants"):
        spans(long, "a " * 8)


def test_no_word_of_a_patient_stays_in_the_matchers_memory() -> None:
    book = PhraseBook({"it": [GRAMMAR.read("want to die")]})
    book.find(["eleonora", "want", "to", "die"])
    assert "eleonora" not in book._vocab.strings
