"""The sentence encoder: pinned, deterministic, and near where the meaning is near."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from bot.adapters.language.encoder import WIDTH
from bot.adapters.language.sentences import FOLDER, ModelError, SentenceEncoder, sentence_encoder


def test_a_text_becomes_one_unit_vector_and_always_the_same() -> None:
    one, again = (sentence_encoder().encode("my tea is ready, back later") for _ in range(2))
    assert one.shape == (WIDTH,)
    assert float(np.linalg.norm(one)) == pytest.approx(1.0, abs=1e-5)
    assert np.array_equal(one, again)


def test_what_means_the_same_is_nearer_than_what_shares_words() -> None:
    asked, same, other = (
        sentence_encoder().encode(text)
        for text in (
            "could we stop for now and go on tomorrow",
            "dinner's up, finish later",
            "it would not stop raining",
        )
    )
    assert asked @ same > asked @ other


def test_a_text_of_any_length_and_script_is_read() -> None:
    for text in ("x", "word " * 5000, "🙂🙂", "مرحبا", "\u0000"):
        assert np.isfinite(sentence_encoder().encode(text)).all()


def test_a_model_that_is_not_the_pinned_one_is_refused(tmp_path: Path) -> None:
    for name in ("encoder.json", "encoder.onnx"):
        shutil.copy(FOLDER / name, tmp_path)
    with (tmp_path / "encoder.onnx").open("ab") as file:
        file.write(b"more")
    with pytest.raises(ModelError, match="not the pinned model"):
        SentenceEncoder(tmp_path)


def test_a_missing_model_is_named_with_what_makes_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"train-steering"):
        SentenceEncoder(tmp_path)
