"""Read an ONNX graph: its nodes, small constants, and where its tensors lie. No onnx package is needed.

Messages: `onnx.proto3` (ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto, ValueInfoProto).
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...errors import CorruptModelError, ModelNotFoundError
from .. import tensors
from ..containers import blobs, protobuf
from ..containers.blobs import Blob, FileBlob
from ..containers.tree import Tree
from ..tensors import TensorEntry

MAX_NODES = 1_000_000
MAX_SMALL = 64
FLOAT, INT32, INT64 = 1, 6, 7
_DTYPES = {1: "F32", 10: "F16", 11: "F64", 16: "BF16"}
_FORMS = {1: "f", 6: "i", 7: "q", 10: "e", 11: "d", 9: "?"}


@dataclass(frozen=True, slots=True)
class Constant:
    """A tensor of the file.

    Attributes
    ----------
    entry
        Where it lies, where it is of floats; None for others.
    values
        Its numbers, where it has few.
    """

    name: str
    dtype: int
    shape: tuple[int, ...]
    entry: TensorEntry | None
    values: tuple[float, ...] | None


@dataclass(frozen=True, slots=True)
class Value:
    """An input or output of the graph; a dimension that is free is None."""

    name: str
    dtype: int
    shape: tuple[int | None, ...]


@dataclass(slots=True)
class Node:
    """A node; `attributes` holds whole numbers, floats, texts, lists of whole numbers, and constants."""

    op: str
    domain: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Graph:
    """A graph.

    Attributes
    ----------
    constants
        Initializers and the results of Constant nodes.
    data_files
        Names of the files that external tensors lie in.
    """

    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, Constant] = field(default_factory=dict)
    inputs: list[Value] = field(default_factory=list)
    outputs: list[Value] = field(default_factory=list)
    data_files: set[str] = field(default_factory=set)
    has_functions: bool = False
    makers: dict[str, Node] = field(default_factory=dict)


def read(tree: Tree, name: str) -> Graph:
    """Read a graph; its external tensors are looked for beside it.

    Raises
    ------
    CorruptModelError
        The file is damaged or names files elsewhere.
    ModelNotFoundError
        A file of external tensors is missing.
    """
    folder, _, _ = name.rpartition("/")
    beside = tree.below(folder) if folder else tree
    blob = tree.files[name]
    try:
        return _Reader(_bytes(blob, name), blob, beside, tree.where(name)).model()
    except (ValueError, struct.error, OverflowError) as error:
        if isinstance(error, CorruptModelError):
            raise
        raise CorruptModelError(
            f"{tree.where(name)} is not an ONNX model: {error}. The file is damaged or incomplete: fetch or export it "
            "again."
        ) from None


def _bytes(blob: Blob, name: str) -> memoryview:
    """Map a file, or inflate a member of an archive. The map ends with the last view of it."""
    if not isinstance(blob, FileBlob):
        return memoryview(blobs.read(blob, blobs.MAX_INFLATED, name))
    if blob.size == 0:
        raise ValueError("it is empty")
    with blob.path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return memoryview(mapped)[blob.begin : blob.begin + blob.size]


def _address(view: memoryview) -> int:
    return int(np.frombuffer(view, np.uint8).__array_interface__["data"][0]) if len(view) else 0


class _Reader:
    """Parses one file. Views into it live only during the parse; what is kept are numbers and places."""

    def __init__(self, view: memoryview, blob: Blob, beside: Tree, where: str) -> None:
        self._view, self._blob, self._beside, self._where = view, blob, beside, where
        self._start = _address(view)
        self._graph = Graph()

    def model(self) -> Graph:
        has_graph = False
        for number, wire, value in protobuf.fields(self._view):
            if (number, wire) == (7, protobuf.BYTES):
                if has_graph:
                    raise ValueError("it holds two graphs")
                has_graph = True
                self._read_graph(protobuf.as_bytes(value))
            elif number == 25:
                self._graph.has_functions = True
        if not has_graph:
            raise ValueError("it holds no graph")
        graph = self._graph
        for node in graph.nodes:
            for output in node.outputs:
                if output:
                    graph.makers[output] = node
            constant = node.attributes.get("value")
            if node.op == "Constant" and isinstance(constant, Constant) and node.outputs:
                graph.constants[node.outputs[0]] = constant
        graph.inputs = [value for value in graph.inputs if value.name not in graph.constants]
        return graph

    def _read_graph(self, data: memoryview) -> None:
        graph = self._graph
        for number, wire, value in protobuf.fields(data):
            if wire != protobuf.BYTES:
                continue
            view = protobuf.as_bytes(value)
            if number == 1:
                graph.nodes.append(self._node(view))
                if len(graph.nodes) > MAX_NODES:
                    raise ValueError(f"it has more than {MAX_NODES} nodes")
            elif number == 5:
                constant = self._tensor(view)
                graph.constants[constant.name] = constant
            elif number == 11:
                graph.inputs.append(_value_info(view))
            elif number == 12:
                graph.outputs.append(_value_info(view))

    def _node(self, data: memoryview) -> Node:
        node = Node("", "", [], [])
        for number, _, value in protobuf.fields(data):
            if number == 1:
                node.inputs.append(protobuf.as_text(value))
            elif number == 2:
                node.outputs.append(protobuf.as_text(value))
            elif number == 4:
                node.op = protobuf.as_text(value)
            elif number == 5:
                key, content = self._attribute(protobuf.as_bytes(value))
                node.attributes[key] = content
            elif number == 7:
                node.domain = protobuf.as_text(value)
        return node

    def _attribute(self, data: memoryview) -> tuple[str, Any]:
        name, content = "", None
        listed: list[int] = []
        for number, wire, value in protobuf.fields(data):
            if number == 1:
                name = protobuf.as_text(value)
            elif number == 2:
                content = struct.unpack("<f", protobuf.as_bytes(value))[0]
            elif number == 3:
                content = protobuf.as_int(value)
            elif number == 4:
                content = bytes(protobuf.as_bytes(value)).decode("utf-8", "replace")
            elif number == 5:
                content = self._tensor(protobuf.as_bytes(value))
            elif number == 8:
                listed += protobuf.integers(wire, value)
        return name, tuple(listed) if listed else content

    def _tensor(self, data: memoryview) -> Constant:
        dims: list[int] = []
        dtype = 0
        name = ""
        raw: memoryview | None = None
        packed: memoryview | None = None
        numbers: list[int] = []
        external: dict[str, str] = {}
        is_external = False
        for number, wire, value in protobuf.fields(data):
            if number == 1:
                dims += protobuf.integers(wire, value)
            elif number == 2:
                dtype = protobuf.as_int(value)
            elif number == 8:
                name = protobuf.as_text(value)
            elif number == 9:
                raw = protobuf.as_bytes(value)
            elif number in (4, 10) and wire == protobuf.BYTES and packed is None:
                packed = protobuf.as_bytes(value)
            elif number in (5, 7) and len(numbers) <= MAX_SMALL:
                numbers += protobuf.integers(wire, value)
            elif number == 13:
                parts = {n: protobuf.as_text(v) for n, _, v in protobuf.fields(protobuf.as_bytes(value))}
                external[parts.get(1, "")] = parts.get(2, "")
            elif number == 14:
                is_external = protobuf.as_int(value) == 1
        if len(dims) > 16 or not all(0 <= size < 1 << 48 for size in dims):
            raise ValueError(f"the tensor {name!r} has the shape {dims}")
        shape = tuple(dims)
        if is_external:
            return self._external(name, dtype, shape, external)
        held = raw if raw is not None else packed if dtype in (1, 11) else None
        values = _small(dtype, shape, held, numbers)
        return Constant(name, dtype, shape, self._entry(name, dtype, shape, held), values)

    def _entry(self, name: str, dtype: int, shape: tuple[int, ...], held: memoryview | None) -> TensorEntry | None:
        if held is None or not len(held) or dtype not in _DTYPES:
            return None
        if tensors.count(shape) * tensors.WIDTHS[_DTYPES[dtype]] != len(held):
            raise ValueError(f"the tensor {name!r} has {len(held)} bytes, which its shape {list(shape)} denies")
        begin = _address(held) - self._start
        return TensorEntry(name, _DTYPES[dtype], shape, begin, begin + len(held), None, self._blob)

    def _external(self, name: str, dtype: int, shape: tuple[int, ...], said: Mapping[str, str]) -> Constant:
        location = said.get("location", "").removeprefix("./")
        if not location or "/" in location or "\\" in location or "\0" in location or location in (".", ".."):
            raise ValueError(f"the tensor {name!r} lies in {location!r}, which is no file beside the graph")
        blob = self._beside.files.get(location)
        if blob is None:
            raise ModelNotFoundError(
                f"{self._where} needs the file {location} beside it, which holds its tensors. Fetch both."
            )
        self._graph.data_files.add(location)
        if dtype not in _FORMS and dtype not in _DTYPES:
            return Constant(name, dtype, shape, None, None)
        width = tensors.WIDTHS[_DTYPES[dtype]] if dtype in _DTYPES else struct.calcsize("<" + _FORMS[dtype])
        size = tensors.count(shape) * width
        begin, length = _decimal(said.get("offset", "0")), _decimal(said.get("length", str(size)))
        if length != size or begin + size > blob.size:
            raise ValueError(f"the tensor {name!r} does not lie inside {location}")
        held = None
        if tensors.count(shape) <= MAX_SMALL:
            held = memoryview(blobs.read(blobs.part(blob, begin, size), size, location))
        entry = TensorEntry(name, _DTYPES[dtype], shape, begin, begin + size, None, blob) if dtype in _DTYPES else None
        return Constant(name, dtype, shape, entry, _small(dtype, shape, held, []))


def _decimal(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise ValueError(f"a place in a file of {text!r}")
    return int(text)


def _small(dtype: int, shape: tuple[int, ...], held: memoryview | None, numbers: list[int]) -> tuple[float, ...] | None:
    count = tensors.count(shape)
    form = _FORMS.get(dtype)
    if count > MAX_SMALL or form is None:
        return None
    if held is not None and len(held) == count * struct.calcsize("<" + form):
        return tuple(float(item) for item in struct.unpack(f"<{count}{form}", held))
    if len(numbers) == count and dtype in (INT32, INT64):
        return tuple(float(item) for item in numbers)
    return None


def _value_info(data: memoryview) -> Value:
    name, dtype = "", 0
    shape: list[int | None] = []
    for number, _, value in protobuf.fields(data):
        if number == 1:
            name = protobuf.as_text(value)
        elif number == 2:
            for kind, _, tensor in protobuf.fields(protobuf.as_bytes(value)):
                if kind != 1:
                    continue
                for inner, wire, item in protobuf.fields(protobuf.as_bytes(tensor)):
                    if (inner, wire) == (1, protobuf.VARINT):
                        dtype = protobuf.as_int(item)
                    elif inner == 2:
                        shape = [
                            _dimension(protobuf.as_bytes(d))
                            for n, _, d in protobuf.fields(protobuf.as_bytes(item))
                            if n == 1
                        ]
    return Value(name, dtype, tuple(shape))


def _dimension(data: memoryview) -> int | None:
    for number, wire, value in protobuf.fields(data):
        if (number, wire) == (1, protobuf.VARINT):
            return protobuf.as_int(value)
    return None
