"""A model's places, one after the other: caches first, then the network, and an error that names them all."""

from __future__ import annotations

import dataclasses
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from ...errors import MissingDependencyError, ModelNotFoundError
from ..detect import read_any
from ..files import ModelFiles
from ..registry import Entry, Source
from . import cache, download, hub

_LOG = logging.getLogger("albert_fast")


@dataclass(frozen=True, slots=True)
class Options:
    """How files may be fetched; see `models.resolve`."""

    cache_dir: Path | None = None
    revision: str | None = None
    token: str | bool | None = None
    local_files_only: bool = False
    show_progress: bool | None = None


def fetch_entry(entry: Entry, options: Options) -> ModelFiles:
    """Return the files of a registered model from the first of its sources that has them.

    Raises
    ------
    ModelNotFoundError
        No source has them: lists each address, what went wrong there, and what to do by hand.
    CorruptModelError
        A file is damaged. No other source is tried then: a changed file is something to know about.
    MissingDependencyError
        The hub is the only source and `huggingface_hub` is not installed.
    """
    # A revision is the hub's; zips have none.
    sources = [source for source in entry.sources if options.revision is None or source.kind == "hub"]
    if not sources:
        raise ModelNotFoundError(
            f"It is not known where the files of {entry.name} ({entry.lang}) can be fetched. Get config.json, "
            "model.safetensors and spiece.model from its authors and load their folder with AlbertEmbeddings.load."
        )
    failures: dict[Source, Exception] = {}
    for get in (_cached, _fetched):
        for source in sources:
            if source in failures:
                continue
            try:
                if (files := get(source, options, entry.name)) is not None:
                    return files
            except (ModelNotFoundError, MissingDependencyError) as error:
                if len(sources) == 1:
                    raise
                _LOG.info("%s: %s", _address(source), error)
                failures[source] = error
    tried = "".join(f"\n  {number}. {_line(source, failures[source])}" for number, source in enumerate(sources, 1))
    raise ModelNotFoundError(f"{entry.name} ({entry.lang}) was not found in any of its places:{tried}")


def fetch_hub(repo: str, options: Options) -> ModelFiles:
    """Return the files of a hub id."""
    return hub.fetch(_request(repo, options))


def fetch_address(address: str, options: Options) -> ModelFiles:
    """Return the files in the zip of an http(s) address."""
    found = download.in_cache(address, options.cache_dir)
    return _open(found if found is not None else _downloaded(address, options), None)


def _request(repo: str, options: Options) -> hub.Request:
    return hub.Request(
        repo=repo,
        revision=options.revision,
        cache_dir=options.cache_dir,
        token=options.token,
        local_files_only=options.local_files_only,
    )


def _cached(source: Source, options: Options, name: str | None) -> ModelFiles | None:
    if source.kind == "hub":
        return hub.cached(_request(source.place, options), name)
    found = download.in_cache(source.place, options.cache_dir)
    return None if found is None else _open(found, name)


def _fetched(source: Source, options: Options, name: str | None) -> ModelFiles:
    if source.kind == "hub":
        return hub.fetch(_request(source.place, options), name)
    return _open(_downloaded(source.place, options), name)


def _downloaded(address: str, options: Options) -> download.Downloaded:
    _refuse_offline(address, options)
    return download.fetch(address, options.cache_dir, show_progress=options.show_progress)


def _line(source: Source, error: Exception) -> str:
    address, text = _address(source), str(error)
    return text if text.startswith(address) else f"{address}: {text}"


def _address(source: Source) -> str:
    return f"{hub.endpoint()}/{source.place}" if source.kind == "hub" else cache.shown(source.place)


def _refuse_offline(address: str, options: Options) -> None:
    variable = hub.offline_variable()
    if variable is not None:
        reason = f"{variable}={os.environ[variable]} forbids the network. Unset {variable} to fetch it"
    elif options.local_files_only:
        reason = "local_files_only=True (--offline) forbids the network. Leave it out to fetch it"
    else:
        return
    address, _ = cache.split_address(address)
    path = cache.place(address, options.cache_dir)
    raise ModelNotFoundError(f"{cache.shown(address)} is not in the cache, and {reason}. {download.by_hand(path)}")


def _open(found: download.Downloaded, name: str | None) -> ModelFiles:
    """Read the model in a downloaded zip: the one place that knows how."""
    files = read_any(found.path)
    hashes = {found.path.name: found.sha256} if found.sha256 else {}
    return dataclasses.replace(
        files,
        name=name or found.path.stem,
        origin=cache.shown(found.address),
        revision=None,
        sha256={**files.sha256, **hashes},
    )
