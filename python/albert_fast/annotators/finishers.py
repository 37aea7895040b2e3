"""Finisher and EmbeddingsFinisher: annotations -> plain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .. import params as p
from ..columns import AnnotationColumn
from ..errors import WiringError
from ..tables.cells import Lazy
from ..wiring import EMPTY, Columns, there
from .stage import Run, Stage

if TYPE_CHECKING:
    import sys

    from ..tables.frame import Frame

    if sys.version_info >= (3, 11):
        from typing import Self
    else:
        from typing_extensions import Self

_COLUMNS = (
    p.Param("input_cols", "inputCols", None, p.optional(p.strings()), "Columns of annotations."),
    p.Param(
        "output_cols", "outputCols", None, p.optional(p.strings()), "Columns of values; finished_<input> if unset."
    ),
)


class _Finisher(Stage):
    """What both have: several columns in, as many out, and annotations that may go."""

    _params: ClassVar[tuple[p.Param, ...]] = (
        *_COLUMNS,
        p.Param("clean_annotations", "cleanAnnotations", True, p.boolean, "Drop all annotations."),
    )

    def setInputCols(self, *columns: str | Sequence[str]) -> Self:
        """Set the columns of annotations, as strings or one list."""
        self.set_param("inputCols", p.listed(columns))
        return self

    getInputCols = p.Getter()

    def setOutputCols(self, *columns: str | Sequence[str]) -> Self:
        """Set the columns of values, as many as there are input columns."""
        self.set_param("outputCols", p.listed(columns))
        return self

    getCleanAnnotations = p.Getter()
    setCleanAnnotations = p.Setter()

    def getOutputCols(self) -> list[str]:
        """Return the columns of values: outputCols, or the input columns with ``finished_`` in front."""
        names = self.get_param("outputCols")
        return list(names) if names is not None else [f"finished_{name}" for name in self.input_cols()]

    def columns_after(self, columns: Columns) -> dict[str, str | None]:
        """Return the columns of the table after this stage, before any work is done; see `Stage`."""
        inputs, outputs = self.input_cols(), self.getOutputCols()
        if len(inputs) != len(outputs):
            raise WiringError(
                f"{self._title()} has {len(inputs)} input columns and {len(outputs)} output columns. Give as many of "
                "one as of the other."
            )
        for name in inputs:
            kind = self._type_of(name, columns)
            if not self._reads(kind):
                raise WiringError(
                    f"{self._title()} reads {self._wanted()}, and {name!r} holds {kind}. {there(columns)}"
                )
        made = dict(columns)
        for name in self._made():
            made = self._with_output(made, name, None)
        if self.get_param("cleanAnnotations"):
            made = {name: kind for name, kind in made.items() if kind is None or (kind == EMPTY and name not in inputs)}
        return made

    def _reads(self, kind: str) -> bool:
        return kind != "no annotations"

    def _wanted(self) -> str:
        return "columns of annotations"

    def _made(self) -> list[str]:
        return self.getOutputCols()

    def run(self, frame: Frame, run: Run) -> Frame:
        """Return the table with the values."""
        made = frame
        for name, cells in self._finished(frame):
            made = made.with_column(name, cells)
        if self.get_param("cleanAnnotations"):
            made = made.drop(*(name for name in frame.columns if frame.type_of(name) is not None), *self._empty(frame))
        return made

    def _empty(self, frame: Frame) -> list[str]:
        """Return the input columns without any annotation; other columns that hold nothing may be the user's own."""
        return [name for name in self.input_cols() if frame.wiring()[name] == EMPTY]

    def _finished(self, frame: Frame) -> list[tuple[str, Sequence[Any]]]:
        raise NotImplementedError


class EmbeddingsFinisher(_Finisher):
    """Take the vectors out of annotations (Spark NLP's class of that name).

    Each cell of an output column is a list of float32 vectors, views of the engine's memory; that of an annotation
    without a vector (a sentence without words) is empty. With ``output_as_vector=True`` they are float64, as Spark ML's
    DenseVector has them. The matrix of a row is ``vectors`` of its annotations, without a copy.

    Other Parameters
    ----------------
    input_cols, output_cols
        Columns of word or sentence embeddings, and of their vectors (default ``finished_<input>``).
    clean_annotations : bool, default False
        Drop all columns of annotations.
    output_as_vector : bool, default False
    """

    uid_prefix = "embeddings_finisher"
    _params = (
        *_COLUMNS,
        p.Param("clean_annotations", "cleanAnnotations", False, p.boolean, "Drop all annotations."),
        p.Param("output_as_vector", "outputAsVector", False, p.boolean, "Lists of float64 vectors."),
    )

    setOutputAsVector = p.Setter()
    getOutputAsVector = p.Getter()

    def _reads(self, kind: str) -> bool:
        return kind in ("word_embeddings", "sentence_embeddings", EMPTY)

    def _wanted(self) -> str:
        return "columns of word_embeddings or sentence_embeddings"

    def _finished(self, frame: Frame) -> list[tuple[str, Sequence[Any]]]:
        as_vector = self.get_param("outputAsVector")
        return [
            (output, _vectors(frame.annotations(name, "word_embeddings"), as_vector))
            for name, output in zip(self.input_cols(), self.getOutputCols(), strict=True)
        ]


def _vectors(column: AnnotationColumn, as_vector: bool) -> Lazy:
    def views(row: int) -> list[Any]:
        if column.vector_rows is None:
            return list(column.vectors_of(*column.bounds(row)))
        return [column.vector(i) for i in range(*column.bounds(row))]  # some have none

    if as_vector:
        return Lazy(len(column), lambda row: [vector.astype(np.float64) for vector in views(row)])
    return Lazy(len(column), views)


class Finisher(_Finisher):
    """Turn annotations into strings (Spark NLP's class of that name).

    Other Parameters
    ----------------
    input_cols, output_cols
        Columns of annotations, and of their texts (default ``finished_<input>``).
    output_as_array : bool, default True
        A list of texts for each row; False: one string, joined by `annotation_split_symbol`.
    include_metadata : bool, default False
        With lists, one more column ``<output>_metadata`` of all (key, value) pairs of the row; with strings, each
        annotation is written as ``key->value`` pairs joined by `value_split_symbol`, ``result->text`` last.
    parse_embeddings_vectors : bool, default False
        Write the vectors instead of the texts of embeddings, with blanks between the numbers (`value_split_symbol` in
        strings).
    value_split_symbol : str, default "#"
    annotation_split_symbol : str, default "@"
    clean_annotations : bool, default True
        Drop all columns of annotations.
    """

    uid_prefix = "finisher"
    _params = (
        *_Finisher._params,
        p.Param("value_split_symbol", "valueSplitSymbol", "#", p.string, "What stands between values."),
        p.Param("annotation_split_symbol", "annotationSplitSymbol", "@", p.string, "What stands between annotations."),
        p.Param("include_metadata", "includeMetadata", False, p.boolean, "Show the metadata too."),
        p.Param("output_as_array", "outputAsArray", True, p.boolean, "Lists of texts, not one string."),
        p.Param("parse_embeddings_vectors", "parseEmbeddingsVectors", False, p.boolean, "Show vectors, not texts."),
    )

    setValueSplitSymbol = p.Setter()
    getValueSplitSymbol = p.Getter()
    setAnnotationSplitSymbol = p.Setter()
    getAnnotationSplitSymbol = p.Getter()
    setIncludeMetadata = p.Setter()
    getIncludeMetadata = p.Getter()
    setOutputAsArray = p.Setter()
    getOutputAsArray = p.Getter()
    setParseEmbeddingsVectors = p.Setter()
    getParseEmbeddingsVectors = p.Getter()

    def _made(self) -> list[str]:
        outputs = self.getOutputCols()
        with_metadata = self.get_param("includeMetadata") and self.get_param("outputAsArray")
        return [*outputs, *(f"{name}_metadata" for name in outputs)] if with_metadata else outputs

    def _finished(self, frame: Frame) -> list[tuple[str, Sequence[Any]]]:
        columns = [frame.annotations(name, "document") for name in self.input_cols()]
        now = self.copy()  # cells are made when they are read: as the parameters are now, not as they are then
        cells: list[Any] = [now._texts if now.get_param("outputAsArray") else now._string] * len(columns)
        if len(self._made()) > len(columns):
            cells += [now._pairs] * len(columns)
            columns *= 2
        return [
            (name, Lazy(len(column), _bound(cell, column)))
            for name, column, cell in zip(self._made(), columns, cells, strict=True)
        ]

    def _texts(self, column: AnnotationColumn, row: int) -> list[str]:
        first, last = column.bounds(row)
        if self._shows_vectors(column):
            separator = " " if self.get_param("outputAsArray") else self.get_param("valueSplitSymbol")
            return column.core.vector_texts(first, last, separator)
        return column.core.results(first, last)

    def _string(self, column: AnnotationColumn, row: int) -> str:
        texts = self._texts(column, row)
        if self.get_param("includeMetadata"):
            first, _ = column.bounds(row)
            texts = [self._described(column, first + i, text) for i, text in enumerate(texts)]
        joined: str = self.get_param("annotationSplitSymbol").join(texts)
        return joined

    def _described(self, column: AnnotationColumn, annotation: int, text: str) -> str:
        pairs = list(column.core.metadata(annotation).items())
        if self._shows_vectors(column):
            pairs += [("result", column.core.results(annotation, annotation + 1)[0]), ("embeddings", text)]
        else:
            pairs.append(("result", text))
        symbol: str = self.get_param("valueSplitSymbol")
        return symbol.join(f"{key}->{value}" for key, value in pairs)

    def _shows_vectors(self, column: AnnotationColumn) -> bool:
        return bool(self.get_param("parseEmbeddingsVectors")) and column.vectors is not None

    @staticmethod
    def _pairs(column: AnnotationColumn, row: int) -> list[tuple[str, str]]:
        return [pair for i in range(*column.bounds(row)) for pair in column.core.metadata(i).items()]


def _bound(cell: Any, column: AnnotationColumn) -> Any:
    return lambda row: cell(column, row)
