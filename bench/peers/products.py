"""The matrix products of the packed graph and nothing else: the floor under our time in fp32."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from ..graphs.products import write_first_products, write_layer_products, write_rates
from ..inputs import Texts
from ..models import read_weights
from .base import Peer, Setup, Task
from .ort import require_one_layer, session_for


def micro_batches(lengths: list[int], geometry: dict[str, Any], threads: int) -> list[int]:
    """Return the rows of every micro-batch that csrc/encoder (runner.cpp, packing.cpp) makes of these sequences."""
    hidden = geometry["hidden_size"]
    per_token = 2.0 * hidden * max(geometry["intermediate_size"], 3 * hidden)
    most, total = min(max(1.5e10 / per_token, 64), 512), sum(lengths)
    count = math.ceil(total / most)
    count = max(count, min(total // 96, threads)) if count < threads else -(-count // threads) * threads
    rows: list[int] = []
    for length in lengths:
        if rows and (sum(rows) + length // 2) * count < total * len(rows):
            rows[-1] += length
        else:
            rows.append(length)
    return rows


class Products(Peer):
    """ONNX Runtime's Gemm, one intra-op thread for each of our workers, outputs in memory that is at hand."""

    packages = ("onnxruntime", "onnx")

    @staticmethod
    def imports() -> None:
        import onnxruntime  # noqa: F401

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        require_one_layer(setup.geometry)
        weights = read_weights(setup.folder)
        folder = setup.work / f"products-{setup.threads}"
        folder.mkdir(parents=True, exist_ok=True)
        write_layer_products(folder / "layer.onnx", weights, setup.geometry)
        write_first_products(folder / "first.onnx", weights, setup.geometry)
        self._layer = session_for(folder / "layer.onnx", 1)
        self._first = session_for(folder / "first.onnx", 1)
        self._rates = folder
        self._random = np.random.default_rng(0)

    def micro_batches(self, texts: Texts) -> Task:
        """How many micro-batches this file believes the engine to make."""
        return lambda: len(micro_batches(texts.lengths, self.setup.geometry, self.setup.threads))

    def products(self, texts: Texts) -> Task:
        """What the engine multiplies when every piece is read."""
        geometry, threads = self.setup.geometry, self.setup.threads
        rows = micro_batches(texts.lengths, geometry, threads)
        # A lone micro-batch is one product on all cores in the engine; here it would be one core.
        workers = min(threads, len(rows))
        parts = [self._bindings(sorted(set(rows))) for _ in range(workers)]

        def one(worker: int) -> None:
            for number in range(worker, len(rows), workers):
                first, layer = parts[worker][rows[number]]
                self._first.run_with_iobinding(first)
                for _ in range(geometry["num_hidden_layers"] - 1):
                    self._layer.run_with_iobinding(layer)

        def run() -> None:
            if workers == 1:
                one(0)
                return
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(one, range(workers)))

        return run

    def _bindings(self, sizes: list[int]) -> dict[int, tuple[Any, Any]]:
        hidden, embedding = self.setup.geometry["hidden_size"], self.setup.geometry["embedding_size"]
        return {
            rows: (self._binding(self._first, rows, embedding), self._binding(self._layer, rows, hidden))
            for rows in sizes
        }

    def _binding(self, session: Any, rows: int, columns: int) -> Any:
        import onnxruntime

        binding = session.io_binding()
        values = self._random.standard_normal((rows, columns), np.float32)
        binding.bind_ortvalue_input("x", onnxruntime.OrtValue.ortvalue_from_numpy(values))
        hidden = self.setup.geometry["hidden_size"]
        for name, shape in {"qkv": (rows, 3 * hidden), "out": (rows, hidden)}.items():
            binding.bind_ortvalue_output(name, onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros(shape, np.float32)))
        return binding

    # ------------------------------------------------------------------------ the machine's rates

    def rate(self, texts: Texts | None, precision: str, rows: int) -> Task:
        """One product rows x hidden x intermediate: what the processor gives through ONNX Runtime."""
        inputs, outputs = self.setup.geometry["hidden_size"], self.setup.geometry["intermediate_size"]
        write_rates(self._rates, inputs, outputs)
        session = session_for(self._rates / f"{precision}.onnx", self.setup.threads)
        if precision == "fp32":
            x: Any = self._random.standard_normal((rows, inputs), np.float32)
        else:
            x = self._random.integers(0, 256, (rows, inputs), np.uint8)
        return lambda: session.run(None, {"x": x})

    def rate_of_numpy(self, texts: Texts | None, rows: int) -> Task:
        """The same product through NumPy's BLAS: a second opinion on the limit."""
        inputs, outputs = self.setup.geometry["hidden_size"], self.setup.geometry["intermediate_size"]
        x = self._random.standard_normal((rows, inputs), np.float32)
        matrix = self._random.standard_normal((inputs, outputs), np.float32)
        out = np.empty((rows, outputs), np.float32)
        return lambda: np.matmul(x, matrix, out=out)
