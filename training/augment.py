"""Small disturbances of a message, as thumbs and phones make them. Repeatable: the caller brings the randomness."""

from __future__ import annotations

import random
import re

SIGNS = ("🙂", "😭", "💀", "🙏", "❤️", "😅", "🌊", "✨")
NEIGHBOURS = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk",
    "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "wa", "r": "et", "s": "ad", "t": "ry",
    "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip


def disturb(text: str, rnd: random.Random) -> str:
    """The message, or the message with some of: no punctuation, typos, a lost or an extra space, a sign."""
    if rnd.random() < 0.45:
        return text
    if rnd.random() < 0.4:
        text = re.sub(r"[^\w\s]", "" if rnd.random() < 0.7 else " ", text)
    if rnd.random() < 0.5:
        for _ in range(1 + len(text) // 90):
            text = typo(text, rnd)
    if rnd.random() < 0.15:
        text = respace(text, rnd)
    if rnd.random() < 0.15:
        place = rnd.choice([0, len(text), *(m.start() for m in re.finditer(" ", text))])
        text = f"{text[:place]} {rnd.choice(SIGNS)} {text[place:]}"
    return text


def typo(text: str, rnd: random.Random) -> str:
    """One slip in one longer word: a swap, a missing, doubled or neighbouring letter."""
    words = [m for m in re.finditer(r"[A-Za-z]{4,}", text)]
    if not words:
        return text
    word = rnd.choice(words)
    at = rnd.randrange(word.start() + 1, word.end() - 1)
    kind = rnd.randrange(4)
    if kind == 0:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if kind == 1:
        return text[:at] + text[at + 1 :]
    if kind == 2:
        return text[:at] + text[at] + text[at:]
    return text[:at] + rnd.choice(NEIGHBOURS.get(text[at].lower(), text[at])) + text[at + 1 :]


def respace(text: str, rnd: random.Random) -> str:
    """A lost space between two words, or doubled spaces."""
    spaces = [m.start() for m in re.finditer(" ", text)]
    if not spaces:
        return text
    if rnd.random() < 0.4:
        return text.replace(" ", "  ")
    at = rnd.choice(spaces)
    return text[:at] + text[at + 1 :]
