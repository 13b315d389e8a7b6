"""Writing the trained encoder as one ONNX graph.

In: ids [tokens], pool [rows, tokens]. Out: rows [rows, 384], logits [rows, outputs].
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor

from training.encoder import HEADS, WIDTH, Encoder

OPSET = 17


class _Graph:
    """Nodes and constants while they are being strung together."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: object) -> str:
        array = value.detach().numpy() if isinstance(value, Tensor) else np.asarray(value)
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, operator: str, *inputs: str, name: str | None = None, **attributes: object) -> str:
        output = name or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def linear(self, x: str, module: object, stem: str, name: str | None = None) -> str:
        weight = self.constant(f"{stem}.w", module.weight.T)  # type: ignore[attr-defined]
        bias = self.constant(f"{stem}.b", module.bias)  # type: ignore[attr-defined]
        return self.add("Add", self.add("MatMul", x, weight), bias, name=name)

    def norm(self, x: str, module: object, stem: str) -> str:
        weight = self.constant(f"{stem}.w", module.weight)  # type: ignore[attr-defined]
        bias = self.constant(f"{stem}.b", module.bias)  # type: ignore[attr-defined]
        return self.add("LayerNormalization", x, weight, bias, epsilon=1e-12, axis=-1)


def graph_of(model: Encoder) -> onnx.ModelProto:
    """The whole model as a graph without training parts."""
    g = _Graph()
    places = model.places.weight + model.kind
    x = g.add("Gather", g.constant("words", model.words.weight), "ids")
    length = g.add("Shape", "ids")
    zero, axis = g.constant("zero", np.array([0], np.int64)), g.constant("axis", np.array([0], np.int64))
    x = g.norm(g.add("Add", x, g.add("Slice", g.constant("places", places), zero, length, axis)), model.norm, "norm")
    heads = g.constant("heads", np.array([-1, HEADS, WIDTH // HEADS], np.int64))
    joined = g.constant("joined", np.array([-1, WIDTH], np.int64))
    scale = g.constant("scale", np.float32((WIDTH // HEADS) ** -0.5))
    half, one = g.constant("half", np.float32(0.5)), g.constant("one", np.float32(1))
    root = g.constant("root", np.float32(0.5**0.5))
    for number, layer in enumerate(model.layers):
        stem = f"layer{number}"
        parts = g.constant(f"{stem}.parts", np.array([WIDTH] * 3, np.int64))
        whole = g.linear(x, layer.qkv, f"{stem}.qkv")
        names = [f"{stem}.{part}" for part in "qkv"]
        g.nodes.append(helper.make_node("Split", [whole, parts], names, axis=-1))
        q, k, v = (
            g.add("Transpose", g.add("Reshape", part, heads), perm=perm)
            for part, perm in zip(names, ([1, 0, 2], [1, 2, 0], [1, 0, 2]), strict=True)
        )
        attention = g.add("Softmax", g.add("Mul", g.add("MatMul", q, k), scale), axis=-1)
        mixed = g.add("Reshape", g.add("Transpose", g.add("MatMul", attention, v), perm=[1, 0, 2]), joined)
        x = g.norm(g.add("Add", x, g.linear(mixed, layer.out, f"{stem}.out")), layer.norm_1, f"{stem}.norm1")
        up = g.linear(x, layer.up, f"{stem}.up")
        bent = g.add("Mul", g.add("Mul", up, half), g.add("Add", g.add("Erf", g.add("Mul", up, root)), one))
        x = g.norm(g.add("Add", x, g.linear(bent, layer.down, f"{stem}.down")), layer.norm_2, f"{stem}.norm2")
    rows = g.add("MatMul", "pool", x, name="rows")
    g.linear(rows, model.head, "head", name="logits")
    graph = helper.make_graph(
        g.nodes,
        "encoder",
        [
            helper.make_tensor_value_info("ids", TensorProto.INT64, ["tokens"]),
            helper.make_tensor_value_info("pool", TensorProto.FLOAT, ["rows", "tokens"]),
        ],
        [
            helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["rows", WIDTH]),
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["rows", model.head.out_features]),
        ],
        g.constants,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    made.ir_version = 8
    onnx.checker.check_model(made)
    return made


def export(model: Encoder, path: Path) -> None:
    """Write the graph with 8-bit weights; what stays in floats are norms, the pooling and the head."""
    whole = path.with_suffix(".float.onnx")
    onnx.save(graph_of(model), whole)
    quantize_dynamic(
        whole,
        path,
        weight_type=QuantType.QInt8,
        per_channel=True,
        reduce_range=True,  # without it the 8-bit products overflow on processors that lack VNNI
        op_types_to_quantize=["MatMul", "Gather"],
    )
    whole.unlink()
