"""Loaded models of this process, shared by every annotator that uses the same files."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import threading
import weakref
from typing import TYPE_CHECKING, Any

from . import _core, runtime
from .errors import DeviceError

if TYPE_CHECKING:
    from .device import Cuda
    from .models import ModelFiles
    from .models.files import OnnxGraph

_lock = threading.Lock()
_engines: weakref.WeakValueDictionary[tuple[object, ...], _core.Engine] = weakref.WeakValueDictionary()


def _forget_parent() -> None:
    # Another thread of the parent may have held the lock at the fork; nobody would ever release it here.
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_forget_parent)

# The words of a language follow Zipf's law: this much memory holds the pieces of its hundred thousand commonest.
CACHE_BYTES = 16 << 20


def engine_for(files: ModelFiles, precision: str, cuda: Cuda | None = None) -> _core.Engine:
    """Return the engine of these files in this precision, loading it unless this process has it already.

    Two annotators of one model on one device share the weights in memory; the parameters stay their own.

    Raises
    ------
    DeviceError
        The model cannot run on the device.
    """
    runtime.load()
    key = (
        os.getpid(),  # a forked child must not use its parent's engine
        files.identity(),
        hashlib.sha256(files.spiece).digest(),
        files.geometry,
        files.keep_accents,
        precision,
        cuda,
    )
    with _lock:
        engine = _engines.get(key)
        if engine is None:
            engine = _load(files, precision, cuda)
            _engines[key] = engine
        return engine


def _load(files: ModelFiles, precision: str, cuda: Cuda | None) -> _core.Engine:
    geometry = dataclasses.asdict(files.geometry)
    tokenizer = {
        "spiece": files.spiece,
        "cache_bytes": CACHE_BYTES,
        "keep_accents": files.keep_accents,
        "cls_id": files.added_tokens.get("[CLS]", -1),
        "sep_id": files.added_tokens.get("[SEP]", -1),
    }
    if cuda is not None:
        return _load_on_cuda(files, cuda, geometry, tokenizer)
    if files.graph is not None:
        return _core.Engine.of_graph(*_graph_parts(files.graph), geometry, tokenizer)
    return _core.Engine(_fill_store(files), geometry, tokenizer, precision)


def _load_on_cuda(files: ModelFiles, cuda: Cuda, geometry: dict[str, Any], tokenizer: dict[str, Any]) -> _core.Engine:
    from . import device

    if files.graph is not None:
        raise DeviceError(
            f"{files.name} is an ONNX graph that is run as it is, and those run on the CPU only in this version of "
            "albert_fast. Use device='cpu', or load the model from its weights."
        )
    settings = dataclasses.asdict(cuda)
    if not cuda.rehearsal:
        device.warn_of_other_runtimes()
        _core.cuda_probe(settings)  # the provider's own message, before the weights are read
    return _core.Engine.on_cuda(_fill_store(files), geometry, tokenizer, settings)


def _fill_store(files: ModelFiles) -> _core.TensorStore:
    """Hand the tensors over: those that stand in a file as they are by its map, others one run at a time."""
    from .models import tensors
    from .models.containers.blobs import FileBlob

    store = _core.TensorStore()
    numbers: dict[str, int] = {}
    for named, entries in tensors.by_blob(files.tensors).items():
        blob = FileBlob.of(files.weights) if named is None else named
        if isinstance(blob, FileBlob):
            path = os.fspath(blob.path)
            if path not in numbers:
                numbers[path] = store.map(path)
            for t in entries:
                begin, end = blob.begin + t.begin, blob.begin + t.end
                store.add_mapped(numbers[path], t.name, t.dtype, t.shape, t.strides or (), begin, end)
            continue
        for first, data, inside in tensors.runs(blob, entries):
            for t in inside:
                store.add_copied(data, t.name, t.dtype, t.shape, t.strides or (), t.begin - first, t.end - first)
    return store


def _graph_parts(graph: OnnxGraph) -> tuple[tuple[Any, ...], list[tuple[Any, ...]], dict[str, Any]]:
    from .models.containers import blobs
    from .models.containers.blobs import FileBlob

    def place(name: str, blob: blobs.Blob) -> tuple[Any, ...]:
        if isinstance(blob, FileBlob):
            return name, os.fspath(blob.path), blob.begin, blob.begin + blob.size
        return name, blobs.read(blob, blobs.MAX_INFLATED, name)

    signature = {"inputs": list(graph.inputs), "hidden": graph.hidden, "pooler": graph.pooler}
    return place("", graph.onnx), [place(name, blob) for name, blob in graph.data], signature
