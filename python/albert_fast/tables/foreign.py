"""Tables and arrays of polars and pyarrow, read by their own methods."""

from __future__ import annotations

from typing import Any

from ..errors import InputError


def is_foreign(data: Any) -> bool:
    """Whether the data, which is not pandas', is a table: of polars, pyarrow, PySpark or Modin, say."""
    converts = hasattr(data, "to_pandas") or hasattr(data, "toPandas")
    return hasattr(data, "column_names") or (converts and hasattr(data, "columns"))


def columns_of(data: Any) -> list[tuple[str, list[Any]]]:
    """Return the columns of a table of polars or pyarrow as lists.

    Raises
    ------
    InputError
        It is a table of another package.
    """
    if hasattr(data, "get_columns"):  # polars
        return [(column.name, column.to_list()) for column in data.get_columns()]
    if hasattr(data, "column_names") and hasattr(data, "columns"):  # pyarrow
        pairs = zip(data.column_names, data.columns, strict=True)
        return [(name, column.to_pylist()) for name, column in pairs]
    raise InputError(f"The data is a {title(data)}, which is not read. Make it a pandas DataFrame and give that.")


def without_scalars(cells: Any) -> Any:
    """Return an array of pyarrow, whose cells are scalars of its own, as a list; all else as it is."""
    return cells.to_pylist() if hasattr(cells, "to_pylist") else cells


def title(data: Any) -> str:
    """Return the package and the class of some data."""
    return f"{type(data).__module__.split('.')[0]} {type(data).__name__}"
