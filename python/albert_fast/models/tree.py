"""The files of a folder or an archive by relative name, so that a reader need not know which of the two it reads."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CorruptModelError, ModelNotFoundError
from . import blobs
from .blobs import Blob, FileBlob

MAX_FILES = 10_000
MAX_DEPTH = 6
MAX_JSON = 16 << 20


@dataclass(frozen=True, slots=True)
class Tree:
    """Named blobs.

    Attributes
    ----------
    root
        What the user named: the folder or the archive.
    inside
        Which folder of it these files are in; "" for all of it, else it ends with "/".
    files
        Blobs by name, with "/" between folders.
    """

    root: Path
    inside: str
    files: Mapping[str, Blob]

    def __contains__(self, name: str) -> bool:
        return name in self.files

    def where(self, name: str = "") -> str:
        """Return how errors call a file of the tree."""
        whole = self.inside + name
        if not whole:
            return str(self.root)
        return str(self.root / whole) if self.root.is_dir() else f"{self.root}, member {whole}"

    def read(self, name: str, most: int) -> bytes:
        """Return a file that must not have more than `most` bytes."""
        return blobs.read(self.files[name], most, self.inside + name)

    def read_json(self, name: str) -> dict[str, Any]:
        """Return a JSON object."""
        try:
            value = json.loads(self.read(name, MAX_JSON).decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            if isinstance(error, CorruptModelError):
                raise
            raise CorruptModelError(f"{self.where(name)} is not JSON ({error}). Fetch it again.") from None
        if not isinstance(value, dict):
            raise CorruptModelError(f"{self.where(name)} is not a JSON object. Fetch it again.")
        return value

    def top(self) -> set[str]:
        """Return the names at the top, folders with a "/" behind."""
        return {name.partition("/")[0] + ("/" if "/" in name else "") for name in self.files}

    def below(self, folder: str) -> Tree:
        """Return a folder of the tree."""
        start = folder.rstrip("/") + "/"
        inner = {name[len(start) :]: blob for name, blob in self.files.items() if name.startswith(start)}
        return Tree(self.root, self.inside + start, inner)

    def is_plain_folder(self) -> bool:
        """Whether the tree is a folder on disk."""
        return self.root.is_dir()

    def folder(self) -> Path:
        """Return the folder on disk that these files are in."""
        return self.root / self.inside if self.inside else self.root


def of_folder(root: Path, depth: int = MAX_DEPTH) -> Tree:
    """List a folder and those in it. Hidden ones are left out; links are followed, as the hub's cache needs.

    Raises
    ------
    ModelNotFoundError
        The folder cannot be read, or holds far more files than a model has.
    """
    files: dict[str, Blob] = {}
    seen: set[str] = set()
    try:
        for folder, names, members in os.walk(root, followlinks=True):
            inside = Path(folder).relative_to(root)
            real = os.path.realpath(folder)
            deep = len(inside.parts) >= depth or real in seen
            seen.add(real)
            names[:] = [] if deep else sorted(name for name in names if not name.startswith("."))
            for name in sorted(members):
                path = Path(folder) / name
                if name.startswith(".") or not path.is_file():
                    continue
                files[(inside / name).as_posix()] = FileBlob.of(path)
                if len(files) > MAX_FILES:
                    raise ModelNotFoundError(
                        f"{root} holds more than {MAX_FILES} files. Give the folder of one model, not one of many."
                    )
    except OSError as error:
        if isinstance(error, ModelNotFoundError):
            raise
        raise ModelNotFoundError(f"{root} cannot be read: {error}.") from error
    return Tree(root, "", files)
