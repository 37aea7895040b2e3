"""The safetensors header reader: every rule of the format, and agreement with files of known content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import make_model
from albert_fast.errors import CorruptModelError
from albert_fast.models.safetensors import TensorEntry, read_header


def pack(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def tensor(begin: int, end: int, shape: list[Any] | None = None, dtype: str = "F32") -> dict[str, Any]:
    return {
        "dtype": dtype,
        "shape": [(end - begin) // 4] if shape is None else shape,
        "data_offsets": [begin, end],
    }


def test_reads_names_types_shapes_and_absolute_offsets(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    arrays = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.full((4,), 7, np.float32)}
    make_model.save_safetensors(path, arrays)
    header = read_header(path)
    assert set(header) == {"a", "b"}
    data = path.read_bytes()
    for name, expected in arrays.items():
        entry = header[name]
        assert (entry.dtype, entry.shape) == ("F32", expected.shape)
        np.testing.assert_array_equal(
            np.frombuffer(data[entry.begin : entry.end], "<f4").reshape(entry.shape), expected
        )


@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16"])
def test_reads_each_float_type(tmp_path: Path, dtype: str) -> None:
    path = tmp_path / "model.safetensors"
    make_model.save_safetensors(path, {"a": np.ones((3, 5), np.float32)}, dtype)
    entry = read_header(path)["a"]
    assert entry.dtype == dtype
    assert entry.end - entry.begin == 15 * (4 if dtype == "F32" else 2)


def test_empty_tensors_and_scalars_are_allowed(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(pack({"none": tensor(0, 0, [0, 9]), "one": tensor(0, 4, [])}, b"\0" * 4))
    assert read_header(path)["none"] == TensorEntry(
        "none", "F32", (0, 9), path.stat().st_size - 4, path.stat().st_size - 4
    )


BROKEN = {
    "empty file": b"",
    "seven bytes": b"\0" * 7,
    "header longer than the file": pack({}, length=1000),
    "header of 2^63 bytes": pack({}, length=1 << 63),
    "header over 100 MB": pack({}, length=100_000_001),
    "no object": pack([]),
    "leading blank": pack(b" {}"),
    "not JSON": pack(b"{nope"),
    "not UTF-8": pack(b'{"\xff": 1}'),
    "NaN": pack(b'{"a": NaN}'),
    "deep nesting": pack(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "number of many digits": pack(b'{"a": ' + b"9" * 5000 + b"}"),
    "key twice": pack(
        b'{"a": {"dtype":"U8","shape":[0],"data_offsets":[0,0]}, "a": {"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'
    ),
    "key twice inside": pack(b'{"a": {"dtype":"U8","dtype":"F32","shape":[0],"data_offsets":[0,0]}}'),
    "metadata of numbers": pack({"__metadata__": {"a": 1}}),
    "unknown dtype": pack({"a": tensor(0, 4, [1], "F31")}, b"\0" * 4),
    "dtype no string": pack({"a": {"dtype": ["F32"], "shape": [1], "data_offsets": [0, 4]}}, b"\0" * 4),
    "extra field": pack({"a": {**tensor(0, 4), "more": 1}}, b"\0" * 4),
    "no object as tensor": pack({"a": 5}),
    "negative shape": pack({"a": tensor(0, 4, [-1, -1])}, b"\0" * 4),
    "boolean shape": pack({"a": tensor(0, 4, [True])}, b"\0" * 4),
    "fractional shape": pack({"a": tensor(0, 4, [1.0])}, b"\0" * 4),
    "negative offset": pack({"a": tensor(-4, 0)}, b"\0" * 4),
    "three offsets": pack({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 4]}}, b"\0" * 4),
    "end before begin": pack({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}, b"\0" * 4),
    "shape times dtype": pack({"a": tensor(0, 4, [2])}, b"\0" * 4),
    "overflowing shape": pack({"a": tensor(0, 4, [1 << 40, 1 << 40, 0])}, b"\0" * 4),
    "overlap": pack({"a": tensor(0, 8), "b": tensor(4, 12)}, b"\0" * 12),
    "hole": pack({"a": tensor(0, 4), "b": tensor(8, 12)}, b"\0" * 12),
    "hole at the start": pack({"a": tensor(4, 8)}, b"\0" * 8),
    "trailing byte": pack({"a": tensor(0, 4)}, b"\0" * 5),
    "missing byte": pack({"a": tensor(0, 4)}, b"\0" * 3),
    "pickle": b"\x80\x04\x95" + b"\0" * 50,
    "zip": b"PK\x03\x04" + b"\0" * 50,
    "HTML": b"<!doctype html><html>not here</html>" * 10,
    "LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused_by_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / "broken.safetensors"
    path.write_bytes(BROKEN[name])
    with pytest.raises(CorruptModelError, match=r"broken\.safetensors"):
        read_header(path)


def test_every_prefix_of_a_file_is_refused(tmp_path: Path) -> None:
    whole = tmp_path / "whole.safetensors"
    make_model.save_safetensors(whole, {"a": np.ones((2, 2), np.float32), "b": np.ones((3,), np.float32)})
    data = whole.read_bytes()
    path = tmp_path / "part.safetensors"
    for size in range(len(data)):
        path.write_bytes(data[:size])
        with pytest.raises(CorruptModelError):
            read_header(path)


def test_the_message_names_tensor_and_sizes(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(pack({"some.weight": tensor(0, 4, [2])}, b"\0" * 4))
    with pytest.raises(CorruptModelError, match=r"'some\.weight'.*needs 8 bytes, but has 4"):
        read_header(path)
