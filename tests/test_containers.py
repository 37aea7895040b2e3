"""The same weights in every container give the same vectors; nothing is written; what is missing is asked for."""

from __future__ import annotations

import copy
import io
import json
import os
import pickle
import shutil
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import containers
import make_model
from albert_fast import AlbertEmbeddings, CorruptModelError, ModelNotFoundError, ParameterError
from albert_fast.models import ModelFiles, read_any, tensors
from albert_fast.models.containers import blobs

TEXTS = ["The module reads a file.", "Nothing", "", "Two words, and a number: 42."]
GEO = make_model.geometry(num_hidden_layers=4, num_hidden_groups=2)
WEIGHTS = make_model.make_weights(GEO, 5)
Files = dict[str, bytes]


def spiece() -> bytes:
    return make_model.vocabulary(400)


def config(**changes: Any) -> bytes:
    return json.dumps(make_model.config(GEO, **changes)).encode()


def vectors(model: AlbertEmbeddings, **options: Any) -> make_model.Array:
    return model.embed(TEXTS, level="piece", special_tokens=True, **options).vectors


@pytest.fixture(name="expected", scope="module")
def _expected(tmp_path_factory: pytest.TempPathFactory) -> make_model.Array:
    folder = make_model.write_folder(tmp_path_factory.mktemp("containers") / "safetensors", GEO, 5)
    return vectors(AlbertEmbeddings.load(folder))


def google_files(prefix: str = "model.ckpt-best", shards: int = 1) -> Files:
    files = {
        prefix + name: data
        for name, data in containers.checkpoint(containers.google_variables(WEIGHTS), shards).items()
    }
    return {
        **files,
        "albert_config.json": json.dumps(containers.google_config(GEO)).encode(),
        "30k-clean.model": spiece(),
    }


def saved_model_files(scope: str = "module/bert/") -> Files:
    variables = containers.checkpoint(containers.google_variables(WEIGHTS, scope))
    return {
        "saved_model.pb": containers.saved_model(containers.graph_def(containers.albert_nodes(GEO))),
        **{"variables/variables" + name: data for name, data in variables.items()},
        "assets/spiece.model": spiece(),
    }


def keras_files() -> Files:
    """As TensorFlow 2 saves a TFAlbertModel: keys of an object graph, functions in place of nodes."""
    variables: dict[str, make_model.Array] = {}
    for name, array in WEIGHTS.items():
        module, _, leaf = name.rpartition(".")
        is_norm = "LayerNorm" in name or "layer_norm" in name
        leaf = {"weight": "gamma" if is_norm else "kernel", "bias": "beta" if is_norm else "bias"}[leaf]
        key = f"albert/{module.replace('.', '/')}/{leaf}"
        if module.endswith("_embeddings"):
            key = f"albert/{module.replace('.', '/')}/embeddings"
        value = array.T.copy() if key.endswith("/kernel") else array
        variables[f"{key}/.ATTRIBUTES/VARIABLE_VALUE"] = value
        variables[f"{key}/.OPTIMIZER_SLOT/optimizer/m/.ATTRIBUTES/VARIABLE_VALUE"] = value * 0
    parts = containers.checkpoint(variables)
    body = containers.albert_nodes(GEO)
    graph = containers.graph_def(
        [
            containers.graph_node("x", "Placeholder"),
            containers.call("a", "run", ["x"]),
            containers.call("b", "run", ["x"]),
        ],
        {"run": body, "unused": body},
    )
    return {
        "saved_model.pb": containers.saved_model(graph),
        **{"variables/variables" + name: data for name, data in parts.items()},
        "spiece.model": spiece(),
    }


def sharded(extension: str, write: Callable[[dict[str, make_model.Array]], bytes]) -> Files:
    names = list(WEIGHTS)
    parts = [dict(list(WEIGHTS.items())[i::3]) for i in range(3)]
    files = {f"part-{i}.{extension}": write(part) for i, part in enumerate(parts)}
    index = "model.safetensors.index.json" if extension == "safetensors" else "pytorch_model.bin.index.json"
    mapped = {name: f"part-{names.index(name) % 3}.{extension}" for name in names}
    return {
        **files,
        index: json.dumps({"weight_map": mapped}).encode(),
        "config.json": config(),
        "spiece.model": spiece(),
    }


def safetensors_bytes(part: dict[str, make_model.Array], tmp_path: Path) -> bytes:
    make_model.save_safetensors(tmp_path / "part", part)
    return (tmp_path / "part").read_bytes()


def hugging_face(weights: Files) -> Files:
    return {**weights, "config.json": config(), "spiece.model": spiece()}


PREFIXED = {f"albert.{name}": array for name, array in WEIGHTS.items()}
FOLDERS: dict[str, Callable[[], Files]] = {
    "pytorch zip": lambda: hugging_face({"pytorch_model.bin": containers.torch_zip(WEIGHTS)}),
    "pytorch zip, prefix": lambda: hugging_face({"pytorch_model.bin": containers.torch_zip(PREFIXED)}),
    "pytorch zip, deflated": lambda: hugging_face({"pytorch_model.bin": containers.torch_zip(WEIGHTS, deflate=True)}),
    "pytorch zip, strides": lambda: hugging_face(
        {"pytorch_model.bin": containers.torch_zip(WEIGHTS, turned=[n for n, a in WEIGHTS.items() if a.ndim == 2])}
    ),
    "pytorch zip, double": lambda: hugging_face(
        {"pytorch_model.bin": containers.torch_zip({n: a.astype(np.float64) for n, a in WEIGHTS.items()})}
    ),
    "pytorch before 1.6": lambda: hugging_face({"pytorch_model.bin": containers.torch_old(WEIGHTS)}),
    "pytorch with other tensors": lambda: hugging_face(
        {"pytorch_model.bin": containers.torch_old({**WEIGHTS, "embeddings.position_ids": np.arange(512)})}
    ),
    "pytorch, names of 2019": lambda: hugging_face(
        {
            "pytorch_model.bin": containers.torch_zip(
                {
                    n.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): a
                    for n, a in WEIGHTS.items()
                }
            )
        }
    ),
    "pytorch in parts": lambda: sharded("bin", containers.torch_zip),
    "google checkpoint": google_files,
    "google checkpoint in shards": lambda: google_files("albert", 3),
    "saved model 1": saved_model_files,
    "saved model 2": keras_files,
    "spark nlp": lambda: containers.spark_tensorflow(GEO, WEIGHTS, spiece()),
}


@pytest.mark.parametrize("what", FOLDERS)
@pytest.mark.parametrize("form", ["folder", "zip", "zip with a folder", "stored zip", "tar.gz"])
def test_every_container_gives_the_same_vectors(
    tmp_path: Path, expected: make_model.Array, what: str, form: str
) -> None:
    files = FOLDERS[what]()
    path = tmp_path / "model"
    if form == "folder":
        containers.write_files(path, files)
    elif form == "tar.gz":
        path = tmp_path / "model.tar.gz"
        path.write_bytes(containers.tarred({f"albert_base/{name}": data for name, data in files.items()}))
    else:
        path = tmp_path / "model.zip"
        inside = "albert/" if form == "zip with a folder" else ""
        named = {inside + name: data for name, data in files.items()}
        path.write_bytes(containers.zipped(named, deflate=form != "stored zip"))
    before = sorted(p for p in tmp_path.rglob("*"))
    model = AlbertEmbeddings.load(path, case_sensitive=False, batch_size=8)
    np.testing.assert_array_equal(vectors(model), expected)
    assert sorted(p for p in tmp_path.rglob("*")) == before
    assert model.hidden_size == 32


def test_safetensors_in_parts(tmp_path: Path, expected: make_model.Array) -> None:
    files = sharded("safetensors", lambda part: safetensors_bytes(part, tmp_path))
    model = AlbertEmbeddings.load(containers.write_files(tmp_path / "model", files))
    np.testing.assert_array_equal(vectors(model), expected)


@pytest.mark.parametrize("name", ["google/model.ckpt-best", "google/model.ckpt-best.index", "saved/saved_model.pb"])
def test_the_names_that_tensorflow_uses(tmp_path: Path, expected: make_model.Array, name: str) -> None:
    containers.write_files(tmp_path / "google", {**google_files(), **google_files("model.ckpt-5")})
    containers.write_files(tmp_path / "saved", saved_model_files())
    np.testing.assert_array_equal(vectors(AlbertEmbeddings.load(tmp_path / name)), expected)


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    folder = containers.write_files(tmp_path / "model", sharded("bin", containers.torch_zip))
    (folder / "part-1.bin").unlink()
    with pytest.raises(ModelNotFoundError, match=r"part-1\.bin, which is missing"):
        AlbertEmbeddings.load(folder)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.safetensors"])
def test_a_file_of_weights_is_loaded_with_its_folder(tmp_path: Path, expected: make_model.Array, name: str) -> None:
    folder = make_model.write_folder(tmp_path / "model", GEO, 5)
    other = make_model.make_weights(GEO, 6)
    weights = {"pytorch_model.bin": other, "model.safetensors": WEIGHTS}[name]
    (folder / "pytorch_model.bin").write_bytes(containers.torch_zip(other))
    got = vectors(AlbertEmbeddings.load(folder / name))
    assert np.array_equal(got, expected) == (weights is WEIGHTS)


def test_safetensors_goes_before_pytorch(tmp_path: Path, expected: make_model.Array) -> None:
    folder = make_model.write_folder(tmp_path / "model", GEO, 5)
    (folder / "pytorch_model.bin").write_bytes(b"not looked at")
    np.testing.assert_array_equal(vectors(AlbertEmbeddings.load(folder)), expected)


def test_half_precision_of_pytorch(tmp_path: Path) -> None:
    half = {name: array.astype(np.float16) for name, array in WEIGHTS.items()}
    files = hugging_face({"pytorch_model.bin": containers.torch_zip(half)})
    folder = containers.write_files(tmp_path / "model", files)
    same = make_model.write_folder(tmp_path / "safetensors", GEO, 5, "F16")
    np.testing.assert_array_equal(vectors(AlbertEmbeddings.load(folder)), vectors(AlbertEmbeddings.load(same)))


# --------------------------------------------------------------------------------- what files say, and what not


def test_parameters_of_spark_nlp_are_taken_over(tmp_path: Path) -> None:
    files = containers.spark_tensorflow(GEO, WEIGHTS, spiece())
    model = AlbertEmbeddings.load(containers.write_files(tmp_path / "albert_xy", files), outputCol="mine")
    assert (model.getBatchSize(), model.getCaseSensitive()) == (3, True)
    assert (model.getInputCols(), model.getOutputCol()) == (["s", "t"], "mine")
    assert model.getDimension() == 32  # the default of 768 was never set
    assert repr(model).startswith("AlbertEmbeddings(albert_xy, ")


def test_a_google_configuration_means_gelu_with_tanh(tmp_path: Path) -> None:
    files = read_any(containers.write_files(tmp_path / "model", google_files()))
    assert (files.geometry.hidden_act, files.geometry.layer_norm_eps) == ("gelu_new", 1e-12)
    assert (files.geometry.num_hidden_groups, files.geometry.num_hidden_layers) == (2, 4)


@pytest.mark.parametrize("act", ["gelu", "gelu_new", "relu"])
@pytest.mark.parametrize(("layers", "inner", "heads"), [(1, 1, 1), (6, 2, 8), (12, 1, 4)])
def test_a_graph_tells_the_geometry(tmp_path: Path, act: str, layers: int, inner: int, heads: int) -> None:
    geo = make_model.geometry(
        num_hidden_layers=layers, inner_group_num=inner, num_attention_heads=heads, hidden_act=act, layer_norm_eps=1e-7
    )
    weights = make_model.make_weights(geo)
    parts = containers.checkpoint(containers.google_variables(weights))
    content = {
        "saved_model.pb": containers.saved_model(containers.graph_def(containers.albert_nodes(geo))),
        **{"variables/variables" + name: data for name, data in parts.items()},
        "assets/30k-clean.model": spiece(),
    }
    files = read_any(containers.write_files(tmp_path / "model", content))
    got = {name: getattr(files.geometry, name) for name in files.geometry.__slots__}
    assert got == geo


def test_what_no_file_says_is_asked_for(tmp_path: Path, expected: make_model.Array) -> None:
    content = google_files()
    content["albert_config.json"] = b'{"hidden_act": "gelu"}'
    folder = containers.write_files(tmp_path / "model", content)
    with pytest.raises(ParameterError, match=r"num_attention_heads=12"):
        AlbertEmbeddings.load(folder)
    with pytest.raises(ParameterError, match=r"num_hidden_layers=12"):
        AlbertEmbeddings.load(folder, num_attention_heads=4)
    model = AlbertEmbeddings.load(folder, num_attention_heads=4, num_hidden_layers=4)
    content = saved_model_files()
    graph = content["saved_model.pb"].replace(b"Tanh", b"Sinh").replace(b"Rsqrt", b"Other")
    other = containers.write_files(tmp_path / "other", {**content, "saved_model.pb": graph})
    with pytest.raises(ParameterError, match=r"which activation.*hidden_act='gelu_new'"):
        AlbertEmbeddings.load(other)
    with pytest.raises(ParameterError, match=r"epsilon.*layer_norm_eps=1e-12"):
        AlbertEmbeddings.load(other, hidden_act="gelu_new")
    same = AlbertEmbeddings.load(other, hidden_act="gelu_new", layer_norm_eps=1e-12)
    np.testing.assert_array_equal(vectors(same), expected)
    np.testing.assert_array_equal(vectors(model), expected)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(vectors(again), expected)


def test_what_is_said_goes_before_the_configuration(tmp_path: Path) -> None:
    folder = make_model.write_folder(tmp_path / "model", GEO, 5)
    files = read_any(folder, num_attention_heads=8, hidden_act="relu")
    assert (files.geometry.num_attention_heads, files.geometry.hidden_act) == (8, "relu")
    with pytest.raises(ParameterError, match="hidden_size cannot be given"):
        read_any(folder, hidden_size=3)


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_keywords_fill_what_a_hugging_face_config_lacks(tmp_path: Path, form: str) -> None:
    folder = make_model.write_folder(tmp_path / "model", GEO, 5)
    expected = vectors(AlbertEmbeddings.load(folder))
    config = json.loads((folder / "config.json").read_bytes())
    said = {key: config.pop(key) for key in ("num_attention_heads", "num_hidden_layers")}
    (folder / "config.json").write_text(json.dumps(config))
    path = folder
    if form == "zip":
        path = tmp_path / "model.zip"
        path.write_bytes(containers.zipped({item.name: item.read_bytes() for item in folder.iterdir()}))
    with pytest.raises(
        CorruptModelError, match=r"no 'num_hidden_layers'.*or say it: load\(\.\.\., num_hidden_layers=12"
    ):
        AlbertEmbeddings.load(path)
    model = AlbertEmbeddings.load(path, **said)
    np.testing.assert_array_equal(vectors(model), expected)
    np.testing.assert_array_equal(vectors(pickle.loads(pickle.dumps(model))), expected)
    np.testing.assert_array_equal(vectors(AlbertEmbeddings.load(model.save(tmp_path / "saved"))), expected)


@pytest.mark.parametrize("form", ["folder", "zip", "file", "pytorch", "shards"])
def test_keywords_and_shapes_stand_in_for_a_missing_config(tmp_path: Path, form: str) -> None:
    folder = make_model.write_folder(tmp_path / "model", GEO, 5)
    expected = vectors(AlbertEmbeddings.load(folder))
    (folder / "config.json").unlink()
    said = {key: GEO[key] for key in ("num_attention_heads", "num_hidden_layers", "hidden_act", "layer_norm_eps")}
    path = folder
    if form == "zip":
        path = tmp_path / "model.zip"
        path.write_bytes(containers.zipped({item.name: item.read_bytes() for item in folder.iterdir()}))
    elif form == "file":
        path = folder / "model.safetensors"
    elif form == "pytorch":
        (folder / "model.safetensors").unlink()
        (folder / "pytorch_model.bin").write_bytes(containers.torch_zip(make_model.make_weights(GEO, 5)))
    elif form == "shards":
        (folder / "model.safetensors").rename(folder / "model-1.safetensors")
        names = dict.fromkeys(make_model.make_weights(GEO, 5), "model-1.safetensors")
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    with pytest.raises(ModelNotFoundError, match=r"has no config\.json.*num_attention_heads=12, .*layer_norm_eps="):
        AlbertEmbeddings.load(path)
    with pytest.raises(
        ParameterError, match=r"how many layers.*load\(\.\.\., num_hidden_layers=12, hidden_act='gelu_new'"
    ):
        AlbertEmbeddings.load(path, num_attention_heads=4)
    model = AlbertEmbeddings.load(path, **said)
    np.testing.assert_array_equal(vectors(model), expected)
    np.testing.assert_array_equal(vectors(AlbertEmbeddings.load(model.save(tmp_path / "saved"))), expected)


@pytest.mark.parametrize(
    ("keyword", "message"),
    [
        ({"hidden_act": "swish"}, r"hidden_act='swish' was given; it must be one of gelu, "),
        ({"hidden_act": 3}, "hidden_act=3 was given"),
        ({"layer_norm_eps": -1.0}, r"layer_norm_eps=-1\.0 was given; it must be a number from 0 to 0\.1"),
        ({"num_attention_heads": 0}, "num_attention_heads=0 was given; it must be a whole number from 1"),
        ({"num_attention_heads": 7}, r"num_attention_heads=7 was given, but hidden_size \d+ of .* not a multiple"),
        ({"num_hidden_layers": "12"}, "num_hidden_layers='12' was given"),
    ],
)
@pytest.mark.parametrize("container", ["hugging face", "google"])
def test_a_wrong_keyword_is_called_one(tmp_path: Path, container: str, keyword: dict[str, Any], message: str) -> None:
    folder = tmp_path / "model"
    if container == "google":
        containers.write_files(folder, google_files())
    else:
        make_model.write_folder(folder, GEO, 5)
    with pytest.raises(ParameterError, match=message):
        AlbertEmbeddings.load(folder, **keyword)


def test_what_is_there_and_what_is_read_are_named(tmp_path: Path) -> None:
    containers.write_files(tmp_path / "m", {"notes.txt": b"x", "tf_model.h5": b"x"})
    with pytest.raises(
        ModelNotFoundError, match=r"found: notes\.txt, tf_model\.h5 \(Keras weights\).*SavedModel"
    ) as error:
        read_any(tmp_path / "m")
    assert "an .onnx file" in str(error.value)
    (tmp_path / "a.zip").write_bytes(containers.zipped({"notes.txt": b"x"}))
    with pytest.raises(ModelNotFoundError, match=r"a\.zip holds no model.*found: notes\.txt"):
        read_any(tmp_path / "a.zip")
    (tmp_path / "a.txt").write_bytes(b"text")
    with pytest.raises(ModelNotFoundError, match=r"a\.txt is a file of no kind"):
        read_any(tmp_path / "a.txt")
    with pytest.raises(ModelNotFoundError, match="There is no folder or file"):
        read_any(tmp_path / "nothing")


def test_a_vocabulary_is_asked_for(tmp_path: Path) -> None:
    content = google_files()
    del content["30k-clean.model"]
    with pytest.raises(ModelNotFoundError, match=r"has no vocabulary beside it: spiece\.model"):
        read_any(containers.write_files(tmp_path / "model", content))


# ---------------------------------------------------------------------------------------------- the other way


@pytest.mark.parametrize("what", ["pytorch zip, strides", "pytorch before 1.6", "google checkpoint", "spark nlp"])
def test_any_container_is_saved_as_a_folder_of_ours(tmp_path: Path, expected: make_model.Array, what: str) -> None:
    path = tmp_path / "model.zip"
    path.write_bytes(containers.zipped(FOLDERS[what]()))
    model = AlbertEmbeddings.load(path, case_sensitive=False)
    model.save(tmp_path / "saved")
    path.unlink()
    again = AlbertEmbeddings.load(tmp_path / "saved")
    np.testing.assert_array_equal(vectors(again), expected)
    assert read_any(tmp_path / "saved").config["hidden_act"] == "gelu_new"


@pytest.mark.parametrize("form", ["zip", "tar.gz"])
def test_a_saved_model_in_an_archive_keeps_parameters_and_hashes(
    tmp_path: Path, expected: make_model.Array, form: str
) -> None:
    model = AlbertEmbeddings.load(make_model.write_folder(tmp_path / "model", GEO, 5), batch_size=5)
    model.save(tmp_path / "saved")
    files = {f"saved/{path.name}": path.read_bytes() for path in (tmp_path / "saved").iterdir()}
    pack = containers.zipped if form == "zip" else containers.tarred
    (tmp_path / f"m.{form}").write_bytes(pack(files))
    again = AlbertEmbeddings.load(tmp_path / f"m.{form}")
    assert again.getBatchSize() == 5
    np.testing.assert_array_equal(vectors(again), expected)
    files["saved/config.json"] += b" "
    (tmp_path / f"bad.{form}").write_bytes(pack(files))
    with pytest.raises(CorruptModelError, match=r"config\.json is missing, or was changed"):
        read_any(tmp_path / f"bad.{form}")
    files["saved/albert_fast.json"] = b"{}"
    (tmp_path / f"worse.{form}").write_bytes(pack(files))
    with pytest.raises(CorruptModelError, match=r"albert_fast\.json cannot be read"):
        read_any(tmp_path / f"worse.{form}")


def test_tensors_of_one_stream_are_read_in_one_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.tar.gz"
    path.write_bytes(containers.tarred(FOLDERS["pytorch zip"]()))
    files = read_any(path)
    assert len({entry.blob for entry in files.tensors}) == 1
    starts: list[int] = []
    real = blobs._Inflating._restart
    monkeypatch.setattr(blobs._Inflating, "_restart", lambda self: (starts.append(1), real(self))[1])
    files.write_safetensors(io.BytesIO())
    assert len(starts) == 1


def test_the_model_garden_keeps_heads_apart(tmp_path: Path) -> None:
    """TF-Hub's modules for TensorFlow 2: AlbertEncoder's variables, with heads as a dimension of their own."""
    geo = make_model.geometry(num_attention_heads=8)
    weights = make_model.make_weights(geo, 4)
    names = {"word": "word_embeddings", "position": "position_embedding", "token_type": "type_embeddings"}
    modules = {
        "embeddings.LayerNorm": "embeddings/layer_norm",
        "encoder.embedding_hidden_mapping_in": "embedding_projection",
        "attention.dense": "transformer/self_attention/attention_output",
        "attention.LayerNorm": "transformer/self_attention_layer_norm",
        "ffn": "transformer/intermediate",
        "ffn_output": "transformer/output",
        "full_layer_layer_norm": "transformer/output_layer_norm",
        "pooler": "pooler_transform",
        **{f"attention.{part}": f"transformer/self_attention/{part}" for part in ("query", "key", "value")},
    }
    variables: dict[str, make_model.Array] = {}
    for name, array in weights.items():
        module, _, leaf = name.removeprefix("encoder.albert_layer_groups.0.albert_layers.0.").rpartition(".")
        if "_embeddings" in module:
            variables[f"{names[module.split('.')[1].removesuffix('_embeddings')]}/embeddings"] = array
            continue
        is_norm = "LayerNorm" in name or "layer_norm" in name
        leaf = {"weight": "gamma" if is_norm else "kernel", "bias": "beta" if is_norm else "bias"}[leaf]
        value = array.T.copy() if leaf == "kernel" else array
        if modules[module].endswith(("query", "key", "value")):
            value = value.reshape(*value.shape[:-1], 8, 4)
        elif module == "attention.dense" and leaf == "kernel":
            value = value.reshape(8, 4, 32)
        variables[f"{modules[module]}/{leaf}"] = value
    parts = containers.checkpoint(variables)
    content = {
        "saved_model.pb": containers.saved_model(containers.graph_def(containers.albert_nodes(geo))),
        **{"variables/variables" + name: data for name, data in parts.items()},
        "assets/30k-clean.model": spiece(),
    }
    got = AlbertEmbeddings.load(containers.write_files(tmp_path / "garden", content))
    want = AlbertEmbeddings.load(make_model.write_folder(tmp_path / "same", geo, 4))
    assert got._model_files().geometry == want._model_files().geometry
    np.testing.assert_array_equal(vectors(got), vectors(want))


def test_written_tensors_are_those_that_were_read(tmp_path: Path) -> None:
    turned = {**WEIGHTS, "pooler.bias": WEIGHTS["pooler.bias"].astype(np.float64)}
    content = hugging_face({"pytorch_model.bin": containers.torch_zip(turned, turned=["pooler.weight"], deflate=True)})
    files = read_any(containers.write_files(tmp_path / "model", content))
    out = io.BytesIO()
    files.write_safetensors(out)
    data = out.getvalue()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    del header["__metadata__"]
    assert set(header) == set(WEIGHTS)
    for name, said in header.items():
        begin, end = said["data_offsets"]
        got = np.frombuffer(data[8 + length + begin : 8 + length + end], "<f4").reshape(said["shape"])
        np.testing.assert_array_equal(got, WEIGHTS[name])


def test_files_and_models_are_copied_and_pickled(tmp_path: Path, expected: make_model.Array) -> None:
    path = tmp_path / "model.tar.gz"
    path.write_bytes(containers.tarred(google_files()))
    files = read_any(path)
    assert pickle.loads(pickle.dumps(files)) == files
    model = AlbertEmbeddings.load(path)
    np.testing.assert_array_equal(vectors(copy.deepcopy(model)), expected)
    np.testing.assert_array_equal(vectors(pickle.loads(pickle.dumps(model))), expected)


def test_two_loads_share_one_engine_until_the_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    path.write_bytes(containers.zipped(FOLDERS["spark nlp"]()))
    one, two = AlbertEmbeddings.load(path), AlbertEmbeddings.load(path)
    assert one._loaded() is two._loaded()
    other = containers.spark_tensorflow(GEO, make_model.make_weights(GEO, 7), spiece())
    path.write_bytes(containers.zipped(other))
    assert AlbertEmbeddings.load(path)._loaded() is not one._loaded()


def stored_bytes(files: ModelFiles) -> int:
    return sum(entry.numbers * tensors.WIDTHS[entry.dtype] for entry in files.tensors)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("what", ["spark nlp", "tar.gz"])
def test_memory_stays_within_twice_the_model(tmp_path: Path, what: str) -> None:
    """A model of 60 MB in a nested zip, or a tar.gz: the peak of the process while it loads, in a child."""
    geo = make_model.geometry(
        hidden_size=1024, intermediate_size=4096, embedding_size=128, vocab_size=8000, num_attention_heads=16,
        num_hidden_layers=2,
    )  # fmt: skip
    weights = make_model.make_weights(geo)
    words = make_model.padded(spiece(), geo["vocab_size"])
    if what == "spark nlp":
        path = tmp_path / "model.zip"
        path.write_bytes(containers.zipped(containers.spark_tensorflow(geo, weights, words)))
    else:
        path = tmp_path / "model.tar.gz"
        parts = containers.checkpoint(containers.google_variables(weights))
        config_json = json.dumps(containers.google_config(geo)).encode()
        content = {"m" + name: data for name, data in parts.items()}
        path.write_bytes(containers.tarred({**content, "albert_config.json": config_json, "30k-clean.model": words}))
    size = stored_bytes(read_any(path))
    del weights
    script = (
        "import sys, resource; from albert_fast import AlbertEmbeddings as A\n"
        "A.pretrained('albert_tiny_en').embed('a')\n"
        "base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "m = A.load(sys.argv[1]); print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base) * 1024)\n"
    )
    import subprocess

    done = subprocess.run([sys.executable, "-c", script, os.fspath(path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 2 * size + (60 << 20), (int(done.stdout), size)


# ------------------------------------------------------------------------------------- the real writers, if here


def test_what_torch_writes(tmp_path: Path, expected: make_model.Array) -> None:
    torch = pytest.importorskip("torch")
    state = {name: torch.from_numpy(array.copy()) for name, array in WEIGHTS.items()}
    state["embeddings.position_ids"] = torch.arange(512)
    state["pooler.weight"] = torch.nn.Parameter(state["pooler.weight"].T.contiguous().T)
    for new in (True, False):
        folder = containers.write_files(tmp_path / str(new), hugging_face({}))
        torch.save(state, folder / "pytorch_model.bin", _use_new_zipfile_serialization=new)
        np.testing.assert_array_equal(vectors(AlbertEmbeddings.load(folder)), expected)


@pytest.mark.parametrize(
    "name",
    ["google_checkpoint", "savedmodel_v1", "savedmodel_v2", "saved_tensorflow_v1", "saved_tensorflow_v2", "saved_onnx",
     "hf_folder/model.onnx", "saved_pipeline/stages/3_ALBERT_EMBEDDINGS_b7834586f8d9"],
)  # fmt: skip
@pytest.mark.parametrize("form", ["as it is", "archive"])
def test_real_containers_give_the_vectors_of_spark_nlp(golden: Path, tmp_path: Path, name: str, form: str) -> None:
    path = golden / "sparknlp/models" / name
    if form == "archive":
        if path.is_file():
            pytest.skip("a single file")
        kind = "gztar" if name == "google_checkpoint" else "zip"
        path = Path(shutil.make_archive(os.fspath(tmp_path / "model"), kind, path))
    case = json.loads((golden / "sparknlp/embeddings_b1.json").read_text())
    data = np.load(golden / "sparknlp/embeddings_b1.npz")
    texts = json.loads((golden / "texts/texts.json").read_text())[: len(case["rows"])]
    model = AlbertEmbeddings.load(path, compat="sparknlp", batch_size=case["batchSize"])
    model.setMaxSentenceLength(case["maxSentenceLength"]).setCaseSensitive(case["caseSensitive"])
    got = model.embed([text or "" for text in texts]).vectors
    assert got.shape == data["vectors"].shape
    assert float(np.abs(got - data["vectors"]).max()) <= 1e-5
