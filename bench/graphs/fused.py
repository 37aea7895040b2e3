"""ALBERT in ONNX Runtime's fused operators: what a bare session can do at best."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import Refused
from .builder import LAYER, MICROSOFT, Builder, linear_weight

Weights = dict[str, NDArray[np.float32]]


def write_fused(
    path: Path, weights: Weights, geometry: dict[str, Any], padded: bool = False, dtype: Any = np.float32
) -> None:
    """Write the graph: input_ids and position_ids, int32 [1, length] -> last_hidden_state, fp32 [1, length, hidden].

    Padded: [batch, length], with `lengths`, int32 [batch]. Inside it computes in `dtype`.
    """
    if geometry["hidden_act"] not in ("gelu", "gelu_new"):
        raise Refused(f"the fused graph has no operator for the activation {geometry['hidden_act']}")
    b = _Fused(weights, geometry, padded, dtype)
    hidden = b.embeddings()
    for _ in range(geometry["num_hidden_layers"]):
        hidden = b.layer(hidden)
    if dtype is np.float32:
        b.node("Identity", [hidden], out="last_hidden_state")
    else:
        b.node("Cast", [hidden], out="last_hidden_state", to=1)
    batch: Any = "batch" if padded else 1
    tokens: tuple[str, list[Any]] = ("INT32", [batch, "length"])
    inputs = dict.fromkeys(("input_ids", "position_ids"), tokens)
    if padded:
        inputs["lengths"] = ("INT32", [batch])
    b.save(path, inputs, {"last_hidden_state": [batch, "length", geometry["hidden_size"]]})


class _Fused(Builder):
    def __init__(self, weights: Weights, geometry: dict[str, Any], padded: bool, dtype: Any) -> None:
        super().__init__(dtype)
        self._lengths = ["lengths"] if padded else []
        self._weights = weights
        self._geometry = geometry
        self._epsilon = geometry["layer_norm_eps"]

    def embeddings(self) -> str:
        from onnx import helper

        # The second token type is never used: its first row is part of every position.
        positions = self._weights["embeddings.position_embeddings.weight"]
        positions = positions + self._weights["embeddings.token_type_embeddings.weight"][0]
        word = self._own("embeddings.word_embeddings.weight")
        norm = [self._own("embeddings.LayerNorm.weight"), self._own("embeddings.LayerNorm.bias")]
        inputs = ["input_ids", "", word, self.constant("positions", positions), "", *norm, "", "position_ids"]
        self.nodes.append(
            helper.make_node(
                "EmbedLayerNormalization", inputs, ["embedded", "unused"], domain=MICROSOFT, epsilon=self._epsilon
            )
        )
        name = "encoder.embedding_hidden_mapping_in"
        return self.node("Add", [self._product("embedded", name), self._own(name + ".bias")])

    def layer(self, x: str) -> str:
        attention = LAYER + "attention."
        names = [attention + part for part in ("query", "key", "value")]
        bias = self.constant("qkv.bias", np.concatenate([self._weights[name + ".bias"] for name in names]))
        context = self.node(
            "MultiHeadAttention",
            [*(self._product(x, name) for name in names), bias, *self._lengths],
            MICROSOFT,
            num_heads=self._geometry["num_attention_heads"],
        )
        middle = self._add_norm(context, x, attention + "dense", attention + "LayerNorm")
        gelu = "FastGelu" if self._geometry["hidden_act"] == "gelu_new" else "BiasGelu"
        inner = self.node(gelu, [self._product(middle, LAYER + "ffn"), self._own(LAYER + "ffn.bias")], MICROSOFT)
        return self._add_norm(inner, middle, LAYER + "ffn_output", LAYER + "full_layer_layer_norm")

    def _own(self, name: str) -> str:
        return self.constant(name, self._weights[name])

    def _product(self, x: str, name: str) -> str:
        return self.node("MatMul", [x, self.constant(name + ".weight", linear_weight(self._weights, name))])

    def _add_norm(self, x: str, residual: str, name: str, norm: str) -> str:
        inputs = [self._product(x, name), residual, self._own(norm + ".weight"), self._own(norm + ".bias")]
        inputs.append(self._own(name + ".bias"))
        return self.node("SkipLayerNormalization", inputs, MICROSOFT, epsilon=self._epsilon)
