"""Tensors where they lie: which bytes of which file or archive, and how the numbers stand there.

Every container gives its tensors as entries of this kind. Nothing is converted before somebody reads it: a
transposed or fused matrix is the same bytes seen with other strides.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import CorruptModelError
from .containers.blobs import Blob, InflatedBlob, PartBlob

WIDTHS = {"F32": 4, "F16": 2, "BF16": 2, "F64": 8}
# BF16 has no NumPy type; its bits are copied as they are.
_NUMPY = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """Where one tensor lies.

    Attributes
    ----------
    begin, end
        Bytes that hold it, counted from the start of its blob.
    strides
        Steps between neighbours in each dimension, in numbers; None: rows stand end to end.
    blob
        What the offsets count in; None: the file of weights of its model.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int
    strides: tuple[int, ...] | None = None
    blob: Blob | None = None

    @property
    def numbers(self) -> int:
        """How many numbers it has."""
        return count(self.shape)


def count(shape: Iterable[int]) -> int:
    """Return the product of the dimensions."""
    result = 1
    for dimension in shape:
        result *= dimension
    return result


def packed_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides of numbers that stand end to end."""
    return tuple(count(shape[d + 1 :]) for d in range(len(shape)))


def strides_of(entry: TensorEntry) -> tuple[int, ...]:
    """Return the strides of a tensor, whether it states them or not."""
    return packed_strides(entry.shape) if entry.strides is None else entry.strides


def fits(entry: TensorEntry) -> bool:
    """Whether every number that shape and strides reach lies inside the entry's bytes."""
    strides = strides_of(entry)
    if len(strides) != len(entry.shape) or min(strides, default=0) < 0 or min(entry.shape, default=0) < 0:
        return False
    last = sum((size - 1) * step for size, step in zip(entry.shape, strides, strict=True))
    needed = 0 if 0 in entry.shape else (last + 1) * WIDTHS[entry.dtype]
    return 0 <= entry.begin <= entry.end and needed <= entry.end - entry.begin


def unwrapped(entry: TensorEntry) -> TensorEntry:
    """Return the same place counted in the stream around it, so that neighbours of one stream are read in one pass."""
    while isinstance(entry.blob, PartBlob):
        begin = entry.blob.begin
        entry = replace(entry, begin=entry.begin + begin, end=entry.end + begin, blob=entry.blob.parent)
    return entry


def by_blob(entries: Iterable[TensorEntry]) -> dict[Blob | None, list[TensorEntry]]:
    """Sort tensors into their blobs, in the order of their bytes."""
    groups: dict[Blob | None, list[TensorEntry]] = {}
    for entry in entries:
        groups.setdefault(entry.blob, []).append(entry)
    for group in groups.values():
        group.sort(key=lambda entry: (entry.begin, entry.end))
    return groups


def runs(blob: Blob, entries: list[TensorEntry]) -> Iterator[tuple[int, bytes, list[TensorEntry]]]:
    """Read sorted tensors of one blob in one pass: (place of the first byte, bytes, the tensors in them).

    Tensors that share bytes, as the parts of a fused matrix do, come together.
    """
    with blob.open() as reader:
        at = 0
        while at < len(entries):
            begin, end = entries[at].begin, entries[at].end
            last = at + 1
            while last < len(entries) and entries[last].begin < end:
                end = max(end, entries[last].end)
                last += 1
            reader.seek(begin)
            data = reader.read(end - begin)
            if len(data) != end - begin:
                raise CorruptModelError(
                    f"{blob.source} ends before the tensor {entries[at].name!r} does. The file is damaged or "
                    "incomplete: fetch it again."
                )
            yield begin, data, entries[at:last]
            at = last
        if isinstance(blob, InflatedBlob):
            while reader.read(1 << 20):  # a checksum is known at the end only
                pass


def as_array(entry: TensorEntry, data: bytes | memoryview, first: int) -> NDArray[Any]:
    """Return a tensor's numbers as they are stored; `data` holds the blob's bytes from byte `first` on."""
    if not fits(entry):
        raise CorruptModelError(f"The tensor {entry.name!r} does not lie inside the bytes that it names.")
    width = WIDTHS[entry.dtype]
    view = memoryview(data)[entry.begin - first : entry.end - first]
    flat = np.frombuffer(view, _NUMPY[entry.dtype], len(view) // width)
    if 0 in entry.shape:
        return np.zeros(entry.shape, flat.dtype)
    steps = tuple(step * width for step in strides_of(entry))
    return np.lib.stride_tricks.as_strided(flat, entry.shape, steps, writeable=False)


def write_safetensors(out: BinaryIO, entries: Iterable[TensorEntry], default: Blob) -> None:
    """Write tensors as one safetensors file, one at a time; F64 becomes F32, other types stay.

    `default` is the blob of those that name none.
    """
    groups = by_blob(entries)
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for group in groups.values():
        for entry in group:
            dtype = "F32" if entry.dtype == "F64" else entry.dtype
            size = entry.numbers * WIDTHS[dtype]
            header[entry.name] = {"dtype": dtype, "shape": list(entry.shape), "data_offsets": [at, at + size]}
            at += size
    text = json.dumps(header, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % 8)
    out.write(struct.pack("<Q", len(text)) + text)
    for blob, group in groups.items():
        for first, data, inside in runs(default if blob is None else blob, group):
            for entry in inside:
                array = as_array(entry, data, first)
                if entry.dtype == "F64":
                    array = array.astype("<f4")
                out.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
