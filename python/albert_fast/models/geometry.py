"""The sizes of an ALBERT: read from config.json, and the tensors that follow from them."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CorruptModelError, ParameterError

_LAYER = re.compile(r"encoder\.albert_layer_groups\.(\d{1,4})\.albert_layers\.(\d{1,4})\.")
MAX_CONFIG_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Geometry:
    """Everything about an ALBERT's arithmetic that its tensors do not say, and their sizes.

    `hidden_act` is one of "gelu" (exact), "gelu_new" (tanh) and "relu".
    """

    vocab_size: int
    embedding_size: int
    hidden_size: int
    num_hidden_layers: int
    num_hidden_groups: int
    inner_group_num: int
    num_attention_heads: int
    intermediate_size: int
    max_position_embeddings: int
    type_vocab_size: int
    hidden_act: str
    layer_norm_eps: float


# Names of transformers' activations -> the three formulas that the core has. gelu_fast, gelu_accurate and
# gelu_pytorch_tanh are the tanh formula in other words; gelu_python is the exact one.
_ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_python": "gelu",
    "gelu_new": "gelu_new",
    "gelu_fast": "gelu_new",
    "gelu_accurate": "gelu_new",
    "gelu_pytorch_tanh": "gelu_new",
    "relu": "relu",
}

# key -> (default, least, most); the defaults are those of transformers' AlbertConfig. Keys without a default
# must be there, because a wrong guess would give wrong vectors or a confusing message about shapes.
_SIZES: dict[str, tuple[int | None, int, int]] = {
    "vocab_size": (None, 1, 1 << 22),
    "embedding_size": (128, 1, 1 << 16),
    "hidden_size": (None, 1, 1 << 16),
    "num_hidden_layers": (None, 1, 1024),
    "num_hidden_groups": (1, 1, 1024),
    "inner_group_num": (1, 1, 1024),
    "num_attention_heads": (None, 1, 1 << 12),
    "intermediate_size": (None, 1, 1 << 20),
    "max_position_embeddings": (512, 3, 1 << 20),
    "type_vocab_size": (2, 1, 1 << 16),
}


# Sizes that a caller may say where the file does not, with the value of ALBERT base.
_SAYABLE = {"num_hidden_layers": 12, "num_attention_heads": 12}


def read_config(
    path: str | os.PathLike[str], given: Mapping[str, Any] | None = None
) -> tuple[Geometry, dict[str, Any]]:
    """Read a Hugging Face (or Google) ALBERT configuration.

    Parameters
    ----------
    path
        The file.
    given
        Values that the caller says; they go before those of the file.

    Returns
    -------
    tuple
        The geometry and the file's whole content.

    Raises
    ------
    ParameterError
        A value of the caller's cannot be.
    CorruptModelError
        The file is no JSON object, describes another kind of model, or has a value that cannot be.
    OSError
        The file cannot be opened.
    """
    path = Path(path)
    if path.stat().st_size > MAX_CONFIG_BYTES:
        raise CorruptModelError(f"{path} has more than {MAX_CONFIG_BYTES >> 20} MiB: that is no model configuration.")
    try:
        content = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise CorruptModelError(f"{path} is not JSON ({error}). Fetch the model's config.json again.") from None
    if not isinstance(content, dict):
        raise CorruptModelError(f"{path} is not a JSON object. Fetch the model's config.json again.")
    given = given or {}
    return parse_config({**content, **given}, str(path), given), content


def parse_config(content: Mapping[str, Any], where: str, given: Collection[str] = ()) -> Geometry:
    """Check configuration values and return the geometry.

    Parameters
    ----------
    content
        The values.
    where
        Their file, for errors.
    given
        Names of those that the caller said as keywords of `load`; an error of theirs is a ParameterError.
    """
    _check_kind(content, where)
    sizes = {key: _size(content, key, where, given) for key in _SIZES}
    if sizes["hidden_size"] % sizes["num_attention_heads"]:
        if "num_attention_heads" in given:
            raise ParameterError(
                f"num_attention_heads={sizes['num_attention_heads']} was given, but hidden_size "
                f"{sizes['hidden_size']} of {where} is not a multiple of it. Give the model's own number."
            )
        raise CorruptModelError(
            f"{where}: hidden_size {sizes['hidden_size']} is not a multiple of num_attention_heads "
            f"{sizes['num_attention_heads']}. Correct the configuration."
        )
    if sizes["num_hidden_groups"] > sizes["num_hidden_layers"]:
        if "num_hidden_layers" in given:
            raise ParameterError(
                f"num_hidden_layers={sizes['num_hidden_layers']} was given, but {where} has "
                f"{sizes['num_hidden_groups']} groups of layers. Give the model's own number."
            )
        raise CorruptModelError(
            f"{where}: num_hidden_groups {sizes['num_hidden_groups']} is more than num_hidden_layers "
            f"{sizes['num_hidden_layers']}. Correct the configuration."
        )
    activation, epsilon = _activation(content, where, given), _epsilon(content, where, given)
    return Geometry(**sizes, hidden_act=activation, layer_norm_eps=epsilon)


def _check_kind(content: Mapping[str, Any], where: str) -> None:
    kind = content.get("model_type")
    if kind is not None and kind != "albert":
        raise CorruptModelError(
            f"{where} describes a model of type {kind!r}, not 'albert'. albert_fast runs ALBERT models only."
        )
    architectures = content.get("architectures")
    if kind is None and isinstance(architectures, list) and architectures:
        names = [str(name) for name in architectures]
        if not any("albert" in name.lower() for name in names):
            raise CorruptModelError(f"{where} describes {', '.join(names)}. albert_fast runs ALBERT models only.")
    position = content.get("position_embedding_type", "absolute")
    if position != "absolute":
        raise CorruptModelError(
            f"{where}: position_embedding_type is {position!r}; albert_fast has 'absolute' only, which every "
            "published ALBERT uses."
        )


def _wrong(key: str, value: object, allowed: str, where: str, given: Collection[str]) -> Exception:
    if key in given:
        return ParameterError(f"{key}={value!r} was given; it must be {allowed}.")
    return CorruptModelError(f"{where}: {key} is {value!r}, expected {allowed}.")


def _size(content: Mapping[str, Any], key: str, where: str, given: Collection[str]) -> int:
    default, least, most = _SIZES[key]
    value = content.get(key, default)
    if value is None:
        say_it = f", or say it: load(..., {key}={_SAYABLE[key]})" if key in _SAYABLE else ""
        raise CorruptModelError(f"{where} has no {key!r}. Fetch the model's config.json again{say_it}.")
    if type(value) is not int or not least <= value <= most:
        raise _wrong(key, value, f"a whole number from {least} to {most}", where, given)
    return value


def _activation(content: Mapping[str, Any], where: str, given: Collection[str]) -> str:
    name = content.get("hidden_act", "gelu_new")
    if not isinstance(name, str) or name not in _ACTIVATIONS:
        raise _wrong("hidden_act", name, f"one of {', '.join(sorted(_ACTIVATIONS))}", where, given)
    return _ACTIVATIONS[name]


def _epsilon(content: Mapping[str, Any], where: str, given: Collection[str]) -> float:
    value = content.get("layer_norm_eps", 1e-12)
    if type(value) not in (int, float) or not math.isfinite(value) or not 0.0 <= value <= 0.1:
        raise _wrong("layer_norm_eps", value, "a number from 0 to 0.1", where, given)
    return float(value)


def sizes_of(shapes: Mapping[str, tuple[int, ...]], where: str) -> dict[str, int]:
    """Return the configuration values that tensors show; `shapes` is by Hugging Face's names without prefix.

    Raises
    ------
    CorruptModelError
        A tensor that shows them is missing or has another number of dimensions.
    """

    def shape(name: str, dimensions: int) -> tuple[int, ...]:
        found = shapes.get(name, ())
        if len(found) != dimensions:
            shown = f"the shape {list(found)}" if name in shapes else "no such tensor"
            raise CorruptModelError(f"{where}: {name!r} should have {dimensions} dimensions, but there is {shown}.")
        return found

    vocab, embedding = shape("embeddings.word_embeddings.weight", 2)
    layers = [match for name in shapes if (match := _LAYER.match(name))]
    if not layers:
        raise CorruptModelError(f"{where} has no layer of an ALBERT. Give the weights of an ALBERT.")
    return {
        "vocab_size": vocab,
        "embedding_size": embedding,
        "hidden_size": shape("encoder.embedding_hidden_mapping_in.weight", 2)[0],
        "num_hidden_groups": 1 + max(int(match[1]) for match in layers),
        "inner_group_num": 1 + max(int(match[2]) for match in layers),
        "intermediate_size": shape("encoder.albert_layer_groups.0.albert_layers.0.ffn.bias", 1)[0],
        "max_position_embeddings": shape("embeddings.position_embeddings.weight", 2)[0],
        "type_vocab_size": shape("embeddings.token_type_embeddings.weight", 2)[0],
    }


POOLER = ("pooler.weight", "pooler.bias")


def tensor_shapes(geometry: Geometry) -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor that the geometry needs, the optional pooler last.

    Names are Hugging Face's without the ``albert.`` prefix; matrices are ``[out, in]``.
    """
    e, h, f = geometry.embedding_size, geometry.hidden_size, geometry.intermediate_size
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (geometry.vocab_size, e),
        "embeddings.position_embeddings.weight": (geometry.max_position_embeddings, e),
        "embeddings.token_type_embeddings.weight": (geometry.type_vocab_size, e),
        "embeddings.LayerNorm.weight": (e,),
        "embeddings.LayerNorm.bias": (e,),
        "encoder.embedding_hidden_mapping_in.weight": (h, e),
        "encoder.embedding_hidden_mapping_in.bias": (h,),
    }
    for group in range(geometry.num_hidden_groups):
        for inner in range(geometry.inner_group_num):
            prefix = f"encoder.albert_layer_groups.{group}.albert_layers.{inner}."
            for name in ("query", "key", "value", "dense"):
                shapes[f"{prefix}attention.{name}.weight"] = (h, h)
                shapes[f"{prefix}attention.{name}.bias"] = (h,)
            shapes[f"{prefix}attention.LayerNorm.weight"] = (h,)
            shapes[f"{prefix}attention.LayerNorm.bias"] = (h,)
            shapes[f"{prefix}ffn.weight"] = (f, h)
            shapes[f"{prefix}ffn.bias"] = (f,)
            shapes[f"{prefix}ffn_output.weight"] = (h, f)
            shapes[f"{prefix}ffn_output.bias"] = (h,)
            shapes[f"{prefix}full_layer_layer_norm.weight"] = (h,)
            shapes[f"{prefix}full_layer_layer_norm.bias"] = (h,)
    shapes["pooler.weight"] = (h, h)
    shapes["pooler.bias"] = (h,)
    return shapes
