"""Read `pytorch_model.bin`: which tensors it holds and where their bytes are. No code of the file runs.

Two formats: since PyTorch 1.6 a zip (`NAME/data.pkl`, `NAME/data/KEY`), before it a row of pickles with the
storages behind them. Source: `torch/serialization.py` of PyTorch 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from ...errors import CorruptModelError
from .. import tensors
from ..containers import archive
from ..containers.blobs import Blob
from ..containers.pickles import Machine, PickleError
from ..tensors import TensorEntry

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
MAX_TENSORS = 100_000

# PyTorch's storage classes -> (our dtype, bytes of a number). Types without a dtype here are stepped over.
_STORAGES = {
    "DoubleStorage": ("F64", 8), "FloatStorage": ("F32", 4), "HalfStorage": ("F16", 2), "BFloat16Storage": ("BF16", 2),
    "LongStorage": ("I64", 8), "IntStorage": ("I32", 4), "ShortStorage": ("I16", 2), "CharStorage": ("I8", 1),
    "ByteStorage": ("U8", 1), "BoolStorage": ("BOOL", 1),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Kind:
    dtype: str
    width: int


@dataclass(frozen=True, slots=True)
class _Storage:
    kind: _Kind
    key: str
    numbers: int


@dataclass(frozen=True, slots=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _counts(value: Any) -> tuple[int, ...]:
    if not isinstance(value, (tuple, list)) or len(value) > 16:
        raise PickleError(f"a shape or strides that are {type(value).__name__}")
    if not all(type(item) is int and 0 <= item < 1 << 48 for item in value):
        raise PickleError(f"a shape or strides of {value!r}")
    return tuple(value)


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> _Tensor:
    shape, strides = _counts(size), _counts(stride)
    if not isinstance(storage, _Storage) or type(offset) is not int or offset < 0 or len(shape) != len(strides):
        raise PickleError("a tensor that is not described as one")
    return _Tensor(storage, offset, shape, strides)


def _parameter(data: Any, *_: Any) -> Any:
    if not isinstance(data, _Tensor):
        raise PickleError("a parameter that is no tensor")
    return data


def _ordered(*items: Any) -> dict[Any, Any]:
    if items and items != ([],):
        raise PickleError("an OrderedDict that is not made empty")
    return {}


_NAMES: dict[str, Any] = {
    "collections OrderedDict": _ordered,
    "torch._utils _rebuild_tensor": _tensor,
    "torch._utils _rebuild_tensor_v2": _tensor,
    "torch._utils _rebuild_parameter": _parameter,
    "torch Size": lambda size=(): _counts(size),
    **{f"torch {name}": _Kind(*kind) for name, kind in _STORAGES.items()},
}


def read(blob: Blob, where: str) -> dict[str, TensorEntry]:
    """Return the tensors of a PyTorch file by their names there, as PyTorch stores them.

    Raises
    ------
    CorruptModelError
        The file is damaged, or its pickle asks for anything but tensors.
    """
    try:
        with blob.open() as reader:
            start = reader.read(8)
            if start.startswith(b"version "):
                raise CorruptModelError(
                    f"{where} is a Git LFS pointer, not the weights themselves. Run 'git lfs pull' in the repository "
                    "it came from."
                )
            if not archive.is_zip(start):
                reader.seek(0)
                return _read_old(reader, blob)
        return _read_zip(blob, where)
    except PickleError as error:
        raise CorruptModelError(
            f"{where} cannot be read as PyTorch weights: {error}. The file is damaged, hostile or no file of weights: "
            "fetch it again, or take the model's safetensors."
        ) from None


def _read_zip(blob: Blob, where: str) -> dict[str, TensorEntry]:
    tree = archive.of_zip(blob, blob.source, where)
    name = next((name for name in tree.files if name.endswith("/data.pkl") and name.count("/") == 1), None)
    if name is None:
        raise PickleError("it is a zip without data.pkl")
    inner = tree.below(name.partition("/")[0])
    if "byteorder" in inner and inner.read("byteorder", 100).strip() != b"little":
        raise PickleError("its numbers are big-endian")
    with inner.files["data.pkl"].open() as reader:
        value = Machine(reader, _NAMES, _storage).load()
    entries: dict[str, TensorEntry] = {}
    for key, tensor in _state(value).items():
        storage = inner.files.get(f"data/{tensor.storage.key}")
        if storage is None:
            raise PickleError(f"it has no storage {tensor.storage.key!r}, which {key!r} needs")
        _add(entries, key, tensor, storage, 0, storage.size)
    return entries


def _storage(key: Any) -> _Storage:
    # ("storage", class, key, device, numbers) and, in the older format, the view it is; only whole ones occur.
    if not isinstance(key, tuple) or len(key) not in (5, 6) or key[0] != "storage" or (len(key) == 6 and key[5]):
        raise PickleError(f"a persistent id of the form {type(key).__name__}")
    kind, name, numbers = key[1], key[2], key[4]
    if not isinstance(kind, _Kind) or not isinstance(name, str) or type(numbers) is not int:
        raise PickleError("a storage that is not described as one")
    if not 0 <= numbers < 1 << 48:
        raise PickleError(f"a storage of {numbers} numbers")
    return _Storage(kind, name, numbers)


def _state(value: Any) -> dict[str, _Tensor]:
    """Return the tensors of a state dict, which may lie in a training checkpoint."""
    for inner in ("state_dict", "model", "module"):
        if isinstance(value, dict) and isinstance(value.get(inner), dict):
            value = value[inner]
    if not isinstance(value, dict):
        raise PickleError(f"it holds a {type(value).__name__}, not tensors by name")
    found = {name: item for name, item in value.items() if isinstance(name, str) and isinstance(item, _Tensor)}
    if not found or len(found) > MAX_TENSORS:
        raise PickleError(f"it holds {len(found)} tensors")
    return found


def _add(entries: dict[str, TensorEntry], name: str, tensor: _Tensor, blob: Blob, begin: int, size: int) -> None:
    """Add a tensor of which the storage is `size` bytes of a blob from `begin` on."""
    kind = tensor.storage.kind
    if tensor.storage.numbers * kind.width != size:
        raise PickleError(f"the storage of {name!r} has {size} bytes, not {tensor.storage.numbers * kind.width}")
    if kind.dtype not in tensors.WIDTHS:
        return
    # Bytes up to the last number: what a tensor does not reach need not be read with it.
    last = sum((count - 1) * step for count, step in zip(tensor.shape, tensor.strides, strict=True))
    numbers = 0 if 0 in tensor.shape else last + 1
    first = begin + tensor.offset * kind.width
    if first + numbers * kind.width > begin + size:
        raise PickleError(f"the tensor {name!r} leaves its storage")
    packed = tensor.strides == tensors.packed_strides(tensor.shape)
    strides = None if packed else tensor.strides
    entries[name] = TensorEntry(name, kind.dtype, tensor.shape, first, first + numbers * kind.width, strides, blob)


def _read_old(reader: BinaryIO, blob: Blob) -> dict[str, TensorEntry]:
    machine = Machine(reader, _NAMES, _storage)
    if machine.load() != _MAGIC:
        raise PickleError("it does not begin as a file of PyTorch")
    if machine.load() != _PROTOCOL:
        raise PickleError("it has another protocol than 1001")
    system = machine.load()
    if isinstance(system, Mapping) and system.get("little_endian") is False:
        raise PickleError("its numbers are big-endian")
    state = _state(machine.load())
    keys = machine.load()
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys) or len(set(keys)) != len(keys):
        raise PickleError("its list of storages is none")
    widths = {tensor.storage.key: tensor.storage.kind.width for tensor in state.values()}
    places: dict[str, tuple[int, int]] = {}
    at = reader.tell()
    for key in keys:
        reader.seek(at)
        stated = reader.read(8)
        numbers = int.from_bytes(stated, "little", signed=True)
        # A storage that no tensor uses has no known width: nothing behind it can be found.
        if len(stated) != 8 or key not in widths or not 0 <= numbers < 1 << 48:
            raise PickleError(f"the storage {key!r} is not where it should be")
        size = numbers * widths[key]
        places[key] = (at + 8, size)
        at += 8 + size
    if at > blob.size:
        raise PickleError(f"its storages end at byte {at}, but it has {blob.size}")
    entries: dict[str, TensorEntry] = {}
    for name, tensor in state.items():
        if tensor.storage.key not in places:
            raise PickleError(f"it has no storage {tensor.storage.key!r}, which {name!r} needs")
        begin, size = places[tensor.storage.key]
        _add(entries, name, tensor, blob, begin, size)
    return entries
