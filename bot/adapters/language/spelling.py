"""Mends what people type: contractions, slang, dialect, stretched letters, look-alikes, run-together words, one slip.

A word that the rules do not know may be a known one, typed otherwise. The lists are data (spelling.yml).
Source: protocol 6.2 step 1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

MOST_REMEMBERED = 20_000
_SIGNS = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "!": "i", "@": "a", "$": "s", "|": "l"})
_STRETCHED = re.compile(r"([a-z])\1{2,}")
_SUFFIXES = {"'s": "is", "'d": "would", "'ll": "will", "'ve": "have", "'re": "are", "'m": "am"}
_SHORTEST_KEY = 4


class Words(Protocol):
    """The words that rules name."""

    def __contains__(self, word: str) -> bool: ...

    def named(self, word: str) -> bool: ...


class Speller:
    """Gives for a typed word the plain words it stands for. An empty answer means a filler, which says nothing."""

    def __init__(self, data: Mapping[str, Any], known: Words) -> None:
        """`data` as in spelling.yml. Raises KeyError where a list is missing."""
        self._known = known
        self._written: dict[str, tuple[str, ...]] = {word: () for word in data["fillers"].split()}
        self._written |= {typed: tuple(plain.split()) for typed, plain in data["written_otherwise"].items()}
        self._written |= {phrase.replace(" ", ""): tuple(phrase.split()) for phrase in data["run_together"]}
        self._ordinary = frozenset(data["ordinary"].split())
        self._keys = _by_first_letters(data["key_words"].split())
        self.in_a_row = {tuple(typed.split()): tuple(plain.split()) for typed, plain in data["in_a_row"].items()}
        self._remembered: dict[str, tuple[str, ...]] = {}

    def plain(self, word: str) -> tuple[str, ...]:
        """The plain words for one typed word, in lower case."""
        found = self._remembered.get(word)
        if found is None:
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered.clear()
            found = self._remembered[word] = self._look_up(word)
        return found

    def spelled(self, letters: str) -> bool:
        """Whether letters typed one by one spell a word that is known."""
        return letters in self._written or letters in self._known

    def _look_up(self, word: str) -> tuple[str, ...]:
        if word in self._written:
            return self._written[word]
        if "'" in word:
            return self._without_apostrophe(word)
        if self._known.named(word) or word.isdigit():
            return (word,)
        squeezed = _STRETCHED.sub(r"\1\1", word)
        for candidate in (squeezed, _STRETCHED.sub(r"\1", word), squeezed.translate(_SIGNS)):
            if candidate != word and (candidate in self._written or self._known.named(candidate)):
                return self._look_up(candidate)
        letters = _STRETCHED.sub(r"\1", word).translate(_SIGNS)
        if letters.endswith("in") and len(letters) > 4 and self._known.named(letters + "g"):
            return (letters + "g",)
        mended = self._mend(letters)
        return (mended or letters,)

    def _without_apostrophe(self, word: str) -> tuple[str, ...]:
        bare = word.replace("'", "")
        if bare in self._written:
            return self._written[bare]
        stem, _, suffix = word.rpartition("'")
        if suffix == "t" and stem.endswith("n"):
            return (*self.plain(stem[:-1]), "not")
        if "'" + suffix in _SUFFIXES:
            return (*self.plain(stem), _SUFFIXES["'" + suffix])
        return self.plain(bare)

    def _mend(self, word: str) -> str | None:
        """The key word that a word is one slip away from: a letter more, less, wrong, or two exchanged."""
        if len(word) < _SHORTEST_KEY or word in self._ordinary or word in self._known:
            return None
        near = {key for start in _starts(word) for key in self._keys.get(start, ())}
        fitting = sorted(key for key in near if _one_slip(word, key))
        return fitting[0] if fitting else None


def _by_first_letters(keys: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key in keys:
        for start in _starts(key):
            found.setdefault(start, []).append(key)
    return found


def _starts(word: str) -> set[str]:
    """What one slip leaves alike: the first letter, or the last two."""
    return {word[0], "…" + word[-2:]}


def _one_slip(word: str, key: str) -> bool:
    if "*" in word:
        return len(word) == len(key) and word.count("*") <= 2 and all(a in (b, "*") for a, b in zip(word, key))
    if len(word) == len(key):
        apart = [i for i, (a, b) in enumerate(zip(word, key)) if a != b]
        if len(apart) == 1:
            return len(key) >= 6 and apart[0] > 0
        exchanged = len(apart) == 2 and apart[1] == apart[0] + 1
        return exchanged and word[apart[0]] == key[apart[1]] and word[apart[1]] == key[apart[0]]
    if abs(len(word) - len(key)) != 1 or len(key) < 5:
        return False
    longer, shorter = (word, key) if len(word) > len(key) else (key, word)
    return any(longer[:i] + longer[i + 1 :] == shorter for i in range(len(longer)))
