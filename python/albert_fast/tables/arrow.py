"""A frame's columns -> a ``pyarrow.Table``, and columns of annotations back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core
from ..annotation import FIELDS
from ..columns import NO_VECTOR, OFFSETS, AnnotationColumn, Annotations
from ..errors import InputError
from ..extras import import_package
from .cells import Table, annotator_type, are_annotations, as_annotation_column

if TYPE_CHECKING:
    from numpy.typing import NDArray


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


def annotations_of(column: Any, field: Any) -> Sequence[Any] | None:
    """Return what `arrow_table` made a column of annotations of, None for any other column of Arrow.

    Whose struct it is tells its fields, so that Spark NLP's own tables are read too; what its column was told, the
    metadata of the field, where whoever kept the table kept that.
    """
    types = import_package("pyarrow", "a column of annotations").types
    if not (types.is_list(field.type) or types.is_large_list(field.type)) or not _is_annotation(field.type.value_type):
        return None
    chunks = column.chunks if hasattr(column, "chunks") else [column]  # one array of all could be too long for Arrow
    flat = [chunk.flatten() for chunk in chunks]
    told = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
    kinds = set(_items(flat, "annotatorType")) | ({told["annotatorType"]} if "annotatorType" in told else set())
    never_null = ("annotatorType", "begin", "end", "result")
    if len(kinds) != 1 or any(part.field(name).null_count for part in flat for name in never_null):
        return None
    pairs = [_pairs(cell) for cell in _items(flat, "metadata")]
    vectors, vector_rows = _vectors([part.field("embeddings") for part in flat])
    core = _core.AnnotationColumn(
        kinds.pop(),
        told.pop(OFFSETS, "") == "utf16",
        np.concatenate([[0], _lengths(chunks)]).cumsum(dtype=np.int64),
        _joined([part.field("begin") for part in flat], np.int32),
        _joined([part.field("end") for part in flat], np.int32),
        _items(flat, "result"),
        {key: [cell.get(key) for cell in pairs] for key in dict.fromkeys(key for cell in pairs for key in cell)},
        vectors,
        vector_rows,
        None,
    )
    dimension = {} if vectors is None else {"dimension": vectors.shape[1]}
    if told.get("dimension", "").isdecimal():  # also of a column without rows
        dimension = {"dimension": int(told["dimension"])}
    made = AnnotationColumn(core, {**told, **dimension})
    gone = [missing for chunk in chunks for missing in chunk.is_null().to_pylist()]
    return [None if missing else made[row] for row, missing in enumerate(gone)] if any(gone) else made


def _is_annotation(kind: Any) -> bool:
    """Whether a type of Arrow is the struct of an annotation."""
    return hasattr(kind, "num_fields") and [kind.field(i).name for i in range(kind.num_fields)] == list(FIELDS)


def _pairs(cell: Any) -> dict[str, str | None]:
    """Return a map's entries: pyarrow gives pairs, and structs where polars made a list of the map."""
    return (
        {} if cell is None else dict((item["key"], item["value"]) if isinstance(item, dict) else item for item in cell)
    )


def _items(parts: Sequence[Any], name: str) -> list[Any]:
    return [item for part in parts for item in part.field(name).to_pylist()]


def _joined(arrays: Sequence[Any], dtype: Any) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, dtype), *(np.asarray(array, dtype=dtype) for array in arrays)])


def _lengths(lists: Sequence[Any]) -> NDArray[np.int64]:
    compute = import_package("pyarrow.compute", "a column of annotations")
    return _joined([compute.list_value_length(part).fill_null(0) for part in lists], np.int64)


def _vectors(lists: Sequence[Any]) -> tuple[NDArray[np.float32] | None, NDArray[np.uint32] | None]:
    """Return the vectors as a matrix, and which row of it each annotation has, unless each has its own."""
    lengths = _lengths(lists)
    has = lengths > 0
    if not has.any():
        return None, None
    widths = np.unique(lengths[has])
    if len(widths) > 1:
        raise InputError(f"The annotations of one column have vectors of {widths[0]} and of {widths[1]} dimensions.")
    vectors = _joined([part.flatten() for part in lists], np.float32).reshape(-1, widths[0])
    return vectors, None if has.all() else np.where(has, np.cumsum(has) - 1, NO_VECTOR).astype(np.uint32)
