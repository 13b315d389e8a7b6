"""Fine-tuning the sentence encoder on the examples of `data/nlu`, so that it tells steering from answers.

Development only (needs torch; some minutes on two idle cores). Learns one class per intent, and one per question of the
FAQ, then writes the encoder without its head as `data/language/sentence.onnx`; Rasa's classifier learns on top of it
with every training. Run `python -m training.steering data/language`.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import yaml
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from training.sentences import HEADS, LAYERS, WIDTH, Weights, export, package_folder, published_weights

ROOT = Path(__file__).resolve().parents[1]
MOST_TOKENS = 32  # of a training text; what a text begins with says whether it steers
FROZEN_LAYERS = 3
BATCH, DROPOUT, SMOOTHING = 32, 0.1, 0.1
KEYS = "qwertyuiopasdfghjklzxcvbnm"


class Encoder(nn.Module):
    """all-MiniLM-L6-v2 under its published names, with mean pooling and one linear head."""

    def __init__(self, weights: Weights, classes: int) -> None:
        super().__init__()
        self.tensors = nn.ParameterDict(
            {name.replace(".", "/"): nn.Parameter(torch.tensor(value)) for name, value in weights.items()}
        )
        for name, parameter in self.tensors.items():
            low = [f"layer/{number}/" for number in range(FROZEN_LAYERS)]
            parameter.requires_grad_(not name.startswith(("embeddings", "pooler")) and not any(p in name for p in low))
        self.head = nn.Linear(WIDTH, classes)

    def published(self) -> dict[str, np.ndarray]:
        """The tensors as numpy arrays under their published names."""
        return {name.replace("/", "."): value.detach().numpy() for name, value in self.tensors.items()}

    def linear(self, x: Tensor, stem: str) -> Tensor:
        return functional.linear(x, self.tensors[f"{stem}/weight"], self.tensors[f"{stem}/bias"])

    def norm(self, x: Tensor, stem: str) -> Tensor:
        return functional.layer_norm(
            x, (WIDTH,), self.tensors[f"{stem}/weight"], self.tensors[f"{stem}/bias"], eps=1e-12
        )

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Logits [batch, classes] of ids and mask [batch, tokens]."""
        batch, tokens = ids.shape
        drop = DROPOUT if self.training else 0.0
        x = functional.embedding(ids, self.tensors["embeddings/word_embeddings/weight"])
        x = x + self.tensors["embeddings/position_embeddings/weight"][:tokens]
        x = self.norm(x + self.tensors["embeddings/token_type_embeddings/weight"][0], "embeddings/LayerNorm")
        attend = mask[:, None, None, :].bool()
        for number in range(LAYERS):
            stem = f"encoder/layer/{number}"
            q, k, v = (
                self.linear(x, f"{stem}/attention/self/{part}").view(batch, tokens, HEADS, -1).transpose(1, 2)
                for part in ("query", "key", "value")
            )
            mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=attend)
            mixed = self.linear(mixed.transpose(1, 2).reshape(batch, tokens, WIDTH), f"{stem}/attention/output/dense")
            x = self.norm(x + functional.dropout(mixed, drop), f"{stem}/attention/output/LayerNorm")
            up = functional.gelu(self.linear(x, f"{stem}/intermediate/dense"))
            down = functional.dropout(self.linear(up, f"{stem}/output/dense"), drop)
            x = self.norm(x + down, f"{stem}/output/LayerNorm")
        mean = (x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return self.head(functional.dropout(mean, drop))


def examples() -> list[tuple[str, str]]:
    """(text, intent or `faq/<question>`) of every example Rasa learns from."""
    rows = []
    for path in sorted((ROOT / "data/nlu").rglob("*.yml")):
        for block in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            rows += [(line[2:], block["intent"]) for line in block["examples"].splitlines() if line.startswith("- ")]
    return rows


def roughened(text: str, chance: random.Random) -> str:
    """The text as a thumb might have typed it: other case, no punctuation, a slip or two."""
    if chance.random() < 0.3:
        text = text.rstrip(".!?,") if chance.random() < 0.5 else text.replace(",", "").replace("'", "")
    if chance.random() < 0.15:
        text = text.upper() if chance.random() < 0.3 else text.capitalize()
    if chance.random() < 0.2 and len(text) > 4:
        place = chance.randrange(1, len(text) - 1)
        slip = chance.choice(("swap", "drop", "double", "other"))
        if slip == "swap":
            text = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
        elif slip == "drop":
            text = text[:place] + text[place + 1 :]
        else:
            text = text[:place] + (text[place] if slip == "double" else chance.choice(KEYS)) + text[place:]
    return text


def batches(rows: list[tuple[str, int]], tokenizer: Tokenizer, chance: random.Random) -> Iterator[tuple[Tensor, ...]]:
    """Batches of texts of like length: ids, mask [batch, tokens], classes [batch]."""
    encoded = [(tokenizer.encode(roughened(text, chance)).ids, label) for text, label in rows]
    encoded.sort(key=lambda row: len(row[0]) + chance.random() * 4)
    groups = [encoded[start : start + BATCH] for start in range(0, len(encoded), BATCH)]
    chance.shuffle(groups)
    for group in groups:
        longest = max(len(ids) for ids, _ in group)
        ids = torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in group])
        mask = torch.tensor([[1.0] * len(ids) + [0.0] * (longest - len(ids)) for ids, _ in group])
        yield ids, mask, torch.tensor([label for _, label in group])


def train(epochs: int, seed: int = 11) -> Encoder:
    """The tuned encoder. Deterministic for a seed and a number of threads."""
    torch.manual_seed(seed)
    chance = random.Random(seed)  # noqa: S311
    rows = examples()
    names = sorted({label for _, label in rows})
    numbered = [(text, names.index(label)) for text, label in rows]
    tokenizer = Tokenizer.from_file(str(package_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MOST_TOKENS)
    model = Encoder(published_weights(), len(names))
    groups = [
        {"params": [p for p in model.tensors.values() if p.requires_grad], "lr": 1e-4},
        {"params": model.head.parameters(), "lr": 2e-3},
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.01)
    steps = epochs * -(-len(rows) // BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / 60) * max(0.02, 1 - step / steps)
    )
    loss_of = nn.CrossEntropyLoss(label_smoothing=SMOOTHING)
    for epoch in range(epochs):
        began, total = time.monotonic(), 0.0
        model.train()
        for ids, mask, labels in batches(numbered, tokenizer, chance):
            optimiser.zero_grad()
            loss = loss_of(model(ids, mask), labels)
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss.detach()) * len(labels)
        print(f"epoch {epoch + 1}: loss {total / len(rows):.3f}, {time.monotonic() - began:.0f} s", flush=True)
    return model.eval()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", type=int, default=3)
    given = parser.parse_args()
    print(export(given.folder, train(given.epochs).published()))
