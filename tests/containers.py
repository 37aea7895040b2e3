"""Writers of the containers that models come in, for tests: PyTorch's two formats, TensorFlow's checkpoint and graph,
Spark NLP's folders, Java object streams. None of them needs the package that usually writes the format.
"""

from __future__ import annotations

import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import make_model
from albert_fast.models.containers.protobuf import put_bytes, put_int, varint

# --------------------------------------------------------------------------------------------------- pickle


@dataclass(frozen=True)
class Global:
    """A name in a pickle."""

    module: str
    name: str


@dataclass(frozen=True)
class Call:
    """A REDUCE: a name called with arguments."""

    function: Any
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Persistent:
    """A persistent id."""

    key: tuple[Any, ...]


class Items(dict):  # type: ignore[type-arg]
    """An OrderedDict, as state dicts are."""


def pickled(value: Any) -> bytes:
    """Return a value as a pickle of protocol 2, written by hand so that it can name anything."""
    return b"\x80\x02" + _opcodes(value) + b"."


def _opcodes(value: Any) -> bytes:
    if isinstance(value, Items):
        start = _opcodes(Call(Global("collections", "OrderedDict"), ()))
        return start + b"(" + b"".join(_opcodes(k) + _opcodes(v) for k, v in value.items()) + b"u"
    if isinstance(value, dict):
        return b"}(" + b"".join(_opcodes(k) + _opcodes(v) for k, v in value.items()) + b"u"
    if isinstance(value, list):
        return b"](" + b"".join(map(_opcodes, value)) + b"e"
    if isinstance(value, tuple):
        return b"(" + b"".join(map(_opcodes, value)) + b"t"
    if isinstance(value, Global):
        return f"c{value.module}\n{value.name}\n".encode()
    if isinstance(value, Call):
        return _opcodes(value.function) + _opcodes(value.arguments) + b"R"
    if isinstance(value, Persistent):
        return _opcodes(value.key) + b"Q"
    if isinstance(value, bool):
        return b"\x88" if value else b"\x89"
    if isinstance(value, int):
        if 0 <= value < 256:
            return b"K" + bytes([value])
        if -(1 << 31) <= value < 1 << 31:
            return b"J" + struct.pack("<i", value)
        data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
        return b"\x8a" + bytes([len(data)]) + data
    if isinstance(value, str):
        return b"X" + struct.pack("<I", len(value.encode())) + value.encode()
    assert value is None
    return b"N"


_STORAGES = {"f4": "FloatStorage", "f2": "HalfStorage", "f8": "DoubleStorage", "i8": "LongStorage"}


def torch_tensor(array: make_model.Array, key: str, *, old: bool = False, turned: bool = False) -> Call:
    """Return how PyTorch pickles a tensor; `turned` stores the transpose and says so with strides."""
    kind = Global("torch", _STORAGES[array.dtype.str[1:]])
    where: tuple[Any, ...] = ("storage", kind, key, "cpu", array.size)
    strides = tuple(step // array.itemsize for step in np.ascontiguousarray(array).strides)
    if turned:
        strides = (1, array.shape[0])
    arguments = (Persistent((*where, None) if old else where), 0, array.shape, strides, False, Items())
    return Call(Global("torch._utils", "_rebuild_tensor_v2"), arguments)


def torch_zip(tensors: Mapping[str, make_model.Array], turned: Sequence[str] = (), deflate: bool = False) -> bytes:
    """Return a `pytorch_model.bin` as PyTorch writes it since 1.6."""
    out = io.BytesIO()
    state = Items({n: torch_tensor(a, str(i), turned=n in turned) for i, (n, a) in enumerate(tensors.items())})
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", pickled(state))
        archive.writestr("archive/byteorder", "little")
        for index, (name, array) in enumerate(tensors.items()):
            archive.writestr(f"archive/data/{index}", (array.T if name in turned else array).tobytes())
        archive.writestr("archive/version", "3\n")
    return out.getvalue()


def torch_old(tensors: Mapping[str, make_model.Array], state: bytes | None = None) -> bytes:
    """Return a `pytorch_model.bin` as PyTorch wrote it before 1.6; `state` takes the place of the pickled tensors."""
    out = pickled(0x1950A86A20F9469CFC6C) + pickled(1001)
    out += pickled({"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}})
    out += state or pickled(
        Items({n: torch_tensor(a, f"key{i}", old=True) for i, (n, a) in enumerate(tensors.items())})
    )
    out += pickled([f"key{i}" for i in range(len(tensors))])
    for array in tensors.values():
        out += struct.pack("<q", array.size) + array.tobytes()
    return out


# ----------------------------------------------------------------------------------------------- TensorFlow

_LAYER_NAMES = {
    "attention.query": "attention_1/self/query",
    "attention.key": "attention_1/self/key",
    "attention.value": "attention_1/self/value",
    "attention.dense": "attention_1/output/dense",
    "attention.LayerNorm": "LayerNorm",
    "ffn": "ffn_1/intermediate/dense",
    "ffn_output": "ffn_1/intermediate/output/dense",
    "full_layer_layer_norm": "LayerNorm_1",
}


def google_variables(weights: Mapping[str, make_model.Array], scope: str = "bert/") -> dict[str, make_model.Array]:
    """Return weights under Google's names and in TensorFlow's layout, plus what a trainer leaves beside them."""
    found: dict[str, make_model.Array] = {}
    for name, array in weights.items():
        module, _, leaf = name.rpartition(".")
        is_norm = "LayerNorm" in name or "layer_norm" in name
        leaf = {"weight": "gamma" if is_norm else "kernel", "bias": "beta" if is_norm else "bias"}[leaf]
        if module.startswith("encoder.albert_layer_groups."):
            _, _, group, _, inner, rest = module.split(".", 5)
            module = f"encoder/transformer/group_{group}/inner_group_{inner}/{_LAYER_NAMES[rest]}"
        elif module == "pooler":
            module = "pooler/dense"
        if module.endswith("_embeddings"):
            found[scope + module.replace(".", "/")] = array
            continue
        value = array.T.copy() if leaf == "kernel" else array
        found[f"{scope}{module.replace('.', '/')}/{leaf}"] = value
    found[f"{scope}encoder/embedding_hidden_mapping_in/bias/adam_m"] = np.zeros(3, np.float32)
    found["cls/predictions/output_bias"] = np.zeros(7, np.float32)
    found["global_step"] = np.array(5, np.int64)
    return found


def crc32c(data: bytes) -> int:
    """Return the masked CRC-32C of LevelDB's tables, one bit at a time."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def table(rows: Sequence[tuple[bytes, bytes]], per_block: int = 8, kind: int = 0) -> bytes:
    """Return a string table with prefix-compressed keys, in blocks of `per_block` rows."""
    out = bytearray()

    def add(block_rows: Sequence[tuple[bytes, bytes]]) -> bytes:
        block, last = bytearray(), b""
        for key, value in block_rows:
            shared = 0
            while shared < min(len(last), len(key)) and last[shared] == key[shared]:
                shared += 1
            block += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
            last = key
        block += struct.pack("<II", 0, 1) + bytes([kind])  # one restart, at 0
        place = varint(len(out)) + varint(len(block) - 1)
        out.extend(block + struct.pack("<I", crc32c(bytes(block))))
        return place

    index = []
    for at in range(0, len(rows), per_block):
        part = rows[at : at + per_block]
        index.append((part[-1][0], add(part)))
    meta = add([])
    handles = meta + add(index)
    return bytes(out) + handles.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


_DTYPES = {"f4": 1, "f8": 2, "i8": 9, "f2": 19}


def bundle_entry(array: make_model.Array, offset: int, shard: int = 0, **changes: int) -> bytes:
    """Return a BundleEntryProto; `changes` sets dtype, shard, offset or size."""
    shape = b"".join(put_bytes(2, put_int(1, size)) for size in array.shape)
    said = {"dtype": _DTYPES[array.dtype.str[1:]], "shard": shard, "offset": offset, "size": array.nbytes, **changes}
    out = put_int(1, said["dtype"]) + put_bytes(2, shape)
    return out + put_int(3, said["shard"]) + put_int(4, said["offset"]) + put_int(5, said["size"])


def checkpoint(variables: Mapping[str, make_model.Array], shards: int = 1, **table_options: int) -> dict[str, bytes]:
    """Return the files of a checkpoint by what stands behind the prefix: ".index", ".data-00000-of-00001"."""
    rows = [(b"", put_int(1, shards))]
    data = [bytearray() for _ in range(shards)]
    for number, name in enumerate(sorted(variables)):
        shard = number % shards
        rows.append((name.encode(), bundle_entry(variables[name], len(data[shard]), shard)))
        data[shard] += variables[name].tobytes()
    files = {f".data-{i:05d}-of-{shards:05d}": bytes(part) for i, part in enumerate(data)}
    return {".index": table(rows, **table_options), **files}


def google_config(geo: Mapping[str, Any]) -> dict[str, Any]:
    """Return Google's albert_config.json, in which "gelu" means the formula with tanh."""
    kept = {key: value for key, value in geo.items() if key != "layer_norm_eps"}
    return {**kept, "hidden_act": "gelu", "net_structure_type": 0, "gap_size": 0}


def graph_node(name: str, op: str, inputs: Sequence[str] = (), **attributes: bytes) -> bytes:
    """Return a field of a GraphDef or FunctionDef body with one node."""
    out = put_bytes(1, name.encode()) + put_bytes(2, op.encode()) + b"".join(put_bytes(3, i.encode()) for i in inputs)
    for key, value in attributes.items():
        out += put_bytes(5, put_bytes(1, key.encode()) + put_bytes(2, value))
    return out


def constant(name: str, value: float | list[int]) -> bytes:
    """Return a Const node of a float, or of whole numbers."""
    if isinstance(value, float):
        tensor = put_int(1, 1) + put_bytes(2, b"") + put_bytes(5, struct.pack("<f", value))
    else:
        content = struct.pack(f"<{len(value)}i", *value)
        tensor = put_int(1, 3) + put_bytes(2, put_bytes(2, put_int(1, len(value)))) + put_bytes(4, content)
    return graph_node(name, "Const", value=put_bytes(8, tensor))


def albert_nodes(geo: Mapping[str, Any]) -> list[bytes]:
    """Return nodes with the parts of an ALBERT's graph that tell its geometry. It computes nothing."""
    heads, size = geo["num_attention_heads"], geo["hidden_size"] // geo["num_attention_heads"]
    nodes = [graph_node("in", "Placeholder"), constant("shape", [-1, 7, heads, size])]
    nodes.append(constant("epsilon", geo["layer_norm_eps"]))
    last = "in"
    op = {"gelu_new": "Tanh", "gelu": "Erf", "relu": "Relu"}[geo["hidden_act"]]
    for layer in range(geo["num_hidden_layers"] * geo["inner_group_num"]):
        p = f"layer_{layer}/"
        nodes += [
            graph_node(p + "split", "Reshape", [last, "shape"]),
            graph_node(p + "softmax", "Softmax", [p + "split"]),
            graph_node(p + "dropout", "Identity", [p + "softmax"]),
            graph_node(p + "context", "BatchMatMulV2", [p + "dropout", p + "split"]),
            graph_node(p + "variance", "AddV2", [p + "context", "epsilon"]),
            graph_node(p + "root", "Rsqrt", [p + "variance"]),
            graph_node(p + "cube", "Pow", [p + "root", "epsilon"]),
            graph_node(p + "active", op, [p + "cube", "^in"]),
        ]
        last = p + "active"
    nodes.append(graph_node("classes", "Softmax", [last]))  # a classifier's, which is no layer
    return nodes


def graph_def(nodes: Sequence[bytes], functions: Mapping[str, Sequence[bytes]] | None = None) -> bytes:
    """Return a GraphDef."""
    out = b"".join(put_bytes(1, node) for node in nodes)
    library = b""
    for name, body in (functions or {}).items():
        function = put_bytes(1, put_bytes(1, name.encode())) + b"".join(put_bytes(3, node) for node in body)
        library += put_bytes(1, function)
    return out + (put_bytes(2, library) if library else b"")


def saved_model(graph: bytes) -> bytes:
    """Return a SavedModel around a GraphDef."""
    return put_int(1, 1) + put_bytes(2, put_bytes(1, b"") + put_bytes(2, graph))


def call(name: str, function: str, inputs: Sequence[str]) -> bytes:
    """Return a node that calls a function."""
    return graph_node(name, "StatefulPartitionedCall", inputs, f=put_bytes(10, put_bytes(1, function.encode())))


# ---------------------------------------------------------------------------------------- archives and Spark


def zipped(files: Mapping[str, bytes], deflate: bool = True) -> bytes:
    """Return a zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(files: Mapping[str, bytes]) -> bytes:
    """Return a tar.gz."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def write_files(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files below a folder."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def spark_metadata(java_class: str = "com.johnsnowlabs.nlp.embeddings.AlbertEmbeddings", **params: Any) -> bytes:
    """Return the content of metadata/part-00000."""
    name = java_class.rpartition(".")[2]
    content = {
        "class": java_class,
        "timestamp": 1,
        "sparkVersion": "3.5.0",
        "uid": f"{name}_0123456789ab",
        "paramMap": params,
        "defaultParamMap": {"engine": "tensorflow", "batchSize": 8, "dimension": 768, "caseSensitive": False},
    }
    return json.dumps(content).encode() + b"\n"


def spark_tensorflow(
    geo: Mapping[str, Any], weights: Mapping[str, make_model.Array], spiece: bytes
) -> dict[str, bytes]:
    """Return the files of an AlbertEmbeddings that Spark NLP saved with its TensorFlow engine."""
    parts = checkpoint(google_variables(weights, "module/bert/"))
    inner = {"variables" + name: data for name, data in parts.items()}
    inner["variables_temp/part-00000-of-00001.index"] = b"left over"
    inner["saved_model.pb"] = graph_def(albert_nodes(geo))
    return {
        "metadata/part-00000": spark_metadata(batchSize=3, caseSensitive=True, inputCols=["s", "t"], outputCol="e"),
        "metadata/_SUCCESS": b"",
        "albert_tensorflow": zipped(inner),
        "albert_spp": spiece,
    }


# ----------------------------------------------------------------------------------------- Java's object stream


def sequence_file(values: Sequence[bytes]) -> bytes:
    """Return a Hadoop SequenceFile of BytesWritable."""
    names = [b"org.apache.hadoop.io.NullWritable", b"org.apache.hadoop.io.BytesWritable"]
    out = b"SEQ\x06" + b"".join(bytes([len(name)]) + name for name in names) + b"\0\0" + b"\0" * 4 + b"s" * 16
    for value in values:
        out += struct.pack(">iii", len(value) + 4, 0, len(value)) + value
    return out


def _java_text(text: str) -> bytes:
    return struct.pack(">H", len(text.encode())) + text.encode()


def _java_class(name: str, flags: int, fields: Sequence[tuple[str, str]]) -> bytes:
    out = b"\x72" + _java_text(name) + b"\0" * 8 + bytes([flags]) + struct.pack(">H", len(fields))
    for field_name, kind in fields:
        out += (b"I" if kind == "I" else b"L") + _java_text(field_name)
        out += b"" if kind == "I" else b"\x74" + _java_text(kind)
    return out + b"\x78\x70"  # nothing more about it, and it extends nothing


def tokenizer_rules(patterns: Sequence[str], flags: int = 0, factory: str = "RuleFactory") -> bytes:
    """Return a Java stream with a RuleFactory of these regular expressions, as a TokenizerModel saves it."""
    package = "com.johnsnowlabs.nlp.util.regex."
    rules = b""
    for pattern in patterns:
        java_pattern = b"\x73" + _java_class(
            "java.util.regex.Pattern", 2, [("flags", "I"), ("pattern", "Ljava/lang/String;")]
        )
        java_pattern += struct.pack(">i", flags) + b"\x74" + _java_text(pattern)
        regex = b"\x73" + _java_class("scala.util.matching.Regex", 2, [("pattern", "Ljava/util/regex/Pattern;")])
        rule = b"\x73" + _java_class(f"{package}RegexRule", 2, [("regex", "Lscala/util/matching/Regex;")])
        rules += rule + regex + java_pattern
    scala_list = b"\x73" + _java_class("scala.collection.immutable.List$SerializationProxy", 3, [])
    end = b"\x73" + _java_class("scala.collection.immutable.ListSerializeEnd$", 2, [])
    made = b"\x73" + _java_class(package + factory, 2, [("rules", "Lscala/collection/Seq;")])
    array = b"\x75" + _java_class(f"[L{package}{factory};", 2, []) + struct.pack(">i", 1)
    return b"\xac\xed\x00\x05" + array + made + scala_list + rules + end + b"\x78"
