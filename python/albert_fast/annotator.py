"""What ``sparknlp.annotator`` exports, as far as it is here: ``from albert_fast.annotator import *``."""

from __future__ import annotations

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
