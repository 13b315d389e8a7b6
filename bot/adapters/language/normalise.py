"""One plain form of what people type: clauses of plain words, each word with its place in the patient's own text.

1. Fold: lower case, compatibility forms, look-alike letters, accents off, signs such as a knife put into words.
2. Cut into clauses (protocol 6.2 step 2).
3. Spell each word plainly (`spelling`), and what is typed letter by letter as one word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from bot.adapters.language.spelling import Speller

_LOOK_ALIKES = str.maketrans(
    {"’": "'", "‘": "'", "`": "'", "´": "'", "ʼ": "'", "“": '"', "”": '"', "«": '"', "»": '"', "–": "-", "—": "-"}
    | dict(zip("аеорсухіѕԁһӏοανικ", "aeopcyxisdhloaviк".replace("к", "k")))
)
_SIGNS = {"🔪": " knife ", "💊": " pills ", "🔫": " gun ", "🪦": " grave ", "💀": " lol ", "😂": " lol ", "🤣": " lol "}
_LETTERS = re.compile(r"(?<![a-z0-9'])[a-z](?:[ .\-_*,/][a-z]){2,}(?![a-z0-9'])")
_PIECE = re.compile(r"[a-z0-9](?:[a-z0-9'!@$*|]*[a-z0-9*])?|[.!?\n]+|[;:()\[\]]| - |,|\"|[^\sa-z0-9]", re.ASCII)
_SENTENCE_ENDS = ".!?\n"
_BREAK_WORDS = frozenset({"but", "because", "pero", "porque"})
LONGEST_IN_A_ROW = 3


class Word(NamedTuple):
    """A plain word and the span of the original that it came from, end exclusive."""

    text: str
    start: int
    end: int
    quoted: bool


@dataclass(frozen=True)
class Clause:
    """Adjoining plain words. `sentence` counts sentences from 0."""

    words: tuple[Word, ...]
    sentence: int

    @property
    def texts(self) -> list[str]:
        return [word.text for word in self.words]

    def span(self, first: int, after: int) -> tuple[int, int]:
        """The original's span of some words, end exclusive."""
        return self.words[first].start, self.words[after - 1].end


def clauses_of(text: str, speller: Speller) -> list[Clause]:
    """The clauses of a text; one without words has none."""
    folded, origin = fold(text)
    made: list[Clause] = []
    current: list[Word] = []
    sentence, quoted = 0, False

    def close() -> None:
        if current:
            made.append(Clause(tuple(_in_a_row(current, speller)), sentence))
            current.clear()

    pieces = list(_pieces(folded, speller))
    for i, (piece, start, end) in enumerate(pieces):
        following = pieces[i + 1][0] if i + 1 < len(pieces) else ""
        if piece == '"':
            quoted = not quoted
        elif piece[0] in _SENTENCE_ENDS:
            close()
            sentence += 1
        elif piece in (";", ":", "(", ")", "[", "]", " - "):
            close()
        elif piece == ",":
            if following in ("i", "i'm", "im", "yo") or following in _BREAK_WORDS:
                close()
        elif piece[0].isalnum():
            if piece in _BREAK_WORDS or (piece == "and" and following == "then"):
                close()
            first, last = origin[start], origin[end - 1] + 1
            current += [Word(plain, first, last, quoted) for plain in speller.plain(piece)]
    close()
    return made


def fold(text: str) -> tuple[str, list[int]]:
    """Lower-case text in plain letters, and for each of its characters the offset it came from."""
    if text.isascii():
        return text.lower(), list(range(len(text)))
    letters: list[str] = []
    origin: list[int] = []
    for place, character in enumerate(text):
        if character.isascii():
            plain = character.lower()
        else:
            plain = _SIGNS.get(character) or unicodedata.normalize("NFKD", character.translate(_LOOK_ALIKES)).lower()
            plain = plain.translate(_LOOK_ALIKES)
        for letter in plain:
            if unicodedata.category(letter) not in ("Cf", "Mn"):
                letters.append(letter)
                origin.append(place)
    return "".join(letters), origin


def _pieces(folded: str, speller: Speller) -> Iterator[tuple[str, int, int]]:
    """Words and marks with their place; letters typed one by one make one word where they spell one."""
    place = 0
    for start, end, word in [*_letter_by_letter(folded, speller), (len(folded), len(folded), "")]:
        for piece in _PIECE.finditer(folded, place, start):
            yield piece.group(), piece.start(), piece.end()
        if word:
            yield word, start, end
        place = end


def _letter_by_letter(folded: str, speller: Speller) -> Iterator[tuple[int, int, str]]:
    """Start, end and word where letters stand one by one ("k i l l"); an "i" before them is a word of its own."""
    for match in _LETTERS.finditer(folded):
        word = re.sub("[^a-z]", "", match.group())
        if speller.spelled(word):
            yield match.start(), match.end(), word
        elif word[0] == "i" and speller.spelled(word[1:]):
            yield match.start() + 2, match.end(), word[1:]


def _in_a_row(words: list[Word], speller: Speller) -> list[Word]:
    """Puts together what is one word in plain writing ("any more"), and apart what is several."""
    made: list[Word] = []
    i = 0
    while i < len(words):
        for size in range(min(LONGEST_IN_A_ROW, len(words) - i), 1, -1):
            plain = speller.in_a_row.get(tuple(word.text for word in words[i : i + size]))
            if plain is not None:
                whole = words[i]._replace(end=words[i + size - 1].end)
                made += [whole._replace(text=text) for text in plain]
                i += size
                break
        else:
            made.append(words[i])
            i += 1
    return made
