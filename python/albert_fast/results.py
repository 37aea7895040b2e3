"""What `AlbertEmbeddings.embed` returns."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Embeddings:
    """Vectors of words, pieces, sentences or documents, with their places in the texts.

    All arrays have one entry per row and stand in input order. Nothing is copied from the engine: `vectors` is the
    memory that the model wrote its last result into, kept alive by the arrays that view it. ``result[i]``,
    ``result[first:last]`` and iteration give `Embeddings` of single or consecutive texts whose arrays are views.
    ``numpy.asarray(result)`` is `vectors`.

    Attributes
    ----------
    vectors : ndarray, float32, [rows, hidden_size]
        C-contiguous, 64-byte aligned, writable. With ``output_device="cuda"`` a `DeviceVectors` of that shape.
    begin, end : ndarray, int32, [rows]
        First and last character of the row in its text, both inclusive, so that
        ``text[begin : end + 1]`` is the word. Code points, or UTF-16 units with ``offsets="utf16"``.
        -1 for [CLS] and [SEP].
    sentence : ndarray, int32, [rows]
        Number of the sentence within its text, from 0.
    piece_ids : ndarray, int32, [rows]
        Vocabulary id of the row's (first) piece; -1 for sentences and documents.
    out_of_vocabulary : ndarray, bool, [rows]
        True where a word was read as `<unk>` altogether.
    row_splits : ndarray, int64, [texts + 1]
        Rows ``row_splits[i]`` to ``row_splits[i + 1]`` belong to text i.
    stats : mapping of str to int
        Counts of the whole call: texts, sentences, words, pieces, windows, tokens (pieces and [CLS], [SEP] that went
        through the model), batches, reused (identical windows that were computed once), cut_words and cut_pieces
        (pieces of one word beyond a window), copies (batches whose rows were not written in place: 0 on the CPU; on
        CUDA those that the host finished, that passed through pinned memory, or short ones that stay on the card).
    """

    __slots__ = (
        "_arrays",
        "_level",
        "_piece",
        "_texts",
        "_utf16",
        "_words",
        "row_splits",
        "stats",
        "vectors",
    )

    def __init__(
        self,
        columns: Mapping[str, Any],
        texts: Sequence[str],
        *,
        level: str,
        utf16: bool,
        piece: Callable[[int], str] | None = None,
    ) -> None:
        self.vectors: NDArray[np.float32] = columns["vectors"]
        self.row_splits: NDArray[np.int64] = columns["row_splits"]
        self.stats: Mapping[str, int] = columns["stats"]
        self._arrays: dict[str, NDArray[Any]] = {
            name: columns[name] for name in ("begin", "end", "sentence", "piece_id", "out_of_vocabulary")
        }
        self._texts = texts
        self._level = level
        self._utf16 = utf16
        self._piece = piece
        self._words: list[str] | None = None

    @property
    def begin(self) -> NDArray[np.int32]:
        """First character of each row in its text."""
        return self._arrays["begin"]

    @property
    def end(self) -> NDArray[np.int32]:
        """Last character of each row in its text."""
        return self._arrays["end"]

    @property
    def sentence(self) -> NDArray[np.int32]:
        """Number of each row's sentence within its text."""
        return self._arrays["sentence"]

    @property
    def piece_ids(self) -> NDArray[np.int32]:
        """Vocabulary id of each row's first piece."""
        return self._arrays["piece_id"]

    @property
    def out_of_vocabulary(self) -> NDArray[np.bool_]:
        """Whether each row was read as `<unk>`."""
        return self._arrays["out_of_vocabulary"]

    @property
    def texts(self) -> Sequence[str]:
        """The texts of the call, in order."""
        return self._texts

    @property
    def level(self) -> str:
        """What a row is: word, piece, sentence or document."""
        return self._level

    @property
    def words(self) -> list[str]:
        """What each row stands for: the word, sentence or document as it stands in the text, or the piece.

        Made on first use and kept; a million words are a million Python strings.
        """
        if self._words is None:
            self._words = list(self._read_words())
        return self._words

    def _read_words(self) -> Iterator[str]:
        if self._piece is not None:
            yield from map(self._piece, self.piece_ids.tolist())
            return
        begins, ends = self.begin.tolist(), self.end.tolist()
        splits = self.row_splits.tolist()
        for number, text in enumerate(self._texts):
            rows = range(splits[number], splits[number + 1])
            if self._utf16:
                units = text.encode("utf-16-le")
                yield from (units[2 * begins[row] : 2 * ends[row] + 2].decode("utf-16-le") for row in rows)
            else:
                yield from (text[begins[row] : ends[row] + 1] for row in rows)

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.row_splits) - 1

    def __getitem__(self, index: int | slice) -> Embeddings:
        """Return the rows of one text, or of consecutive texts; every array is a view.

        Raises
        ------
        IndexError
            There is no such text.
        InputError
            The slice skips texts or turns them round, of which there is no view.
        """
        count = len(self)
        if isinstance(index, slice):
            begin, end, step = index.indices(count)
            if step != 1:
                raise InputError(
                    f"Texts can be taken in a row, as in result[2:5], not by steps of {step}. Iterate over the result, "
                    "or embed the texts that you want."
                )
            return self._part(begin, max(begin, end))
        number = operator.index(index)
        if not -count <= number < count:
            raise IndexError(f"text {number} does not exist; there are {count}")
        number %= count
        return self._part(number, number + 1)

    def _part(self, begin: int, end: int) -> Embeddings:
        first, last = int(self.row_splits[begin]), int(self.row_splits[end])
        columns: dict[str, Any] = {name: array[first:last] for name, array in self._arrays.items()}
        columns["vectors"] = self.vectors[first:last]
        columns["row_splits"] = self.row_splits[begin : end + 1] - first
        columns["stats"] = self.stats
        part = Embeddings(columns, self._texts[begin:end], level=self._level, utf16=self._utf16, piece=self._piece)
        if self._words is not None:
            part._words = self._words[first:last]
        return part

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Return the vectors of all texts, a row for each; `row_splits` says whose they are."""
        if copy is None:  # NumPy before 2 does not know it
            return np.asarray(self.vectors, dtype=dtype)
        return np.array(self.vectors, dtype=dtype, copy=copy)

    def __getstate__(self) -> dict[str, Any]:
        if self._level == "piece":
            self.words  # noqa: B018 - their names come from the vocabulary, which stays behind
        return {name: getattr(self, name) for name in self.__slots__ if name != "_piece"}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self._piece = None
        for name, value in state.items():
            setattr(self, name, value)

    def __iter__(self) -> Iterator[Embeddings]:
        """Iterate over the texts."""
        return (self[number] for number in range(len(self)))

    def __repr__(self) -> str:
        rows, hidden = self.vectors.shape
        return f"Embeddings({len(self)} texts, {rows} {self._level} rows, {hidden} dimensions)"
