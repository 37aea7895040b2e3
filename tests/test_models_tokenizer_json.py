"""A Unigram tokenizer.json gives the SentencePiece model back that it was made from."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import sentencepiece

import make_model
from albert_fast.errors import CorruptModelError
from albert_fast.models import tokenizer_json
from albert_fast.models.containers import protobuf


def pieces(model: bytes) -> list[tuple[bytes, bytes, int]]:
    """Return (text, bits of the score, type) of every piece."""
    found = []
    for number, _, value in protobuf.fields(model):
        if number == 1 and isinstance(value, memoryview):
            inner = {n: v for n, _, v in protobuf.fields(value)}
            text, score, kind = inner[1], inner.get(2, b"\0\0\0\0"), inner.get(3, 1)
            assert not isinstance(text, int)
            assert not isinstance(score, int)
            assert isinstance(kind, int)
            found.append((bytes(text), bytes(score), kind))
    return found


def encoded(model: bytes, texts: list[str]) -> list[Any]:
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    return [processor.encode(texts), processor.encode(texts, out_type=str)]


TEXTS = [
    *make_model.prose()[::7],
    'in 1,234 of 5,678, cases (3,) - "x" £3, €4, ﬁ ½ \uff26\uff55\uff4c\uff4c',
    "  two  blanks ",
    "",
    "[CLS] <pad> [MASK] <unk>",
    "日本 🙂 \u200b e\u0301",
]


def number_commas() -> bytes:
    """Return a vocabulary that has pieces such as "3," (the default training splits them)."""
    lines = [f"in {year}, and {year}, again" for year in range(10, 60)] * 20 + make_model.prose()
    return make_model.train_vocabulary(
        vocab_size=500, sentences=lines, split_by_unicode_script=False, split_by_number=False
    )


@pytest.fixture(scope="module", name="original")
def _original() -> bytes:
    model = number_commas()
    assert any(re.search(rb"\d,$", text) for text, _, _ in pieces(model)), "the corpus must give such pieces"
    return model


def test_pieces_scores_and_types_come_back_exactly(tmp_path: Path, original: bytes) -> None:
    path = tmp_path / "tokenizer.json"
    make_model.write_tokenizer_json(path, original)
    lowered = [score for text, score in json.loads(path.read_text("utf-8"))["model"]["vocab"] if score < -100]
    assert lowered, "the file must have lowered scores, as transformers 4 writes them"
    converted = tokenizer_json.convert(path)
    assert pieces(converted.spiece) == pieces(original)
    assert encoded(converted.spiece, TEXTS) == encoded(original, TEXTS)
    assert (converted.lower_case, converted.keep_accents, dict(converted.added_tokens)) == (True, False, {})


def test_files_of_transformers_5_keep_their_scores(tmp_path: Path, original: bytes) -> None:
    path = tmp_path / "tokenizer.json"
    make_model.write_tokenizer_json(path, original)
    content = json.loads(path.read_text("utf-8"))
    for entry in content["model"]["vocab"]:
        entry[1] += 100.0 if entry[1] < -100 else 0.0
    content["added_tokens"] += [
        {"id": i, "content": s, "special": False} for i, s in enumerate(make_model.ALBERT_USER_DEFINED, 5)
    ]
    path.write_text(json.dumps(content), "utf-8")
    assert pieces(tokenizer_json.convert(path).spiece) == pieces(original)


@pytest.mark.parametrize(
    "options",
    [
        {"normalization_rule_name": "nmt_nfkc_cf"},
        {"normalization_rule_name": "identity"},
        {"user_defined_symbols": ["::", "é"]},
    ],
    ids=["case folding", "identity", "symbols"],
)
def test_other_vocabularies_encode_the_same(tmp_path: Path, options: dict[str, Any]) -> None:
    original = make_model.train_vocabulary(vocab_size=450, **options)
    make_model.write_tokenizer_json(tmp_path / "tokenizer.json", original)
    assert encoded(tokenizer_json.convert(tmp_path / "tokenizer.json").spiece, TEXTS) == encoded(original, TEXTS)


@pytest.mark.parametrize("old_layout", [False, True])
def test_dummy_prefix_is_read_from_metaspace(tmp_path: Path, original: bytes, old_layout: bool) -> None:
    path = tmp_path / "tokenizer.json"
    make_model.write_tokenizer_json(path, original)
    content = json.loads(path.read_text("utf-8"))
    space: dict[str, Any] = {"type": "Metaspace", "replacement": "▁"}
    space.update({"add_prefix_space": False} if old_layout else {"prepend_scheme": "never"})
    content["pre_tokenizer"] = space
    path.write_text(json.dumps(content), "utf-8")
    processor = sentencepiece.SentencePieceProcessor(model_proto=tokenizer_json.convert(path).spiece)
    assert not processor.encode("the", out_type=str)[0].startswith("▁")


def test_tokens_past_the_pieces_and_case_are_reported(tmp_path: Path, original: bytes) -> None:
    path = tmp_path / "tokenizer.json"
    make_model.write_tokenizer_json(path, original)
    content = json.loads(path.read_text("utf-8"))
    content["added_tokens"].append({"id": 500, "content": "[EXTRA]", "special": True})
    content["normalizer"]["normalizers"] = [
        step for step in content["normalizer"]["normalizers"] if step["type"] not in ("Lowercase", "StripAccents")
    ]
    path.write_text(json.dumps(content), "utf-8")
    converted = tokenizer_json.convert(path)
    assert dict(converted.added_tokens) == {"[EXTRA]": 500}
    assert (converted.lower_case, converted.keep_accents) == (False, True)
    assert len(pieces(converted.spiece)) == 500


def _spoil(content: dict[str, Any], what: str) -> Any:
    model = content["model"]
    if what == "WordPiece":
        model["type"] = "WordPiece"
    elif what == "no model":
        del content["model"]
    elif what == "list":
        return [content]
    elif what == "no pieces":
        model["vocab"] = []
    elif what == "vocab of strings":
        model["vocab"] = ["a", "b"]
    elif what == "score text":
        model["vocab"][5] = ["(", "0"]
    elif what == "score infinite":
        model["vocab"][5] = ["(", 1e400]
    elif what == "unk far":
        model["unk_id"] = 10**6
    elif what == "unk null":
        model["unk_id"] = None
    elif what == "no base64":
        content["normalizer"] = {"type": "Precompiled", "precompiled_charsmap": "%%%"}
    elif what == "other blank":
        content["pre_tokenizer"] = {"type": "Metaspace", "replacement": "_"}
    return content


@pytest.mark.parametrize(
    "what",
    [
        "WordPiece",
        "no model",
        "list",
        "no pieces",
        "vocab of strings",
        "score text",
        "score infinite",
        "unk far",
        "unk null",
        "no base64",
        "other blank",
    ],
)
def test_other_files_are_refused(tmp_path: Path, original: bytes, what: str) -> None:
    path = tmp_path / "tokenizer.json"
    make_model.write_tokenizer_json(path, original)
    path.write_text(json.dumps(_spoil(json.loads(path.read_text("utf-8")), what)), "utf-8")
    with pytest.raises(CorruptModelError, match=r"tokenizer\.json"):
        tokenizer_json.convert(path)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[" * 200_000, b"null"])
def test_files_that_are_no_json_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(data)
    with pytest.raises(CorruptModelError):
        tokenizer_json.convert(path)


def test_the_real_vocabulary_survives(tmp_path: Path) -> None:
    golden = os.environ.get("ALBERT_FAST_GOLDEN")
    if not golden:
        pytest.skip("skipped: no golden folder")
    original = (Path(golden) / "sparknlp/models/hf_folder/spiece.model").read_bytes()
    make_model.write_tokenizer_json(tmp_path / "tokenizer.json", original)
    converted = tokenizer_json.convert(tmp_path / "tokenizer.json")
    assert pieces(converted.spiece) == pieces(original)
    texts = json.loads((Path(golden) / "texts/texts.json").read_text("utf-8"))
    assert encoded(converted.spiece, texts) == encoded(original, texts)
