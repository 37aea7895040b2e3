"""TensorFlow's names of ALBERT's variables -> Hugging Face's.

Google's scopes: `modeling.py` of google-research/albert, under whatever prefix a hub module adds; and
`AlbertEncoder` of the TensorFlow model garden, from which TF-Hub's modules for TensorFlow 2 are made. Hugging
Face's: `TFAlbertModel`, as its variables and its object graph name them.
"""

from __future__ import annotations

import re

# Scope below the encoder or a layer -> module of Hugging Face.
_LAYER_SCOPES = {
    "attention_1/self/query": "attention.query",
    "attention_1/self/key": "attention.key",
    "attention_1/self/value": "attention.value",
    "attention_1/output/dense": "attention.dense",
    "LayerNorm": "attention.LayerNorm",
    "ffn_1/intermediate/dense": "ffn",
    "ffn_1/intermediate/output/dense": "ffn_output",
    "LayerNorm_1": "full_layer_layer_norm",
    "attention/query": "attention.query",
    "attention/key": "attention.key",
    "attention/value": "attention.value",
    "attention/dense": "attention.dense",
    "attention/LayerNorm": "attention.LayerNorm",
    "ffn": "ffn",
    "ffn_output": "ffn_output",
    "full_layer_layer_norm": "full_layer_layer_norm",
}
_SCOPES = {
    "embeddings/LayerNorm": "embeddings.LayerNorm",
    "encoder/embedding_hidden_mapping_in": "encoder.embedding_hidden_mapping_in",
    "pooler/dense": "pooler",
    "pooler": "pooler",
}
# The model garden has one group of one layer, and tables of other names.
_GARDEN = {
    "word_embeddings/embeddings": "embeddings.word_embeddings.weight",
    "position_embedding/embeddings": "embeddings.position_embeddings.weight",
    "type_embeddings/embeddings": "embeddings.token_type_embeddings.weight",
}
_GARDEN_SCOPES = {
    "embeddings/layer_norm": "embeddings.LayerNorm",
    "embedding_projection": "encoder.embedding_hidden_mapping_in",
    "pooler_transform": "pooler",
}
_GARDEN_LAYER = {
    "self_attention/query": "attention.query",
    "self_attention/key": "attention.key",
    "self_attention/value": "attention.value",
    "self_attention/attention_output": "attention.dense",
    "self_attention_layer_norm": "attention.LayerNorm",
    "intermediate": "ffn",
    "output": "ffn_output",
    "output_layer_norm": "full_layer_layer_norm",
}
_LEAVES = {"kernel": "weight", "bias": "bias", "gamma": "weight", "beta": "bias"}
_TABLE = re.compile(r"(?:^|/)embeddings/(word|position|token_type)_embeddings(?:/weight|/embeddings|/embedding)?$")
_LAYER = re.compile(
    r"(?:^|/)encoder/(?:transformer/group_(\d{1,4})/inner_group_(\d{1,4})"
    r"|albert_layer_groups/(\d{1,4})/albert_layers/(\d{1,4}))/(.+)/(kernel|bias|gamma|beta)$"
)
_OTHER = re.compile(r"(?:^|/)(embeddings/LayerNorm|encoder/embedding_hidden_mapping_in|pooler(?:/dense)?)/(\w+)$")
_OBJECT_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"


def plain(name: str) -> str:
    """Return a variable's name with "/" between scopes, whichever of TensorFlow's spellings it has."""
    name = name.removesuffix(_OBJECT_SUFFIX).partition(":")[0]
    # An object graph writes ".." for a dot and ".S" for a slash; Keras numbers a list's members "list_._0".
    return name.replace("_._", "/").replace("..", "/").replace(".S", "/").replace(".", "/")


def hugging_face(name: str) -> str | None:
    """Return Hugging Face's name without prefix; None for heads, optimizer slots and counters."""
    scoped = plain(name)
    if "OPTIMIZER_SLOT" in scoped:
        return None
    if match := _TABLE.search(scoped):
        return f"embeddings.{match[1]}_embeddings.weight"
    if match := _LAYER.search(scoped):
        module = _LAYER_SCOPES.get(match[5])
        if module is None:
            return None
        group, inner = int(match[1] or match[3]), int(match[2] or match[4])
        return f"encoder.albert_layer_groups.{group}.albert_layers.{inner}.{module}.{_LEAVES[match[6]]}"
    if match := _OTHER.search(scoped):
        leaf = _LEAVES.get(match[2])
        return None if leaf is None else f"{_SCOPES[match[1]]}.{leaf}"
    return _garden(scoped)


def _garden(scoped: str) -> str | None:
    for tail, name in _GARDEN.items():
        if scoped == tail or scoped.endswith("/" + tail):
            return name
    scope, _, leaf = scoped.rpartition("/")
    if leaf not in _LEAVES:
        return None
    if scope.startswith("transformer/") or "/transformer/" in scope:
        module = _GARDEN_LAYER.get(scope.rpartition("transformer/")[2])
        return None if module is None else f"encoder.albert_layer_groups.0.albert_layers.0.{module}.{_LEAVES[leaf]}"
    for tail, module in _GARDEN_SCOPES.items():
        if scope == tail or scope.endswith("/" + tail):
            return f"{module}.{_LEAVES[leaf]}"
    return None


def is_turned(name: str) -> bool:
    """Whether TensorFlow stores the matrix of this name as [in, out], the transpose of Hugging Face's."""
    return plain(name).endswith("/kernel")
