"""Write an ONNX file in one pass: small parts are collected, weights go from their source straight to the file.

Facts: `onnx.proto` (field numbers) and the protobuf encoding guide. A message states its length before its content,
so the lengths of all weights are added up before the first byte is written.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from .containers.protobuf import BYTES, put_bytes, put_float, put_int, varint

IR_VERSION = 8  # the oldest that knows the operator set below
OPSET = 17  # the oldest with LayerNormalization; ONNX Runtime 1.12 and Spark NLP 5.0 have it
FLOAT, INT64 = 1, 7
# Protobuf cannot hold 2 GiB; the graph itself needs far less than the difference.
MAX_INLINE = (1 << 31) - (64 << 20)
_ALIGNMENT = 4096  # of tensors in a data file, so that readers can map them


@dataclass(frozen=True, slots=True)
class Weight:
    """A tensor of float32 that comes from the model; a transposed one stands as [in, out] in the file."""

    name: str
    shape: tuple[int, ...]
    transposed: bool = False

    @property
    def stored_shape(self) -> tuple[int, ...]:
        """Shape in the file."""
        return self.shape[::-1] if self.transposed else self.shape

    @property
    def size(self) -> int:
        """Bytes in the file."""
        count = 4
        for dimension in self.shape:
            count *= dimension
        return count


@dataclass(slots=True)
class Graph:
    """The parts of a graph, encoded as they come."""

    name: str
    nodes: list[bytes] = field(default_factory=list)
    constants: list[bytes] = field(default_factory=list)
    weights: dict[str, Weight] = field(default_factory=dict)
    inputs: list[bytes] = field(default_factory=list)
    outputs: list[bytes] = field(default_factory=list)

    def node(self, op: str, inputs: Sequence[str], output: str, **attributes: int | float | Sequence[int]) -> str:
        """Add a node with one output, whose name it returns."""
        parts = [put_bytes(1, name.encode()) for name in inputs]
        parts += [put_bytes(2, output.encode()), put_bytes(3, output.encode()), put_bytes(4, op.encode())]
        parts += [put_bytes(5, _attribute(name, value)) for name, value in attributes.items()]
        self.nodes.append(b"".join(parts))
        return output

    def constant(self, name: str, value: NDArray[np.float32] | NDArray[np.int64]) -> str:
        """Add a small tensor and return its name."""
        kind = FLOAT if value.dtype == np.float32 else INT64
        data = value.astype(value.dtype.newbyteorder("<")).tobytes()
        self.constants.append(_tensor_head(name, kind, value.shape) + put_bytes(9, data))
        return name

    def weight(self, weight: Weight) -> str:
        """Declare a weight, once however many nodes use it, and return its name."""
        self.weights.setdefault(weight.name, weight)
        return weight.name

    def input(self, name: str, kind: int, shape: Sequence[int | str]) -> None:
        """Declare an input; a dimension that is free has a name."""
        self.inputs.append(_value_info(name, kind, shape))

    def output(self, name: str, kind: int, shape: Sequence[int | str]) -> None:
        """Declare an output."""
        self.outputs.append(_value_info(name, kind, shape))


def _attribute(name: str, value: int | float | Sequence[int]) -> bytes:
    head = put_bytes(1, name.encode())
    if isinstance(value, float):
        return head + put_float(2, value) + put_int(20, 1)
    if isinstance(value, int):
        return head + _put_signed(3, value) + put_int(20, 2)
    return head + b"".join(_put_signed(8, item) for item in value) + put_int(20, 7)


def _put_signed(number: int, value: int) -> bytes:
    return put_int(number, value & 0xFFFFFFFFFFFFFFFF)


def _tensor_head(name: str, kind: int, shape: Iterable[int]) -> bytes:
    return b"".join(put_int(1, size) for size in shape) + put_int(2, kind) + put_bytes(8, name.encode())


def _value_info(name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    dims = b"".join(
        put_bytes(1, put_int(1, size) if isinstance(size, int) else put_bytes(2, size.encode())) for size in shape
    )
    return put_bytes(1, name.encode()) + put_bytes(2, put_bytes(1, put_int(1, kind) + put_bytes(2, dims)))


# --------------------------------------------------------------------------------------------------- the file


def write(
    path: Path,
    data_path: Path,
    data_name: str,
    graph: Graph,
    weights: Iterator[tuple[str, NDArray[np.float32]]],
    producer_version: str,
) -> bool:
    """Write a model and return whether its weights went to a data file.

    Parameters
    ----------
    path
        The model's file.
    data_path, data_name
        Where the weights go if they are too many for one message, and the name that the model has for it.
    weights
        Every weight that the graph declares, by name, in any order, as the model has it (not transposed).
    """
    declared = dict(graph.weights)
    external = sum(weight.size for weight in declared.values()) > MAX_INLINE
    with path.open("wb") as file:
        if external:
            with data_path.open("wb") as data:
                entries = list(_write_data(data, data_name, declared, weights))
                _flush(data)
            _write_model(file, graph, b"".join(entries), 0, producer_version)
        else:
            sizes = sum(len(_inline_head(weight)) + weight.size for weight in declared.values())
            _write_model(file, graph, b"", sizes, producer_version)
            for weight, values in _expected(declared, weights):
                file.write(_inline_head(weight))
                _write_values(file, weight, values)
            file.write(_tail())
        if external:
            file.write(_tail())
        _flush(file)
    return external


def _write_model(file: BinaryIO, graph: Graph, initializers: bytes, more: int, producer_version: str) -> None:
    """Write a model up to its last part: `more` bytes of initializers and `_tail` follow."""
    parts = [put_bytes(1, node) for node in graph.nodes]
    parts.append(put_bytes(2, graph.name.encode()))
    parts += [put_bytes(11, item) for item in graph.inputs]
    parts += [put_bytes(12, item) for item in graph.outputs]
    parts += [put_bytes(5, item) for item in graph.constants]
    body = b"".join(parts) + initializers
    file.write(put_int(1, IR_VERSION) + put_bytes(2, b"albert_fast") + put_bytes(3, producer_version.encode()))
    file.write(varint(7 << 3 | BYTES) + varint(len(body) + more))
    file.write(body)


def _tail() -> bytes:
    return put_bytes(8, put_bytes(1, b"") + put_int(2, OPSET))


def _inline_head(weight: Weight) -> bytes:
    """Return all of an initializer but its numbers."""
    head = _tensor_head(weight.name, FLOAT, weight.stored_shape) + varint(9 << 3 | BYTES) + varint(weight.size)
    return varint(5 << 3 | BYTES) + varint(len(head) + weight.size) + head


def _write_data(
    data: BinaryIO, data_name: str, declared: dict[str, Weight], weights: Iterator[tuple[str, NDArray[np.float32]]]
) -> Iterator[bytes]:
    """Write weights to the data file and yield the initializers that point there."""
    for weight, values in _expected(declared, weights):
        offset = -(-data.tell() // _ALIGNMENT) * _ALIGNMENT
        data.write(bytes(offset - data.tell()))
        _write_values(data, weight, values)
        where = {"location": data_name, "offset": str(offset), "length": str(weight.size)}
        pairs = b"".join(
            put_bytes(13, put_bytes(1, key.encode()) + put_bytes(2, value.encode())) for key, value in where.items()
        )
        yield put_bytes(5, _tensor_head(weight.name, FLOAT, weight.stored_shape) + pairs + put_int(14, 1))


def _expected(
    declared: dict[str, Weight], weights: Iterator[tuple[str, NDArray[np.float32]]]
) -> Iterator[tuple[Weight, NDArray[np.float32]]]:
    missing = dict(declared)
    for name, values in weights:
        weight = missing.pop(name, None)
        if weight is None:
            continue
        if values.shape != weight.shape:
            raise ValueError(f"{name} has the shape {values.shape}, not {weight.shape}")
        yield weight, values
    if missing:
        raise ValueError(f"no values for {sorted(missing)}")


def _write_values(file: BinaryIO, weight: Weight, values: NDArray[np.float32]) -> None:
    stored = np.ascontiguousarray(values.T if weight.transposed else values, dtype="<f4")
    file.write(stored.reshape(-1).view(np.uint8).data)


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def scalar(value: float) -> NDArray[np.float32]:
    """Return a number as a tensor without dimensions."""
    return np.frombuffer(struct.pack("<f", value), "<f4").reshape(())


def integers(*values: int) -> NDArray[np.int64]:
    """Return whole numbers as a tensor of one dimension."""
    return np.array(values, "<i8")
