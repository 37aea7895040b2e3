"""Constants of ``sparknlp.common``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._missing import missing_name

__all__ = ["AnnotatorType", "ReadAs"]


class AnnotatorType:
    """Names of the types of annotations that albert_fast makes and reads."""

    DOCUMENT = "document"
    TOKEN = "token"
    CHUNK = "chunk"
    WORD_EMBEDDINGS = "word_embeddings"
    SENTENCE_EMBEDDINGS = "sentence_embeddings"


class ReadAs:
    """How Spark NLP reads a resource."""

    TEXT = "TEXT"
    SPARK = "SPARK"
    BINARY = "BINARY"


if not TYPE_CHECKING:  # or every name would pass the type checker

    def __getattr__(name: str) -> Any:
        raise missing_name(__name__, name, __all__)
