"""Constants of ``sparknlp.common``."""

from __future__ import annotations


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
