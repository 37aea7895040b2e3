"""The card's matrix rate, by cuBLAS itself through ctypes: no PyTorch, no compiler, nothing of ours in between."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from albert_fast.errors import DeviceError

Shape = tuple[int, int, int]  # rows, columns of the result, depth

_REAL = {"fp16": 2, "fp32": 0, "tf32": 0}  # cudaDataType of the operands
_COMPUTE = {"fp16": 68, "fp32": 68, "tf32": 77}  # cublasComputeType: 32F, 32F_FAST_TF32
_KIND = {"fp16": np.float16, "fp32": np.float32, "tf32": np.float32}
_TO_DEVICE = 1  # cudaMemcpyHostToDevice


@dataclass(frozen=True)
class MatrixRate:
    """What `measure` found: seconds of one pass over the shapes, and the rate of its multiply-adds, doubled."""

    seconds: float
    flops: float


def albert_products(tokens: int, hidden: int, intermediate: int) -> list[Shape]:
    """Return the products of one ALBERT layer."""
    return [
        (tokens, 3 * hidden, hidden),
        (tokens, hidden, hidden),
        (tokens, intermediate, hidden),
        (tokens, hidden, intermediate),
    ]


def _library(name: str, versions: Sequence[int] = (13, 12)) -> ctypes.CDLL:
    for version in versions:
        try:
            return ctypes.CDLL(f"{name}.so.{version}")
        except OSError:
            continue
    raise DeviceError(f"{name} cannot be opened; albert_fast.gpu.check_cuda opens it from NVIDIA's wheels")


def measure(shapes: Sequence[Shape], precision: str, device: int = 0, seconds: float = 0.5) -> MatrixRate:
    """Time products x W^T of these shapes, one after the other, as the model runs them."""
    cuda, cublas = _library("libcudart"), _library("libcublas")
    _check(cuda.cudaSetDevice(device), "cudaSetDevice")
    handle = ctypes.c_void_p()
    _check(cublas.cublasCreate_v2(ctypes.byref(handle)), "cublasCreate")
    buffers = [_Buffer(cuda, max(sizes), _KIND[precision]) for sizes in zip(*map(_operand_sizes, shapes), strict=True)]
    one, zero = ctypes.c_float(1.0), ctypes.c_float(0.0)
    kind, compute = _REAL[precision], _COMPUTE[precision]

    def product(m: int, n: int, k: int) -> None:
        # Row-major [m, k] x [n, k]^T is column-major W [k, n]^T x X [k, m].
        x, w, y = (buffer.pointer for buffer in buffers)
        code = cublas.cublasGemmEx(
            handle, 1, 0, n, m, k, ctypes.byref(one), w, kind, k, x, kind, k, ctypes.byref(zero), y, kind, n, compute,
            -1,
        )  # fmt: skip
        _check(code, "cublasGemmEx")

    def passes(count: int) -> float:
        _check(cuda.cudaDeviceSynchronize(), "cudaDeviceSynchronize")
        start = time.perf_counter()
        for _ in range(count):
            for shape in shapes:
                product(*shape)
        _check(cuda.cudaDeviceSynchronize(), "cudaDeviceSynchronize")
        return time.perf_counter() - start

    try:
        passes(3)
        count = max(3, int(seconds / max(passes(3) / 3, 1e-6)))
        best = min(passes(count) / count for _ in range(3))
    finally:
        for buffer in buffers:
            buffer.free()
        cublas.cublasDestroy_v2(handle)
    return MatrixRate(best, sum(2.0 * m * n * k for m, n, k in shapes) / best)


def _operand_sizes(shape: Shape) -> tuple[int, int, int]:
    m, n, k = shape
    return m * k, n * k, m * n


class _Buffer:
    """Random numbers on the card: with zeros it draws less power and multiplies faster than it ever does in use."""

    def __init__(self, cuda: ctypes.CDLL, count: int, kind: type[np.floating[Any]]) -> None:
        self._cuda = cuda
        self.pointer = ctypes.c_void_p()
        values = np.random.default_rng(0).standard_normal(count, np.float32).astype(kind)
        size = ctypes.c_size_t(values.nbytes)
        _check(cuda.cudaMalloc(ctypes.byref(self.pointer), size), "cudaMalloc")
        _check(cuda.cudaMemcpy(self.pointer, ctypes.c_void_p(values.ctypes.data), size, _TO_DEVICE), "cudaMemcpy")

    def free(self) -> None:
        self._cuda.cudaFree(self.pointer)


def _check(code: int, what: str) -> None:
    if code:
        raise DeviceError(f"{what} answers with error {code}")
