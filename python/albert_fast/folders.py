"""Folders that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import ModelNotFoundError, ParameterError


@contextlib.contextmanager
def new_folder(target: Path, marker: str, overwrite: bool) -> Iterator[Path]:
    """Yield a hidden folder beside `target`, which takes its name when the block ends well, and is removed if not.

    Parameters
    ----------
    target
        Folder to make. One that exists must be empty, or hold `marker` and be given up with `overwrite`.
    marker
        Name of the file by which a folder of ours is known.

    Raises
    ------
    ParameterError
        The folder exists and may not be replaced.
    ModelNotFoundError
        The folder cannot be written.
    """
    _check_target(target, marker, overwrite)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent))
    except OSError as error:
        raise ModelNotFoundError(f"{target.parent} cannot be written: {error}. Choose another destination.") from error
    try:
        yield work
        os.chmod(work, 0o755)  # mkdtemp makes private folders
        _take_place(work, target)
    except OSError as error:
        if isinstance(error, ModelNotFoundError):
            raise
        raise ModelNotFoundError(
            f"{target} could not be written: {error}. Nothing was left there; free space or choose another destination."
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def write_file(path: Path, data: bytes) -> None:
    """Write a file and flush it to disk."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk; not every system can, and then the rename is still atomic."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _check_target(target: Path, marker: str, overwrite: bool) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise ParameterError(f"{target} is a file. Give the name of a folder to save into.")
    if not any(target.iterdir()):
        return
    if not (target / marker).is_file():
        raise ParameterError(
            f"{target} is not empty and was not saved by albert_fast, so it is left alone. Choose a new folder."
        )
    if not overwrite:
        raise ParameterError(
            f"{target} holds what was saved before. Give overwrite=True to replace it, or choose another folder."
        )


def _take_place(work: Path, target: Path) -> None:
    if not target.exists():
        os.rename(work, target)
    elif not any(target.iterdir()):
        target.rmdir()
        os.rename(work, target)
    else:
        aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".old", dir=target.parent))
        try:
            os.rename(target, aside / "old")
            try:
                os.rename(work, target)
            except OSError:
                os.rename(aside / "old", target)
                raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    sync_folder(target.parent)
