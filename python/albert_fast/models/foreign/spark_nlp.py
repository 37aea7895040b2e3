"""AlbertEmbeddings as Spark NLP saves it: metadata, the vocabulary, and a zip with the model of one of two engines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import CorruptModelError, ModelNotFoundError, ParameterError
from .. import vocabulary
from ..containers import archive
from ..containers.tree import Tree
from ..files import ModelFiles, assemble
from . import onnx_model, spark_metadata, tensorflow
from .spark_metadata import METADATA, PIPELINE_MODEL, Metadata

TENSORFLOW = "albert_tensorflow"
ONNX = "albert_onnx"
# Spark NLP's parameter -> our keyword argument and the types its value may have.
_PARAMETERS: dict[str, tuple[str, type]] = {
    "batchSize": ("batch_size", int),
    "caseSensitive": ("case_sensitive", bool),
    "configProtoBytes": ("config_proto_bytes", list),
    "dimension": ("dimension", int),
    "inputCols": ("input_cols", list),
    "lazyAnnotator": ("lazy_annotator", bool),
    "maxSentenceLength": ("max_sentence_length", int),
    "outputCol": ("output_col", str),
    "storageRef": ("storage_ref", str),
}


def read_spark_nlp(tree: Tree, overrides: Mapping[str, object]) -> ModelFiles:
    """Read a saved AlbertEmbeddings.

    Raises
    ------
    ParameterError
        It is a saved pipeline.
    CorruptModelError, ModelNotFoundError
        It is another stage, or a file is damaged or missing.
    """
    metadata = spark_metadata.read(tree)
    if metadata.java_class == PIPELINE_MODEL:
        raise ParameterError(_pipeline_message(tree, metadata))
    if metadata.class_name != "AlbertEmbeddings":
        raise CorruptModelError(
            f"{tree.where()} is a saved {metadata.class_name}, not AlbertEmbeddings. Give the folder of an "
            "AlbertEmbeddings model."
        )
    engine = metadata.all_params().get("engine", "tensorflow")
    kinds = {"tensorflow": TENSORFLOW, "onnx": ONNX}
    if engine not in kinds:
        raise ModelNotFoundError(
            f"{tree.where()} was saved for the engine {engine!r}; models of the engines tensorflow and onnx are read. "
            "Save it in Spark NLP with one of these."
        )
    if kinds[engine] not in tree:
        raise ModelNotFoundError(
            f"{tree.where()} was saved for the engine {engine!r} and lacks the file {kinds[engine]}. Fetch the whole "
            "model."
        )
    files = _read_tensorflow if engine == "tensorflow" else _read_onnx
    return files(tree, overrides, _parameters(metadata, tree), _model_name(tree))


def _pipeline_message(tree: Tree, metadata: Metadata) -> str:
    stages = metadata.params.get("stageUids", [])
    albert = [
        name.removesuffix(f"/{METADATA}")
        for name in sorted(tree.files)
        if name.startswith("stages/") and name.endswith(METADATA) and "ALBERT" in name
    ]
    which = f" Its AlbertEmbeddings alone is in {tree.where(albert[0])}." if albert else ""
    return (
        f"{tree.where()} is a saved pipeline of {len(stages) if isinstance(stages, list) else 'several'} stages, not a "
        f"model. Load it as a pipeline: PipelineModel.load(folder).{which}"
    )


def _parameters(metadata: Metadata, tree: Tree) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in metadata.all_params().items():
        # Nobody sets the default dimension of 768 right for a larger model; only a set one says something.
        if key not in _PARAMETERS or value is None or (key == "dimension" and key not in metadata.params):
            continue
        name, kind = _PARAMETERS[key]
        if type(value) is not kind:
            raise CorruptModelError(
                f"{tree.where(METADATA)}: {key} is {value!r}, not a {kind.__name__}. Save or fetch the model again."
            )
        found[name] = value
    return found


def _model_name(tree: Tree) -> str:
    inside = tree.inside.rstrip("/").rpartition("/")[2]
    return inside or tree.root.resolve().name.removesuffix(".zip")


def _inner_zip(tree: Tree, name: str) -> Tree:
    """Return a zip in the tree as a tree."""
    listed = archive.of_zip(tree.files[name], tree.root, tree.where(name))
    return Tree(tree.root, f"{tree.inside}{name}!", listed.files)


def _unpacked(tree: Tree, name: str, wanted: str) -> Tree:
    """Return the inner zip as a tree at whose top, or in whose only folder, the wanted file is."""
    inner = _inner_zip(tree, name)
    if wanted in inner:
        return inner
    folders = sorted(item.removesuffix("/" + wanted) for item in inner.files if item.endswith("/" + wanted))
    return inner.below(folders[0]) if len(folders) == 1 else inner


def _read_tensorflow(
    tree: Tree, overrides: Mapping[str, object], parameters: dict[str, object], name: str
) -> ModelFiles:
    inner = _unpacked(tree, TENSORFLOW, tensorflow.SAVED_MODEL)
    prefix = next((p for p in ("variables", "variables/variables") if f"{p}.index" in inner), None)
    if tensorflow.SAVED_MODEL not in inner or prefix is None:
        raise CorruptModelError(
            f"{tree.where(TENSORFLOW)} holds no saved_model.pb with variables.index. Save or fetch the model again."
        )
    found, hints = tensorflow.read_graph_and_variables(inner, tensorflow.SAVED_MODEL, prefix)
    return assemble(
        source=tree.root,
        container="spark_nlp",
        where=tree.where(TENSORFLOW),
        found=found,
        vocabulary=vocabulary.read(tree),
        hints=hints,
        overrides=overrides,
        parameters=parameters,
        name=name,
    )


def _read_onnx(tree: Tree, overrides: Mapping[str, object], parameters: dict[str, object], name: str) -> ModelFiles:
    inner = _inner_zip(tree, ONNX)
    graphs = [item for item in inner.files if not item.endswith("_data")]
    named = [item for item in graphs if item.endswith(".onnx")]
    graphs = named if len(named) == 1 else graphs
    if len(graphs) != 1:
        raise CorruptModelError(
            f"{tree.where(ONNX)} holds {len(graphs)} files that may be the graph, not one. Save or fetch it again."
        )
    beside: dict[str, Any] = {item.rpartition("/")[2]: blob for item, blob in inner.files.items() if item != graphs[0]}
    # Recent versions put the tensors' file beside the zip.
    beside |= {item: blob for item, blob in tree.files.items() if item.endswith("_data") and "/" not in item}
    return onnx_model.read_onnx(
        Tree(tree.root, inner.inside, {graphs[0]: inner.files[graphs[0]], **beside}),
        graphs[0],
        words=vocabulary.read(tree),
        hints={},
        overrides=overrides,
        parameters=parameters,
        name=name,
        container="spark_nlp",
    )
