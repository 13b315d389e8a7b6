"""A vector for what a patient says to steer: the encoder fine-tuned on the examples of `data/nlu`, run on one core.

The file is pinned by its hash in `data/steering/encoder.json`; `training/steering.py` makes it. Valid on 3.10 too.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from bot.adapters.language.encoder import open_encoder, tokenizer_file

MOST_TOKENS = 48  # what a text begins with says whether it steers; a command is short
FOLDER = Path(__file__).resolve().parents[3] / "data" / "steering"
Vector = npt.NDArray[np.float32]


class ModelError(RuntimeError):
    """The encoder is missing or is not the one that was pinned."""


class SentenceEncoder:
    """Texts to unit vectors [384] whose nearness is nearness in what is wanted."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """Raises ModelError where the file is missing or its hash differs."""
        try:
            about = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
            model = (folder / "encoder.onnx").read_bytes()
        except FileNotFoundError as error:
            raise ModelError(f"{folder} lacks the encoder; make it with `make train-steering`") from error
        if hashlib.sha256(model).hexdigest() != about["sha256"]:
            raise ModelError("encoder.onnx is not the pinned model; make it again with `make train-steering`")
        self._session = open_encoder(model)
        self._tokenizer = tokenizer()

    def encode(self, text: str) -> Vector:
        """One unit vector [384]."""
        ids = np.array(self._tokenizer.encode(text).ids, np.int64)
        pool = np.full((1, len(ids)), 1 / len(ids), np.float32)
        vector: Vector = self._session.run(["rows"], {"ids": ids, "pool": pool})[0][0]
        return vector / np.float32(np.linalg.norm(vector))


def tokenizer() -> Tokenizer:
    """The published tokenizer, cutting after MOST_TOKENS."""
    found = Tokenizer.from_file(str(tokenizer_file()))
    found.no_padding()
    found.enable_truncation(MOST_TOKENS)
    return found


@cache
def sentence_encoder() -> SentenceEncoder:
    """The encoder, loaded once in a process."""
    return SentenceEncoder()
