"""Annotation: one annotation as a Python object, made when somebody looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from .errors import InputError, MissingDependencyError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .tables.row import Row

# What Spark NLP's struct has, in its order.
FIELDS = ("annotatorType", "begin", "end", "result", "metadata", "embeddings")
_NO_VECTOR: NDArray[np.float32] = np.zeros(0, dtype=np.float32)
_NO_VECTOR.flags.writeable = False


class Annotation:
    """An annotation: what Spark NLP's ``sparknlp.annotation.Annotation`` is.

    Parameters
    ----------
    annotatorType
        "document", "token", "chunk", "word_embeddings" or "sentence_embeddings".
    begin, end
        First and last character in the row's text, both inclusive; an empty annotation ends before it begins.
    result
        The annotation's text.
    metadata
        Strings by name.
    embeddings
        Its vector, as any sequence of numbers; empty where it has none.

    Attributes
    ----------
    vector : ndarray, float32, [dimension]
        The vector as NumPy sees it: a view where the annotation comes from a column.
    document : int or None
        Which document of its row it stands in, where a row has several; None: not known. Offsets begin anew in every
        document, so this tells the words of one from those of another. Spark NLP has no such field.

    Notes
    -----
    Annotations are equal when all six fields are; the document does not count. They are mutable and have no hash, as in
    Spark NLP. Those of a cell of a table are fixed, except in the list that ``cell[:]`` gives.
    """

    __slots__ = ("_embeddings", "annotatorType", "begin", "document", "end", "metadata", "result", "vector")

    def __init__(
        self,
        annotatorType: str,
        begin: int,
        end: int,
        result: str,
        metadata: Mapping[str, str],
        embeddings: Any = (),
    ) -> None:
        self.annotatorType = annotatorType
        self.begin = begin
        self.end = end
        self.result = result
        self.metadata = dict(metadata)
        self.vector: NDArray[np.float32] = np.asarray(embeddings, dtype=np.float32) if len(embeddings) else _NO_VECTOR
        self.document: int | None = None
        self._embeddings: list[float] | None = None

    @property
    def embeddings(self) -> list[float]:
        """The vector as Python floats, as Spark NLP gives it; made on first use. See `vector`."""
        if self._embeddings is not None:
            return self._embeddings
        made: list[float] = self.vector.tolist()
        object.__setattr__(self, "_embeddings", made)  # also of an annotation whose fields are fixed
        return made

    @embeddings.setter
    def embeddings(self, values: Any) -> None:
        self.vector = np.asarray(values, dtype=np.float32)
        self._embeddings = None

    def __getitem__(self, field: str | int) -> Any:
        """Return a field by name or position, as Spark's rows do: ``annotation["result"]``, ``annotation[3]``."""
        if isinstance(field, str) and field not in FIELDS:
            raise KeyError(f"an annotation has no {field!r}; it has {', '.join(FIELDS)}")
        return getattr(self, field if isinstance(field, str) else FIELDS[field])

    def asDict(self) -> dict[str, Any]:
        """Return the six fields by name, as Spark's rows do."""
        return {**{name: getattr(self, name) for name in FIELDS}, "metadata": dict(self.metadata)}

    def toDict(self) -> dict[str, Any]:
        """Return the six fields by name: what pandas' ``to_json`` writes, which asks for this method."""
        return self.asDict()

    def copy(self, result: str) -> Annotation:
        """Return the same annotation with another result."""
        other = Annotation(self.annotatorType, self.begin, self.end, result, self.metadata, self.vector)
        other.document = self.document
        return other

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Annotation):
            return NotImplemented
        return (
            self.annotatorType == other.annotatorType
            and self.begin == other.begin
            and self.end == other.end
            and self.result == other.result
            and self.metadata == other.metadata
            and np.array_equal(self.vector, other.vector)
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return (
            f"Annotation({self.annotatorType}, {self.begin}, {self.end}, {self.result}, {self.metadata}, "
            f"{self.embeddings})"
        )

    def __getstate__(self) -> tuple[Any, ...]:
        fields = (self.annotatorType, self.begin, self.end, self.result, self.metadata, np.array(self.vector))
        return (*fields, self.document)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.__init__(*state[:6])  # type: ignore[misc]
        self.document = state[6]

    @staticmethod
    def fromRow(row: Any) -> Annotation:
        """Make an annotation of a row of Spark's, or of anything with the six fields as attributes."""
        return Annotation(row.annotatorType, row.begin, row.end, row.result, row.metadata, row.embeddings)

    @staticmethod
    def toRow(annotation: Annotation) -> Row:
        """Return the six fields as a `Row`."""
        from .tables.row import Row

        a = annotation
        values = (a.annotatorType, a.begin, a.end, a.result, dict(a.metadata), a.embeddings)
        return Row(FIELDS, values)

    @staticmethod
    def dataType() -> Any:
        """Return the annotation's type for PySpark, a ``pyspark.sql.types.StructType``.

        Raises
        ------
        MissingDependencyError
            PySpark is not installed.
        """
        try:
            from pyspark.sql import types as t
        except ImportError:
            raise MissingDependencyError(
                "Annotation.dataType describes an annotation to PySpark, which is not installed. Install it: "
                "pip install pyspark"
            ) from None
        return t.StructType(
            [
                t.StructField("annotatorType", t.StringType(), False),
                t.StructField("begin", t.IntegerType(), False),
                t.StructField("end", t.IntegerType(), False),
                t.StructField("result", t.StringType(), False),
                t.StructField("metadata", t.MapType(t.StringType(), t.StringType()), False),
                t.StructField("embeddings", t.ArrayType(t.FloatType()), False),
            ]
        )

    @staticmethod
    def arrayType() -> Any:
        """Return the type of a column of annotations for PySpark; see `dataType`."""
        element = Annotation.dataType()
        from pyspark.sql.types import ArrayType

        return ArrayType(element)


def _refuse(name: str) -> NoReturn:
    raise InputError(
        f"The {name} of an annotation in a table cannot be set: the table would not change. Take a list of your "
        "own, annotations = cell[:], change that, and put it into a column."
    )


class _FixedMetadata(dict[str, str]):
    """The metadata of an annotation of a cell."""

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        _refuse("metadata")

    __setitem__ = __delitem__ = __ior__ = _refuse
    update = setdefault = pop = popitem = clear = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


class _Fixed(Annotation):
    """An annotation of a cell. It is made anew at every look, so that a change would be lost."""

    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> None:
        _refuse(name)

    def __reduce__(self) -> tuple[Any, ...]:
        state = self.__getstate__()
        return Annotation, state[:6], state


def fix(annotations: list[Annotation]) -> list[Annotation]:
    """Return annotations of a cell whose fields cannot be set any more; pickled and copied ones are free again."""
    for annotation in annotations:
        annotation.metadata = _FixedMetadata(annotation.metadata)
        annotation.__class__ = _Fixed
    return annotations
