"""A frame's columns -> a ``pyarrow.Table``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .cells import Table, annotator_type, are_annotations, as_annotation_column
from .columns import AnnotationColumn, Annotations
from .extras import import_package


def arrow_table(frame: Table) -> Any:
    """Return the table; see `Frame.to_arrow`."""
    pyarrow = import_package("pyarrow", "to_arrow")
    arrays, fields = [], []
    for name in frame.columns:
        cells = frame.cells(name)
        metadata = None
        if annotator_type(cells) is not None:
            column = as_annotation_column(cells)
            array = column.to_arrow()
            metadata = dict(column.arrow_metadata())
        elif are_annotations(cells):
            column = AnnotationColumn.from_rows(cells[0].annotatorType, [[cell] for cell in cells])
            array = column.to_arrow().combine_chunks().flatten()
        else:
            array = _values(pyarrow, cells)
        arrays.append(array)
        fields.append(pyarrow.field(name, array.type, metadata=metadata))
    return pyarrow.table(arrays, schema=pyarrow.schema(fields))


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
    if isinstance(cell, list) and cell and isinstance(cell[0], tuple):
        return [_plain(item) for item in cell]
    return list(cell) if isinstance(cell, Annotations) else cell
