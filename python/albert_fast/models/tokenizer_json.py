"""Turn a Unigram `tokenizer.json` back into the SentencePiece model it was made from.

Hugging Face's converter drops the piece types and, up to transformers 4, lowers the score of every piece that
ends in a digit and a comma ("3,") by 100, to imitate what the slow tokenizer does after encoding. Here the
types are found again and the scores are raised, so that the result encodes like the original `spiece.model`.
Read from files written by transformers 4.49 and 5.23 (the latter no longer lowers scores).
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CorruptModelError
from .containers import protobuf

MAX_BYTES = 256 << 20
LOWERED_BY = 100.0
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, BYTE = 1, 2, 3, 4, 6  # ModelProto.SentencePiece.Type

_CONTROL_NAMES = frozenset(("<pad>", "<s>", "</s>", "<cls>", "<sep>", "<mask>", "[PAD]", "[CLS]", "[SEP]", "[MASK]"))
_MARKER = re.compile(r"<[^<>]+>|\[[^\[\]]+\]")
_BYTE_PIECE = re.compile(r"<0x[0-9A-F]{2}>")


@dataclass(frozen=True, slots=True)
class ConvertedVocabulary:
    """A SentencePiece model and what else a `tokenizer.json` says.

    Attributes
    ----------
    spiece
        Bytes of the model file.
    lower_case, keep_accents
        Whether the normalizer lower-cases, and whether it leaves accents alone.
    added_tokens
        Tokens whose ids lie past the pieces.
    """

    spiece: bytes
    lower_case: bool
    keep_accents: bool
    added_tokens: Mapping[str, int]


def convert(path: str | os.PathLike[str]) -> ConvertedVocabulary:
    """Read a `tokenizer.json` whose model is Unigram.

    Raises
    ------
    CorruptModelError
        The file is no such tokenizer; the message names the file and the field.
    OSError
        The file cannot be opened.
    """
    path = Path(path)
    if path.stat().st_size > MAX_BYTES:
        raise CorruptModelError(f"{path} has more than {MAX_BYTES >> 20} MiB: no tokenizer is that large.")
    return convert_bytes(path.read_bytes(), str(path))


def convert_bytes(data: bytes, where: str) -> ConvertedVocabulary:
    """Read the content of a `tokenizer.json`; `where` names the file in errors. Raises as `convert` does."""
    try:
        return _convert(json.loads(data.decode("utf-8")))
    except (ValueError, RecursionError, TypeError, KeyError) as error:
        raise CorruptModelError(
            f"{where} cannot be read as a Unigram tokenizer: {error}. ALBERT needs a SentencePiece unigram "
            "vocabulary; put its spiece.model beside config.json instead."
        ) from None


def _convert(content: Any) -> ConvertedVocabulary:
    if not isinstance(content, dict) or not isinstance(content.get("model"), dict):
        raise TypeError("it has no 'model' object")
    model = content["model"]
    kind = model.get("type")
    if kind not in (None, "Unigram") or "vocab" not in model:
        raise ValueError(f"its model is of type {kind!r}, not 'Unigram'")
    vocab = _vocab(model["vocab"])
    unk_id = model.get("unk_id")
    if type(unk_id) is not int or not 0 <= unk_id < len(vocab):
        raise ValueError(f"'unk_id' is {unk_id!r}, not the id of one of its {len(vocab)} pieces")
    added = [token for token in content.get("added_tokens") or [] if isinstance(token, dict)]
    special = {token.get("content") for token in added if token.get("special") is True}
    steps = list(_steps(content.get("normalizer"))) + list(_steps(content.get("pre_tokenizer")))
    types = {step.get("type") for step in steps}
    spiece = _model_proto(
        vocab,
        unk_id,
        special,
        byte_fallback=bool(model.get("byte_fallback", False)),
        charsmap=_charsmap(steps),
        has_dummy_prefix=_has_dummy_prefix(steps),
    )
    outside = {token.get("content"): token.get("id") for token in added}
    return ConvertedVocabulary(
        spiece=spiece,
        lower_case="Lowercase" in types,
        keep_accents="StripAccents" not in types,
        added_tokens={
            name: index
            for name, index in outside.items()
            if isinstance(name, str) and type(index) is int and index >= len(vocab)
        },
    )


def _vocab(value: Any) -> list[tuple[str, float]]:
    if not isinstance(value, list) or not value:
        raise ValueError("'vocab' is not a list of pieces")
    pieces: list[tuple[str, float]] = []
    for index, item in enumerate(value):
        if not isinstance(item, list) or len(item) != 2 or not isinstance(item[0], str):
            raise ValueError(f"'vocab' entry {index} is not a piece and its score")
        score = item[1]
        if type(score) not in (int, float) or not math.isfinite(score) or abs(score) > 1e30:
            raise ValueError(f"'vocab' entry {index} has the score {score!r}")
        pieces.append((item[0], float(score)))
    return pieces


def _steps(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the steps of a normalizer or pre-tokenizer, sequences unfolded."""
    waiting = [value]
    while waiting:
        step = waiting.pop(0)
        if not isinstance(step, dict):
            continue
        inner = step.get("normalizers") or step.get("pretokenizers")
        if isinstance(inner, list):
            waiting = inner + waiting
        else:
            yield step


def _charsmap(steps: list[dict[str, Any]]) -> bytes:
    for step in steps:
        if step.get("type") == "Precompiled":
            text = step.get("precompiled_charsmap")
            if not isinstance(text, str):
                raise ValueError("'precompiled_charsmap' is no text")
            try:
                return base64.b64decode(text, validate=True)
            except binascii.Error as error:
                raise ValueError(f"'precompiled_charsmap' is not base64 ({error})") from None
    return b""


def _has_dummy_prefix(steps: list[dict[str, Any]]) -> bool:
    for step in steps:
        if step.get("type") == "Metaspace":
            if step.get("replacement", "▁") != "▁":
                raise ValueError(f"its Metaspace replacement is {step['replacement']!r}, not '▁'")
            scheme = step.get("prepend_scheme")
            # Writers before tokenizers 0.15 leave a flag in place of the scheme.
            return scheme != "never" if isinstance(scheme, str) else step.get("add_prefix_space") is not False
    return True


def _is_number_comma(piece: str) -> bool:
    return len(piece) >= 2 and piece[-1] == "," and piece[-2].isdigit()


def _piece_type(piece: str, score: float, is_unk: bool, special: set[Any], byte_fallback: bool) -> int:
    if is_unk:
        return UNKNOWN
    if byte_fallback and _BYTE_PIECE.fullmatch(piece):
        return BYTE
    # Only pieces that were never trained have score 0; a trained one is a log probability below it.
    if score != 0.0:
        return NORMAL
    is_marker = piece in _CONTROL_NAMES or (piece in special and _MARKER.fullmatch(piece) is not None)
    return CONTROL if is_marker else USER_DEFINED


def _model_proto(
    vocab: list[tuple[str, float]],
    unk_id: int,
    special: set[Any],
    *,
    byte_fallback: bool,
    charsmap: bytes,
    has_dummy_prefix: bool,
) -> bytes:
    out = bytearray()
    for index, (piece, found) in enumerate(vocab):
        # A log probability under -100 does not occur in a trained vocabulary.
        is_lowered = found <= -LOWERED_BY and _is_number_comma(piece)
        score = found + LOWERED_BY if is_lowered else found
        kind = _piece_type(piece, score, index == unk_id, special, byte_fallback)
        message = protobuf.put_bytes(1, piece.encode("utf-8")) + protobuf.put_float(2, score)
        if kind != NORMAL:
            message += protobuf.put_int(3, kind)
        out += protobuf.put_bytes(1, message)
    trainer = protobuf.put_int(3, 1) + protobuf.put_int(4, len(vocab))  # model_type UNIGRAM, vocab_size
    trainer += protobuf.put_int(35, int(byte_fallback)) + protobuf.put_int(40, unk_id)
    trainer += protobuf.put_bytes(45, vocab[unk_id][0].encode("utf-8"))
    normalizer = protobuf.put_bytes(1, b"from_tokenizer_json") + protobuf.put_bytes(2, charsmap)
    normalizer += protobuf.put_int(3, int(has_dummy_prefix)) + protobuf.put_int(4, 1) + protobuf.put_int(5, 1)
    return bytes(out + protobuf.put_bytes(2, trainer) + protobuf.put_bytes(3, normalizer))
