"""ALBERT from TensorFlow: Google's checkpoints and SavedModel folders, of TensorFlow 1 and 2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import CorruptModelError, ModelNotFoundError
from .. import tensors, vocabulary
from ..containers.tree import Tree
from ..files import ModelFiles, assemble
from ..tensors import TensorEntry
from . import checkpoint, graphdef, tf_names
from .checkpoint import Checkpoint

SAVED_MODEL = "saved_model.pb"
GOOGLE_CONFIG = "albert_config.json"
CONFIG = "config.json"
# What transformers takes where a config.json says nothing.
CONFIG_DEFAULTS = {"hidden_act": "gelu_new", "layer_norm_eps": 1e-12}
MAX_GRAPH = 1 << 30


def checkpoint_prefix(tree: Tree) -> str | None:
    """Return the prefix of the checkpoint at the top of a tree, None where there is none.

    Raises
    ------
    CorruptModelError
        There are several.
    """
    found = sorted(name.removesuffix(".index") for name in tree.files if name.endswith(".index") and "/" not in name)
    with_shards = [name for name in found if any(item.startswith(f"{name}.data-") for item in tree.files)]
    # Other programs call their files .index too.
    found = with_shards or ([] if any(item.endswith(".onnx") for item in tree.files) else found)
    best = [name for name in found if name.endswith("ckpt-best")]
    found = best if len(best) == 1 else found
    if len(found) > 1:
        raise CorruptModelError(
            f"{tree.where()} holds several checkpoints: {', '.join(found)}. Keep one of them in the folder."
        )
    return found[0] if found else None


def read_checkpoint(tree: Tree, prefix: str, overrides: Mapping[str, object]) -> ModelFiles:
    """Read one of Google's checkpoints: `PREFIX.index`, its shards, a configuration and a vocabulary."""
    index = checkpoint.read(tree, prefix)
    where = tree.where(f"{prefix}.index")
    return assemble(
        source=tree.root,
        container="tf_checkpoint",
        where=where,
        found=find_tensors(index, where),
        vocabulary=vocabulary.read(tree),
        hints=_configuration(tree),
        overrides=overrides,
        name=_name(tree),
    )


def read_saved_model(tree: Tree, overrides: Mapping[str, object]) -> ModelFiles:
    """Read a SavedModel folder: `saved_model.pb`, `variables/variables.*`, `assets/`."""
    prefix = "variables/variables"
    if f"{prefix}.index" not in tree:
        raise ModelNotFoundError(
            f"{tree.where(SAVED_MODEL)} needs variables/variables.index beside it. Fetch the whole folder."
        )
    found, hints = read_graph_and_variables(tree, SAVED_MODEL, prefix)
    return assemble(
        source=tree.root,
        container="tf_saved_model",
        where=tree.where(SAVED_MODEL),
        found=found,
        vocabulary=vocabulary.read(tree),
        hints={**hints, **_configuration(tree)},
        overrides=overrides,
        name=_name(tree),
    )


def read_graph_and_variables(tree: Tree, graph: str, prefix: str) -> tuple[dict[str, TensorEntry], dict[str, Any]]:
    """Return the tensors of a checkpoint, and what the graph beside it tells in Hugging Face's terms."""
    index = checkpoint.read(tree, prefix)
    found = find_tensors(index, tree.where(f"{prefix}.index"))
    bias = found.get("encoder.embedding_hidden_mapping_in.bias")
    if bias is None or not bias.shape:
        raise CorruptModelError(f"{tree.where(graph)} holds no ALBERT: it has no embedding_hidden_mapping_in.")
    parsed = graphdef.read_saved_model(tree.read(graph, MAX_GRAPH), tree.where(graph))
    hints = graphdef.hints(parsed, bias.shape[0])
    for key, variable in index.variables.items():
        if len(variable.shape) == 3 and variable.shape[0] == bias.shape[0]:  # a matrix whose heads stand apart
            name = tf_names.hugging_face(index.names.get(key, "")) or tf_names.hugging_face(key)
            if name is not None and name.endswith("attention.query.weight"):
                hints["num_attention_heads"] = variable.shape[1]
    inner = 1 + max((int(name.split(".")[4]) for name in found if name.startswith("encoder.albert_layer")), default=0)
    if "num_hidden_layers" in hints:
        hints["num_hidden_layers"] //= inner
    return found, hints


def find_tensors(index: Checkpoint, where: str) -> dict[str, TensorEntry]:
    """Return a checkpoint's variables under Hugging Face's names; matrices are seen turned to [out, in].

    Raises
    ------
    CorruptModelError
        No variable belongs to an ALBERT, or two are the same tensor.
    """
    found: dict[str, TensorEntry] = {}
    keys: dict[str, str] = {}
    for key, variable in index.variables.items():
        given = index.names.get(key, "")
        name = tf_names.hugging_face(given) or tf_names.hugging_face(key)
        if name is None:
            continue
        if name in found:
            raise CorruptModelError(f"{where} holds {name} twice, as {keys[name]!r} and {key!r}: it is not one model.")
        shape = _flat(name, variable.shape)
        strides = None
        if tf_names.is_turned(given if tf_names.hugging_face(given) else key) and len(shape) == 2:
            strides = tensors.packed_strides(shape)[::-1]
            shape = shape[::-1]
        found[name] = index.entry(key, name, shape, strides)
        keys[name] = key
    if "embeddings.word_embeddings.weight" not in found:
        shown = ", ".join(sorted(index.variables)[:5]) or "none"
        raise CorruptModelError(
            f"{where} has no variable .../embeddings/word_embeddings, so it holds no ALBERT encoder; its first "
            f"variables are: {shown}. Give the checkpoint of an ALBERT."
        )
    return found


def _flat(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a variable's shape with its heads put together: [hidden, heads, size] and the like."""
    if len(shape) == 3:
        a, b, c = shape
        return (a * b, c) if name.endswith("attention.dense.weight") else (a, b * c)
    if len(shape) == 2 and name.endswith(".bias"):
        return (shape[0] * shape[1],)
    return shape


def _configuration(tree: Tree) -> dict[str, Any]:
    """Return what stands in `config.json`, or in Google's `albert_config.json` in Hugging Face's terms."""
    if CONFIG in tree:
        return {**CONFIG_DEFAULTS, **tree.read_json(CONFIG)}
    names = [GOOGLE_CONFIG, f"assets/{GOOGLE_CONFIG}"]
    name = next((name for name in names if name in tree), None)
    if name is None:
        return {}
    content = tree.read_json(name)
    # Google's "gelu" is the formula with tanh, which Hugging Face calls "gelu_new".
    if content.get("hidden_act", "gelu") == "gelu":
        content["hidden_act"] = "gelu_new"
    content["layer_norm_eps"] = CONFIG_DEFAULTS["layer_norm_eps"]  # a constant of Google's code
    return content


def _name(tree: Tree) -> str:
    inside = tree.inside.rstrip("/").rpartition("/")[2]
    return inside or tree.root.resolve().name.removesuffix(".zip").removesuffix(".gz").removesuffix(".tar")
