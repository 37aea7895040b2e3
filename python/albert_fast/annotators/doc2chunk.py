"""Doc2Chunk: documents -> chunks, named by a column of the user's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import params as p
from ..annotation import Annotation
from ..columns import AnnotationColumn
from ..errors import InputError, WiringError
from ..tables.read import is_missing
from ..wiring import Columns, there
from .stage import Annotator, Run, annotator_params

if TYPE_CHECKING:
    from ..tables.frame import Frame


class Doc2Chunk(Annotator):
    """Find the texts of a column in documents and make chunks of them (Spark NLP's class of that name).

    Other Parameters
    ----------------
    input_cols, output_col
        Column of documents or sentences, and of the chunks.
    chunk_col : str, optional
        Column of texts to look for; without it every document becomes a chunk as a whole.
    is_array : bool, default False
        The cells of `chunk_col` are lists of texts.
    start_col : str, optional
        Column of numbers: where to begin the search, in characters (in words between single blanks with
        ``start_col_by_token_index=True``). Not with lists, as in Spark NLP.
    fail_on_missing : bool, default False
        A text that is not found is an `InputError`; False: it is left out.
    lower_case : bool, default False
        Look for the texts in the lower-cased document.

    Notes
    -----
    Chunks have the document's metadata and "chunk", the number of the text in its list. Offsets are those of the whole
    document, also for chunks of later sentences.
    """

    uid_prefix = "DOC2CHUNK"
    inputAnnotatorTypes = ("document",)
    outputAnnotatorType = "chunk"
    _params = (
        *annotator_params(1),
        p.Param("chunk_col", "chunkCol", None, p.optional(p.text), "Column of texts to look for."),
        p.Param("start_col", "startCol", None, p.optional(p.text), "Column of places where the search begins."),
        p.Param("start_col_by_token_index", "startColByTokenIndex", False, p.boolean, "Places count words."),
        p.Param("is_array", "isArray", False, p.boolean, "Cells of chunkCol are lists of texts."),
        p.Param("fail_on_missing", "failOnMissing", False, p.boolean, "A text that is not found is an error."),
        p.Param("lower_case", "lowerCase", False, p.boolean, "Look in the lower-cased document."),
    )

    setChunkCol = p.Setter()
    getChunkCol = p.Getter()
    setStartCol = p.Setter()
    getStartCol = p.Getter()
    setStartColByTokenIndex = p.Setter()
    getStartColByTokenIndex = p.Getter()
    setIsArray = p.Setter()
    getIsArray = p.Getter()
    setFailOnMissing = p.Setter()
    getFailOnMissing = p.Getter()
    setLowerCase = p.Setter()
    getLowerCase = p.Getter()

    def columns_after(self, columns: Columns) -> dict[str, str | None]:
        """Return the columns of the table after this stage, before any work is done; see `Stage`."""
        for name in (self.get_param("chunkCol"), self.get_param("startCol")):
            if name is not None and name not in columns:
                raise WiringError(f"{self._title()} reads column {name!r}, which is not there. {there(columns, name)}")
        return super().columns_after(columns)

    def run(self, frame: Frame, run: Run) -> Frame:
        """Return the table with the chunks."""
        documents = self._input(frame, "document")
        chunk_col, start_col = self.get_param("chunkCol"), self.get_param("startCol")
        rows: list[list[Annotation]] = []
        for row in range(len(frame)):
            wanted = None if chunk_col is None else self._wanted(frame.cells(chunk_col)[row], row)
            start = 0 if start_col is None or self.get_param("isArray") else _start(frame.cells(start_col)[row], row)
            chunks: list[Annotation] = []
            for document in documents[row]:
                found = list(self._chunks(document, wanted, start, row, documents.core.utf16))
                for chunk in found:
                    chunk.document = document.document
                chunks += found
            rows.append(chunks)
        column = AnnotationColumn.from_rows("chunk", rows, utf16=documents.core.utf16)
        return frame.with_column(self.output_col(), column)

    def _wanted(self, cell: Any, row: int) -> Sequence[str]:
        if is_missing(cell):
            return ()
        is_list = isinstance(cell, (list, tuple, np.ndarray))
        if is_list != self.get_param("isArray"):
            raise InputError(
                f"Row {row} of column {self.get_param('chunkCol')!r} is {'a list' if is_list else 'one text'}; set "
                f"isArray to {is_list} for such cells."
            )
        return [str(text) for text in cell] if is_list else (str(cell),)

    def _chunks(
        self, document: Annotation, wanted: Sequence[str] | None, start: int, row: int, utf16: bool
    ) -> Iterator[Annotation]:
        if wanted is None:
            metadata = {**document.metadata, "chunk": "0"}
            yield Annotation("chunk", document.begin, document.end, document.result, metadata)
            return
        text = document.result.lower() if self.get_param("lowerCase") else document.result
        if self.get_param("startColByTokenIndex"):
            start = sum(len(word) + 1 for word in document.result.split(" ")[:start])
        elif utf16:
            start = len(text.encode("utf-16-le")[: 2 * start].decode("utf-16-le", "ignore"))
        for number, chunk in enumerate(wanted):
            found = text.find(chunk, start) if chunk.strip() else -1
            if found < 0:
                if self.get_param("failOnMissing"):
                    raise InputError(f"{self._title()}: row {row} does not hold the chunk {chunk!r}.")
                continue
            begin = document.begin + _length(text[:found], utf16)
            metadata = {**document.metadata, "chunk": str(number)}
            yield Annotation("chunk", begin, begin + _length(chunk, utf16) - 1, chunk, metadata)


def _start(cell: Any, row: int) -> int:
    try:
        return max(int(cell), 0)  # Java searches from the beginning where a place lies before it
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"Row {row} of the column startCol holds {cell!r}, not a number of characters.") from None


def _length(text: str, utf16: bool) -> int:
    return len(text.encode("utf-16-le")) // 2 if utf16 else len(text)
