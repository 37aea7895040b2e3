"""Find the ALBERT in an ONNX graph: follow it from its output to its embeddings, and name the weights on the way.

Exporters rename, transpose, duplicate and fuse constants, so names mean little; what a matrix is follows from
where it stands. Known are the graphs of PyTorch's two exporters and what ONNX Runtime's optimizers make of
them. Every step must be one of a known form, with the right constants: a graph that differs anywhere is not
recognised, and is better run as it is.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import tensors
from .onnx_file import Constant, Graph, Node, Value
from .tensors import TensorEntry

MICROSOFT = "com.microsoft"
_TOLERANCE = 2e-3  # constants of a float16 graph are no closer
MAX_LAYERS = 1024
_SHAPING = ("Reshape", "Transpose", "Squeeze", "Unsqueeze")
_PICKING = ("Gather", "GatherND", "Slice", "Squeeze", "Reshape", "Transpose", "Flatten")


class NotRecognised(ValueError):  # noqa: N818 (an answer, not an error)
    """The graph is no ALBERT of a known form; the message says where it differs."""


@dataclass(frozen=True, slots=True)
class Linear:
    """x W^T + b: the weight's entry is [out, in] whatever its stored layout."""

    x: str
    weight: TensorEntry
    bias: TensorEntry | None


@dataclass(frozen=True, slots=True)
class Norm:
    """A layer normalization of the sum of `terms`."""

    terms: tuple[str, ...]
    gamma: TensorEntry
    beta: TensorEntry
    epsilon: float
    bias: TensorEntry | None = None


@dataclass(frozen=True, slots=True)
class Attention:
    """Self-attention of x."""

    x: str
    query: Linear
    key: Linear
    value: Linear
    heads: int


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


class _Walk:
    """One walk backwards through a graph."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    # ------------------------------------------------------------------ nodes and constants

    def _skip(self, name: str) -> str:
        """Return the value behind nodes that hand their input on; a cast between float types is one."""
        for _ in range(50):
            node = self._graph.makers.get(name)
            if node is None or node.op not in ("Identity", "Cast", "Dropout") or not node.inputs:
                return name
            if node.op == "Cast" and node.attributes.get("to") not in (1, 10, 11, 16):
                return name
            name = node.inputs[0]
        return name

    def _maker(self, name: str, *ops: str) -> Node | None:
        node = self._graph.makers.get(self._skip(name))
        return node if node is not None and (not ops or node.op in ops) else None

    def _constant(self, name: str) -> Constant | None:
        return self._graph.constants.get(self._skip(name))

    def _scalar(self, name: str, depth: int = 0) -> float | None:
        """Return a number: a constant, or what PyTorch works out of one and the size of a head."""
        constant = self._constant(name)
        if constant is not None:
            return constant.values[0] if constant.values is not None and len(constant.values) == 1 else None
        node = self._graph.makers.get(self._skip(name))
        if node is None or node.op not in ("Cast", "Sqrt", "Mul", "Div", "Slice", "Gather") or depth > 6:
            return None
        if node.op in ("Slice", "Gather"):
            return self._last_size(node)
        parts = [self._scalar(item, depth + 1) for item in node.inputs]
        numbers = [part for part in parts if part is not None]
        if len(numbers) != len(parts) or not numbers:
            return None
        if node.op in ("Mul", "Div"):
            a, b = numbers
            return a * b if node.op == "Mul" else a / b if b else None
        return math.sqrt(numbers[0]) if node.op == "Sqrt" and numbers[0] >= 0 else numbers[0]

    def _last_size(self, node: Node) -> float | None:
        """Return the size of a head where a node picks the last dimension of a value that is split into heads."""
        picked = self._constant(node.inputs[1])
        if picked is None or picked.values not in ((-1.0,), (3.0,)):
            return None
        shape = self._maker(node.inputs[0], "Shape", "Gather")
        if shape is not None and shape.op == "Gather":  # an optimizer turned the shape in place of the value
            order = self._constant(shape.inputs[1])
            kept = order is not None and order.values is not None and len(order.values) == 4 and order.values[3] == 3.0
            shape = self._maker(shape.inputs[0], "Shape") if kept else None
        split = None if shape is None else self._maker(shape.inputs[0], "Transpose", "Reshape")
        if (
            shape is None
            or split is None
            or (split.op == "Transpose" and split.attributes.get("perm", ())[-1:] != (3,))
        ):
            return None
        sizes = self._to_linear(shape.inputs[0])[2]
        return float(next(iter(sizes))) if len(sizes) == 1 else None

    def _vector(self, name: str) -> TensorEntry | None:
        constant = self._constant(name)
        return constant.entry if constant is not None and len(constant.shape) == 1 else None

    def _with_scalar(self, node: Node) -> tuple[str, float] | None:
        """Return the value and the number of a node of two inputs of which one is a number."""
        if len(node.inputs) != 2:
            return None
        for value, other in (node.inputs, node.inputs[::-1]):
            number = self._scalar(other)
            if number is not None and self._constant(value) is None:
                return value, number
        return None

    def _numbers(self, name: str) -> list[float | None]:
        """Return a shape's numbers as far as they are constant."""
        constant = self._constant(name)
        if constant is not None:
            return list(constant.values) if constant.values is not None else []
        node = self._maker(name, "Concat")
        if node is None:
            return []
        parts: list[float | None] = []
        for item in node.inputs:
            inner = self._maker(item, "Unsqueeze")
            known = self._constant(inner.inputs[0] if inner is not None else item)
            parts += list(known.values) if known is not None and known.values else [None]
        return parts

    # ------------------------------------------------------------------ linear, normalization, activation

    def _matrix(self, name: str, is_turned: bool) -> TensorEntry | None:
        """Return a constant matrix as [out, in]; `is_turned` says that it is used as [in, out]."""
        node = self._maker(name, "Transpose")
        if node is not None and tuple(node.attributes.get("perm", (1, 0))) == (1, 0):
            return self._matrix(node.inputs[0], not is_turned)
        constant = self._constant(name)
        if constant is None or len(constant.shape) != 2 or constant.entry is None:
            return None
        if not is_turned:
            return constant.entry
        steps = tensors.packed_strides(constant.shape)[::-1]
        return dataclasses.replace(constant.entry, shape=constant.shape[::-1], strides=steps)

    def linear(self, name: str) -> Linear | None:
        node = self._maker(name)
        if node is None:
            return None
        if node.op == "Reshape":  # around a Gemm, which takes matrices only
            inner = self._maker(node.inputs[0], "Gemm")
            return None if inner is None else self._gemm(inner)
        if node.op == "Gemm":
            return self._gemm(node)
        if node.op == "Add" and len(node.inputs) == 2:
            for product, other in (node.inputs, node.inputs[::-1]):
                bias = self._vector(other)
                if bias is not None and self._maker(product, "MatMul", "FusedMatMul", "Reshape") is not None:
                    inner_linear = self.linear(product)
                    if inner_linear is not None and inner_linear.bias is None:
                        return dataclasses.replace(inner_linear, bias=bias)
            return None
        if node.op == "MatMul" or (node.op == "FusedMatMul" and _is_plain(node)):
            weight = self._matrix(node.inputs[1], not node.attributes.get("transB", 0))
            return None if weight is None else Linear(self._skip(node.inputs[0]), weight, None)
        return None

    def _gemm(self, node: Node) -> Linear | None:
        a = node.attributes
        if a.get("transA", 0) or a.get("alpha", 1.0) != 1.0 or a.get("beta", 1.0) != 1.0:
            return None
        weight = self._matrix(node.inputs[1], not a.get("transB", 0))
        bias = self._vector(node.inputs[2]) if len(node.inputs) > 2 else None
        if weight is None or (len(node.inputs) > 2 and bias is None):
            return None
        shaped = self._maker(node.inputs[0], "Reshape")
        return Linear(self._skip(shaped.inputs[0] if shaped is not None else node.inputs[0]), weight, bias)

    def norm(self, name: str) -> Norm | None:
        node = self._maker(name)
        if node is None:
            return None
        if node.op == "LayerNormalization":
            if node.attributes.get("axis", -1) not in (-1, 2) or len(node.inputs) < 3:
                return None
            gamma, beta = self._vector(node.inputs[1]), self._vector(node.inputs[2])
            epsilon = node.attributes.get("epsilon", 1e-5)
            return None if gamma is None or beta is None else Norm((node.inputs[0],), gamma, beta, epsilon)
        if node.op == "SkipLayerNormalization" and len(node.inputs) >= 4:
            gamma, beta = self._vector(node.inputs[2]), self._vector(node.inputs[3])
            given = len(node.inputs) > 4 and node.inputs[4]
            bias = self._vector(node.inputs[4]) if given else None
            if gamma is None or beta is None or (given and bias is None):
                return None
            epsilon = node.attributes.get("epsilon", 1e-12)
            return Norm(tuple(node.inputs[:2]), gamma, beta, epsilon, bias)
        return self._spelled_norm(node)

    def _spelled_norm(self, node: Node) -> Norm | None:
        """Match gamma * (x - mean) / sqrt(mean((x - mean)^2) + epsilon) + beta."""
        if node.op != "Add":
            return None
        for product, shift in (node.inputs, node.inputs[::-1]):
            beta, scaled = self._vector(shift), self._maker(product, "Mul")
            if beta is None or scaled is None:
                continue
            for quotient, factor in (scaled.inputs, scaled.inputs[::-1]):
                gamma, divided = self._vector(factor), self._maker(quotient, "Div")
                if gamma is None or divided is None:
                    continue
                centred, root = self._skip(divided.inputs[0]), self._maker(divided.inputs[1], "Sqrt")
                x = self._centred(centred)
                epsilon = None if root is None or x is None else self._variance(root.inputs[0], centred, x)
                if x is not None and epsilon is not None:
                    return Norm((x,), gamma, beta, epsilon)
        return None

    def _centred(self, name: str) -> str | None:
        """Return x where the value is x - mean(x)."""
        node = self._maker(name, "Sub")
        mean = None if node is None else self._maker(node.inputs[1], "ReduceMean")
        if node is None or mean is None or not self._is_last_axis(mean):
            return None
        return node.inputs[0] if self._skip(mean.inputs[0]) == self._skip(node.inputs[0]) else None

    def _is_last_axis(self, node: Node) -> bool:
        axes = node.attributes.get("axes")
        if axes is None and len(node.inputs) > 1:
            axes = tuple(self._numbers(node.inputs[1]))
        return tuple(axes or ()) in ((-1,), (2,)) and node.attributes.get("keepdims", 1) == 1

    def _variance(self, name: str, centred: str, x: str) -> float | None:
        """Return epsilon where the value is mean((x - mean)^2) + epsilon."""
        node = self._maker(name, "Add")
        parts = None if node is None else self._with_scalar(node)
        mean = None if parts is None else self._maker(parts[0], "ReduceMean")
        if parts is None or mean is None or not self._is_last_axis(mean):
            return None
        square = self._maker(mean.inputs[0], "Pow", "Mul")
        if square is None:
            return None
        is_square = (
            self._scalar(square.inputs[1]) == 2.0
            if square.op == "Pow"
            else (self._skip(square.inputs[0]) == self._skip(square.inputs[1]))
        )
        base = self._skip(square.inputs[0])
        same = base == centred or self._centred(base) == x
        return parts[1] if is_square and same else None

    def activation(self, name: str) -> tuple[str, str, TensorEntry | None] | None:
        """Return (input, Hugging Face's name, a bias that is added first)."""
        node = self._maker(name)
        if node is None:
            return None
        simple = {"Relu": "relu", "Gelu": "gelu", "BiasGelu": "gelu", "FastGelu": "gelu_new"}
        if node.op in simple:
            kind = simple[node.op]
            if node.op == "Gelu" and node.attributes.get("approximate", "none") == "tanh":
                kind = "gelu_new"
            given = len(node.inputs) > 1 and node.inputs[1]
            bias = self._vector(node.inputs[1]) if given else None
            return None if given and bias is None else (self._skip(node.inputs[0]), kind, bias)
        number, factors = self._product(name)
        if len(factors) != 2 or not _close(number, 0.5):
            return None
        for x, other in (factors, factors[::-1]):
            one_more = self._maker(other, "Add")
            parts = None if one_more is None else self._with_scalar(one_more)
            if parts is None or not _close(parts[1], 1.0):
                continue
            if self._is_erf(parts[0], x):
                return x, "gelu", None
            if self._is_tanh(parts[0], x):
                return x, "gelu_new", None
        return None

    def _product(self, name: str) -> tuple[float, list[str]]:
        """Return a value as a number times the values that are no products."""
        number, factors, waiting = 1.0, list[str](), [name]
        while waiting and len(factors) < 8:
            item = self._skip(waiting.pop())
            constant = self._scalar(item)
            node = self._maker(item, "Mul", "Div")
            if constant is not None:
                number *= constant
            elif node is not None and node.op == "Mul":
                waiting += node.inputs[::-1]
            elif node is not None and (divisor := self._scalar(node.inputs[1])):
                number /= divisor
                waiting.append(node.inputs[0])
            else:
                factors.append(item)
        return number, factors

    def _is_erf(self, name: str, x: str) -> bool:
        node = self._maker(name, "Erf")
        if node is None:
            return False
        number, factors = self._product(node.inputs[0])
        return factors == [x] and _close(number, math.sqrt(0.5))

    def _is_tanh(self, name: str, x: str) -> bool:
        node = self._maker(name, "Tanh")
        if node is None:
            return False
        number, factors = self._product(node.inputs[0])
        inner = self._maker(factors[0], "Add") if len(factors) == 1 else None
        if inner is None or not _close(number, math.sqrt(2 / math.pi)):
            return False
        return any(self._skip(a) == x and self._is_cube(b, x) for a, b in (inner.inputs, inner.inputs[::-1]))

    def _is_cube(self, name: str, x: str) -> bool:
        number, factors = self._product(name)
        if len(factors) == 1:
            power = self._maker(factors[0], "Pow")
            cubed = power is not None and self._scalar(power.inputs[1]) == 3.0 and self._skip(power.inputs[0]) == x
            return cubed and _close(number, 0.044715)
        return factors == [x, x, x] and _close(number, 0.044715)

    # ------------------------------------------------------------------ attention

    def attention(self, name: str) -> Attention | None:
        node = self._maker(name)
        if node is not None and node.op == "Attention" and node.domain == MICROSOFT:
            return self._fused_attention(node)
        if node is not None and node.op == "MultiHeadAttention" and node.domain == MICROSOFT:
            return self._multi_head(node)
        return self._spelled_attention(name)

    def _fused_attention(self, node: Node) -> Attention | None:
        heads = node.attributes.get("num_heads", 0)
        weight, bias = self._constant(node.inputs[1]), self._constant(node.inputs[2])
        if weight is None or bias is None or weight.entry is None or bias.entry is None or type(heads) is not int:
            return None
        x = self._skip(node.inputs[0])
        if len(weight.shape) != 2 or weight.shape[1] != 3 * weight.shape[0] or bias.shape != (3 * weight.shape[0],):
            return None
        hidden = weight.shape[0]
        if node.attributes.get("unidirectional", 0) or node.attributes.get("do_rotary", 0):
            return None
        if heads < 1 or hidden % heads or not _is_scale(node.attributes.get("scale", 0.0), hidden // heads):
            return None
        parts = []
        for index in range(3):
            wide, narrow = weight.entry, bias.entry
            step = index * hidden * tensors.WIDTHS[wide.dtype]
            matrix = dataclasses.replace(wide, shape=(hidden, hidden), strides=(1, 3 * hidden), begin=wide.begin + step)
            parts.append(Linear(x, matrix, _cut(narrow, index * hidden, hidden)))
        return Attention(x, parts[0], parts[1], parts[2], heads)

    def _multi_head(self, node: Node) -> Attention | None:
        heads = node.attributes.get("num_heads", 0)
        found = [self.linear(item) for item in node.inputs[:3] if item]
        if len(found) != 3 or node.attributes.get("unidirectional", 0) or type(heads) is not int:
            return None
        given = node.inputs[3] if len(node.inputs) > 3 else ""
        bias = self._vector(given) if given else None
        parts = []
        for index, item in enumerate(found):
            if item is None or (bias is None) == (item.bias is None) or (given and bias is None):
                return None
            hidden = item.weight.shape[0]
            part = item
            if bias is not None:
                if bias.shape != (3 * hidden,):
                    return None
                part = dataclasses.replace(item, bias=_cut(bias, index * hidden, hidden))
            if heads < 1 or hidden % heads or not _is_scale(node.attributes.get("scale", 0.0), hidden // heads):
                return None
            parts.append(part)
        if len({item.x for item in parts}) != 1:
            return None
        return Attention(parts[0].x, parts[0], parts[1], parts[2], heads)

    def _spelled_attention(self, name: str) -> Attention | None:
        """Match softmax(scale q k^T + mask) v, heads apart, put together again by a reshape."""
        product, scale, _ = self._through(name)
        node = self._maker(product, "MatMul")
        if node is None or not _close(scale, 1.0):
            return None
        value, value_scale, value_sizes = self._to_linear(node.inputs[1])
        scores = self._scores(node.inputs[0])
        if value is None or scores is None or not _close(value_scale, 1.0):
            return None
        product, scale, _ = self._through(scores)
        both = self._maker(product, "MatMul", "FusedMatMul")
        if both is None:
            return None
        if both.op == "FusedMatMul":
            scale *= both.attributes.get("alpha", 1.0)
        query, query_scale, query_sizes = self._to_linear(both.inputs[0])
        key, key_scale, key_sizes = self._to_linear(both.inputs[1])
        if query is None or key is None or len({query.x, key.x, value.x}) != 1:
            return None
        sizes = {*value_sizes, *query_sizes, *key_sizes}
        if len(sizes) != 1 or any(part.bias is None for part in (query, key, value)):
            return None
        size = sizes.pop()
        if not _close(scale * query_scale * key_scale, 1 / math.sqrt(size)):
            return None
        return Attention(value.x, query, key, value, value.weight.shape[0] // size)

    def _through(self, name: str) -> tuple[str, float, list[list[float | None]]]:
        """Go back through shaping and scaling: (value, the numbers it was multiplied by, the shapes it was given)."""
        scale = 1.0
        shapes: list[list[float | None]] = []
        for _ in range(20):
            name = self._skip(name)
            node = self._graph.makers.get(name)
            if node is None:
                break
            if node.op in _SHAPING:
                if node.op == "Reshape":
                    shapes.append(self._numbers(node.inputs[1]))
                name = node.inputs[0]
                continue
            pair = self._with_scalar(node) if node.op in ("Mul", "Div") else None
            if pair is None or (node.op == "Div" and self._scalar(node.inputs[1]) is None):
                break
            scale = scale * pair[1] if node.op == "Mul" else scale / pair[1]
            name = pair[0]
        return name, scale, shapes

    def _to_linear(self, name: str) -> tuple[Linear | None, float, set[int]]:
        """Go back to a linear step: (it, the numbers it was multiplied by, the sizes of a head)."""
        value, scale, shapes = self._through(name)
        found = self.linear(value)
        if found is None:
            return None, scale, set()
        hidden = found.weight.shape[0]
        sizes: set[int] = set()
        for shape in shapes:  # [batch, length, heads, size], of which one may be left open
            if len(shape) != 4:
                continue
            heads, size = (int(item) if item is not None and item > 0 else 0 for item in shape[2:])
            size = size or (hidden // heads if heads and hidden % heads == 0 else 0)
            if size and hidden % size == 0 and heads in (0, hidden // size):
                sizes.add(size)
        return found, scale, sizes

    def _scores(self, name: str) -> str | None:
        """Return what goes into attention's softmax before the mask."""
        node = self._maker(name)
        if node is not None and node.op == "Where" and len(node.inputs) == 3:
            # PyTorch's fused attention makes rows without any key zero: Where(IsNaN(p), 0, p).
            test = self._maker(node.inputs[0], "IsNaN")
            if test is None or self._scalar(node.inputs[1]) != 0.0:
                return None
            if self._skip(test.inputs[0]) != self._skip(node.inputs[2]):
                return None
            node = self._maker(node.inputs[2])
        if node is None or node.op != "Softmax" or node.attributes.get("axis", -1) not in (-1, 3):
            return None
        masked = self._maker(node.inputs[0], "Add")
        if masked is None or len(masked.inputs) != 2:
            return None
        sides = [item for item in masked.inputs if self._maker(self._through(item)[0], "MatMul", "FusedMatMul")]
        others = [item for item in masked.inputs if item not in sides]
        return sides[0] if len(sides) == 1 and len(others) == 1 and self._is_mask(others[0]) else None

    def _is_mask(self, name: str) -> bool:
        """Whether a value depends on the attention mask and on no weights."""
        waiting, seen = [name], set[str]()
        depends = False
        masks = {value.name for value in self._graph.inputs if value.name in ("attention_mask", "input_mask")}
        while waiting:
            item = waiting.pop()
            if item in seen:
                continue
            seen.add(item)
            depends = depends or item in masks
            node = self._graph.makers.get(item)
            if node is not None and node.op != "Shape":  # a shape carries no numbers
                if node.op in ("MatMul", "Gemm", "Softmax", "LayerNormalization"):
                    return False
                waiting += [value for value in node.inputs if value]
        return depends

    # ------------------------------------------------------------------ blocks

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


def _cut(entry: TensorEntry, first: int, count: int) -> TensorEntry:
    width = tensors.WIDTHS[entry.dtype]
    begin = entry.begin + first * width
    return dataclasses.replace(entry, shape=(count,), begin=begin, end=begin + count * width)


def _is_plain(node: Node) -> bool:
    a = node.attributes
    return (
        a.get("alpha", 1.0) == 1.0
        and not a.get("transA", 0)
        and not a.get("transBatchA", 0)
        and not a.get("transBatchB", 0)
    )


def _is_scale(scale: float, size: int) -> bool:
    """Whether an operator's scale is the usual one, which it may state or leave at 0."""
    return scale == 0.0 or _close(scale, 1 / math.sqrt(size))


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= _TOLERANCE * abs(b)


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
