"""Small random models for tests: vocabularies, weights and Hugging Face folders. No pytest, no network.

Everything is a pure function of its arguments (NumPy seeds, fixed text), so a failing test can be repeated.
"""

from __future__ import annotations

import base64
import inspect
import io
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

# The pieces of Google's ALBERT vocabulary that are matched before anything else, in its order.
ALBERT_CONTROL = ("[CLS]", "[SEP]", "[MASK]")
ALBERT_USER_DEFINED = ("(", ")", '"', "-", ".", "\N{EN DASH}", "£", "€")

TINY: dict[str, Any] = {
    "vocab_size": 400,
    "embedding_size": 16,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_hidden_groups": 1,
    "inner_group_num": 1,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "hidden_act": "gelu_new",
    "layer_norm_eps": 1e-12,
}


def geometry(**changes: Any) -> dict[str, Any]:
    """Return the configuration values of a tiny ALBERT, with `changes`."""
    unknown = set(changes) - set(TINY)
    if unknown:
        raise ValueError(f"no such geometry value: {sorted(unknown)}")
    return {**TINY, **changes}


# --------------------------------------------------------------------------------------------- vocabularies


def prose(lower: bool = True) -> list[str]:
    """Return lines of English prose: the docstrings of Python's standard library, some extra symbols."""
    modules = (
        "argparse",
        "json",
        "logging",
        "os",
        "re",
        "string",
        "textwrap",
        "threading",
        "unittest",
        "email",
        "csv",
    )
    text: list[str] = []
    for name in modules:
        module = __import__(name)
        text.append(inspect.getdoc(module) or "")
        for _, member in sorted(inspect.getmembers(module), key=lambda pair: pair[0]):
            try:
                text.append(inspect.getdoc(member) or "")
            except TypeError:
                continue
    text.append('in 1,234 of 5,678 cases, the price was £3.50 (or €4) \N{EN DASH} "not more". naïve café, 3,500 of 12,')
    lines = [re.sub(r"\s+", " ", line).strip() for block in text for line in block.split("\n")]
    lines = [line for line in dict.fromkeys(lines) if len(line) > 3]
    if lower:
        lines = [_strip_accents(line).lower() for line in lines]
    return lines


def _strip_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def train_vocabulary(
    path: str | Path | None = None,
    vocab_size: int = 400,
    sentences: Iterable[str] | None = None,
    **options: Any,
) -> bytes:
    """Train a SentencePiece unigram vocabulary with ALBERT's layout and return the model bytes.

    Ids: <pad> 0, <unk> 1, [CLS] 2, [SEP] 3, [MASK] 4, then the user-defined symbols of ALBERT.

    Parameters
    ----------
    path
        Where to write the model too; parent folders are made.
    vocab_size
        Number of pieces, exactly.
    sentences
        Training lines; default `prose()`.
    options
        Options of `sentencepiece.SentencePieceTrainer.train`, which override the defaults here.
    """
    import sentencepiece

    settings: dict[str, Any] = {
        "model_type": "unigram",
        "pad_id": 0,
        "unk_id": 1,
        "bos_id": -1,
        "eos_id": -1,
        "pad_piece": "<pad>",
        "control_symbols": list(ALBERT_CONTROL),
        "user_defined_symbols": list(ALBERT_USER_DEFINED),
        "normalization_rule_name": "nmt_nfkc",
        "character_coverage": 0.9995,
        "num_threads": 1,
        "minloglevel": 2,
    }
    settings.update(options)
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(prose() if sentences is None else sentences),
        model_writer=out,
        vocab_size=vocab_size,
        **settings,
    )
    data = out.getvalue()
    if path is not None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(data)
    return data


# -------------------------------------------------------------------------------------------------- weights


def weight_shapes(geo: Mapping[str, Any], pooler: bool = True) -> dict[str, tuple[int, ...]]:
    """Return Hugging Face's tensor names and shapes for a geometry, without the `albert.` prefix."""
    e, h, f = geo["embedding_size"], geo["hidden_size"], geo["intermediate_size"]
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (geo["vocab_size"], e),
        "embeddings.position_embeddings.weight": (geo["max_position_embeddings"], e),
        "embeddings.token_type_embeddings.weight": (geo["type_vocab_size"], e),
        "embeddings.LayerNorm.weight": (e,),
        "embeddings.LayerNorm.bias": (e,),
        "encoder.embedding_hidden_mapping_in.weight": (h, e),
        "encoder.embedding_hidden_mapping_in.bias": (h,),
    }
    for group in range(geo["num_hidden_groups"]):
        for inner in range(geo["inner_group_num"]):
            p = f"encoder.albert_layer_groups.{group}.albert_layers.{inner}."
            for name in ("query", "key", "value", "dense"):
                shapes[f"{p}attention.{name}.weight"] = (h, h)
                shapes[f"{p}attention.{name}.bias"] = (h,)
            for name, shape in (("ffn", (f, h)), ("ffn_output", (h, f))):
                shapes[f"{p}{name}.weight"] = shape
                shapes[f"{p}{name}.bias"] = (shape[0],)
            for name in ("attention.LayerNorm", "full_layer_layer_norm"):
                shapes[f"{p}{name}.weight"] = (h,)
                shapes[f"{p}{name}.bias"] = (h,)
    if pooler:
        shapes["pooler.weight"] = (h, h)
        shapes["pooler.bias"] = (h,)
    return shapes


def make_weights(geo: Mapping[str, Any], seed: int = 0, pooler: bool = True) -> dict[str, Array]:
    """Return random float32 weights whose activations stay of the order of one, whatever the width."""
    random = np.random.default_rng(seed)
    weights: dict[str, Array] = {}
    for name, shape in weight_shapes(geo, pooler).items():
        is_norm = "LayerNorm" in name or "layer_norm" in name
        if name.endswith(".bias"):
            values = random.normal(0.0, 0.05, shape)
        elif is_norm:
            values = 1.0 + random.normal(0.0, 0.1, shape)
        elif "_embeddings" in name:
            values = random.normal(0.0, 0.04 if "word" in name else 0.02, shape)
        else:
            # sqrt(1.2 / fan_in) keeps the variance of a linear map's output near the input's
            values = random.normal(0.0, (1.2 / max(shape[-1], 64)) ** 0.5, shape)
        weights[name] = values.astype(np.float32)
    return weights


def to_bfloat16(values: Array) -> Array:
    """Round float32 values to bfloat16 (to nearest, ties to even); uint16 bits, same shape."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    rounded = bits + 0x7FFF + ((bits >> 16) & 1)
    return (rounded >> 16).astype(np.uint16)


def from_bfloat16(bits: Array) -> Array:
    """Widen bfloat16 bits (uint16) to float32."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def save_safetensors(
    path: str | Path,
    tensors: Mapping[str, Array],
    dtype: str = "F32",
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write float arrays as a safetensors file with dtype "F32", "F16" or "BF16"."""
    header: dict[str, Any] = {"__metadata__": dict(metadata if metadata is not None else {"format": "pt"})}
    blocks: list[bytes] = []
    position = 0
    for name, values in tensors.items():
        if dtype == "F32":
            stored = np.ascontiguousarray(values, dtype="<f4")
        elif dtype == "F16":
            stored = np.ascontiguousarray(values, dtype="<f2")
        elif dtype == "BF16":
            stored = to_bfloat16(values)
        else:
            raise ValueError(f"dtype {dtype!r} is not F32, F16 or BF16")
        block = stored.tobytes()
        header[name] = {
            "dtype": dtype,
            "shape": list(stored.shape),
            "data_offsets": [position, position + len(block)],
        }
        blocks.append(block)
        position += len(block)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with Path(path).open("wb") as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for block in blocks:
            file.write(block)


# -------------------------------------------------------------------------------------------------- folders


def config(geo: Mapping[str, Any], **extra: Any) -> dict[str, Any]:
    """Return the content of Hugging Face's config.json for a geometry."""
    fixed = {
        "architectures": ["AlbertModel"],
        "model_type": "albert",
        "attention_probs_dropout_prob": 0,
        "hidden_dropout_prob": 0,
        "classifier_dropout_prob": 0.1,
        "initializer_range": 0.02,
        "pad_token_id": 0,
        "bos_token_id": 2,
        "eos_token_id": 3,
    }
    return {**fixed, **geo, **extra}


_vocabularies: dict[int, bytes] = {}


def vocabulary(vocab_size: int = 400) -> bytes:
    """Return `train_vocabulary(vocab_size=...)`, trained once in this process."""
    if vocab_size not in _vocabularies:
        _vocabularies[vocab_size] = train_vocabulary(vocab_size=vocab_size)
    return _vocabularies[vocab_size]


def padded(spiece: bytes, pieces: int) -> bytes:
    """Return a vocabulary with unused pieces at its end, so that it has as many as a matrix has rows.

    They match nothing: every text has the ids that it had.
    """
    there = sum(number == 1 for number, _ in _fields(spiece))
    unused = (f"<unused{index}>".encode() for index in range(there, pieces))
    # ModelProto.pieces: piece (a string), score (a float), type (5: UNUSED).
    entries = (b"\x0a" + bytes([len(text)]) + text + b"\x15\0\0\0\0\x18\x05" for text in unused)
    return spiece + b"".join(b"\x0a" + bytes([len(entry)]) + entry for entry in entries)


def write_folder(
    path: str | Path,
    geo: Mapping[str, Any] | None = None,
    seed: int = 0,
    dtype: str = "F32",
    *,
    prefix: str = "",
    tokenizer_json: bool = False,
    spiece: bytes | None = None,
    pooler: bool = True,
    heads: bool = False,
) -> Path:
    """Write a Hugging Face folder with random weights and return its path.

    Parameters
    ----------
    path
        Folder to write; made where missing.
    geo
        Configuration values, see `geometry`; default `TINY`.
    dtype
        Stored type of the weights: "F32", "F16" or "BF16".
    prefix
        Put in front of every encoder tensor's name, for example "albert.".
    tokenizer_json
        Write a Unigram `tokenizer.json` in place of `spiece.model`.
    spiece
        Vocabulary bytes; default: a vocabulary of `geo["vocab_size"]` pieces, trained once per process.
    heads
        Add the tensors of a masked-word head, which a reader must ignore.
    """
    geo = TINY if geo is None else geo
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config(geo), indent=1) + "\n", encoding="utf-8")
    weights = {prefix + name: values for name, values in make_weights(geo, seed, pooler).items()}
    if heads:
        weights["predictions.bias"] = np.zeros(geo["vocab_size"], np.float32)
        weights["predictions.dense.weight"] = np.zeros((geo["embedding_size"], geo["hidden_size"]), np.float32)
        weights["sop_classifier.classifier.weight"] = np.zeros((2, geo["hidden_size"]), np.float32)
    save_safetensors(folder / "model.safetensors", weights, dtype)
    data = vocabulary(geo["vocab_size"]) if spiece is None else spiece
    if tokenizer_json:
        write_tokenizer_json(folder / "tokenizer.json", data)
    else:
        (folder / "spiece.model").write_bytes(data)
    return folder


# ------------------------------------------------------------------------------------------- tokenizer.json


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Walk the fields of a protobuf message: (number, integer or bytes)."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        if key & 7 == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
        elif key & 7 == 2:
            size, at = _varint(data, at)
            yield key >> 3, data[at : at + size]
            at += size
        else:
            size = 4 if key & 7 == 5 else 8
            yield key >> 3, data[at : at + size]
            at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, at


def write_tokenizer_json(path: str | Path, spiece: bytes) -> None:
    """Write a SentencePiece model as the `tokenizer.json` that Hugging Face's AlbertTokenizerFast leaves.

    The layout (order of normalizers, added tokens, lowered scores of pieces such as "3,") was taken from
    files that transformers 4.49 wrote.
    """
    pieces: list[tuple[str, float, int]] = []
    charsmap = b""
    for number, value in _fields(spiece):
        if number == 1 and isinstance(value, bytes):
            piece = dict(_fields(value))
            text, score, kind = piece[1], piece.get(2, b"\0\0\0\0"), piece.get(3, 1)
            assert isinstance(text, bytes)
            assert isinstance(score, bytes)
            assert isinstance(kind, int)
            pieces.append((text.decode(), float(np.frombuffer(score, "<f4")[0]), kind))
        elif number == 3 and isinstance(value, bytes):
            charsmap = next((v for n, v in _fields(value) if n == 2 and isinstance(v, bytes)), b"")
    special = {"[CLS]", "[SEP]", "<pad>", "<unk>", "[MASK]"}
    encoded = base64.b64encode(charsmap).decode()
    precompiled = [{"type": "Precompiled", "precompiled_charsmap": encoded}] if charsmap else []
    added = [
        {
            "id": index,
            "content": text,
            "single_word": False,
            "lstrip": text == "[MASK]",
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for index, (text, _, _) in enumerate(pieces)
        if text in special
    ]
    vocab = [
        [text, score - 100.0 if re.fullmatch(r".*\d,", text) and kind == 1 else score] for text, score, kind in pieces
    ]
    content = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "Replace", "pattern": {"String": "``"}, "content": '"'},
                {"type": "Replace", "pattern": {"String": "''"}, "content": '"'},
                {"type": "NFKD"},
                {"type": "StripAccents"},
                {"type": "Lowercase"},
                *precompiled,
            ],
        },
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "WhitespaceSplit"},
                {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
            ],
        },
        "post_processor": None,
        "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
        "model": {
            "type": "Unigram",
            "unk_id": next(index for index, (_, _, kind) in enumerate(pieces) if kind == 2),
            "vocab": vocab,
            "byte_fallback": False,
        },
    }
    Path(path).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
