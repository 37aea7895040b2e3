"""The texts of `albert-fast embed`: from the arguments, a file or the standard input."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ..errors import InputError
from ..paths import path_of
from .failures import UsageError
from .line_reader import LineReader
from .printing import note

_UTF_8_MARK = b"\xef\xbb\xbf"
# The longer ones first: they begin as the shorter ones do.
_OTHER_MARKS = {
    b"\xff\xfe\0\0": "UTF-32",
    b"\0\0\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
# First bytes of files that are no text -> what such a file is, and the way to its texts.
_NO_TEXT = {
    rb"\x1f\x8b": ("compressed with gzip", "zcat FILE | albert-fast embed"),
    rb"BZh[1-9]1AY&SY": ("compressed with bzip2", "bzcat FILE | albert-fast embed"),
    rb"\xfd7zXZ": ("compressed with xz", "xzcat FILE | albert-fast embed"),
    rb"\x28\xb5\x2f\xfd": ("compressed with zstd", "zstdcat FILE | albert-fast embed"),
    rb"PK\x03\x04": ("a zip archive", "unzip -p FILE | albert-fast embed"),
    rb"PAR1[\x00-\x08\x0e-\x1f]": (
        "a Parquet file",
        "in Python, AlbertEmbeddings.stream(pyarrow.parquet.read_table(FILE)[COLUMN].to_pylist())",
    ),
}
# Endings of files whose lines are more than a text.
_TABLES = {
    ".csv": "header, commas and quotes are parts of the texts",
    ".tsv": "header and tabs are parts of the texts",
    ".jsonl": "names and braces are parts of the texts",
    ".json": "names and braces are parts of the texts",
}


def chunks_of(arguments: argparse.Namespace) -> Iterator[Sequence[str]]:
    """Return the texts in chunks, as they can be had.

    Raises
    ------
    UsageError
        The arguments name no texts, or two sources of them.
    InputError
        A text is not UTF-8, or a file cannot be read.
    """
    named: list[str] = arguments.texts
    most: int = arguments.chunk_texts
    if arguments.input is not None and named:
        raise UsageError("give either TEXT or --input, not both")
    if arguments.input not in (None, "-"):
        return _of_file(path_of(arguments.input), most)
    if "-" in named and len(named) > 1:
        raise UsageError(
            "'-' stands for the standard input and cannot stand beside other texts; to embed a dash, put it on a line "
            "of the input"
        )
    if named and named != ["-"]:
        return _of_arguments(named, most)
    if sys.stdin is None:
        raise UsageError("the standard input is closed; give a TEXT or --input FILE")
    if not named and arguments.input is None and sys.stdin.isatty():
        raise UsageError("give a TEXT, --input FILE, or '-' to type texts on the standard input")
    return _decoded(_read(sys.stdin.fileno(), most, "The standard input"), "the standard input")


def _of_arguments(texts: list[str], most: int) -> Iterator[Sequence[str]]:
    for number, text in enumerate(texts, 1):
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:  # Python keeps bytes that it cannot decode as surrogates
            raise InputError(
                f"TEXT {number} is not UTF-8 (character {error.start + 1}). Set the terminal to UTF-8, or put the text "
                "into a UTF-8 file and give it with --input."
            ) from None
    return (texts[first : first + most] for first in range(0, len(texts), most))


def _of_file(path: Path, most: int) -> Iterator[Sequence[str]]:
    if (what := _TABLES.get(path.suffix.lower())) is not None:
        note(f"{path} is read as text, one text a line: {what}")
    try:
        file = path.open("rb", buffering=0)
    except OSError as error:
        raise _unreadable(str(path), error) from error

    def chunks() -> Iterator[Sequence[str]]:
        with file:
            yield from _decoded(_read(file.fileno(), most, str(path)), str(path))

    return chunks()


def _unreadable(where: str, error: OSError) -> InputError:
    return InputError(f"{where} cannot be read ({error.strerror or error}). Give the name of a text file.")


def _read(descriptor: int, most: int, where: str) -> Iterator[list[bytes]]:
    try:
        yield from LineReader(descriptor).chunks(most)
    except OSError as error:
        raise _unreadable(where, error) from error


def _decoded(chunks: Iterable[list[bytes]], where: str) -> Iterator[Sequence[str]]:
    """Decode UTF-8 lines; only LF and CRLF end a line. What stands before a bad line is given first."""
    number = 0
    for chunk in chunks:
        texts: list[str] = []
        try:
            for line in chunk:
                number += 1
                texts.append(_text(line, number, where))
        except InputError:
            if texts:
                yield texts
            raise
        yield texts


def _text(line: bytes, number: int, where: str) -> str:
    if number == 1:
        line = line.removeprefix(_UTF_8_MARK)
        for first, (what, way) in _NO_TEXT.items():
            if re.match(first, line):
                raise InputError(f"The text in {where} is {what}. Take the texts out of it: {way}.")
        for mark, encoding in _OTHER_MARKS.items():
            if line.startswith(mark):
                raise InputError(
                    f"The text in {where} is {encoding}, not UTF-8: its first bytes are {mark.hex(' ').upper()}. "
                    f"Convert it with iconv -f {encoding.lower()} -t utf-8."
                )
    try:
        return line.removesuffix(b"\r").decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"Line {number} of {where} is not UTF-8 (byte {error.start + 1} of the line). Convert the file, "
            "for example with iconv -f latin1 -t utf-8."
        ) from None
