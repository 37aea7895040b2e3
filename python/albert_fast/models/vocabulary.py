"""Find and read a model's vocabulary: a SentencePiece model, or a Unigram `tokenizer.json` made from one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CorruptModelError
from . import tokenizer_json
from .containers import protobuf
from .containers.tree import Tree

# In order of preference; the second is where Spark NLP wants it, the third is Google's own name, then Spark NLP's.
VOCABULARIES = ("spiece.model", "assets/spiece.model", "30k-clean.model", "assets/30k-clean.model", "albert_spp")
TOKENIZER = "tokenizer.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
ADDED_TOKENS = "added_tokens.json"
MAX_SPIECE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Bytes of a SentencePiece model, and what else stands beside it.

    Attributes
    ----------
    where
        The file, for errors.
    lower_case
        Whether the folder says that texts are lower-cased first; None where it says nothing.
    added_tokens
        Tokens with an id past the pieces.
    """

    where: str
    spiece: bytes
    pieces: int
    lower_case: bool | None = None
    keep_accents: bool = False
    added_tokens: Mapping[str, int] = dataclasses.field(default_factory=dict)


def find(tree: Tree) -> str | None:
    """Return the name of the vocabulary file, None where there is none."""
    return next((name for name in (*VOCABULARIES, TOKENIZER) if name in tree), _only_model(tree))


def _only_model(tree: Tree) -> str | None:
    """Return the one file that is called as a SentencePiece model is: Google's other checkpoints name it freely."""
    named = [name for name in tree.files if name.endswith(".model") and name.removeprefix("assets/").count("/") == 0]
    return named[0] if len(named) == 1 else None


def read(tree: Tree) -> Vocabulary | None:
    """Read the vocabulary of a tree, None where it has none.

    Raises
    ------
    CorruptModelError
        The file is no SentencePiece model and no Unigram tokenizer.
    """
    name = find(tree)
    if name is None:
        return None
    settings = _read_object(tree, TOKENIZER_CONFIG)
    lower_case, keep_accents = settings.get("do_lower_case"), settings.get("keep_accents")
    added = {k: v for k, v in _read_object(tree, ADDED_TOKENS).items() if type(v) is int}
    where = tree.where(name)
    if name == TOKENIZER:
        converted = tokenizer_json.convert_bytes(tree.read(name, tokenizer_json.MAX_BYTES), where)
        spiece = converted.spiece
        added = {**converted.added_tokens, **added}
        lower_case = converted.lower_case if lower_case is None else lower_case
        keep_accents = converted.keep_accents if keep_accents is None else keep_accents
    else:
        spiece = tree.read(name, MAX_SPIECE_BYTES)
    pieces = _count_pieces(spiece, where)
    return Vocabulary(
        where=where,
        spiece=spiece,
        pieces=pieces,
        lower_case=lower_case if isinstance(lower_case, bool) else None,
        keep_accents=keep_accents is True,
        added_tokens={token: index for token, index in added.items() if index >= pieces},
    )


def _read_object(tree: Tree, name: str) -> dict[str, Any]:
    """Return the content of an optional JSON file of settings; an unreadable one counts as absent."""
    try:
        return tree.read_json(name) if name in tree else {}
    except (OSError, CorruptModelError):
        return {}


def _count_pieces(spiece: bytes, where: str | Path) -> int:
    if spiece.startswith(b"version https://git-lfs"):
        raise CorruptModelError(
            f"{where} is a Git LFS pointer, not the vocabulary itself. Run 'git lfs pull' in the repository it came "
            "from."
        )
    try:
        count = protobuf.count_messages(spiece)
    except protobuf.WireError as error:
        raise CorruptModelError(
            f"{where} is not a SentencePiece model ({error}). The file is damaged or incomplete: fetch it again."
        ) from None
    if count == 0:
        raise CorruptModelError(f"{where} is not a SentencePiece model: it holds no pieces. Fetch it again.")
    return count
