"""The tokenizers package (Rust), with the file that Hugging Face's fast ALBERT tokenizer saves."""

from __future__ import annotations

from typing import Any

from ..inputs import Texts
from .base import Peer, Setup, Task


class HfTokenizers(Peer):
    """`Tokenizer.encode_batch`; the worker's environment keeps it to its threads."""

    packages = ("tokenizers",)

    @staticmethod
    def imports() -> None:
        import tokenizers  # noqa: F401

    def __init__(self, setup: Setup) -> None:
        import tokenizers

        import make_model

        super().__init__(setup)
        file = setup.work / "tokenizer.json"
        make_model.write_tokenizer_json(file, setup.folder.spiece.read_bytes())
        self._tokenizer = tokenizers.Tokenizer.from_file(str(file))

    def pieces_of_texts(self, texts: Texts) -> Task:
        return lambda: self._tokenizer.encode_batch(texts.texts, add_special_tokens=False)

    def pieces_of_words(self, texts: Texts) -> Task:
        words = [word for text in texts.texts for word in text.split()]
        return lambda: self._tokenizer.encode_batch(words, add_special_tokens=False)

    def ids(self, result: Any) -> list[list[int]]:
        return [encoding.ids for encoding in result]
