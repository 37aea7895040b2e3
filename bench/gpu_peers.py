"""transformers on PyTorch beside the CUDA model, where both are installed: the same weights, ids and precision."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any

from .gpu_setup import Array, Setup, median_seconds, sequences_of
from .peers.base import batches_of, padded

BATCH = 32
# Padded batches of the sorted run hold about as many pieces as ours.
SORTED_BATCH = 256


def _is_installed() -> bool:
    return all(importlib.util.find_spec(name) is not None for name in ("torch", "transformers"))


class _Model:
    """`AlbertModel` on the device, with scaled-dot-product attention (flash where PyTorch chooses it)."""

    def __init__(self, setup: Setup, precision: str, compiled: bool) -> None:
        import torch
        import transformers

        self._torch: Any = torch
        library: Any = transformers
        self._device = "cpu" if setup.rehearsal else f"cuda:{setup.device}"
        torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
        model = library.AlbertModel.from_pretrained(str(setup.folder), attn_implementation="sdpa").eval()
        kind = torch.float16 if precision == "fp16" else torch.float32
        self._model = model.to(self._device, kind)
        if compiled:
            self._model = torch.compile(self._model, dynamic=True)

    def run(self, ids: Array, mask: Array) -> Any:
        torch = self._torch
        with torch.inference_mode():
            states = self._model(
                input_ids=torch.from_numpy(ids).to(self._device), attention_mask=torch.from_numpy(mask).to(self._device)
            ).last_hidden_state
            return states.float().cpu().numpy()

    def rows(self, sequences: list[list[int]], order: str, batch: int) -> list[Array]:
        """Return the rows of every sequence, in input order."""
        out: list[Any] = [None] * len(sequences)
        for numbers in batches_of(sequences, order, batch):
            states = self.run(*padded(sequences, numbers))
            for row, number in enumerate(numbers):
                out[number] = states[row, : len(sequences[number])]
        return out


def _models(setup: Setup, precision: str) -> Iterator[tuple[str, _Model]]:
    if not _is_installed():
        return
    yield "transformers (sdpa)", _Model(setup, precision, compiled=False)
    if not setup.rehearsal:
        yield "transformers (torch.compile)", _Model(setup, precision, compiled=True)


def throughput(setup: Setup, precision: str, sequences: list[list[int]]) -> Iterator[tuple[str, float]]:
    """Yield name and seconds of embedding `sequences`, in input order by 32 and sorted by length."""
    for name, model in _models(setup, precision):
        for order, batch in (("input", BATCH), ("sorted", SORTED_BATCH)):

            def call(model: _Model = model, order: str = order, batch: int = batch) -> object:
                return model.rows(sequences, order, batch)

            yield f"{name}, {order} order, {batch} at a time", median_seconds(call, 2)


def latency(setup: Setup, precision: str) -> Iterator[tuple[str, float]]:
    """Yield name and median seconds of one sequence of 12 pieces."""
    sequences = sequences_of([12], setup.geometry["vocab_size"])
    for name, model in _models(setup, precision):

        def call(model: _Model = model) -> object:
            return model.rows(sequences, "input", 1)

        yield name, median_seconds(call, 20 if setup.quick else 200)
