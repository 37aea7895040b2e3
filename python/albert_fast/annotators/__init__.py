"""The annotators, one module each, under Spark NLP's names."""

from __future__ import annotations

from .albert_embeddings import AlbertEmbeddings

__all__ = ["AlbertEmbeddings"]
