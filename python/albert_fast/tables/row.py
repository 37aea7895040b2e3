"""Row: named cells, as Spark gives them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Row(tuple[Any, ...]):
    """A row with named cells: ``row.text``, ``row["text"]``, ``row[0]``, ``row.asDict()``."""

    _names: tuple[str, ...]

    def __new__(cls, names: Sequence[str], values: Sequence[Any]) -> Row:
        """Make a row of values and their names."""
        row = super().__new__(cls, values)
        row._names = tuple(names)
        return row

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._names:
            raise AttributeError(f"this row has no {name!r}; it has {', '.join(self._names)}")
        return self[self._names.index(name)]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, str):
            if index not in self._names:
                raise KeyError(f"this row has no {index!r}; it has {', '.join(self._names)}")
            index = self._names.index(index)
        return super().__getitem__(index)

    def __contains__(self, name: object) -> bool:
        """Whether there is a cell of this name, as in Spark."""
        return name in self._names

    def asDict(self, recursive: bool = False) -> dict[str, Any]:
        """Return the cells by name; with `recursive` rows and annotations inside them become dicts too."""
        cells = dict(zip(self._names, self, strict=True))
        return {name: _as_dict(cell) for name, cell in cells.items()} if recursive else cells

    def __repr__(self) -> str:
        return f"Row({', '.join(f'{name}={value!r}' for name, value in zip(self._names, self, strict=True))})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Row, (self._names, tuple(self))


def _as_dict(cell: Any) -> Any:
    if hasattr(cell, "asDict"):
        return cell.asDict()
    if isinstance(cell, Sequence) and not isinstance(cell, (str, bytes)):
        return [_as_dict(item) for item in cell]
    return cell
