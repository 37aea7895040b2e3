"""ALBERT in standard operators on padded batches: the graph that exporters write and Spark NLP runs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .builder import LAYER, Builder, linear_weight

Weights = dict[str, NDArray[np.float32]]


def write_plain(path: Path, weights: Weights, geometry: dict[str, Any]) -> None:
    """Write the graph: input_ids, attention_mask, token_type_ids [batch, length] -> last_hidden_state."""
    b = _Plain(weights, geometry)
    hidden = b.embeddings()
    for _ in range(geometry["num_hidden_layers"]):
        hidden = b.layer(hidden)
    b.node("Identity", [hidden], out="last_hidden_state")
    tokens: tuple[str, list[Any]] = ("INT64", ["batch", "length"])
    b.save(
        path,
        dict.fromkeys(("input_ids", "attention_mask", "token_type_ids"), tokens),
        {"last_hidden_state": ["batch", "length", geometry["hidden_size"]]},
    )


class _Plain(Builder):
    def __init__(self, weights: Weights, geometry: dict[str, Any]) -> None:
        super().__init__()
        self._weights = weights
        self._geometry = geometry

    def embeddings(self) -> str:
        tables = {
            kind: self.constant(kind, self._weights[f"embeddings.{kind}_embeddings.weight"])
            for kind in ("word", "position", "token_type")
        }
        length = self.node("Gather", [self.node("Shape", ["input_ids"]), self.constant("one", [1], np.int64)])
        positions = self.node("Slice", [tables["position"], self.constant("zero", [0], np.int64), length])
        word = self.node("Gather", [tables["word"], "input_ids"])
        kind = self.node("Gather", [tables["token_type"], "token_type_ids"])
        x = self._norm(self.node("Add", [self.node("Add", [word, kind]), positions]), "embeddings.LayerNorm")
        return self._linear(x, "encoder.embedding_hidden_mapping_in")

    def layer(self, x: str) -> str:
        attended = self._linear(self._attention(x), LAYER + "attention.dense")
        middle = self._norm(self.node("Add", [x, attended]), LAYER + "attention.LayerNorm")
        inner = self._linear(self._gelu(self._linear(middle, LAYER + "ffn")), LAYER + "ffn_output")
        return self._norm(self.node("Add", [inner, middle]), LAYER + "full_layer_layer_norm")

    def _linear(self, x: str, name: str) -> str:
        product = self.node("MatMul", [x, self.constant(name + ".weight", linear_weight(self._weights, name))])
        return self.node("Add", [product, self.constant(name + ".bias", self._weights[name + ".bias"])])

    def _norm(self, x: str, name: str) -> str:
        gain, bias = (self.constant(f"{name}.{part}", self._weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        epsilon = self._geometry["layer_norm_eps"]
        return self.node("LayerNormalization", [x, gain, bias], axis=-1, epsilon=epsilon)

    def _attention(self, x: str) -> str:
        heads = self._geometry["num_attention_heads"]
        size = self._geometry["hidden_size"] // heads
        by_head = self.constant("by_head", [0, 0, heads, size], np.int64)

        def split(name: str, order: list[int]) -> str:
            return self.node("Transpose", [self.node("Reshape", [self._linear(x, name), by_head])], perm=order)

        query = split(LAYER + "attention.query", [0, 2, 1, 3])
        key = split(LAYER + "attention.key", [0, 2, 3, 1])
        value = split(LAYER + "attention.value", [0, 2, 1, 3])
        scores = self.node("Div", [self.node("MatMul", [query, key]), self.constant("root", math.sqrt(size))])
        shares = self.node("Softmax", [self.node("Add", [scores, self._mask()])], axis=-1)
        context = self.node("Transpose", [self.node("MatMul", [shares, value])], perm=[0, 2, 1, 3])
        return self.node("Reshape", [context, self.constant("joined", [0, 0, heads * size], np.int64)])

    def _mask(self) -> str:
        """Return 0 for what may be attended and the lowest float for padding; made once."""
        if not any("mask" in node.output for node in self.nodes):
            axes = self.constant("mask_axes", [1, 2], np.int64)
            real = self.node("Cast", [self.node("Unsqueeze", ["attention_mask", axes])], to=1)
            away = self.node("Sub", [self.constant("one_f", 1.0), real])
            self.node("Mul", [away, self.constant("lowest", np.finfo(np.float32).min)], out="mask")
        return "mask"

    def _gelu(self, x: str) -> str:
        act = self._geometry["hidden_act"]
        half = self.node("Mul", [x, self.constant("half", 0.5)])
        if act == "gelu":
            bell = self.node("Erf", [self.node("Mul", [x, self.constant("root_half", math.sqrt(0.5))])])
        elif act == "gelu_new":
            cube = self.node("Mul", [self.node("Pow", [x, self.constant("three", 3.0)]), self.constant("c", 0.044715)])
            inner = self.node("Mul", [self.node("Add", [x, cube]), self.constant("d", math.sqrt(2 / math.pi))])
            bell = self.node("Tanh", [inner])
        else:
            return self.node("Relu", [x])
        return self.node("Mul", [half, self.node("Add", [bell, self.constant("one_f", 1.0)])])
