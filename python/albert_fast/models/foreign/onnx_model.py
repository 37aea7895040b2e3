"""An ONNX file as a model: re-packed for our engine where its ALBERT is recognised, else run as it is."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ...errors import CorruptModelError, ForeignGraphWarning, ModelNotFoundError
from ...warn import warn_user
from ..containers.tree import Tree
from ..files import ModelFiles, OnnxGraph, assemble, check_pieces
from ..geometry import parse_config
from ..vocabulary import Vocabulary
from . import onnx_albert, onnx_file
from .onnx_albert import NotRecognised
from .onnx_file import FLOAT, INT32, INT64, Graph

_LOG = logging.getLogger("albert_fast")
# Names of inputs -> what is fed to them.
_ROLES = {
    "input_ids": "input_ids",
    "attention_mask": "attention_mask",
    "input_mask": "attention_mask",
    "token_type_ids": "token_type_ids",
    "segment_ids": "token_type_ids",
}


def read_onnx(
    tree: Tree,
    graph_name: str,
    *,
    words: Vocabulary | None,
    hints: Mapping[str, Any],
    overrides: Mapping[str, object],
    parameters: Mapping[str, object],
    name: str,
    container: str = "onnx",
) -> ModelFiles:
    """Read an ONNX graph, a vocabulary, and what a configuration beside it says (`hints`).

    Warns
    -----
    ForeignGraphWarning
        The graph is no ALBERT of a known form and is run as it is.
    """
    graph = onnx_file.read(tree, graph_name)
    where = tree.where(graph_name)
    try:
        found = onnx_albert.recognise(graph)
    except NotRecognised as reason:
        _LOG.info("%s is run as it is: %s", where, reason)
        return _as_it_is(tree, graph_name, graph, words, hints, overrides, parameters, name, container, str(reason))
    said = {key: value for key, value in hints.items() if key not in ("num_hidden_groups", "inner_group_num")}
    return assemble(
        source=tree.root,
        container=container,
        where=where,
        found=found.tensors,
        vocabulary=words,
        hints={**said, **found.config},
        overrides=overrides,
        parameters=parameters,
        name=name,
    )


def _as_it_is(
    tree: Tree,
    graph_name: str,
    graph: Graph,
    words: Vocabulary | None,
    hints: Mapping[str, Any],
    overrides: Mapping[str, object],
    parameters: Mapping[str, object],
    name: str,
    container: str,
    reason: str,
) -> ModelFiles:
    where = tree.where(graph_name)
    inputs = _inputs(graph, where)
    hidden = onnx_albert.hidden_output(graph)
    if hidden is None or hidden.dtype != FLOAT:
        raise CorruptModelError(
            f"{where} has no output last_hidden_state of three dimensions in float32. Export the encoder without its "
            "head, in float32."
        )
    if words is None:
        raise ModelNotFoundError(
            f"{where} has no vocabulary beside it: spiece.model or a Unigram tokenizer.json. Put it there."
        )
    pooler = next((v.name for v in graph.outputs if v.name == "pooler_output" and v.dtype == FLOAT), "")
    folder = graph_name.rpartition("/")[0]
    beside = tree.below(folder) if folder else tree
    config = _sizes(graph, hidden.shape, words, hints, overrides, where)
    geometry = parse_config(config, where, overrides)
    check_pieces(words, geometry, where)
    said: dict[str, object] = {} if words.lower_case is None else {"case_sensitive": not words.lower_case}
    warn_user(
        f"{where} is not an ALBERT in a form that albert_fast re-packs ({reason}); it is run as it is, padded, which "
        "is slower and gives the last hidden state only.",
        ForeignGraphWarning,
    )
    return ModelFiles(
        source=tree.root,
        geometry=geometry,
        weights=tree.files[graph_name].source,
        tensors=(),
        spiece=words.spiece,
        pieces=words.pieces,
        parameters={**said, **parameters},
        name=name,
        keep_accents=words.keep_accents,
        added_tokens=words.added_tokens,
        config=config,
        container=container,
        overrides=dict(overrides),
        graph=OnnxGraph(
            onnx=tree.files[graph_name],
            data=tuple((item, beside.files[item]) for item in sorted(graph.data_files)),
            inputs=inputs,
            hidden=hidden.name,
            pooler=pooler,
        ),
    )


def _inputs(graph: Graph, where: str) -> tuple[tuple[str, str, bool], ...]:
    inputs = []
    for value in graph.inputs:
        role = _ROLES.get(value.name)
        if role is None or value.dtype not in (INT32, INT64):
            raise CorruptModelError(
                f"{where} has the input {value.name!r}, which is none of input_ids, attention_mask and token_type_ids "
                "in int64 or int32. Export the model with these inputs."
            )
        inputs.append((value.name, role, value.dtype == INT64))
    roles = [role for _, role, _ in inputs]
    if "input_ids" not in roles or "attention_mask" not in roles or len(set(roles)) != len(roles):
        raise CorruptModelError(
            f"{where} has the inputs {', '.join(v.name for v in graph.inputs) or 'none'}; input_ids and attention_mask "
            "are needed, once each. Export the model with these inputs."
        )
    return tuple(inputs)


def _sizes(
    graph: Graph,
    shape: tuple[int | None, ...],
    words: Vocabulary,
    hints: Mapping[str, Any],
    overrides: Mapping[str, object],
    where: str,
) -> dict[str, Any]:
    """Return a configuration; what only weights would need to know, and nothing says, is set to fit the rest."""
    table = _word_table(graph)
    hidden = shape[-1] if len(shape) == 3 and shape[-1] else hints.get("hidden_size")
    if not hidden:
        raise CorruptModelError(
            f"{where} does not say how wide its output {shape} is. Put the model's config.json beside it."
        )
    fitting = {
        "vocab_size": table[0] if table else words.pieces,
        "embedding_size": table[1] if table else 128,
        "num_hidden_layers": 1,
        "num_attention_heads": 1,
        "intermediate_size": 4 * hidden,
    }
    known = {key: value for key, value in {**hints, **overrides}.items() if value is not None}
    return {**fitting, **known, "hidden_size": hidden}


def _word_table(graph: Graph) -> tuple[int, ...] | None:
    for node in graph.nodes:
        ids, table = {"Gather": (1, 0), "EmbedLayerNormalization": (0, 2)}.get(node.op, (0, 0))
        if ids != table and len(node.inputs) > max(ids, table) and node.inputs[ids] == "input_ids":
            constant = graph.constants.get(node.inputs[table])
            if constant is not None and len(constant.shape) == 2:
                return constant.shape
    return None
