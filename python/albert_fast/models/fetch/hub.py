"""Model files from the Hugging Face hub, through `huggingface_hub` and its cache.

Only the few files that we read are fetched. The hub announces a hash for each: SHA-256 for large files, git's
object hash for small ones. huggingface_hub compares sizes only, so the hashes are checked here, written down
beside the files (`albert_fast.json`) and checked again on every load. A model whose files are in the cache is
loaded without a single request.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from ...errors import CorruptModelError, MissingDependencyError, ModelNotFoundError
from .. import record
from ..folder import (
    ADDED_TOKENS,
    CONFIG,
    TOKENIZER,
    TOKENIZER_CONFIG,
    TORCH_WEIGHTS,
    VOCABULARIES,
    WEIGHTS,
    ModelFiles,
    read_folder,
    vocabulary_file,
)

_LOG = logging.getLogger("albert_fast")
OFFLINE_VARIABLES = ("ALBERT_FAST_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
DEFAULT_ENDPOINT = "https://huggingface.co"
# What may hold the weights, in order of preference; read by `_open`.
WEIGHT_FILES = (WEIGHTS, TORCH_WEIGHTS)
_TRUE = frozenset(("1", "on", "yes", "true"))
_COMMIT = re.compile(r"[0-9a-f]{40}")


def offline_variable() -> str | None:
    """Return the environment variable that forbids the network, None where none does."""
    return next((name for name in OFFLINE_VARIABLES if os.environ.get(name, "").strip().lower() in _TRUE), None)


def cache_folder() -> Path:
    """Return the folder of huggingface_hub's cache, by its rules, without importing it."""
    if folder := os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE"):
        return Path(folder).expanduser()
    home = os.environ.get("HF_HOME")
    if not home:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        home = os.path.join(base, "huggingface")
    return Path(home).expanduser() / "hub"


def endpoint() -> str:
    """Return the hub's address: HF_ENDPOINT or the public one."""
    return (os.environ.get("HF_ENDPOINT") or DEFAULT_ENDPOINT).rstrip("/")


@dataclass(frozen=True, slots=True)
class Request:
    """What to fetch, and how."""

    repo: str
    revision: str | None = None
    cache_dir: Path | None = None
    token: str | bool | None = None
    local_files_only: bool = False

    @property
    def cache(self) -> Path:
        """Folder of the cache."""
        return self.cache_dir if self.cache_dir is not None else cache_folder()


def fetch(request: Request, name: str | None = None) -> ModelFiles:
    """Return the files of a hub model: from the cache where it is complete, else from the hub.

    Parameters
    ----------
    name
        What the user asked for, where that is not the hub id.

    Raises
    ------
    MissingDependencyError
        `huggingface_hub` is not installed.
    ModelNotFoundError
        Not in the cache and the network is forbidden or fails, or no such repository, revision or file.
    CorruptModelError
        A file differs from what the hub announced.
    """
    files = cached(request, name)
    if files is None:
        asked = name or request.repo
        _refuse_offline(request, asked)
        files = _open(_download(_library(request), request, asked), request, asked)
    return files


def cached(request: Request, name: str | None = None) -> ModelFiles | None:
    """Return the files of a hub model if the cache has all of them; `huggingface_hub` is not needed for that."""
    folder = _snapshot(request)
    return None if folder is None else _open(folder, request, name or request.repo)


def _open(folder: Path, request: Request, asked: str) -> ModelFiles:
    return read_folder(folder, announced=_announced_by_cache(folder, request, asked))


def _library(request: Request) -> ModuleType:
    try:
        import huggingface_hub
    except ImportError as error:
        raise MissingDependencyError(
            f"Fetching {request.repo} needs the package huggingface_hub ({error}). "
            'Install it: pip install "albert_fast[hub]". Or give the path of a folder with its files.'
        ) from error
    return huggingface_hub


def _snapshot(request: Request) -> Path | None:
    """Return the folder of a revision in the cache, if it is complete.

    The layout is the hub's own, see "Manage huggingface_hub cache-system" in its documentation: `refs/<revision>`
    holds the commit that a name stands for, `snapshots/<commit>` its files.
    """
    repository = request.cache / f"models--{request.repo.replace('/', '--')}"
    commit = request.revision or "main"
    if not _COMMIT.fullmatch(commit):
        if ".." in commit.split("/"):
            return None
        try:
            commit = (repository / "refs" / commit).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return None
        if not _COMMIT.fullmatch(commit):
            return None
    folder = repository / "snapshots" / commit
    has_weights = any((folder / name).is_file() for name in WEIGHT_FILES)
    complete = (folder / CONFIG).is_file() and has_weights and vocabulary_file(folder) is not None
    return folder if complete else None


def _by_hand(request: Request) -> str:
    return (
        f"Or put {CONFIG}, {WEIGHTS} and spiece.model from {endpoint()}/{request.repo} into a folder on any machine "
        'and load that folder: AlbertEmbeddings.load("the folder").'
    )


def _refuse_offline(request: Request, asked: str) -> None:
    variable = offline_variable()
    if variable is None and not request.local_files_only:
        return
    if variable is not None:
        reason, fix = (
            f"{variable}={os.environ[variable]} forbids the network",
            f"Unset {variable} to fetch it.",
        )
    else:
        reason, fix = "local_files_only=True (--offline) forbids the network", "Leave it out to fetch it."
    where = request.repo if asked == request.repo else f"{asked} ({request.repo})"
    raise ModelNotFoundError(
        f"{where} is not (completely) in the cache {request.cache}, and {reason}. {fix} {_by_hand(request)}"
    )


# ----------------------------------------------------------------------------------------------- download


def _download(library: ModuleType, request: Request, asked: str) -> Path:
    common: dict[str, Any] = {"cache_dir": request.cache, "token": request.token, "endpoint": endpoint()}
    try:
        info = library.HfApi(endpoint=endpoint(), token=request.token).model_info(
            request.repo, revision=request.revision, files_metadata=True, timeout=30
        )
        announced = {item.rfilename: item for item in info.siblings or ()}
        names = _choose(request, set(announced))
        # Asking for the revision by name, not by commit, leaves that name in the cache for the next time.
        first = Path(library.hf_hub_download(request.repo, CONFIG, revision=request.revision or "main", **common))
        folder = first.parent
        if folder.name != info.sha:
            raise ModelNotFoundError(
                f"{request.repo} changed on the hub while it was being fetched ({info.sha} became {folder.name}). "
                "Try again."
            )
        for name in names:
            if name != CONFIG:
                library.hf_hub_download(request.repo, name, revision=info.sha, **common)
    except (ModelNotFoundError, CorruptModelError):
        raise
    except Exception as error:
        raise _explained(error, request) from error
    _check(folder, names, announced, request, asked)
    return folder


def _choose(request: Request, there: set[str]) -> list[str]:
    vocabulary = next((name for name in (*VOCABULARIES, TOKENIZER) if name in there), None)
    weights = next((name for name in WEIGHT_FILES if name in there), None)
    missing = [] if CONFIG in there else [CONFIG]
    if weights is None:
        missing.append(WEIGHTS)
    if vocabulary is None:
        missing.append("spiece.model")
    if missing or vocabulary is None or weights is None:
        shown = ", ".join(sorted(name for name in there if not name.startswith("."))[:20]) or "nothing"
        raise ModelNotFoundError(
            f"The hub repository {request.repo} has no {' and no '.join(missing)}; it has: {shown}. This version "
            f"reads {CONFIG}, {' or '.join(WEIGHT_FILES)}, and spiece.model. Where the repository has a pull request "
            f'that adds {WEIGHTS}, ask for it: revision="refs/pr/1". Or load it with transformers and use '
            "save_pretrained(folder)."
        )
    optional = [name for name in (TOKENIZER_CONFIG, ADDED_TOKENS) if name in there]
    return [CONFIG, vocabulary, *optional, weights]


def _explained(error: Exception, request: Request) -> Exception:
    kind = type(error).__name__
    text = " ".join(str(error).split())
    what = f"{request.repo} at revision {request.revision}" if request.revision else request.repo
    if kind == "GatedRepoError":
        return ModelNotFoundError(
            f"{what} asks for consent before it may be fetched. Accept its terms at {endpoint()}/{request.repo}, "
            f"then set HF_TOKEN to your access token. {_by_hand(request)}"
        )
    if kind == "RevisionNotFoundError":
        return ModelNotFoundError(
            f"{request.repo} has no revision {request.revision!r} on {endpoint()}. Check its name."
        )
    if kind == "RepositoryNotFoundError":
        return ModelNotFoundError(
            f"{endpoint()} has no model {request.repo}, or it is private. Check the name; for a private model set "
            "HF_TOKEN."
        )
    if "Consistency check failed" in text:
        return CorruptModelError(f"A file of {what} arrived with the wrong size ({text}). Try again.")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
        return ModelNotFoundError(
            f"The cache folder {request.cache} cannot be written ({error}). Free space there, or choose another "
            "folder with cache_dir= or the variable HF_HUB_CACHE."
        )
    return ModelNotFoundError(
        f"{what} could not be fetched from {endpoint()} ({kind}: {text}). Check the connection and the proxy "
        f"variables, then try again. {_by_hand(request)}"
    )


def _announced_hashes(announced: dict[str, Any], names: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    sha256: dict[str, str] = {}
    git_sha1: dict[str, str] = {}
    for name in names:
        item = announced[name]
        lfs = getattr(item, "lfs", None)
        digest = lfs.get("sha256") if isinstance(lfs, dict) else getattr(lfs, "sha256", None)
        if digest:
            sha256[name] = digest
        elif getattr(item, "blob_id", None):
            git_sha1[name] = item.blob_id
    return sha256, git_sha1


def _check(folder: Path, names: list[str], announced: dict[str, Any], request: Request, asked: str) -> None:
    """Compare fresh files with the announced hashes; a wrong one is removed, so that a retry fetches it."""
    sha256, git_sha1 = _announced_hashes(announced, names)
    for name in names:
        path = folder / name
        expected = sha256.get(name) or git_sha1.get(name)
        if expected is None:
            continue
        found = record.sha256(path) if name in sha256 else record.git_sha1(path)
        if found != expected:
            _remove(path)
            raise CorruptModelError(
                f"{name} of {request.repo} arrived damaged: its hash is {found}, but {endpoint()} announced "
                f"{expected}. It was deleted. Try again; if it stays so, something between this machine and the hub "
                "changes files."
            )
    _write_record(folder, record.Record(asked, request.repo, folder.name, sha256, git_sha1))


def _remove(path: Path) -> None:
    blob = path.resolve()
    for item in (path, blob):
        with contextlib.suppress(OSError):
            item.unlink()


def _write_record(folder: Path, entry: record.Record) -> None:
    try:
        record.write(folder, entry)
    except OSError as error:  # a read-only cache: the names of its blobs still tell the hashes
        _LOG.debug("cannot write %s into %s: %s", record.FILE_NAME, folder, error)


def _announced_by_cache(folder: Path, request: Request, asked: str) -> record.Record:
    """Return hashes for a snapshot that another program fetched: the cache names its blobs by them."""
    sha256: dict[str, str] = {}
    git_sha1: dict[str, str] = {}
    for name in (CONFIG, *WEIGHT_FILES, vocabulary_file(folder)):
        path = folder / name if name else None
        if name and path is not None and path.is_symlink():
            digest = path.resolve().name
            if re.fullmatch(r"[0-9a-f]{64}", digest):
                sha256[name] = digest
            elif re.fullmatch(r"[0-9a-f]{40}", digest):
                git_sha1[name] = digest
    revision = folder.name if _COMMIT.fullmatch(folder.name) else None
    return record.Record(asked, request.repo, revision, sha256, git_sha1)


def cached_models() -> list[str]:
    """Return the hub ids of complete ALBERT models in the cache."""
    found = []
    for config in cache_folder().glob("models--*/snapshots/*/" + CONFIG):
        with contextlib.suppress(OSError):
            has_weights = any((config.parent / name).is_file() for name in WEIGHT_FILES)
            if b'"albert"' in config.read_bytes() and has_weights:
                found.append(config.parents[2].name.removeprefix("models--").replace("--", "/"))
    return sorted(set(found))
