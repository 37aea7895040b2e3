"""What a TensorFlow graph tells about its ALBERT: layers, heads, activation, epsilon. No TensorFlow is needed.

ALBERT's layers share their variables, so a checkpoint does not show how many there are: the graph does. Messages:
`saved_model.proto`, `graph.proto`, `node_def.proto`, `function.proto`, `attr_value.proto`, `tensor.proto`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import CorruptModelError
from ..containers import protobuf
from .checkpoint import tensor_shape

MAX_NODES = 2_000_000
MAX_DEPTH = 50
_INT32, _INT64, _FLOAT = 3, 9, 1
_PASSING = ("Identity", "Cast", "Mul", "RealDiv", "Reshape", "SelectV2")
_PRODUCTS = ("BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum", "MatMul")


@dataclass(slots=True)
class Node:
    """A node: its operation, the nodes it reads, and the attributes that matter here."""

    op: str
    inputs: list[str]
    calls: str = ""
    numbers: tuple[float, ...] | None = None
    epsilon: float | None = None


@dataclass(slots=True)
class Graph:
    """Nodes by name, and the functions that they call, which are graphs too."""

    nodes: dict[str, Node] = field(default_factory=dict)
    functions: dict[str, Graph] = field(default_factory=dict)


def read_saved_model(data: bytes, where: str) -> Graph:
    """Read the first graph of a `saved_model.pb`, which is a SavedModel, or at Spark NLP a bare GraphDef."""
    try:
        # Both begin with field 1: a version number in one, a node in the other.
        first = next(protobuf.fields(data), None)
        if first is not None and first[1] == protobuf.BYTES:
            return _graph(memoryview(data))
        for number, _, value in protobuf.fields(data):
            if number == 2:
                for inner, _, graph in protobuf.fields(protobuf.as_bytes(value)):
                    if inner == 2:
                        return _graph(protobuf.as_bytes(graph))
        raise ValueError("it holds no graph")
    except (ValueError, struct.error) as error:
        raise CorruptModelError(
            f"{where} is not a TensorFlow graph: {error}. The file is damaged or incomplete: fetch it again."
        ) from None


def _graph(data: memoryview) -> Graph:
    graph = Graph()
    for number, _, value in protobuf.fields(data):
        if number == 1:
            _add_node(graph, protobuf.as_bytes(value))
        elif number == 2:
            for inner, _, function in protobuf.fields(protobuf.as_bytes(value)):
                if inner == 1:
                    name, body = _function(protobuf.as_bytes(function))
                    graph.functions[name] = body
    return graph


def _function(data: memoryview) -> tuple[str, Graph]:
    name, body = "", Graph()
    for number, _, value in protobuf.fields(data):
        if number == 1:
            for inner, _, text in protobuf.fields(protobuf.as_bytes(value)):
                if inner == 1:
                    name = protobuf.as_text(text)
        elif number == 3:
            _add_node(body, protobuf.as_bytes(value))
    return name, body


def _add_node(graph: Graph, data: memoryview) -> None:
    name, node = "", Node("", [])
    for number, _, value in protobuf.fields(data):
        if number == 1:
            name = protobuf.as_text(value)
        elif number == 2:
            node.op = protobuf.as_text(value)
        elif number == 3:
            text = protobuf.as_text(value)
            if not text.startswith("^"):  # a control input carries no value
                node.inputs.append(text.partition(":")[0])
        elif number == 5:
            _add_attribute(node, protobuf.as_bytes(value))
    graph.nodes[name] = node
    if len(graph.nodes) > MAX_NODES:
        raise ValueError(f"more than {MAX_NODES} nodes")


def _add_attribute(node: Node, data: memoryview) -> None:
    parts = {number: value for number, _, value in protobuf.fields(data)}
    key, value = protobuf.as_text(parts.get(1, memoryview(b""))), protobuf.as_bytes(parts.get(2, memoryview(b"")))
    if key == "f":
        for number, _, inner in protobuf.fields(value):
            if number == 10:
                names = [text for n, _, text in protobuf.fields(protobuf.as_bytes(inner)) if n == 1]
                node.calls = protobuf.as_text(names[0]) if names else ""
    elif key == "epsilon":
        for number, wire, inner in protobuf.fields(value):
            if (number, wire) == (4, protobuf.FIXED32):
                node.epsilon = struct.unpack("<f", protobuf.as_bytes(inner))[0]
    elif key == "value" and node.op in ("Const", ""):
        for number, _, inner in protobuf.fields(value):
            if number == 8:
                node.numbers = _numbers(protobuf.as_bytes(inner))


def _numbers(data: memoryview) -> tuple[float, ...] | None:
    """Return the numbers of a small constant, None for others."""
    dtype = 0
    shape: tuple[int, ...] = ()
    listed: list[float] = []
    content: memoryview = memoryview(b"")
    for number, wire, value in protobuf.fields(data):
        if number == 1:
            dtype = protobuf.as_int(value)
        elif number == 2:
            shape = tensor_shape(protobuf.as_bytes(value))
        elif number == 4:
            content = protobuf.as_bytes(value)
        elif number in (7, 10) and dtype in (_INT32, _INT64):
            listed += [float(item) for item in protobuf.integers(wire, value)]
        elif number == 5 and dtype == _FLOAT:
            view = protobuf.as_bytes(value)
            if len(view) % 4 == 0 and len(view) <= 64:
                listed += list(struct.unpack(f"<{len(view) // 4}f", view))
    count = 1
    for size in shape:
        count *= size
    if count > 16:
        return None
    form = {_INT32: "i", _INT64: "q", _FLOAT: "f"}.get(dtype)
    if form is not None and len(content) == count * struct.calcsize("<" + form):
        return tuple(float(item) for item in struct.unpack(f"<{count}{form}", content))
    if len(listed) == 1:  # a list that is cut short repeats its last number
        return tuple(listed * count)
    return tuple(listed) if len(listed) == count else None


# ----------------------------------------------------------------------------------------- what it tells


def hints(graph: Graph, hidden_size: int) -> dict[str, Any]:
    """Return what the graph tells in the terms of Hugging Face's configuration.

    `num_hidden_layers` counts layers within groups too; keys that the graph does not tell are missing.
    """
    known: dict[str, Any] = {}
    layers = _chain(graph, ("Softmax",), only_products=True)
    if layers:
        known["num_hidden_layers"] = layers
        # The pooler has a Tanh too, but no power. Since TensorFlow 2.16 the exact formula is written with Erfc.
        for name, ops in (("gelu", ("Erf", "Erfc")), ("gelu_new", ("Tanh",)), ("relu", ("Relu",))):
            is_pooler = name == "gelu_new" and layers == 1 and _chain(graph, ("Pow",)) == 0
            if _chain(graph, ops) >= layers and not is_pooler:
                known["hidden_act"] = name
                break
    heads = _heads(graph, hidden_size)
    if heads:
        known["num_attention_heads"] = heads
    epsilon = _epsilon(graph)
    if epsilon is not None:
        known["layer_norm_eps"] = epsilon
    return known


def _chain(graph: Graph, ops: tuple[str, ...], only_products: bool = False) -> int:
    """Return the most nodes of these operations that any path through the graph passes.

    Counting along a path sees each layer once, however many signatures repeat the model.
    """
    lengths: dict[str, int] = {}
    open_functions: set[str] = set()

    def longest(body: Graph) -> int:
        counted = {name for name, node in body.nodes.items() if node.op in ops}
        if only_products:
            counted &= _feeding_products(body)
        done: dict[str, int] = {}
        is_open: set[str] = set()
        waiting = list(body.nodes)
        while waiting:
            name = waiting.pop()
            if name in done:
                continue
            node = body.nodes[name]
            if name not in is_open:
                is_open.add(name)
                waiting.append(name)  # comes again when all that it reads is done
                waiting += [item for item in node.inputs if item in body.nodes and item not in is_open]
                continue
            before = max((done.get(item, 0) for item in node.inputs), default=0)
            done[name] = before + (name in counted) + called(node)
        return max(done.values(), default=0)

    def called(node: Node) -> int:
        name = node.calls if node.calls in graph.functions else node.op
        if name not in graph.functions or name in open_functions or len(open_functions) > MAX_DEPTH:
            return 0
        if name not in lengths:
            open_functions.add(name)
            lengths[name] = longest(graph.functions[name])
            open_functions.discard(name)
        return lengths[name]

    return longest(graph)


def _feeding_products(body: Graph) -> set[str]:
    """Return the nodes whose value goes into a matrix product: attention's Softmax, not a classifier's."""
    feeding: set[str] = set()
    waiting = [item for node in body.nodes.values() if node.op in _PRODUCTS for item in node.inputs]
    while waiting:
        name = waiting.pop()
        node = body.nodes.get(name)
        if node is None or name in feeding:
            continue
        feeding.add(name)
        if node.op in _PASSING:
            waiting += node.inputs
    return feeding


def _bodies(graph: Graph) -> Iterable[Mapping[str, Node]]:
    return [graph.nodes, *(function.nodes for function in graph.functions.values())]


def _heads(graph: Graph, hidden_size: int) -> int | None:
    """Return into how many heads reshapes split the hidden size, where they all agree."""
    found: set[int] = set()
    for nodes in _bodies(graph):
        for node in nodes.values():
            if node.op != "Reshape" or len(node.inputs) < 2:
                continue
            shape = _shape(nodes, node.inputs[1])
            # A shape [batch, length, heads, size] or, for a weight, [hidden, heads, size].
            if len(shape) in (3, 4):
                heads, size = shape[-2:]
                if heads and size and heads * size == hidden_size:
                    found.add(int(heads))
    return found.pop() if len(found) == 1 else None


def _constant(nodes: Mapping[str, Node], name: str) -> Node | None:
    """Return a node, or the one that it hands on."""
    node = nodes.get(name)
    for _ in range(MAX_DEPTH):
        if node is None or node.op != "Identity" or not node.inputs:
            break
        node = nodes.get(node.inputs[0])
    return node


def _shape(nodes: Mapping[str, Node], name: str) -> list[float | None]:
    """Return the numbers of a shape as far as they are constants."""
    node = _constant(nodes, name)
    if node is None:
        return []
    if node.op == "Const":
        return list(node.numbers or ())
    if node.op not in ("Pack", "ConcatV2") or len(node.inputs) > 16:
        return []
    parts: list[float | None] = []
    for item in node.inputs[: -1 if node.op == "ConcatV2" else None]:
        inner = _constant(nodes, item)
        parts += list(inner.numbers) if inner is not None and inner.numbers else [None]
    return parts


def _epsilon(graph: Graph) -> float | None:
    """Return what is added under the root of every normalization, where all agree."""
    found: set[float] = set()
    for nodes in _bodies(graph):
        for node in nodes.values():
            if node.op.startswith("FusedBatchNorm") and node.epsilon is not None:
                found.add(node.epsilon)
            if node.op not in ("Rsqrt", "Sqrt") or not node.inputs:
                continue
            inner = nodes.get(node.inputs[0])
            for item in inner.inputs if inner is not None and inner.op in ("Add", "AddV2") else ():
                constant = _constant(nodes, item)
                if constant is not None and constant.numbers is not None and len(constant.numbers) == 1:
                    found.add(constant.numbers[0])
    if len(found) != 1:
        return None
    epsilon = found.pop()
    # Constants are float32: 1e-12 comes out as 9.999999960041972e-13.
    return float(f"{epsilon:.6g}")
