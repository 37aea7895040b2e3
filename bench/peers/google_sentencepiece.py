"""The sentencepiece package: the oracle for piece ids, and the speed to beat."""

from __future__ import annotations

from typing import Any

from ..inputs import Texts
from .base import Peer, Setup, Task


class GoogleSentencePiece(Peer):
    """`SentencePieceProcessor.encode` on lists, one thread."""

    packages = ("sentencepiece",)

    @staticmethod
    def imports() -> None:
        import sentencepiece  # noqa: F401

    def __init__(self, setup: Setup) -> None:
        import sentencepiece

        super().__init__(setup)
        self._pieces: Any = sentencepiece.SentencePieceProcessor(
            model_file=str(setup.folder.spiece), num_threads=setup.threads
        )

    def pieces_of_texts(self, texts: Texts) -> Task:
        return lambda: self._pieces.encode(texts.texts)

    def pieces_of_words(self, texts: Texts) -> Task:
        words = [word for text in texts.texts for word in text.split()]
        return lambda: self._pieces.encode(words)

    pieces_cold = pieces_of_texts  # it keeps nothing between calls
