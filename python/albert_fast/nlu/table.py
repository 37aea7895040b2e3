"""Columns of annotations -> nlu's DataFrame: one row for every token, sentence, document or chunk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..columns import NO_VECTOR, AnnotationColumn
from ..errors import InputError
from ..extras import import_package
from ..tables.cells import repeated
from ..tables.levels import align
from .spread import NAN, exploded, objects, ranges_in_sentences, taken
from .units import Unit

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from ..tables.frame import Frame
    from .inputs import Given

_METADATA = {"isOOV": "is_OOV", "isWordStart": "is_word_start", "pieceId": "piece_id", "sentence": "origin_sentence"}


class Table:
    """A result in the making.

    Parameters
    ----------
    frame
        What the pipeline made.
    given
        The input.
    units
        The columns of annotations that are shown.
    level
        What a row is.
    """

    def __init__(self, frame: Frame, given: Given, units: Sequence[Unit], level: str) -> None:
        self._given = given
        self._units = list(units)
        self._columns = {unit.name: frame.annotations(unit.source) for unit in units}
        self._level = level
        self._base = next((unit for unit in self._units if unit.level == level), None)
        self._cells: dict[str, Any] = {}
        self._first: list[str] = []  # the level's column and the vectors
        if self._base is None:  # no chunks: the texts themselves
            self._rows = np.arange(len(frame), dtype=np.int64)
            self._at = self._rows
        else:
            self._rows, self._at = exploded(self._columns[self._base.name].row_splits)
        self._origin = frame.origin[self._rows]
        self._repeats = not np.array_equal(self._origin, np.arange(len(given.index)))
        self._index = given.index.take(self._origin) if self._repeats else given.index

    # ---------------------------------------------------------------- what is added

    def add_results(self, *, everything: bool) -> None:
        """Add the level's texts and all vectors; everything: the texts of the other levels too."""
        shown = self._level if self._base is not None else "document"
        for unit in self._units:
            column = self._columns[unit.name]
            if unit.embedding:
                self._cells[unit.name] = self._vectors(unit, column)
                self._first.append(unit.name)
            elif unit.level == shown or everything:
                self._cells[unit.name] = self._texts(unit, column)
                self._first[:0] = [unit.name] if unit.level == shown else []

    def add_positions(self) -> None:
        """Add where every annotation begins and ends."""
        for unit in self._units:
            column = self._columns[unit.name]
            for name, places in (("begin", column.begin), ("end", column.end)):
                self._cells[f"{unit.name}_{name}"] = self._numbers(unit, column, np.asarray(places, dtype=np.int64))

    def add_metadata(self) -> None:
        """Add the metadata of tokens and of their vectors."""
        for unit in self._units:
            column = self._columns[unit.name]
            for key in column.core.metadata_keys if unit.words else ():
                if key in _METADATA:
                    values = objects(column.core.metadata_values(key))
                    self._cells[f"{unit.name}_{_METADATA[key]}"] = self._values(unit, column, values)

    def add_origin(self) -> None:
        """Add the labels of the input's index."""
        labels = self._given.index.take(self._origin)
        self._cells["origin_index"] = objects(labels) if labels.nlevels > 1 else labels.array

    def add_others(self) -> None:
        """Add the columns that came with the texts."""
        for name, cells in self._given.others.items():
            if name in self._cells:
                raise InputError(
                    f"The DataFrame has a column {name!r}, which predict makes too. Rename it, or give "
                    "keep_stranger_features=False."
                )
            self._cells[name] = repeated(cells, self._origin, self._index) if self._repeats else cells

    def to_pandas(self, *, sort: bool) -> pd.DataFrame:
        """Return the table."""
        pandas = import_package("pandas", "nlu's predict")
        first = [] if sort else self._first
        names = [*first, *sorted((name for name in self._cells if name not in first), key=str)]
        values = {name: self._cells[name] for name in names}
        made: pd.DataFrame = pandas.DataFrame(values, index=self._index, columns=names)
        return made

    # ---------------------------------------------------------------- cells

    def _texts(self, unit: Unit, column: AnnotationColumn) -> Any:
        if unit.level == "document" and column.core.size == len(column):
            # Each text is one document, and reads as a text.
            return repeated(objects(column.results), self._rows, self._index)
        return self._values(unit, column, objects(column.results))

    def _numbers(self, unit: Unit, column: AnnotationColumn, values: NDArray[np.int64]) -> Any:
        """Return places: whole numbers, nullable ones where a row has none."""
        at = self._at_of(unit, column)
        if at is None:
            return self._lists(unit, column, values)
        if (at >= 0).all():
            return values[at]
        pandas = import_package("pandas", "nlu's predict")
        found = np.zeros(len(at), dtype=np.int64)
        found[at >= 0] = values[at[at >= 0]]
        return pandas.arrays.IntegerArray(found, at < 0)

    def _values(self, unit: Unit, column: AnnotationColumn, values: NDArray[Any]) -> Any:
        at = self._at_of(unit, column)
        return self._lists(unit, column, values) if at is None else taken(values, at)

    def _vectors(self, unit: Unit, column: AnnotationColumn) -> Any:
        at = self._at_of(unit, column)
        if at is None:
            firsts, lasts, groups = self._groups(unit, column)
            there = column.vectors
            empty = np.zeros((0, column.metadata["dimension"]), np.float32) if there is None else there[:0]
            matrices = (column.vectors_of(a, b) if b > a else empty for a, b in zip(firsts, lasts, strict=True))
            return taken(objects(matrices, len(firsts)), groups)
        vectors, rows = column.vectors, column.vector_rows
        cells = np.empty(len(at), dtype=object)  # None: a token without a vector
        cells[self._at < 0] = NAN
        if vectors is not None:
            if rows is not None and len(rows):
                place = np.where(at >= 0, rows[at].astype(np.int64), -1)
                at = np.where(place == NO_VECTOR, -1, place)
            has = at >= 0
            in_order = np.array_equal(at[has], np.arange(len(vectors)))
            chosen: Iterable[Any] = vectors if in_order else (vectors[i] for i in at[has].tolist())
            cells[has] = objects(chosen, int(has.sum()))
        return cells

    def _at_of(self, unit: Unit, column: AnnotationColumn) -> NDArray[np.int64] | None:
        """Return the annotation of each row, -1 where it has none; None: a row has a list of them."""
        if self._base is None or unit.level != self._level:
            return None
        if unit is self._base:
            return self._at
        found = align(self._columns[self._base.name], column)
        return np.where(self._at >= 0, found[self._at], -1) if len(found) else self._at

    def _lists(self, unit: Unit, column: AnnotationColumn, values: NDArray[Any]) -> Any:
        firsts, lasts, groups = self._groups(unit, column)
        if unit.embedding:
            lists: Iterable[Any] = (values[a:b] for a, b in zip(firsts, lasts, strict=True))
        else:
            plain = values.tolist()
            lists = (plain[a:b] for a, b in zip(firsts, lasts, strict=True))
        return taken(objects(lists, len(firsts)), groups)

    def _groups(self, unit: Unit, column: AnnotationColumn) -> tuple[list[int], list[int], NDArray[np.int64]]:
        """Return ranges of annotations, and the number of the range that each row shows."""
        if self._level == "sentence" and unit.words and self._base is not None:
            firsts, lasts = ranges_in_sentences(self._columns[self._base.name], column)
            return firsts, lasts, self._at
        splits = column.row_splits
        return splits[:-1].tolist(), splits[1:].tolist(), self._rows
