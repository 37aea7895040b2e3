"""Damaged and hostile containers: each is refused with an exception of ours, quickly, and nothing of it runs."""

from __future__ import annotations

import contextlib
import io
import json
import os
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import containers
import make_model
import onnx_graphs
from albert_fast import AlbertFastError, CorruptModelError, ModelNotFoundError
from albert_fast.models import read_any
from albert_fast.models.containers import blobs
from albert_fast.models.containers.protobuf import put_bytes, put_int
from containers import Call, Global, Items, Persistent

GEO = make_model.geometry()
WEIGHTS = make_model.make_weights(GEO)
Files = dict[str, bytes]
REFUSED = (CorruptModelError, ModelNotFoundError)


def spiece() -> bytes:
    return make_model.vocabulary(400)


def config() -> bytes:
    return json.dumps(make_model.config(GEO)).encode()


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that a pickle could name to do harm is called, and nothing is written."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("code of a model file ran")

    monkeypatch.setattr(os, "system", refuse)
    monkeypatch.setattr(zipfile.ZipFile, "extract", refuse)
    monkeypatch.setattr(zipfile.ZipFile, "extractall", refuse)
    monkeypatch.setattr(tarfile.TarFile, "extract", refuse)
    monkeypatch.setattr(tarfile.TarFile, "extractall", refuse)


# ------------------------------------------------------------------------------------------------- pickles


def torch_zip_of(state: bytes) -> bytes:
    return containers.zipped({"archive/data.pkl": state, "archive/data/0": b"\0" * 64}, deflate=False)


def evil(function: Any, *arguments: Any) -> bytes:
    return containers.pickled(Items({"x": Call(function, arguments)}))


FLOATS = Global("torch", "FloatStorage")
STORAGE = Persistent(("storage", FLOATS, "0", "cpu", 16))
REBUILD = Global("torch._utils", "_rebuild_tensor_v2")
FIRST = "embeddings.word_embeddings.weight"


def tensor(storage: Any = STORAGE, offset: Any = 0, shape: Any = (4, 4), strides: Any = (4, 1)) -> bytes:
    return containers.pickled(Items({FIRST: Call(REBUILD, (storage, offset, shape, strides, False, Items()))}))


PICKLES: dict[str, bytes] = {
    "os.system": evil(Global("os", "system"), "touch /tmp/x"),
    "posix.system": evil(Global("posix", "system"), "touch /tmp/x"),
    "builtins.eval": evil(Global("builtins", "eval"), "1"),
    "builtins.getattr": evil(Global("builtins", "getattr"), "a", "b"),
    "torch.load": evil(Global("torch.storage", "_load_from_bytes"), "x"),
    "a dotted name": evil(Global("torch._utils", "_rebuild_tensor_v2.__globals__"), 1),
    "a call of a call": evil(Call(Global("collections", "OrderedDict"), ()), 1),
    "a call of text": evil("os.system", "x"),
    "a named thing that is no function": evil(FLOATS, 1),
    "OrderedDict of a function": evil(Global("collections", "OrderedDict"), [(1, 2)]),
    "STACK_GLOBAL": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x01x\x85R.",
    "INST": b"(S'x'\nios\nsystem\n.",
    "OBJ": b"\x80\x02(cos\nsystem\nX\x01\x00\x00\x00xo.",
    "NEWOBJ": b"\x80\x02ccollections\nOrderedDict\n)\x81.",
    "BUILD of a class": b"\x80\x02ctorch\nFloatStorage\n}b.",
    "EXT1": b"\x80\x02\x82\x01.",
    "a mark as value": b"\x80\x02((u.",
    "nothing on the stack": b"\x80\x02.",
    "no end": b"\x80\x02" + b"N" * 1000,
    "a text of 4 GiB": b"\x80\x02X\xff\xff\xff\xff",
    "a text of 2**63": b"\x80\x04\x8d" + b"\xff" * 8,
    "a number of 255 bytes": b"\x80\x02\x8a\xff" + b"\x01" * 255 + b".",
    "an unknown memo": b"\x80\x02h\x07.",
    "a protocol of the future": b"\x80\x63N.",
    "a list": containers.pickled([1, 2]),
    "no tensors": containers.pickled(Items({"a": 1})),
    "a persistent id that is text": containers.pickled(Persistent(("x",))),
    "a storage of no class": tensor(Persistent(("storage", "FloatStorage", "0", "cpu", 16))),
    "a storage that is not there": tensor(Persistent(("storage", FLOATS, "7", "cpu", 16))),
    "a storage of another size": tensor(Persistent(("storage", FLOATS, "0", "cpu", 99))),
    "a storage outside": tensor(Persistent(("storage", FLOATS, "../version", "cpu", 16))),
    "a tensor past its storage": tensor(shape=(5, 4)),
    "an offset past the storage": tensor(offset=1),
    "a negative offset": tensor(offset=-1),
    "a negative stride": tensor(strides=(-4, 1)),
    "a huge stride": tensor(strides=(1 << 60, 1)),
    "a huge shape": tensor(shape=(1 << 47, 1 << 47), strides=(0, 0)),
    "more dimensions than strides": tensor(strides=(1,)),
    "a shape of text": tensor(shape=("4", "4")),
}


@pytest.mark.parametrize("what", PICKLES)
@pytest.mark.parametrize("old", [False, True])
def test_pickles(tmp_path: Path, what: str, old: bool) -> None:
    state = PICKLES[what]
    data = containers.torch_old({"w": np.zeros(16, np.float32)}, state) if old else torch_zip_of(state)
    files = {"config.json": config(), "pytorch_model.bin": data, "spiece.model": spiece()}
    with pytest.raises(CorruptModelError, match=r"PyTorch weights|embeddings"):
        read_any(containers.write_files(tmp_path / "m", files))


def test_a_raw_pickle_is_no_model(tmp_path: Path) -> None:
    files = {"config.json": config(), "pytorch_model.bin": PICKLES["os.system"], "spiece.model": spiece()}
    with pytest.raises(
        CorruptModelError, match=r"names os\.system, which is no part of weights; nothing of it was run"
    ):
        read_any(containers.write_files(tmp_path / "m", files))


# ------------------------------------------------------------------------------------------------ archives


def one_member(name: str, change: Callable[[zipfile.ZipInfo], object] = lambda info: None, data: bytes = b"x") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo(name)
        change(info)
        archive.writestr(info, data)
    return out.getvalue()


def link(info: zipfile.ZipInfo) -> None:
    info.external_attr = (stat.S_IFLNK | 0o777) << 16


def method(number: int) -> Callable[[zipfile.ZipInfo], None]:
    def change(info: zipfile.ZipInfo) -> None:
        info.compress_type = number

    return change


def patched(data: bytes, signature: bytes, offset: int, value: bytes) -> bytes:
    """Overwrite a field of the first local header or directory entry."""
    at = data.index(signature) + offset
    return data[:at] + value + data[at + len(value) :]


DIRECTORY, LOCAL = b"PK\x01\x02", b"PK\x03\x04"
GOOD_ZIP = containers.zipped({"a": b"x" * 100, "b": b"y" * 100}, deflate=False)


def quoted() -> bytes:
    """Two entries of the directory that share the bytes of one member, as in overlapping bombs."""
    at = GOOD_ZIP.index(DIRECTORY)
    second = GOOD_ZIP.index(DIRECTORY, at + 4)
    return GOOD_ZIP[: second + 42] + struct.pack("<I", 0) + GOOD_ZIP[second + 46 :]


def overlapping() -> bytes:
    """A first member that says it reaches into the second."""
    longer = struct.pack("<II", 150, 150)
    return patched(patched(GOOD_ZIP, DIRECTORY, 20, longer), LOCAL, 18, longer)


def bomb() -> bytes:
    return containers.zipped({"config.json": b"\0" * (300 << 20)})


def many() -> bytes:
    return containers.zipped({f"f{i}": b"" for i in range(10_001)}, deflate=False)


def twice() -> bytes:
    return GOOD_ZIP.replace(b"b", b"a")


ZIPS: dict[str, Callable[[], bytes]] = {
    "parent": lambda: one_member("../evil"),
    "parent inside": lambda: one_member("a/../../evil"),
    "absolute": lambda: one_member("/etc/evil"),
    "a drive": lambda: one_member("C:/evil"),
    "backslashes": lambda: one_member("a/b").replace(b"a/b", b"a\\b"),
    "a link": lambda: one_member("config.json", link, b"/etc/passwd"),
    "a device": lambda: one_member("x", lambda info: setattr(info, "external_attr", (stat.S_IFCHR | 0o600) << 16)),
    "encrypted": lambda: patched(GOOD_ZIP, DIRECTORY, 8, b"\x01\x00"),
    "bzip2": lambda: one_member("x", method(zipfile.ZIP_BZIP2)),
    "lzma": lambda: one_member("x", method(zipfile.ZIP_LZMA)),
    "overlapping members": overlapping,
    "quoted members": quoted,
    "two of one name": twice,
    "another name in the header": lambda: patched(GOOD_ZIP, LOCAL, 30, b"c"),
    "a member past the end": lambda: patched(GOOD_ZIP, DIRECTORY, 42, struct.pack("<I", 1 << 30)),
    "a directory past the end": lambda: patched(GOOD_ZIP, b"PK\x05\x06", 16, struct.pack("<I", 1 << 30)),
    "a stored member of two sizes": lambda: patched(GOOD_ZIP, DIRECTORY, 24, struct.pack("<I", 5000)),
    "a ratio": bomb,
    "ten thousand and one members": many,
    "cut": lambda: GOOD_ZIP[:-30],
    "only a signature": lambda: b"PK\x03\x04",
}


@pytest.mark.parametrize("what", ZIPS)
@pytest.mark.parametrize("where", ["model.zip", "albert_tensorflow", "pytorch_model.bin"])
def test_zips(tmp_path: Path, what: str, where: str) -> None:
    data = ZIPS[what]()
    path = tmp_path / "m"
    if where == "model.zip":
        path = tmp_path / where
        path.write_bytes(data)
    elif where == "albert_tensorflow":
        files = containers.spark_tensorflow(GEO, WEIGHTS, spiece())
        containers.write_files(path, {**files, where: data})
    else:
        containers.write_files(path, {"config.json": config(), where: data, "spiece.model": spiece()})
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(CorruptModelError):
        read_any(path)
    assert sorted(tmp_path.rglob("*")) == before


def tar_of(name: str, **attributes: Any) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        for key, value in attributes.items():
            setattr(member, key, value)
        archive.addfile(member)
    return out.getvalue()


def tar_bomb() -> bytes:
    return containers.tarred({"config.json": b"\0" * (300 << 20)})


def cut_tar() -> bytes:
    import gzip

    raw = gzip.decompress(containers.tarred({"a": b"x" * 5000}))
    return gzip.compress(raw[:3000])


def wrong_sum() -> bytes:
    data = containers.tarred({"a": os.urandom(5000)})
    return data[:-8] + b"\0\0\0\0" + data[-4:]


TARS: dict[str, Callable[[], bytes]] = {
    "parent": lambda: tar_of("../evil"),
    "absolute": lambda: tar_of("/evil"),
    "a link": lambda: tar_of("x", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    "a hard link": lambda: tar_of("x", type=tarfile.LNKTYPE, linkname="/etc/passwd"),
    "a device": lambda: tar_of("x", type=tarfile.CHRTYPE),
    "a pipe": lambda: tar_of("x", type=tarfile.FIFOTYPE),
    "a ratio": tar_bomb,
    "cut tar": cut_tar,
    "cut gzip": lambda: containers.tarred({"a": os.urandom(5000)})[:-2000],
    "two of one name": lambda: containers.tarred({"a": b"1", "./a": b"2"}),
    "nothing": lambda: b"\x1f\x8b",
    "damaged": lambda: b"\x1f\x8b\x08\0\0\0\0\0\0\0" + b"\xff" * 100,
}


@pytest.mark.parametrize("what", TARS)
def test_tars(tmp_path: Path, what: str) -> None:
    path = tmp_path / "model.tar.gz"
    path.write_bytes(TARS[what]())
    with pytest.raises(CorruptModelError):
        read_any(path)
    assert sorted(tmp_path.rglob("*")) == [path]


def test_a_wrong_checksum_is_found(tmp_path: Path) -> None:
    files = containers.spark_tensorflow(GEO, WEIGHTS, spiece())
    data = containers.zipped(files, deflate=False)
    inner = data.index(files["albert_tensorflow"])
    at = data.index(b"PK\x01\x02", inner) + 16  # the CRC of the inner zip's first member
    path = tmp_path / "m.zip"
    path.write_bytes(data[:at] + b"\0\0\0\0" + data[at + 4 :])
    with pytest.raises(CorruptModelError, match="its checksum is wrong"):
        read_any(path)


def test_a_member_that_is_larger_than_announced(tmp_path: Path) -> None:
    data = containers.zipped({"metadata/part-00000": containers.spark_metadata() + b" " * 500})
    smaller = struct.pack("<I", 20)
    path = tmp_path / "m.zip"
    path.write_bytes(patched(patched(data, DIRECTORY, 24, smaller), LOCAL, 22, smaller))
    with pytest.raises(CorruptModelError, match="more than the 20 bytes come out"):
        read_any(path)


def test_a_gzip_of_several_members(tmp_path: Path) -> None:
    import gzip

    raw = gzip.decompress(containers.tarred(checkpoint_folder()))
    path = tmp_path / "m.tar.gz"
    path.write_bytes(gzip.compress(raw[:7000]) + gzip.compress(raw[7000:]) + b"\0" * 100)
    assert read_any(path).pieces == 400
    path.write_bytes(gzip.compress(raw[:7000]) + b"no gzip")
    with pytest.raises(CorruptModelError, match="compressed data is damaged"):
        read_any(path)


def test_reading_back_and_forth_inflates_anew() -> None:
    path = Path(__file__)
    text = path.read_bytes()
    data = containers.zipped({"a": text})
    holder = Path(os.environ.get("TMPDIR", "/tmp")) / f"albert_fast_{os.getpid()}.zip"
    holder.write_bytes(data)
    try:
        from albert_fast.models.containers import archive

        blob = archive.of_zip(blobs.FileBlob.of(holder), holder, "x").files["a"]
        with blobs.part(blob, 10, len(text) - 20).open() as reader:
            for begin, size in ((5000, 300), (20, 40), (len(text) - 100, 500), (0, 10)):
                reader.seek(begin)
                assert reader.read(size) == text[10:-10][begin : begin + size]
    finally:
        holder.unlink()


# ---------------------------------------------------------------------------------------------- TensorFlow


def checkpoint_folder(**changes: bytes) -> Files:
    files = {"m" + name: data for name, data in containers.checkpoint(containers.google_variables(WEIGHTS)).items()}
    named = {name.replace("__", "."): data for name, data in changes.items()}
    return {
        **files,
        "albert_config.json": json.dumps(containers.google_config(GEO)).encode(),
        "30k-clean.model": spiece(),
        **named,
    }


INDEX = containers.checkpoint(containers.google_variables(WEIGHTS))[".index"]
HEADER = (b"", put_int(1, 1))
WORDS = b"bert/embeddings/word_embeddings"
TABLE = WEIGHTS[FIRST]


def index_of(*rows: tuple[bytes, bytes], **options: int) -> bytes:
    return containers.table([HEADER, *rows], **options)


def with_entry(**changes: int) -> bytes:
    variables = containers.google_variables(WEIGHTS)
    rows, at = [], 0
    for name in sorted(variables):
        changed = changes if name.encode() == WORDS else {}
        said = {"offset": at, **changed}
        rows.append((name.encode(), containers.bundle_entry(variables[name], **said)))
        at += variables[name].nbytes
    return index_of(*rows)


INDICES: dict[str, bytes] = {
    "empty": b"",
    "short": b"\0" * 47,
    "another footer": INDEX[:-8] + b"\0" * 8,
    "cut": INDEX[: len(INDEX) // 2] + INDEX[-48:],
    "a flipped bit": INDEX[:50] + bytes([INDEX[50] ^ 1]) + INDEX[51:],
    "compressed blocks": index_of((WORDS, containers.bundle_entry(TABLE, 0)), kind=1),
    "a block past the end": INDEX[:-48] + (b"\xff\xff\xff\xff\x0f\x10" * 2).ljust(40, b"\0") + INDEX[-8:],
    "an endless number": INDEX[:-48] + b"\xff" * 40 + INDEX[-8:],
    "no header": containers.table([(WORDS, containers.bundle_entry(TABLE, 0))]),
    "no shards": containers.table([(b"", put_int(1, 0))]),
    "a million shards": containers.table([(b"", put_int(1, 1_000_000))]),
    "big endian": containers.table([(b"", put_int(1, 1) + put_int(2, 1))]),
    "keys out of order": containers.table([HEADER, (b"b", b""), (b"a", b"")]),
    "a key that is no text": index_of((b"\xff\xfe", containers.bundle_entry(TABLE, 0))),
    "an entry that is none": index_of((WORDS, b"\xff\xff")),
    "no words": index_of((b"bert/pooler/dense/bias", containers.bundle_entry(TABLE, 0))),
    "another shard": with_entry(shard=3),
    "past the shard": with_entry(offset=1 << 40),
    "a negative place": with_entry(offset=(1 << 64) - 8),
    "another size": with_entry(size=8),
    "text": with_entry(dtype=7),
    "slices": index_of((WORDS, containers.bundle_entry(TABLE, 0) + put_bytes(7, b""))),
    "a huge shape": index_of((WORDS, put_int(1, 1) + put_bytes(2, put_bytes(2, put_int(1, 1 << 60))) + put_int(5, 4))),
    "an object graph that is none": index_of(
        (WORDS, containers.bundle_entry(TABLE, 0)),
        (b"_CHECKPOINTABLE_OBJECT_GRAPH", put_int(1, 7) + put_bytes(2, b"") + put_int(5, 64)),
    ),
}


@pytest.mark.parametrize("what", INDICES)
def test_checkpoint_indices(tmp_path: Path, what: str) -> None:
    files = checkpoint_folder(m__index=INDICES[what])
    with pytest.raises(CorruptModelError):
        read_any(containers.write_files(tmp_path / "m", files))


def test_compressed_blocks_are_called_so(tmp_path: Path) -> None:
    files = checkpoint_folder(m__index=INDICES["compressed blocks"])
    with pytest.raises(CorruptModelError, match=r"is compressed .kind 1.; TensorFlow writes plain blocks"):
        read_any(containers.write_files(tmp_path / "m", files))


def test_a_shard_that_is_missing_or_short(tmp_path: Path) -> None:
    files = checkpoint_folder()
    name = "m.data-00000-of-00001"
    short = {**files, name: files[name][:-5000]}
    with pytest.raises(CorruptModelError, match="is incomplete"):
        read_any(containers.write_files(tmp_path / "short", short))
    del files[name]
    with pytest.raises(ModelNotFoundError, match=name):
        read_any(containers.write_files(tmp_path / "none", files))


def test_two_checkpoints_in_one_folder(tmp_path: Path) -> None:
    files = checkpoint_folder()
    files |= {name.replace("m.", "n."): data for name, data in files.items() if name.startswith("m.")}
    with pytest.raises(CorruptModelError, match="several checkpoints: m, n"):
        read_any(containers.write_files(tmp_path / "m", files))


@pytest.mark.parametrize("seed", range(30))
def test_flipped_bits_of_an_index(tmp_path: Path, seed: int) -> None:
    """Every block has a checksum; what a flip outside of them changes is found, or changes nothing."""
    random = np.random.default_rng(seed)
    data = bytearray(INDEX)
    data[int(random.integers(len(data)))] ^= 1 << int(random.integers(8))
    folder = containers.write_files(tmp_path / "m", checkpoint_folder(m__index=bytes(data)))
    try:
        files = read_any(folder)
    except CorruptModelError:
        return
    assert [entry.name for entry in files.tensors] == list(make_model.weight_shapes(GEO))


def graph_folder(graph: bytes) -> Files:
    parts = containers.checkpoint(containers.google_variables(WEIGHTS))
    variables = {"variables/variables" + name: data for name, data in parts.items()}
    return {"saved_model.pb": graph, **variables, "assets/spiece.model": spiece()}


def deep_calls() -> bytes:
    names = [f"f{i}" for i in range(5000)]
    functions = {
        name: [containers.call("c", below, [])] for name, below in zip(names, names[1:] + names[:1], strict=True)
    }
    return containers.graph_def([containers.call("c", "f0", [])], functions)


def circle() -> bytes:
    nodes = [
        containers.graph_node("a", "Identity", ["b"]),
        containers.graph_node("b", "Identity", ["a"]),
        containers.graph_node("r", "Reshape", ["a", "a"]),
        containers.graph_node("s", "Softmax", ["b"]),
        containers.graph_node("m", "MatMul", ["s", "m"]),
    ]
    return containers.graph_def(nodes)


def long_chain() -> bytes:
    nodes = [containers.graph_node(str(i), "Softmax", [str(i + 1)]) for i in range(50_000)]
    return containers.graph_def([*nodes, containers.graph_node("m", "MatMul", ["0"])])


GRAPHS: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "noise": lambda: b"\xff" * 100,
    "HTML": lambda: b"<html><body>404</body></html>",
    "a length past the end": lambda: b"\x0a\xff\xff\xff\xff\x0f",
    "no graph": lambda: containers.saved_model(b"")[:2],
    "cut": lambda: containers.graph_def(containers.albert_nodes(GEO))[:-7],
    "a name that is no text": lambda: put_bytes(1, put_bytes(1, b"\xff\xff")),
    "calls that call each other": deep_calls,
    "a circle": circle,
    "a long chain": long_chain,
}


@pytest.mark.parametrize("what", GRAPHS)
def test_tensorflow_graphs(tmp_path: Path, what: str) -> None:
    """A graph that tells nothing, or nothing true, is an error: never a guess, never a hang."""
    with pytest.raises(AlbertFastError):
        read_any(containers.write_files(tmp_path / "m", graph_folder(GRAPHS[what]())))


# ---------------------------------------------------------------------------------------------------- ONNX


def graph_model(style: str = "torch 1") -> onnx.ModelProto:
    return onnx_graphs.albert(GEO, WEIGHTS, style)


def external(location: str, **said: str) -> onnx.ModelProto:
    model = graph_model()
    constant = next(c for c in model.graph.initializer if c.name == FIRST)
    constant.ClearField("raw_data")
    constant.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": location, **said}.items():
        constant.external_data.add(key=key, value=value)
    return model


def renamed_input(name: str) -> onnx.ModelProto:
    model = graph_model()
    model.graph.input[0].name = name
    for node in model.graph.node:
        for index, given in enumerate(node.input):
            if given == "input_ids":
                node.input[index] = name
    return model


def float_input() -> onnx.ModelProto:
    model = onnx_graphs.albert(GEO, WEIGHTS, "torch 1", detour=True)
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    return model


def no_output() -> onnx.ModelProto:
    model = graph_model()
    del model.graph.output[0]
    return model


def wrong_constant() -> onnx.ModelProto:
    model = graph_model()
    constant = next(c for c in model.graph.initializer if c.name == FIRST)
    constant.dims[0] = 401
    return model


SIZE = str(WEIGHTS[FIRST].nbytes)
ONNX: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "noise": lambda: b"\xff" * 100,
    "HTML": lambda: b"<!doctype html><title>404</title>",
    "cut": lambda: graph_model().SerializeToString()[:-1000],
    "no graph": lambda: put_int(1, 8),
    "two graphs": lambda: put_bytes(7, b"") * 2,
    "an empty graph": lambda: put_bytes(7, b""),
    "a length past the end": lambda: b"\x3a\xff\xff\xff\xff\x0f",
    "data above": lambda: external("../../etc/passwd").SerializeToString(),
    "data of the system": lambda: external("/etc/passwd").SerializeToString(),
    "data in a folder": lambda: external("a/b").SerializeToString(),
    "data nowhere": lambda: external("").SerializeToString(),
    "data that is not there": lambda: external("nothing").SerializeToString(),
    "data past its file": lambda: external("data", offset="8", length=SIZE).SerializeToString(),
    "data of another size": lambda: external("data", length="8").SerializeToString(),
    "a place that is no number": lambda: external("data", offset="-8").SerializeToString(),
    "a place of a thousand digits": lambda: external("data", offset="9" * 1000).SerializeToString(),
    "another size than its bytes": lambda: wrong_constant().SerializeToString(),
    "no input_ids": lambda: renamed_input("tokens").SerializeToString(),
    "floats as input_ids": lambda: float_input().SerializeToString(),
    "no last_hidden_state": lambda: no_output().SerializeToString(),
    "a negative dimension": lambda: put_bytes(
        7, put_bytes(5, put_int(1, (1 << 64) - 4) + put_int(2, 1) + put_bytes(8, b"a"))
    ),
    "an endless circle": lambda: _circle().SerializeToString(),
}


def _circle() -> onnx.ModelProto:
    model = graph_model()
    last = next(node for node in model.graph.node if node.output[0] == "last_hidden_state")
    last.input[0] = "last_hidden_state"
    return model


@pytest.mark.parametrize("what", ONNX)
@pytest.mark.filterwarnings("ignore::albert_fast.ForeignGraphWarning")
def test_onnx_graphs(tmp_path: Path, what: str) -> None:
    from albert_fast import AlbertEmbeddings

    files = {"model.onnx": ONNX[what](), "data": WEIGHTS[FIRST].tobytes(), "spiece.model": spiece()}
    with pytest.raises(REFUSED):
        AlbertEmbeddings.load(containers.write_files(tmp_path / "m", files))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.filterwarnings("ignore::albert_fast.ForeignGraphWarning")
def test_flipped_bytes_of_a_graph(tmp_path: Path, seed: int) -> None:
    """A flip in a weight is another weight; anywhere else it is found, or the graph is run as it is."""
    random = np.random.default_rng(seed)
    data = bytearray(graph_model("torch 2").SerializeToString())
    for _ in range(3):
        data[int(random.integers(len(data)))] = int(random.integers(256))
    files = {"model.onnx": bytes(data), "spiece.model": spiece()}
    with contextlib.suppress(AlbertFastError):
        read_any(containers.write_files(tmp_path / "m", files))


# --------------------------------------------------------------------------------------------------- Spark


SPARK: dict[str, Callable[[Files], Files]] = {
    "metadata that is no JSON": lambda f: {**f, "metadata/part-00000": b"{"},
    "metadata that is a list": lambda f: {**f, "metadata/part-00000": b"[]"},
    "no class": lambda f: {**f, "metadata/part-00000": b"{}"},
    "another stage": lambda f: {**f, "metadata/part-00000": containers.spark_metadata("x.y.BertEmbeddings")},
    "parameters that are a list": lambda f: {
        **f,
        "metadata/part-00000": b'{"class": "a.AlbertEmbeddings", "paramMap": []}',
    },
    "a batch size of text": lambda f: {**f, "metadata/part-00000": containers.spark_metadata(batchSize="8")},
    "openvino": lambda f: {**f, "metadata/part-00000": containers.spark_metadata(engine="openvino")},
    "the other engine's file": lambda f: {**f, "metadata/part-00000": containers.spark_metadata(engine="onnx")},
    "no vocabulary": lambda f: {name: data for name, data in f.items() if name != "albert_spp"},
    "no graph": lambda f: {**f, "albert_tensorflow": containers.zipped({"variables.index": b"x"})},
    "no zip": lambda f: {**f, "albert_tensorflow": b"not a zip"},
    "a vocabulary of noise": lambda f: {**f, "albert_spp": b"\xff" * 50},
}


@pytest.mark.parametrize("what", SPARK)
def test_saved_models_of_spark_nlp(tmp_path: Path, what: str) -> None:
    files = SPARK[what](containers.spark_tensorflow(GEO, WEIGHTS, spiece()))
    with pytest.raises(REFUSED):
        read_any(containers.write_files(tmp_path / "m", files))


def test_a_folder_of_very_many_files_is_read_near_its_top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from albert_fast.models.containers import tree

    monkeypatch.setattr(tree, "MAX_FILES", 20)
    folder = make_model.write_folder(tmp_path / "m")
    containers.write_files(folder, {f"a/b/f{i}": b"" for i in range(50)} | {"a/c/d/e": b""})
    found = tree.of_folder(folder)
    assert {"config.json", "a/b/f49"} <= set(found.files)
    assert "a/c/d/e" not in found.files
    assert read_any(folder).pieces == 400


def test_links_that_go_round_are_followed_once(tmp_path: Path) -> None:
    folder = make_model.write_folder(tmp_path / "m")
    (folder / "again").symlink_to(folder)
    assert read_any(folder).pieces == 400
