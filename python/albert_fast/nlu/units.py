"""What each stage of a pipeline makes: the name and the level of its column in the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..annotators import (
    AlbertEmbeddings,
    ChunkEmbeddings,
    Doc2Chunk,
    DocumentAssembler,
    SentenceDetector,
    SentenceEmbeddings,
    Tokenizer,
    TokenizerModel,
)
from ..annotators.stage import Stage
from .names import column_name, stems, unique

LEVELS = ("token", "sentence", "document", "chunk")
_TEXT_STAGES: tuple[tuple[type[Stage] | tuple[type[Stage], ...], str], ...] = (
    (DocumentAssembler, "document"),
    (SentenceDetector, "sentence"),
    ((Tokenizer, TokenizerModel), "token"),
    (Doc2Chunk, "chunk"),
)


@dataclass(frozen=True)
class Unit:
    """The annotations that one stage makes.

    Attributes
    ----------
    name
        Column of the result.
    level
        What each annotation stands for; one of `LEVELS`.
    source
        Column of the pipeline's frame.
    embedding
        Whether the annotations are shown by their vectors.
    words
        Whether they are tokens, whose metadata is shown.
    """

    name: str
    level: str
    source: str
    embedding: bool = False
    words: bool = False


def units_of(components: Mapping[str, Stage], references: Mapping[str, str], style: str) -> dict[str, Unit]:
    """Return what the components make, by their keys; those that make no annotations (finishers) are left out."""
    level_of: dict[str, str] = {}  # by column of the frame
    made: dict[str, Unit] = {}
    named = {key: stage for key, stage in components.items() if isinstance(stage, AlbertEmbeddings)}
    stem = dict(zip(named, stems(_told_apart(named, references), style), strict=True))
    by_source: dict[str, str] = {stage.output_col(): stem[key] for key, stage in named.items()}
    for key, stage in components.items():
        level = next((level for kind, level in _TEXT_STAGES if isinstance(stage, kind)), None)
        if level is not None:
            made[key] = Unit(level, level, stage.output_col(), words=level == "token")
        elif key in stem:
            made[key] = Unit(column_name(stem[key], "word", style), "token", stage.output_col(), True, True)
        elif isinstance(stage, (SentenceEmbeddings, ChunkEmbeddings)):
            inputs = stage.input_cols()
            words = next((by_source[name] for name in inputs if name in by_source), key)
            kind = "chunk" if isinstance(stage, ChunkEmbeddings) else "sentence"
            level = "chunk" if kind == "chunk" else next((level_of[name] for name in inputs if name in level_of), kind)
            made[key] = Unit(column_name(words, kind, style), level, stage.output_col(), True)
        if level in ("document", "sentence"):
            level_of[stage.output_col()] = level
    names = unique([unit.name for unit in made.values()])
    return {key: replace(unit, name=name) for (key, unit), name in zip(made.items(), names, strict=True)}


def _told_apart(named: Mapping[str, Stage], references: Mapping[str, str]) -> Sequence[str]:
    """Return the references of the embeddings; where a saved pipeline has several, with their columns' names."""
    given = [references[key] for key in named]
    if len(set(given)) == len(given):
        return given
    return [f"{reference}_{stage.output_col()}" for reference, stage in zip(given, named.values(), strict=True)]
