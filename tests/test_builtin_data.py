"""The files of the built-in model ``albert_tiny_en``: sizes, shapes, vocabulary and what the card claims."""

from __future__ import annotations

import hashlib
import json
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parent.parent / "python/albert_fast/data/albert_tiny_en"
MODEL_FILES = ("config.json", "model.safetensors", "spiece.model")
MAX_BYTES = 3_000_000
N_PARAMETERS = 1_168_096
LAYER = "encoder.albert_layer_groups.0.albert_layers.0."


def card() -> str:
    return (FOLDER / "README.md").read_text(encoding="utf-8")


def config() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / "config.json").read_text(encoding="utf-8"))
    return content


def header_and_payload() -> tuple[dict[str, Any], bytes]:
    raw = (FOLDER / "model.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    return json.loads(raw[8 : 8 + length]), raw[8 + length :]


def expected_shapes() -> dict[str, list[int]]:
    """Hugging Face's names and shapes, derived from config.json."""
    sizes = config()
    embedding, hidden, inner = sizes["embedding_size"], sizes["hidden_size"], sizes["intermediate_size"]
    shapes = {
        "embeddings.word_embeddings.weight": [sizes["vocab_size"], embedding],
        "embeddings.position_embeddings.weight": [sizes["max_position_embeddings"], embedding],
        "embeddings.token_type_embeddings.weight": [sizes["type_vocab_size"], embedding],
    }
    linear = {
        "encoder.embedding_hidden_mapping_in": [hidden, embedding],
        LAYER + "ffn": [inner, hidden],
        LAYER + "ffn_output": [hidden, inner],
        "pooler": [hidden, hidden],
    }
    for name in ("query", "key", "value", "dense"):
        linear[LAYER + "attention." + name] = [hidden, hidden]
    for name, shape in linear.items():
        shapes[name + ".weight"], shapes[name + ".bias"] = shape, shape[:1]
    norms = {
        "embeddings.LayerNorm": embedding,
        LAYER + "attention.LayerNorm": hidden,
        LAYER + "full_layer_layer_norm": hidden,
    }
    for name, size in norms.items():
        shapes[name + ".weight"] = shapes[name + ".bias"] = [size]
    return shapes


def test_files_take_at_most_three_megabytes() -> None:
    files = [path for path in FOLDER.iterdir() if path.is_file()]
    assert {path.name for path in files} == {*MODEL_FILES, "README.md"}
    assert sum(path.stat().st_size for path in files) <= MAX_BYTES


@pytest.mark.parametrize("name", MODEL_FILES)
def test_card_records_the_sha256_of_each_file(name: str) -> None:
    recorded = re.search(rf"`{re.escape(name)}`[^\n]*`([0-9a-f]{{64}})`", card())
    assert recorded is not None, f"no SHA-256 of {name} in the model card"
    assert recorded[1] == hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()


def test_config_describes_an_albert_model() -> None:
    sizes = config()
    assert sizes["architectures"] == ["AlbertModel"]
    assert sizes["model_type"] == "albert"
    fixed = {
        "vocab_size": 8000,
        "num_hidden_groups": 1,
        "inner_group_num": 1,
        "hidden_act": "gelu_new",
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
        "layer_norm_eps": 1e-12,
        "pad_token_id": 0,
        "bos_token_id": 2,
        "eos_token_id": 3,
        "classifier_dropout_prob": 0.1,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    }
    assert {key: sizes[key] for key in fixed} == fixed
    assert sizes["hidden_size"] // sizes["num_attention_heads"] == 32
    assert sizes["hidden_size"] % sizes["num_attention_heads"] == 0
    assert sizes["intermediate_size"] == 4 * sizes["hidden_size"]


def test_weights_have_hugging_face_names_and_shapes_in_fp16() -> None:
    header, _ = header_and_payload()
    assert header.pop("__metadata__") == {"format": "pt"}
    assert {name: entry["shape"] for name, entry in header.items()} == expected_shapes()
    assert {entry["dtype"] for entry in header.values()} == {"F16"}
    assert sum(int(np.prod(entry["shape"])) for entry in header.values()) == N_PARAMETERS


def test_weights_are_finite_and_not_constant() -> None:
    header, payload = header_and_payload()
    del header["__metadata__"]
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = np.frombuffer(payload[begin:end], np.float16).astype(np.float32)
        assert np.isfinite(values).all(), name
        assert values.std() > 0, name


def test_vocabulary_has_albert_special_pieces() -> None:
    sentencepiece = pytest.importorskip("sentencepiece", reason="skipped: no sentencepiece package")
    processor = sentencepiece.SentencePieceProcessor(model_file=str(FOLDER / "spiece.model"))
    assert processor.get_piece_size() == config()["vocab_size"]
    first = [
        "<pad>",
        "<unk>",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "(",
        ")",
        '"',
        "-",
        ".",
        "\u2013",
        "\u00a3",
        "\u20ac",
    ]
    assert [processor.id_to_piece(at) for at in range(len(first))] == first
    assert processor.encode("the king loves the water.", out_type=str)[-1] == "."


def test_card_claims_at_least_one_and_a_half_nats() -> None:
    rows = re.findall(r"^\| [^|]+ \| ([0-9.]+) \| ([0-9.]+) \| \**([0-9.]+)\** \|", card(), re.MULTILINE)
    assert rows, "no loss figures in the model card"
    for loss, baseline, gain in (map(float, row) for row in rows):
        assert gain >= 1.5
        assert baseline - loss == pytest.approx(gain, abs=0.0015)
