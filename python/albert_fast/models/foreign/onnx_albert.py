"""Find the ALBERT in an ONNX graph: follow it from its output to its embeddings, and name the weights on the way.

Exporters rename, transpose, duplicate and fuse constants, so names mean little; what a matrix is follows from
where it stands. Known are the graphs of PyTorch's two exporters and what ONNX Runtime's optimizers make of
them. Every step must be one of a known form, with the right constants: a graph that differs anywhere is not
recognised, and is better run as it is.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import tensors
from ..tensors import TensorEntry
from .onnx_attention import Attentions
from .onnx_file import Constant, Graph, Value
from .onnx_steps import Linear, Norm

MAX_LAYERS = 1024
_PICKING = ("Gather", "GatherND", "Slice", "Squeeze", "Reshape", "Transpose", "Flatten")


class NotRecognised(ValueError):  # noqa: N818 (an answer, not an error)
    """The graph is no ALBERT of a known form; the message says where it differs."""


@dataclass(frozen=True, slots=True)
class Found:
    """Weights under Hugging Face's names, and the configuration that the graph shows."""

    tensors: dict[str, TensorEntry]
    config: dict[str, Any]


def recognise(graph: Graph) -> Found:
    """Return the ALBERT that a graph is.

    Raises
    ------
    NotRecognised
        It is none, or not of a known form.
    """
    if graph.has_functions:
        raise NotRecognised("it is made of functions")
    return _Walk(graph).all()


def hidden_output(graph: Graph) -> Value | None:
    """Return the output that is the last hidden state."""
    named = [value for value in graph.outputs if value.name == "last_hidden_state"]
    return next(iter(named or [value for value in graph.outputs if len(value.shape) == 3]), None)


class _Walk(Attentions):
    """One walk backwards through a graph."""

    def _residual(self, norm: Norm) -> Iterator[tuple[Linear, str]]:
        """Yield the ways to read a normalized sum as a linear step and a residual."""
        terms = norm.terms
        if len(terms) == 1:
            node = self._maker(terms[0], "Add")
            if node is None or len(node.inputs) != 2:
                return
            terms = tuple(node.inputs)
        for step, rest in (terms, terms[::-1]):
            found = self.linear(step)
            if found is None or (found.bias is None) == (norm.bias is None):
                continue
            if norm.bias is not None:
                found = dataclasses.replace(found, bias=norm.bias)
            yield found, self._skip(rest)

    def block(self, name: str) -> tuple[str, dict[str, TensorEntry], dict[str, Any]] | None:
        """Return (input, weights, what they show) of the layer that ends in a value."""
        last = self.norm(name)
        for output, middle in self._residual(last) if last is not None else ():
            active = self.activation(output.x)
            first = None if active is None else self.linear(active[0])
            between = self.norm(middle)
            if active is None or first is None or first.x != middle or between is None or last is None:
                continue
            if (first.bias is None) == (active[2] is None):
                continue
            for dense, x in self._residual(between):
                attention = self.attention(dense.x)
                if attention is None or attention.x != x or between.epsilon != last.epsilon:
                    continue
                weights = {
                    **_pair("attention.query", attention.query),
                    **_pair("attention.key", attention.key),
                    **_pair("attention.value", attention.value),
                    **_pair("attention.dense", dense),
                    "attention.LayerNorm.weight": between.gamma,
                    "attention.LayerNorm.bias": between.beta,
                    **_pair("ffn", dataclasses.replace(first, bias=first.bias or active[2])),
                    **_pair("ffn_output", output),
                    "full_layer_layer_norm.weight": last.gamma,
                    "full_layer_layer_norm.bias": last.beta,
                }
                shown = {
                    "hidden_act": active[1],
                    "num_attention_heads": attention.heads,
                    "layer_norm_eps": float(f"{last.epsilon:.6g}"),
                }
                return x, weights, shown
        return None

    def embeddings(self, name: str) -> dict[str, TensorEntry]:
        mapping = self.linear(name)
        if mapping is None or mapping.bias is None:
            raise NotRecognised(f"{name!r} is no output of a layer, nor of the step from embeddings to hidden size")
        weights = _pair("encoder.embedding_hidden_mapping_in", mapping)
        node = self._maker(mapping.x, "EmbedLayerNormalization")
        if node is not None and len(node.inputs) >= 7:
            tables = [self._constant(item) for item in node.inputs[2:5]]
            norm: list[TensorEntry | None] = [self._vector(item) for item in node.inputs[5:7]]
            epsilon = node.attributes.get("epsilon", 1e-12)
        else:
            found = self.norm(mapping.x)
            if found is None or found.bias is not None:
                raise NotRecognised("the embeddings are not normalized in a known way")
            tables, epsilon = self._tables(found), found.epsilon
            norm = [found.gamma, found.beta]
        names = [f"embeddings.{part}_embeddings.weight" for part in ("word", "position", "token_type")]
        parts = [table.entry if table is not None else None for table in tables] + norm
        for key, entry in zip([*names, "embeddings.LayerNorm.weight", "embeddings.LayerNorm.bias"], parts, strict=True):
            if entry is None:
                raise NotRecognised(f"{key} is no constant of the graph")
            weights[key] = entry
        self.embedding_epsilon = float(f"{epsilon:.6g}")
        return weights

    def _tables(self, norm: Norm) -> list[Constant | None]:
        """Return the tables of words, positions and token types whose rows are summed."""
        waiting, looked_up = list(norm.terms), list[tuple[Constant, str]]()
        while waiting:
            item = waiting.pop()
            node = self._maker(item)
            if node is not None and node.op == "Add" and len(node.inputs) == 2:
                waiting += node.inputs
                continue
            table = self._constant(node.inputs[0]) if node is not None and node.op == "Gather" else None
            if node is None or table is None or len(table.shape) != 2 or node.attributes.get("axis", 0) != 0:
                raise NotRecognised("the embeddings are not a sum of rows of tables")
            looked_up.append((table, self._index(node.inputs[1])))
        if len(looked_up) != 3:
            raise NotRecognised(f"the embeddings are a sum of {len(looked_up)} tables, not of three")
        words = [table for table, index in looked_up if index == "input_ids"]
        others = sorted((pair for pair in looked_up if pair[1] != "input_ids"), key=lambda pair: pair[0].shape[0])
        if len(words) != 1:
            raise NotRecognised("no table is looked up by input_ids")
        types = next((pair for pair in others if pair[1] in ("token_type_ids", "segment_ids")), others[0])
        positions = next(pair for pair in others if pair is not types)
        return [words[0], positions[0], types[0]]

    def _index(self, name: str) -> str:
        """Return the graph's input behind an index, where it is one as it is."""
        for _ in range(20):
            node = self._graph.makers.get(name)
            if node is None or node.op not in ("Identity", "Cast"):
                break
            name = node.inputs[0]
        return name

    def pooler(self, output: str) -> dict[str, TensorEntry]:
        """Return the pooler's weights, or nothing where there is no pooler."""
        for node in self._graph.nodes:
            if node.op == "FusedGemm" and node.attributes.get("activation") == "Tanh":
                found = self._gemm(node)
            else:
                found = self.linear(node.inputs[0]) if node.op == "Tanh" else None
            if found is None or found.bias is None:
                continue
            name = found.x
            for _ in range(10):
                name = self._skip(name)
                maker = self._graph.makers.get(name)
                if name == output or maker is None or maker.op not in _PICKING:
                    break
                name = maker.inputs[0]
            if name == output:
                return _pair("pooler", found)
        return {}

    def all(self) -> Found:
        value = hidden_output(self._graph)
        if value is None:
            raise NotRecognised("it has no output last_hidden_state")
        output = name = self._skip(value.name)
        layers: list[dict[str, TensorEntry]] = []
        shown: dict[str, Any] = {}
        while (block := self.block(name)) is not None:
            name, weights, found = block
            if shown and shown != found:
                raise NotRecognised("its layers differ in heads, activation or epsilon")
            shown = found
            layers.insert(0, weights)
            if len(layers) > MAX_LAYERS:
                raise NotRecognised(f"it has more than {MAX_LAYERS} layers")
        if not layers:
            raise NotRecognised(f"the output {value.name!r} is not that of an ALBERT layer")
        found_tensors = self.embeddings(name)
        if self.embedding_epsilon != shown["layer_norm_eps"]:
            raise NotRecognised("embeddings and layers are normalized with different epsilons")
        groups = _groups(layers)
        for group, weights in enumerate(groups):
            for key, entry in weights.items():
                found_tensors[f"encoder.albert_layer_groups.{group}.albert_layers.0.{key}"] = entry
        found_tensors |= self.pooler(output)
        named = {key: dataclasses.replace(entry, name=key) for key, entry in found_tensors.items()}
        return Found(named, {**shown, "num_hidden_layers": len(layers)})


def _pair(name: str, linear: Linear) -> dict[str, TensorEntry]:
    assert linear.bias is not None  # every caller has looked
    return {f"{name}.weight": linear.weight, f"{name}.bias": linear.bias}


def _groups(layers: list[dict[str, TensorEntry]]) -> list[dict[str, TensorEntry]]:
    """Return each set of weights once, if ALBERT's rule deals them to the layers so; else one for each layer.

    Exporters copy a shared constant for every layer that uses it, so what is compared is content.
    """
    if all(weights == layers[0] for weights in layers):
        return layers[:1]
    digests = _digests(entry for weights in layers for entry in weights.values())
    kinds: list[dict[str, TensorEntry]] = []
    keys: list[tuple[bytes, ...]] = []
    numbers: list[int] = []
    for weights in layers:
        key = tuple(digests[entry] for entry in weights.values())
        if key not in keys:
            keys.append(key)
            kinds.append(weights)
        numbers.append(keys.index(key))
    dealt = [layer * len(kinds) // len(layers) for layer in range(len(layers))]
    return kinds if numbers == dealt else layers


def _digests(entries: Iterable[TensorEntry]) -> dict[TensorEntry, bytes]:
    """Hash the numbers of each tensor, in whatever layout they stand, in one pass through each blob."""
    found: dict[TensorEntry, bytes] = {}
    for blob, group in tensors.by_blob(dict.fromkeys(entries)).items():
        assert blob is not None  # every tensor of a graph lies in a blob
        for first, data, inside in tensors.runs(blob, group):
            for entry in inside:
                numbers = np.ascontiguousarray(tensors.as_array(entry, data, first))
                found[entry] = hashlib.sha256(numbers.reshape(-1).view(np.uint8).data).digest()
    return found
