"""The annotators under Spark NLP's names. Each comes from its module when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazy_names

if TYPE_CHECKING:
    from .albert_embeddings import AlbertEmbeddings
    from .doc2chunk import Doc2Chunk
    from .document_assembler import DocumentAssembler
    from .finishers import EmbeddingsFinisher, Finisher
    from .pooling import ChunkEmbeddings, SentenceEmbeddings
    from .sentence_detector import SentenceDetector
    from .tokenizer import Tokenizer, TokenizerModel

__all__ = [
    "AlbertEmbeddings",
    "ChunkEmbeddings",
    "Doc2Chunk",
    "DocumentAssembler",
    "EmbeddingsFinisher",
    "Finisher",
    "SentenceDetector",
    "SentenceEmbeddings",
    "Tokenizer",
    "TokenizerModel",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "albert_embeddings": ("AlbertEmbeddings",),
        "doc2chunk": ("Doc2Chunk",),
        "document_assembler": ("DocumentAssembler",),
        "finishers": ("EmbeddingsFinisher", "Finisher"),
        "pooling": ("ChunkEmbeddings", "SentenceEmbeddings"),
        "sentence_detector": ("SentenceDetector",),
        "tokenizer": ("Tokenizer", "TokenizerModel"),
    },
)
