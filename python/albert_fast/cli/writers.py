"""Writers of the command `albert-fast embed`: JSON lines, .npy, .npz, each as a stream."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
import numpy.typing as npt

from ..errors import AlbertFastError, InputError
from .failures import UsageError

_NPY_HEADER_BYTES = 128  # a multiple of 64, as the format wants, with room for any shape
_MAX_WORDS_BYTES = 1 << 31


class Writer(Protocol):
    """Takes the results of a stream, one by one. `empty` gives a result without rows, for its dimension."""

    def write(self, result: Any) -> None: ...

    def finish(self, empty: Callable[[], Any]) -> None: ...

    def close(self) -> None: ...


def writer_for(name: str | None, is_stream: bool) -> Callable[[BinaryIO, str], Writer]:
    """Return the writer for the name of an output. A stream without a known ending gets JSON lines.

    Raises
    ------
    UsageError
        The name says no format, or one that a stream cannot take.
    """
    writers: dict[str, Callable[[BinaryIO, str], Writer]] = {".jsonl": JsonLines, ".npy": Npy, ".npz": Npz}
    ending = "" if name is None else Path(name).suffix.lower()
    if is_stream:
        if ending in (".npy", ".npz"):
            raise UsageError(
                f"--output {name}: this is a pipe or device, and {ending} needs a file: its head is written last. "
                "Give the name of a file, or one that ends in .jsonl."
            )
        return JsonLines
    if ending not in writers:
        raise UsageError(f"--output {name}: the name must end in .jsonl, .npy or .npz")
    return writers[ending]


# --------------------------------------------------------------------------------------------- JSON lines

_NAMES = {"word": ("words", "word"), "piece": ("pieces", "piece"), "sentence": ("sentences", "sentence")}


class JsonLines:
    """One JSON object for every text."""

    def __init__(self, file: BinaryIO, level: str) -> None:
        self._file = file
        self._level = level

    def write(self, result: Any) -> None:
        """Write the lines of one chunk."""
        splits = result.row_splits
        for index, text in enumerate(result.texts):
            rows = range(int(splits[index]), int(splits[index + 1]))
            self._file.write(self._line(text, result, rows).encode("utf-8"))

    def _line(self, text: str, result: Any, rows: range) -> str:
        head = f'{{"text": {_quoted(text)}'
        if self._level == "document":
            vector = _vector(result.vectors[rows[0]]) if len(rows) else "null"
            return f'{head}, "vector": {vector}}}\n'
        many, one = _NAMES[self._level]
        items = []
        for row in rows:
            found = _quoted(result.words[row])
            items.append(
                f'{{"{one}": {found}, "begin": {int(result.begin[row])}, "end": {int(result.end[row])}, '
                f'"vector": {_vector(result.vectors[row])}}}'
            )
        return f'{head}, "{many}": [{", ".join(items)}]}}\n'

    def finish(self, empty: Callable[[], Any]) -> None:
        """Do nothing: every line is complete."""

    def close(self) -> None:
        """Do nothing: the file belongs to the caller."""


# Characters that some readers take for the end of a line, as str.splitlines does.
_LINE_ENDS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).translate(_LINE_ENDS)


def _vector(values: npt.NDArray[np.float32]) -> str:
    # Nine significant digits give every float32 back exactly; json would print the 17 of a double.
    numbers = tuple(values.tolist())
    return "[" + ("%.9g, " * len(numbers) % numbers)[:-2] + "]"


# ------------------------------------------------------------------------------------------- .npy and .npz


class Npy:
    """The matrix of all vectors; the header is written again when the number of rows is known."""

    def __init__(self, file: BinaryIO, level: str) -> None:
        self._file = file
        self._rows = 0
        self._columns: int | None = None
        file.write(b"\0" * _NPY_HEADER_BYTES)

    def write(self, result: Any) -> None:
        """Append the vectors of one chunk."""
        vectors = np.ascontiguousarray(result.vectors, dtype="<f4")
        self._columns = vectors.shape[1]
        self._rows += vectors.shape[0]
        self._file.write(vectors.data.cast("B") if vectors.size else b"")

    def finish(self, empty: Callable[[], Any]) -> None:
        """Write the true header."""
        if self._columns is None:
            self._columns = _columns_of(empty)
        self._file.seek(0)
        self._file.write(_npy_header("<f4", (self._rows, self._columns)))
        self._file.seek(0, os.SEEK_END)

    def close(self) -> None:
        """Do nothing: the file belongs to the caller."""


def _columns_of(empty: Callable[[], Any]) -> int:
    try:
        return int(empty().vectors.shape[1])
    except AlbertFastError:
        return 0


def _npy_header(descr: str, shape: tuple[int, ...]) -> bytes:
    """Return a .npy header of fixed length (format version 1.0, numpy.lib.format)."""
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode("ascii")
    text = text.ljust(_NPY_HEADER_BYTES - 11) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


class Npz:
    """Vectors, words, begin, end and row_splits, as `numpy.load` reads them.

    The vectors go to a file without a name first, because a zip entry must know its size when it begins;
    words and offsets are kept in memory.
    """

    def __init__(self, file: BinaryIO, level: str) -> None:
        self._file = file
        self._level = level
        # Beside the output, because the system's temporary folder may be small.
        self._spool: BinaryIO = tempfile.TemporaryFile(dir=_folder_of(file))  # noqa: SIM115 - closed by close
        self._vectors = Npy(self._spool, level)
        self._words: list[str] = []
        self._begin: list[npt.NDArray[np.int32]] = []
        self._end: list[npt.NDArray[np.int32]] = []
        self._splits: list[npt.NDArray[np.int64]] = [np.zeros(1, np.int64)]

    def write(self, result: Any) -> None:
        """Take one chunk."""
        self._vectors.write(result)
        splits = np.asarray(result.row_splits, np.int64)
        self._splits.append(splits[1:] - splits[0] + self._splits[-1][-1])
        if self._level == "document":
            return
        self._begin.append(np.array(result.begin, np.int32))
        self._end.append(np.array(result.end, np.int32))
        self._words += result.words

    def finish(self, empty: Callable[[], Any]) -> None:
        """Put the archive together."""
        self._vectors.finish(empty)
        arrays: dict[str, npt.NDArray[Any]] = {"row_splits": np.concatenate(self._splits)}
        if self._level != "document":
            arrays["words"] = _text_array(self._words)
            arrays["begin"] = _joined(self._begin)
            arrays["end"] = _joined(self._end)
        with zipfile.ZipFile(self._file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            self._spool.seek(0)
            with archive.open("vectors.npy", "w", force_zip64=True) as entry:
                while block := self._spool.read(1 << 20):
                    entry.write(block)
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                    np.lib.format.write_array(entry, array, allow_pickle=False)

    def close(self) -> None:
        """Remove the vectors' temporary file; what it still holds on a full disk need not be written."""
        with contextlib.suppress(OSError):
            self._spool.close()


def _folder_of(file: BinaryIO) -> str | None:
    name = getattr(file, "name", None)
    return str(Path(name).parent) if isinstance(name, str) else None


def _joined(parts: list[npt.NDArray[np.int32]]) -> npt.NDArray[np.int32]:
    return np.concatenate(parts) if parts else np.zeros(0, np.int32)


def _text_array(words: list[str]) -> npt.NDArray[np.str_]:
    longest = max(map(len, words), default=1)
    if 4 * longest * len(words) > _MAX_WORDS_BYTES:
        raise InputError(
            f"The longest of {len(words)} words has {longest} characters; NumPy would store all of them that wide. "
            "Write .jsonl, or .npy for the vectors alone."
        )
    return np.array(words, dtype=f"<U{max(longest, 1)}")
