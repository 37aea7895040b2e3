"""The CUDA model on the CPU: its graph, batches, rows and retries through ONNX Runtime, against the CPU's own model.

Only the provider and ONNX Runtime's attention kernel are not those of a GPU (an operator of ours stands in).
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import make_model
from albert_fast import AlbertEmbeddings, DeviceError, _core
from albert_fast.device_vectors import DeviceVectors
from conftest import ModelMaker
from device_graphs import rehearse
from reference_albert import ReferenceAlbert
from test_device_graph import GEOMETRIES
from test_encoder import random_sequences

TEXTS = [
    "I love NLP. It is ALBERT, and ALBERT is small!",
    "",
    "unbelievable and short ones",
    "I love NLP.",
    "A sentence that is somewhat longer than the others, because one of them has to be the longest of all. " * 3,
    "I love NLP.",
]


def rehearsed(folder: Path, model: AlbertEmbeddings, **changes: Any) -> AlbertEmbeddings:
    """Return `model` with the CUDA model's rehearsal in the place of its own."""
    engine = rehearse(folder, **changes)

    class Rehearsed(AlbertEmbeddings):
        def _loaded(self) -> _core.Engine:
            return engine

    return Rehearsed._from_files(model._model_files(), model.explicit_params())


@pytest.mark.parametrize("changes", GEOMETRIES, ids=str)
def test_every_geometry_matches_float64(make_folder: ModelMaker, changes: dict[str, Any]) -> None:
    geometry = make_model.geometry(**changes)
    reference = ReferenceAlbert(make_model.make_weights(geometry, 1), geometry)
    folder = make_folder(seed=1, **changes)
    engine = rehearse(folder, most_tokens=256)
    sequences = random_sequences(12, 60, geometry["vocab_size"])
    out = engine.embed_ids(sequences, AlbertEmbeddings.load(folder)._options())
    assert out["stats"]["batches"] > 1
    for (a, b), ids in zip(itertools.pairwise(out["row_splits"]), sequences, strict=True):
        np.testing.assert_allclose(out["vectors"][a:b], reference.hidden_states(ids)[-1], rtol=0, atol=2e-5)


LEVELS = [
    ("word", "first"), ("word", "mean"), ("word", "max"), ("piece", None), ("sentence", "mean"), ("sentence", "max"),
    ("sentence", "cls"), ("sentence", "pooler"), ("sentence", "words"), ("document", "mean"), ("document", "max"),
    ("document", "pooler"), ("document", "words"),
]  # fmt: skip


TEXT = {"tokenization": "text", "normalize": True}
CALLS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    *itertools.product(({}, {"max_sentence_length": 12}), ({}, {"layers": [0, 2, 3]}, TEXT)),
    ({"compat": "sparknlp"}, {}),
]


@pytest.mark.parametrize(("level", "pooling"), LEVELS)
@pytest.mark.parametrize(("parameters", "options"), CALLS, ids=str)
def test_what_the_cpu_gives(
    tiny_folder: Path, level: str, pooling: str | None, parameters: dict[str, Any], options: dict[str, Any]
) -> None:
    model = AlbertEmbeddings.load(tiny_folder, **parameters)
    expected = model.embed(TEXTS, level=level, pooling=pooling, **options)
    got = rehearsed(tiny_folder, model, most_tokens=64).embed(TEXTS, level=level, pooling=pooling, **options)
    np.testing.assert_allclose(got.vectors, expected.vectors, rtol=0, atol=2e-5)
    assert got.words == expected.words


def test_a_vector_does_not_depend_on_its_neighbours(tiny_folder: Path, tiny: AlbertEmbeddings) -> None:
    model = rehearsed(tiny_folder, tiny)
    sentence = "I love NLP."
    alone = model.embed([sentence]).vectors
    long = " ".join(["neighbour"] * 60)
    for texts, place in (([sentence, long], 0), ([long, sentence], 1), ([long, sentence, long + " x"], 1)):
        np.testing.assert_allclose(model.embed(texts)[place].vectors, alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("level", "pooling"), LEVELS)
@pytest.mark.parametrize(("parameters", "options"), CALLS, ids=str)
def test_short_calls_in_prepared_shapes(
    tiny_folder: Path, level: str, pooling: str | None, parameters: dict[str, Any], options: dict[str, Any]
) -> None:
    model = AlbertEmbeddings.load(tiny_folder, **parameters)
    short = rehearsed(tiny_folder, model, most_tokens=3000)  # an engine of its own, see engine_for
    engine = short._loaded()
    engine.prepare(short._options(level=level, pooling=pooling, **options))
    assert engine.prepared % 4 == 0
    # One after the other: what a larger call left in a shape must not be seen by a smaller one.
    for texts in (TEXTS[:1] * 3 + TEXTS[2:4], TEXTS[3:4], TEXTS[2:3], TEXTS[:1], TEXTS, [""]):
        expected = model.embed(texts, level=level, pooling=pooling, **options)
        got = short.embed(texts, level=level, pooling=pooling, **options)
        np.testing.assert_allclose(got.vectors, expected.vectors, rtol=0, atol=2e-5)


def test_only_prepared_choices_run_in_shapes(tiny_folder: Path, tiny: AlbertEmbeddings) -> None:
    model = rehearsed(tiny_folder, tiny, most_tokens=3001)
    engine = model._loaded()
    assert engine.prepared == 0
    text = ["unbelievable and short ones"]
    assert model.embed(text, level="sentence").stats["copies"] == 0  # means are made by the graph
    for _ in range(2):
        engine.prepare(model._options())
        assert engine.prepared == 4
    assert model.embed(text, level="sentence").stats["copies"] == 1  # in a shape they are made on the host
    assert model.embed(text, level="word").stats["copies"] == 0
    assert model.embed(text, level="sentence", layers=[1, 2]).stats["copies"] == 0
    long = [f"{a} {b} is a text of some words" for a, b in itertools.product("abcdefgh", repeat=2)]
    assert model.embed(long, level="sentence").stats["copies"] == 0
    engine.prepare(model._options(layers=[1, 2]))
    assert engine.prepared == 8
    without = rehearsed(tiny_folder, tiny, graphs=False)._loaded()
    without.prepare(model._options())
    assert without.prepared == 0


def test_short_calls_of_many_threads(tiny_folder: Path, tiny: AlbertEmbeddings) -> None:
    model = rehearsed(tiny_folder, tiny, most_tokens=3002)
    model._loaded().prepare(model._options())
    texts = [f"caller {c} has a text" + " and more" * c for c in range(8)]
    expected = [tiny.embed(text).vectors for text in texts]

    def call(caller: int) -> Callable[[], None]:
        def body() -> None:
            for _ in range(20):
                got = model.embed(texts[caller]).vectors
                wrong.extend([caller] * (not np.allclose(got, expected[caller], rtol=0, atol=2e-5)))

        return body

    wrong: list[int] = []
    threads = [threading.Thread(target=call(c)) for c in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize(("level", "pooling"), LEVELS)
def test_vectors_that_stay_on_the_device(
    tiny_folder: Path, tiny: AlbertEmbeddings, level: str, pooling: str | None, prepared: bool
) -> None:
    model = rehearsed(tiny_folder, tiny, most_tokens=3003 + prepared)
    engine = model._loaded()
    for options in (tiny._options(level=level, pooling=pooling), tiny._options(level=level, pooling=pooling, **TEXT)):
        if prepared:
            engine.prepare(options)
        for texts in (TEXTS, TEXTS[2:3], [TEXTS[0], TEXTS[0]], [], [""]):
            expected = engine.embed(texts, options)["vectors"]
            columns = engine.embed(texts, {**options, "on_device": True})
            vectors = DeviceVectors(columns["vectors"])
            assert vectors.shape == expected.shape
            np.testing.assert_allclose(vectors.to_numpy(), expected, rtol=0, atol=1e-6)
            if len(expected) > 1:
                np.testing.assert_allclose(np.from_dlpack(vectors[1:]), expected[1:], rtol=0, atol=1e-6)


def test_a_halved_micro_batch_that_stays_on_the_device(tiny_folder: Path, tiny: AlbertEmbeddings) -> None:
    texts = [f"{a} {b} with a tail of {n} words" for n, (a, b) in enumerate(itertools.product("abcdefgh", repeat=2))]
    engine = rehearsed(tiny_folder, tiny, memory_limit=128 * 32 * 4, most_tokens=5010)._loaded()
    columns = engine.embed(texts, {**tiny._options(), "on_device": True})
    np.testing.assert_allclose(columns["vectors"].to_numpy(), tiny.embed(texts).vectors, rtol=0, atol=2e-5)


def test_without_memory_a_micro_batch_is_halved(tiny_folder: Path, tiny: AlbertEmbeddings) -> None:
    texts = [f"{a} {b} with a tail of {n} words" for n, (a, b) in enumerate(itertools.product("abcdefgh", repeat=2))]
    bytes_of_token = 32 * 4
    for most, (level, pooling) in enumerate((("word", "mean"), ("document", "max")), start=5000):
        expected = tiny.embed(texts, level=level, pooling=pooling)
        model = rehearsed(tiny_folder, tiny, memory_limit=128 * bytes_of_token, most_tokens=most)
        got = model.embed(texts, level=level, pooling=pooling)
        np.testing.assert_allclose(got.vectors, expected.vectors, rtol=0, atol=2e-5)
        assert got.stats["batches"] == 1
        again = model.embed(texts, level=level, pooling=pooling)  # the next call asks for less at once
        assert again.stats["batches"] > 1
        np.testing.assert_allclose(again.vectors, expected.vectors, rtol=0, atol=2e-5)


def test_a_sequence_for_which_there_is_no_memory(tiny_folder: Path, tiny: AlbertEmbeddings) -> None:
    model = rehearsed(tiny_folder, tiny, memory_limit=64 * 32 * 4)
    with pytest.raises(DeviceError, match=r"cuda:0 has no memory for one sequence of \d+ pieces.*max_sentence_length"):
        model.embed(["many words of one long sentence " * 12])
    assert len(model.embed(["short"])) == 1  # and it goes on


def test_many_callers(tiny_folder: Path, tiny: AlbertEmbeddings) -> None:
    model = rehearsed(tiny_folder, tiny, most_tokens=128)
    texts = [[f"caller {c} has text {n}" for n in range(30)] for c in range(4)]
    found: list[Any] = [None] * 4

    def call(caller: int) -> Callable[[], None]:
        def body() -> None:
            found[caller] = model.embed(texts[caller], level="sentence").vectors

        return body

    threads = [threading.Thread(target=call(c)) for c in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for caller in range(4):
        expected = tiny.embed(texts[caller], level="sentence").vectors
        np.testing.assert_allclose(found[caller], expected, rtol=0, atol=2e-5)


def test_a_rehearsal_is_in_fp32(tiny_folder: Path) -> None:
    from albert_fast import engines, models
    from albert_fast.device import Cuda

    with pytest.raises(DeviceError, match="fp32"):
        engines.engine_for(models.read_folder(tiny_folder), "fp16", Cuda(precision="fp16", rehearsal=True))
