"""Which annotations stand in which row of a result, and arrays of Python objects.

Nothing here works token by token in Python: a table may have millions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..columns import AnnotationColumn

NAN = float("nan")


def exploded(splits: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each row of the result its row of the frame and its annotation, -1 in the row of an empty cell."""
    counts = np.diff(splits)
    rows = np.repeat(np.arange(len(counts), dtype=np.int64), np.maximum(counts, 1))
    at = np.full(len(rows), -1, dtype=np.int64)
    at[np.repeat(counts > 0, np.maximum(counts, 1))] = np.arange(splits[-1])
    return rows, at


def ranges_in_sentences(sentences: AnnotationColumn, words: AnnotationColumn) -> tuple[list[int], list[int]]:
    """Return the range of words of each sentence, by their places: words of documents all have the sentence number 0.

    Both are in order within a row.
    """
    wide = int(max(column.end.max(initial=0) for column in (sentences, words))) + 2
    places = _row_of(words) * wide + words.begin
    row = _row_of(sentences) * wide
    firsts = np.searchsorted(places, row + sentences.begin, "left")
    return firsts.tolist(), np.searchsorted(places, row + sentences.end, "right").tolist()


def _row_of(column: AnnotationColumn) -> NDArray[np.int64]:
    counts = np.diff(column.row_splits)
    return np.repeat(np.arange(len(counts), dtype=np.int64), counts)


def objects(values: Iterable[Any], count: int = -1) -> NDArray[Any]:
    """Return an array of objects that are not looked into: views of vectors stay what they are."""
    return np.fromiter(values, dtype=object, count=count)


def taken(values: NDArray[Any], at: NDArray[np.int64]) -> NDArray[Any]:
    """Return the objects at some places, NaN for -1."""
    if (at >= 0).all():
        return values if np.array_equal(at, np.arange(len(values))) else values[at]
    cells = np.full(len(at), NAN, dtype=object)
    cells[at >= 0] = values[at[at >= 0]]
    return cells
