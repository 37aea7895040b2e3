"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from .errors import ModelNotFoundError, ParameterError


def check_free(target: Path, marker: str, overwrite: bool) -> None:
    """Check that a folder may be written: it is new, empty, or one of ours that may go.

    Parameters
    ----------
    target
        Folder to make.
    marker
        Name of the file by which a folder of this kind is known.
    overwrite
        Whether one that is there may be replaced.

    Raises
    ------
    ParameterError
        It may not.
    ModelNotFoundError
        Nobody can write there.
    """
    try:
        there = target.exists()
    except (OSError, ValueError) as error:  # a name that is too long, a folder that may not be looked into
        raise ModelNotFoundError(f"{target} cannot be written: {reason(error)}. Choose another destination.") from error
    if not there:
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
            f"{target} holds what was saved before. Give overwrite=True (--overwrite) to replace it, or choose another "
            "folder."
        )


def write_folder(target: Path, fill: Callable[[Path], None]) -> Path:
    """Let `fill` fill a hidden folder beside the target, which then takes its name: complete or not at all.

    Raises
    ------
    ModelNotFoundError
        The target cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent))
    except (OSError, ValueError) as error:
        raise ModelNotFoundError(
            f"{target.parent} cannot be written: {reason(error)}. Choose another destination."
        ) from error
    try:
        fill(work)
        _sync_folder(work)
        os.chmod(work, 0o755)  # mkdtemp makes private folders
        _take_place(work, target)
    except OSError as error:
        if isinstance(error, ModelNotFoundError):
            raise
        raise ModelNotFoundError(
            f"{target} could not be written: {reason(error)}. Nothing was left there; free space or choose another "
            "destination."
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def reason(error: Exception) -> str:
    """Return what the system says of a failure, without its number and without the hidden name that we wrote to."""
    return getattr(error, "strerror", None) or str(error)


def write_synced(path: Path, data: bytes) -> str:
    """Write a file through to the disk and return its SHA-256."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return hashlib.sha256(data).hexdigest()


def _sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk; not every system can, and then the rename is still atomic."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


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
    _sync_folder(target.parent)
