"""The annotators, one module each, under Spark NLP's names."""

from __future__ import annotations

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
