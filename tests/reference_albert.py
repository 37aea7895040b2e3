"""ALBERT in NumPy float64, one sequence at a time and without any packing: the slow, obviously right twin.

Formulas: Lan et al. 2020 (ALBERT), Vaswani et al. 2017 (attention); weight names and layer order as in transformers'
AlbertModel, against whose float64 outputs `test_encoder.py` checks this file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def _erf(x: Array) -> Array:
    return np.vectorize(math.erf, otypes=[float])(x)


ACTIVATIONS = {
    "gelu": lambda x: 0.5 * x * (1 + _erf(x / math.sqrt(2))),
    "gelu_new": lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "relu": lambda x: np.maximum(x, 0),
}


class ReferenceAlbert:
    """Hidden states and pooler output of one sequence of piece ids."""

    def __init__(self, weights: Mapping[str, Array], geometry: Mapping[str, Any]) -> None:
        self.weights = {name: value.astype(np.float64) for name, value in weights.items()}
        self.geometry = geometry

    def _linear(self, x: Array, name: str) -> Array:
        return x @ self.weights[name + ".weight"].T + self.weights[name + ".bias"]

    def _norm(self, x: Array, name: str) -> Array:
        mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        scaled = (x - mean) / np.sqrt(variance + self.geometry["layer_norm_eps"])
        return scaled * self.weights[name + ".weight"] + self.weights[name + ".bias"]

    def _attention(self, x: Array, prefix: str) -> Array:
        heads = self.geometry["num_attention_heads"]
        split = lambda y: y.reshape(len(y), heads, -1).transpose(1, 0, 2)  # noqa: E731
        q, k, v = (split(self._linear(x, prefix + name)) for name in ("query", "key", "value"))
        scores = q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1])
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        context = (shares @ v).transpose(1, 0, 2).reshape(len(x), -1)
        return self._norm(x + self._linear(context, prefix + "dense"), prefix + "LayerNorm")

    def _block(self, x: Array, prefix: str) -> Array:
        attended = self._attention(x, prefix + "attention.")
        inner = ACTIVATIONS[self.geometry["hidden_act"]](self._linear(attended, prefix + "ffn"))
        return self._norm(self._linear(inner, prefix + "ffn_output") + attended, prefix + "full_layer_layer_norm")

    def hidden_states(self, ids: Sequence[int]) -> list[Array]:
        """Return [embedding projection, output of layer 1, ...], each [len(ids), hidden_size]."""
        word, position, kind = (
            self.weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")
        )
        x = word[list(ids)] + position[: len(ids)] + kind[0]
        states = [self._linear(self._norm(x, "embeddings.LayerNorm"), "encoder.embedding_hidden_mapping_in")]
        layers, groups = self.geometry["num_hidden_layers"], self.geometry["num_hidden_groups"]
        for layer in range(layers):
            group = int(layer / (layers / groups))
            x = states[-1]
            for inner in range(self.geometry["inner_group_num"]):
                x = self._block(x, f"encoder.albert_layer_groups.{group}.albert_layers.{inner}.")
            states.append(x)
        return states

    def pooled(self, ids: Sequence[int]) -> Array:
        """Return the pooler output, [hidden_size]."""
        return np.tanh(self._linear(self.hidden_states(ids)[-1][:1], "pooler"))[0]
