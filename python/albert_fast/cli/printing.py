"""Text on the standard output and the standard error output."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from typing import TextIO

from ..errors import WriteError
from .failures import output_errors


def occupy_closed_descriptors() -> None:
    """Open 0, 1 and 2 on nothing where they are closed.

    Else the output file would get such a number, and a library's warnings would go into it.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def standard_output() -> TextIO:
    """Return the standard output.

    Raises
    ------
    WriteError
        The process was started without one.
    """
    if sys.stdout is None:
        raise WriteError("The standard output is closed. Open it; embed can write to a file, with --output FILE.")
    return sys.stdout


def print_text(text: str) -> None:
    """Print a text and the end of its last line."""
    output = standard_output()
    with _errors():
        output.write(text if text.endswith("\n") else text + "\n")


def flush_output() -> None:
    """Write out what was printed."""
    if sys.stdout is not None:
        with _errors():
            sys.stdout.flush()


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    try:
        with output_errors("The standard output"):
            yield
    except WriteError:
        discard_output()
        raise


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as lines, every column as wide as its widest cell."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def note(text: str) -> None:
    """Say something that is no error."""
    if sys.stderr is not None:
        sys.stderr.write(f"albert-fast: {text}\n")


def complain(error: Exception, code: int) -> int:
    """Say what went wrong and return the exit code."""
    if sys.stderr is not None:
        sys.stderr.write(f"albert-fast: error: {error}\n")
    return code


def discard_output() -> None:
    """Let the interpreter's last flush go nowhere: the output takes no more."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    except (OSError, ValueError, AttributeError):  # closed, or none
        pass
