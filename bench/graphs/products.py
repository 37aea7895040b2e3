"""The matrix products of ALBERT's layers and nothing else, on rows that are all real pieces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .builder import LAYER, Builder

Weights = dict[str, NDArray[np.float32]]


def write_layer_products(path: Path, weights: Weights, geometry: dict[str, Any]) -> None:
    """Write x [rows, hidden] -> qkv and out: query|key|value in one product, dense, ffn and ffn_output behind it.

    The shapes, the operator (Gemm with the matrix as [out, in]) and the order are those of csrc/encoder/graph.cpp.
    """
    b = Builder()
    b.node("Gemm", ["x", b.constant("qkv.weight", _query_key_value(weights))], out="qkv", transB=1)
    _rest(b, "x", weights)
    hidden = geometry["hidden_size"]
    b.save(path, {"x": ("FLOAT", ["rows", hidden])}, {"qkv": ["rows", 3 * hidden], "out": ["rows", hidden]})


def write_first_products(path: Path, weights: Weights, geometry: dict[str, Any]) -> None:
    """Write x [rows, embedding] -> qkv and out: the same for the first layer, whose qkv is of the embeddings."""
    b = Builder()
    mapping = weights["encoder.embedding_hidden_mapping_in.weight"]
    b.node("Gemm", ["x", b.constant("mapping", mapping)], out="hidden", transB=1)
    b.node("Gemm", ["x", b.constant("qkv.weight", _query_key_value(weights) @ mapping)], out="qkv", transB=1)
    _rest(b, "hidden", weights)
    size, hidden = geometry["embedding_size"], geometry["hidden_size"]
    b.save(path, {"x": ("FLOAT", ["rows", size])}, {"qkv": ["rows", 3 * hidden], "out": ["rows", hidden]})


def _query_key_value(weights: Weights) -> NDArray[np.float32]:
    return np.concatenate([weights[f"{LAYER}attention.{part}.weight"] for part in ("query", "key", "value")])


def _rest(b: Builder, x: str, weights: Weights) -> None:
    for name, out in (("attention.dense", ""), ("ffn", ""), ("ffn_output", "out")):
        x = b.node("Gemm", [x, b.constant(name, weights[f"{LAYER}{name}.weight"])], out=out, transB=1)


def operations_needed(geometry: dict[str, Any], tokens: int, read: int) -> float:
    """Return the operations of the products that so many tokens need, without padding, where `read` of them are read.

    These are the engine's: the first layer's query, key and value are made of the embeddings, and what follows the last
    layer's attention is made for the tokens that are read. Other systems make more.
    """
    e, h, f = (int(geometry[name]) for name in ("embedding_size", "hidden_size", "intermediate_size"))
    blocks = int(geometry["num_hidden_layers"] * geometry["inner_group_num"])
    rest = h * h + 2 * h * f
    per_token = e * h + 3 * h * e + (blocks - 1) * (3 * h * h + rest)
    return 2.0 * (tokens * per_token + read * rest)


def write_rates(folder: Path, inputs: int, outputs: int) -> None:
    """Write single products for the machine's rates: fp32.onnx (MatMul), int8.onnx (MatMulInteger, u8 times s8)."""
    import onnx
    from onnx import TensorProto, helper

    b = Builder()
    random = np.random.default_rng(0)
    b.node("MatMul", ["x", b.constant("matrix", random.normal(0, 1, (inputs, outputs)))], out="out")
    b.save(folder / "fp32.onnx", {"x": ("FLOAT", ["rows", inputs])}, {"out": ["rows", outputs]})

    q = Builder()
    matrix = q.constant("matrix", random.integers(-63, 64, (inputs, outputs)), np.int8)
    q.node("MatMulInteger", ["x", matrix, q.constant("zero", np.uint8(128), np.uint8)], out="out")
    graph = helper.make_graph(
        q.nodes,
        "int8",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, ["rows", inputs])],
        [helper.make_tensor_value_info("out", TensorProto.INT32, ["rows", outputs])],
        q.constants(),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(folder / "int8.onnx"))
