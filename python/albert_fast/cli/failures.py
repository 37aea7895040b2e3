"""What ends a command early, and its exit codes."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

from ..errors import AlbertFastError, WriteError

FAILED, USAGE, INTERRUPTED, PIPE_CLOSED = 1, 2, 130, 141
UNKNOWN = 2  # of verify


class UsageError(Exception):
    """Arguments that argparse cannot check."""


@contextlib.contextmanager
def output_errors(where: str) -> Iterator[None]:
    """Let the system's errors in the block say what could not be written; a reader that went away is no error."""
    try:
        yield
    except (AlbertFastError, BrokenPipeError):
        raise
    except OSError as error:
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        fix = "Free space there, or write to another place." if is_full else "Write to another place."
        raise WriteError(f"{where} cannot be written: {error.strerror or error}. {fix}") from error
