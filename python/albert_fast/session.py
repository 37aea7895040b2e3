"""A light stand-in for a Spark session: scripts that ask for one get frames from it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .errors import InputError
from .spark_surface import missing
from .tables.foreign import columns_of, is_foreign, without_scalars
from .tables.frame import Frame
from .tables.read import missing_as_none, read_table
from .tables.row import Row


class Session:
    """What `start` returns. There is no cluster behind it: it only makes frames.

    Attributes
    ----------
    version : str
        Version of albert_fast.
    """

    def __init__(self) -> None:
        from ._core import __version__

        self.version: str = __version__

    def createDataFrame(self, data: Any, schema: Sequence[str] | str | None = None) -> Frame:
        """Make a frame. What is missing (NaN, NA, NaT) is None in it; in a column of floats NaN stays, as in Spark.

        Parameters
        ----------
        data
            A list of rows (lists, tuples, dicts, or single values), a matrix, a table of pandas, polars or pyarrow, or
            a dict of columns.
        schema
            Names of the columns, or one name. Default: the names that the data has, else ``_1``, ``_2`` ... (``value``
            for single values), as in Spark. The names of a PySpark StructType or of "text string, id int" are read; the
            type of single values ("string", StringType()) leaves the name ``value``.

        Raises
        ------
        InputError
            The rows have different lengths, or do not fit the names.
        """
        names = _names(schema)
        if isinstance(data, Mapping) or hasattr(data, "iloc") or isinstance(data, Frame):
            frame, _ = read_table(data)
            frame = Frame([(name, missing_as_none(frame.cells(name))) for name in frame.columns], len(frame))
            return frame if names is None else frame.toDF(*names)
        if is_foreign(data):
            read = columns_of(data)
            frame = Frame(read, len(read[0][1]) if read else 0)
            return frame if names is None else frame.toDF(*names)
        if isinstance(data, str) or not hasattr(data, "__iter__"):
            raise InputError(
                f"createDataFrame takes rows or a table of pandas, polars or pyarrow, not {type(data).__name__}. "
                "A lazy table becomes one by data.collect()."
            )
        rows = _rows(data)
        if rows and all(isinstance(row, Mapping) for row in rows):
            names = names or list(dict.fromkeys(key for row in rows for key in row))
            rows = [[row.get(name) for name in names] for row in rows]
        elif rows and not any(isinstance(row, (list, tuple)) for row in rows):
            names = names or ["value"]
            rows = [[row] for row in rows]
        if names is None:
            first = rows[0] if rows else []
            names = list(first._names) if isinstance(first, Row) else list(getattr(first, "__fields__", ()))
            names = names or [f"_{i + 1}" for i in range(len(first))]
        for number, row in enumerate(rows):
            if isinstance(row, str) or not hasattr(row, "__len__"):
                raise InputError(f"Row {number} is {type(row).__name__} where others are lists. Give one kind of rows.")
            if len(row) != len(names):
                raise InputError(f"Row {number} has {len(row)} values; there are {len(names)} columns ({names}).")
        columns = [(name, missing_as_none([row[i] for row in rows])) for i, name in enumerate(names)]
        return Frame(columns, len(rows))

    def stop(self) -> None:
        """Do nothing: there is nothing to stop."""

    if not TYPE_CHECKING:  # or every misspelt name would pass the type checker

        def __getattr__(self, name: str) -> Any:
            remedy = "Read files with pandas and give createDataFrame the DataFrame."
            raise AttributeError(missing(self, name, remedy))

    def __repr__(self) -> str:
        return f"albert_fast session {self.version} (no Spark behind it)"


def _rows(data: Any) -> list[Any]:
    dimensions = getattr(data, "ndim", 1)
    if dimensions > 2:
        raise InputError(f"createDataFrame got an array of {dimensions} dimensions. Give a matrix: rows and columns.")
    return list(data.tolist() if dimensions == 2 else without_scalars(data))


_TYPE_NAMES = frozenset("string int integer long bigint float double boolean".split())


def _names(schema: Any) -> list[str] | None:
    if schema is None:
        return None
    if isinstance(schema, str):
        if schema.strip().lower() in _TYPE_NAMES:
            return ["value"]  # Spark reads it as the type of single values
        names = [part.split(":")[0].split()[:1] for part in schema.split(",")]
        if not all(names):
            raise InputError(f"The schema {schema!r} lacks a name. Give names with commas between, or a list of them.")
        return [name for (name,) in names]
    if hasattr(schema, "names"):
        return list(schema.names)
    if hasattr(schema, "typeName"):  # PySpark's StringType() and its like
        return ["value"]
    if not isinstance(schema, Iterable):
        raise InputError(f"The schema is {type(schema).__name__}. Give the names of the columns as a list of strings.")
    return [str(name) for name in schema]


def start(gpu: bool = False, *args: Any, **options: Any) -> Session:
    """Return a session. Spark NLP's options (memory, cache_folder ...) are accepted and have no effect here.

    Choose the device with ``AlbertEmbeddings(device=...)`` and the cache folder with ``pretrained(cache_dir=...)``.

    Warns
    -----
    UserWarning
        ``gpu=True``: a session has no device, so that nothing would run on a GPU because of it.
    """
    if gpu:
        warnings.warn(
            "start(gpu=True) puts nothing on a GPU: the device is a parameter of the annotator. Write "
            "AlbertEmbeddings.pretrained(name, device='cuda').",
            stacklevel=2,
        )
    return Session()


def version() -> str:
    """Return the version of albert_fast."""
    return Session().version
