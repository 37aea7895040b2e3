"""The graph for CUDA without CUDA: as an onnx model with its weights inside, and operators of onnx's evaluator for it.

The operators of com.microsoft follow ONNX Runtime's schemas, and round where the CUDA kernels do: they take and
return the type of the graph (fp16 or fp32), add biases and residuals in it, and compute statistics and products in a
wider one.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from albert_fast import _core, engines, models, runtime
from albert_fast.device import Cuda
from reference_albert import ACTIVATIONS

Array = NDArray[Any]


def settings(**changes: Any) -> dict[str, Any]:
    return dataclasses.asdict(Cuda(**changes))


def write(
    folder: Path,
    precision: str,
    layers: Sequence[int],
    pooler: bool = False,
    means: bool = False,
    keeps: bool = True,
) -> tuple[bytes, dict[str, Array]]:
    """Return the graph as it goes to a session, and the weights that go with it."""
    files = models.read_folder(folder)
    geometry = dataclasses.asdict(files.geometry)
    onnx_bytes, tensors = _core.device_graph(
        engines._fill_store(files), geometry, settings(precision=precision), list(layers), pooler, means, keeps
    )
    return onnx_bytes, {
        name: np.frombuffer(data, dtype).reshape(shape) for name, (dtype, shape, data) in tensors.items()
    }


def with_weights(onnx_bytes: bytes, weights: dict[str, Array]) -> onnx.ModelProto:
    """Return the graph with its weights inside, as a file of it would hold them."""
    model = onnx.load_model_from_string(onnx_bytes)
    for tensor in model.graph.initializer:
        if tensor.name in weights:
            array = weights[tensor.name]
            assert tuple(tensor.dims) == array.shape
            tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))
    return model


class _Microsoft(OpRun):  # type: ignore[misc]
    op_domain = "com.microsoft"


class SkipLayerNormalization(_Microsoft):
    def _run(  # type: ignore[no-untyped-def]
        self, x, skip, gamma, beta, bias, epsilon=None
    ) -> tuple[Array]:
        total = (x + bias + skip).astype(np.float32)  # the sum is rounded to the type of the graph
        scaled = (total - total.mean(-1, keepdims=True)) / np.sqrt(total.var(-1, keepdims=True) + epsilon)
        return ((scaled * gamma.astype(np.float32) + beta.astype(np.float32)).astype(x.dtype),)


class FastGelu(_Microsoft):
    def _run(self, x, bias) -> tuple[Array]:  # type: ignore[no-untyped-def]
        kind = x.dtype.type
        x = x + bias
        # Step by step in the type of the graph.
        inner = np.tanh(x * (kind(0.044715 * math.sqrt(2 / math.pi)) * x * x + kind(math.sqrt(2 / math.pi))))
        return (x * (kind(0.5) * inner + kind(0.5)),)


class BiasGelu(_Microsoft):
    def _run(self, x, bias) -> tuple[Array]:  # type: ignore[no-untyped-def]
        return (ACTIVATIONS["gelu"](x.astype(np.float64) + bias.astype(np.float64)).astype(x.dtype),)


class PackedMultiHeadAttention(_Microsoft):
    """Packed QKV [tokens, heads, 3, dim], as the schema says; the bias stands as query | key | value."""

    def _run(  # type: ignore[no-untyped-def]
        self, qkv, key, value, bias, token_offset, cu_seqlens, num_heads=None
    ) -> tuple[Array]:
        assert key is None
        assert value is None
        tokens, heads, three, dim = qkv.shape
        assert (heads, three) == (num_heads, 3)
        assert token_offset.shape[0] == len(cu_seqlens) - 1
        lengths = np.diff(cu_seqlens)
        assert lengths.max() <= token_offset.shape[1]
        shifted = (qkv + bias.reshape(3, heads, dim).transpose(1, 0, 2)).astype(np.float64)
        out = np.empty((tokens, heads, dim))
        for begin, end in itertools.pairwise(cu_seqlens):
            q, k, v = (shifted[begin:end, :, part].transpose(1, 0, 2) for part in range(3))
            scores = q @ k.transpose(0, 2, 1) / math.sqrt(dim)
            shares = np.exp(scores - scores.max(-1, keepdims=True))
            out[begin:end] = (shares / shares.sum(-1, keepdims=True) @ v).transpose(1, 0, 2)
        return (out.reshape(tokens, heads * dim).astype(qkv.dtype),)


class Gemm(OpRun):  # type: ignore[misc]
    """onnx's own sums fp16 in fp16; cuBLAS sums it in fp32."""

    op_domain = ""

    def _run(self, a, b, c=None, alpha=None, beta=None, transA=None, transB=None):  # type: ignore[no-untyped-def]
        assert (alpha, beta, transA, transB) == (1.0, 1.0, 0, 1)
        product = a.astype(np.float32) @ b.astype(np.float32).T
        return ((product if c is None else product + c.astype(np.float32)).astype(a.dtype),)


class LayerNormalization(OpRun):  # type: ignore[misc]
    """onnx's own rounds the statistics to the type of the input; stash_type = 1 asks for fp32."""

    op_domain = ""

    def _run(self, x, scale, bias, axis=None, epsilon=None, stash_type=None):  # type: ignore[no-untyped-def]
        assert (axis, stash_type) == (-1, 1)
        wide = x.astype(np.float32)
        scaled = (wide - wide.mean(-1, keepdims=True)) / np.sqrt(wide.var(-1, keepdims=True) + epsilon)
        return ((scaled * scale.astype(np.float32) + bias.astype(np.float32)).astype(x.dtype),)


OPERATORS = [SkipLayerNormalization, FastGelu, BiasGelu, PackedMultiHeadAttention, Gemm, LayerNormalization]


def evaluate(model: onnx.ModelProto, feeds: dict[str, Array]) -> Array:
    names = {item.name for item in model.graph.input}
    evaluator = ReferenceEvaluator(model, new_ops=OPERATORS)
    (rows,) = evaluator.run(None, {name: value for name, value in feeds.items() if name in names})
    return np.asarray(rows)


def batch_of(
    sequences: Sequence[Sequence[int]], rows: Sequence[Sequence[int]] | None = None, reduction: int = 0
) -> dict[str, Any]:
    """Lay sequences out as the engine does; `rows` names the packed tokens of each row, by default each token."""
    ids = [i for s in sequences for i in s]
    wanted = [[t] for t in range(len(ids))] if rows is None else rows
    return _core.device_batch(
        np.array(ids, np.int32),
        np.concatenate([np.arange(len(s)) for s in sequences]).astype(np.int32),
        np.cumsum([0, *map(len, sequences)]).astype(np.int32),
        np.cumsum([0, *map(len, wanted)]).astype(np.int32),
        np.array([t for row in wanted for t in row], np.int32),
        reduction,
    )


def feeds_of(batch: dict[str, Any]) -> dict[str, Array]:
    """Return the graph's inputs in their shapes."""
    rows, width = batch["rows"], batch["width"]
    feeds = {name: batch[name] for name in ("input_ids", "position_ids", "cu_seqlens", "row_index", "kept_tokens")}
    feeds["token_offset"] = batch["token_offset"].reshape(-1, batch["longest"])
    if batch["means"]:
        feeds["row_index"] = batch["row_index"].reshape(rows, width)
        feeds["row_mask"] = batch["row_mask"].reshape(rows, 1, width)
        feeds["row_share"] = batch["row_share"].reshape(rows, 1)
    return feeds


def rehearse(folder: Path, **changes: Any) -> _core.Engine:
    """Return an engine whose model is the CUDA one, but for the device."""
    runtime.load()
    return engines.engine_for(models.read_folder(folder), "fp32", Cuda(precision="fp32", rehearsal=True, **changes))
