"""Frame: a light table with the few methods of a Spark DataFrame that pipelines and their scripts use.

A frame never changes; every method returns a new one. Cells are made when somebody reads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..annotation import FIELDS
from ..columns import AnnotationColumn
from ..errors import InputError, WiringError
from ..extras import import_package
from ..spark_surface import SparkSurface
from ..wiring import EMPTY, there
from .cells import (
    Lazy,
    annotator_type,
    are_annotations,
    as_annotation_column,
    column_metadata,
    pandas_values,
    repeat_cells,
    says_nothing,
    take_cells,
)
from .row import Row

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_EXPLODE = re.compile(r"\s*explode\s*\(\s*([\w.]+)\s*\)\s*(?:as\s+(\w+))?\s*", re.IGNORECASE)
_PATH = re.compile(r"\s*([\w.*]+)\s*(?:as\s+(\w+))?\s*", re.IGNORECASE)


class Field(NamedTuple):
    """A column's name and metadata, as in a Spark schema."""

    name: str
    metadata: dict[str, Any]


class Schema(tuple[Field, ...]):
    """The fields of a frame, by position or name."""

    __slots__ = ()

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, str):
            found = [field for field in self if field.name == index]
            if not found:
                raise WiringError(f"There is no column {index!r}. There is: {', '.join(self.names)}.")
            return found[0]
        return super().__getitem__(index)

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return [field.name for field in self]


class Frame(SparkSurface):
    """A table of columns: texts and values of the user, annotations, finished values.

    Attributes
    ----------
    columns : list of str
        The names, in order.
    origin : ndarray, int64, [rows]
        The row of the first table that each row comes from, where rows were exploded or picked.
    """

    def __init__(
        self, columns: Sequence[tuple[str, Sequence[Any]]], rows: int, origin: NDArray[np.int64] | None = None
    ) -> None:
        self._columns = tuple(columns)
        self._rows = rows
        self.origin: NDArray[np.int64] = np.arange(rows, dtype=np.int64) if origin is None else origin

    def _with(self, columns: Sequence[tuple[str, Sequence[Any]]]) -> Frame:
        return Frame(columns, self._rows, self.origin)

    # ---------------------------------------------------------------- reading

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return [name for name, _ in self._columns]

    @property
    def schema(self) -> Schema:
        """Names and metadata of the columns: annotatorType, and dimension and ref of embeddings."""
        return Schema(Field(name, dict(column_metadata(cells))) for name, cells in self._columns)

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._rows

    def count(self) -> int:
        """Return the number of rows."""
        return self._rows

    def cells(self, name: str) -> Sequence[Any]:
        """Return a column's cells.

        Raises
        ------
        WiringError
            There is no such column, or there are two.
        """
        found = [cells for known, cells in self._columns if known == name]
        if len(found) == 1:
            return found[0]
        if found:
            raise WiringError(f"There are {len(found)} columns {name!r}. Give them different names with toDF.")
        raise WiringError(f"There is no column {name!r}. {there(self.types(), name)}")

    __getitem__ = cells

    def types(self) -> dict[str, str | None]:
        """Return the annotator type of each column, None for columns without annotations."""
        return {name: self.type_of(name) for name in self.columns}

    def type_of(self, name: str) -> str | None:
        """Return the annotator type of a column, None where it holds no annotations."""
        return annotator_type(self.cells(name))

    def wiring(self) -> dict[str, str | None]:
        """Return the types as the check of the wiring takes them: `EMPTY` where no cell says what a column holds."""
        return {
            name: kind or (EMPTY if says_nothing(self.cells(name)) else None) for name, kind in self.types().items()
        }

    def annotations(self, name: str, empty: str | None = None) -> AnnotationColumn:
        """Return a column of annotations; `empty` is the type of one without any."""
        return as_annotation_column(self.cells(name), empty)

    def collect(self) -> list[Row]:
        """Return the rows."""
        return [self._row(number) for number in range(self._rows)]

    def _row(self, number: int) -> Row:
        return Row(self.columns, [cells[number] for _, cells in self._columns])

    def take_first(self, count: int) -> list[Row]:
        """Return the first rows."""
        return [self._row(number) for number in range(min(count, self._rows))]

    def head(self, n: int | None = None) -> Any:
        """Return the first n rows, or without n the first row or None."""
        if n is None:
            return self.first()
        return self.take_first(n)

    def first(self) -> Row | None:
        """Return the first row, None where there is none."""
        return self._row(0) if self._rows else None

    def __iter__(self) -> Iterator[Row]:
        return (self._row(number) for number in range(self._rows))

    # ---------------------------------------------------------------- other frames

    def with_column(self, name: str, cells: Sequence[Any]) -> Frame:
        """Return the frame with one more column, of which there is a cell for every row.

        Raises
        ------
        InputError
            There are more or fewer.
        """
        is_column = hasattr(cells, "__len__") and not isinstance(cells, str)
        if not is_column or len(cells) != self._rows:
            given = f"{len(cells)} cells" if is_column else repr(cells)
            raise InputError(
                f"with_column({name!r}) got {given}; it takes a list with a cell for each of {self._rows} rows."
            )
        return self._with((*self._columns, (name, cells)))

    def drop(self, *names: str) -> Frame:
        """Return the frame without some columns; names that are not there do not matter, as in Spark."""
        return self._with([item for item in self._columns if item[0] not in names])

    def toDF(self, *names: str) -> Frame:
        """Return the frame with new names for all columns."""
        if len(names) != len(self._columns):
            raise InputError(f"toDF got {len(names)} names for {len(self._columns)} columns.")
        return self._with([(name, cells) for name, (_, cells) in zip(names, self._columns, strict=True)])

    def withColumnRenamed(self, existing: str, new: str) -> Frame:
        """Return the frame with one column renamed."""
        return self._with([(new if name == existing else name, cells) for name, cells in self._columns])

    def take(self, rows: Any) -> Any:
        """Return the first rows (a number, as in Spark), or a frame of the rows whose numbers are given."""
        if hasattr(rows, "__index__") and getattr(rows, "ndim", 0) == 0:
            return self.take_first(int(rows))
        numbers = np.asarray(rows, dtype=np.int64)
        outside = numbers[(numbers < 0) | (numbers >= self._rows)]
        if len(outside):
            raise InputError(f"Row {outside[0]} does not exist; there are {self._rows}, counted from 0.")
        columns = [(name, take_cells(cells, numbers)) for name, cells in self._columns]
        return Frame(columns, len(numbers), self.origin[numbers])

    def limit(self, count: int) -> Frame:
        """Return the frame of the first rows."""
        frame: Frame = self.take(np.arange(min(count, self._rows)))
        return frame

    def select(self, *paths: str | Sequence[str]) -> Frame:
        """Return some columns; ``token.result`` is one field of every annotation of a column, ``*`` all columns.

        Of an exploded column, whose cells are single annotations, ``one.result`` is a field and ``one.*`` all of them.
        """
        chosen: list[tuple[str, Sequence[Any]]] = []
        for path in _flat(paths):
            chosen += self._named(path, None)
        return self._with(chosen)

    def selectExpr(self, *expressions: str | Sequence[str]) -> Frame:
        """Return some columns, renamed or exploded: ``"token.result as words"``, ``"explode(token.result) as word"``.

        Raises
        ------
        InputError
            An expression is of another kind, or there are two explosions.
        """
        plain: list[tuple[str, Sequence[Any]]] = []
        exploded: int | None = None
        for expression in _flat(expressions):
            if match := _EXPLODE.fullmatch(expression):
                if exploded is not None:
                    raise InputError(
                        "selectExpr explodes one column at a time. Use to_pandas(level='token') for several."
                    )
                exploded = len(plain)
                plain.append((match[2] or "col", self._path(match[1])))
            elif match := _PATH.fullmatch(expression):
                plain += self._named(match[1], match[2])
            else:
                raise InputError(
                    f"selectExpr reads 'column', 'column.field', both with 'as name', and 'explode(...) as name'; not "
                    f"{expression!r}. to_pandas(level='token') gives one row for every token."
                )
        if exploded is None:
            return self._with(plain)
        name, cells = plain[exploded]
        lists = [_items_of(cells[row], row) for row in range(self._rows)]
        numbers = np.repeat(np.arange(self._rows), [len(cell) for cell in lists])
        columns = [(other, repeat_cells(values, numbers)) for other, values in plain]
        columns[exploded] = (name, [item for cell in lists for item in cell])
        return Frame(columns, len(numbers), self.origin[numbers])

    def _named(self, path: str, new_name: str | None) -> list[tuple[str, Sequence[Any]]]:
        """Return the columns of a path, which are several where it ends in a star."""
        if path == "*" and new_name is None:
            return list(self._columns)
        if path.endswith(".*") and new_name is None and are_annotations(self.cells(path[:-2])):
            return [(field, self._path(f"{path[:-2]}.{field}")) for field in FIELDS]
        return [(new_name or path.rsplit(".", 1)[-1], self._path(path))]

    def _path(self, path: str) -> Sequence[Any]:
        if path in self.columns or "." not in path:
            return self.cells(path)
        name, field = path.rsplit(".", 1)
        if field in FIELDS and are_annotations(cells := self.cells(name)):
            attribute = "vector" if field == "embeddings" else field  # not a Python float for every number
            return [getattr(cells[row], attribute, None) for row in range(self._rows)]
        if field not in FIELDS:
            raise WiringError(
                f"{path!r} is no column and no field of one. The fields of annotations are {', '.join(FIELDS)}."
            )
        if self.type_of(name) is None:
            raise WiringError(
                f"{path!r} is no column, and {name!r} holds no annotations whose {field} could be taken. Of a Parquet "
                "file they are read with pyarrow.parquet.read_table and createDataFrame; pandas makes arrays of them."
            )
        column = self.annotations(name)
        return Lazy(self._rows, lambda row: getattr(column[row], field))

    # ---------------------------------------------------------------- out

    def toPandas(self) -> pd.DataFrame:
        """Return a pandas DataFrame. Cells of annotations are `Annotations`, which read like lists."""
        pandas = import_package("pandas", "toPandas")
        names = self.columns
        if len(set(names)) < len(names):
            raise WiringError("Two columns have the same name. Give them different names with toDF.")
        return pandas.DataFrame({name: pandas_values(cells) for name, cells in self._columns})

    def to_pandas(self, level: str | None = None) -> pd.DataFrame:
        """Return a pandas DataFrame: one row per row, or one for every token, sentence or document.

        Parameters
        ----------
        level : {"token", "sentence", "document"}, optional
            What a row is then: an annotation of that kind, with ``begin``, ``end``, its sentence's number, and for
            each column of word embeddings the token's vector (a view; None where it has none), or for each column of
            sentence embeddings the sentence's. The index is that of the row it comes from; columns without
            annotations repeat. "word" is another name of "token".

        Raises
        ------
        WiringError
            There are no annotations of that kind, or sentence embeddings belong to those of another level.
        """
        if level is None:
            return self.toPandas()
        from .levels import explode_to

        return explode_to(self, level)

    def to_arrow(self) -> Any:
        """Return a ``pyarrow.Table`` whose annotation columns have Spark NLP's struct; vectors are not copied.

        A column of a pandas DataFrame without rows does not tell that it holds annotations, and has the type null. For
        tables that may be empty run the pipeline on a frame: ``model.transform(start().createDataFrame(table))``.

        Raises
        ------
        MissingDependencyError
            pyarrow is not installed.
        """
        from .arrow import arrow_table

        return arrow_table(self)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Export the whole table through Arrow's PyCapsule interface (needs pyarrow)."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def show(self, n: int = 20, truncate: bool | int = True, vertical: bool = False) -> None:
        """Print the first n rows as Spark does; cells longer than 20 characters (or `truncate`) are cut."""
        from .show import table_text

        print(table_text(self, n, truncate, vertical), end="")

    def printSchema(self) -> None:
        """Print the columns and their types as a tree."""
        from .show import schema_text

        print(schema_text(self), end="")

    def __repr__(self) -> str:
        found = [(name, annotator_type(cells)) for name, cells in self._columns]  # also where two have one name
        kinds = ", ".join(f"{name}: {kind}" if kind else name for name, kind in found)
        return f"Frame({self._rows} rows; {kinds})"


def _flat(names: Sequence[Any]) -> list[str]:
    flat: list[str] = [name for item in names for name in (item if isinstance(item, (list, tuple)) else [item])]
    for name in flat:
        if not isinstance(name, str):
            raise InputError(f"Columns are named by strings here; this is {type(name).__name__} ({name!r}).")
    return flat


def _items_of(cell: Any, row: int) -> list[Any]:
    """Return the items of a cell that is exploded."""
    if cell is None:
        return []
    if isinstance(cell, (str, bytes)) or not isinstance(cell, (Sequence, np.ndarray)):
        raise InputError(f"explode takes a column of lists or annotations; row {row} holds {type(cell).__name__}.")
    return list(cell)
