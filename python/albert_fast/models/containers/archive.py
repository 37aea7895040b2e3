"""Zip and tar.gz archives as trees of blobs, with every rule checked that keeps a hostile one harmless.

Nothing is unpacked to disk. Refused are: names that leave the archive, links and devices, encryption and unknown
compressions, members that overlap or lie outside the file, two members of one name, more than 10,000 of them,
and sizes or ratios past any model. Formats: PKWARE's APPNOTE and the POSIX ustar and pax headers.
"""

from __future__ import annotations

import stat
import struct
import tarfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from ...errors import CorruptModelError
from . import blobs
from .blobs import Blob, FileBlob, InflatedBlob
from .tree import MAX_FILES, Tree

MAX_TOTAL = 64 << 30
_LOCAL = struct.Struct("<4s22sHH")


def is_zip(start: bytes) -> bool:
    """Whether a file that begins so is a zip."""
    return start.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def is_gzip(start: bytes) -> bool:
    """Whether a file that begins so is gzip."""
    return start.startswith(b"\x1f\x8b")


def _corrupt(where: str, why: str) -> CorruptModelError:
    return CorruptModelError(
        f"{where} is not an archive that can be read: {why}. It is damaged or hostile: fetch it again from its author."
    )


def _safe_name(name: str, where: str) -> str:
    path = PurePosixPath(name)
    if (
        not path.parts
        or path.is_absolute()
        or ".." in path.parts
        or "\\" in name
        or "\0" in name
        or path.parts[0].endswith(":")
    ):
        raise _corrupt(where, f"its member {name!r} points outside of it")
    return path.as_posix()


def of_zip(blob: Blob, root: Path, where: str) -> Tree:
    """List a zip; `blob` may itself be a member of another archive.

    Raises
    ------
    CorruptModelError
        The archive is damaged or breaks a rule above.
    """
    try:
        with blob.open() as reader, zipfile.ZipFile(reader) as archive:
            members = sorted(archive.infolist(), key=lambda member: member.header_offset)
            directory = archive.start_dir
            _check_members(members, where)
            files: dict[str, Blob] = {}
            limits = [member.header_offset for member in members[1:]] + [directory]
            for member, limit in zip(members, limits, strict=True):
                begin = _data_begin(reader, member, limit, where)
                if member.is_dir():
                    continue
                name = _safe_name(member.filename, where)
                if name in files:
                    raise _corrupt(where, f"it has two members of the name {name!r}")
                files[name] = _member(blob, member, begin)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, struct.error, EOFError) as error:
        raise _corrupt(where, str(error) or type(error).__name__) from None
    except (ValueError, OverflowError, OSError) as error:
        if isinstance(error, CorruptModelError):
            raise
        raise _corrupt(where, str(error) or type(error).__name__) from None
    return Tree(root, "", files)


def _check_members(members: list[zipfile.ZipInfo], where: str) -> None:
    if len(members) > MAX_FILES:
        raise _corrupt(where, f"it has {len(members)} members, more than {MAX_FILES}")
    total = 0
    for member in members:
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise _corrupt(where, f"its member {member.filename!r} is a link or a device")
        if member.flag_bits & 0x2041:
            raise _corrupt(where, f"its member {member.filename!r} is encrypted")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _corrupt(where, f"its member {member.filename!r} has the compression {member.compress_type}")
        if member.compress_type == zipfile.ZIP_STORED and member.compress_size != member.file_size:
            raise _corrupt(where, f"its member {member.filename!r} is stored in another size than its own")
        if member.file_size > blobs.MAX_RATIO * member.compress_size + blobs.RATIO_SLACK:
            raise _corrupt(where, f"its member {member.filename!r} grows more than {blobs.MAX_RATIO} times")
        total += member.file_size
    if total > MAX_TOTAL:
        raise _corrupt(where, f"its members have {total} bytes, more than {MAX_TOTAL}")


def _data_begin(reader: BinaryIO, member: zipfile.ZipInfo, limit: int, where: str) -> int:
    """Return where a member's bytes begin, after its local header has been compared with the directory."""
    reader.seek(member.header_offset)
    signature, _, name_size, extra_size = _LOCAL.unpack(reader.read(_LOCAL.size))
    raw = reader.read(name_size)
    encoding = "utf-8" if member.flag_bits & 0x800 else "cp437"
    if signature != b"PK\x03\x04" or raw.decode(encoding, "replace") != member.orig_filename:
        raise _corrupt(where, f"its directory and the header of {member.filename!r} contradict each other")
    begin = int(member.header_offset + _LOCAL.size + name_size + extra_size)
    if begin + member.compress_size > limit:
        raise _corrupt(where, f"its member {member.filename!r} overlaps what stands behind it")
    return begin


def _member(blob: Blob, member: zipfile.ZipInfo, begin: int) -> Blob:
    if member.compress_type == zipfile.ZIP_STORED:
        return blobs.part(blob, begin, member.file_size)
    return InflatedBlob(blob, begin, member.compress_size, member.file_size, -15, member.CRC)


def of_tar_gz(path: Path) -> Tree:
    """List a gzipped tar.

    Raises
    ------
    CorruptModelError
        The archive is damaged or breaks a rule above.
    """
    whole = FileBlob.of(path)
    stream = InflatedBlob(whole, 0, whole.size, -1, 31)
    files: dict[str, Blob] = {}
    try:
        with stream.open() as reader, tarfile.open(fileobj=reader, mode="r:", errorlevel=2) as archive:
            for number, member in enumerate(archive):
                if number >= MAX_FILES:
                    raise _corrupt(str(path), f"it has more than {MAX_FILES} members")
                if member.isdir():
                    continue
                if not member.isreg() or member.issparse():
                    raise _corrupt(str(path), f"its member {member.name!r} is a link, a device or sparse")
                name = _safe_name(member.name, str(path))
                if name in files:
                    raise _corrupt(str(path), f"it has two members of the name {name!r}")
                if member.size > MAX_TOTAL:
                    raise _corrupt(str(path), f"its member {name!r} states {member.size} bytes")
                files[name] = blobs.PartBlob(stream, member.offset_data, member.size)
            _check_last(reader, files, path)
    except (tarfile.TarError, EOFError, OSError, ValueError, OverflowError) as error:
        if isinstance(error, CorruptModelError):
            raise
        raise _corrupt(str(path), str(error) or type(error).__name__) from None
    return Tree(path, "", files)


def _check_last(reader: BinaryIO, files: dict[str, Blob], path: Path) -> None:
    """Tar's reader steps over a member's bytes without a look: see that the last one is all there."""
    ends = [blob.begin + blob.size for blob in files.values() if isinstance(blob, blobs.PartBlob)]
    if ends and max(ends) > 0:
        reader.seek(max(ends) - 1)
        if len(reader.read(1)) != 1:
            raise _corrupt(str(path), "it ends in the middle of a member")
