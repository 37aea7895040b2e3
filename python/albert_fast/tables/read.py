"""Tables of the user -> `Frame` and back: the same kind goes out that came in."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..columns import AnnotationColumn
from ..errors import InputError
from .cells import Lazy, pandas_values
from .foreign import is_foreign, title, without_scalars
from .frame import Frame

if TYPE_CHECKING:
    import pandas as pd

Restore = Callable[[Frame], Any]


def read_table(data: Any, text_column: str = "text") -> tuple[Frame, Restore]:
    """Read a table.

    Parameters
    ----------
    data
        A `Frame`, a pandas DataFrame, a dict of columns, or texts: a list, tuple, one-dimensional array or Series, also
        of polars or pyarrow.
    text_column
        Name for the column of texts that come without one.

    Returns
    -------
    Frame
        The table.
    Restore
        Turns a later frame into the kind of `data`: a DataFrame with its index, a dict, otherwise the frame itself.

    Raises
    ------
    InputError
        The data is no table, or its columns have different lengths.
    """
    if isinstance(data, Frame):
        return data, lambda frame: frame
    if _is_pandas(data, "DataFrame"):
        return _read_pandas(data)
    if isinstance(data, Mapping):
        return _read_dict(data)
    if is_foreign(data):
        method = "to_pandas" if hasattr(data, "to_pandas") else "toPandas"
        raise InputError(
            f"The data is a {title(data)}. Give data.{method}() for a pandas DataFrame with the annotations, or "
            "start().createDataFrame(data) for a frame."
        )
    if isinstance(data, (str, bytes)) or not isinstance(data, Iterable) or getattr(data, "ndim", 1) == 0:
        raise InputError(
            f"The data is {type(data).__name__}. Give a pandas DataFrame, a dict of columns, or a list of texts"
            + (" (for one text: [text])." if isinstance(data, str) else ".")
        )
    if isinstance(data, (set, frozenset)):
        raise InputError("The data is a set, which has no order. Give a list of texts.")
    texts = missing_as_none(list(without_scalars(data)))
    return Frame([(text_column, texts)], len(texts)), lambda frame: frame


def _is_pandas(data: Any, kind: str) -> bool:
    pandas = sys.modules.get("pandas")  # data that is pandas' has imported it
    return pandas is not None and isinstance(data, getattr(pandas, kind))


def _read_dict(data: Mapping[Any, Any]) -> tuple[Frame, Restore]:
    columns: list[tuple[str, Sequence[Any]]] = []
    for name, given in data.items():
        cells = without_scalars(given)
        if isinstance(cells, (str, bytes, Mapping)) or not isinstance(cells, Iterable):
            raise InputError(f"Column {name!r} is {type(cells).__name__}. Give a list of cells, one for every row.")
        columns.append((str(name), cells if isinstance(cells, Sequence) else list(cells)))
    lengths = {name: len(cells) for name, cells in columns}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name}: {length}" for name, length in lengths.items())
        raise InputError(f"The columns have different lengths ({listed}). Give one cell for every row in each.")
    rows = next(iter(lengths.values()), 0)
    return Frame(columns, rows), lambda frame: {name: frame.cells(name) for name in frame.columns}


def _read_pandas(data: pd.DataFrame) -> tuple[Frame, Restore]:
    if not data.columns.is_unique:
        twice = data.columns[data.columns.duplicated()][0]
        raise InputError(f"The DataFrame has two columns {twice!r}. Give them different names first.")
    names = {str(name): name for name in data.columns}
    if len(names) < len(data.columns):
        twice = next(name for name in data.columns if names[str(name)] is not name and names[str(name)] != name)
        raise InputError(
            f"The DataFrame has columns {twice!r} and {names[str(twice)]!r}, which read the same. Rename one of them."
        )
    columns: list[tuple[str, Sequence[Any]]] = [(name, data[key].array) for name, key in names.items()]

    def restore(frame: Frame) -> pd.DataFrame:
        pandas = sys.modules["pandas"]
        index = data.index.take(frame.origin)
        values = {name: pandas.Series(pandas_values(frame.cells(name)), index=index) for name in frame.columns}
        made: pd.DataFrame = pandas.DataFrame(values, index=index).rename(columns=names)
        made.columns.name = data.columns.name
        return made

    return Frame(columns, len(data)), restore


def is_missing(cell: Any) -> bool:
    """Whether a cell stands for nothing: None, NaN, or pandas' NA and NaT."""
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(cell, (np.datetime64, np.timedelta64)):
        return bool(np.isnat(cell))
    return isinstance(cell, _FLOATS) and math.isnan(cell)


def missing_as_none(cells: Sequence[Any]) -> Sequence[Any]:
    """Return a column with None where it has NaN, NA or NaT. In a column of floats NaN is a number, as in Spark."""
    if isinstance(cells, (AnnotationColumn, Lazy)):
        return cells
    gone: list[bool] = cells.isna().tolist() if hasattr(cells, "isna") else [is_missing(cell) for cell in cells]
    if not any(gone):
        return cells
    values = list(cells)
    floats = [isinstance(cell, _FLOATS) for cell in values]
    of_floats = getattr(getattr(cells, "dtype", None), "kind", None) == "f"
    if of_floats or any(number and not missing for number, missing in zip(floats, gone, strict=True)):
        gone = [missing and not number for number, missing in zip(floats, gone, strict=True)]
    return [None if missing else cell for cell, missing in zip(values, gone, strict=True)] if any(gone) else cells


_FLOATS = (float, np.floating)
