"""Micro-batches as the CUDA graph takes them: dummies, token_offset, and which rows are made where."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from device_graphs import batch_of
from test_encoder import random_sequences


def check_layout(batch: dict[str, Any], sequences: list[list[int]]) -> None:
    real = sum(map(len, sequences))
    lengths = np.diff(batch["cu_seqlens"])
    assert lengths[: len(sequences)].tolist() == [len(s) for s in sequences]
    assert lengths.sum() == len(batch["input_ids"]) == len(batch["position_ids"])
    assert batch["input_ids"][:real].tolist() == [i for s in sequences for i in s]
    longest = max(map(len, sequences))
    assert lengths.min() > 0
    assert np.array_equal(batch["position_ids"][:real], np.concatenate([np.arange(len(s)) for s in sequences]))
    assert not batch["position_ids"][real:].any()
    assert not batch["input_ids"][real:].any()
    assert batch["longest"] >= max(longest, lengths.max())
    assert batch["longest"] % (16 if longest < 64 else 64) == 0
    # token_offset: the real tokens' places in order, then the others', each place once
    places = batch["token_offset"]
    expected = np.concatenate([s * batch["longest"] + np.arange(n) for s, n in enumerate(lengths)])
    assert np.array_equal(places[: lengths.sum()], expected)
    assert np.array_equal(np.sort(places), np.arange(len(lengths) * batch["longest"]))


@pytest.mark.parametrize("seed", range(20))
def test_layout(seed: int) -> None:
    random = np.random.default_rng(seed)
    sequences = random_sequences(int(random.integers(1, 60)), int(random.integers(3, 200)), 400, seed)
    batch = batch_of(sequences)
    check_layout(batch, sequences)
    assert batch["kept_tokens"][batch["row_index"]].tolist() == list(range(sum(map(len, sequences))))
    assert not batch["means"]
    assert len(batch["host_splits"]) == 0


def test_few_shapes_and_little_padding() -> None:
    padded = {n: len(batch_of([[2] * n])["input_ids"]) for n in range(1, 600)}
    for n in (1000, 5000, 16383, 16384):
        padded[n] = len(batch_of([[2] * 500] * (n // 500) + [[2] * (n % 500)])["input_ids"])
    assert all(n <= p <= max(64, n + 63, n * 9 / 8 + 1) for n, p in padded.items())
    assert len({p for n, p in padded.items() if n < 600}) == 10
    assert padded[16384] == 16384


def test_means_that_the_graph_makes() -> None:
    sequences = [[2, 10, 11, 12, 3], [2, 13, 3]]
    batch = batch_of(sequences, [[1, 2, 3], [6]])
    assert (batch["means"], batch["rows"], batch["width"]) == (True, 2, 3)
    assert batch["kept_tokens"][batch["row_index"]].tolist() == [1, 2, 3, 6, 6, 6]  # the rest: its own token
    assert batch["row_mask"].tolist() == [1, 1, 1, 1, 0, 0]
    np.testing.assert_allclose(batch["row_share"], [1 / 3, 1])
    assert batch_of(sequences, [[1, 2, 3], [6]], reduction=2)["row_share"].tolist() == [1, 1]
    assert len(batch["host_splits"]) == 0


def test_rows_that_pass_by_untouched() -> None:
    sequences = [[2, 10, 11, 12, 3], [2, 13, 3]]
    batch = batch_of(sequences, [[1], [], [6]])
    assert (batch["means"], batch["rows"]) == (False, 2)
    assert batch["kept_tokens"][batch["row_index"]].tolist() == [1, 6]
    assert batch["host_splits"].tolist() == [0, 1, 1, 2]
    assert batch["host_tokens"].tolist() == [0, 1]
    batch = batch_of(sequences, [[], [1, 2], [6]])
    assert (batch["means"], batch["rows"], batch["width"]) == (True, 2, 2)
    assert batch["host_splits"].tolist() == [0, 0, 1, 2]
    assert batch["host_tokens"].tolist() == [0, 1]


def test_maxima_and_long_rows_are_made_on_the_host() -> None:
    sequences = [[2, *range(5, 105), 3], [2, 13, 3]]
    batch = batch_of(sequences, [[1, 2, 3], [103]], reduction=1)
    assert not batch["means"]
    assert batch["kept_tokens"][batch["row_index"]].tolist() == [1, 2, 3, 103]
    assert batch["host_splits"].tolist() == [0, 3, 4]
    one_long = [list(range(100)), *([t] for t in range(100, 105))]  # as a matrix it would be nearly empty
    batch = batch_of(sequences, one_long)
    assert not batch["means"]
    assert batch["host_splits"].tolist() == [0, 100, 101, 102, 103, 104, 105]
    assert batch["host_tokens"].tolist() == list(range(105))
