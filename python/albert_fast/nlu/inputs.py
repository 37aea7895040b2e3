"""What `predict` is given -> texts, their index, and the columns that go along."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..extras import import_package
from ..session import Session
from ..tables.foreign import is_foreign, without_scalars
from ..tables.frame import Frame

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Given:
    """The input of a call.

    Attributes
    ----------
    frame
        The columns that the pipeline reads.
    index
        The index of the input; a RangeIndex where it has none.
    others
        Columns of a DataFrame, the texts among them ("stranger features" in nlu).
    """

    frame: Frame
    index: pd.Index
    others: dict[Any, Any] = field(default_factory=dict)


def read_input(data: Any, text_column: str, read_columns: Sequence[str] = ()) -> Given:
    """Read a text, texts (a list, tuple, one-dimensional array or Series) or a table.

    Parameters
    ----------
    data
        A table's texts stand in the column `text_column`, or in its first, which goes by that name then.
    text_column
        The column that the pipeline's DocumentAssembler reads.
    read_columns
        Other columns that stages read.

    Raises
    ------
    InputError
        The data is of another kind, or a row is not one text.
    """
    pandas = import_package("pandas", "nlu's predict")
    if isinstance(data, Mapping) or is_foreign(data):
        data = Session().createDataFrame(data)
    if isinstance(data, Frame):
        data = data.toPandas()
    if isinstance(data, pandas.DataFrame):
        return _read_table(data, text_column, read_columns)
    if isinstance(data, str):
        texts, index = [data], pandas.RangeIndex(1)
    elif isinstance(data, pandas.Series):
        texts, index = data.tolist(), data.index
    elif _are_texts(data):
        texts = data.tolist() if isinstance(data, np.ndarray) else list(without_scalars(data))
        index = pandas.RangeIndex(len(texts))
    else:
        shape = f" with {data.ndim} dimensions" if isinstance(data, np.ndarray) else ""
        raise InputError(
            f"predict got {type(data).__name__}{shape}. Give a text, a list or tuple of texts, a one-dimensional "
            "array or Series, or a table (of pandas, polars or pyarrow, or a dict) with a column of texts."
        )
    return Given(Frame([(text_column, _checked(texts))], len(texts)), index)


def _are_texts(data: Any) -> bool:
    unordered = isinstance(data, (bytes, set, frozenset))
    return isinstance(data, Iterable) and not unordered and getattr(data, "ndim", 1) == 1


def _read_table(data: pd.DataFrame, text_column: str, read_columns: Sequence[str]) -> Given:
    if not data.columns.is_unique:
        twice = data.columns[data.columns.duplicated()][0]
        raise InputError(f"The DataFrame has two columns {twice!r}. Give them different names first.")
    if not len(data.columns):
        raise InputError(f"The DataFrame has no columns. Give one with a column {text_column!r} of texts.")
    first = data.columns[0]
    others = {name: data[name].array for name in data.columns}
    if text_column not in others:
        others = {(text_column if name == first else name): cells for name, cells in others.items()}
        if not any(isinstance(cell, str) for cell in others[text_column]) and not data[first].isna().all():
            raise InputError(
                f"The DataFrame has no column {text_column!r}, and its first, {first!r}, holds no texts. Rename the "
                f"column of texts to {text_column!r}."
            )
    texts = _checked(others[text_column].tolist())
    columns = [(text_column, texts), *((name, others[name]) for name in read_columns if name in others)]
    return Given(Frame(columns, len(data)), data.index, others)


def _checked(texts: list[Any]) -> list[Any]:
    for row, text in enumerate(texts):
        if isinstance(text, (list, tuple, np.ndarray)):
            raise InputError(f"Row {row} is a {type(text).__name__}, not a text. Give one text in a row.")
    return texts
