"""Names -> model files: the registry, the hub and its cache, and readers of every container of an ALBERT.

A name goes through these modules in the order of this list: `registry` (which model is meant), `fetch.sources` (where
its files are: `fetch.hub`, or a zip by `fetch.download`), `detect` (what they are; `containers` lists them, as blobs
of a folder, zip or tar.gz), a reader for the container (`folder` with `safetensors`, else one of `foreign`:
`pytorch`, `tensorflow`, `spark_nlp`, `onnx_model`), and `files`, which checks what they found and makes `ModelFiles`
of it. `save` and `export` write them again.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING

from .._lazy import lazy_names
from ..errors import ModelNotFoundError, ParameterError
from ..paths import path_of, scheme_of
from . import registry
from .detect import read_any
from .fetch import cache
from .files import ModelFiles
from .folder import read_folder
from .geometry import Geometry
from .registry import BUILT_IN, Entry, models
from .tensors import TensorEntry

__all__ = [
    "BUILT_IN",
    "Entry",
    "Geometry",
    "ModelFiles",
    "TensorEntry",
    "built_in_folder",
    "export_model",
    "models",
    "read_any",
    "read_folder",
    "resolve",
    "save_folder",
]

if TYPE_CHECKING:
    from .export import export_model
    from .save import save_folder

__getattr__, __dir__ = lazy_names(__name__, {"export": ["export_model"], "save": ["save_folder"]})


def built_in_folder() -> Path:
    """Return the folder of the model that comes with the package."""
    return Path(__file__).resolve().parent.parent / "data" / BUILT_IN


def resolve(
    name: str | os.PathLike[str],
    lang: str | None = None,
    *,
    cache_dir: str | os.PathLike[str] | None = None,
    revision: str | None = None,
    token: str | bool | None = None,
    local_files_only: bool | None = None,
    show_progress: bool | None = None,
) -> ModelFiles:
    """Find a model's files: a local folder, the built-in model, or a published one by name, hub id or address.

    Parameters
    ----------
    name
        A path (or file: URI) of anything that `read_any` reads; a name of `models()` or one of its nlu references; a
        Hugging Face id such as "albert/albert-base-v2"; or the https address of a zip, which may end in "#sha256=..."
        and its hash. Plain http is fetched with a hash only, and from servers on this machine.
    lang
        Language of the name; checked where given.
    cache_dir
        Folder for downloads. Default: for the hub as huggingface_hub decides (HF_HUB_CACHE, HF_HOME), for zips
        ALBERT_FAST_CACHE, else "albert_fast" under XDG_CACHE_HOME or ~/.cache.
    revision
        Branch, tag, pull request ("refs/pr/1") or commit on the hub; default its main branch.
    token
        Access token for private models; default HF_TOKEN or the stored one.
    local_files_only
        True: never use the network. The variables ALBERT_FAST_OFFLINE and HF_HUB_OFFLINE say the same.
    show_progress
        Bar while a zip is fetched: True, False, or None for a bar on a terminal only.

    Raises
    ------
    ModelNotFoundError
        Nothing of that name; says what was tried, close names, or how to get the files by hand.
    CorruptModelError
        The files are damaged or not an ALBERT.
    MissingDependencyError
        The hub is needed and `huggingface_hub` is not installed.
    """
    try:
        text = str(os.fspath(name))
    except TypeError:
        text = ""
    if not text.strip():
        raise ParameterError(f"The model's name is {name!r}. Give a name such as {BUILT_IN!r}, or a folder.")
    entry = registry.lookup(text)
    if isinstance(name, os.PathLike) or _is_local(text, entry is not None):
        return read_any(text)
    address = entry is None and cache.is_address(text)
    if entry is None and not address and not registry.is_hub_id(text):
        raise ModelNotFoundError(_unknown(text))
    if entry is not None:
        _check_language(entry, text, lang)
        if entry.name == BUILT_IN:
            return dataclasses.replace(read_folder(built_in_folder()), name=BUILT_IN)
    from .fetch import sources

    options = sources.Options(
        cache_dir=path_of(cache_dir) if cache_dir is not None else None,
        revision=revision,
        token=token,
        local_files_only=bool(local_files_only),
        show_progress=show_progress,
    )
    if entry is not None:
        return dataclasses.replace(sources.fetch_entry(entry, options), name=entry.name)
    return sources.fetch_address(text, options) if address else sources.fetch_hub(text, options)


def _is_local(text: str, is_known: bool) -> bool:
    scheme = scheme_of(text)
    if scheme is not None:  # what is neither of this machine nor of the web is refused by name there
        return scheme not in ("http", "https")
    if text.startswith((".", "~")) or os.path.isabs(text):
        return True
    path = Path(text)
    # A known name wins over a folder that happens to have it, unless that folder holds a model.
    return (path / "config.json").is_file() if is_known else path.exists()


def _unknown(text: str) -> str:
    close = registry.suggestions(text)
    hint = f"Did you mean {' or '.join(close)}? " if close else ""
    return (
        f"No model is called {text!r}, and there is no such folder here. {hint}albert_fast.models.models() and "
        "'albert-fast models' list the names; a Hugging Face id such as 'albert/albert-base-v2' works too, and so does "
        "the https address of a zip, such as the ones behind 'Download' on the cards of Spark NLP's models."
    )


def _check_language(entry: Entry, text: str, lang: str | None) -> None:
    if lang is not None and lang != entry.lang:
        raise ModelNotFoundError(
            f"{text} is a model for the language {entry.lang!r}, not {lang!r}. Ask for lang={entry.lang!r}, or leave "
            "the language out."
        )
