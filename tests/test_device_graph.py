"""The graph for CUDA, without CUDA: form, types, arithmetic against float64, and ONNX Runtime's opinion of it."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import make_model
from albert_fast import DeviceError
from base_weights import BASE, base_weights, outlier_weights, write_base
from conftest import ModelMaker
from device_graphs import batch_of, evaluate, feeds_of, with_weights, write
from reference_albert import ReferenceAlbert
from test_encoder import random_sequences

# Operators with a CUDA kernel for fp32 and fp16 that needs no cuDNN and no shape on the host.
ON_DEVICE = {
    *("Gather", "Add", "LayerNormalization", "Gemm", "Reshape", "Cast", "Sum", "Mul", "MatMul", "Tanh", "Relu"),
    *("SkipLayerNormalization", "FastGelu", "BiasGelu", "PackedMultiHeadAttention"),
}
GEOMETRIES: list[dict[str, Any]] = [
    {},
    {"num_hidden_layers": 6, "num_hidden_groups": 3},
    {"inner_group_num": 2},
    {"hidden_act": "gelu"},
    {"hidden_act": "relu"},
    {"embedding_size": 5},
    {"hidden_size": 36, "num_attention_heads": 3},
    {"hidden_size": 40, "num_attention_heads": 1},
]
FLOAT, HALF = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16


@pytest.mark.parametrize("precision", ["fp32", "tf32", "fp16"])
@pytest.mark.parametrize("changes", GEOMETRIES, ids=str)
def test_every_geometry_matches_float64(make_folder: ModelMaker, changes: dict[str, Any], precision: str) -> None:
    geometry = make_model.geometry(**changes)
    reference = ReferenceAlbert(make_model.make_weights(geometry, 1), geometry)
    layers = geometry["num_hidden_layers"]
    model = with_weights(*write(make_folder(seed=1, **changes), precision, [layers]))
    sequences = random_sequences(5, 40, geometry["vocab_size"])
    got = evaluate(model, feeds_of(batch_of(sequences)))
    expected = np.concatenate([reference.hidden_states(ids)[-1] for ids in sequences])
    assert got.dtype == np.float32
    if precision == "fp16":
        norms = np.linalg.norm(got, axis=1) * np.linalg.norm(expected, axis=1)
        assert ((got * expected).sum(1) / norms).min() >= 0.9999
        np.testing.assert_allclose(got, expected, rtol=0, atol=0.03)
    else:
        np.testing.assert_allclose(got, expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("outliers", [False, True], ids=["random weights", "weights with loud channels"])
def test_fp16_keeps_its_direction_on_weights_of_base_size(tmp_path: Path, outliers: bool) -> None:
    weights = outlier_weights() if outliers else base_weights()
    model = with_weights(*write(write_base(tmp_path, weights), "fp16", [BASE["num_hidden_layers"]]))
    reference = ReferenceAlbert(weights, BASE)
    sequences = random_sequences(2, 60, BASE["vocab_size"])
    got = evaluate(model, feeds_of(batch_of(sequences)))
    expected = np.concatenate([reference.hidden_states(ids)[-1] for ids in sequences])
    norms = np.linalg.norm(got, axis=1) * np.linalg.norm(expected, axis=1)
    assert ((got * expected).sum(1) / norms).min() >= (0.999 if outliers else 0.9999)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize(("layers", "pooler", "means"), [
    ([0], False, False), ([1, 2], False, False), ([3], True, False), ([2, 3], True, False), ([3], False, True),
    ([0, 2, 3], False, True), ([1, 3], True, True),
])  # fmt: skip
@pytest.mark.parametrize("keeps", [True, False], ids=["rows that are read go on", "all rows go on"])
def test_layers_means_and_pooler(
    tiny_folder: Path, layers: list[int], pooler: bool, means: bool, precision: str, keeps: bool
) -> None:
    geometry = make_model.geometry()
    reference = ReferenceAlbert(make_model.make_weights(geometry, 0), geometry)
    model = with_weights(*write(tiny_folder, precision, layers, pooler, means, keeps))
    sequences = random_sequences(4, 30, 400, seed=5)
    starts = np.cumsum([0, *map(len, sequences)])
    rows = [[int(a), int(b) - 1, int(a) + 1] if means else [int(a)] for a, b in itertools.pairwise(starts)]
    batch = batch_of(sequences, rows)
    assert batch["means"] == means
    feeds = feeds_of(batch)
    if not keeps:
        feeds["row_index"] = batch["kept_tokens"][feeds["row_index"]]
    got = evaluate(model, feeds)
    for row, ids in zip(got, sequences, strict=True):
        states = np.mean([reference.hidden_states(ids)[layer] for layer in layers], axis=0)
        expected = states[[0, len(ids) - 1, 1]].mean(0) if means else states[0]
        if pooler:
            expected = np.tanh(reference._linear(expected, "pooler"))
        np.testing.assert_allclose(row, expected, rtol=0, atol=0.02 if precision == "fp16" else 2e-5)


@pytest.mark.parametrize("precision", ["fp32", "tf32", "fp16"])
def test_form_and_types(make_folder: ModelMaker, precision: str) -> None:
    folder = make_folder(num_hidden_layers=4, num_hidden_groups=2)
    onnx_bytes, weights = write(folder, precision, [2, 4], pooler=True, means=True)
    model = with_weights(onnx_bytes, weights)
    onnx.checker.check_model(model)
    assert {node.op_type for node in model.graph.node} <= ON_DEVICE
    names = [tensor.name for tensor in model.graph.initializer]
    assert len(names) == len(set(names)), "layers of one group share their constants"
    inner = HALF if precision == "fp16" else FLOAT
    constants = {"layer_share": FLOAT, "qkv_shape": onnx.TensorProto.INT64, "row_shape": onnx.TensorProto.INT64}
    for tensor in model.graph.initializer:
        wanted = FLOAT if tensor.name.startswith("pooler.") else constants.get(tensor.name, inner)
        assert tensor.data_type == wanted, tensor.name
    casts = [node for node in model.graph.node if node.op_type == "Cast"]
    assert len(casts) == (2 if precision == "fp16" else 0)  # of the gathered rows of each layer, and nothing else
    produced = {name for node in model.graph.node for name in node.output}
    consumed = {name for node in model.graph.node for name in node.input}
    given = {item.name for item in model.graph.input} | set(names) | {""}
    assert consumed <= produced | given
    assert produced <= consumed | {"rows"}


def test_weights_are_dealt_out_by_head(make_folder: ModelMaker) -> None:
    geometry = make_model.geometry(hidden_size=24, num_attention_heads=3)
    hf = make_model.make_weights(geometry, 7)
    _, weights = write(make_folder(seed=7, hidden_size=24, num_attention_heads=3), "fp16", [2])
    prefix = "encoder.albert_layer_groups.0.albert_layers.0.attention."
    stacked = np.stack([hf[prefix + name + ".weight"].reshape(3, 8, 24) for name in ("query", "key", "value")])
    expected = stacked.transpose(1, 0, 2, 3).reshape(72, 24).astype(np.float16)
    assert np.array_equal(weights[prefix + "qkv.weight"], expected)
    bias = np.concatenate([hf[prefix + name + ".bias"] for name in ("query", "key", "value")])
    assert np.array_equal(weights[prefix + "qkv.bias"], bias.astype(np.float16))
    # The first layer's is of the embeddings: the mapping to hidden states is part of it.
    mapping = hf["encoder.embedding_hidden_mapping_in.weight"].astype(np.float64)
    mapped = stacked.transpose(1, 0, 2, 3).reshape(72, 24).astype(np.float64) @ mapping
    np.testing.assert_allclose(weights["encoder.first_qkv.weight"], mapped, rtol=2e-3, atol=1e-6)
    mapped_bias = bias + stacked.reshape(72, 24) @ hf["encoder.embedding_hidden_mapping_in.bias"]
    np.testing.assert_allclose(weights["encoder.first_qkv.bias"], mapped_bias, rtol=2e-3, atol=1e-6)


def folder_with(make_folder: ModelMaker, values: np.ndarray[Any, Any]) -> Path:
    """Return a model whose word embeddings begin with `values`."""
    folder = make_folder(seed=3)
    geometry = make_model.geometry()
    weights = make_model.make_weights(geometry, 3)
    weights["embeddings.word_embeddings.weight"].reshape(-1)[: len(values)] = values
    make_model.save_safetensors(folder / "model.safetensors", weights)
    return folder


def test_fp16_rounds_as_ieee_754_says(make_folder: ModelMaker) -> None:
    random = np.random.default_rng(0)
    bits = random.integers(0, 1 << 32, 2000, dtype=np.uint64).astype(np.uint32).view(np.float32)
    halves = np.arange(0, 0x7C00, 11, dtype=np.uint16)
    between = (
        halves.view(np.float16).astype(np.float32) + (halves + 1).view(np.float16).astype(np.float32)
    ) / 2  # ties
    edges = np.float32([0.0, -0.0, 65504, 65519.99, -65519.99, 2**-14, 2**-24, 2**-25, 1.5 * 2**-24, 2**-26, 6.1e-5])
    with np.errstate(all="ignore"):
        values = np.concatenate([edges, bits, between, -between])
        values = values[np.isfinite(values) & (np.abs(values) < 65520)][:6000].astype(np.float32)
        expected = values.astype(np.float16)
    assert len(values) > 2000
    _, weights = write(folder_with(make_folder, values), "fp16", [1])
    got = weights["embeddings.word_embeddings.weight"].reshape(-1)[: len(values)]
    assert np.array_equal(got.view(np.uint16), expected.view(np.uint16))


@pytest.mark.parametrize("value", [65520.0, -1e30, np.inf, np.nan])
def test_fp16_refuses_what_it_cannot_hold(make_folder: ModelMaker, value: float) -> None:
    folder = folder_with(make_folder, np.float32([value]))
    with pytest.raises(DeviceError, match=r"fp16.*embeddings\.word_embeddings\.weight.*precision='tf32'"):
        write(folder, "fp16", [1])
    write(folder, "tf32", [1])


SESSION = """
import sys, onnxruntime
options = onnxruntime.SessionOptions()
options.log_severity_level = 4
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
try:
    onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
except Exception as error:
    print(type(error).__name__, error)
"""


def opinion(model: onnx.ModelProto, path: Path) -> str:
    """Return what ONNX Runtime's CPU build says of a graph: schemas and types first, then kernels."""
    onnx.save(model, path)
    return subprocess.run([sys.executable, "-c", SESSION, path], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_onnxruntime_misses_nothing_but_kernels(tiny_folder: Path, tmp_path: Path, precision: str) -> None:
    pytest.importorskip("onnxruntime")
    model = with_weights(*write(tiny_folder, precision, [1, 3], pooler=True, means=True))
    said = opinion(model, tmp_path / "model.onnx")
    assert "NotImplemented" in said
    assert re.search("Could not find an implementation|Kernel not found", said)
    assert "PackedMultiHeadAttention" in said
    # The control: a graph that is wrong is refused before any kernel is looked for.
    attention = next(node for node in model.graph.node if node.op_type == "PackedMultiHeadAttention")
    attention.input[4] = attention.input[0]
    said = opinion(model, tmp_path / "wrong.onnx")
    assert "NotImplemented" not in said
    assert re.search("Type Error|bound to different types|INVALID_GRAPH", said)
