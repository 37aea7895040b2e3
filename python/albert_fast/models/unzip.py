"""Zips that come from elsewhere: what is in them is checked before a byte of it is used."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from ..errors import CorruptModelError, ModelNotFoundError

MAX_ENTRIES = 10_000
MAX_BYTES = 64 << 30
MAX_RATIO = 200  # weights and vocabularies shrink to a half at best; deflate can reach 1000
_ALWAYS_FINE = 1 << 20  # small texts may shrink well
_BLOCK = 1 << 20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DRIVE = re.compile(r"[A-Za-z]:")


def check(path: Path) -> list[zipfile.ZipInfo]:
    """Return the files in a zip, or refuse it.

    Raises
    ------
    CorruptModelError
        It is no zip; or a name leads outside, stands for a link or a device, or occurs twice; or the content is
        encrypted, compressed in an unusual way, or much larger than the zip makes believe.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, ValueError) as error:
        raise CorruptModelError(f"{path} is no readable zip file ({error}). Fetch it again.") from None
    if len(entries) > MAX_ENTRIES:
        raise _refused(path, f"it has {len(entries)} entries, over {MAX_ENTRIES}")
    files = [entry for entry in entries if not entry.is_dir()]
    seen: set[str] = set()
    for entry in entries:
        _check_name(path, entry)
    for entry in files:
        if entry.filename in seen:
            raise _refused(path, f"it holds {entry.filename!r} twice")
        seen.add(entry.filename)
        _check_content(path, entry)
    if (total := sum(entry.file_size for entry in files)) > MAX_BYTES:
        raise _refused(path, f"its content has {total} bytes, over {MAX_BYTES}")
    return files


def _refused(path: Path, why: str) -> CorruptModelError:
    return CorruptModelError(f"{path} is refused: {why}. No model is packed so; get it from a place you trust.")


def _check_name(path: Path, entry: zipfile.ZipInfo) -> None:
    name = entry.orig_filename  # as it is in the file: `filename` is cut at a NUL byte
    parts = PurePosixPath(name).parts
    outside = name.startswith(("/", "\\")) or ".." in parts or "\\" in name or _DRIVE.match(name)
    if outside or "\0" in name or not parts:
        raise _refused(path, f"its entry {name!r} would leave the folder")
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _refused(path, f"its entry {name!r} is a link or a device")


def _check_content(path: Path, entry: zipfile.ZipInfo) -> None:
    if entry.flag_bits & 1:
        raise _refused(path, f"its entry {entry.filename!r} is encrypted")
    if entry.compress_type not in _METHODS:
        raise _refused(path, f"its entry {entry.filename!r} is compressed by method {entry.compress_type}")
    if entry.file_size > max(_ALWAYS_FINE, MAX_RATIO * entry.compress_size):
        raise _refused(
            path,
            f"its entry {entry.filename!r} has {entry.compress_size} bytes and says it unpacks to {entry.file_size}",
        )


def unpack(path: Path, folder: Path) -> Path:
    """Unpack a checked zip into `folder`, which appears whole or not at all, and return where the model lies in it.

    A folder that is there already is used as it is.
    """
    if not folder.is_dir():
        entries = check(path)
        try:
            work = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".partial", dir=folder.parent))
        except OSError as error:
            raise ModelNotFoundError(f"{folder.parent} cannot be written: {error}. Choose another cache.") from error
        try:
            with zipfile.ZipFile(path) as archive:
                for entry in entries:
                    _unpack_one(archive, entry, work)
            os.chmod(work, 0o755)  # mkdtemp makes private folders
            if not folder.is_dir():
                os.rename(work, folder)
        except (zipfile.BadZipFile, EOFError, ValueError) as error:
            raise CorruptModelError(f"{path} is damaged ({error}). Delete it and fetch it again.") from None
        except OSError as error:
            if not folder.is_dir():  # else another process was faster
                raise ModelNotFoundError(f"{path} cannot be unpacked: {error}. Free space there.") from error
        finally:
            shutil.rmtree(work, ignore_errors=True)
    inner = [item for item in folder.iterdir() if not item.name.startswith(".")]
    return inner[0] if len(inner) == 1 and inner[0].is_dir() else folder


def _unpack_one(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> None:
    target = folder.joinpath(*PurePosixPath(entry.filename).parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with archive.open(entry) as source, target.open("xb") as out:
        while block := source.read(_BLOCK):
            written += len(block)
            if written > entry.file_size:
                raise zipfile.BadZipFile(f"{entry.filename!r} is longer than it says")
            out.write(block)
        if written != entry.file_size:
            raise zipfile.BadZipFile(f"{entry.filename!r} is shorter than it says")
