"""One row for every token, sentence or document of a frame: what Spark's explode is used for, with rows in step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..columns import NO_VECTOR, AnnotationColumn
from ..errors import ParameterError, WiringError
from ..extras import import_package
from .cells import Table, pandas_values, repeated

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

LEVELS = ("token", "sentence", "document")


def explode_to(frame: Table, level: str) -> pd.DataFrame:
    """Return a DataFrame of one kind of annotation; see `Frame.to_pandas`."""
    level = "token" if level == "word" else level  # what embed calls it
    if level not in LEVELS:
        raise ParameterError(f"level is {level!r}; it can be {', '.join(LEVELS)}.")
    pandas = import_package("pandas", "to_pandas")
    name = column_of_level(frame, level)
    unit = frame.annotations(name)
    rows = np.repeat(np.arange(len(frame)), np.diff(unit.row_splits))
    index = pandas.Index(frame.origin[rows])
    types = frame.types()
    number = "sentence_number" if name == "sentence" else "sentence"
    values: dict[str, Any] = {  # never a column of annotations, which would be copied once for each of them
        other: repeated(frame.cells(other), rows, index) for other, kind in types.items() if kind is None
    }
    wanted = "word_embeddings" if level == "token" else "sentence_embeddings"
    vectors = [other for other, kind in types.items() if kind == wanted and other != name]
    _check_names([*values, name, *vectors], ("begin", "end", number), level)
    values |= {name: unit.results, "begin": np.array(unit.begin), "end": np.array(unit.end)}
    values[number] = sentence_numbers(unit)
    for other in vectors:
        column = frame.annotations(other)
        found = align(unit, column)
        if level != "token":
            _check_units(types, other, column, name, found)
        values[other] = pandas_values(vectors_at(column, found))
    made: pd.DataFrame = pandas.DataFrame(values, index=index)
    return made


def _check_names(columns: Sequence[str], made: Sequence[str], level: str) -> None:
    taken = [name for name in columns if name in made]
    if taken:
        raise WiringError(
            f"level={level!r} makes a column {taken[0]!r}, which is there already. Rename that column first, for "
            f"example with withColumnRenamed({taken[0]!r}, 'my_{taken[0]}'), or drop it."
        )


def _check_units(
    types: Mapping[str, str | None], vectors: str, column: AnnotationColumn, unit: str, found: NDArray[np.int64]
) -> None:
    """Raise where sentence embeddings belong to other annotations than those that are the rows.

    Which those are does not depend on the data, where it is known: a document of one sentence stands at its place.
    """
    if column.source is not None and types.get(column.source) == "document":
        fits, theirs = column.source == unit, f"those of {column.source!r}"
    else:
        fits, theirs = np.count_nonzero(found >= 0) == column.core.size, "others"
    if not fits:
        raise WiringError(
            f"The rows are the annotations of {unit!r}, and the vectors of {vectors!r} belong to {theirs}. Take the "
            f"level of those, or leave the vectors out first: frame.drop({vectors!r})."
        )


def column_of_level(frame: Table, level: str) -> str:
    """Return the column whose annotations are the rows of a level.

    Raises
    ------
    WiringError
        The frame has none.
    """
    types = frame.types()
    if level == "token":
        found = [name for kind in ("token", "word_embeddings") for name, own in types.items() if own == kind]
    else:
        # The documents come first, the sentences that were found in them later.
        found = [name for name, kind in types.items() if kind == "document"]
        found = found if level == "document" else found[::-1]
    if not found:
        raise WiringError(f"There is no column for level={level!r} in {frame!r}.")
    return found[0]


def sentence_numbers(column: AnnotationColumn) -> NDArray[np.int32]:
    """Return the number in each annotation's metadata "sentence", 0 where there is none."""
    numbers = column.core.numbers("sentence")
    if numbers is not None:
        return np.array(numbers, dtype=np.int32)
    return np.array([int(value or 0) for value in column.core.metadata_values("sentence")], dtype=np.int32)


def align(unit: AnnotationColumn, column: AnnotationColumn) -> NDArray[np.int64]:
    """Return, for each annotation of `unit`, the one of `column` at the same place in the same row, or -1.

    A place is one of the row's document where both know theirs. Of several at one place, each gets its own, in order.
    """
    by_document = unit.core.documents is not None and column.core.documents is not None
    places, others = _places(unit, by_document), _places(column, by_document)
    if np.array_equal(unit.row_splits, column.row_splits) and np.array_equal(places, others):
        return np.arange(len(unit.begin), dtype=np.int64)
    found = np.full(len(unit.begin), -1, dtype=np.int64)
    for row in range(len(unit)):
        at: dict[tuple[int, ...], list[int]] = {}
        first, last = column.bounds(row)
        for i in range(last - 1, first - 1, -1):
            at.setdefault(tuple(others[i].tolist()), []).append(i)
        for i in range(*unit.bounds(row)):
            if waiting := at.get(tuple(places[i].tolist())):
                found[i] = waiting.pop()
    return found


def _places(column: AnnotationColumn, by_document: bool) -> NDArray[np.int32]:
    """[annotations, 2 or 3]: begin, end and document of each."""
    fields = [column.begin, column.end]
    if by_document and column.core.documents is not None:
        fields.append(column.core.documents)
    return np.stack(fields, axis=1)


def vectors_at(column: AnnotationColumn, annotations: NDArray[np.int64]) -> list[NDArray[np.float32] | None]:
    """Return the vectors of some annotations as views, None for -1 and where there is none."""
    vectors = column.vectors
    if vectors is None:
        return [None] * len(annotations)
    rows = column.vector_rows
    if rows is None and len(annotations) == len(vectors) and (annotations >= 0).all():
        return list(vectors[annotations] if not _in_order(annotations) else vectors)
    return [_vector(vectors, rows, int(annotation)) for annotation in annotations]


def _in_order(annotations: NDArray[np.int64]) -> bool:
    return bool((annotations == np.arange(len(annotations))).all())


def _vector(
    vectors: NDArray[np.float32], rows: NDArray[np.uint32] | None, annotation: int
) -> NDArray[np.float32] | None:
    if annotation < 0:
        return None
    row = annotation if rows is None else int(rows[annotation])
    return None if row == NO_VECTOR else vectors[row]
