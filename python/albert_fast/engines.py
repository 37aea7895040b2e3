"""Loaded models of this process, shared by every annotator that uses the same files."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import threading
import weakref
from typing import TYPE_CHECKING

from . import _core, runtime

if TYPE_CHECKING:
    from .models import ModelFiles

_lock = threading.Lock()
_engines: weakref.WeakValueDictionary[tuple[object, ...], _core.Engine] = weakref.WeakValueDictionary()


def _forget_parent() -> None:
    # Another thread of the parent may have held the lock at the fork; nobody would ever release it here.
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_forget_parent)

# The words of a language follow Zipf's law: this much memory holds the pieces of its hundred thousand commonest.
CACHE_BYTES = 16 << 20


def engine_for(files: ModelFiles) -> _core.Engine:
    """Return the engine of these files, loading it unless this process has it already.

    Two annotators of one model share the weights in memory; the parameters stay their own.
    """
    runtime.load()
    status = os.stat(files.weights)
    key = (
        os.getpid(),  # a forked child must not use its parent's engine
        os.fspath(files.weights),
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        hashlib.sha256(files.spiece).digest(),
        files.geometry,
        files.keep_accents,
    )
    with _lock:
        engine = _engines.get(key)
        if engine is None:
            engine = _load(files)
            _engines[key] = engine
        return engine


def _load(files: ModelFiles) -> _core.Engine:
    return _core.Engine(
        weights=os.fspath(files.weights),
        tensors=[(t.name, t.dtype, list(t.shape), t.begin, t.end) for t in files.tensors],
        geometry=dataclasses.asdict(files.geometry),
        spiece=files.spiece,
        cache_bytes=CACHE_BYTES,
        keep_accents=files.keep_accents,
        cls_id=files.added_tokens.get("[CLS]", -1),
        sep_id=files.added_tokens.get("[SEP]", -1),
    )
