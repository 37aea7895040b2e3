"""A frame's columns -> a ``pyarrow.Table``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..columns import AnnotationColumn, Annotations
from ..extras import import_package
from .cells import Table, annotator_type, are_annotations, as_annotation_column


def arrow_table(frame: Table) -> Any:
    """Return the table; see `Frame.to_arrow`."""
    pyarrow = import_package("pyarrow", "to_arrow")
    arrays, fields = [], []
    for name in frame.columns:
        cells = frame.cells(name)
        present = [row for row in range(len(cells)) if cells[row] is not None] if isinstance(cells, list) else None
        column, array = _annotations(cells if present is None else [cells[row] for row in present])
        if column is None:
            array = _values(pyarrow, cells)
        elif present is not None and len(present) < len(cells):
            array = array.take(_places(pyarrow, present, len(cells)))
        metadata = None if column is None else dict(column.arrow_metadata())
        arrays.append(array)
        fields.append(pyarrow.field(name, array.type, metadata=metadata))
    return pyarrow.table(arrays, schema=pyarrow.schema(fields))


def _annotations(cells: Sequence[Any]) -> tuple[AnnotationColumn | None, Any]:
    """Return the column of annotations behind the cells and its Arrow array, twice None where they are none."""
    if annotator_type(cells) is not None:
        column = as_annotation_column(cells)
        return column, column.to_arrow()
    if are_annotations(cells):
        column = AnnotationColumn.from_rows(cells[0].annotatorType, [[cell] for cell in cells])
        return column, column.to_arrow().combine_chunks().flatten()
    return None, None


def _places(pyarrow: Any, present: Sequence[int], rows: int) -> Any:
    """Return for each row the place of its cell among those that are there, null for None."""
    places = np.zeros(rows, dtype=np.int64)
    places[present] = np.arange(len(present))
    gone = np.ones(rows, dtype=bool)
    gone[present] = False
    return pyarrow.array(places, mask=gone)


def _values(pyarrow: Any, cells: Sequence[Any]) -> Any:
    """Return a column without annotations. One of pandas without rows keeps its type, which no cell tells."""
    if len(cells) or not hasattr(cells, "dtype"):
        return pyarrow.array([_plain(cell) for cell in cells])
    made = pyarrow.array(import_package("pandas", "to_arrow").Series(cells))
    return made.cast(pyarrow.string()) if pyarrow.types.is_large_string(made.type) else made


def _plain(cell: Any) -> Any:
    """Return a cell as pyarrow takes it: a matrix as rows, a struct (a tuple, as in Spark) as its fields by name."""
    if isinstance(cell, np.ndarray):
        return list(cell) if cell.ndim > 1 else cell
    if isinstance(cell, tuple):
        names = getattr(cell, "_names", [f"_{number + 1}" for number in range(len(cell))])
        return {name: _plain(value) for name, value in zip(names, cell, strict=True)}
    if isinstance(cell, list) and any(isinstance(item, tuple) for item in cell):
        return [_plain(item) for item in cell]
    return list(cell) if isinstance(cell, Annotations) else cell
