"""What `Frame.show` and `Frame.printSchema` print, laid out as Spark does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..annotation import Annotation
from ..columns import AnnotationColumn
from .cells import Table

_DEFAULT_WIDTH = 20
_ANNOTATION_FIELDS = """\
annotatorType: string (nullable = true)
begin: integer (nullable = false)
end: integer (nullable = false)
result: string (nullable = true)
metadata: map (nullable = true)
|    |-- key: string
|    |-- value: string (valueContainsNull = true)
embeddings: array (nullable = true)
|    |-- element: float (containsNull = false)
"""


def cell_text(value: Any) -> str:
    """Return a cell as Spark shows it: ``[{token, 0, 0, I, {sentence -> 0}, []}]``."""
    if value is None:
        return "null"
    if isinstance(value, Annotation):
        fields = (value.annotatorType, value.begin, value.end, value.result, value.metadata, value.vector)
        return "{" + ", ".join(map(cell_text, fields)) + "}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} -> {cell_text(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, tuple):  # a struct, for example the pairs of Finisher's metadata
        return "{" + ", ".join(map(cell_text, value)) + "}"
    if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype == np.float64:
        return "[" + ",".join(map(str, value)) + "]"  # what EmbeddingsFinisher makes for a DenseVector of Spark ML
    if isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, str):
        return "[" + ", ".join(map(cell_text, value)) + "]"
    return str(value)


def _cut(text: str, width: int) -> str:
    if width <= 0 or len(text) <= width:
        return text
    return text[:width] if width < 4 else text[: width - 3] + "..."


def table_text(frame: Table, count: int, truncate: bool | int, vertical: bool) -> str:
    """Return the first rows as a table, or one cell a line."""
    width = (_DEFAULT_WIDTH if truncate else 0) if isinstance(truncate, bool) else truncate
    names = frame.columns
    rows = [[_cut(cell_text(cell).replace("\n", "\\n"), width) for cell in row] for row in frame.take_first(count)]
    more = f"only showing top {count} row{'s' if count != 1 else ''}\n" if len(frame) > count else ""
    if vertical:
        return _vertical(names, rows) + more
    widths = [max(3, len(name), *(len(row[i]) for row in rows), 0) for i, name in enumerate(names)]
    line = "+" + "+".join("-" * size for size in widths) + "+\n"
    align = str.rjust if width > 0 else str.ljust

    def row_text(cells: Sequence[str]) -> str:
        return "|" + "|".join(align(cell, size) for cell, size in zip(cells, widths, strict=True)) + "|\n"

    return line + row_text(names) + line + "".join(map(row_text, rows)) + line + more


def _vertical(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    size = max(map(len, names), default=0)
    text = ""
    for number, row in enumerate(rows):
        text += f"-RECORD {number}".ljust(size + 5, "-") + "\n"
        text += "".join(f" {name.ljust(size)} | {cell} \n" for name, cell in zip(names, row, strict=True))
    return text


def schema_text(frame: Table) -> str:
    """Return the columns as a tree of types."""
    text = "root\n"
    for name in frame.columns:
        cells = frame.cells(name)
        if isinstance(cells, AnnotationColumn) or frame.type_of(name) is not None:
            text += f" |-- {name}: array (nullable = true)\n |    |-- element: struct (containsNull = true)\n"
            text += _fields(" |    |    ")
        else:
            text += f" |-- {name}: {_kind(sample := _sample(cells))} (nullable = true)\n"
            text += _below(sample, " |    ")
    return text


def _fields(margin: str) -> str:
    lines = _ANNOTATION_FIELDS.splitlines()
    return "".join(f"{margin}{line}\n" if line.startswith("|") else f"{margin}|-- {line}\n" for line in lines)


def _sample(cells: Sequence[Any]) -> Any:
    """Return a cell that shows the type: the first that holds something, else the first that is not None."""
    there = [cell for row in range(len(cells)) if (cell := cells[row]) is not None]
    full = (cell for cell in there if not _is_list(cell) or len(cell))
    return next(full, there[0] if there else None)


def _is_list(value: Any) -> bool:
    return isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, str)


def _below(value: Any, margin: str) -> str:
    """Return the lines under a column that tell what is in its cells."""
    if isinstance(value, Annotation):
        return _fields(margin)
    kind = _kind(value)
    if kind == "map" and len(value):
        key, entry = next(iter(value.items()))
        return f"{margin}|-- key: {_kind(key)}\n{margin}|-- value: {_kind(entry)} (valueContainsNull = true)\n"
    if isinstance(value, tuple):
        names = getattr(value, "_names", [f"_{number + 1}" for number in range(len(value))])
        return "".join(
            f"{margin}|-- {name}: {_kind(cell)} (nullable = true)\n" + _below(cell, f"{margin}|    ")
            for name, cell in zip(names, value, strict=True)
        )
    if kind != "array" or not len(value):
        return ""
    inner = value[0]
    null = "false" if isinstance(inner, np.generic) else "true"
    return f"{margin}|-- element: {_kind(inner)} (containsNull = {null})\n" + _below(inner, f"{margin}|    ")


_KINDS: tuple[tuple[Any, str], ...] = (
    ((bool, np.bool_), "boolean"), (np.float32, "float"), (np.int32, "integer"), ((int, np.integer), "long"),
    ((float, np.floating), "double"), (str, "string"), (Mapping, "map"), ((Annotation, tuple), "struct"),
)  # fmt: skip


def _kind(value: Any) -> str:
    for kinds, name in _KINDS:
        if isinstance(value, kinds):
            return name
    if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype == np.float64:
        return "vector"
    return "array" if _is_list(value) else "void" if value is None else type(value).__name__
