"""What a peer is: a library behind named tasks. It lives in a process of its own, pinned to its processors."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..inputs import Texts
from ..models import ModelFolder

Matrix = NDArray[np.float32]
Task = Callable[[], Any]


@dataclass(frozen=True)
class PerCall:
    """A task that needs something new for every call; making it is not timed."""

    make: Callable[[], Task]


@dataclass(frozen=True)
class Setup:
    """What a worker needs to load its peer."""

    model: Path
    geometry: dict[str, Any]
    work: Path
    threads: int

    def to_json(self) -> str:
        return json.dumps({**asdict(self), "model": str(self.model), "work": str(self.work)})

    @classmethod
    def from_json(cls, text: str) -> Setup:
        values = json.loads(text)
        return cls(Path(values["model"]), values["geometry"], Path(values["work"]), values["threads"])

    @property
    def folder(self) -> ModelFolder:
        return ModelFolder(self.model, "", self.geometry)


class Peer:
    """A library under measurement.

    The constructor loads the model. Every other public method is a task: it takes the texts and options, prepares what
    a program would have at hand, and returns the function that is timed. Tasks that embed return float32
    [pieces, hidden_size]: one row for every piece, [CLS] and [SEP], in input order, padding left out.
    """

    packages: ClassVar[tuple[str, ...]] = ()

    @staticmethod
    def imports() -> None:
        """Import the library, so that loading a model is timed without it."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup

    def ids(self, result: Any) -> list[list[int]]:
        """Return what a tokenizing task returned as lists."""
        return [list(map(int, row)) for row in result]


def batches_of(ids: Sequence[Sequence[int]], order: str, size: int) -> list[list[int]]:
    """Return the numbers of the sequences of every batch: in input order, or the longest first."""
    numbers = list(range(len(ids)))
    if order == "sorted":
        numbers.sort(key=lambda i: -len(ids[i]))
    return [numbers[i : i + size] for i in range(0, len(numbers), size)]


def padded(ids: Sequence[Sequence[int]], numbers: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return input_ids and attention_mask of a batch, padded to its longest sequence."""
    length = max(len(ids[i]) for i in numbers)
    tokens = np.zeros((len(numbers), length), np.int64)
    mask = np.zeros_like(tokens)
    for row, i in enumerate(numbers):
        tokens[row, : len(ids[i])] = ids[i]
        mask[row, : len(ids[i])] = 1
    return tokens, mask


def embed_padded(texts: Texts, order: str, batch: int, hidden: int, run: Callable[[Any, Any], Matrix]) -> Task:
    """Return the task of embedding by padded batches; `run` gives [batch, length, hidden] for ids and mask."""
    starts = np.concatenate([[0], np.cumsum(texts.lengths)])

    def embed() -> Matrix:
        out = np.empty((int(starts[-1]), hidden), np.float32)
        for numbers in batches_of(texts.ids, order, batch):
            states = run(*padded(texts.ids, numbers))
            for row, i in enumerate(numbers):
                out[starts[i] : starts[i + 1]] = states[row, : starts[i + 1] - starts[i]]
        return out

    return embed
