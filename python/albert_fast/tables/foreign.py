"""Tables and arrays of polars and pyarrow, read by their own methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..annotation import FIELDS
from ..errors import InputError
from ..extras import import_package
from .arrow import annotations_of


def is_foreign(data: Any) -> bool:
    """Whether the data, which is not pandas', is a table: of polars, pyarrow, PySpark or Modin, say."""
    converts = hasattr(data, "to_pandas") or hasattr(data, "toPandas")
    return hasattr(data, "column_names") or (converts and hasattr(data, "columns"))


def columns_of(data: Any) -> list[tuple[str, Sequence[Any]]]:
    """Return the columns of a table of polars or pyarrow as lists, and as annotations where they hold these.

    Raises
    ------
    InputError
        It is a table of another package.
    """
    if hasattr(data, "get_columns"):  # polars
        return [(column.name, _of_polars(column)) for column in data.get_columns()]
    if hasattr(data, "column_names") and hasattr(data, "columns"):  # pyarrow
        return [(field.name, _of_arrow(column, field)) for column, field in zip(data.columns, data.schema, strict=True)]
    raise InputError(f"The data is a {title(data)}, which is not read. Make it a pandas DataFrame and give that.")


def _of_arrow(column: Any, field: Any) -> Sequence[Any]:
    found = annotations_of(column, field)
    return column.to_pylist() if found is None else found


def _of_polars(column: Any) -> Sequence[Any]:
    inner = getattr(getattr(column.dtype, "inner", None), "fields", ())
    if [field.name for field in inner] != list(FIELDS):
        cells: list[Any] = column.to_list()
        return cells
    array = column.to_arrow()
    return _of_arrow(array, import_package("pyarrow", "a column of annotations").field(column.name, array.type))


def without_scalars(cells: Any) -> Any:
    """Return an array of pyarrow, whose cells are scalars of its own, as a list; all else as it is."""
    return cells.to_pylist() if hasattr(cells, "to_pylist") else cells


def title(data: Any) -> str:
    """Return the package and the class of some data."""
    return f"{type(data).__module__.split('.')[0]} {type(data).__name__}"
