"""Read the header of a safetensors file and check it against every rule of the format.

Format: eight bytes with the header's length (little endian), a JSON object, then the tensors' bytes. Rules
checked: header of at most 100 MB that begins with ``{``, no key twice, known dtypes, sizes equal to shape
times dtype, tensors laid end to end without hole or overlap, and the file ends where the last tensor ends.
Source: the format description in the README of huggingface/safetensors.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import CorruptModelError
from .containers.blobs import Blob, FileBlob
from .tensors import TensorEntry

MAX_HEADER_BYTES = 100_000_000
MAX_FILE_BYTES = 1 << 62  # sizes past this cannot be real and would overflow 64-bit arithmetic elsewhere

_BITS = {
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "U16": 16, "I16": 16, "F16": 16, "BF16": 16,
    "U32": 32, "I32": 32, "F32": 32,
    "U64": 64, "I64": 64, "F64": 64, "C64": 64,
}  # fmt: skip


def read_header(path: str | os.PathLike[str] | Blob, where: str | None = None) -> dict[str, TensorEntry]:
    """Return the tensors of a safetensors file by name; of a member of an archive, with its name in `where`.

    Raises
    ------
    CorruptModelError
        The file is truncated or breaks a rule of the format; the message names the file, the tensor and the
        rule.
    OSError
        The file cannot be opened.
    """
    if isinstance(path, (str, os.PathLike)):
        blob: Blob = FileBlob.of(Path(path))
    else:
        blob = path
    name = where or str(path)
    with blob.open() as file:
        header = _read_json(file, name, blob.size)
    try:
        return _entries(header, blob.size)
    except _RuleError as error:
        raise _corrupt(name, str(error)) from None


class _RuleError(ValueError):
    """One broken rule; becomes a CorruptModelError with the file's name."""


def _corrupt(path: str, why: str) -> CorruptModelError:
    return CorruptModelError(
        f"{path} is not a valid safetensors file: {why}. The file is damaged or incomplete: fetch or write it again."
    )


@dataclass(frozen=True, slots=True)
class _Header:
    tensors: dict[str, Any]
    data_begin: int


def _read_json(file: BinaryIO, path: str, size: int) -> _Header:
    start = file.read(8)
    if start.startswith(b"version "):
        raise CorruptModelError(
            f"{path} is a Git LFS pointer, not the weights themselves. Run 'git lfs pull' in the repository it came "
            "from."
        )
    if len(start) < 8:
        raise _corrupt(path, f"it has {size} bytes, fewer than the 8 of the header's length")
    length = int.from_bytes(start, "little")
    if length > MAX_HEADER_BYTES:
        raise _corrupt(path, f"it states a header of {length} bytes, more than {MAX_HEADER_BYTES}")
    if length > size - 8:
        raise _corrupt(path, f"it states a header of {length} bytes, but only {size - 8} follow")
    text = file.read(length)
    if not text.startswith(b"{"):
        raise _corrupt(path, "the header does not begin with '{'")
    try:
        value = json.loads(
            text.decode("utf-8"),
            object_pairs_hook=_no_duplicates,
            parse_int=_small_int,
            parse_constant=_refuse,
        )
    except (ValueError, RecursionError) as error:
        raise _corrupt(path, f"the header cannot be read ({error})") from None
    if not isinstance(value, dict):
        raise _corrupt(path, "the header is no JSON object")
    return _Header(value, 8 + length)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"the key {key!r} appears twice")
            seen.add(key)
    return result


def _small_int(text: str) -> int:
    if len(text) > 20:  # 2**64 has 20 digits; longer ones cost quadratic time to convert
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)


def _refuse(text: str) -> Any:
    raise ValueError(f"the constant {text}")


def _entries(header: _Header, file_size: int) -> dict[str, TensorEntry]:
    metadata = header.tensors.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise _RuleError("__metadata__ is not an object of strings")
    entries = [_entry(name, value, header.data_begin) for name, value in header.tensors.items()]
    position = header.data_begin
    for entry in sorted(entries, key=lambda e: (e.begin, e.end)):
        if entry.begin != position:
            kind = "overlaps the tensor before it" if entry.begin < position else "leaves a hole before it"
            raise _RuleError(f"tensor {entry.name!r} {kind} (begins at byte {entry.begin}, expected {position})")
        position = entry.end
    if position != file_size:
        raise _RuleError(f"the tensors end at byte {position}, but the file has {file_size} bytes")
    return {entry.name: entry for entry in entries}


def _entry(name: str, value: Any, data_begin: int) -> TensorEntry:
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        raise _RuleError(f"tensor {name!r} has not exactly dtype, shape and data_offsets")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _BITS:
        raise _RuleError(f"tensor {name!r} has the unknown dtype {dtype!r}")
    if not _is_counts(shape):
        raise _RuleError(f"tensor {name!r} has the shape {shape!r}")
    if not _is_counts(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise _RuleError(f"tensor {name!r} has the data_offsets {offsets!r}")
    bits = _BITS[dtype]
    for dimension in shape:
        bits *= dimension
        if bits > 8 * MAX_FILE_BYTES:
            raise _RuleError(f"tensor {name!r} has the impossible shape {shape!r}")
    begin, end = offsets
    if bits != 8 * (end - begin):
        raise _RuleError(
            f"tensor {name!r} of dtype {dtype} and shape {shape} needs {bits / 8:g} bytes, but has {end - begin}"
        )
    return TensorEntry(name, dtype, tuple(shape), data_begin + begin, data_begin + end)


def _is_counts(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int and 0 <= item <= MAX_FILE_BYTES for item in value)
