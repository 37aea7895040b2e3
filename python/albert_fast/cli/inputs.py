"""The texts of `albert-fast embed`: from the arguments, a file or the standard input."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from ..errors import InputError
from .failures import UsageError


def texts_of(arguments: argparse.Namespace) -> Iterable[str]:
    named: list[str] = arguments.texts
    if arguments.input is not None:
        if named:
            raise UsageError("give either TEXT or --input, not both")
        if arguments.input == "-":
            return _lines(sys.stdin.buffer, "the standard input")
        return _file_lines(Path(arguments.input))
    if named and named != ["-"]:
        return named
    if not named and sys.stdin.isatty():
        raise UsageError("give a TEXT, --input FILE, or '-' to type texts on the standard input")
    return _lines(sys.stdin.buffer, "the standard input")


def _file_lines(path: Path) -> Iterator[str]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}). Give the name of a text file.") from error
    return _lines(file, str(path))


def _lines(file: BinaryIO, where: str) -> Iterator[str]:
    """Yield the lines of a UTF-8 file without their ends; only LF and CRLF end a line."""
    with file:
        for number, line in enumerate(file, 1):
            body = line.removesuffix(b"\n").removesuffix(b"\r")
            if number == 1:
                body = body.removeprefix(b"\xef\xbb\xbf")
            try:
                yield body.decode("utf-8")
            except UnicodeDecodeError as error:
                raise InputError(
                    f"Line {number} of {where} is not UTF-8 (byte {error.start + 1} of the line). Convert the file, "
                    "for example with iconv -f latin1 -t utf-8."
                ) from None
