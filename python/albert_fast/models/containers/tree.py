"""The files of a folder or an archive by relative name, so that a reader need not know which of the two it reads."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import CorruptModelError, ModelNotFoundError
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
    """List a folder and those in it, the nearest first, up to 10,000 files: what a model has lies near the top.

    Hidden files and folders are left out; links are followed, as the hub's cache needs.

    Raises
    ------
    ModelNotFoundError
        The folder cannot be read.
    """
    files: dict[str, Blob] = {}
    seen: set[str] = set()
    level = [root]
    try:
        for _ in range(depth + 1):
            below: list[Path] = []
            for folder in level:
                real = os.path.realpath(folder)
                if real in seen:
                    continue
                seen.add(real)
                below += _list(root, folder, files)
                if len(files) >= MAX_FILES or len(seen) >= MAX_FILES:
                    return Tree(root, "", files)
            level = below
    except OSError as error:
        raise ModelNotFoundError(f"{root} cannot be read: {error}.") from error
    return Tree(root, "", files)


def _list(root: Path, folder: Path, files: dict[str, Blob]) -> list[Path]:
    """Add the files of one folder and return the folders in it; one that may not be read has none."""
    folders: list[Path] = []
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        if folder == root:
            raise
        return folders
    for name in names:
        path = folder / name
        if name.startswith("."):
            continue
        if path.is_dir():
            folders.append(path)
        elif path.is_file():
            files[path.relative_to(root).as_posix()] = FileBlob.of(path)
    return folders
