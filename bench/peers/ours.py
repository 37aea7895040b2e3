"""albert_fast itself."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ..inputs import Texts
from .base import Peer, PerCall, Setup, Task


class Ours(Peer):
    """The Python interface of albert_fast."""

    packages = ("albert_fast",)
    precision: ClassVar[str] = "fp32"

    @staticmethod
    def imports() -> None:
        import albert_fast.annotators  # noqa: F401

    def __init__(self, setup: Setup) -> None:

        super().__init__(setup)
        self._model = self._load()
        self._model.embed("load")

    def _load(self) -> Any:
        from albert_fast import AlbertEmbeddings

        return AlbertEmbeddings.load(
            self.setup.model, threads=self.setup.threads, precision=self.precision, max_sentence_length=512
        )

    # -------------------------------------------------------------------------------- tokenizing

    def pieces_of_texts(self, texts: Texts) -> Task:
        tokenizer = self._tokenizer()
        return lambda: tokenizer.encode_texts(texts.texts)

    def pieces_of_words(self, texts: Texts) -> Task:
        tokenizer = self._tokenizer()
        words = [word for text in texts.texts for word in text.split()]
        return lambda: tokenizer.encode_words_flat(words)

    def pieces_cold(self, texts: Texts) -> PerCall:
        """A new tokenizer for every call, whose cache has seen nothing."""

        def make() -> Task:
            tokenizer = self._tokenizer()
            return lambda: tokenizer.encode_texts(texts.texts)

        return PerCall(make)

    def _tokenizer(self) -> Any:
        from albert_fast import _core, engines

        return _core.Tokenizer(self.setup.folder.spiece.read_bytes(), cache_bytes=engines.CACHE_BYTES)

    def ids(self, result: Any) -> list[list[int]]:
        ids, splits = result
        return [row.tolist() for row in np.split(ids, splits[1:-1])]

    def words_and_pieces(self, texts: Texts) -> Task:
        """Text -> sentences -> words -> pieces: a pipeline that is asked for no vectors."""
        from albert_fast.annotators.stage import Run
        from albert_fast.tables.frame import Frame

        pipeline = _pipeline(self._model)

        def run() -> Any:
            frame = Frame([("text", texts.texts)], len(texts.texts))
            return pipeline.run(frame, Run(vectors=False)).annotations("embeddings")

        return run

    def count_words(self, texts: Texts) -> Task:
        """How many words that pipeline finds."""
        run = self.words_and_pieces(texts)
        return lambda: len(run().begin)

    # ---------------------------------------------------------------------------------- embedding

    def embed(self, texts: Texts, layers: int = -1) -> Task:
        """From text, as everything else is in input order."""
        return lambda: (
            self._model.embed(
                texts.texts,
                level="piece",
                tokenization="text",
                special_tokens=True,
                detect_sentences=False,
                layers=layers,
            ).vectors
        )

    def micro_batches(self, texts: Texts) -> Task:
        """How many calls of the session one `embed` makes."""

        def count() -> int:
            out = self._model.embed(
                texts.texts, level="piece", tokenization="text", special_tokens=True, detect_sentences=False
            )
            return int(out.stats["batches"])

        return count

    def embed_text(self, texts: Texts) -> Task:
        """What a server does: text in, rows out, sentence detection included. The texts are single sentences."""
        batch: str | Sequence[str] = texts.texts[0] if len(texts.texts) == 1 else texts.texts
        return lambda: self._model.embed(batch, level="piece", tokenization="text", special_tokens=True).vectors

    def embed_words(self, texts: Texts, layers: int = -1) -> Task:
        """The call that the README shows: a vector for every word."""
        batch: str | Sequence[str] = texts.texts[0] if len(texts.texts) == 1 else texts.texts
        return lambda: self._model.embed(batch, layers=layers).vectors

    def copies(self, texts: Texts) -> Task:
        """How many micro-batches of `embed` were not written in place."""
        return lambda: int(self._model.embed(texts.texts, layers=1).stats["copies"])

    def light_pipeline(self, texts: Texts) -> Task:
        """Spark NLP's way for one text, vectors parsed."""
        from albert_fast import LightPipeline

        light = LightPipeline(_pipeline(self._model), parse_embeddings=True)
        return lambda: light.fullAnnotate(texts.texts[0])

    def built_in_pipeline(self, texts: Texts) -> Task:
        """A table of texts through the whole pipeline with the model that comes with the package."""
        from albert_fast import AlbertEmbeddings
        from albert_fast.annotators.stage import Run
        from albert_fast.tables.frame import Frame

        pipeline = _pipeline(AlbertEmbeddings.pretrained("albert_tiny_en", threads=self.setup.threads))

        def run() -> Any:
            frame = Frame([("text", texts.texts)], len(texts.texts))
            return pipeline.run(frame, Run()).annotations("embeddings").vectors

        return run

    def load_again(self, texts: Texts) -> Task:
        """Load the model once more, keep it, and use it."""

        def run() -> Any:
            self._another = self._load()
            return self._another.embed(texts.texts).vectors

        return run

    def stream(self, texts: Texts, count: int) -> Task:
        """`count` texts, the given ones over and over, one by one through `stream`; gives the last part's vectors."""
        from albert_fast import AlbertEmbeddings

        model = AlbertEmbeddings.pretrained("albert_tiny_en", threads=self.setup.threads)

        def run() -> Any:
            vectors = None
            for part in model.stream(itertools.islice(itertools.cycle(texts.texts), count)):
                vectors = part.vectors
            return vectors

        return run


class OursInt8(Ours):
    """The same with int8 products."""

    precision = "int8"


def _pipeline(model: Any) -> Any:
    """Return the four stages of Spark NLP's examples, fitted."""
    from albert_fast import DocumentAssembler, Pipeline, SentenceDetector, Tokenizer

    stages = [
        DocumentAssembler().setInputCol("text").setOutputCol("document"),
        SentenceDetector().setInputCols(["document"]).setOutputCol("sentence"),
        Tokenizer().setInputCols(["sentence"]).setOutputCol("token"),
        copy.copy(model).setInputCols("sentence", "token").setOutputCol("embeddings"),
    ]
    return Pipeline(stages=stages).fit({"text": ["fit"]})
