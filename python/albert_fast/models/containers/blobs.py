"""Runs of bytes: a file, a part of one, or a packed member of an archive, read without unpacking to disk.

A blob says where its bytes are and opens them for reading; it holds none itself. What stands in a file as it is
can be mapped; what is compressed is inflated while it is read, as often as it is opened.
"""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ...errors import CorruptModelError

# What a compressed run may grow to. Weights shrink little; graphs of repeated layers shrink by twenty at most.
MAX_RATIO = 100
RATIO_SLACK = 1 << 20
MAX_INFLATED = 64 << 30
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class FileBlob:
    """`size` bytes of a file on disk, from byte `begin` on."""

    path: Path
    begin: int
    size: int

    @classmethod
    def of(cls, path: Path) -> FileBlob:
        """Return a whole file."""
        return cls(path, 0, path.stat().st_size)

    @property
    def source(self) -> Path:
        """The file on disk."""
        return self.path

    def open(self) -> BinaryIO:
        """Return a reader of the bytes."""
        raw = _Part(self.path.open("rb", buffering=0), self.begin, self.size)
        return io.BufferedReader(raw, _CHUNK)


@dataclass(frozen=True, slots=True)
class InflatedBlob:
    """What `packed_size` bytes of another blob inflate to.

    Attributes
    ----------
    size
        Number of bytes that must come out; -1 where only reading can tell (gzip).
    bits
        zlib's window bits: -15 for a zip member, 31 for gzip.
    crc
        CRC-32 of what comes out, where the container states it.
    """

    parent: Blob
    begin: int
    packed_size: int
    size: int
    bits: int
    crc: int | None = None

    @property
    def source(self) -> Path:
        """The file on disk."""
        return self.parent.source

    def open(self) -> BinaryIO:
        """Return a reader of the bytes; going back in it means inflating anew."""
        return io.BufferedReader(_Inflating(self), _CHUNK)


@dataclass(frozen=True, slots=True)
class PartBlob:
    """`size` bytes of another blob, from byte `begin` on."""

    parent: Blob
    begin: int
    size: int

    @property
    def source(self) -> Path:
        """The file on disk."""
        return self.parent.source

    def open(self) -> BinaryIO:
        """Return a reader of the bytes."""
        return io.BufferedReader(_Part(self.parent.open(), self.begin, self.size), _CHUNK)


Blob = FileBlob | InflatedBlob | PartBlob


def part(blob: Blob, begin: int, size: int) -> Blob:
    """Return a part of a blob; of a file it is a part of that file."""
    if begin < 0 or size < 0 or (blob.size >= 0 and begin + size > blob.size):
        raise CorruptModelError(
            f"{blob.source}: bytes {begin} to {begin + size} are asked for, past the end of what it holds. The file is "
            "damaged or incomplete: fetch it again."
        )
    if isinstance(blob, FileBlob):
        return FileBlob(blob.path, blob.begin + begin, size)
    return PartBlob(blob, begin, size)


def read(blob: Blob, most: int, what: str) -> bytes:
    """Return all bytes of a blob that must not have more than `most`; `what` names it in errors."""
    if blob.size > most:
        raise CorruptModelError(
            f"{blob.source}: {what} has {blob.size} bytes, more than the {most} that such a file can have."
        )
    with blob.open() as reader:
        data = reader.read(blob.size if blob.size >= 0 else most + 1)
        rest = reader.read(1)  # which also compares the checksum
    if rest or len(data) > most or (blob.size >= 0 and len(data) != blob.size):
        raise CorruptModelError(
            f"{blob.source}: {what} has not the size that was announced. It is damaged or incomplete: fetch it again."
        )
    return data


class _Reader(io.RawIOBase):
    """A reader of what another reader holds, which it closes; `_at` is its place."""

    _inner: Any
    _at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
        super().close()


class _Part(_Reader):
    """A window on another reader."""

    def __init__(self, inner: Any, begin: int, size: int) -> None:
        self._inner, self._begin, self._size = inner, begin, size

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._at = _target(offset, whence, self._at, self._size)
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer)[: max(0, self._size - self._at)]
        if not view:
            return 0
        self._inner.seek(self._begin + self._at)
        count = self._inner.readinto(view) or 0
        self._at += count
        return int(count)


def _target(offset: int, whence: int, at: int, size: int) -> int:
    target = offset + (0, at, size)[whence]
    if target < 0:
        raise ValueError("a place before the first byte")
    return target


class _Inflating(_Reader):
    """Inflates while it is read, refuses what grows beyond reason, and checks the CRC at the end."""

    def __init__(self, blob: InflatedBlob) -> None:
        self._blob = blob
        self._restart()

    def _restart(self) -> None:
        self._inner = part(self._blob.parent, self._blob.begin, self._blob.packed_size).open()
        self._engine = zlib.decompressobj(self._blob.bits)
        self._ready = b""
        self._at = self._made = self._taken = 0
        self._crc = 0

    def seek(self, offset: int, whence: int = 0, /) -> int:
        if whence == 2 and self._blob.size < 0:
            raise io.UnsupportedOperation("the end of a gzip file is not known")
        target = _target(offset, whence, self._at, self._blob.size)
        if target < self._at:
            self._inner.close()
            self._restart()
        while self._at < target:
            if not self._ready:
                if self._blob.size >= 0 and target >= self._blob.size and self._made >= self._blob.size:
                    break
                self._more()
                if not self._ready:
                    break
            step = min(len(self._ready), target - self._at)
            self._ready = self._ready[step:]
            self._at += step
        self._at = target
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        if not self._ready:
            self._more()
        view = memoryview(buffer)
        count = min(len(view), len(self._ready))
        view[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        self._at += count
        return count

    def _more(self) -> None:
        """Inflate the next piece; an empty one means the end."""
        while not self._ready:
            if self._engine.eof:
                if self._blob.bits == 31 and self._next_member():
                    continue
                self._check_end()
                return
            data = self._engine.unconsumed_tail or self._inner.read(_CHUNK)
            if not data:
                raise self._corrupt("it ends in the middle of its compressed data")
            try:
                self._ready = self._engine.decompress(data, 1 << 20)
            except zlib.error as error:
                raise self._corrupt(f"its compressed data is damaged ({error})") from None
            self._taken = self._inner.tell()
            self._made += len(self._ready)
            self._crc = zlib.crc32(self._ready, self._crc)
            self._check_growth()

    def _next_member(self) -> bool:
        # A gzip file may be several, one behind the other; zeros may fill it up.
        rest = self._engine.unused_data or self._inner.read(_CHUNK)
        if not rest.strip(b"\0"):
            return False
        engine = zlib.decompressobj(self._blob.bits)
        try:
            self._ready = engine.decompress(rest, 1 << 20)
        except zlib.error as error:
            raise self._corrupt(f"its compressed data is damaged ({error})") from None
        self._engine = engine
        self._made += len(self._ready)
        return True

    def _check_growth(self) -> None:
        if self._blob.size >= 0 and self._made > self._blob.size:
            raise self._corrupt(f"more than the {self._blob.size} bytes come out that were announced")
        if self._made > MAX_INFLATED or self._made > MAX_RATIO * self._taken + RATIO_SLACK:
            raise self._corrupt(
                f"its content grows beyond {MAX_RATIO} times its size, or beyond {MAX_INFLATED >> 30} GiB"
            )

    def _check_end(self) -> None:
        if self._blob.size >= 0 and self._made != self._blob.size:
            raise self._corrupt(f"{self._made} bytes come out, not the {self._blob.size} that were announced")
        if self._blob.crc is not None and self._crc != self._blob.crc:
            raise self._corrupt("its checksum is wrong")

    def _corrupt(self, why: str) -> CorruptModelError:
        return CorruptModelError(
            f"{self._blob.source}: a compressed part cannot be read: {why}. The archive is damaged or hostile: fetch "
            "it again from its author."
        )
