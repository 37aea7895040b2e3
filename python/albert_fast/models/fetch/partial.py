"""Downloads in progress on disk: work folders that outlive their process, locks, and the disk's own errors.

A download lives in a hidden folder beside its final name, `.<name>.<host>-<pid>-<random>.part`. Whoever comes next
takes an abandoned one over by renaming it, which only one can do, so that nothing depends on file locks working;
where they do work, processes that want the same file wait for the first in place of fetching it too.
"""

from __future__ import annotations

import contextlib
import glob
import logging
import os
import re
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from ...errors import ModelNotFoundError
from . import cache

_LOG = logging.getLogger("albert_fast")
DATA = "data"
IDLE_ELSEWHERE = 300.0  # seconds without a byte after which another machine's download counts as abandoned
IDLE_HERE = 86400.0  # the same where a process of that number still runs: it may be another one by now
_active: set[str] = set()


class DiskError(ModelNotFoundError):
    """The cache cannot be written."""


def no_space(path: Path, why: object) -> DiskError:
    """Return the error for a cache that takes no bytes."""
    return DiskError(
        f"The cache folder {path.parent} cannot be written: {why}. Free space there, or choose another folder with "
        f"cache_dir= or the variable {cache.VARIABLE}."
    )


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Tell the errors of the cache's disk from those of the network, which are of the same class."""
    try:
        yield
    except OSError as error:
        raise no_space(path, error) from error


# ------------------------------------------------------------------------------------------------ work folders


@contextlib.contextmanager
def work_folder(path: Path) -> Iterator[Path]:
    """Make a folder for this call alone, out of what an interrupted download of `path` left where there is any.

    When the block ends, a folder without data goes, and so do all abandoned ones if the file is complete.
    """
    with disk_errors(path):
        mine = _take(path)
    try:
        yield mine
    finally:
        _active.discard(os.fspath(mine))
        if path.is_file() or not _bytes_in(mine):
            shutil.rmtree(mine, ignore_errors=True)
        if path.is_file():
            for folder in _abandoned(path):
                shutil.rmtree(folder, ignore_errors=True)


def _take(path: Path) -> Path:
    unique = f"{_host()}-{os.getpid()}-{secrets.token_hex(4)}"
    mine = path.with_name(f".{path.name}.{unique}.part")
    _active.add(os.fspath(mine))
    for folder in _abandoned(path):
        with contextlib.suppress(OSError):  # another process was faster
            folder.rename(mine)
            return mine
    mine.mkdir()
    return mine


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9]", "_", socket.gethostname())[:40] or "host"


def _bytes_in(folder: Path) -> int:
    with contextlib.suppress(OSError):
        return (folder / DATA).stat().st_size
    return 0


def _abandoned(path: Path) -> list[Path]:
    """Return the work folders of this file that nobody works in, the fullest first."""
    found = path.parent.glob(f".{glob.escape(path.name)}.*.part")
    return sorted(filter(_is_abandoned, found), key=_bytes_in, reverse=True)


def _is_abandoned(folder: Path) -> bool:
    try:
        newest = max(item.stat().st_mtime for item in (folder, *folder.iterdir()))
    except OSError:  # it went away
        return False
    idle = time.time() - newest
    match = re.search(r"\.(\w+)-(\d+)-\w+\.part$", folder.name)
    if match is None:
        return False
    if match[1] != _host():
        return idle > IDLE_ELSEWHERE
    process = int(match[2])
    if process == os.getpid():
        return os.fspath(folder) not in _active
    return idle > IDLE_HERE or not _is_running(process)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it runs, and is somebody else's
        pass
    return not _is_zombie(process)


def _is_zombie(process: int) -> bool:
    """Whether a process has ended and only its parent has not asked how: it writes no more (Linux only)."""
    try:
        status = Path(f"/proc/{process}/stat").read_text(errors="replace")
    except OSError:
        return False
    # "pid (name) state ...", and a name may hold anything, brackets too.
    return status.rpartition(")")[2].split()[:1] in (["Z"], ["X"])


# ------------------------------------------------------------------------------------------------------- locks


@contextlib.contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold the file's lock, where the file system has locks; the lock file goes when it is not needed."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    name = path.with_name(f".{path.name}.lock")
    while True:
        with disk_errors(path):
            handle = os.open(name, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _LOG.info("another process fetches %s; waiting for it", path.name)
                fcntl.flock(handle, fcntl.LOCK_EX)
            except OSError as error:
                _LOG.debug("no file locks in %s (%s)", path.parent, error)
            if not _is_file_of(handle, name):
                continue  # the one before removed it while this call waited
            try:
                yield
            finally:
                with contextlib.suppress(OSError):
                    name.unlink()
            return
        finally:
            os.close(handle)


def _is_file_of(handle: int, name: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(name))
    except OSError:
        return False
