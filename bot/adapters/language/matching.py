"""Runs many phrases over a clause with spaCy's Matcher.

The vocabulary is closed: a word that no phrase names becomes the blank word, so that no patient's word stays in spaCy's
memory. A phrase reaches its Matcher only where all the words that it needs stand in the clause, and the Matcher of a
stretch is built when it is first needed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

from spacy.matcher import Matcher
from spacy.tokens import Doc
from spacy.vocab import Vocab

from bot.adapters.language.phrases import ANY, Joint, Phrase, Stretch, needs, rows, words_of

Owner = TypeVar("Owner", bound=Hashable)
Span = tuple[int, int]  # first word and the word after the last
BLANK = "-"
NEGATIONS = ["not", "never", "no", "nor", "neither", "without", "nobody"]  # what a "_" never stands for


class Vocabulary:
    """The words and beginnings that phrases name."""

    def __init__(self, words: set[str]) -> None:
        self._words = {*NEGATIONS, *(word for word in words if not word.endswith("*"))}
        self._beginnings = {word[:-1] for word in words if word.endswith("*")}
        self._alike: dict[str, list[str]] = {}
        self._shortest = min(map(len, self._beginnings), default=0)

    def __contains__(self, word: str) -> bool:
        return word in self._words or self._beginning(word) is not None

    def named(self, word: str) -> bool:
        """Whether a phrase names this very word."""
        return word in self._words

    def seen(self, word: str) -> str:
        """The word as matchers see it: itself, its longest known beginning such as `suicid*`, or blank."""
        if word in self._words:
            return word
        beginning = self._beginning(word)
        return BLANK if beginning is None else beginning + "*"

    def alike(self, word: str) -> list[str]:
        """All that matchers may see where a phrase says this: `suicid*` is also seen as `suicide`."""
        if not word.endswith("*"):
            return [word]
        if word not in self._alike:
            known = [*self._words, *(f"{beginning}*" for beginning in self._beginnings)]
            self._alike[word] = sorted(other for other in known if other.startswith(word[:-1]))
        return self._alike[word]

    def _beginning(self, word: str) -> str | None:
        for size in range(len(word), self._shortest - 1, -1):
            if word[:size] in self._beginnings:
                return word[:size]
        return None


class _Stretch:
    """One stretch of adjoining words."""

    def __init__(self, stretch: Stretch, vocab: Vocab, known: Vocabulary) -> None:
        self._stretch, self._vocab, self._known = stretch, vocab, known

    @cached_property
    def _matcher(self) -> Matcher:
        matcher = Matcher(self._vocab, validate=False)
        matcher.add("it", [[self._token(slot.words, slot.optional) for slot in row] for row in rows(self._stretch)])
        return matcher

    def _token(self, words: frozenset[str], optional: bool) -> dict[str, Any]:
        if ANY in words:
            return {"ORTH": {"NOT_IN": NEGATIONS}, "OP": "?"}
        seen = sorted({alike for word in words for alike in self._known.alike(word)})
        token: dict[str, Any] = {"ORTH": seen[0] if len(seen) == 1 else {"IN": seen}}
        if optional:
            token["OP"] = "?"
        return token

    def spans(self, doc: Doc) -> list[Span]:
        return sorted({(start, end) for _, start, end in self._matcher(doc)})


class _Entry(Generic[Owner]):
    """A phrase of an owner, ready to run."""

    def __init__(self, owner: Owner, phrase: Phrase, vocab: Vocab, known: Vocabulary) -> None:
        self.owner, self.phrase = owner, phrase
        self.needs = [
            frozenset(alike for word in words for alike in known.alike(word))
            for stretch in phrase.stretches
            for words in needs(stretch)
        ]
        self._stretches = [_Stretch(stretch, vocab, known) for stretch in phrase.stretches]

    def spans(self, doc: Doc) -> list[Span]:
        found = self._stretches[0].spans(doc)
        for joint, stretch in zip(self.phrase.joints, self._stretches[1:]):
            if not found:
                return []
            found = _join(found, stretch.spans(doc), joint)
        if self.phrase.at_start:
            found = [span for span in found if span[0] == 0]
        if self.phrase.at_end:
            found = [span for span in found if span[1] == len(doc)]
        return found


class PhraseBook(Generic[Owner]):
    """Phrases by owner, looked up together."""

    def __init__(self, phrases: Mapping[Owner, Sequence[Phrase]]) -> None:
        self.known = Vocabulary(words_of(phrase for group in phrases.values() for phrase in group))
        self._vocab = Vocab()
        self._by_anchor: dict[str, list[_Entry[Owner]]] = defaultdict(list)
        entries = [
            _Entry(owner, phrase, self._vocab, self.known) for owner, group in phrases.items() for phrase in group
        ]
        frequent: dict[str, int] = defaultdict(int)
        for entry in entries:
            for words in entry.needs:
                for word in words:
                    frequent[word] += 1
        for entry in entries:
            anchor = min(entry.needs, key=lambda words: sum(frequent[word] for word in words))
            for word in anchor:
                self._by_anchor[word].append(entry)

    def find(self, words: Sequence[str]) -> dict[Owner, list[Span]]:
        """Where each owner's phrases match in a clause, in order of place."""
        seen = [self.known.seen(word) for word in words]
        there = set(seen)
        candidates = {
            id(entry): entry
            for word in sorted(there)
            for entry in self._by_anchor.get(word, ())
            if all(not there.isdisjoint(needed) for needed in entry.needs)
        }
        if not candidates:
            return {}
        doc = Doc(self._vocab, words=seen)
        found: dict[Owner, list[Span]] = {}
        for entry in candidates.values():
            if spans := entry.spans(doc):
                found[entry.owner] = sorted([*found.get(entry.owner, ()), *spans])
        return found


def _join(left: list[Span], right: list[Span], joint: Joint) -> list[Span]:
    """The spans over a left and a right one that stand near enough."""
    made = set(_ordered(left, right, joint.most))
    if joint.either:
        made |= set(_ordered(right, left, joint.most))
    return sorted(made)


def _ordered(first: list[Span], second: list[Span], most: int) -> list[Span]:
    starts = [start for start, _ in second]
    made = []
    for start, end in first:
        for other in second[bisect_left(starts, end) : bisect_right(starts, end + most)]:
            made.append((start, other[1]))
    return made
