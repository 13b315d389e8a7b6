"""`make train-steering`: fine-tune the encoder on the examples of `data/nlu`, so that it tells steering from answers.

Learns one class per intent and one per question of the FAQ, then writes the encoder to `data/steering`; Rasa's
classifier learns on top of it with every training. Development only (needs torch; a quarter of an hour on two cores).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

import torch
import yaml
from torch import Tensor, nn

from bot.adapters.language.sentences import FOLDER, tokenizer
from training.augment import disturb
from training.encoder import WEIGHTS_SHA256, Encoder, package_folder, published_weights
from training.export import export

NLU = Path(__file__).resolve().parents[1] / "data/nlu"
FROZEN_LAYERS = 2
BATCH, DROPOUT, SMOOTHING = 32, 0.1, 0.1
RATE_ENCODER, RATE_HEAD = 1e-4, 2e-3
WARM_STEPS = 60
Example = tuple[str, int]


def examples() -> list[tuple[str, str]]:
    """(text, intent or `faq/<question>`) of every example Rasa learns from."""
    rows = []
    for path in sorted(NLU.rglob("*.yml")):
        for block in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            rows += [(line[2:], block["intent"]) for line in block["examples"].splitlines() if line.startswith("- ")]
    return rows


def typed(text: str, chance: random.Random) -> str:
    """The text as a thumb might have typed it."""
    if chance.random() < 0.3:
        text = text.lower() if chance.random() < 0.7 else text.capitalize()
    return disturb(text, chance)


def batches(rows: list[Example], chance: random.Random) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Batches of texts of like length: ids, mask [batch, tokens], pool [batch, 1, tokens], classes [batch]."""
    cut = tokenizer()
    encoded = [(cut.encode(typed(text, chance)).ids, label) for text, label in rows]
    encoded.sort(key=lambda row: len(row[0]) + chance.random() * 4)
    groups = [encoded[start : start + BATCH] for start in range(0, len(encoded), BATCH)]
    chance.shuffle(groups)
    for group in groups:
        longest = max(len(ids) for ids, _ in group)
        ids = torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in group])
        mask = torch.tensor([[1.0] * len(ids) + [0.0] * (longest - len(ids)) for ids, _ in group])
        yield ids, mask, (mask / mask.sum(1, keepdim=True))[:, None, :], torch.tensor([label for _, label in group])


def train(epochs: int, seed: int) -> Encoder:
    """The tuned encoder. Deterministic for a seed and a number of threads."""
    torch.manual_seed(seed)
    chance = random.Random(seed)
    rows = examples()
    names = sorted({label for _, label in rows})
    numbered = [(text, names.index(label)) for text, label in rows]
    model = Encoder(published_weights(package_folder() / "model.safetensors"), len(names))
    model.freeze_below(FROZEN_LAYERS)
    body = [p for name, p in model.named_parameters() if p.requires_grad and not name.startswith("head")]
    optimiser = torch.optim.AdamW(
        [{"params": body, "lr": RATE_ENCODER}, {"params": model.head.parameters(), "lr": RATE_HEAD}], weight_decay=0.01
    )
    steps = epochs * -(-len(rows) // BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / WARM_STEPS) * max(0.02, 1 - step / steps)
    )
    loss_of = nn.CrossEntropyLoss(label_smoothing=SMOOTHING)
    for epoch in range(epochs):
        began, total = time.monotonic(), 0.0
        for ids, mask, pool, labels in batches(numbered, chance):
            optimiser.zero_grad()
            loss = loss_of(model(ids, mask, pool, DROPOUT)[:, 0], labels)
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss.detach()) * len(labels)
        print(f"epoch {epoch + 1}: loss {total / len(rows):.3f}, {time.monotonic() - began:.0f} s", flush=True)
    return model.eval()


def main() -> None:
    """Train and write data/steering."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--out", type=Path, default=FOLDER)
    given = parser.parse_args()
    model = train(given.epochs, given.seed)
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / "encoder.onnx"
    export(model, path)
    about = {
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "weights_sha256": WEIGHTS_SHA256,
        "examples": len(examples()),
        "epochs": given.epochs,
        "seed": given.seed,
    }
    (given.out / "encoder.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
