"""Models written for other systems, run there: ONNX's own checker, ONNX Runtime's Python package."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

import make_model
from albert_fast import AlbertEmbeddings
from albert_fast.errors import ModelNotFoundError, ParameterError, WriteError
from albert_fast.models import export_model, onnx_writer, read_folder
from base_weights import write_base
from conftest import ModelMaker
from reference_albert import ReferenceAlbert
from test_encoder import random_sequences, rows

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
TOLERANCE = 1e-5

GEOMETRIES: list[dict[str, Any]] = [
    {},
    {"hidden_act": "gelu"},
    {"hidden_act": "relu"},
    {"num_hidden_layers": 5, "num_hidden_groups": 2},
    {"num_hidden_layers": 18, "num_hidden_groups": 14},
    {"num_hidden_groups": 2, "inner_group_num": 2, "num_hidden_layers": 4},
    {"hidden_size": 21, "num_attention_heads": 3, "intermediate_size": 33, "embedding_size": 5},
    {"num_hidden_layers": 1, "layer_norm_eps": 1e-5},
]


def session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 1
    return onnxruntime.InferenceSession(os.fspath(path), options, providers=["CPUExecutionProvider"])


def batch(sequences: list[list[int]], pad: int = 0) -> dict[str, NDArray[np.int64]]:
    """Pad sequences to one length, with a mask that hides the padding."""
    longest = max(map(len, sequences))
    ids = np.array([row + [pad] * (longest - len(row)) for row in sequences], np.int64)
    mask = np.array([[1] * len(row) + [0] * (longest - len(row)) for row in sequences], np.int64)
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}


@pytest.mark.parametrize("changes", GEOMETRIES, ids=str)
def test_onnx_runtime_gives_our_vectors(make_folder: ModelMaker, tmp_path: Path, changes: dict[str, Any]) -> None:
    folder = make_folder(seed=1, **changes)
    model = AlbertEmbeddings.load(folder)
    assert model.export("onnx", tmp_path / "out") == str(tmp_path / "out")
    assert names(tmp_path / "out") == ["config.json", "model.onnx", "spiece.model"]
    onnx.checker.check_model(os.fspath(tmp_path / "out/model.onnx"), full_check=True)
    geometry = make_model.geometry(**changes)
    sequences = random_sequences(9, 60, geometry["vocab_size"])
    # What is hidden by the mask may be anything: Spark NLP has <unk> there, others <pad>.
    run = session(tmp_path / "out/model.onnx").run
    hidden, pooled = run(["last_hidden_state", "pooler_output"], batch(sequences, pad=1))
    reference = ReferenceAlbert(make_model.make_weights(geometry, 1), geometry)
    for number, (own, ids) in enumerate(zip(rows(model, sequences), sequences, strict=True)):
        np.testing.assert_allclose(hidden[number, : len(ids)], own, rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(hidden[number, : len(ids)], reference.hidden_states(ids)[-1], rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(pooled[number], reference.pooled(ids), rtol=0, atol=TOLERANCE)


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_folder_for_spark_nlp(make_folder: ModelMaker, tmp_path: Path) -> None:
    folder = make_folder(seed=2)
    AlbertEmbeddings.load(folder).export("spark-nlp", tmp_path / "out")
    assert names(tmp_path / "out") == ["assets/spiece.model", "config.json", "model.onnx"]
    assert (tmp_path / "out/assets/spiece.model").read_bytes() == (folder / "spiece.model").read_bytes()
    run = session(tmp_path / "out/model.onnx")
    assert [(i.name, i.type, i.shape) for i in run.get_inputs()] == [
        (name, "tensor(int64)", ["batch", "sequence"]) for name in INPUTS
    ]
    assert [(o.name, o.type, o.shape) for o in run.get_outputs()] == [
        ("last_hidden_state", "tensor(float)", ["batch", "sequence", 32])
    ]


def test_the_graph_is_of_standard_operators_with_each_weight_once(make_folder: ModelMaker, tmp_path: Path) -> None:
    folder = make_folder(num_hidden_layers=6, num_hidden_groups=2)
    export_model(read_folder(folder), "onnx", tmp_path / "x.onnx")
    proto = onnx.load(tmp_path / "x.onnx")
    assert [(entry.domain, entry.version) for entry in proto.opset_import] == [("", 17)]
    assert (proto.ir_version, proto.producer_name) == (8, "albert_fast")
    assert {node.domain for node in proto.graph.node} == {""}
    sizes = {item.name: int(np.prod(item.dims)) for item in proto.graph.initializer}
    assert len(sizes) == len(proto.graph.initializer)
    shapes = make_model.weight_shapes(make_model.geometry(num_hidden_layers=6, num_hidden_groups=2))
    assert {name: sizes[name] for name in shapes} == {name: int(np.prod(shape)) for name, shape in shapes.items()}
    assert sum(sizes[name] for name in set(sizes) - set(shapes)) < 30 + 512  # one row of position numbers
    onnx.checker.check_model(proto, full_check=True)


def test_segments_are_read(make_folder: ModelMaker, tmp_path: Path) -> None:
    folder = make_folder(seed=3)
    export_model(read_folder(folder), "onnx", tmp_path / "x.onnx")
    feed = batch([[2, 7, 8, 9, 3]])
    feed["token_type_ids"][:, 3:] = 1
    (hidden,) = session(tmp_path / "x.onnx").run(["last_hidden_state"], feed)
    geometry = make_model.geometry()
    weights = make_model.make_weights(geometry, 3)
    kinds = weights["embeddings.token_type_embeddings.weight"]
    positions = weights["embeddings.position_embeddings.weight"].astype(np.float64)
    positions[3:5] += kinds[1].astype(np.float64) - kinds[0]  # the reference knows one segment only
    reference = ReferenceAlbert({**weights, "embeddings.position_embeddings.weight": positions}, geometry)
    np.testing.assert_allclose(hidden[0], reference.hidden_states([2, 7, 8, 9, 3])[-1], atol=TOLERANCE)


def test_masks_with_holes_and_without_any_key(make_folder: ModelMaker, tmp_path: Path) -> None:
    export_model(read_folder(make_folder()), "onnx", tmp_path / "x.onnx")
    run = session(tmp_path / "x.onnx").run
    feed = batch([[2, 7, 8, 9, 3]])
    feed["attention_mask"][0, 2] = 0
    (first,) = run(["last_hidden_state"], feed)
    feed["input_ids"][0, 2] = 99
    (second,) = run(["last_hidden_state"], feed)
    seen = [0, 1, 3, 4]
    assert (first[0, seen] == second[0, seen]).all(), "a hidden piece changes no other"
    assert (first[0, 2] != second[0, 2]).any()
    feed["attention_mask"][:] = 0
    assert np.isfinite(run(["last_hidden_state"], feed)[0]).all()


@pytest.mark.parametrize("dtype", ["F16", "BF16"])
def test_half_precision_weights_are_widened_exactly(make_folder: ModelMaker, tmp_path: Path, dtype: str) -> None:
    folder = make_folder(seed=2, dtype=dtype, prefix="albert.")
    export_model(read_folder(folder), "onnx", tmp_path / "x.onnx")
    ids = random_sequences(1, 40, make_model.TINY["vocab_size"])
    (hidden,) = session(tmp_path / "x.onnx").run(["last_hidden_state"], batch(ids))
    np.testing.assert_allclose(hidden[0], rows(AlbertEmbeddings.load(folder), ids)[0], rtol=0, atol=TOLERANCE)


def test_a_model_without_pooler(tmp_path: Path) -> None:
    folder = make_model.write_folder(tmp_path / "m", pooler=False)
    export_model(read_folder(folder), "onnx", tmp_path / "x.onnx")
    assert [o.name for o in session(tmp_path / "x.onnx").get_outputs()] == ["last_hidden_state"]


@pytest.mark.parametrize("form", ["folder", "file"])
def test_weights_too_many_for_one_message_go_to_a_file_beside(
    make_folder: ModelMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    files = read_folder(make_folder(seed=4))
    monkeypatch.setattr(onnx_writer, "MAX_INLINE", 1000)
    target = tmp_path / ("out" if form == "folder" else "x.onnx")
    export_model(files, "spark-nlp" if form == "folder" else "onnx", target)
    path = target / "model.onnx" if form == "folder" else target
    data = path.with_name(path.name + "_data")
    assert path.stat().st_size < 40_000
    assert data.stat().st_size >= sum(
        4 * int(np.prod(entry.shape)) for entry in files.tensors if "pooler" not in entry.name
    )
    onnx.checker.check_model(os.fspath(path), full_check=True)
    for item in onnx.load(path, load_external_data=False).graph.initializer:
        for entry in item.external_data:
            assert entry.key != "location" or entry.value == data.name
            assert entry.key != "offset" or int(entry.value) % 4096 == 0
    ids = random_sequences(2, 40, make_model.TINY["vocab_size"])
    moved = shutil.move(path.parent, tmp_path.with_name(tmp_path.name + "-moved")) / path.relative_to(path.parent)
    (hidden,) = session(moved).run(["last_hidden_state"], batch(ids))
    for number, own in enumerate(rows(AlbertEmbeddings.load(files.source), ids)):
        np.testing.assert_allclose(hidden[number, : len(own)], own, rtol=0, atol=TOLERANCE)


def test_the_random_base_model_against_hugging_face(tmp_path: Path) -> None:
    export_model(read_folder(write_base(tmp_path / "base")), "onnx", tmp_path / "x.onnx")
    run = session(tmp_path / "x.onnx").run
    with np.load(Path(__file__).parent / "data/base_check.npz") as data:
        for number in range(3):
            hidden, pooled = run(None, batch([data[f"ids_{number}"].ravel().tolist()]))
            np.testing.assert_allclose(hidden[0], data[f"last_{number}"], rtol=0, atol=2e-5)
            np.testing.assert_allclose(pooled.ravel(), data[f"pooled_{number}"].ravel(), rtol=0, atol=2e-5)


def test_the_graph_that_spark_nlp_has_loaded(golden: Path, tmp_path: Path) -> None:
    """The golden model.onnx went through Spark NLP's loadSavedModel: ours must look and compute as it does."""
    folder = golden / "sparknlp/models/hf_folder"
    export_model(read_folder(folder), "spark-nlp", tmp_path / "out")
    ours, theirs = onnx.load(tmp_path / "out/model.onnx"), onnx.load(folder / "model.onnx")
    assert ours.ir_version <= theirs.ir_version
    assert [(entry.domain, entry.version) for entry in ours.opset_import] == [
        (entry.domain, entry.version) for entry in theirs.opset_import
    ]
    assert {node.op_type for node in ours.graph.node} <= {node.op_type for node in theirs.graph.node}

    def interface(run: Any) -> list[tuple[str, str, int]]:
        return [(item.name, item.type, len(item.shape)) for item in (*run.get_inputs(), *run.get_outputs())]

    runs = [session(path / "model.onnx") for path in (tmp_path / "out", folder)]
    assert interface(runs[0]) == [row for row in interface(runs[1]) if row[0] != "pooler_output"]
    feed = batch(random_sequences(8, 100, 30_000), pad=1)
    for mask in (feed["attention_mask"], np.ones_like(feed["attention_mask"])):  # Spark NLP masks nothing
        found = [run.run(["last_hidden_state"], {**feed, "attention_mask": mask})[0] for run in runs]
        np.testing.assert_allclose(found[0], found[1], rtol=0, atol=TOLERANCE)


# --------------------------------------------------------------------------------------- complete or not at all


def test_what_is_there_is_replaced_only_on_request(make_folder: ModelMaker, tmp_path: Path) -> None:
    files = read_folder(make_folder(seed=5))
    for form, target in (("onnx", tmp_path / "a"), ("spark-nlp", tmp_path / "b"), ("onnx", tmp_path / "c.onnx")):
        export_model(files, form, target)
        with pytest.raises(ParameterError, match=r"overwrite=True \(--overwrite\)"):
            export_model(files, form, target)
        export_model(files, form, target, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c.onnx"]
    (tmp_path / "a/notes.txt").write_text("mine")
    with pytest.raises(ParameterError, match="left alone"):
        export_model(files, "onnx", tmp_path / "a", overwrite=True)
    with pytest.raises(ParameterError, match="is a file"):
        export_model(files, "spark-nlp", tmp_path / "c.onnx", overwrite=True)
    with pytest.raises(ParameterError, match="left alone"):
        export_model(files, "onnx", files.source, overwrite=True)
    with pytest.raises(ParameterError, match="onnx, spark-nlp"):
        export_model(files, "tensorflow", tmp_path / "d")
    (tmp_path / "e.onnx").mkdir()
    with pytest.raises(ParameterError, match="is a folder"):
        export_model(files, "onnx", tmp_path / "e.onnx", overwrite=True)


def test_an_earlier_data_file_goes(make_folder: ModelMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = read_folder(make_folder())
    with monkeypatch.context() as patch:
        patch.setattr(onnx_writer, "MAX_INLINE", 1000)
        export_model(files, "onnx", tmp_path / "x.onnx")
    export_model(files, "onnx", tmp_path / "x.onnx", overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.onnx"]


@pytest.mark.parametrize("target", ["out", "x.onnx"])
@pytest.mark.parametrize("external", [False, True])
def test_a_disk_that_fills_up_leaves_nothing(
    make_folder: ModelMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, external: bool
) -> None:
    files = read_folder(make_folder())
    if external:
        monkeypatch.setattr(onnx_writer, "MAX_INLINE", 1000)
    export_model(files, "onnx", tmp_path / target)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    written = 0

    def full(*_: object) -> None:
        nonlocal written
        written += 1
        if written > 5:
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(onnx_writer, "_write_values", full)
        for path, overwrite in ((tmp_path / target, True), (tmp_path / f"new-{target}", False)):
            with pytest.raises(WriteError, match="No space left"):
                export_model(files, "onnx", path, overwrite=overwrite)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_weights_that_are_gone(tmp_path: Path) -> None:
    files = read_folder(make_model.write_folder(tmp_path / "m"))
    files.weights.unlink()
    with pytest.raises(ModelNotFoundError, match="gone"):
        export_model(files, "onnx", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_vocabulary_that_spark_nlp_would_misread(tmp_path: Path) -> None:
    folder = make_model.write_folder(
        tmp_path / "m", make_model.geometry(vocab_size=402), spiece=make_model.vocabulary()
    )
    (folder / "added_tokens.json").write_text(json.dumps({"[CLS]": 400, "[SEP]": 401}))
    with pytest.raises(ParameterError, match=r"\[CLS\] outside of its vocabulary"):
        export_model(read_folder(folder), "spark-nlp", tmp_path / "out")
    export_model(read_folder(folder), "onnx", tmp_path / "out")


def test_an_annotator_without_a_model() -> None:
    with pytest.raises(ModelNotFoundError, match="has no model"):
        AlbertEmbeddings().export("onnx", "x")


# ----------------------------------------------------------------------------------------------------- memory

LOAD = """
import sys
from albert_fast import AlbertEmbeddings
print(AlbertEmbeddings.load(sys.argv[1]).embed(["some words"]).vectors.shape[1])
"""

PEAK = """
import re, sys
from pathlib import Path
from albert_fast.models import export_model, read_folder, save_folder
files = read_folder(sys.argv[1])
# Not getrusage's: that one begins with the size of the process that started this one.
def peak(): return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) << 10
before = peak()
if sys.argv[3] == "albert-fast":
    save_folder(files, sys.argv[2], {})
else:
    export_model(files, sys.argv[3], sys.argv[2])
print(peak() - before)
"""


@pytest.fixture(name="middling", scope="module")
def _middling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A model of 100 MB."""
    geometry = make_model.geometry(vocab_size=30_000, embedding_size=128, hidden_size=1024, intermediate_size=8192)
    folder = tmp_path_factory.mktemp("middling") / "m"
    yield make_model.write_folder(folder, geometry, spiece=make_model.vocabulary())
    shutil.rmtree(folder)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
@pytest.mark.parametrize("form", ["albert-fast", "onnx", "spark-nlp"])
def test_converting_needs_little_memory(middling: Path, tmp_path: Path, form: str) -> None:
    size = (middling / "model.safetensors").stat().st_size
    assert size > 90 << 20
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    command = [sys.executable, "-c", PEAK, str(middling), str(tmp_path / "out"), form]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "TMPDIR": str(temporary)}
    )
    largest = 4 * 8192 * 1024
    assert int(done.stdout) <= 2 * largest + (16 << 20), "more than the largest tensor twice"
    assert int(done.stdout) <= 2 * size
    assert list(temporary.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "tmp"]


def test_loading_leaves_no_files(middling: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in middling.iterdir()}
    variables = {name: str(tmp_path) for name in ("TMPDIR", "HOME", "XDG_CACHE_HOME")}
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(middling)],
        capture_output=True, text=True, check=True, cwd=tmp_path, env={**os.environ, **variables},
    )  # fmt: skip
    assert done.stdout.strip() == "1024"
    assert list(tmp_path.rglob("*")) == []
    assert {path: path.stat().st_mtime_ns for path in middling.iterdir()} == before
