"""Columns of annotations, and what a cell of one looks like from Python.

A column is a struct of arrays in the core. A cell is a light view of one row; `Annotation` objects are made when
somebody reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from . import _core
from .annotation import Annotation, fix
from .errors import InputError
from .extras import import_package

if TYPE_CHECKING:
    from numpy.typing import NDArray


class AnnotationColumn(Sequence["Annotations"]):
    """The annotations of all rows of a table, made by one annotator. Nobody changes it afterwards.

    ``column[i]`` is the `Annotations` of row i.

    Attributes
    ----------
    metadata : mapping
        Spark NLP's column metadata: "annotatorType", and for embeddings "dimension" and "ref".
    source : str or None
        Of sentence embeddings, the column of sentences or documents that the vectors belong to, where it is known.
    """

    __slots__ = ("_core", "metadata", "source")

    def __init__(
        self, core: _core.AnnotationColumn, metadata: Mapping[str, Any] | None = None, source: str | None = None
    ) -> None:
        self._core = core
        self.source = source
        self.metadata: dict[str, Any] = {"annotatorType": core.type, **(metadata or {})}

    @classmethod
    def from_rows(
        cls, annotator_type: str, rows: Sequence[Sequence[Annotation]], *, utf16: bool = False
    ) -> AnnotationColumn:
        """Make a column of lists of annotations.

        Raises
        ------
        InputError
            An annotation is of another type, vectors have different lengths, or a document is no number.
        """
        flat = [annotation for row in rows for annotation in row]
        for annotation in flat:
            if annotation.annotatorType != annotator_type:
                raise InputError(
                    f"A column of {annotator_type} annotations cannot hold one of type {annotation.annotatorType}."
                )
        keys = dict.fromkeys(key for annotation in flat for key in annotation.metadata)
        with_vector = [annotation for annotation in flat if len(annotation.vector)]
        vectors, vector_rows = None, None
        if with_vector:
            if len({len(annotation.vector) for annotation in with_vector}) > 1:
                raise InputError("The annotations of one column have vectors of different lengths.")
            vectors = np.stack([annotation.vector for annotation in with_vector])
            if len(with_vector) < len(flat):
                has = np.array([len(annotation.vector) > 0 for annotation in flat])
                vector_rows = np.where(has, np.cumsum(has) - 1, NO_VECTOR).astype(np.uint32)
        core = _core.AnnotationColumn(
            annotator_type,
            utf16,
            np.cumsum([0, *map(len, rows)], dtype=np.int64),
            np.array([a.begin for a in flat], dtype=np.int32),
            np.array([a.end for a in flat], dtype=np.int32),
            [a.result for a in flat],
            {key: [a.metadata.get(key) for a in flat] for key in keys},
            vectors,
            vector_rows,
            _documents_of(flat),
        )
        return cls(core, {"dimension": vectors.shape[1]} if vectors is not None else None)

    @property
    def annotator_type(self) -> str:
        """Type of the annotations."""
        return self._core.type

    @property
    def core(self) -> _core.AnnotationColumn:
        """The column as the compiled core has it."""
        return self._core

    @property
    def row_splits(self) -> NDArray[np.int64]:
        """[rows + 1]: annotations ``row_splits[i]`` to ``row_splits[i + 1]`` belong to row i."""
        return self._core.row_splits

    @property
    def begin(self) -> NDArray[np.int32]:
        """[annotations]: first character of each in its row's text."""
        return self._core.begin

    @property
    def end(self) -> NDArray[np.int32]:
        """[annotations]: last character of each, inclusive."""
        return self._core.end

    @property
    def vectors(self) -> NDArray[np.float32] | None:
        """[annotations, dimension], the memory that the engine wrote; fewer rows where some have no vector."""
        return self._core.vectors

    @property
    def vector_rows(self) -> NDArray[np.uint32] | None:
        """[annotations]: the row of `vectors` of each, `NO_VECTOR` where it has none; None: they are in step."""
        return self._core.vector_rows

    @property
    def results(self) -> list[str]:
        """The text of every annotation, as Python strings made now."""
        return self._core.results(0, self._core.size)

    def vectors_of(self, first: int, last: int) -> NDArray[np.float32]:
        """Return the vectors of annotations ``first`` to ``last`` that have one, as a view."""
        vectors = self.vectors
        if vectors is None:
            return np.zeros((last - first, 0), dtype=np.float32)[:0]
        rows = self.vector_rows
        if rows is None:
            return vectors[first:last]
        present = rows[first:last][rows[first:last] != NO_VECTOR]
        return vectors[int(present[0]) : int(present[-1]) + 1] if len(present) else vectors[:0]

    def vector(self, annotation: int) -> NDArray[np.float32]:
        """Return the vector of one annotation, as a view; empty where it has none."""
        found = self.vectors_of(annotation, annotation + 1)
        return found[0] if len(found) else np.zeros(0, dtype=np.float32)

    def bounds(self, row: int) -> tuple[int, int]:
        """Return the first annotation of a row, and the one behind its last."""
        splits = self._core.row_splits
        return int(splits[row]), int(splits[row + 1])

    def annotations(self, first: int, last: int) -> list[Annotation]:
        """Make the annotations ``first`` to ``last``."""
        kind = self.annotator_type
        made = self._core.annotations(first, last)
        if self.vectors is None:
            annotations = [Annotation(kind, *fields) for fields in made]
        else:
            annotations = [Annotation(kind, *fields, self.vector(first + i)) for i, fields in enumerate(made)]
        documents = self._core.documents
        if documents is not None:
            for annotation, document in zip(annotations, documents[first:last].tolist(), strict=True):
                annotation.document = None if document == NO_DOCUMENT else document
        return annotations

    def take(self, rows: Sequence[int] | NDArray[np.integer]) -> AnnotationColumn:
        """Return a column of some rows, in the order given."""
        return AnnotationColumn(self._core.take(np.asarray(rows, dtype=np.int64)), self.metadata, self.source)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._core)

    @overload
    def __getitem__(self, index: int) -> Annotations: ...
    @overload
    def __getitem__(self, index: slice) -> list[Annotations]: ...
    def __getitem__(self, index: int | slice) -> Annotations | list[Annotations]:
        if isinstance(index, slice):
            return [Annotations(self, row) for row in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"row {index} does not exist; there are {len(self)}")
        return Annotations(self, index % len(self))

    def __iter__(self) -> Iterator[Annotations]:
        return (Annotations(self, row) for row in range(len(self)))

    def __repr__(self) -> str:
        return f"AnnotationColumn({self.annotator_type}, {len(self)} rows, {self._core.size} annotations)"

    def __getstate__(self) -> dict[str, Any]:
        core = self._core
        return {
            "parts": (
                core.type,
                core.utf16,
                np.array(core.row_splits),
                np.array(core.begin),
                np.array(core.end),
                self.results,
                {key: core.metadata_values(key) for key in core.metadata_keys},
                core.vectors,
                core.vector_rows,
                core.documents,
            ),
            "metadata": self.metadata,
            "source": self.source,
        }

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        core = _core.AnnotationColumn(*state["parts"])
        self.__init__(core, state["metadata"], state.get("source"))  # type: ignore[misc]

    # ---------------------------------------------------------------- Arrow

    def arrow_metadata(self) -> list[tuple[str, str]]:
        """Return the column metadata as Arrow keeps it: pairs of strings, and what begin and end count."""
        offsets = [(OFFSETS, "utf16")] if self._core.utf16 else []
        return [*((key, str(value)) for key, value in self.metadata.items()), *offsets]

    def to_arrow(self) -> Any:
        """Return the column as a ``pyarrow.ChunkedArray``; the vectors are not copied.

        Raises
        ------
        MissingDependencyError
            pyarrow is not installed.
        """
        return import_package("pyarrow", "to_arrow").chunked_array(self)

    def __arrow_c_schema__(self) -> object:
        """Export the type: a list of Spark NLP's annotation structs (Arrow's PyCapsule interface)."""
        return self._core.arrow_schema("", self.arrow_metadata())

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Export the column as a stream of arrays; the vectors are not copied. Any other schema is not made."""
        return self._core.arrow_stream("", self.arrow_metadata())


NO_VECTOR = 0xFFFFFFFF
OFFSETS = "offsets"  # in the metadata of Arrow's fields
NO_DOCUMENT = -1


def _documents_of(annotations: Sequence[Annotation]) -> NDArray[np.int32] | None:
    """Return the document of each annotation in its row, None where none of them knows."""
    documents = [annotation.document for annotation in annotations]
    wrong = [document for document in documents if document is not None and not _is_document(document)]
    if wrong:
        raise InputError(f"An annotation's document is its number within the row, counted from 0, not {wrong[0]!r}.")
    if all(document is None for document in documents):
        return None
    return np.array([NO_DOCUMENT if document is None else document for document in documents], dtype=np.int32)


def _is_document(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and 0 <= int(value) < 2**31


class Annotations(Sequence[Annotation]):
    """The annotations of one row: a view that reads like a list of `Annotation` and makes them when asked.

    Their fields cannot be set, which would be lost; ``cell[:]`` is a list of your own whose annotations can be changed.
    Equal to any sequence of equal annotations. ``result``, ``begin``, ``end`` and ``vectors`` read one field of all of
    them without making any.

    pandas' ``to_json`` writes a cell as a dict of fields, each a list. Its ``to_parquet`` takes no objects: write
    ``start().createDataFrame(frame).to_arrow()`` with ``pyarrow.parquet.write_table``.
    """

    __slots__ = ("_first", "_last", "column", "row")

    def __init__(self, column: AnnotationColumn, row: int) -> None:
        self.column = column
        self.row = row
        self._first, self._last = column.bounds(row)

    @property
    def result(self) -> list[str]:
        """The texts."""
        return self.column.core.results(self._first, self._last)

    @property
    def begin(self) -> NDArray[np.int32]:
        """First characters."""
        return self.column.begin[self._first : self._last]

    @property
    def end(self) -> NDArray[np.int32]:
        """Last characters, inclusive."""
        return self.column.end[self._first : self._last]

    @property
    def metadata(self) -> list[dict[str, str]]:
        """The metadata maps."""
        return [self.column.core.metadata(i) for i in range(self._first, self._last)]

    @property
    def annotatorType(self) -> list[str]:
        """The types, which are all the same."""
        return [self.column.annotator_type] * len(self)

    @property
    def vectors(self) -> NDArray[np.float32]:
        """[annotations with a vector, dimension]: a view."""
        return self.column.vectors_of(self._first, self._last)

    @property
    def embeddings(self) -> list[NDArray[np.float32]]:
        """The vectors one by one: views, empty where an annotation has none."""
        return [self.column.vector(i) for i in range(self._first, self._last)]

    def toDict(self) -> dict[str, list[Any]]:
        """Return the six fields by name, each a list: what pandas' ``to_json`` writes, which asks for this method."""
        return {
            "annotatorType": self.annotatorType,
            "begin": self.begin.tolist(),
            "end": self.end.tolist(),
            "result": self.result,
            "metadata": self.metadata,
            "embeddings": [vector.tolist() for vector in self.embeddings],
        }

    def __len__(self) -> int:
        return self._last - self._first

    @overload
    def __getitem__(self, index: int) -> Annotation: ...
    @overload
    def __getitem__(self, index: slice) -> list[Annotation]: ...
    def __getitem__(self, index: int | slice) -> Annotation | list[Annotation]:
        if isinstance(index, slice):
            return self.column.annotations(self._first, self._last)[index]
        if not -len(self) <= index < len(self):
            raise IndexError(f"annotation {index} does not exist; the row has {len(self)}")
        at = self._first + index % len(self)
        return fix(self.column.annotations(at, at + 1))[0]

    def __iter__(self) -> Iterator[Annotation]:
        return iter(fix(self.column.annotations(self._first, self._last)))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str) or not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(list(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return Annotations, (self.column.take([self.row]), 0)
