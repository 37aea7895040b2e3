"""The model's arithmetic, reached by piece ids: packed fp32 on the CPU against float64 without packing."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import make_model
from albert_fast import AlbertEmbeddings
from base_weights import write_base
from conftest import ModelMaker
from reference_albert import ReferenceAlbert

TOLERANCE = 2e-5  # the project's bound for fp32 on the CPU
Array = NDArray[Any]


def rows(model: AlbertEmbeddings, sequences: list[list[int]], **options: Any) -> list[Array]:
    """Return the last hidden state (or what `options` ask for) of each sequence."""
    engine = model._loaded()
    out = engine.embed_ids(sequences, model._options(**options))
    splits = out["row_splits"]
    return [out["vectors"][a:b] for a, b in itertools.pairwise(splits)]


def random_sequences(count: int, longest: int, vocabulary: int, seed: int = 0) -> list[list[int]]:
    random = np.random.default_rng(seed)
    lengths = random.integers(0, longest - 1, count)
    return [[2, *random.integers(5, vocabulary, n).tolist(), 3] for n in lengths]


GEOMETRIES: list[dict[str, Any]] = [
    {},
    {"num_hidden_layers": 6, "num_hidden_groups": 3},
    {"num_hidden_layers": 5, "num_hidden_groups": 2},
    {"num_hidden_layers": 18, "num_hidden_groups": 14},  # where transformers rounds 7.0 down to 6
    {"inner_group_num": 2},
    {"num_hidden_groups": 2, "inner_group_num": 2, "num_hidden_layers": 4},
    {"hidden_act": "gelu"},
    {"hidden_act": "relu"},
    {"embedding_size": 5},
    {"embedding_size": 96},
    {"hidden_size": 36, "num_attention_heads": 3},
    {"hidden_size": 21, "num_attention_heads": 3, "intermediate_size": 33},
    {"hidden_size": 40, "num_attention_heads": 1},
    {"hidden_size": 256, "num_attention_heads": 2},
    {"num_hidden_layers": 1},
]


@pytest.mark.parametrize("changes", GEOMETRIES, ids=str)
def test_every_geometry_matches_float64(make_folder: ModelMaker, changes: dict[str, Any]) -> None:
    folder = make_folder(seed=1, **changes)
    geometry = make_model.geometry(**changes)
    reference = ReferenceAlbert(make_model.make_weights(geometry, 1), geometry)
    model = AlbertEmbeddings.load(folder)
    sequences = random_sequences(7, 60, geometry["vocab_size"])
    expected = [reference.hidden_states(ids)[-1] for ids in sequences]
    for got, states in zip(rows(model, sequences), expected, strict=True):
        np.testing.assert_allclose(got, states, rtol=0, atol=TOLERANCE)
    # Behind the last attention only these tokens go on.
    texts = ["I love NLP", "ALBERT is small.", "", "internationalization of words " * 9]
    whole: dict[str, Any] = {"tokenization": "text", "detect_sentences": False}
    every = model.embed(texts, level="piece", special_tokens=True, **whole)
    first = model.embed(texts, level="document", pooling="cls", **whole)
    full = [0, 1, 3]  # no [CLS] stands for an empty text
    cls_rows = every.vectors[every.row_splits[:-1][full]]
    np.testing.assert_allclose(first.vectors[full], cls_rows, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("dtype", ["F16", "BF16"])
@pytest.mark.parametrize("prefix", ["", "albert."])
def test_half_precision_weights_are_widened_exactly(make_folder: ModelMaker, dtype: str, prefix: str) -> None:
    folder = make_folder(seed=2, dtype=dtype, prefix=prefix)
    geometry = make_model.geometry()
    weights = make_model.make_weights(geometry, 2)
    if dtype == "F16":
        rounded = {name: value.astype(np.float16).astype(np.float32) for name, value in weights.items()}
    else:
        rounded = {name: make_model.from_bfloat16(make_model.to_bfloat16(value)) for name, value in weights.items()}
    reference = ReferenceAlbert(rounded, geometry)
    sequences = random_sequences(3, 40, geometry["vocab_size"])
    for got, ids in zip(rows(AlbertEmbeddings.load(folder), sequences), sequences, strict=True):
        np.testing.assert_allclose(got, reference.hidden_states(ids)[-1], rtol=0, atol=TOLERANCE)


def test_hidden_layers_and_their_mean(tiny: AlbertEmbeddings) -> None:
    geometry = make_model.geometry()
    reference = ReferenceAlbert(make_model.make_weights(geometry, 0), geometry)
    ids = random_sequences(1, 30, geometry["vocab_size"], seed=5)[0]
    states = reference.hidden_states(ids)
    count = geometry["num_hidden_layers"]
    for layer in range(count + 1):
        np.testing.assert_allclose(rows(tiny, [ids], layers=layer)[0], states[layer], atol=TOLERANCE)
        np.testing.assert_allclose(rows(tiny, [ids], layers=layer - count - 1)[0], states[layer], atol=TOLERANCE)
    mean = rows(tiny, [ids], layers=(0, -1, 1))[0]
    np.testing.assert_allclose(mean, (states[0] + states[-1] + states[1]) / 3, atol=TOLERANCE)


def test_pooler(tiny: AlbertEmbeddings) -> None:
    geometry = make_model.geometry()
    reference = ReferenceAlbert(make_model.make_weights(geometry, 0), geometry)
    out = tiny.embed(["some words here", "and others"], level="sentence", pooling="pooler")
    pieces = tiny.embed(["some words here", "and others"], level="piece", special_tokens=True)
    for number, part in enumerate(pieces):
        expected = reference.pooled(part.piece_ids.tolist())
        np.testing.assert_allclose(out.vectors[number], expected, atol=TOLERANCE)


@pytest.mark.parametrize("length", [1, 2, 3, 8, 16, 33, 100, 500])
def test_a_sequence_does_not_depend_on_its_neighbours(tiny: AlbertEmbeddings, length: int) -> None:
    vocabulary = make_model.geometry()["vocab_size"]
    probe = random_sequences(1, 20, vocabulary, seed=9)[0]
    other = np.random.default_rng(length).integers(5, vocabulary, length + 2).tolist()
    alone = rows(tiny, [probe])[0]
    first, last = rows(tiny, [probe, other])[0], rows(tiny, [other, probe])[1]
    among = rows(tiny, [other, probe, other[::-1]])[1]
    for got in (first, last, among):
        assert np.abs(got - alone).max() <= 1e-6


def test_ten_thousand_sequences_packed_are_what_they_are_alone(tiny: AlbertEmbeddings) -> None:
    vocabulary = make_model.geometry()["vocab_size"]
    sequences = random_sequences(10_000, 12, vocabulary, seed=3)
    packed = rows(tiny, sequences)
    assert len(packed) == len(sequences)
    worst = max(float(np.abs(rows(tiny, [ids])[0] - got).max()) for ids, got in zip(sequences, packed, strict=True))
    assert worst <= 1e-6


def test_threads_do_not_change_the_result(tiny_folder: Path) -> None:
    sequences = random_sequences(300, 64, make_model.geometry()["vocab_size"], seed=4)
    one = rows(AlbertEmbeddings.load(tiny_folder, threads=1), sequences)
    four = rows(AlbertEmbeddings.load(tiny_folder, threads=4), sequences)
    for a, b in zip(one, four, strict=True):
        assert np.abs(a - b).max() <= 1e-6


@pytest.mark.parametrize("name", ["tiny_albert", "tiny_albert_groups", "tiny_albert_gelu"])
def test_hugging_face_goldens(golden: Path, tmp_path: Path, name: str) -> None:
    folder = golden / name
    for file in ("config.json", "model.safetensors"):
        (tmp_path / file).symlink_to(folder / file)
    (tmp_path / "spiece.model").symlink_to(golden / "sparknlp/models/hf_folder/spiece.model")
    model = AlbertEmbeddings.load(tmp_path)
    data = np.load(folder / "golden_hf_float64.npz")
    compare_with_hugging_face(model, data)
    # The twin that the other tests trust is held against the same outputs.
    geometry = json.loads((folder / "config.json").read_text())
    reference = ReferenceAlbert(read_float32(folder / "model.safetensors"), geometry)
    for i in range(4):
        state = reference.hidden_states(data[f"ids_{i}"].ravel().tolist())[-1]
        np.testing.assert_allclose(state, data[f"last_{i}"], atol=2e-6)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> AlbertEmbeddings:
    return AlbertEmbeddings.load(write_base(tmp_path_factory.mktemp("base")))


def test_base_size_matches_hugging_face(base: AlbertEmbeddings) -> None:
    compare_with_hugging_face(base, np.load(Path(__file__).parent / "data" / "base_check.npz"))


def test_base_size_matches_all_goldens(base: AlbertEmbeddings, golden: Path) -> None:
    compare_with_hugging_face(base, np.load(golden / "base_check.npz"))


def compare_with_hugging_face(model: AlbertEmbeddings, data: Any) -> None:
    count = sum(key.startswith("ids_") for key in data)
    assert count > 0
    sequences = [data[f"ids_{i}"].ravel().tolist() for i in range(count)]
    hidden = model.hidden_size
    worst = 0.0
    for i, got in enumerate(rows(model, sequences)):
        worst = max(worst, float(np.abs(got - data[f"last_{i}"].reshape(-1, hidden)).max()))
        if f"pooled_{i}" in data and model._loaded().has_pooler:
            vector = pooled(model, sequences[i])
            worst = max(worst, float(np.abs(vector - data[f"pooled_{i}"].ravel()).max()))
    if "hidden_states_0" in data:
        # transformers 5 also lists the states between the inner layers of a group; layers= counts whole layers.
        geometry = model._model_files().geometry
        states = data["hidden_states_0"][:: geometry.inner_group_num]
        assert len(states) == geometry.num_hidden_layers + 1
        for layer, expected in enumerate(states):
            got = rows(model, sequences[:1], layers=layer)[0]
            worst = max(worst, float(np.abs(got - expected.reshape(-1, hidden)).max()))
    assert worst <= TOLERANCE, worst


def pooled(model: AlbertEmbeddings, ids: list[int]) -> Array:
    """Return the pooler output of a sequence."""
    columns = model._loaded().embed_ids([ids], {**model._options(level="sentence", pooling="pooler")})
    vector: Array = columns["vectors"][0]
    return vector


def read_float32(path: Path) -> dict[str, Array]:
    blob = path.read_bytes()
    start = 8 + int.from_bytes(blob[:8], "little")
    header = json.loads(blob[8:start])
    return {
        name.removeprefix("albert."): np.frombuffer(
            blob[start + entry["data_offsets"][0] : start + entry["data_offsets"][1]], np.float32
        ).reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__"
    }
