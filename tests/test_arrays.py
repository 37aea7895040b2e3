"""Who owns the memory of a result, and that nothing copies it on the way."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from albert_fast import AlbertEmbeddings, Embeddings, InputError

TEXT = ["some words about memory", "and more of them"]


def test_vectors_are_a_contiguous_aligned_writable_matrix(tiny: AlbertEmbeddings) -> None:
    vectors = tiny.embed(TEXT).vectors
    assert vectors.dtype == np.float32
    assert vectors.flags.c_contiguous
    assert vectors.flags.writeable
    assert vectors.ctypes.data % 64 == 0
    assert type(vectors.base).__name__ == "PyCapsule"


def test_the_model_writes_in_place(tiny: AlbertEmbeddings) -> None:
    # The core compares the address that the last operator wrote to with the result's; a mismatch counts as a copy.
    texts = [f"text {i} " * (i % 30) for i in range(500)]
    for level in ("word", "piece", "sentence"):
        stats = tiny.embed(texts, level=level).stats
        assert stats["batches"] > 1
        assert stats["copies"] == 0


def test_python_allocates_nothing_of_the_matrix(tiny: AlbertEmbeddings) -> None:
    texts = [f"number {i} of many texts" for i in range(2000)]
    tiny.embed(texts[:10])
    tracemalloc.start()
    out = tiny.embed(texts)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # NumPy reports its own buffers to tracemalloc; the engine's matrix is not among them.
    assert out.vectors.nbytes > 1_000_000
    assert peak < out.vectors.nbytes / 2


@pytest.mark.parametrize("order", ["model first", "result first", "view outlives both"])
def test_lifetimes(tiny_folder: Path, order: str) -> None:
    model = AlbertEmbeddings.load(tiny_folder, batch_size=7)
    out: Embeddings | None = model.embed(TEXT)
    assert out is not None
    expected = out.vectors.copy()
    view, begin = out[1].vectors, out.begin
    if order == "model first":
        del model
        gc.collect()
        np.testing.assert_array_equal(out.vectors, expected)
    elif order == "result first":
        del out
        gc.collect()
        np.testing.assert_array_equal(model.embed(TEXT).vectors, expected)
    else:
        del model, out
        gc.collect()
        junk = [np.ones(1000, dtype=np.float32) for _ in range(100)]
        np.testing.assert_array_equal(view, expected[-len(view) :])
        assert begin[0] == 0
        assert len(junk) == 100


def test_results_do_not_share_memory(tiny: AlbertEmbeddings) -> None:
    first, second = tiny.embed(TEXT), tiny.embed(TEXT)
    first.vectors[:] = 0
    assert second.vectors.any()


def test_consecutive_texts_are_views(tiny: AlbertEmbeddings) -> None:
    texts = ["I love NLP", "", "two words", "one"]
    for level in ("word", "piece", "document"):
        out = tiny.embed(texts, level=level)
        for begin, end in ((1, 3), (0, 4), (2, None), (None, -1), (3, 1), (9, 12)):
            part = out[begin:end]
            chosen = range(len(texts))[begin:end]
            assert list(part.texts) == [texts[number] for number in chosen]
            assert part.row_splits[0] == 0
            assert part.row_splits[-1] == len(part.vectors) == len(part.begin)
            assert part.words == [word for number in chosen for word in out[number].words]
            assert len(part) == len(chosen)
            for mine, number in zip(part, chosen, strict=True):
                np.testing.assert_array_equal(mine.vectors, out[number].vectors)
            assert not len(part.vectors) or np.shares_memory(part.vectors, out.vectors)
    with pytest.raises(InputError, match=r"not by steps of -1"):
        out[::-1]


def test_as_an_array_a_result_is_its_vectors(tiny: AlbertEmbeddings) -> None:
    out = tiny.embed(["I love NLP", "", "two words"])
    assert np.asarray(out) is out.vectors
    assert np.asarray(out, dtype=np.float64).dtype == np.float64
    assert not np.shares_memory(np.array(out), out.vectors)
    np.testing.assert_array_equal(np.array(out), out.vectors)
    assert np.asarray(out[2:]).shape == (2, out.vectors.shape[1])
    if int(np.__version__.split(".")[0]) >= 2:
        assert np.shares_memory(np.asarray(out, copy=False), out.vectors)
        with pytest.raises(ValueError, match="copy"):
            np.asarray(out, dtype=np.float64, copy=False)
