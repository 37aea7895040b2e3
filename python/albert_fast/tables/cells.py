"""Cells of a table's columns: annotations recognised, cells computed when read, and what pandas takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..annotation import Annotation
from ..columns import AnnotationColumn, Annotations
from ..errors import InputError
from ..extras import import_package

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


class Table(Protocol):
    """What those who only read a table need of it; `albert_fast.tables.frame.Frame` is one."""

    origin: NDArray[np.int64]

    @property
    def columns(self) -> list[str]: ...
    def __len__(self) -> int: ...
    def cells(self, name: str) -> Sequence[Any]: ...
    def types(self) -> dict[str, str | None]: ...
    def type_of(self, name: str) -> str | None: ...
    def annotations(self, name: str, empty: str | None = None) -> AnnotationColumn: ...
    def take_first(self, count: int) -> list[Any]: ...
    def take(self, rows: Any) -> Any: ...


class Lazy(Sequence[Any]):
    """A column whose cells are computed when they are read."""

    def __init__(self, rows: int, cell: Callable[[int], Any]) -> None:
        self._rows = rows
        self._cell = cell

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self._cell(row) for row in range(*index.indices(self._rows))]
        if not -self._rows <= index < self._rows:
            raise IndexError(f"row {index} does not exist; there are {self._rows}")
        return self._cell(index % self._rows)

    def take(self, rows: NDArray[np.int64]) -> Lazy:
        """Return the column of some rows."""
        return Lazy(len(rows), lambda row: self._cell(int(rows[row])))

    def __repr__(self) -> str:
        return repr(list(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)  # how a cell is computed is a function, which pickle does not take


def annotator_type(cells: Sequence[Any]) -> str | None:
    """Return the type of a column of annotations, None for any other column."""
    if isinstance(cells, AnnotationColumn):
        return cells.annotator_type
    for row in range(len(cells)):
        cell = cells[row]
        if isinstance(cell, Annotations):
            return cell.column.annotator_type
        if not isinstance(cell, list) or (cell and not isinstance(cell[0], Annotation)):
            return None
        if cell:
            return str(cell[0].annotatorType)
    return None


def says_nothing(cells: Sequence[Any]) -> bool:
    """Whether a column may be one of annotations, and no cell says of which: it has none, or only empty lists."""
    if isinstance(cells, AnnotationColumn):
        return False
    return all(isinstance(cells[row], list) and not cells[row] for row in range(len(cells)))


def are_annotations(cells: Sequence[Any]) -> bool:
    """Whether the cells are single annotations, as those of an exploded column are."""
    first = next((cell for row in range(len(cells)) if (cell := cells[row]) is not None), None)
    return isinstance(first, Annotation)


def as_annotation_column(cells: Sequence[Any], empty: str | None = None) -> AnnotationColumn:
    """Return the column behind cells of annotations; rows that were picked or moved are gathered anew.

    `empty` is the type of a column that `says_nothing`.

    Raises
    ------
    InputError
        A cell holds no annotations, or the cells come from tables whose offsets count different things.
    """
    if isinstance(cells, AnnotationColumn):
        return cells
    views = [cells[row] for row in range(len(cells))]
    first = views[0] if views else None
    if isinstance(first, Annotations) and all(
        isinstance(view, Annotations) and view.column is first.column for view in views
    ):
        rows = [view.row for view in views]
        column: AnnotationColumn = first.column
        return column if rows == list(range(len(column))) else column.take(rows)
    kind = annotator_type(cells) or (empty if says_nothing(cells) else None)
    if kind is None:
        raise InputError("This column holds no annotations.")
    for row, view in enumerate(views):
        if not isinstance(view, (list, Annotations)):
            raise InputError(
                f"Row {row} holds {view!r} where other rows hold annotations of type {kind}. Leave such rows out first "
                "(in pandas with dropna), or run the stages before on all rows."
            )
    columns = list({id(view.column): view.column for view in views if isinstance(view, Annotations)}.values())
    if len({column.core.utf16 for column in columns}) > 1:
        raise InputError(
            f"Rows of two tables were put together of which one counts begin and end (of {kind}) in code points and "
            "the other in UTF-16 units. Make both with the same offsets."
        )
    utf16 = bool(columns) and columns[0].core.utf16
    made = AnnotationColumn.from_rows(kind, [list(view) for view in views], utf16=utf16)
    same = {key: value for key, value in columns[0].metadata.items() if _agree(columns, key)} if columns else {}
    source = columns[0].source if len({column.source for column in columns}) == 1 else None
    return AnnotationColumn(made.core, {**made.metadata, **same}, source)


def _agree(columns: Sequence[AnnotationColumn], key: str) -> bool:
    return all(column.metadata.get(key) == columns[0].metadata[key] for column in columns)


def take_cells(cells: Sequence[Any], rows: NDArray[np.int64]) -> Sequence[Any]:
    take = getattr(cells, "take", None)
    if take is not None:
        taken: Sequence[Any] = take(rows)
        return taken
    return [cells[row] for row in rows.tolist()]


def repeat_cells(cells: Sequence[Any], rows: NDArray[np.int64]) -> Sequence[Any]:
    """Return the cells of rows that come once for each of their annotations: views, where a column would be copied."""
    if not isinstance(cells, AnnotationColumn) or not len(rows):
        return take_cells(cells, rows)
    return Lazy(len(rows), lambda row: cells[int(rows[row])])


def column_metadata(cells: Sequence[Any]) -> Mapping[str, Any]:
    """Return the metadata of a column of annotations, nothing for any other."""
    if isinstance(cells, Lazy) and len(cells) and isinstance(cells[0], Annotations):
        cells = cells[0].column
    return cells.metadata if isinstance(cells, AnnotationColumn) else {}


def pandas_values(cells: Sequence[Any]) -> Any:
    """Return a column as pandas takes it: what pandas gave stays, all else are single objects."""
    if not isinstance(cells, (AnnotationColumn, Lazy, list, tuple)):
        return cells
    values = list(cells)
    if any(isinstance(value, (Sequence, np.ndarray, Mapping)) and not isinstance(value, str) for value in values):
        array = np.empty(len(values), dtype=object)  # or pandas would make a matrix of lists of one length
        for row, value in enumerate(values):
            array[row] = value
        return array
    return values


def repeated(cells: Any, rows: NDArray[np.int64], index: pd.Index) -> Any:
    """Return cells of rows that come once for each of their annotations, as pandas takes them.

    Texts stay objects, of which there is one each: pandas' arrays of strings would hold a whole copy of a text for
    every one of its tokens.
    """
    if getattr(getattr(cells, "dtype", None), "type", None) in (str, np.object_):
        cells = np.asarray(cells, dtype=object)
    taken = pandas_values(take_cells(cells, rows))
    if isinstance(taken, np.ndarray) and taken.dtype == object:
        return import_package("pandas", "a table of annotations").Series(taken, index=index, dtype=object)
    if isinstance(taken, list) and any(isinstance(cell, str) for cell in taken):
        return import_package("pandas", "a table of annotations").Series(taken, index=index, dtype=object)
    return taken
