"""`albert_fast.json`: where a model folder came from, and the hashes its files are checked against."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import CorruptModelError
from ..folders import MODEL_FILE

FILE_NAME = MODEL_FILE
FORMAT = 1
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Record:
    """Provenance of a model folder.

    Attributes
    ----------
    name
        The model's name, for example "albert_base_uncased".
    source
        A hub id, or None for a folder that was saved from a local one.
    revision
        The hub commit.
    sha256, git_sha1
        Announced (hub) or computed (saved) hashes by file name. The hub announces SHA-256 for large files and
        git's object hash for small ones.
    parameters
        Keyword arguments of `AlbertEmbeddings` that were saved with the model.
    """

    name: str = ""
    source: str | None = None
    revision: str | None = None
    sha256: Mapping[str, str] = field(default_factory=dict)
    git_sha1: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, object] = field(default_factory=dict)


def read(folder: Path) -> Record | None:
    """Return the folder's record, or None where it has none.

    Raises
    ------
    CorruptModelError
        The record is damaged or of a later format.
    """
    path = folder / FILE_NAME
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        content = json.loads(text.decode("utf-8"))
        if not isinstance(content, dict):
            raise TypeError("it is not a JSON object")
        return parse(content, path)
    except (ValueError, TypeError, RecursionError) as error:
        if isinstance(error, CorruptModelError):
            raise
        raise CorruptModelError(
            f"{path} cannot be read: {error}. Delete it to load the folder without checks, or save the model again."
        ) from None


def parse(content: Mapping[str, Any], path: Path) -> Record:
    """Check a record's content; `path` names its file in errors. Raises ValueError or TypeError with the reason."""
    number = content.get("format")
    if type(number) is not int or number < 1:
        raise ValueError(f"'format' is {number!r}")
    if number > FORMAT:
        raise CorruptModelError(
            f"{path} has format {number}, written by a later albert_fast; this one reads up to {FORMAT}. Upgrade: "
            "pip install --upgrade albert_fast."
        )
    parameters = content.get("parameters", {})
    if not isinstance(parameters, dict):
        raise TypeError("'parameters' is not an object")
    return Record(
        name=_text(content, "name") or "",
        source=_text(content, "source"),
        revision=_text(content, "revision"),
        sha256=_hashes(content, "sha256", 64),
        git_sha1=_hashes(content, "git_sha1", 40),
        parameters=parameters,
    )


def _text(content: Mapping[str, Any], key: str) -> str | None:
    value = content.get(key)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{key!r} is {value!r}")
    return value


def _hashes(content: Mapping[str, Any], key: str, digits: int) -> dict[str, str]:
    value = content.get(key, {})
    if not isinstance(value, dict):
        raise TypeError(f"{key!r} is not an object")
    for name, digest in value.items():
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise ValueError(f"{key!r} names the file {name!r} outside the folder")
        if not isinstance(digest, str) or len(digest) != digits or set(digest) - set("0123456789abcdef"):
            raise ValueError(f"{key!r} of {name!r} is {digest!r}")
    return value


def write(folder: Path, record: Record) -> None:
    """Write the record into a folder, all of it or nothing."""
    content = {
        "format": FORMAT,
        "name": record.name,
        "source": record.source,
        "revision": record.revision,
        "sha256": dict(record.sha256),
        "git_sha1": dict(record.git_sha1),
        "parameters": dict(record.parameters),
    }
    data = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False).encode("utf-8") + b"\n"
    handle, temporary = tempfile.mkstemp(prefix=f".{FILE_NAME}.", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, folder / FILE_NAME)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def verify(folder: Path, record: Record) -> None:
    """Check every file that the record has a hash of.

    Raises
    ------
    CorruptModelError
        A file is missing or has other content; names file, expected and found hash.
    """
    for name, expected in record.sha256.items():
        _compare(folder, name, "SHA-256", expected, sha256)
    for name, expected in record.git_sha1.items():
        _compare(folder, name, "git hash", expected, git_sha1)


def _compare(folder: Path, name: str, kind: str, expected: str, digest: Any) -> None:
    try:
        found = digest(folder / name)
    except FileNotFoundError:
        raise CorruptModelError(
            f"{folder / name} is missing, though the folder's {FILE_NAME} lists it. Fetch or save the model again."
        ) from None
    if found != expected:
        raise CorruptModelError(
            f"{folder / name} was changed or damaged: its {kind} is {found}, expected {expected}. Delete it and "
            f"fetch or save the model again; if the change is your own, delete {FILE_NAME} in that folder."
        )


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return _digest(path, hashlib.sha256())


def git_sha1(path: Path) -> str:
    """Return the hash git gives a file's content (SHA-1 of a short header and the bytes), in hexadecimal."""
    digest = hashlib.sha1(usedforsecurity=False)
    digest.update(b"blob %d\0" % path.stat().st_size)
    return _digest(path, digest)


def _digest(path: Path, digest: Any) -> str:
    buffer = bytearray(_BLOCK)
    view = memoryview(buffer)
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(view[:count])
    return str(digest.hexdigest())
