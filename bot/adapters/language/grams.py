"""A linear model on words, pairs of words and pieces of words: fast, and right where the encoder knows too little.

Features are hashed (no vocabulary to keep), weighted by how rare they are, and scored by one weight a bucket. Knows
numpy and nothing else, so that training and run time share this one file. Valid on Python 3.10 too.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

BUCKETS = 1 << 18
SIZES = (2, 3, 4, 5)  # letters of a piece
WORD = re.compile(r"[\w']+")
Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]


def features(text: str, rarity: Floats) -> tuple[Indices, Floats]:
    """Buckets [n] and weights [n] of a text; words and pieces each have length 1. `rarity` [BUCKETS]."""
    words = WORD.findall(text.lower())
    indices: list[int] = []
    weights: list[Floats] = []
    for grams in (_pairs(words), _pieces(words)):
        counts = Counter(zlib.crc32(gram.encode()) & (BUCKETS - 1) for gram in grams)
        if counts:
            places = list(counts)
            weight = (1.0 + np.log(np.fromiter(counts.values(), np.float32, len(counts)))) * rarity[places]
            indices += places
            weights.append((weight / (np.linalg.norm(weight) or 1.0)).astype(np.float32))
    return np.array(indices, np.int64), np.concatenate(weights or [np.zeros(0, np.float32)])


def _pairs(words: list[str]) -> Iterator[str]:
    for number, word in enumerate(words):
        yield f"w {word}"
        if number:
            yield f"w {words[number - 1]} {word}"


def _pieces(words: list[str]) -> Iterator[str]:
    for word in words:
        padded = f" {word} "
        for size in SIZES:
            for start in range(max(1, len(padded) - size + 1)):
                yield padded[start : start + size]


class GramModel:
    """Scores texts. `weights` [BUCKETS, outputs], `bias` [outputs], `rarity` [BUCKETS]."""

    def __init__(self, weights: Floats, bias: Floats, rarity: Floats) -> None:
        self._weights, self._bias, self._rarity = weights, bias, rarity

    def logits(self, text: str) -> Floats:
        """Log-odds of each output, [outputs]."""
        indices, weights = features(text, self._rarity)
        return np.asarray(weights @ self._weights[indices] + self._bias, np.float32)
