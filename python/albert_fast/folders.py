"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from .errors import ModelNotFoundError, ParameterError, WriteError

# Files by which folders of ours are known, and what those are.
MODEL_FILE, PIPELINE_FILE = "albert_fast.json", "pipeline.json"
_KINDS = {MODEL_FILE: "a saved model", PIPELINE_FILE: "a saved pipeline or stage"}


def check_free(target: Path, marker: str, overwrite: bool) -> None:
    """Check that a folder may be written: it is new, empty, or one of ours that may go.

    Parameters
    ----------
    target
        Folder to make.
    marker
        Name of the file by which a folder of this kind is known: MODEL_FILE or PIPELINE_FILE.
    overwrite
        Whether one that is there may be replaced.

    Raises
    ------
    ParameterError
        It may not.
    WriteError
        Nobody can write there.
    """
    try:
        if not target.exists():
            return
        if not target.is_dir():
            raise ParameterError(f"{target} is a file. Give the name of a folder to save into.")
        if not any(target.iterdir()):
            return
        kind = next((name for name in (marker, *_KINDS) if (target / name).is_file()), None)
    except ParameterError:
        raise
    except (OSError, ValueError) as error:  # a name that is too long, a folder that may not be looked into
        raise write_error(target, error, "Choose another destination.") from error
    if kind is None:
        raise ParameterError(
            f"{target} is not empty and was not saved by albert_fast, so it is left alone. Choose a new folder."
        )
    if kind != marker:
        raise ParameterError(
            f"{target} holds {_KINDS[kind]}, and {_KINDS[marker]} does not take its place, overwrite or not. Choose "
            "another folder, or delete that one first."
        )
    if not overwrite:
        raise ParameterError(
            f"{target} holds what was saved before. Give overwrite=True (--overwrite) to replace it, or choose another "
            "folder."
        )


def write_folder(target: Path, fill: Callable[[Path], None]) -> Path:
    """Let `fill` fill a hidden folder beside the target, which then takes its name: complete or not at all.

    A link is followed and stays.

    Raises
    ------
    WriteError
        The target cannot be written.
    """
    try:
        place = Path(os.path.realpath(target))
        place.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{place.name}.", suffix=".partial", dir=place.parent))
    except (OSError, ValueError) as error:
        raise write_error(target.parent, error, "Choose another destination.") from error
    try:
        fill(work)
        _sync_folder(work)
        os.chmod(work, 0o755)  # mkdtemp makes private folders
        _take_place(work, place)
    except OSError as error:
        if isinstance(error, ModelNotFoundError):
            raise
        fix = "Nothing was left there; free space or choose another destination."
        raise write_error(target, error, fix) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def write_error(target: Path, error: Exception, fix: str) -> WriteError:
    """Return the error for what cannot be written; of a stage's own folder within it, only the reason is told."""
    reason = error.__cause__ if isinstance(error, WriteError) and error.__cause__ is not None else error
    said = getattr(reason, "strerror", None) or reason  # without its number and the hidden name that we wrote to
    made = WriteError(f"{target} cannot be written: {said}. {fix}")
    if isinstance(reason, OSError):
        made.errno = reason.errno
    return made


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
    """Give a finished folder its name. What had the name before is in `work` then, or nowhere."""
    if not target.exists():
        os.rename(work, target)
    elif not any(target.iterdir()):
        target.rmdir()
        os.rename(work, target)
    elif not _exchange(work, target):
        _replace(work, target)
    _sync_folder(target.parent)


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders swap names at one stroke: nobody sees a moment without either. Not every file system can."""
    import ctypes

    here, swap = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    try:
        renameat2 = ctypes.CDLL(None).renameat2
    except AttributeError:
        return False
    return bool(renameat2(here, os.fsencode(one), here, os.fsencode(other), swap) == 0)


def _replace(work: Path, target: Path) -> None:
    """The same in two steps. What ends the process's work between them brings the old folder back."""
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".old", dir=target.parent))
    old = aside / "old"
    try:
        os.rename(target, old)
        os.rename(work, target)
    finally:
        if old.exists() and not target.exists():
            os.rename(old, target)
        shutil.rmtree(aside, ignore_errors=True)
