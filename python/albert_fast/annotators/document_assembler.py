"""DocumentAssembler: a column of texts -> documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core
from .. import params as p
from ..columns import AnnotationColumn
from ..errors import InputError, WiringError
from ..tables.read import is_missing
from ..wiring import Columns, there
from .stage import Run, Stage

if TYPE_CHECKING:
    from ..tables.frame import Frame

CLEANUP_MODES = (
    "disabled", "inplace", "inplace_full", "shrink", "shrink_full", "each", "each_full", "delete_full",
)  # fmt: skip


def _cleanup_mode(value: Any) -> str:
    return p.one_of(*CLEANUP_MODES)(value.strip().lower() if isinstance(value, str) else value)


class DocumentAssembler(Stage):
    """Turn a column of texts into documents: the entry of every pipeline (Spark NLP's class of that name).

    Parameters
    ----------
    **parameters
        Any parameter below, by keyword or by Spark NLP's setter.

    Other Parameters
    ----------------
    input_col : str
        Column of texts, or of lists of texts, which become one document each. None and NaN read as an empty text.
    output_col : str, default "document"
    id_col : str, optional
        Column whose value becomes the metadata "id".
    metadata_col : str, optional
        Column of maps that become metadata.
    cleanup_mode : str, default "disabled"
        "shrink" collapses blanks; "inplace", "each" replace them one by one; "..._full" and "delete_full" also treat
        line breaks and tabs that are written out (a backslash and a letter). Places refer to the text after it.
    offsets : {"codepoints", "utf16"}, optional
        What ``begin`` and ``end`` count, here and in all later stages: characters as Python counts them, or UTF-16
        units as Spark NLP does. Unset: UTF-16 in a pipeline with a stage of ``compat="sparknlp"``.
    """

    uid_prefix = "DocumentAssembler"
    outputAnnotatorType = "document"
    _params = (
        p.Param("input_col", "inputCol", None, p.optional(p.text), "Column of texts or lists of texts."),
        p.Param("output_col", "outputCol", "document", p.text, "Column of documents."),
        p.Param("id_col", "idCol", None, p.optional(p.text), "Column for the metadata 'id'."),
        p.Param("metadata_col", "metadataCol", None, p.optional(p.text), "Column of maps for the metadata."),
        p.Param("cleanup_mode", "cleanupMode", "disabled", _cleanup_mode, "What is done about blanks."),
        p.Param("offsets", "offsets", None, p.optional(p.one_of("codepoints", "utf16")), "What begin and end count."),
    )

    setInputCol = p.Setter()
    getInputCol = p.Getter()
    setOutputCol = p.Setter()
    getOutputCol = p.Getter()
    setIdCol = p.Setter()
    getIdCol = p.Getter()
    setMetadataCol = p.Setter()
    getMetadataCol = p.Getter()
    setCleanupMode = p.Setter()
    getCleanupMode = p.Getter()
    setOffsets = p.Setter()
    getOffsets = p.Getter()

    def _own_columns(self) -> list[str]:
        if self.get_param("inputCol") is None:
            raise WiringError(f"{self._title()} has no input column. Set it with setInputCol.")
        optional = (self.get_param("idCol"), self.get_param("metadataCol"))
        return [self.get_param("inputCol"), *(name for name in optional if name is not None)]

    def columns_after(self, columns: Columns) -> dict[str, str | None]:
        """Return the columns of the table after this stage, before any work is done; see `Stage`."""
        for name in self._own_columns():
            if name not in columns:
                raise WiringError(f"{self._title()} reads column {name!r}, which is not there. {there(columns, name)}")
        return self._with_output(columns, self.output_col(), self.outputAnnotatorType)

    def run(self, frame: Frame, run: Run) -> Frame:
        """Return the table with the documents."""
        texts, splits = _texts_of(frame.cells(self.get_param("inputCol")))
        offsets = self.get_param("offsets") or ("utf16" if run.compat == "sparknlp" else "codepoints")
        core = _core.assemble_documents(texts, splits, self.get_param("cleanupMode"), offsets == "utf16", not run.light)
        if not run.light:
            core = self._with_metadata(core, frame, np.diff(splits))
        return frame.with_column(self.output_col(), AnnotationColumn(core))

    def _with_metadata(
        self, core: _core.AnnotationColumn, frame: Frame, documents_per_row: Any
    ) -> _core.AnnotationColumn:
        def per_document(values: Sequence[Any]) -> list[Any]:
            return [value for value, count in zip(values, documents_per_row, strict=True) for _ in range(count)]

        if (name := self.get_param("metadataCol")) is not None:
            maps = per_document([_map_of(value, name, row) for row, value in enumerate(frame.cells(name))])
            for key in dict.fromkeys(key for entries in maps for key in entries):
                if key not in ("id", "sentence"):
                    core = core.with_metadata(key, [entries.get(key) for entries in maps])
        if (name := self.get_param("idCol")) is not None:
            core = core.with_metadata("id", per_document([str(value) for value in frame.cells(name)]))
        return core


def _map_of(value: Any, column: str, row: int) -> dict[str, str]:
    if is_missing(value):
        return {}
    if not isinstance(value, Mapping):
        raise InputError(f"Row {row} of metadata column {column!r} is {type(value).__name__}. Give a dict of strings.")
    return {str(key): str(entry) for key, entry in value.items() if entry is not None}


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple, np.ndarray))


def _texts_of(cells: Sequence[Any]) -> tuple[Sequence[Any], Any]:
    """Return all texts one after the other, and where those of each row begin."""
    if not any(map(_is_list, cells)):
        return cells, np.arange(len(cells) + 1, dtype=np.int64)
    texts: list[Any] = []
    splits = [0]
    for row, cell in enumerate(cells):
        if _is_list(cell):
            for number, text in enumerate(cell):
                if not isinstance(text, str) and not is_missing(text):
                    raise InputError(f"Row {row}: text {number} of the list is of type {type(text).__name__}, not str.")
            texts.extend(cell)
        elif not is_missing(cell):
            what = "a text" if isinstance(cell, str) else f"of type {type(cell).__name__}"
            raise InputError(
                f"Row {row} is {what} in a column where others are lists of texts. Give one kind in a column."
            )
        splits.append(len(texts))
    return texts, np.array(splits, dtype=np.int64)
