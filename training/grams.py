"""Training the linear model on words and pieces of words (bot/adapters/language/grams.py)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from bot.adapters.language.grams import BUCKETS, GramModel, features
from training.corpus import CATEGORIES, LEVELS, Message

STRENGTH = 3.0  # inverse of the penalty on the weights
ROUNDS = 120


def matrix(texts: list[str], rarity: npt.NDArray[np.float32]) -> csr_matrix:
    """Features of texts, [texts, BUCKETS]."""
    found = [features(text, rarity) for text in texts]
    starts = np.cumsum([0, *(len(indices) for indices, _ in found)])
    indices = np.concatenate([i for i, _ in found])
    return csr_matrix((np.concatenate([w for _, w in found]), indices, starts), shape=(len(texts), BUCKETS))


def rarities(texts: list[str]) -> npt.NDArray[np.float32]:
    """How rare each bucket is over the texts (smoothed inverse document frequency)."""
    seen = np.zeros(BUCKETS)
    for text in texts:
        seen[features(text, np.ones(BUCKETS, np.float32))[0]] += 1
    return (np.log((1 + len(texts)) / (1 + seen)) + 1).astype(np.float32)


def fit(messages: list[Message]) -> tuple[npt.NDArray[np.float16], npt.NDArray[np.float32], npt.NDArray[np.float16]]:
    """Weights [BUCKETS, 12], bias [12] and rarity [BUCKETS]: three levels, nine categories."""
    told = [m for m in messages if not m.ask]
    texts = [m.text for m in told]
    rarity = rarities(texts)
    rows = matrix(texts, rarity)
    wanted = [np.array([LEVELS.index(m.level) >= level for m in told]) for level in (1, 2, 3)]
    wanted += [np.array([category in m.categories for m in told]) for category in CATEGORIES]
    weights, bias = np.zeros((BUCKETS, len(wanted)), np.float16), np.zeros(len(wanted), np.float32)
    for number, truth in enumerate(wanted):
        model = LogisticRegression(C=STRENGTH, max_iter=ROUNDS).fit(rows, truth)
        weights[:, number], bias[number] = model.coef_[0], model.intercept_[0]
        print(f"grams: output {number + 1} of {len(wanted)}", flush=True)
    return weights, bias, rarity.astype(np.float16)


def load(arrays: tuple[npt.NDArray[np.float16], npt.NDArray[np.float32], npt.NDArray[np.float16]]) -> GramModel:
    """The model as it runs."""
    weights, bias, rarity = arrays
    return GramModel(weights.astype(np.float32), bias, rarity.astype(np.float32))
