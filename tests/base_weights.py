"""The random albert-base whose outputs Hugging Face computed in float64 (`tests/data/base_check.npz`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import make_model

BASE: dict[str, Any] = {
    "vocab_size": 30000,
    "embedding_size": 128,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_hidden_groups": 1,
    "inner_group_num": 1,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "hidden_act": "gelu_new",
    "layer_norm_eps": 1e-12,
}


def base_weights() -> dict[str, NDArray[np.float32]]:
    """Draw the weights in the order in which they were drawn for the golden outputs: NumPy's generator, seed 0."""
    random = np.random.default_rng(0)
    e, h, f = BASE["embedding_size"], BASE["hidden_size"], BASE["intermediate_size"]
    weights: dict[str, NDArray[np.float32]] = {}

    def draw(name: str, mean: float, spread: float, *shape: int) -> None:
        values = random.normal(0, spread, shape)
        weights[name] = (mean + values).astype(np.float32)

    def linear(name: str, rows: int, columns: int) -> None:
        draw(name + ".weight", 0, 0.04 * (768 / columns) ** 0.5, rows, columns)
        draw(name + ".bias", 0, 0.05, rows)

    def norm(name: str, size: int) -> None:
        draw(name + ".weight", 1, 0.1, size)
        draw(name + ".bias", 0, 0.05, size)

    draw("embeddings.word_embeddings.weight", 0, 0.04, BASE["vocab_size"], e)
    draw("embeddings.position_embeddings.weight", 0, 0.02, BASE["max_position_embeddings"], e)
    draw("embeddings.token_type_embeddings.weight", 0, 0.02, BASE["type_vocab_size"], e)
    norm("embeddings.LayerNorm", e)
    linear("encoder.embedding_hidden_mapping_in", h, e)
    layer = "encoder.albert_layer_groups.0.albert_layers.0."
    for name in ("query", "key", "value", "dense"):
        linear(layer + "attention." + name, h, h)
    norm(layer + "attention.LayerNorm", h)
    linear(layer + "ffn", f, h)
    linear(layer + "ffn_output", h, f)
    norm(layer + "full_layer_layer_norm", h)
    linear("pooler", h, h)
    return weights


OUTLIER_CHANNELS = (7, 95, 301, 420, 555, 730)


def outlier_weights() -> dict[str, NDArray[np.float32]]:
    """Return those weights with six channels that LayerNorm makes 20 times as loud, read 20 times as softly."""
    weights = base_weights()
    channels = list(OUTLIER_CHANNELS)
    layer = "encoder.albert_layer_groups.0.albert_layers.0."
    for norm in ("attention.LayerNorm", "full_layer_layer_norm"):
        for part in (".weight", ".bias"):
            weights[layer + norm + part][channels] *= 20
    for name in ("attention.query", "attention.key", "attention.value", "ffn"):
        weights[layer + name + ".weight"][:, channels] /= 20
    return weights


def write_base(folder: Path, weights: dict[str, NDArray[np.float32]] | None = None) -> Path:
    """Write that model as a Hugging Face folder, with few pieces in use (the goldens begin at piece ids)."""
    folder.mkdir(parents=True, exist_ok=True)
    make_model.save_safetensors(folder / "model.safetensors", base_weights() if weights is None else weights)
    (folder / "config.json").write_text(json.dumps(make_model.config(BASE)))
    (folder / "spiece.model").write_bytes(make_model.padded(make_model.vocabulary(), BASE["vocab_size"]))
    return folder
