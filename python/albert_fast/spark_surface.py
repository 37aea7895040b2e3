"""The methods of a Spark DataFrame that scripts call out of habit, for a table that lies in memory already."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sys

    from .tables.row import Row

    if sys.version_info >= (3, 11):
        from typing import Self
    else:
        from typing_extensions import Self


class SparkSurface:
    """What `Frame` adds to its own methods so that scripts need no change."""

    if TYPE_CHECKING:  # given by Frame

        @property
        def columns(self) -> list[str]: ...
        def collect(self) -> list[Row]: ...
        def __len__(self) -> int: ...
        def __iter__(self) -> Iterator[Row]: ...

    def cache(self) -> Self:
        """Return the frame: it is in memory."""
        return self

    def persist(self, storageLevel: object = None) -> Self:
        """Return the frame: it is in memory."""
        return self

    def unpersist(self, blocking: bool = False) -> Self:
        """Return the frame; its memory goes when nobody holds it."""
        return self

    def repartition(self, *partitions: object) -> Self:
        """Return the frame: it has no partitions, and its rows keep their order."""
        return self

    def coalesce(self, numPartitions: int) -> Self:
        """Return the frame: it has no partitions."""
        return self

    def isEmpty(self) -> bool:
        """Whether there is no row."""
        return len(self) == 0

    def tail(self, num: int) -> list[Row]:
        """Return the last rows."""
        return self.collect()[max(len(self) - num, 0) :]

    def toLocalIterator(self, prefetchPartitions: bool = False) -> Iterator[Row]:
        """Return an iterator over the rows, which makes one at a time."""
        return iter(self)

    def foreach(self, f: Callable[[Row], object]) -> None:
        """Call a function with every row, in order."""
        for row in self:
            f(row)

    if not TYPE_CHECKING:  # or every misspelt name would pass the type checker

        def __getattr__(self, name: str) -> Any:
            if not name.startswith("_") and name in self.columns:
                raise AttributeError(f"columns are named by strings here: select({name!r}), select('{name}.result')")
            raise AttributeError(missing(self, name, "toPandas() gives a DataFrame that can do the rest."))


def missing(owner: object, name: str, remedy: str) -> str:
    """Return the message for a name that a stand-in for something of Spark's does not have."""
    kind = type(owner)
    if name.startswith("_"):  # copy, pickle and notebooks ask for such names; nobody reads the answer
        return f"{kind.__name__!r} object has no attribute {name!r}"
    import difflib  # only to explain a mistake

    known = [other for other in dir(kind) if not other.startswith("_")]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    has = f"it is no Spark object and has {', '.join(known)}"
    return f"albert_fast's {kind.__name__} has no {name!r}; {has}.{hint} {remedy}"
