"""The pinned inputs: texts of chosen lengths cut out of the corpus, the same for every peer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

MEAN_PIECES, MOST_PIECES = 38, 128
_SPECIAL = 2  # [CLS] and [SEP]
# ALBERT's tokenizers prepare these before SentencePiece sees them (quotes, accents, digits before commas), each library
# in its own way. Without such words all of them have the same work.
_DIFFERS = re.compile(r"``|''|[^\x21-\x7e]|\d,")


@dataclass(frozen=True)
class Texts:
    """Texts and their piece ids with [CLS] and [SEP], as sentencepiece gives them for the whole text."""

    name: str
    texts: list[str]
    ids: list[list[int]]

    @property
    def lengths(self) -> list[int]:
        return [len(ids) for ids in self.ids]

    @property
    def tokens(self) -> int:
        return sum(self.lengths)

    @property
    def words(self) -> int:
        return sum(len(text.split()) for text in self.texts)

    def save(self, folder: Path) -> Path:
        """Write the texts for the workers and return the file."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.json"
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")
        return path


def read_texts(path: Path) -> Texts:
    """Read what `Texts.save` wrote."""
    return Texts(**json.loads(path.read_text(encoding="utf-8")))


def ragged_lengths(count: int, seed: int = 0) -> list[int]:
    """Return `count` lengths in pieces: log-normal, mean about 38, none above 128, [CLS] and [SEP] included."""
    random = np.random.default_rng(seed)
    drawn = random.lognormal(np.log(MEAN_PIECES) - 0.26, 0.75, count)
    return [int(n) for n in np.clip(np.rint(drawn), 5, MOST_PIECES)]


class TextMaker:
    """Cuts texts of given lengths out of the corpus, one behind the other, so that no two are alike."""

    def __init__(self, sentences: Sequence[str], spiece: Path) -> None:
        import sentencepiece

        self._pieces: Any = sentencepiece.SentencePieceProcessor(model_file=str(spiece))
        self.words = [w for w in " ".join(sentences).lower().split() if not _DIFFERS.search(w)]
        self._sizes = [len(ids) for ids in self._pieces.encode(self.words)]
        self._cls, self._sep = self._pieces.piece_to_id("[CLS]"), self._pieces.piece_to_id("[SEP]")
        self.bare_mark: int = self._pieces.piece_to_id("\u2581")
        self._at = 0

    @property
    def vocabulary_size(self) -> int:
        """How many pieces the vocabulary has."""
        return int(self._pieces.get_piece_size())

    def of_lengths(self, name: str, lengths: Iterable[int]) -> Texts:
        """Return texts of these many pieces or, where the next word does not fit, a few fewer."""
        return self.of_texts(name, [self._next(max(length - _SPECIAL, 1)) for length in lengths])

    def of_words(self, name: str, count: int, words: int, one_sentence: bool = False) -> Texts:
        """Return `count` texts of so many words; with `one_sentence` of words that end no sentence."""
        texts = []
        for _ in range(count):
            chosen: list[str] = []
            while len(chosen) < words:
                word = self.words[self._at]
                if word.isalpha() or not one_sentence:
                    chosen.append(word)
                self._at = (self._at + 1) % len(self.words)
            texts.append(" ".join(chosen))
        return self.of_texts(name, texts)

    def of_texts(self, name: str, texts: list[str]) -> Texts:
        """Encode texts."""
        return Texts(name, texts, [[self._cls, *ids, self._sep] for ids in self._pieces.encode(texts)])

    def pieces_of_words(self, texts: Texts) -> list[list[int]]:
        """Return the ids of every word of the texts, each encoded alone, without the bare mark (Spark NLP's rule)."""
        words = [word for text in texts.texts for word in text.split()]
        return [[i for i in ids if i != self.bare_mark] for ids in self._pieces.encode(words)]

    def distinct_words(self, name: str, most: int, words_in_text: int = 20) -> Texts:
        """Return texts in which each of up to `most` words stands once: nothing that a cache has seen."""
        words = list(dict.fromkeys(self.words))[:most]
        return self.of_texts(
            name, [" ".join(words[i : i + words_in_text]) for i in range(0, len(words), words_in_text)]
        )

    def _next(self, room: int) -> str:
        words: list[str] = []
        while True:
            word, size = self.words[self._at], self._sizes[self._at]
            if words and size > room:
                return " ".join(words)
            words.append(word)
            room -= size
            self._at = (self._at + 1) % len(self.words)
