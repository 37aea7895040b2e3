"""References -> names of the columns of vectors, in the two styles that nlu had."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import ParameterError
from ..models import models

STYLES = ("nlu1", "nlu5")
# What a vector stands for -> what its column is called, before and behind the reference's part.
_AFFIXES = {
    "nlu1": {"word": ("", "_embeddings"), "sentence": ("", "_sentence_embeddings"), "chunk": ("", "_chunk_embeddings")},
    "nlu5": {
        "word": ("word_embedding_", ""),
        "sentence": ("sentence_embedding_", ""),
        "chunk": ("chunk_embedding_", ""),
    },
}
# Parts of a reference that say what is done, not with what. nlu 5 leaves them out in front.
_ACTIONS = frozenset(
    "ner_converter spell ner_to_chunk_converter train classify ner med_ner dl match clean sentiment embed "
    "embed_sentence embed_chunk explain pos resolve_chunk resolve".split()
)


def check_style(style: str) -> str:
    """Return the style, or raise `ParameterError`."""
    if style not in STYLES:
        raise ParameterError(
            f"column_style is {style!r}; it can be 'nlu1' (en_embed_albert_embeddings, as the published model cards "
            "show) or 'nlu5' (word_embedding_albert, as nlu 3 to 5 name it)."
        )
    return style


def stems(references: Sequence[str], style: str) -> list[str]:
    """Return the part of the columns' names that stands for each reference. No two are equal."""
    if style == "nlu1":
        made = [_plain(reference) for reference in references]
    else:
        parts = [_parts(reference) for reference in references]
        made = [_shortest(number, parts) for number in range(len(parts))]
    return unique(made)


def column_name(stem: str, kind: str, style: str) -> str:
    """Return the name of a column of vectors of words, sentences or chunks."""
    before, behind = _AFFIXES[style][kind]
    return f"{before}{stem}{behind}"


def unique(names: Sequence[str]) -> list[str]:
    """Number the names that are there already: ``a, a`` -> ``a, a_2``."""
    made: list[str] = []
    for name in names:
        free, number = name, 1
        while free in made:
            number += 1
            free = f"{name}_{number}"
        made.append(free)
    return made


def _plain(reference: str) -> str:
    return re.sub(r"\W", "_", reference)


def _parts(reference: str) -> list[str]:
    skipped = _ACTIONS | {entry.lang for entry in models()}
    parts = reference.split(".")
    while len(parts) > 1 and parts[0] in skipped:
        parts = parts[1:]
    return [_plain(part) for part in parts]


def _shortest(number: int, parts: Sequence[Sequence[str]]) -> str:
    """Return as few parts of one reference as tell it from the others."""
    own, others = parts[number], [*parts[:number], *parts[number + 1 :]]
    for count in range(1, len(own) + 1):
        if all(own[:count] != other[:count] for other in others):
            return "_".join(own[:count])
    return "_".join(own)
