"""Where `albert-fast embed` writes.

A file gets its name only when it is complete: everything is written beside it first, and removed on failure. A pipe,
a device or an open descriptor cannot be replaced by a file and is written to as the results come.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ..errors import WriteError
from ..paths import path_of
from .failures import output_errors
from .printing import standard_output

_DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/(\d{1,9})")
_STANDARD = {"-": 1, "/dev/stdout": 1, "/dev/stderr": 2}


def shown(name: str | None) -> str:
    """Return how messages call the place."""
    return "The standard output" if name is None or name == "-" else name


def is_stream(name: str | None) -> bool:
    """Whether the place takes bytes in their order only: the standard output, a descriptor, a pipe, a device.

    Raises
    ------
    WriteError
        The name is a folder's, or nothing can be known about it.
    """
    if name is None or _descriptor(name) is not None:
        return True
    with output_errors(name):
        try:
            mode = os.stat(path_of(name)).st_mode
        except FileNotFoundError:
            return False
    if stat.S_ISDIR(mode):
        raise WriteError(f"{name} is a folder. Give the name of a file, for example {Path(name) / 'vectors.npz'}.")
    return not stat.S_ISREG(mode)


def _descriptor(name: str) -> int | None:
    """Return the number of the descriptor that a name such as /dev/stdout or /dev/fd/3 stands for."""
    match = _DESCRIPTOR.fullmatch(name)
    return int(match[1]) if match else _STANDARD.get(name)


@contextlib.contextmanager
def destination(name: str | None) -> Iterator[BinaryIO]:
    """Yield a binary file: a stream, or a file that becomes `name` when the block ends well.

    Raises
    ------
    WriteError
        It cannot be opened, or not be completed.
    """
    if not is_stream(name):
        assert name is not None
        with _replacement(name) as file:
            yield file
        return
    with output_errors(shown(name)):
        file = _open_stream(name)
    with _let_go(file):
        yield file
        with output_errors(shown(name)):
            file.flush()


def _open_stream(name: str | None) -> BinaryIO:
    """Open a pipe or device, or a descriptor a second time, so that it stays open when the file is closed."""
    descriptor = 1 if name is None else _descriptor(name)
    if descriptor is None:
        assert name is not None
        return path_of(name).open("wb")
    if descriptor == 1:
        standard_output().flush()
    return os.fdopen(os.dup(descriptor), "wb")


@contextlib.contextmanager
def _replacement(name: str) -> Iterator[BinaryIO]:
    target = Path(os.path.realpath(path_of(name)))  # a link is followed and stays
    if not target.parent.is_dir():
        raise WriteError(f"{name} cannot be written: there is no folder {target.parent}. Make it first.")
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent)
    except OSError as error:
        raise WriteError(
            f"{name} cannot be written: no new file can be made in the folder {target.parent} "
            f"({error.strerror or error}). Write to another folder."
        ) from error
    try:
        os.close(handle)
        with _let_go(open(temporary, "w+b")) as file:
            yield file
            with output_errors(name):
                file.flush()
                os.fsync(file.fileno())
                mask = os.umask(0)
                os.umask(mask)
                os.fchmod(file.fileno(), 0o666 & ~mask)  # mkstemp makes private files
                os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _let_go(file: BinaryIO) -> Iterator[BinaryIO]:
    """Close a file that is written and flushed, or given up: what it still holds then need not be written."""
    try:
        yield file
    except BaseException:
        _drop(file)
        raise
    finally:
        with contextlib.suppress(OSError, ValueError):
            file.close()


def _drop(file: BinaryIO) -> None:
    """Let go of what waits to be written: a reader that does not read would hold the end up."""
    raw = getattr(file, "raw", None)
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.close()
