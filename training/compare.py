"""Compare ways of reading meaning on the blind set: n-grams, frozen embeddings, both, and the fine-tuned encoder.

Each is trained on the same themes; each is judged by the recall of urgent-or-worse messages at fixed shares of false alarms
on the harmless messages of the blind set. Development only; needs the training environment.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from bot.adapters.language.meaning import MeaningLayer, Reader
from training import corpus
from training.corpus import LEVELS, Message
from training.encoder import Encoder, package_folder, published_weights
from training.split import held_out, within

ROOT = Path(__file__).resolve().parents[1]
Scores = npt.NDArray[np.float64]


def embeddings(messages: list[Message]) -> npt.NDArray[np.float32]:
    """Frozen embeddings [messages, 384]: the mean over each message's first window, of length 1."""
    reader = Reader(package_folder() / "tokenizer.json")
    model = Encoder(published_weights(package_folder() / "model.safetensors"), outputs=1).eval()
    vectors = np.zeros((len(messages), 384), np.float32)
    with torch.no_grad():
        for number, message in enumerate(messages):
            for window in reader.windows(message.text):
                ids = torch.from_numpy(window.ids)[None]
                vector = model.hidden(ids, torch.ones_like(ids, dtype=torch.float32))[0].mean(0).numpy()
                vectors[number] = vector / np.linalg.norm(vector)
                break
    return vectors


def linear(train: object, wanted: npt.NDArray[np.bool_], test: object, c: float) -> Scores:
    """Scores of the test rows by logistic regression."""
    model = LogisticRegression(C=c, max_iter=300, class_weight="balanced").fit(train, wanted)
    return np.asarray(model.decision_function(test))


def recall(scores: Scores, messages: list[Message]) -> list[float]:
    """Recall of urgent or worse at 1, 1.5, 5 and 10 % false alarms."""
    grave = np.array([LEVELS.index(m.level) >= 2 and not m.ask for m in messages])
    calm = np.array([m.level == "none" for m in messages])
    return [float((scores[grave] > np.quantile(scores[calm], 1 - rate)).mean()) for rate in (0.01, 0.015, 0.05, 0.10)]


def main() -> None:
    """Print one line a way of reading."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument(
        "--shares", default="1.0", help="shares of the themes to train the n-grams on, for a learning curve"
    )
    given = parser.parse_args()
    everything = [m for path in sorted(corpus.ROOT.glob("*.txt")) for m in corpus.read(path) if not m.ask]
    blind = [m for path in sorted((ROOT / "training/blind").glob("winter.txt")) for m in corpus.read(path)]
    layer = MeaningLayer(ROOT / "data/safety/meaning")
    tuned = np.array([layer.scores(m.text).levels[:, 1].max(initial=0) for m in blind])
    print("fine-tuned encoder", [round(r, 3) for r in recall(tuned, blind)], flush=True)
    for share in map(float, given.shares.split(",")):
        train = [m for m in everything if not held_out(m) and within(m, share)]
        wanted = np.array([LEVELS.index(m.level) >= 2 for m in train])
        texts, blind_texts = [m.text for m in train], [m.text for m in blind]
        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
        letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=3)
        grams = hstack([words.fit_transform(texts), letters.fit_transform(texts)]).tocsr()
        blind_grams = hstack([words.transform(blind_texts), letters.transform(blind_texts)]).tocsr()
        by_grams = linear(grams, wanted, blind_grams, 4.0)
        print(f"n-grams, {len(train)} messages", [round(r, 3) for r in recall(by_grams, blind)], flush=True)
        scaler = StandardScaler()
        frozen = scaler.fit_transform(embeddings(train))
        blind_frozen = scaler.transform(embeddings(blind))
        by_frozen = linear(frozen, wanted, blind_frozen, 0.01)
        print(f"frozen embeddings, {len(train)} messages", [round(r, 3) for r in recall(by_frozen, blind)], flush=True)
        both = linear(
            hstack([grams, csr_matrix(frozen / 20)]).tocsr(),
            wanted,
            hstack([blind_grams, csr_matrix(blind_frozen / 20)]).tocsr(),
            4.0,
        )
        print(f"both, {len(train)} messages", [round(r, 3) for r in recall(both, blind)], flush=True)


if __name__ == "__main__":
    main()
