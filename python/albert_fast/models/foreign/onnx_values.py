"""Values of an ONNX graph seen through what exporters wrap them in: casts, identities, numbers worked out of shapes."""

from __future__ import annotations

import math

from ..tensors import TensorEntry
from .onnx_file import Constant, Graph, Node

MICROSOFT = "com.microsoft"
_TOLERANCE = 2e-3  # constants of a float16 graph are no closer


def close(a: float, b: float) -> bool:
    """Whether two numbers are the same but for rounding."""
    return abs(a - b) <= _TOLERANCE * abs(b)


class Values:
    """Looks values of a graph up; steps of a computation are recognised on top of it."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

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
        """Return the last dimension of a value, where a node picks it and it is known."""
        del node
        return None

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
