"""Text on the standard output and the standard error output."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def print_text(text: str) -> None:
    """Print a text and the end of its last line."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as lines, every column as wide as its widest cell."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def complain(error: Exception, code: int) -> int:
    """Say what went wrong and return the exit code."""
    sys.stderr.write(f"albert-fast: error: {error}\n")
    return code


def discard_output() -> None:
    """Let the interpreter's last flush go nowhere: the pipe is closed."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    except (OSError, ValueError):
        pass
