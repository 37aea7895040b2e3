"""What is asked of a peer on the card."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from ...inputs import Texts
from ...peers.base import embed_padded
from ..setup import Array, Ids, Setup


class Peer(ABC):
    """A library that runs the setup's weights in one precision. The constructor loads them.

    Attributes
    ----------
    ways
        (order, sequences of a batch) that are worth timing; the first also gives the rows that are checked.
    """

    ways: ClassVar[tuple[tuple[str, int], ...]] = (("input", 32),)

    @abstractmethod
    def __init__(self, setup: Setup, precision: str) -> None:
        self.geometry = setup.geometry

    @abstractmethod
    def rows(self, sequences: Ids, order: str, batch: int) -> Array:
        """Return the last hidden states as fp32 [pieces, hidden_size] in NumPy, in input order."""


class PaddedPeer(Peer):
    """Batches padded to their longest: in input order by 32, or sorted, by about as many pieces as ours."""

    ways = (("input", 32), ("sorted", 256))

    @abstractmethod
    def run(self, ids: Array, mask: Array) -> Array:
        """Return fp32 [batch, length, hidden_size] for int64 ids and attention mask."""

    def rows(self, sequences: Ids, order: str, batch: int) -> Array:
        texts = Texts("", [], [list(ids) for ids in sequences])
        rows: Array = embed_padded(texts, order, batch, self.geometry["hidden_size"], self.run)()
        return rows
