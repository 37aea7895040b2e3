"""What ``sparknlp.annotator`` exports, as far as it is here: ``from albert_fast.annotator import *``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._missing import missing_name
from .annotators import (
    AlbertEmbeddings,
    ChunkEmbeddings,
    SentenceDetector,
    SentenceEmbeddings,
    Tokenizer,
    TokenizerModel,
)
from .common import AnnotatorType, ReadAs

__all__ = [
    "AlbertEmbeddings",
    "AnnotatorType",
    "ChunkEmbeddings",
    "ReadAs",
    "SentenceDetector",
    "SentenceEmbeddings",
    "Tokenizer",
    "TokenizerModel",
]

if not TYPE_CHECKING:  # or every name would pass the type checker

    def __getattr__(name: str) -> Any:
        raise missing_name(__name__, name, __all__)
