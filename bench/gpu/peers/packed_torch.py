"""ALBERT written by hand on PyTorch without padding: what an expert can do without us."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from ...graphs.builder import LAYER
from ..setup import Array, Ids, Setup
from .base import Peer


class PackedTorch(Peer):
    """The sequences lie end to end; attention is PyTorch's `varlen_attn` (flash, fp16).

    In a rehearsal, which has no `varlen_attn`, each sequence is attended by itself: the rest can be seen to be right.
    """

    ways = (("input", 16384),)  # pieces of a batch

    def __init__(self, setup: Setup, precision: str) -> None:
        import torch

        super().__init__(setup, precision)
        self._torch: Any = torch
        self._device = setup.torch_device
        torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
        self._kind = torch.float16 if precision == "fp16" else torch.float32
        if precision != "fp16" and not setup.rehearsal:
            raise NotImplementedError("varlen_attn takes fp16 only")
        weights = setup.weights
        joined = {
            kind: np.concatenate([weights[f"{LAYER}attention.{part}.{kind}"] for part in ("query", "key", "value")])
            for kind in ("weight", "bias")
        }
        self._weights = {
            name: torch.from_numpy(np.ascontiguousarray(value)).to(self._device, self._kind)
            for name, value in {**weights, **{f"qkv.{kind}": value for kind, value in joined.items()}}.items()
        }
        self._attend: Callable[..., Any] = self._attend_one_by_one if setup.rehearsal else self._attend_packed
        self._run: Callable[..., Any] = self._forward

    def rows(self, sequences: Ids, order: str, batch: int) -> Array:
        out: list[Array] = []
        for part in _cut(sequences, batch):
            lengths = [len(ids) for ids in part]
            splits = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
            ids = np.fromiter(itertools.chain.from_iterable(part), np.int64, int(splits[-1]))
            places = np.concatenate([np.arange(length) for length in lengths])
            out.append(self._states(ids, places, splits, max(lengths)))
        return np.concatenate(out)

    def _states(self, ids: Array, places: Array, splits: Array, longest: int) -> Array:
        torch = self._torch
        with torch.inference_mode():
            inputs = (torch.from_numpy(values).to(self._device) for values in (ids, places, splits))
            states: Array = self._run(*inputs, longest).float().cpu().numpy()
        return states

    def _forward(self, ids: Any, places: Any, splits: Any, longest: int) -> Any:
        f = self._torch.nn.functional
        w = self._weights
        x = f.embedding(ids, w["embeddings.word_embeddings.weight"])
        x = x + w["embeddings.position_embeddings.weight"][places] + w["embeddings.token_type_embeddings.weight"][0]
        x = self._linear(self._norm(x, "embeddings.LayerNorm"), "encoder.embedding_hidden_mapping_in")
        heads = self.geometry["num_attention_heads"]
        gelu = functools.partial(f.gelu, approximate="tanh" if self.geometry["hidden_act"] == "gelu_new" else "none")
        for _ in range(self.geometry["num_hidden_layers"]):
            q, k, v = self._linear(x, "qkv").view(len(ids), 3, heads, -1).unbind(1)
            context = self._attend(q, k, v, splits, longest).reshape(len(ids), -1)
            x = self._norm(x + self._linear(context, LAYER + "attention.dense"), LAYER + "attention.LayerNorm")
            inner = self._linear(gelu(self._linear(x, LAYER + "ffn")), LAYER + "ffn_output")
            x = self._norm(inner + x, LAYER + "full_layer_layer_norm")
        return x

    def _linear(self, x: Any, name: str) -> Any:
        return self._torch.nn.functional.linear(x, self._weights[name + ".weight"], self._weights[name + ".bias"])

    def _norm(self, x: Any, name: str) -> Any:
        gain, bias = self._weights[name + ".weight"], self._weights[name + ".bias"]
        epsilon = self.geometry["layer_norm_eps"]
        return self._torch.nn.functional.layer_norm(x, gain.shape, gain, bias, epsilon)

    def _attend_packed(self, q: Any, k: Any, v: Any, splits: Any, longest: int) -> Any:
        from torch.nn.attention.varlen import varlen_attn

        return varlen_attn(q, k, v, splits, splits, longest, longest)

    def _attend_one_by_one(self, q: Any, k: Any, v: Any, splits: Any, longest: int) -> Any:
        attend = self._torch.nn.functional.scaled_dot_product_attention
        parts = [slice(a, b) for a, b in itertools.pairwise(splits.tolist())]
        turned = [attend(*(x[part].transpose(0, 1) for x in (q, k, v))).transpose(0, 1) for part in parts]
        return self._torch.cat(turned)


class CompiledPackedTorch(PackedTorch):
    """The same through torch.compile, for any number of pieces."""

    def __init__(self, setup: Setup, precision: str) -> None:
        super().__init__(setup, precision)
        if setup.rehearsal:
            raise NotImplementedError("nothing to see on the CPU: attention would not be the packed one")
        self._run = self._torch.compile(self._forward, dynamic=True)


def _cut(sequences: Ids, most: int) -> list[list[list[int]]]:
    """Return batches of neighbours with at most so many pieces."""
    batches: list[list[list[int]]] = []
    pieces = 0
    for ids in sequences:
        if not batches or pieces + len(ids) > most:
            batches.append([])
            pieces = 0
        batches[-1].append(list(ids))
        pieces += len(ids)
    return batches
