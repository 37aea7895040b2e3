"""Vectors that stay in the memory of the device that computed them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from .errors import DeviceError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from . import _core

_CPU, _CUDA = 1, 2  # DLPack's numbers


class DeviceVectors:
    """Rows of float32 on a device, C-contiguous: what ``embed(..., output_device="cuda")`` has as ``vectors``.

    PyTorch, CuPy and JAX take them without a copy: ``torch.from_dlpack(out.vectors)`` (DLPack), or by
    ``__cuda_array_interface__``. The rows are complete when the call that made them returns, so no stream has to be
    waited for. The memory is shared with slices and takers, and freed with the last of them.

    Attributes
    ----------
    shape : tuple of int
        ``(rows, hidden_size)``.
    dtype : numpy.dtype
        float32.
    device : str
        "cuda:N".
    """

    __slots__ = ("_matrix",)

    dtype = np.dtype(np.float32)
    ndim = 2

    def __init__(self, matrix: _core.DeviceMatrix) -> None:
        self._matrix = matrix

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and dimensions."""
        return self._matrix.shape

    @property
    def device(self) -> str:
        """Where the rows lie."""
        kind, number = self._matrix.device
        return f"cuda:{number}" if kind == _CUDA else "cpu"

    @property
    def nbytes(self) -> int:
        """Bytes that the rows take."""
        rows, hidden = self.shape
        return rows * hidden * self.dtype.itemsize

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.shape[0]

    def __getitem__(self, rows: object) -> DeviceVectors:
        """Return consecutive rows; they share the memory."""
        first, last, step = rows.indices(len(self)) if isinstance(rows, slice) else (0, 0, 0)
        if step != 1:
            raise TypeError(
                f"Vectors on {self.device} can be sliced by consecutive rows, as in vectors[2:5]. For anything else "
                "take them first: torch.from_dlpack(vectors), or vectors.to_numpy()."
            )
        return DeviceVectors(self._matrix.part(first, max(first, last)))

    def to_numpy(self) -> NDArray[np.float32]:
        """Copy the rows to the host."""
        return self._matrix.to_numpy()

    def __dlpack__(
        self,
        *,
        stream: object = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> object:
        """Return a DLPack capsule; ``dl_device=(1, 0)``, the CPU, copies the rows there."""
        if dl_device is not None and tuple(dl_device) != self.__dlpack_device__():
            if tuple(dl_device) != (_CPU, 0) or copy is False:
                raise BufferError(f"The vectors lie on {self.device}; they cannot be handed over as {dl_device}.")
            return self.to_numpy().__dlpack__()
        if copy:
            raise BufferError("These vectors are handed over without a copy; copy what you get, or use to_numpy().")
        return self._matrix.dlpack(max_version is not None and max_version[0] >= 1)

    def __dlpack_device__(self) -> tuple[int, int]:
        """Return DLPack's numbers of the device."""
        return self._matrix.device

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """The rows as CuPy and Numba take them (version 3; None as stream: the rows are complete)."""
        if self._matrix.device[0] != _CUDA:
            raise AttributeError("these vectors are not on a CUDA device")
        return {
            "shape": self.shape,
            "typestr": "<f4",
            "data": (self._matrix.address if self.nbytes else 0, False),
            "strides": None,
            "version": 3,
            "stream": None,
        }

    def __array__(self, dtype: object = None, copy: bool | None = None) -> NoReturn:
        """Refuse: a copy from the device is never made in silence."""
        raise DeviceError(
            f"These vectors lie on {self.device}. Write vectors.to_numpy() to copy them, or embed with "
            "output_device='cpu'."
        )

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"Vectors on {self.device} cannot be pickled or copied there. Use vectors.to_numpy(), or embed with "
            "output_device='cpu'."
        )

    def __repr__(self) -> str:
        return f"DeviceVectors({self.shape[0]} rows, {self.shape[1]} dimensions, {self.device})"
