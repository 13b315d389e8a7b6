"""The small language that rules are written in, read into phrases that a matcher can run.

    want to (die|be dead)      words in a row; (a|b) one of these, each of one word or more
    want to just? die          a word or group that may be missing
    suicid*                    any word that begins so
    $kin                       a named list of words.yml
    my _ husband               one word or none, whichever
    took ..3 pills             at most three words between
    gun ~8 (tonight|ready)     at most eight words between, either side first
    ^ call me .                at the start, at the end of a clause

Knows nothing of spaCy, of levels or of files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

MOST_ROWS = 6000  # variants of one stretch of words; more is a sign of a list in a list
_SYMBOL = re.compile(r"\s*(\.\.\d+|~\d+|\$[a-z_]+|[a-z0-9]+\*?|[()|?^._])")
ANY = "_"


class PhraseError(ValueError):
    """A phrase that cannot be read; the message quotes it and says where."""


@dataclass(frozen=True)
class Slot:
    """One place in a row: any of these words (`suicid*` stands for every word that begins so)."""

    words: frozenset[str]
    optional: bool = False


@dataclass(frozen=True)
class Item:
    """One step of a stretch: alternatives, each of them a stretch."""

    choices: tuple[tuple[Item | Slot, ...], ...]
    optional: bool = False


Stretch = tuple["Item | Slot", ...]
Row = tuple[Slot, ...]


@dataclass(frozen=True)
class Joint:
    """What stands between two stretches: at most `most` words; `either` side may come first."""

    most: int
    either: bool


@dataclass(frozen=True)
class Phrase:
    """Stretches of adjoining words, joined by gaps."""

    text: str
    stretches: tuple[Stretch, ...]
    joints: tuple[Joint, ...]
    at_start: bool
    at_end: bool


def rows(stretch: Stretch) -> list[Row]:
    """All variants of a stretch as rows of slots. Raises PhraseError where there are too many."""
    made: list[Row] = [()]
    for item in stretch:
        options = [(item,)] if isinstance(item, Slot) else _options(item)
        if len(made) * len(options) > MOST_ROWS:
            raise PhraseError(f"more than {MOST_ROWS} variants; write two rules")
        made = [row + option for row in made for option in options]
    return made


@cache
def needs(stretch: Stretch) -> list[frozenset[str]]:
    """Sets of words; of each, one word at least must stand in a clause for the stretch to match there."""
    found = []
    for item in stretch:
        if isinstance(item, Slot):
            if not item.optional:
                found.append(item.words)
        elif not item.optional:
            inner = [needs(choice) for choice in item.choices]
            if all(inner):
                found.append(frozenset().union(*(max(sets, key=_telling) for sets in inner)))
    return found


def words_of(phrases: Iterable[Phrase]) -> set[str]:
    """All words and beginnings that phrases name."""
    found: set[str] = set()

    def collect(stretch: Stretch) -> None:
        for item in stretch:
            if isinstance(item, Slot):
                found.update(item.words - {ANY})
            else:
                for choice in item.choices:
                    collect(choice)

    for phrase in phrases:
        for stretch in phrase.stretches:
            collect(stretch)
    return found


def _telling(words: frozenset[str]) -> tuple[int, int]:
    """How much it says that one of these words is there: long words, and few of them."""
    return min(map(len, words)), -len(words)


def _options(item: Item) -> list[Row]:
    single: set[str] = set()
    several: list[Row] = []
    for choice in item.choices:
        for row in rows(choice):
            if len(row) == 1 and not row[0].optional:
                single |= row[0].words
            else:
                several.append(row)
    if single and item.optional and not several:
        return [(Slot(frozenset(single), optional=True),)]
    if single:
        several.append((Slot(frozenset(single)),))
    return [*several, ()] if item.optional else several


class _Reader:
    def __init__(self, text: str, lists: Mapping[str, tuple[Stretch, ...]]) -> None:
        self._text, self._lists = text, lists
        self._symbols: list[str] = []
        place = 0
        while text[place:].strip():
            match = _SYMBOL.match(text, place)
            if match is None:
                raise PhraseError(f"{text!r}: cannot read {text[place:].strip()!r}")
            self._symbols.append(match.group(1))
            place = match.end()
        self._at = 0

    def phrase(self) -> Phrase:
        at_start = self._take("^")
        stretches, joints = [self.stretch()], []
        while (symbol := self._next()) is not None and symbol[:1] in "~." and len(symbol) > 1:
            self._at += 1
            joints.append(Joint(int(symbol.lstrip(".~")), symbol.startswith("~")))
            stretches.append(self.stretch())
        at_end = self._take(".")
        if self._next() is not None:
            raise PhraseError(f"{self._text!r}: {self._next()!r} is not expected there")
        return Phrase(self._text, tuple(stretches), tuple(joints), at_start, at_end)

    def _next(self) -> str | None:
        return self._symbols[self._at] if self._at < len(self._symbols) else None

    def _take(self, symbol: str) -> bool:
        taken = self._next() == symbol
        self._at += taken
        return taken

    def stretch(self) -> Stretch:
        items: list[Item | Slot] = []
        while (symbol := self._next()) is not None and (symbol in "(" or symbol[0] in "$_" or symbol[0].isalnum()):
            self._at += 1
            if symbol == "(":
                choices = [self.stretch()]
                while self._take("|"):
                    choices.append(self.stretch())
                if not self._take(")"):
                    raise PhraseError(f"{self._text!r}: a group does not close")
                items.append(Item(tuple(choices), self._take("?")))
            elif symbol == ANY:
                items.append(Slot(frozenset({ANY}), optional=True))
            elif symbol[0] == "$":
                if symbol[1:] not in self._lists:
                    raise PhraseError(f"{self._text!r}: no list is called {symbol}")
                items.append(Item(self._lists[symbol[1:]], self._take("?")))
            else:
                items.append(Slot(frozenset({symbol}), self._take("?")))
        if not items:
            raise PhraseError(f"{self._text!r}: words are missing before {self._next() or 'the end'!r}")
        return tuple(items)


class Grammar:
    """Reads phrases that may use named lists."""

    def __init__(self, lists: Mapping[str, Iterable[str]]) -> None:
        """`lists` gives the alternatives of each name; a list may use those before it."""
        self.lists: dict[str, tuple[Stretch, ...]] = {}
        for name, alternatives in lists.items():
            (item,) = _Reader(f"({'|'.join(alternatives)})", self.lists).stretch()
            assert isinstance(item, Item)
            self.lists[name] = item.choices

    def read(self, text: str) -> Phrase:
        """Read one phrase.

        Raises PhraseError for a symbol or a name that is not known, for groups that do not close, and for a stretch
        that may be empty.
        """
        return _checked(_Reader(text, self.lists).phrase())


def _checked(phrase: Phrase) -> Phrase:
    if any(not needs(stretch) for stretch in phrase.stretches):
        raise PhraseError(f"{phrase.text!r}: a stretch in it may be empty, so it would match anything")
    return phrase
