"""precision="int8": how far from fp32, that rows do not see their neighbours, and where there is none."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import albert_fast
import make_model
from albert_fast import AlbertEmbeddings, DeviceError
from base_weights import BASE, outlier_weights, write_base
from conftest import ModelMaker
from reference_albert import ReferenceAlbert
from test_encoder import GEOMETRIES, random_sequences, rows

Array = NDArray[Any]
# The project's bounds for int8 against fp32.
MEAN_COSINE, WORST_COSINE = 0.999, 0.995
TEXTS = ["I love NLP", "ALBERT shares one set of weights between all of its layers.", "Zero, one, two: three!"]


def cosines(a: Array, b: Array) -> Array:
    a, b = a.astype(np.float64), b.astype(np.float64)
    return np.einsum("ij,ij->i", a, b) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))


def check_fidelity(int8: AlbertEmbeddings, fp32: AlbertEmbeddings, vocabulary: int) -> None:
    sequences = random_sequences(12, 128, vocabulary, seed=5)
    found = cosines(np.concatenate(rows(int8, sequences)), np.concatenate(rows(fp32, sequences)))
    assert found.mean() >= MEAN_COSINE
    assert found.min() >= WORST_COSINE
    assert found.max() < 1 - 1e-9  # it is another arithmetic


@pytest.mark.parametrize("outliers", [False, True], ids=["random weights", "weights with loud channels"])
def test_fidelity_on_weights_of_base_size(tmp_path: Path, outliers: bool) -> None:
    folder = write_base(tmp_path, outlier_weights() if outliers else None)
    check_fidelity(AlbertEmbeddings.load(folder, precision="int8"), AlbertEmbeddings.load(folder), BASE["vocab_size"])


def test_fidelity_of_the_built_in_model() -> None:
    fp32 = AlbertEmbeddings.pretrained("albert_tiny_en")
    int8 = AlbertEmbeddings.pretrained("albert_tiny_en", precision="int8")
    check_fidelity(int8, fp32, 1000)


@pytest.mark.parametrize("changes", GEOMETRIES, ids=str)
def test_every_geometry_is_near_float64(make_folder: ModelMaker, changes: dict[str, Any]) -> None:
    folder = make_folder(seed=1, **changes)
    geometry = make_model.geometry(**changes)
    reference = ReferenceAlbert(make_model.make_weights(geometry, 1), geometry)
    sequences = random_sequences(7, 60, geometry["vocab_size"])
    want = np.concatenate([reference.hidden_states(ids)[-1] for ids in sequences])
    got = np.concatenate(rows(AlbertEmbeddings.load(folder, precision="int8"), sequences))
    assert cosines(got, want).mean() >= 0.998
    assert cosines(got, want).min() >= WORST_COSINE


def test_rows_do_not_see_their_neighbours(tmp_path: Path) -> None:
    """One scale for all rows of a batch would move quiet rows as soon as a loud one comes."""
    weights = make_model.make_weights(make_model.TINY, 4)
    weights["embeddings.word_embeddings.weight"][10] *= 1000
    weights["embeddings.LayerNorm.weight"][:] = np.linspace(0.1, 30, len(weights["embeddings.LayerNorm.weight"]))
    make_model.write_folder(tmp_path, make_model.TINY, 4)
    make_model.save_safetensors(tmp_path / "model.safetensors", weights)
    model = AlbertEmbeddings.load(tmp_path, precision="int8")
    quiet, loud = random_sequences(5, 40, 400, seed=1), [[2, *[10] * 60, 3]]
    alone = [rows(model, [ids])[0] for ids in quiet]
    for got, want in zip(rows(model, [*loud, *quiet, *loud]), [None, *alone, None], strict=True):
        if want is not None:
            np.testing.assert_allclose(got, want, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"level": "document", "pooling": "mean"},
        {"level": "sentence", "pooling": "pooler"},
        {"layers": [0, 1, 3]},
        {"layers": 0},
        {"normalize": True, "tokenization": "text"},
        {"compat": "sparknlp"},
    ],
    ids=str,
)
def test_every_kind_of_result(tiny_folder: Path, options: dict[str, Any]) -> None:
    kept = {"compat": options["compat"]} if "compat" in options else {}
    call = {key: value for key, value in options.items() if key != "compat"}
    int8 = AlbertEmbeddings.load(tiny_folder, precision="int8", **kept).embed(TEXTS, **call)
    fp32 = AlbertEmbeddings.load(tiny_folder, **kept).embed(TEXTS, **call)
    assert int8.vectors.shape == fp32.vectors.shape
    assert cosines(int8.vectors, fp32.vectors).min() >= WORST_COSINE
    assert int8.stats["copies"] == 0


def test_the_precision_can_be_changed(tiny_folder: Path) -> None:
    model = AlbertEmbeddings.load(tiny_folder)
    exact = model.embed(TEXTS).vectors
    model.setPrecision("int8")
    assert model.getPrecision() == "int8"
    near = model.embed(TEXTS).vectors
    assert 0 < np.abs(near - exact).max() < 1
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).embed(TEXTS).vectors, near)
    model.setPrecision("fp32")
    np.testing.assert_array_equal(model.embed(TEXTS).vectors, exact)


def test_two_models_of_one_folder_share_a_precision_only(tiny_folder: Path) -> None:
    one, two = (AlbertEmbeddings.load(tiny_folder, precision="int8") for _ in range(2))
    assert one._loaded() is two._loaded()
    assert one._loaded() is not AlbertEmbeddings.load(tiny_folder)._loaded()


@pytest.mark.parametrize("precision", ["fp16", "tf32"])
def test_what_a_cpu_does_not_compute_in(tiny_folder: Path, precision: str) -> None:
    with pytest.raises(DeviceError, match="'fp32' or 'int8'"):
        AlbertEmbeddings.load(tiny_folder, precision=precision)


@pytest.mark.parametrize("name", ["ffn.bias", "ffn.weight", "attention.query.weight", "full_layer_layer_norm.weight"])
def test_weights_that_are_not_numbers_are_refused(tmp_path: Path, name: str) -> None:
    """Quantizing would turn NaN into something that looks like a number; fp32 shows it."""
    weights = make_model.make_weights(make_model.TINY, 4)
    weights[f"encoder.albert_layer_groups.0.albert_layers.0.{name}"].flat[3] = np.nan
    make_model.write_folder(tmp_path, make_model.TINY, 4)
    make_model.save_safetensors(tmp_path / "model.safetensors", weights)
    with pytest.raises(albert_fast.CorruptModelError, match=f"{name.split('.', maxsplit=1)[0]}|qkv"):
        AlbertEmbeddings.load(tmp_path, precision="int8")
    assert np.isnan(AlbertEmbeddings.load(tmp_path).embed("NLP").vectors).all()


@pytest.mark.parametrize("bits", [0x7FC00000, 0x7FC00001, 0xFFFFFFFF, 0x7F800001])
@pytest.mark.parametrize(
    "name", ["attention.query.weight", "attention.key.weight", "attention.query.bias", "ffn.weight"]
)
def test_no_nan_becomes_a_number_in_fp32(tmp_path: Path, name: str, bits: int) -> None:
    """NaNs come with payloads, which arithmetic on exponents must not take for numbers."""
    weights = make_model.make_weights(make_model.TINY, 4)
    weights[f"encoder.albert_layer_groups.0.albert_layers.0.{name}"].reshape(-1).view(np.uint32)[3] = bits
    make_model.write_folder(tmp_path, make_model.TINY, 4)
    make_model.save_safetensors(tmp_path / "model.safetensors", weights)
    assert np.isnan(AlbertEmbeddings.load(tmp_path).embed("NLP is good").vectors).all()


@pytest.mark.parametrize("name", ["word_embeddings.weight", "LayerNorm.bias"])
def test_embeddings_that_are_not_numbers_are_refused(tmp_path: Path, name: str) -> None:
    weights = make_model.make_weights(make_model.TINY, 4)
    weights[f"embeddings.{name}"].flat[3] = np.inf
    make_model.write_folder(tmp_path, make_model.TINY, 4)
    make_model.save_safetensors(tmp_path / "model.safetensors", weights)
    with pytest.raises(albert_fast.CorruptModelError, match="holds NaN or infinity"):
        AlbertEmbeddings.load(tmp_path, precision="int8")
