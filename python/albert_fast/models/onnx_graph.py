"""ALBERT as a plain ONNX graph: padded input, standard operators, one set of weights however many layers use it.

Formulas: Lan et al. 2020 (ALBERT) and Vaswani et al. 2017 (attention). Names and types of the inputs and outputs are
those that Spark NLP, optimum and Hugging Face's exporters agree on.
"""

from __future__ import annotations

import math

import numpy as np

from .geometry import POOLER, Geometry, tensor_shapes
from .onnx_writer import FLOAT, INT64, Graph, Weight, integers, scalar

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
HIDDEN, POOLED = "last_hidden_state", "pooler_output"


def albert_graph(geometry: Geometry, *, pooler: bool) -> Graph:
    """Return the graph of a model; `pooler` adds the output pooler_output."""
    return _Builder(geometry).build(pooler)


class _Builder:
    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        self._shapes = tensor_shapes(geometry)
        self._graph = Graph("albert")

    def build(self, pooler: bool) -> Graph:
        g, graph = self._geometry, self._graph
        for name in INPUTS:
            graph.input(name, INT64, ("batch", "sequence"))
        graph.output(HIDDEN, FLOAT, ("batch", "sequence", g.hidden_size))
        self._constants()
        x = self._embeddings()
        last = g.num_hidden_layers * g.inner_group_num
        for number in range(last):
            layer, inner = divmod(number, g.inner_group_num)
            group = int(layer / (g.num_hidden_layers / g.num_hidden_groups))  # as transformers rounds
            prefix = f"encoder.albert_layer_groups.{group}.albert_layers.{inner}."
            x = self._layer(x, prefix, f"layer.{layer}.{inner}.", HIDDEN if number == last - 1 else None)
        if pooler:
            graph.output(POOLED, FLOAT, ("batch", g.hidden_size))
            graph.constant("first", np.array(0, np.int64))
            first = graph.node("Gather", [x, "first"], "pooler.first", axis=1)
            graph.node("Tanh", [self._linear(first, POOLER[0].removesuffix(".weight"), "pooler.")], POOLED)
        return graph

    def _constants(self) -> None:
        g, graph = self._geometry, self._graph
        graph.constant("heads", integers(0, 0, g.num_attention_heads, g.hidden_size // g.num_attention_heads))
        graph.constant("joined", integers(0, 0, g.hidden_size))
        graph.constant("head_scale", scalar(math.sqrt(g.hidden_size // g.num_attention_heads)))
        graph.constant("one", scalar(1.0))
        # Added to a score, the most negative float leaves nothing of it; where every key is masked the softmax is
        # uniform and not undefined.
        graph.constant("never", scalar(float(np.finfo(np.float32).min)))
        graph.constant("mask_axes", integers(1, 2))
        mask = graph.node("Unsqueeze", ["attention_mask", "mask_axes"], "mask.keys")
        seen = graph.node("Cast", [mask], "mask.seen", to=FLOAT)
        graph.node("Mul", [graph.node("Sub", ["one", seen], "mask.hidden"), "never"], "mask")
        if g.hidden_act != "relu":
            graph.constant("half", scalar(0.5))
        if g.hidden_act == "gelu":
            graph.constant("sqrt2", scalar(math.sqrt(2.0)))
        if g.hidden_act == "gelu_new":
            graph.constant("three", scalar(3.0))
            graph.constant("cubic", scalar(0.044715))
            graph.constant("tanh_scale", scalar(math.sqrt(2.0 / math.pi)))

    def _weight(self, name: str, transposed: bool = False) -> str:
        return self._graph.weight(Weight(name, self._shapes[name], transposed))

    def _linear(self, x: str, name: str, tag: str) -> str:
        product = self._graph.node("MatMul", [x, self._weight(name + ".weight", transposed=True)], tag + "product")
        return self._graph.node("Add", [product, self._weight(name + ".bias")], tag + "sum")

    def _norm(self, x: str, name: str, output: str) -> str:
        operands = [x, self._weight(name + ".weight"), self._weight(name + ".bias")]
        return self._graph.node(
            "LayerNormalization", operands, output, axis=-1, epsilon=float(self._geometry.layer_norm_eps)
        )

    def _embeddings(self) -> str:
        graph, prefix = self._graph, "embeddings."
        words = graph.node("Gather", [self._weight(prefix + "word_embeddings.weight"), "input_ids"], prefix + "words")
        kinds = graph.node(
            "Gather", [self._weight(prefix + "token_type_embeddings.weight"), "token_type_ids"], prefix + "kinds"
        )
        # Numbers cut to length and looked up, as every exporter writes it: graph optimizers know this form.
        graph.constant("numbers", np.arange(self._geometry.max_position_embeddings, dtype=np.int64)[np.newaxis])
        graph.constant("zero", integers(0))
        graph.constant("along", integers(1))
        length = graph.node("Shape", ["input_ids"], "length", start=1, end=2)
        numbers = graph.node("Slice", ["numbers", "zero", length, "along"], "position_ids")
        positions = graph.node(
            "Gather", [self._weight(prefix + "position_embeddings.weight"), numbers], prefix + "positions"
        )
        x = graph.node("Add", [graph.node("Add", [words, kinds], prefix + "content"), positions], prefix + "sum")
        x = self._norm(x, prefix + "LayerNorm", prefix + "normed")
        return self._linear(x, "encoder.embedding_hidden_mapping_in", "projection.")

    def _heads(self, x: str, name: str, tag: str, perm: tuple[int, ...]) -> str:
        split = self._graph.node("Reshape", [self._linear(x, name, tag), "heads"], tag + "split")
        return self._graph.node("Transpose", [split], tag + "heads", perm=perm)

    def _layer(self, x: str, prefix: str, tag: str, output: str | None) -> str:
        graph, attention = self._graph, prefix + "attention."
        query = self._heads(x, attention + "query", tag + "query.", (0, 2, 1, 3))
        key = self._heads(x, attention + "key", tag + "key.", (0, 2, 3, 1))
        value = self._heads(x, attention + "value", tag + "value.", (0, 2, 1, 3))
        scores = graph.node("Div", [graph.node("MatMul", [query, key], tag + "products"), "head_scale"], tag + "scaled")
        masked = graph.node("Add", [scores, "mask"], tag + "masked")
        shares = graph.node("Softmax", [masked], tag + "shares", axis=-1)
        mixed = graph.node("MatMul", [shares, value], tag + "mixed")
        context = graph.node("Transpose", [mixed], tag + "context.heads", perm=(0, 2, 1, 3))
        context = graph.node("Reshape", [context, "joined"], tag + "context")
        attended = graph.node("Add", [x, self._linear(context, attention + "dense", tag + "dense.")], tag + "attended")
        middle = self._norm(attended, attention + "LayerNorm", tag + "middle")
        inner = self._activation(self._linear(middle, prefix + "ffn", tag + "ffn."), tag + "act.")
        outer = self._linear(inner, prefix + "ffn_output", tag + "ffn_output.")
        total = graph.node("Add", [outer, middle], tag + "total")
        return self._norm(total, prefix + "full_layer_layer_norm", output or tag + "out")

    def _activation(self, x: str, tag: str) -> str:
        graph = self._graph
        if self._geometry.hidden_act == "relu":
            return graph.node("Relu", [x], tag + "out")
        if self._geometry.hidden_act == "gelu":
            scaled = graph.node("Erf", [graph.node("Div", [x, "sqrt2"], tag + "scaled")], tag + "erf")
            product = graph.node("Mul", [x, graph.node("Add", [scaled, "one"], tag + "plus")], tag + "product")
            return graph.node("Mul", [product, "half"], tag + "out")
        cube = graph.node("Mul", [graph.node("Pow", [x, "three"], tag + "cube"), "cubic"], tag + "cubic")
        inner = graph.node("Mul", [graph.node("Add", [x, cube], tag + "inner"), "tanh_scale"], tag + "argument")
        plus = graph.node("Add", [graph.node("Tanh", [inner], tag + "tanh"), "one"], tag + "plus")
        return graph.node("Mul", [graph.node("Mul", [x, "half"], tag + "half"), plus], tag + "out")
