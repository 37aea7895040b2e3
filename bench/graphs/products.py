"""The matrix products of one ALBERT layer and nothing else, on rows that are all real pieces."""

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
    names = [LAYER + "attention." + part for part in ("query", "key", "value")]
    qkv = np.concatenate([weights[name + ".weight"] for name in names])
    b.node("Gemm", ["x", b.constant("qkv.weight", qkv)], out="qkv", transB=1)
    x = "x"
    for name, out in (("attention.dense", ""), ("ffn", ""), ("ffn_output", "out")):
        x = b.node("Gemm", [x, b.constant(name, weights[f"{LAYER}{name}.weight"])], out=out, transB=1)
    hidden = geometry["hidden_size"]
    b.save(path, {"x": ("FLOAT", ["rows", hidden])}, {"qkv": ["rows", 3 * hidden], "out": ["rows", hidden]})


def write_projection(path: Path, weights: Weights, geometry: dict[str, Any]) -> None:
    """Write x [rows, embedding] -> out [rows, hidden]: the product between the embeddings and the first layer."""
    b = Builder()
    matrix = b.constant("matrix", weights["encoder.embedding_hidden_mapping_in.weight"])
    b.node("Gemm", ["x", matrix], out="out", transB=1)
    size, hidden = geometry["embedding_size"], geometry["hidden_size"]
    b.save(path, {"x": ("FLOAT", ["rows", size])}, {"out": ["rows", hidden]})


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
