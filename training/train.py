"""`make train-risk`: fine-tune the encoder on the corpus, choose thresholds on what was held out, write the artefact.

1. Split the corpus by writer and theme: a tenth is held out for the thresholds and never trained on.
2. Fine-tune all but the embeddings and the lowest layers, with disturbances drawn anew each epoch.
3. Export with 8-bit weights; fit the linear model on words and pieces of words.
4. Choose the mix of the two on the held-out tenth, with the exported files themselves.
5. Thresholds are the scores that a fixed share of the held-out negatives exceeds.

A message's score is the highest of its rows (the whole and each sentence), in training as at run time.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import json
import random
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from bot.adapters.language.meaning import MeaningLayer, Reader, Window
from training import corpus, grams
from training.augment import disturb
from training.corpus import CATEGORIES, LEVELS, Message
from training.encoder import Encoder, package_folder, published_weights
from training.export import export
from training.split import held_out, within

OUTPUTS = 3 + len(CATEGORIES)  # at least concern, urgent, emergency; then the categories
FROZEN_LAYERS = 1
BATCH = 32
RATE_ENCODER, RATE_HEAD = 8e-5, 6e-4
WARM_STEPS, COOLING = 100, 0.5  # the rate rises over so many steps, stays, and falls over that last share of them
DROPOUT = 0.1  # of the pooled rows; inside the layers it costs more time than it helps
MOST_WINDOWS = 3  # of a long message in training
FALSE_ALARMS = {"urgent": 0.030, "ask": 0.080, "concern": 0.020, "calm": 0.120}  # of held-out harmless messages
MIXES = (0.0, 0.35, 0.5, 0.7, 1.0, 1.4)  # weights of the grams' log-odds beside the encoder's
URGENT_PAGED = 0.12  # urgent messages that may be treated as emergencies
EXAMPLES = 2000  # kept for "nearest example"
Pairs = list[tuple[Message, list[Window]]]


def targets(message: Message) -> list[float]:
    """Soft labels for "at least concern, urgent, emergency" and the categories; a question stands between."""
    level = LEVELS.index(message.level)
    if message.ask:
        levels = [0.6, 0.5, 0.3 if level == 3 else 0.0]
    else:
        levels = [float(level >= k) for k in (1, 2, 3)]
    return levels + [float(c in message.categories) for c in CATEGORIES]


def batches(messages: list[Message], reader: Reader, rnd: random.Random) -> list[Pairs]:
    """Shuffled batches of messages of like length, each message disturbed anew."""
    read: Pairs = []
    for message in messages:
        windows = list(reader.windows(disturb(message.text, rnd)))[:MOST_WINDOWS]
        if windows:
            read.append((message, windows))
    read.sort(key=lambda pair: max(len(w.ids) for w in pair[1]) + rnd.random() * 6)
    made = [read[i : i + BATCH] for i in range(0, len(read), BATCH)]
    rnd.shuffle(made)
    return made


def logits_of(model: Encoder, batch: Pairs, dropout: float) -> Tensor:
    """One row of logits a message: the highest over its windows and rows. Shape [messages, 12]."""
    windows = [(place, window) for place, (_, found) in enumerate(batch) for window in found]
    tokens = max(len(w.ids) for _, w in windows)
    rows = max(len(w.rows) for _, w in windows)
    ids = torch.zeros(len(windows), tokens, dtype=torch.long)
    mask = torch.zeros(len(windows), tokens)
    pool = torch.zeros(len(windows), rows, tokens)
    present = torch.zeros(len(windows), rows, dtype=torch.bool)
    for number, (_, window) in enumerate(windows):
        ids[number, : len(window.ids)] = torch.from_numpy(window.ids)
        mask[number, : len(window.ids)] = 1
        pool[number, : len(window.rows), : len(window.ids)] = torch.from_numpy(window.pool)
        present[number, : len(window.rows)] = True
    logits = model(ids, mask, pool, dropout).masked_fill(~present[..., None], -1e4).amax(1)
    owner = torch.tensor([place for place, _ in windows])[:, None].expand(-1, OUTPUTS)
    empty = torch.full((len(batch), OUTPUTS), -1e4)
    return empty.scatter_reduce(0, owner, logits, "amax")


def fit(model: Encoder, messages: list[Message], epochs: int, seed: int, keep: Path) -> None:
    """Train in place; after each epoch the weights are kept, so that a long run may be looked at early."""
    rnd, reader = random.Random(seed), Reader(package_folder() / "tokenizer.json")
    torch.manual_seed(seed)
    body = [p for name, p in model.named_parameters() if p.requires_grad and not name.startswith("head")]
    optimizer = torch.optim.AdamW(
        [{"params": body, "lr": RATE_ENCODER}, {"params": model.head.parameters(), "lr": RATE_HEAD}], weight_decay=0.01
    )
    steps = epochs * (len(messages) // BATCH + 1)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / WARM_STEPS, 1.0, max(0.02, (1 - step / steps) / COOLING))
    )
    loss_of, started = nn.BCEWithLogitsLoss(), time.monotonic()
    for epoch in range(epochs):
        losses = []
        made = batches(messages, reader, rnd)
        for number, batch in enumerate(made):
            wanted = torch.tensor([targets(message) for message, _ in batch])
            logits = logits_of(model, batch, DROPOUT)
            loss = loss_of(logits[:, :3], wanted[:, :3]) + 0.5 * loss_of(logits[:, 3:], wanted[:, 3:])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
            if number % 50 == 0:
                seconds = time.monotonic() - started
                print(
                    f"epoch {epoch + 1}: {number}/{len(made)} loss {np.mean(losses[-50:]):.4f} {seconds:.0f} s",
                    flush=True,
                )
        torch.save(model.state_dict(), keep)
    model.eval()


def write(folder: Path, train: list[Message], held: list[Message], about: dict[str, object]) -> None:
    """Choose how the readers mix and where decisions fall, with the exported files themselves, and pin everything."""
    _examples(folder, np.zeros((1, 384), np.float32), ["none"])
    files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("encoder.onnx", "grams.npz")}
    unset = dict.fromkeys((*FALSE_ALARMS, "emergency"), 1.0)
    pinned: dict[str, object] = {"files": files, "mix": 0.0, "thresholds": unset, **about}
    _pin(folder, pinned)
    layer = MeaningLayer(folder)
    votes = [layer.votes(m.text)[2:] for m in held]
    mixed = {mix: np.array([_highest(encoder + mix * linear) for encoder, linear in votes]) for mix in MIXES}
    found = {mix: agreement(held, scores) for mix, scores in mixed.items()}
    print(
        "recall at the false-alarm shares, by mix:", {mix: round(value, 4) for mix, value in found.items()}, flush=True
    )
    mix = max(found, key=lambda candidate: found[candidate])
    pinned |= {"mix": mix, "thresholds": thresholds(held, mixed[mix])}
    _pin(folder, pinned)
    layer = MeaningLayer(folder)
    risky = [m for m in train if m.level != "none" and not m.ask]
    chosen = sorted(risky, key=lambda m: hashlib.sha256(m.text.encode()).hexdigest())[:EXAMPLES]
    vectors, names = [], []
    for message in chosen:
        scored = layer.scores(message.text)
        if scored.rows:
            vector = scored.vectors[int(scored.levels[:, 1].argmax())]
            vectors.append(vector / np.linalg.norm(vector))
            names.append(message.id)
    _examples(folder, np.array(vectors), names)
    pinned["files"] = files | {"examples.npz": hashlib.sha256((folder / "examples.npz").read_bytes()).hexdigest()}
    _pin(folder, pinned)


def _highest(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The highest level scores over a message's rows, [3]."""
    return 1.0 / (1.0 + np.exp(-logits[:, :3].max(0, initial=-30.0)))


def agreement(held: list[Message], scores: npt.NDArray[np.float32]) -> float:
    """Mean recall of urgent-or-worse messages at the false-alarm shares of an alert and of a question."""
    grave = scores[[m.level in ("urgent", "emergency") and not m.ask for m in held], 1]
    calm = scores[[m.level == "none" for m in held], 1]
    return float(np.mean([(grave > np.quantile(calm, 1 - FALSE_ALARMS[name])).mean() for name in ("urgent", "ask")]))


def _pin(folder: Path, pinned: dict[str, object]) -> None:
    (folder / "model.json").write_text(json.dumps(pinned, indent=1) + "\n", encoding="utf-8")


def thresholds(held: list[Message], scores: npt.NDArray[np.float32]) -> dict[str, float]:
    """Where decisions fall, from held-out scores [messages, 3].

    `concern`, `ask`, `urgent` and `calm` are what the share FALSE_ALARMS of the harmless messages exceeds; `emergency`
    is what the share URGENT_PAGED of the urgent messages exceeds.
    """
    harmless = scores[[m.level == "none" for m in held]]
    column = {"concern": 0}
    chosen = {
        name: float(np.quantile(harmless[:, column.get(name, 1)], 1 - part)) for name, part in FALSE_ALARMS.items()
    }
    urgent = scores[[m.level == "urgent" and not m.ask for m in held], 2]
    chosen["emergency"] = float(np.quantile(urgent, 1 - URGENT_PAGED))
    return {name: round(value, 4) for name, value in chosen.items()}


def _examples(folder: Path, vectors: npt.NDArray[np.float32], names: list[str]) -> None:
    np.savez_compressed(folder / "examples.npz", vectors=vectors.astype(np.float16), ids=np.array(names))


def main() -> None:
    """Train and write data/safety/meaning."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--share", type=float, default=1.0, help="train on this share of the themes, for a learning curve"
    )
    parser.add_argument("--out", type=Path, default=Path("data/safety/meaning"))
    parser.add_argument("--keep", type=Path, default=Path("var/training.pt"), help="weights after each epoch")
    parser.add_argument("--start", type=Path, help="go on from these weights, for a corpus that has grown")
    parser.add_argument("--export-only", action="store_true", help="write the artefact from the kept weights")
    given = parser.parse_args()
    messages = list({m.key: m for path in sorted(corpus.ROOT.glob("*.txt")) for m in corpus.read(path)}.values())
    held = [m for m in messages if held_out(m)]
    train = [m for m in messages if not held_out(m) and within(m, given.share)]
    counts = collections.Counter(m.level for m in train)
    print(f"{len(train)} to train on {dict(counts)}, {len(held)} held out", flush=True)
    model = Encoder(published_weights(package_folder() / "model.safetensors"), OUTPUTS)
    model.freeze_below(FROZEN_LAYERS)
    given.keep.parent.mkdir(parents=True, exist_ok=True)
    if given.start or given.export_only:
        model.load_state_dict(torch.load(given.keep if given.export_only else given.start))
    if not given.export_only:
        fit(model, train, given.epochs, given.seed, given.keep)
    model.eval()
    about = {
        "corpus_sha256": corpus.digest(),
        "trained_on": len(train),
        "held_out": len(held),
        "epochs": given.epochs,
        "seed": given.seed,
        "false_alarms": FALSE_ALARMS,
    }
    given.out.mkdir(parents=True, exist_ok=True)
    export(model, given.out / "encoder.onnx")
    weights, bias, rarity = grams.fit(train)
    np.savez_compressed(given.out / "grams.npz", weights=weights, bias=bias, rarity=rarity)
    write(given.out, train, held, about)


if __name__ == "__main__":
    main()
