"""Fetch one zip over https: resumed where it stopped, checked, and under its final name only when complete."""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import logging
import os
import re
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ...errors import CorruptModelError, ModelNotFoundError, ParameterError
from ...progress import progress_bar
from .. import record
from . import cache
from .partial import DATA, DiskError, disk_errors, lock, no_space, work_folder
from .transfer import BrokenTransferError, RangeError, RefusedError, open_address, wait

_LOG = logging.getLogger("albert_fast")
MAX_BYTES = 64 << 30  # more is no ALBERT, and a server without end would fill the disk
ENOUGH_PROGRESS = 1 << 20  # bytes that make a new attempt worthwhile whatever came before
PAUSES = (0.5, 2.0, 5.0)  # seconds before each new attempt
_BLOCK = 1 << 20
_STATE = "state.json"
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")

Told = Callable[[int, "int | None"], None]


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A complete file in the cache; `sha256` is None for one that was put there by hand."""

    path: Path
    address: str
    sha256: str | None


class WrongFileError(RefusedError):
    """What arrived is something else."""


def in_cache(address: str, folder: Path | None = None) -> Downloaded | None:
    """Return the file of an address if it is in the cache and unchanged, without any network.

    Raises
    ------
    CorruptModelError
        It is there and differs from what was downloaded or announced.
    """
    address, announced = cache.split_address(address)
    path = cache.place(address, folder)
    return _checked(path, address, announced) if path.is_file() else None


def fetch(address: str, folder: Path | None = None, *, show_progress: bool | None = None) -> Downloaded:
    """Return the file of an address: from the cache, else from the network.

    Parameters
    ----------
    address
        https address of a zip; "#sha256=..." at its end announces the file's hash. With it, http will do.
    folder
        Cache folder; default `cache.root()`.

    Raises
    ------
    ModelNotFoundError
        It cannot be fetched or kept; says why and where to put the file by hand.
    CorruptModelError
        What arrived, or what lies in the cache, differs from what was announced.
    ParameterError
        The address is one of http, without a hash.
    """
    address, announced = cache.split_address(address)
    path = cache.place(address, folder)
    if path.is_file():
        return _checked(path, address, announced)
    if announced is None and not cache.is_private(address):
        raise ParameterError(
            f"{cache.shown(address)} is not encrypted: anybody on the way could put another file in its place. Give "
            "the https address, or write the file's hash behind this one: '#sha256=...'. "
            f"{by_hand(path)}."
        )
    try:
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        with lock(path):
            if path.is_file():  # somebody else has fetched it meanwhile
                return _checked(path, address, announced)
            with work_folder(path) as work:
                return _Job(address, path, work, announced).run(show_progress)
    except DiskError:
        raise
    except (RefusedError, BrokenTransferError) as error:
        raise ModelNotFoundError(f"{cache.shown(address)} could not be fetched: {error}. {by_hand(path)}") from error


def by_hand(path: Path) -> str:
    """Return how to do without the network."""
    return f"To do it by hand, fetch that file on any machine and put it at {path}"


def _record_of(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _checked(path: Path, address: str, announced: str | None) -> Downloaded:
    expected = announced
    with contextlib.suppress(OSError, ValueError, AttributeError):
        recorded = json.loads(_record_of(path).read_bytes()).get("sha256")
        expected = expected or (recorded if isinstance(recorded, str) else None)
    if expected is None:
        _LOG.debug("%s was put there by hand: there is no hash to check it against", path)
    elif (found := record.sha256(path)) != expected:
        raise CorruptModelError(
            f"{path} was changed or damaged: its SHA-256 is {found}, expected {expected}. Delete it (and "
            f"{_record_of(path).name} beside it) to fetch it again."
        )
    return Downloaded(path, address, expected)


class _Job:
    """The download of one file into its work folder."""

    def __init__(self, address: str, path: Path, work: Path, announced: str | None) -> None:
        self._address = address
        self._path = path
        self._work = work
        self._announced = announced
        self._state = self._read_state()

    def _read_state(self) -> dict[str, Any]:
        with contextlib.suppress(OSError, ValueError):
            state = json.loads((self._work / _STATE).read_bytes())
            if isinstance(state, dict):
                return state
        return {}

    def run(self, show_progress: bool | None) -> Downloaded:
        """Fetch all bytes, check them and give the file its name."""
        try:
            with contextlib.ExitStack() as bars:
                self._transfer(_teller(bars, show_progress))
            return Downloaded(self._path, self._address, self._finish())
        except (WrongFileError, CorruptModelError, DiskError):
            # Nothing to go on with; and on a full disk nobody wants the rest of it.
            (self._work / DATA).unlink(missing_ok=True)
            raise

    def _transfer(self, told: Told) -> None:
        """Make several attempts, as long as they may help."""
        with disk_errors(self._path):
            file = (self._work / DATA).open("a+b", buffering=0)
        with file:
            failures = 0
            while True:
                before = file.seek(0, os.SEEK_END)
                try:
                    self._attempt(file, before, told)
                    break
                except BrokenTransferError as error:
                    if isinstance(error, RangeError):
                        _empty(file, self._path)
                    failures = 1 if file.tell() - before >= ENOUGH_PROGRESS else failures + 1
                    if failures > len(PAUSES):
                        raise
                    _LOG.info("%s: %s; trying again", cache.shown(self._address), error)
                    wait(max(error.retry_after, PAUSES[failures - 1]))
            with disk_errors(self._path):
                os.fsync(file.fileno())

    def _attempt(self, file: BinaryIO, have: int, told: Told) -> None:
        validator = self._state.get("validator")
        resume = (have, validator) if have and isinstance(validator, str) else None
        with open_address(self._address, resume) as answer:
            position, total = self._agree(file, answer.status, answer.headers, have)
            told(position, total)
            while block := answer.read(_BLOCK):
                if position == 0:
                    _refuse_other_files(block, answer.headers)
                position += len(block)
                if position > (MAX_BYTES if total is None else total):
                    raise WrongFileError("the server sends more bytes than it announced or than any ALBERT has")
                with disk_errors(self._path):
                    _write_all(file, block)
                told(position, total)
        if total is not None and position != total:
            raise BrokenTransferError(f"the connection ended after {position} of {total} bytes")

    def _agree(self, file: BinaryIO, status: int, headers: Any, have: int) -> tuple[int, int | None]:
        """Return where the answer's bytes belong and how many the file will have."""
        if (encoding := headers.get("Content-Encoding", "identity")) != "identity":
            raise RefusedError(f"the server sends the file in the encoding {encoding!r}, which was not asked for")
        begin, total = 0, _whole_number(headers.get("Content-Length"))
        if status == 206:
            match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
            known = self._state.get("validator")
            if match is None or int(match[1]) != have or _validator(headers) not in (None, known):
                raise RangeError("the server sent another part of the file than the one that is missing")
            begin, total = have, int(match[3])
        else:
            _empty(file, self._path)
            self._state = {"validator": _validator(headers), "sha256": _announced_hash(headers)}
            with disk_errors(self._path):
                (self._work / _STATE).write_text(json.dumps(self._state), "utf-8")
        if total is not None and total > MAX_BYTES:
            raise WrongFileError(f"the file has {total} bytes; no ALBERT has over {MAX_BYTES}")
        if total is not None and (free := shutil.disk_usage(self._work).free) < total - begin:
            raise no_space(self._path, f"{total - begin} bytes are needed and {free} are free")
        return begin, total

    def _finish(self) -> str:
        """Check the whole file, write its record and give it its name; return its SHA-256."""
        data = self._work / DATA
        if not zipfile.is_zipfile(data):
            raise WrongFileError("what arrived is no complete zip file")
        found = record.sha256(data)
        for expected in (self._announced, self._state.get("sha256")):
            if isinstance(expected, str) and found != expected:
                raise CorruptModelError(
                    f"{cache.shown(self._address)} arrived damaged: its SHA-256 is {found}, announced was {expected}. "
                    "It was deleted. Try again; if it stays so, something between this machine and the server changes "
                    "files."
                )
        content = {"address": cache.shown(self._address), "sha256": found, "bytes": data.stat().st_size}
        with disk_errors(self._path):
            (self._work / _STATE).write_text(json.dumps(content, indent=1) + "\n", "utf-8")
            os.replace(self._work / _STATE, _record_of(self._path))
            os.replace(data, self._path)
        return found


def _teller(bars: contextlib.ExitStack, show_progress: bool | None) -> Told:
    """Return a function that shows how many bytes are there; the bar begins when their number is known."""
    advance: Callable[[int], object] | None = None
    shown = 0

    def told(position: int, total: int | None) -> None:
        nonlocal advance, shown
        if advance is None:
            advance = bars.enter_context(progress_bar(total, show_progress, unit="B"))
        advance(position - shown)
        shown = position

    return told


def _refuse_other_files(block: bytes, headers: Any) -> None:
    if block[:2] in (b"PK", b"P"):  # a cut after one byte is possible; the end of the file is checked too
        return
    kind = headers.get("Content-Type", "").partition(";")[0].strip()
    if kind == "text/html" or block.lstrip()[:1] == b"<":
        raise WrongFileError("a web page came in place of the file (a login page, a proxy, or an address that moved)")
    raise WrongFileError(f"what came is no zip file; it begins with {block[:16]!r}")


def _whole_number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None


def _validator(headers: Any) -> str | None:
    """Return what identifies this very content to the server: a strong ETag, else the time of its last change."""
    tag: str | None = headers.get("ETag")
    if tag and tag.startswith('"'):
        return tag
    changed: str | None = headers.get("Last-Modified")
    return changed


def _announced_hash(headers: Any) -> str | None:
    """Return the SHA-256 in the headers of RFC 9530, its predecessor, or Amazon's storage, in hexadecimal."""
    newer = re.search(r"sha-256=:([^:]+):", headers.get("Repr-Digest", ""))
    older = re.search(r"(?i)\bsha-256=([^,\s]+)", headers.get("Digest", ""))
    found = (newer and newer[1]) or (older and older[1]) or headers.get("x-amz-checksum-sha256", "")
    with contextlib.suppress(binascii.Error, ValueError):
        raw = base64.b64decode(found, validate=True)
        return raw.hex() if len(raw) == 32 else None
    return None


def _write_all(file: BinaryIO, block: bytes) -> None:
    view = memoryview(block)
    while view:  # a raw file may take less than it is given
        view = view[file.write(view) :]


def _empty(file: BinaryIO, path: Path) -> None:
    with disk_errors(path):
        file.truncate(0)
        file.seek(0)
