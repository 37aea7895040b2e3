"""ONNX graphs: recognised in the forms that exporters write and re-packed, or run as they are; external data."""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import containers
import make_model
import onnx_graphs
from albert_fast import (
    AlbertEmbeddings,
    CorruptModelError,
    DeviceError,
    ForeignGraphWarning,
    ModelNotFoundError,
    ParameterError,
)
from albert_fast.models import read_any

TEXTS = ["The module reads a file.", "Nothing", "", "Two words, and a number: 42.", " ".join(make_model.prose()[:4])]
CALLS: list[dict[str, Any]] = [
    {"level": "piece", "special_tokens": True},
    {"level": "word"},
    {"level": "word", "pooling": "max"},
    {"level": "sentence", "pooling": "mean"},
    {"level": "document", "pooling": "cls"},
    {"level": "document", "tokenization": "text", "normalize": True},
]


def compare(got: AlbertEmbeddings, want: AlbertEmbeddings, tolerance: float, pooler: bool = True) -> None:
    for call in [*CALLS, *([{"level": "sentence", "pooling": "pooler"}] if pooler else [])]:
        a, b = got.embed(TEXTS, **call).vectors, want.embed(TEXTS, **call).vectors
        assert a.shape == b.shape, call
        assert float(np.abs(a - b).max()) <= tolerance, call


def loaded(path: Path, **parameters: Any) -> AlbertEmbeddings:
    """Load a graph that nobody recognises."""
    with pytest.warns(ForeignGraphWarning, match="is run as it is, padded") as caught:
        model = AlbertEmbeddings.load(path, **parameters)
    assert caught[0].filename == __file__
    return model


@pytest.mark.parametrize("style", onnx_graphs.STYLES)
@pytest.mark.parametrize("act", ["gelu", "gelu_new", "relu"])
@pytest.mark.parametrize("groups", [1, 2])
def test_recognised_graphs_give_the_vectors_of_their_weights(tmp_path: Path, style: str, act: str, groups: int) -> None:
    if style in ("fused", "multi head") and groups == 2:
        pytest.skip("one fused constant")
    geo = make_model.geometry(hidden_act=act, num_hidden_layers=4, num_hidden_groups=groups)
    if style == "half":
        geo["layer_norm_eps"] = 6e-8
    weights = make_model.make_weights(geo, 3)
    folder = onnx_graphs.write_folder(tmp_path / "onnx", onnx_graphs.albert(geo, weights, style))
    want = make_model.write_folder(tmp_path / "same", geo, 3, "F16" if style == "half" else "F32")
    model = AlbertEmbeddings.load(folder, max_sentence_length=32)
    files = model._model_files()
    assert (files.graph, files.container) == (None, "onnx")
    expected = dataclasses.asdict(read_any(want).geometry)
    got = dataclasses.asdict(files.geometry)
    assert got.pop("layer_norm_eps") == pytest.approx(expected.pop("layer_norm_eps"), rel=0.01)
    assert got == expected
    compare(model, AlbertEmbeddings.load(want, max_sentence_length=32), 1e-5 if style == "half" else 0.0)


@pytest.mark.parametrize("style", onnx_graphs.STYLES)
@pytest.mark.parametrize("external", [False, True])
def test_a_graph_that_is_run_as_it_is_gives_them_too(tmp_path: Path, style: str, external: bool) -> None:
    geo = make_model.geometry()
    model = onnx_graphs.albert(geo, make_model.make_weights(geo, 3), style, detour=True)
    folder = onnx_graphs.write_folder(tmp_path / "onnx", model, "model.onnx_data" if external else "")
    want = AlbertEmbeddings.load(make_model.write_folder(tmp_path / "same", geo, 3), max_sentence_length=32)
    for threads in (1, 3):
        got = loaded(folder, max_sentence_length=32, threads=threads)
        assert got._model_files().graph is not None
        compare(got, want, 2e-2 if style == "half" else 1e-5)


def test_spark_nlps_attended_padding_is_run_too(tmp_path: Path) -> None:
    geo = make_model.geometry()
    graph = onnx_graphs.albert(geo, make_model.make_weights(geo, 3), "torch 1", detour=True)
    got = loaded(onnx_graphs.write_folder(tmp_path / "onnx", graph), compat="sparknlp")
    want = AlbertEmbeddings.load(make_model.write_folder(tmp_path / "same", geo, 3), compat="sparknlp")
    np.testing.assert_allclose(got.embed(TEXTS).vectors, want.embed(TEXTS).vectors, atol=1e-5)


def test_long_and_short_texts_share_no_padding(tmp_path: Path) -> None:
    geo = make_model.geometry()
    graph = onnx_graphs.albert(geo, make_model.make_weights(geo, 3), "torch 1", detour=True)
    model = loaded(onnx_graphs.write_folder(tmp_path / "onnx", graph), max_sentence_length=256)
    long = " ".join(make_model.prose()[:40])
    together = model.embed([long, "One.", long, "Two words.", "One."] * 20, level="document")
    np.testing.assert_allclose(together[1].vectors, model.embed("One.", level="document").vectors, atol=1e-6)
    np.testing.assert_allclose(together[2].vectors, model.embed(long, level="document").vectors, atol=1e-6)


def test_what_a_graph_does_not_give_is_refused(tmp_path: Path) -> None:
    geo = make_model.geometry()
    weights = make_model.make_weights(geo, 3, pooler=False)
    folder = onnx_graphs.write_folder(tmp_path / "onnx", onnx_graphs.albert(geo, weights, "torch 1", detour=True))
    model = loaded(folder)
    with pytest.raises(ParameterError, match="gives the last hidden state only"):
        model.embed("a", layers=0)
    with pytest.raises(ParameterError, match="pooler"):
        model.embed("a", level="document", pooling="pooler")
    with pytest.raises(ParameterError, match="its weights cannot be written"):
        model.save(tmp_path / "saved")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ForeignGraphWarning)
        again = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(again.embed("a b").vectors, model.embed("a b").vectors)


def test_a_configuration_beside_an_unknown_graph_is_used(tmp_path: Path) -> None:
    geo = make_model.geometry()
    graph = onnx_graphs.albert(geo, make_model.make_weights(geo, 3), "torch 1", detour=True)
    folder = onnx_graphs.write_folder(tmp_path / "onnx", graph)
    (folder / "config.json").write_text(json.dumps(make_model.config(geo)))
    assert loaded(folder)._model_files().geometry.num_hidden_layers == 3


def edit(change: Callable[[onnx.ModelProto], object]) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        geo = make_model.geometry()
        model = onnx_graphs.albert(geo, make_model.make_weights(geo), "torch 1")
        change(model)
        return onnx_graphs.write_folder(path, model)

    return write


def replace_number(old: float, new: float) -> Callable[[onnx.ModelProto], None]:
    def change(model: onnx.ModelProto) -> None:
        for node in model.graph.node:
            if node.op_type == "Constant":
                value = onnx.numpy_helper.to_array(node.attribute[0].t)
                if abs(float(value) - old) < 1e-6 * max(1.0, abs(old)):
                    node.attribute[0].t.CopyFrom(onnx.numpy_helper.from_array(np.array(new, value.dtype)))

    return change


def change_op(old: str, new: str) -> Callable[[onnx.ModelProto], None]:
    def change(model: onnx.ModelProto) -> None:
        node = next(node for node in model.graph.node if node.op_type == old)
        node.op_type = new

    return change


# Graphs that look like an ALBERT and compute something else: re-packing one of these would give wrong vectors.
LOOKALIKES: dict[str, Callable[[onnx.ModelProto], object]] = {
    "another scale": replace_number(8.0**0.5, 2.0),
    "another gelu": replace_number(0.044715, 0.05),
    "half a gelu": replace_number(0.5, 0.4),
    "a tanh of another slope": replace_number((2 / np.pi) ** 0.5, 0.9),
    "a square that is a cube": replace_number(2.0, 3.0),
    "a sine": change_op("Tanh", "Sin"),
    "a difference": change_op("Add", "Sub"),
    "a sigmoid": change_op("Softmax", "Sigmoid"),
}


@pytest.mark.parametrize("what", [name for name in LOOKALIKES if name != "a sigmoid"])
def test_lookalikes_are_run_as_they_are(tmp_path: Path, what: str) -> None:
    model = loaded(edit(LOOKALIKES[what])(tmp_path / "onnx"))
    ids = [2, 17, 33, 3]
    import onnxruntime

    session = onnxruntime.InferenceSession(tmp_path / "onnx/model.onnx", providers=["CPUExecutionProvider"])
    feed = {"input_ids": [ids], "attention_mask": [[1] * 4], "token_type_ids": [[0] * 4]}
    want = session.run(["last_hidden_state"], {key: np.array(value, np.int64) for key, value in feed.items()})[0][0]
    options = {**model._options(level="piece"), "special_tokens": True}
    got = model._loaded().embed_ids([ids], options)["vectors"]
    np.testing.assert_allclose(got, want, atol=1e-5, equal_nan=True)


def test_a_graph_that_runs_as_it_is_has_one_precision(tmp_path: Path) -> None:
    folder = edit(LOOKALIKES["another scale"])(tmp_path / "onnx")
    with pytest.raises(DeviceError, match="runs as it is"):
        loaded(folder, precision="int8")
    model = loaded(folder)
    model.setPrecision("int8")
    with pytest.raises(DeviceError, match="Use precision='fp32'"):
        model.embed("NLP")


def test_a_fused_half_of_a_shared_layer_is_one_group(tmp_path: Path) -> None:
    """Optimizers fuse the attention of some layers and not of others: the content is what counts."""
    geo = make_model.geometry(num_hidden_layers=2)
    weights = make_model.make_weights(geo, 3)
    one = onnx_graphs.Builder(geo, weights, "torch 2")
    real = one.attention

    def attention(x: str, prefix: str, mask: str) -> str:
        if "qkv_weight" in one.constants:
            return real(x, prefix, mask)
        one.style, one.is_fused = "fused", True
        kept = one.node("Cast", "attention_mask", to=onnx.TensorProto.INT32)
        out = real(x, prefix, kept)
        one.style, one.is_fused = "torch 2", False
        return out

    one.attention = attention  # type: ignore[method-assign]
    folder = onnx_graphs.write_folder(tmp_path / "onnx", one.build())
    model = AlbertEmbeddings.load(folder)
    assert model._model_files().geometry.num_hidden_groups == 1
    compare(model, AlbertEmbeddings.load(make_model.write_folder(tmp_path / "same", geo, 3)), 0.0)


@pytest.mark.parametrize("detour", [False, True])
@pytest.mark.parametrize("where", ["zip", "spark nlp", "spark nlp with data beside"])
def test_graphs_in_archives(tmp_path: Path, detour: bool, where: str) -> None:
    geo = make_model.geometry()
    graph = onnx_graphs.albert(geo, make_model.make_weights(geo, 3), "torch 2", detour=detour)
    folder = onnx_graphs.write_folder(tmp_path / "onnx", graph, "model.onnx_data" if where != "zip" else "")
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    if where != "zip":
        spiece, data = files.pop("spiece.model"), files["model.onnx_data"]
        beside = {"model.onnx_data": files.pop("model.onnx_data")} if "beside" in where else {}
        assert len(data) > 10_000
        metadata = containers.spark_metadata(engine="onnx", batchSize=4)
        files = {
            "metadata/part-00000": metadata,
            "albert_onnx": containers.zipped(files),
            "albert_spp": spiece,
            **beside,
        }
    path = tmp_path / "model.zip"
    path.write_bytes(containers.zipped(files))
    got = loaded(path) if detour else AlbertEmbeddings.load(path)
    want = AlbertEmbeddings.load(make_model.write_folder(tmp_path / "same", geo, 3))
    np.testing.assert_allclose(got.embed(TEXTS).vectors, want.embed(TEXTS).vectors, atol=1e-5 if detour else 0.0)


def test_the_place_of_a_graph(tmp_path: Path) -> None:
    geo = make_model.geometry()
    graph = onnx_graphs.albert(geo, make_model.make_weights(geo, 3), "torch 1")
    folder = onnx_graphs.write_folder(tmp_path / "a", graph)
    (folder / "model.onnx").rename(folder / "albert.onnx")
    want = AlbertEmbeddings.load(folder).embed("a b").vectors
    np.testing.assert_array_equal(AlbertEmbeddings.load(folder / "albert.onnx").embed("a b").vectors, want)
    (folder / "onnx").mkdir()
    (folder / "albert.onnx").rename(folder / "onnx/model.onnx")
    np.testing.assert_array_equal(AlbertEmbeddings.load(folder).embed("a b").vectors, want)
    np.testing.assert_array_equal(AlbertEmbeddings.load(folder / "onnx").embed("a b").vectors, want)
    os.link(folder / "onnx/model.onnx", folder / "one.onnx")
    os.link(folder / "onnx/model.onnx", folder / "two.onnx")
    (folder / "onnx/model.onnx").unlink()
    with pytest.raises(CorruptModelError, match=r"several graphs: one\.onnx, two\.onnx"):
        AlbertEmbeddings.load(folder)


def test_an_index_of_another_program_is_no_checkpoint(tmp_path: Path) -> None:
    geo = make_model.geometry()
    graph = onnx_graphs.albert(geo, make_model.make_weights(geo, 3), "torch 1")
    folder = onnx_graphs.write_folder(tmp_path / "onnx", graph)
    (folder / "faiss.index").write_bytes(b"IxF2")
    assert read_any(folder).container == "onnx"


def test_missing_external_data_is_named(tmp_path: Path) -> None:
    geo = make_model.geometry()
    graph = onnx_graphs.albert(geo, make_model.make_weights(geo, 3), "torch 1")
    folder = onnx_graphs.write_folder(tmp_path / "onnx", graph, "weights.bin")
    (folder / "weights.bin").unlink()
    with pytest.raises(ModelNotFoundError, match=r"needs the file weights\.bin beside it"):
        AlbertEmbeddings.load(folder / "model.onnx")
