"""From documents to masked training batches.

A model of this package is used in two ways: on whole text, and word by word, where every word is tokenized
alone and gets its own word mark (Spark NLP's way). Half of all sequences are made in each way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import sentencepiece
import torch
from numpy.typing import NDArray
from torch import Tensor

from corpus import Document

PAD, UNKNOWN, CLS, SEP, MASK = range(5)
N_SPECIAL = 5
MASKED_SHARE = 0.15
TOKENS_PER_BATCH = 2048
SHORT_LENGTHS = (16, 32, 48, 64, 96, 128)
LONG_LENGTHS = (256, 512)
_WORD = re.compile(r"\w+(?:['-]\w+)*|[^\w\s]")

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Stream:
    """All pieces of one split in one way of tokenizing, documents one after the other.

    `ids` int64 [pieces]; `starts_word` bool [pieces]; `sentences` int64 [sentences], where each begins;
    `document_ends` int64 [documents].
    """

    ids: IntArray
    starts_word: BoolArray
    sentences: IntArray
    document_ends: IntArray


@dataclass(frozen=True)
class Batch:
    """One batch of `rows` sequences of equal length; all tensors int64.

    `ids`, `positions` and `token_types` [rows, length]; `masked` [n] are indices into the flattened batch
    and `targets` [n] the true pieces there; `order_rows` [p] are the rows with two segments, and
    `order_labels` [p] whether their segments are swapped.
    """

    ids: Tensor
    positions: Tensor
    token_types: Tensor
    masked: Tensor
    targets: Tensor
    order_rows: Tensor
    order_labels: Tensor


class PieceEncoder:
    """Tokenizes whole text or word by word and knows which pieces start a word."""

    def __init__(self, processor: sentencepiece.SentencePieceProcessor) -> None:
        self._processor = processor
        self._bare_mark = processor.piece_to_id("▁")
        pieces = [processor.id_to_piece(at) for at in range(processor.get_piece_size())]
        self._starts_word = np.array([not piece[0].isalnum() for piece in pieces])
        self._known_words: dict[str, list[int]] = {}

    def text(self, text: str) -> list[int]:
        """Return the pieces of whole text."""
        ids: list[int] = self._processor.encode(text)
        return ids

    def words(self, text: str) -> list[int]:
        """Return the pieces of words tokenized one by one, bare word marks dropped, as Spark NLP does."""
        ids: list[int] = []
        for word in _WORD.findall(text):
            if word not in self._known_words:
                self._known_words[word] = [at for at in self._processor.encode(word) if at != self._bare_mark]
            ids += self._known_words[word]
        return ids

    def starts_word(self, ids: IntArray) -> BoolArray:
        """Return, per piece, whether it is the first of its word; punctuation stands alone."""
        return self._starts_word[ids]

    def stream(self, documents: Sequence[Document], by_word: bool) -> Stream:
        """Tokenize `documents` into one stream."""
        encode = self.words if by_word else self.text
        ids: list[int] = []
        sentences: list[int] = []
        ends: list[int] = []
        for document in documents:
            for paragraph in document.paragraphs:
                for sentence in re.split(r"(?<=[.!?])\s+", paragraph):
                    sentences.append(len(ids))
                    ids += encode(sentence)
            ends.append(len(ids))
        pieces = np.array(ids)
        return Stream(pieces, self.starts_word(pieces), np.unique(sentences[:-1]), np.array(ends))


def unigram_probabilities(ids: IntArray, vocab_size: int) -> NDArray[np.float64]:
    """Return the add-one smoothed share of every piece, [vocab_size]."""
    counts = np.bincount(ids, minlength=vocab_size).astype(np.float64) + 1.0
    shares: NDArray[np.float64] = counts / counts.sum()
    return shares


def mask_words(
    ids: IntArray, starts_word: BoolArray, vocab_size: int, rng: np.random.Generator
) -> tuple[IntArray, BoolArray]:
    """Hide 15 % of the words of one sequence: 80 % as [MASK], 10 % as random pieces, 10 % left as they are.

    Returns the changed ids and a bool array of the positions to predict; at least one word is chosen.
    """
    is_text = ids >= N_SPECIAL
    words = np.cumsum(starts_word | ~is_text)
    n_words = int(words[-1]) + 1
    chosen_words = rng.random(n_words) < MASKED_SHARE
    chosen = chosen_words[words] & is_text
    if not chosen.any():
        chosen = (words == rng.choice(words[is_text])) & is_text
    action = rng.random(n_words)[words]
    changed = np.where(chosen & (action < 0.8), MASK, ids)
    random_ids = rng.integers(N_SPECIAL, vocab_size, len(ids))
    changed = np.where(chosen & (action >= 0.8) & (action < 0.9), random_ids, changed)
    return changed, chosen


class BatchMaker:
    """Draws training batches from the two streams of the training split."""

    def __init__(self, whole: Stream, by_word: Stream, vocab_size: int, seed: int) -> None:
        self._whole = whole
        self._by_word = by_word
        self._vocab_size = vocab_size
        self._rng = np.random.default_rng(seed)

    def draw(self, is_late: bool) -> Batch:
        """Return one batch of about 2,048 pieces.

        In the late part of the training some rows stand at a random offset, and some batches are long:
        position embeddings up to 512 are trained that way, once neighbours have been learnt nearby.
        """
        rng = self._rng
        lengths = LONG_LENGTHS if is_late and rng.random() < 0.06 else SHORT_LENGTHS
        length = int(rng.choice(lengths))
        rows = TOKENS_PER_BATCH // length
        ids = np.empty((rows, length), np.int64)
        targets = np.empty_like(ids)
        chosen = np.empty((rows, length), np.bool_)
        types = np.zeros_like(ids)
        positions = np.tile(np.arange(length), (rows, 1))
        swaps: list[tuple[int, int]] = []
        for row in range(rows):
            is_pair = row % 4 == 0 and length >= 48
            stream = self._by_word if row % 2 else self._whole
            targets[row], starts, types[row], swapped = self._sequence(stream, length, is_pair)
            ids[row], chosen[row] = mask_words(targets[row], starts, self._vocab_size, rng)
            if is_pair:
                swaps.append((row, int(swapped)))
            if is_late and rng.random() < 0.25:
                positions[row, 1:] += rng.integers(0, 512 - length + 1)
        order = np.array(swaps, np.int64).reshape(-1, 2)
        flat = np.flatnonzero(chosen)
        return Batch(
            torch.from_numpy(ids),
            torch.from_numpy(positions),
            torch.from_numpy(types),
            torch.from_numpy(flat),
            torch.from_numpy(targets.reshape(-1)[flat]),
            torch.from_numpy(order[:, 0].copy()),
            torch.from_numpy(order[:, 1].copy()),
        )

    def _span(self, stream: Stream, n_pieces: int) -> int:
        """Return where a span begins: at a sentence in half of the cases, inside one document if it fits."""
        rng = self._rng
        if rng.random() < 0.5:
            start = int(rng.choice(stream.sentences))
        else:
            start = int(rng.integers(len(stream.ids)))
        document = int(np.searchsorted(stream.document_ends, start, side="right"))
        begin = int(stream.document_ends[document - 1]) if document else 0
        start = max(begin, min(start, int(stream.document_ends[document]) - n_pieces))
        return min(start, len(stream.ids) - n_pieces)

    def _sequence(self, stream: Stream, length: int, is_pair: bool) -> tuple[IntArray, BoolArray, IntArray, bool]:
        n_pieces = length - (3 if is_pair else 2)
        start = self._span(stream, n_pieces)
        text, starts = stream.ids[start : start + n_pieces], stream.starts_word[start : start + n_pieces]
        if not is_pair:
            types = np.zeros(length, np.int64)
            return _wrap([text]), _wrap_starts([starts]), types, False
        inner = stream.sentences[(stream.sentences > start + 8) & (stream.sentences < start + n_pieces - 8)]
        cut = int(self._rng.choice(inner)) - start if len(inner) else n_pieces // 2
        parts, part_starts = [text[:cut], text[cut:]], [starts[:cut], starts[cut:]]
        swapped = bool(self._rng.random() < 0.5)
        if swapped:
            parts.reverse()
            part_starts.reverse()
        types = np.zeros(length, np.int64)
        types[len(parts[0]) + 2 :] = 1
        return _wrap(parts), _wrap_starts(part_starts), types, swapped


def _wrap(parts: list[IntArray]) -> IntArray:
    pieces = [np.array([CLS])]
    for part in parts:
        pieces += [part, np.array([SEP])]
    return np.concatenate(pieces)


def _wrap_starts(parts: list[BoolArray]) -> BoolArray:
    pieces = [np.array([True])]
    for part in parts:
        pieces += [part, np.array([True])]
    return np.concatenate(pieces)


def held_out_batches(stream: Stream, vocab_size: int, length: int, seed: int) -> Iterator[Batch]:
    """Yield every document of `stream` once, cut into sequences of at most `length`, masked by `seed`.

    Sequences are not padded, so every batch is one row.
    """
    rng = np.random.default_rng(seed)
    begin = 0
    none = torch.zeros(0, dtype=torch.int64)
    for end in stream.document_ends:
        for start in range(begin, int(end), length - 2):
            stop = min(start + length - 2, int(end))
            ids = _wrap([stream.ids[start:stop]])
            starts = _wrap_starts([stream.starts_word[start:stop]])
            changed, chosen = mask_words(ids, starts, vocab_size, rng)
            flat = np.flatnonzero(chosen)
            yield Batch(
                torch.from_numpy(changed)[None],
                torch.arange(len(ids))[None],
                torch.zeros((1, len(ids)), dtype=torch.int64),
                torch.from_numpy(flat),
                torch.from_numpy(ids[flat]),
                none,
                none,
            )
        begin = int(end)
