"""The meaning layer: a small sentence encoder, fine-tuned on our own corpus, run by onnxruntime on one core.

Two readers vote: the encoder, and a linear model on words and pieces of words (`grams`). Both score the whole message
and each of its sentences, so that one sentence of danger in a
long grateful entry counts as if it stood alone. Thresholds are false-alarm rates on a fixed negative set
(`model.json`), not probabilities. Deterministic; pinned by hash; no torch. Valid on Python 3.10 too.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from onnxruntime.capi.onnxruntime_pybind11_state import EPFail, Fail, InvalidArgument, RuntimeException
from tokenizers import Tokenizer

from bot.adapters.language.encoder import open_encoder, tokenizer_file
from bot.adapters.language.grams import GramModel
from bot.core.safety.verdict import Category, Evidence, Finding, Level

CATEGORIES = (
    Category.suicide,
    Category.self_harm,
    Category.harm_to_others,
    Category.abuse,
    Category.medical,
    Category.psychosis_mania,
    Category.substance,
    Category.distress,
    Category.human_request,
)  # in the order of the model's outputs, behind the three for "at least concern, urgent, emergency"
MOST_TOKENS = 190  # of one pass; a longer message is read in several
MOST_WORDS = 32  # of one sentence; a longer one, as in text without punctuation, is read in pieces
LEAST_WORDS = 3  # a shorter sentence is read with the one before it
SENTENCE_END = re.compile(r"(?<=[.!?…])[\"')\]]*\s+|\n+|(?<=[;:])\s+|\s[-–—]\s")
MARKUP, ADJOINING_WORDS = re.compile(r"[{}<>=]"), re.compile(r"[^\W\d_]+\s+[^\W\d_]+")
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Row:
    """One pooled stretch of a message: character offsets (end exclusive), and whether it is the whole window."""

    start: int
    end: int
    whole: bool


@dataclass(frozen=True)
class Window:
    """One pass of the encoder: token ids [tokens], pooling [rows, tokens], and what each row stands for."""

    ids: npt.NDArray[np.int64]
    pool: Floats
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Scores:
    """Scores of a message's rows: `levels` [rows, 3], `categories` [rows, 9], 0 to 1; `vectors` [rows, 384]."""

    rows: tuple[Row, ...]
    levels: Floats
    categories: Floats
    vectors: Floats


@dataclass(frozen=True)
class Reading:
    """What the layer makes of a message: findings, and whether it is sure enough of harm's absence to hold back loose
    rules (`calm`)."""

    findings: tuple[Finding, ...]
    calm: bool


class MeaningFailed(RuntimeError):
    """The encoder could not be run."""


class Reader:
    """Cuts messages into windows and rows for the encoder."""

    def __init__(self, tokenizer: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._first, self._last = (self._tokenizer.token_to_id(name) for name in ("[CLS]", "[SEP]"))

    def windows(self, text: str) -> Iterator[Window]:
        """The passes that a text needs; none for a text without any token."""
        encoded = self._tokenizer.encode(text, add_special_tokens=False)
        stretches = _stretches(sentences(text), [first for first, _ in encoded.offsets])
        waiting: list[tuple[int, int]] = []
        for first, last in stretches:
            if waiting and last - waiting[0][0] > MOST_TOKENS:
                yield self._window(encoded, waiting)
                waiting = []
            for start in range(first, last, MOST_TOKENS):  # one "sentence" may be longer than a pass
                piece = (start, min(last, start + MOST_TOKENS))
                if waiting and piece[1] - waiting[0][0] > MOST_TOKENS:
                    yield self._window(encoded, waiting)
                    waiting = []
                waiting.append(piece)
        if waiting:
            yield self._window(encoded, waiting)

    def _window(self, encoded: Any, pieces: list[tuple[int, int]]) -> Window:
        first, last = pieces[0][0], pieces[-1][1]
        ids = np.array([self._first, *encoded.ids[first:last], self._last], dtype=np.int64)
        own = pieces if len(pieces) > 1 else []
        pool = np.zeros((1 + len(own), len(ids)), dtype=np.float32)
        pool[0] = 1.0 / len(ids)
        rows = [Row(encoded.offsets[first][0], encoded.offsets[last - 1][1], True)]
        for number, (a, b) in enumerate(own, start=1):
            pool[number, a - first + 1 : b - first + 1] = 1.0 / (b - a)
            rows.append(Row(encoded.offsets[a][0], encoded.offsets[b - 1][1], False))
        return Window(ids, pool, tuple(rows))


def sentences(text: str) -> list[tuple[int, int]]:
    """Character spans of the sentences; a long one in pieces, a very short one joined to the one before it."""
    spans: list[tuple[int, int]] = []
    start = 0
    for match in [*SENTENCE_END.finditer(text), None]:
        end = len(text) if match is None else match.start()
        words = list(re.finditer(r"\S+", text[start:end]))
        if words:
            pieces = -(-len(words) // MOST_WORDS)
            size = -(-len(words) // pieces)
            cuts = [words[i : i + size] for i in range(0, len(words), size)]
            found = [(start + cut[0].start(), start + cut[-1].end()) for cut in cuts]
            if len(words) < LEAST_WORDS and spans:
                spans[-1] = (spans[-1][0], found[-1][1])
            else:
                spans += found
        start = end if match is None else match.end()
    return spans


def _stretches(spans: list[tuple[int, int]], starts: list[int]) -> list[tuple[int, int]]:
    """Token stretches [first, last) of character spans, without empty ones."""
    stretches, token = [], 0
    for number, _ in enumerate(spans):
        following = spans[number + 1][0] if number + 1 < len(spans) else None
        first = token
        while token < len(starts) and (following is None or starts[token] < following):
            token += 1
        if token > first:
            stretches.append((first, token))
    return stretches


class MeaningLayer:
    """Scores messages and turns scores into findings."""

    def __init__(self, folder: Path) -> None:
        """Load the model of a folder. Raises ValueError when a file is not the one that `model.json` pins."""
        about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        for name, digest in about["files"].items():
            if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
                raise ValueError(f"{name} is not the file that model.json names")
        self.version: str = f"meaning-{hashlib.sha256(json.dumps(about).encode()).hexdigest()[:12]}"
        self._mix: float = about["mix"]
        self.thresholds: dict[str, float] = about["thresholds"]
        self._reader = Reader(tokenizer_file())
        self._session = open_encoder((folder / "encoder.onnx").read_bytes())
        grams = {name: array.astype(np.float32) for name, array in np.load(folder / "grams.npz").items()}
        self._grams = GramModel(grams["weights"], grams["bias"], grams["rarity"])
        examples = np.load(folder / "examples.npz")
        self._examples, self._example_ids = examples["vectors"].astype(np.float32), examples["ids"]

    def scores(self, text: str) -> Scores:
        """Scores of the message and its sentences. Raises MeaningFailed."""
        rows, vectors, encoder, grams = self.votes(text)
        score = (1.0 / (1.0 + np.exp(-(encoder + self._mix * grams)))).astype(np.float32)
        return Scores(rows, score[:, :3], score[:, 3:], vectors)

    def votes(self, text: str) -> tuple[tuple[Row, ...], Floats, Floats, Floats]:
        """Rows, their vectors [rows, 384], and the log-odds [rows, 12] of either reader. Raises MeaningFailed."""
        rows: list[Row] = []
        vectors: list[Floats] = [np.zeros((0, 384), np.float32)]
        encoder: list[Floats] = [np.zeros((0, 12), np.float32)]
        grams: list[Floats] = [np.zeros((0, 12), np.float32)]
        for window in self._reader.windows(text):
            try:
                vector, logits = self._session.run(None, {"ids": window.ids, "pool": window.pool})
            except (Fail, InvalidArgument, RuntimeException, EPFail) as error:
                raise MeaningFailed(type(error).__name__) from None
            rows += window.rows
            vectors.append(vector)
            encoder.append(logits)
            grams.append(np.stack([self._grams.logits(text[row.start : row.end]) for row in window.rows]))
        return tuple(rows), np.concatenate(vectors), np.concatenate(encoder), np.concatenate(grams)

    def read(self, text: str) -> Reading:
        """The reading of one message; what is no prose is left to the rules. Raises MeaningFailed."""
        if MARKUP.search(text) and not ADJOINING_WORDS.search(text):
            return Reading((), calm=False)
        scored = self.scores(text)
        if not scored.rows:
            return Reading((), calm=False)
        calm = float(scored.levels[:, 1].max()) < self.thresholds["calm"]
        return Reading(tuple(self._findings(scored)), calm)

    def _findings(self, scored: Scores) -> list[Finding]:
        """At most one finding: the gravest row decides the level, its categories the category."""
        at_least = self.thresholds
        urgent = int(scored.levels[:, 1].argmax())
        score = float(scored.levels[urgent, 1])
        emergency = float(scored.levels[:, 2].max()) >= at_least["emergency"]
        if score >= at_least["urgent"]:
            return [self._finding(scored, urgent, score, Level.emergency if emergency else Level.urgent)]
        if score >= at_least["ask"]:
            silent = Level.emergency if emergency else Level.urgent
            return [self._finding(scored, urgent, score, Level.none, silent)]
        worried = int(scored.levels[:, 0].argmax())
        score = float(scored.levels[worried, 0])
        return [self._finding(scored, worried, score, Level.concern)] if score >= at_least["concern"] else []

    def _finding(self, scored: Scores, row: int, score: float, level: Level, silent: Level | None = None) -> Finding:
        vector = scored.vectors[row] / (float(np.linalg.norm(scored.vectors[row])) or 1.0)
        nearest = str(self._example_ids[int((self._examples @ vector).argmax())])
        where = scored.rows[row]
        return Finding(
            category=CATEGORIES[int(scored.categories[row].argmax())],
            level=level,
            ask=silent is not None,
            if_no_answer=silent or Level.none,
            evidence=Evidence(start=where.start, end=where.end, score=score, nearest=nearest),
        )
