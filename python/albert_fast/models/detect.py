"""One door for every container: look what a folder, file or archive holds, and call the reader of that kind.

Readers of other systems' containers are imported where they are met: loading a Hugging Face folder would spend a
tenth of its time on importing them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from ..errors import CorruptModelError, ModelNotFoundError, ParameterError
from ..folders import PIPELINE_FILE
from ..paths import path_of
from . import folder, vocabulary
from .containers import tree
from .containers.blobs import FileBlob
from .containers.tree import Tree
from .files import OVERRIDES, ModelFiles
from .foreign.spark_metadata import METADATA

ACCEPTED = (
    "a Hugging Face folder (config.json with model.safetensors or pytorch_model.bin), a model or zip saved by Spark "
    "NLP (metadata, albert_tensorflow or albert_onnx), a TensorFlow SavedModel folder, Google's checkpoint "
    "(model.ckpt-best.index, albert_config.json, 30k-clean.model) or its .tar.gz, an .onnx file; each with its "
    "vocabulary"
)
MAX_DESCENT = 3
Reader = Callable[[Tree, Mapping[str, object]], ModelFiles]


def read_any(path: str | os.PathLike[str], **overrides: object) -> ModelFiles:
    """Read a model in any container that albert_fast knows; nothing is written.

    Parameters
    ----------
    path
        A folder, a .zip, a .tar.gz, or a file of weights (.safetensors, .bin, .onnx, .index, saved_model.pb) with its
        folder around it. A checkpoint may also be given by its prefix, as TensorFlow calls it.
    **overrides
        `num_attention_heads`, `num_hidden_layers`, `hidden_act`, `layer_norm_eps` of a model of which no file says
        them. A value given here goes before one that a file says; None says nothing.

    Raises
    ------
    ModelNotFoundError
        There is no such path, or what is there is none of the known containers; says what was found.
    CorruptModelError
        A file is damaged, hostile, or not of an ALBERT.
    ParameterError
        A number is known to nobody and must be given; or the folder is a saved pipeline.
    """
    unknown = set(overrides) - set(OVERRIDES)
    if unknown:
        raise ParameterError(f"{', '.join(sorted(unknown))} cannot be given; {', '.join(OVERRIDES)} can.")
    given = {key: value for key, value in overrides.items() if value is not None}
    root = path_of(path).absolute()
    if not _exists(root):
        if root.name and root.with_name(root.name + ".index").is_file():  # as TensorFlow calls a checkpoint
            from .foreign import tensorflow

            return tensorflow.read_checkpoint(tree.of_folder(root.parent, depth=1), root.name, given)
        from .. import hints

        hint = hints.of_name(path) or " Give a folder that holds a model, or one of its archives."
        raise ModelNotFoundError(f"There is no folder or file {root}.{hint}")
    try:
        return _read_folder(root, given) if root.is_dir() else _read_file(root, given)
    except OSError as error:
        if isinstance(error, ModelNotFoundError):
            raise
        raise ModelNotFoundError(f"{root} cannot be read: {error}.") from error


def _exists(root: Path) -> bool:
    try:
        return root.exists()
    except OSError as error:  # a name that is too long, a folder that may not be looked into
        raise ModelNotFoundError(f"{root} cannot be read: {error}. Give a folder that holds a model.") from error


def _read_folder(root: Path, given: Mapping[str, object]) -> ModelFiles:
    return _read_tree(tree.of_folder(root), given)


def _read_tree(found: Tree, given: Mapping[str, object]) -> ModelFiles:
    known = _known(found)
    if known is None:
        # The error of the commonest kind is the most helpful one where some of it is there.
        if folder.CONFIG in found or any(name in found for name in folder.WEIGHT_FILES):
            return folder.read_tree(found, overrides=given)
        if PIPELINE_FILE in found:
            raise ParameterError(f"{found.where()} is a saved pipeline or stage, not a model: use PipelineModel.load.")
        raise ModelNotFoundError(_unknown(found))
    reader, where = known
    return reader(where, given)


def _read_file(root: Path, given: Mapping[str, object]) -> ModelFiles:
    from .containers import archive
    from .foreign import tensorflow

    if root.name == tensorflow.SAVED_MODEL:
        return _read_folder(root.parent, given)
    if root.suffix == ".index":
        around = tree.of_folder(root.parent, depth=1)
        return tensorflow.read_checkpoint(around, root.name.removesuffix(".index"), given)
    with root.open("rb") as file:
        start = file.read(16)
    if archive.is_gzip(start):
        return _read_tree(archive.of_tar_gz(root), given)
    if root.suffix in (".bin", ".safetensors", ".onnx"):
        around = tree.of_folder(root.parent, depth=1)
        if root.name not in around:  # its name begins with a dot
            around = Tree(around.root, "", {**around.files, root.name: FileBlob.of(root)})
        return _onnx(around, root.name, given) if root.suffix == ".onnx" else _weights(around, root.name, given)
    if archive.is_zip(start):
        return _read_tree(archive.of_zip(FileBlob.of(root), root, str(root)), given)
    raise ModelNotFoundError(
        f"{root} is a file of no kind that is read. Accepted are: {ACCEPTED}. Unpack it, or give the folder it lies in."
    )


def _weights(around: Tree, name: str, given: Mapping[str, object]) -> ModelFiles:
    return folder.read_tree(around, overrides=given, weights=name)


def _unknown(found: Tree) -> str:
    return f"{found.where()} holds no model that is known; found: {folder.describe(found)}. Accepted are: {ACCEPTED}."


def _known(found: Tree) -> tuple[Reader, Tree] | None:
    """Return the reader of what a tree holds, and the folder in it, where that is its only folder."""
    for _ in range(MAX_DESCENT):
        reader = _kind(found)
        if reader is not None:
            return reader, found
        tops = found.top()
        folders = [name for name in tops if name.endswith("/") and name not in ("__MACOSX/", "assets/")]
        if len(folders) != 1 or any(name.endswith((".index", ".onnx", ".bin")) for name in tops):
            return None
        found = found.below(folders[0])
    return None


def _kind(found: Tree) -> Reader | None:
    if METADATA in found:
        from .foreign import spark_nlp

        return spark_nlp.read_spark_nlp
    if folder.CONFIG in found and any(name in found for name in folder.WEIGHT_FILES):
        return lambda where, given: folder.read_tree(where, overrides=given)
    from .foreign import tensorflow

    if tensorflow.SAVED_MODEL in found:
        return tensorflow.read_saved_model
    prefix = tensorflow.checkpoint_prefix(found)
    if prefix is not None:
        return lambda where, given: tensorflow.read_checkpoint(where, prefix, given)
    graph = _graph_name(found)
    if graph is not None:
        return lambda where, given: _onnx(where, graph, given)
    return None


def _graph_name(found: Tree) -> str | None:
    for name in ("model.onnx", "onnx/model.onnx"):
        if name in found:
            return name
    graphs = [name for name in found.files if name.endswith(".onnx")]
    if len(graphs) > 1:
        raise CorruptModelError(
            f"{found.where()} holds several graphs: {', '.join(sorted(graphs)[:5])}. Give the path of one of them."
        )
    return graphs[0] if graphs else None


def _onnx(found: Tree, graph: str, given: Mapping[str, object]) -> ModelFiles:
    from .foreign import onnx_model

    words = vocabulary.read(found)
    if words is None and found.is_plain_folder() and not found.inside:
        words = vocabulary.read(
            tree.of_folder(found.root.parent, depth=1)
        )  # exporters put graphs into a folder of their own
    name = found.inside.rstrip("/").rpartition("/")[2] or found.root.resolve().name.partition(".")[0]
    return onnx_model.read_onnx(
        found,
        graph,
        words=words,
        hints=found.read_json(folder.CONFIG) if folder.CONFIG in found else {},
        overrides=given,
        parameters={},
        name=name,
    )
