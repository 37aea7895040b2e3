"""Write a model for other systems: Spark NLP's `loadSavedModel`, and anything that runs ONNX."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelNotFoundError, ParameterError
from ..folders import write_error, write_folder, write_synced
from ..paths import path_of
from . import onnx_writer, tensors
from .containers.blobs import FileBlob
from .files import ModelFiles
from .folder import CONFIG
from .onnx_graph import albert_graph
from .save import SPIECE, config_json

FORMATS = ("onnx", "spark-nlp")
ONNX, ONNX_DATA = "model.onnx", "model.onnx_data"
SPARK_SPIECE = "assets/spiece.model"
_NAMES = frozenset((ONNX, ONNX_DATA, CONFIG, SPIECE, SPARK_SPIECE))


def export_model(files: ModelFiles, form: str, destination: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write a model in another system's form: complete or not at all.

    Parameters
    ----------
    form
        "spark-nlp": a folder for `AlbertEmbeddings.loadSavedModel` (model.onnx, assets/spiece.model). "onnx": a folder
        (model.onnx, spiece.model), or one file if the destination ends in ".onnx". Both hold config.json too, unless
        they are one file.
    destination
        Where to write. What exists must be an empty folder, or an earlier export with `overwrite=True`.

    Returns
    -------
    Path
        The destination.

    Raises
    ------
    ParameterError
        No such form, the destination may not be replaced, or the form cannot express the model.
    ModelNotFoundError
        The weights are gone.
    CorruptModelError
        The weights changed since they were loaded.
    WriteError
        The destination cannot be written.
    """
    if form not in FORMATS:
        raise ParameterError(f"format={form!r} does not exist; it can be {', '.join(FORMATS)}.")
    if files.graph is not None:
        raise ParameterError(
            f"{files.source} is an ONNX graph that is run as it is; it cannot be written in another form. Copy the "
            "file, or export a model that was loaded from weights."
        )
    target = path_of(destination)
    if form == "spark-nlp":
        _check_for_spark(files)
    elif target.suffix == ".onnx":
        return _export_file(files, target, overwrite)
    _check_folder(target, overwrite)

    def fill(work: Path) -> None:
        vocabulary = work / (SPARK_SPIECE if form == "spark-nlp" else SPIECE)
        vocabulary.parent.mkdir(exist_ok=True)
        write_synced(vocabulary, files.spiece)
        write_synced(work / CONFIG, config_json(files))
        # Spark NLP reads the hidden states only.
        _write_onnx(files, work / ONNX, work / ONNX_DATA, ONNX_DATA, pooler=files.has_pooler and form == "onnx")

    return write_folder(target, fill)


def _check_for_spark(files: ModelFiles) -> None:
    for token in ("[CLS]", "[SEP]"):
        if token in files.added_tokens:
            raise ParameterError(
                f"{files.name} keeps {token} outside of its vocabulary (id {files.added_tokens[token]}); Spark NLP "
                "would read <unk> in its place and give other vectors, without a word. Export 'onnx', or use the model "
                "here."
            )


def _check_folder(target: Path, overwrite: bool) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise ParameterError(f"{target} is a file. Give the name of a folder to write.")
    names = {path.relative_to(target).as_posix() for path in target.rglob("*") if not path.is_dir()}
    if names and not (names <= _NAMES and ONNX in names):
        raise ParameterError(f"{target} holds other things than an export, so it is left alone. Choose a new folder.")
    if names and not overwrite:
        raise ParameterError(f"{target} holds an exported model. Give overwrite=True (--overwrite) to replace it.")


def _export_file(files: ModelFiles, target: Path, overwrite: bool) -> Path:
    data = target.with_name(target.name + "_data")
    if target.is_dir():
        raise ParameterError(f"{target} is a folder. Give the name of a file, or a folder without '.onnx'.")
    for path in (target, data):
        if path.exists() and not overwrite:
            raise ParameterError(
                f"{path} exists. Give overwrite=True (--overwrite) to replace it, or choose another name."
            )
    unique = secrets.token_hex(4)
    temporary = [path.with_name(f".{path.name}.{unique}.partial") for path in (target, data)]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        external = _write_onnx(files, temporary[0], temporary[1], data.name, pooler=files.has_pooler)
        if external:
            os.replace(temporary[1], data)
        os.replace(temporary[0], target)
        if not external:
            data.unlink(missing_ok=True)  # of an earlier, larger model
    except OSError as error:
        if isinstance(error, ModelNotFoundError):
            raise
        raise write_error(target, error, "Free space or choose another destination.") from error
    finally:
        for path in temporary:
            with contextlib.suppress(OSError):  # a read-only folder, which is said already
                path.unlink(missing_ok=True)
    return target


def _write_onnx(files: ModelFiles, path: Path, data_path: Path, data_name: str, *, pooler: bool) -> bool:
    from .. import __version__

    graph = albert_graph(files.geometry, pooler=pooler)
    return onnx_writer.write(path, data_path, data_name, graph, _numbers(files), __version__)


def _numbers(files: ModelFiles) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield the model's tensors as float32, one in memory at a time: the one place that knows where they lie."""
    files.identity()
    for named, entries in tensors.by_blob(files.tensors).items():
        blob = FileBlob.of(files.weights) if named is None else named
        for first, data, inside in tensors.runs(blob, entries):
            for entry in inside:
                yield entry.name, _as_float32(tensors.as_array(entry, data, first), entry.dtype)


def _as_float32(stored: NDArray[Any], dtype: str) -> NDArray[np.float32]:
    if dtype == "BF16":  # the upper half of a float32
        return (stored.astype("<u4") << 16).view("<f4")
    return stored.astype("<f4", copy=False)
