"""One plain form of what people type: lower case, contractions expanded, look-alikes and stretched letters mended.

Every step keeps, for each character of the result, the offset it came from, so that evidence points at the patient's
own words. Source: protocol 6.2 step 1.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

LOOK_ALIKES = str.maketrans(
    {"’": "'", "‘": "'", "`": "'", "´": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": ".", "\u00a0": " "}
)
SIGNS = {"🔪": " knife ", "💊": " pills ", "🔫": " gun ", "🪦": " my death ", "⚰": " my death "}
SWAPS = (
    (r"\b([a-z]*)0([a-z]+)\b", "o"),
    (r"\b([a-z]+)1([a-z]+)\b", "i"),
    (r"\b([a-z]+)!([a-z]+)\b", "i"),
    (r"\b([a-z]+)3([a-z]+)\b", "e"),
    (r"\b([a-z]*)@([a-z]+)\b", "a"),
    (r"\b([a-z]+)\$([a-z]*)\b", "s"),
)
EXPANSIONS = (
    (r"\bi ?'?m\b", "i am"),
    (r"\bim\b", "i am"),
    (r"\b(can ?'?t|cant|can not|cannot)\b", "cannot"),
    (r"\b(couldn'?t)\b", "could not"),
    (r"\b(don'?t|dont)\b", "do not"),
    (r"\b(doesn'?t)\b", "does not"),
    (r"\b(didn'?t)\b", "did not"),
    (r"\bwont\b", "will not"),
    (r"\bwon't\b", "will not"),
    (r"\b(wouldn'?t)\b", "would not"),
    (r"\b(shouldn'?t)\b", "should not"),
    (r"\b(isn'?t)\b", "is not"),
    (r"\b(aren'?t)\b", "are not"),
    (r"\b(wasn'?t)\b", "was not"),
    (r"\b(weren'?t)\b", "were not"),
    (r"\b(haven'?t)\b", "have not"),
    (r"\b(hasn'?t)\b", "has not"),
    (r"\b(ain'?t)\b", "am not"),
    (r"\b(i'?ve|ive)\b", "i have"),
    (r"\bi'll\b", "i will"),
    (r"\bi'd\b", "i would"),
    (r"\b(he|she|it|that|there|what|who|where)'s\b", r"\1 is"),
    (r"\b(theres)\b", "there is"),
    (r"\b(you|we|they)'re\b", r"\1 are"),
    (r"\btheyre\b", "they are"),
    (r"\b(you|we|they)'ve\b", r"\1 have"),
    (r"\b(wanna|wana)\b", "want to"),
    (r"\b(tryna)\b", "trying to"),
    (r"\b(finna|fixing to|fixin to|bout to|about 2)\b", "about to"),
    (r"\b(imma|ima|i'ma)\b", "i am going to"),
    (r"\b(gotta)\b", "got to"),
    (r"\b(kys)\b", "kill yourself"),
    (r"\bunalive (my ?self|me)\b", "kill myself"),
    (r"\bself ?delete\b", "suicide"),
    (r"\b(tn|2nite|tonite)\b", "tonight"),
    (r"\b(2day)\b", "today"),
    (r"\bmyslef|mysefl|my self|meself\b", "myself"),
    (r"\b(any more)\b", "anymore"),
    (r"\bneighbours?\b", "neighbour"),
    (r"\bmum\b", "mom"),
)
KEY_WORDS = (
    "suicide suicidal myself overdose overdosed bleeding breathe breathing seizure voices watching ketamine hopeless "
    "worthless tonight goodbye cutting razor killing unconscious fainted anymore living alive chest pregnant poison "
    "hurting hurt strangle choking forever nothing everyone better without wish reason disappear pills tablets"
).split()
_EXPANSIONS = tuple((re.compile(pattern), replacement) for pattern, replacement in EXPANSIONS)
_SWAPS = tuple((re.compile(pattern), letter) for pattern, letter in SWAPS)
_STRETCHED = re.compile(r"([a-z])\1{2,}")


@dataclass(frozen=True)
class Normalised:
    """The plain form. `origin[i]` is the offset in the original of character i; one more entry marks the end."""

    text: str
    origin: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original's span of a span of the plain form, end exclusive."""
        if start >= end:
            return self.origin[start], self.origin[start]
        return self.origin[start], self.origin[end - 1] + 1


def normalise(text: str) -> Normalised:
    """The plain form of a text."""
    letters: list[str] = []
    origin: list[int] = []
    for place, character in enumerate(text):
        plain = SIGNS.get(character) or unicodedata.normalize("NFKC", character).translate(LOOK_ALIKES).lower()
        for letter in plain:
            if unicodedata.category(letter) in ("Cf", "Mn"):
                continue
            letters.append(" " if unicodedata.category(letter).startswith("C") and letter != "\n" else letter)
            origin.append(place)
    current = Normalised("".join(letters), (*origin, len(text)))
    current = _substitute(current, _STRETCHED, r"\1")
    for pattern, letter in _SWAPS:
        current = _substitute(current, pattern, rf"\g<1>{letter}\g<2>")
    for pattern, replacement in _EXPANSIONS:
        current = _substitute(current, pattern, replacement)
    return _mend_typos(current)


def _substitute(source: Normalised, pattern: re.Pattern[str], replacement: str) -> Normalised:
    if not pattern.search(source.text):
        return source
    text: list[str] = []
    origin: list[int] = []
    last = 0
    for match in pattern.finditer(source.text):
        new = match.expand(replacement)
        text += [source.text[last : match.start()], new]
        origin += source.origin[last : match.start()]
        old = match.end() - match.start()
        origin += [source.origin[match.start() + min(old - 1, i * old // max(1, len(new)))] for i in range(len(new))]
        last = match.end()
    text.append(source.text[last:])
    origin += source.origin[last:]
    return Normalised("".join(text), tuple(origin))


def _mend_typos(source: Normalised) -> Normalised:
    current = source
    for match in reversed(list(re.finditer(r"[a-z]{5,}", source.text))):
        mended = _mend(match.group())
        if mended is not None:
            whole = re.compile(re.escape(match.group()))
            start = match.start()
            head, tail = current.text[:start], current.text[match.end() :]
            assert whole.match(current.text, start)
            old = len(match.group())
            middle = tuple(current.origin[start + min(old - 1, i * old // len(mended))] for i in range(len(mended)))
            current = Normalised(head + mended + tail, current.origin[:start] + middle + current.origin[match.end() :])
    return current


@lru_cache(maxsize=50_000)
def _mend(word: str) -> str | None:
    """The key word that a word is one slip away from (a swap, a missing, doubled or extra letter), or None."""
    if word in _KEYS or word in _ORDINARY:
        return None
    for key in _KEYS:
        if abs(len(key) - len(word)) <= 1 and word[0] == key[0] and _one_slip(word, key):
            return key
    return None


def _one_slip(word: str, key: str) -> bool:
    if len(word) == len(key):
        apart = [i for i, (a, b) in enumerate(zip(word, key)) if a != b]
        swapped = len(apart) == 2 and apart[1] == apart[0] + 1
        return swapped and word[apart[0]] == key[apart[1]] and word[apart[1]] == key[apart[0]]
    longer, shorter = (word, key) if len(word) > len(key) else (key, word)
    return any(longer[:i] + longer[i + 1 :] == shorter for i in range(len(longer)))


_KEYS = frozenset(word for word in KEY_WORDS if len(word) >= 5)
_ORDINARY = frozenset(
    "chests pill reasons wishes voiced lives livings bettor hurts cuttings goodbyes breath breathed alive bleed "
    "pregnancy watchings tablet poisons overdoses seizures hurtin breather breathes choosing"
).union({"lifing", "toning", "hoping", "loving"})
