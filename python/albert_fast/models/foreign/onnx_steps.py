"""The steps of a transformer in an ONNX graph: linear maps, normalizations, activations, each in its known forms."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from .. import tensors
from ..tensors import TensorEntry
from .onnx_file import Node
from .onnx_values import Values, close

_SHAPING = ("Reshape", "Transpose", "Squeeze", "Unsqueeze")


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


class Steps(Values):
    """Recognises single steps."""

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
        if len(factors) != 2 or not close(number, 0.5):
            return None
        for x, other in (factors, factors[::-1]):
            one_more = self._maker(other, "Add")
            parts = None if one_more is None else self._with_scalar(one_more)
            if parts is None or not close(parts[1], 1.0):
                continue
            if self._is_erf(parts[0], x):
                return x, "gelu", None
            if self._is_tanh(parts[0], x):
                return x, "gelu_new", None
        return None

    def _is_erf(self, name: str, x: str) -> bool:
        node = self._maker(name, "Erf")
        if node is None:
            return False
        number, factors = self._product(node.inputs[0])
        return factors == [x] and close(number, math.sqrt(0.5))

    def _is_tanh(self, name: str, x: str) -> bool:
        node = self._maker(name, "Tanh")
        if node is None:
            return False
        number, factors = self._product(node.inputs[0])
        inner = self._maker(factors[0], "Add") if len(factors) == 1 else None
        if inner is None or not close(number, math.sqrt(2 / math.pi)):
            return False
        return any(self._skip(a) == x and self._is_cube(b, x) for a, b in (inner.inputs, inner.inputs[::-1]))

    def _is_cube(self, name: str, x: str) -> bool:
        number, factors = self._product(name)
        if len(factors) == 1:
            power = self._maker(factors[0], "Pow")
            cubed = power is not None and self._scalar(power.inputs[1]) == 3.0 and self._skip(power.inputs[0]) == x
            return cubed and close(number, 0.044715)
        return factors == [x, x, x] and close(number, 0.044715)

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


def _is_plain(node: Node) -> bool:
    a = node.attributes
    return (
        a.get("alpha", 1.0) == 1.0
        and not a.get("transA", 0)
        and not a.get("transBatchA", 0)
        and not a.get("transBatchB", 0)
    )
