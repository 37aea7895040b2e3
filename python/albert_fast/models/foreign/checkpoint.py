"""Read TensorFlow's checkpoints (V2): an index that is a sorted string table, and shards of plain bytes.

Format: `tensor_bundle.proto`, and LevelDB's table format (blocks of prefix-compressed keys, a footer of 48
bytes). TensorFlow writes the index without compression. Checksums of the index are compared; those of the
shards are not, because weights have no wrong length that would go unnoticed and a sum costs a second per 10 MB.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ...errors import CorruptModelError, ModelNotFoundError
from .. import tensors
from ..containers import blobs, protobuf
from ..containers.tree import Tree
from ..tensors import TensorEntry

MAX_INDEX = 64 << 20
MAX_TENSORS = 100_000
MAX_GRAPH = 64 << 20
OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_MAGIC = 0xDB4775248B80FB57
_STRING = 7
_DTYPES = {1: "F32", 2: "F64", 14: "BF16", 19: "F16"}


@dataclass(frozen=True, slots=True)
class Variable:
    """What the index says about one variable."""

    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    is_sliced: bool


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """An index, read and checked.

    Attributes
    ----------
    variables
        By the key of the index.
    names
        Names that the object graph of TensorFlow 2 gives to keys, where there is one.
    """

    tree: Tree
    prefix: str
    shards: int
    variables: Mapping[str, Variable]
    names: Mapping[str, str]

    def entry(self, key: str, name: str, shape: tuple[int, ...], strides: tuple[int, ...] | None) -> TensorEntry:
        """Return where a variable lies, seen with another shape and strides."""
        variable = self.variables[key]
        where = self.tree.where(f"{self.prefix}.index")
        dtype = _DTYPES.get(variable.dtype)
        if dtype is None:
            raise CorruptModelError(f"{where}: variable {key!r} has TensorFlow's type {variable.dtype}, not a float.")
        if variable.is_sliced:
            raise CorruptModelError(
                f"{where}: variable {key!r} is stored in slices, which is not read. Save the checkpoint without "
                "partitioned variables."
            )
        if tensors.count(variable.shape) * tensors.WIDTHS[dtype] != variable.size:
            raise CorruptModelError(f"{where}: variable {key!r} has {variable.size} bytes, which its shape denies.")
        end = variable.offset + variable.size
        return TensorEntry(name, dtype, shape, variable.offset, end, strides, _shard(self, variable))


def _shard(checkpoint: Checkpoint, variable: Variable) -> blobs.Blob:
    name = f"{checkpoint.prefix}.data-{variable.shard:05d}-of-{checkpoint.shards:05d}"
    blob = checkpoint.tree.files.get(name)
    if blob is None:
        raise ModelNotFoundError(
            f"{checkpoint.tree.where(checkpoint.prefix + '.index')} needs {name} beside it. Fetch all files of the "
            "checkpoint."
        )
    if variable.offset + variable.size > blob.size:
        raise CorruptModelError(
            f"{checkpoint.tree.where(name)} has {blob.size} bytes, but its index puts a variable up to byte "
            f"{variable.offset + variable.size}. The file is incomplete: fetch it again."
        )
    return blob


def read(tree: Tree, prefix: str) -> Checkpoint:
    """Read `PREFIX.index`.

    Raises
    ------
    CorruptModelError
        It is damaged.
    """
    where = tree.where(f"{prefix}.index")
    try:
        rows = dict(_table(tree.read(f"{prefix}.index", MAX_INDEX)))
        shards = _header(rows.pop(b"", b""))
        variables = {key.decode("utf-8"): _variable(value, shards) for key, value in rows.items()}
    except (ValueError, IndexError, struct.error) as error:
        if isinstance(error, CorruptModelError):
            raise
        raise CorruptModelError(
            f"{where} is not the index of a TensorFlow checkpoint: {error}. The file is damaged or incomplete: "
            "fetch it again."
        ) from None
    checkpoint = Checkpoint(tree, prefix, shards, variables, {})
    if OBJECT_GRAPH not in variables:
        return checkpoint
    return Checkpoint(tree, prefix, shards, variables, _object_names(checkpoint, where))


# ---------------------------------------------------------------------------------------------- the table


def _table(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    if len(data) < 48 or int.from_bytes(data[-8:], "little") != _MAGIC:
        raise ValueError("it does not end with a table's footer")
    footer = memoryview(data)[-48:-8]
    _, at = _handle(footer, 0)
    index, _ = _handle(footer, at)
    count = 0
    last = b""
    for _, handle in _block(data, *index):
        place, _ = _handle(memoryview(handle), 0)
        for key, value in _block(data, *place):
            count += 1
            if count > MAX_TENSORS or (count > 1 and key <= last):
                raise ValueError("its keys are too many or not in order")
            last = key
            yield key, value


def _handle(view: memoryview, at: int) -> tuple[tuple[int, int], int]:
    offset, at = protobuf.read_varint(view, at)
    size, at = protobuf.read_varint(view, at)
    return (offset, size), at


def _block(data: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    if offset + size + 5 > len(data) - 48 or size < 4:
        raise ValueError(f"a block of {size} bytes at byte {offset} leaves the file")
    kind = data[offset + size]
    if kind != 0:
        raise ValueError(
            f"its block at byte {offset} is compressed (kind {kind}); TensorFlow writes plain blocks, and only those "
            "are read"
        )
    stored = int.from_bytes(data[offset + size + 1 : offset + size + 5], "little")
    if stored != _masked_crc32c(data[offset : offset + size + 1]):
        raise ValueError(f"its block at byte {offset} has a wrong checksum")
    view = memoryview(data)[offset : offset + size]
    restarts = int.from_bytes(view[-4:], "little")
    end = size - 4 - 4 * restarts
    if end < 0:
        raise ValueError(f"its block at byte {offset} states {restarts} restarts")
    at = 0
    key = b""
    while at < end:
        shared, at = protobuf.read_varint(view, at)
        added, at = protobuf.read_varint(view, at)
        length, at = protobuf.read_varint(view, at)
        if shared > len(key) or at + added + length > end or added > 1 << 16:
            raise ValueError(f"its block at byte {offset} has an entry that leaves it")
        key = key[:shared] + bytes(view[at : at + added])
        at += added
        yield key, bytes(view[at : at + length])
        at += length


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        number = byte
        for _ in range(8):
            number = number >> 1 ^ (0x82F63B78 if number & 1 else 0)
        table.append(number)
    return table


_CRC32C = _crc_table()


def _masked_crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC32C[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


# -------------------------------------------------------------------------------------------- the entries


def _header(data: bytes) -> int:
    shards = endianness = 0
    for number, wire, value in protobuf.fields(data):
        if (number, wire) == (1, protobuf.VARINT):
            shards = protobuf.as_int(value)
        elif (number, wire) == (2, protobuf.VARINT):
            endianness = protobuf.as_int(value)
    if not 1 <= shards <= 10_000 or endianness != 0:
        raise ValueError(f"its header states {shards} shards and the byte order {endianness}")
    return shards


def _variable(data: bytes, shards: int) -> Variable:
    dtype = shard = offset = size = 0
    shape: tuple[int, ...] = ()
    is_sliced = False
    for number, wire, value in protobuf.fields(data):
        if wire == protobuf.VARINT and number in (1, 3, 4, 5):
            number_value = protobuf.as_int(value)
            if number == 1:
                dtype = number_value
            elif number == 3:
                shard = number_value
            elif number == 4:
                offset = number_value
            else:
                size = number_value
        elif number == 2:
            shape = tensor_shape(protobuf.as_bytes(value))
        elif number == 7:
            is_sliced = True
    if shard >= shards or max(offset, size) >= 1 << 62:
        raise ValueError(f"an entry lies at byte {offset} of shard {shard}, {size} bytes long")
    return Variable(dtype, shape, shard, offset, size, is_sliced)


def tensor_shape(data: memoryview) -> tuple[int, ...]:
    """Read a TensorShapeProto."""
    shape: list[int] = []
    for number, _, value in protobuf.fields(data):
        if number != 2:
            continue
        size = 0
        for inner, wire, item in protobuf.fields(protobuf.as_bytes(value)):
            if (inner, wire) == (1, protobuf.VARINT):
                size = protobuf.as_int(item)
        if not 0 <= size < 1 << 48:
            raise ValueError(f"a dimension of {size}")
        shape.append(size)
    if len(shape) > 16:
        raise ValueError(f"a shape of {len(shape)} dimensions")
    return tuple(shape)


def _object_names(checkpoint: Checkpoint, where: str) -> dict[str, str]:
    """Return the names in TensorFlow 2's TrackableObjectGraph, which is a string variable."""
    variable = checkpoint.variables[OBJECT_GRAPH]
    if variable.dtype != _STRING or variable.size > MAX_GRAPH:
        return {}
    data = blobs.read(blobs.part(_shard(checkpoint, variable), variable.offset, variable.size), MAX_GRAPH, OBJECT_GRAPH)
    names: dict[str, str] = {}
    try:
        # A string variable is its lengths as varints, their checksum, and the strings.
        length, at = protobuf.read_varint(memoryview(data), 0)
        text = memoryview(data)[at + 4 :]
        if len(text) != length:
            raise ValueError(f"a string of {length} bytes where {len(text)} are")
        for number, _, node in protobuf.fields(text):
            if number != 1:
                continue
            for inner, _, attribute in protobuf.fields(protobuf.as_bytes(node)):
                if inner == 2:
                    parts = {
                        n: bytes(protobuf.as_bytes(v))
                        for n, w, v in protobuf.fields(protobuf.as_bytes(attribute))
                        if w == protobuf.BYTES
                    }
                    names[parts.get(3, b"").decode("utf-8")] = parts.get(2, b"").decode("utf-8")
    except ValueError as error:
        raise CorruptModelError(f"{where}: its object graph cannot be read: {error}. Fetch the model again.") from None
    return names
