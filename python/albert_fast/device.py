"""Where a model runs: what `device` and `precision` ask for, checked against this machine."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path

from .errors import DeviceError, ParameterError
from .warn import warn_user

MEMORY_VARIABLE = "ALBERT_FAST_GPU_MEMORY_MIB"
GRAPHS_VARIABLE = "ALBERT_FAST_CUDA_GRAPHS"
CUDA_PRECISIONS = ("fp16", "tf32", "fp32")
CPU_PRECISIONS = ("fp32", "int8")


@dataclass(frozen=True, slots=True)
class Cuda:
    """A CUDA device and how the core uses it; the fields are those of `Settings` in csrc/encoder/cuda.

    Attributes
    ----------
    device
        Its number among the devices that this process sees.
    precision
        "fp16", "tf32" or "fp32".
    memory_limit
        Bytes of device memory for one session, 0 without limit.
    most_tokens
        Pieces of one micro-batch.
    workers
        Threads of a call that take turns with micro-batches.
    graphs
        Run short texts as CUDA graphs.
    attention_kernels
        Those that ONNX Runtime may choose from, as bits: flash 1, memory-efficient 2, plain 16.
    rehearsal
        Run everything but the device itself, on the CPU: for tests.
    """

    device: int = 0
    precision: str = "fp16"
    memory_limit: int = 0
    most_tokens: int = 16384
    workers: int = 2
    graphs: bool = True
    attention_kernels: int = 19
    rehearsal: bool = False


def choose(device: str, precision: str | None) -> Cuda | None:
    """Return the CUDA device that is asked for, None for the CPU.

    Parameters
    ----------
    device
        "cpu", "auto" (the CPU in this version), "cuda" or "cuda:N".
    precision
        None: fp32 on the CPU, fp16 on CUDA.

    Raises
    ------
    DeviceError
        There is no such device, it cannot be used (names what is missing and the command), or it does not compute in
        this precision. Nothing is replaced in silence.
    """
    kind, _, number = device.partition(":")
    if kind == "cuda":
        if (number and not (number.isascii() and number.isdigit())) or device == "cuda:":
            raise DeviceError(f"device={device!r} does not exist. Write 'cuda' or, for one of several, 'cuda:1'.")
        if precision is not None and precision not in CUDA_PRECISIONS:
            raise DeviceError(_no_precision(precision, "a CUDA device", CUDA_PRECISIONS))
        cuda = Cuda(int(number or "0"), precision or CUDA_PRECISIONS[0], memory_limit(), graphs=wants_graphs())
        return _usable(cuda)
    if device not in ("cpu", "auto"):
        raise DeviceError(f"device={device!r} does not exist. Use device='cpu', 'cuda' or 'cuda:1'.")
    if precision is not None and precision not in CPU_PRECISIONS:
        raise DeviceError(_no_precision(precision, "the CPU", CPU_PRECISIONS))
    return None


def _no_precision(precision: str, where: str, known: tuple[str, ...]) -> str:
    return (
        f"precision={precision!r} is not available on {where} in this version of albert_fast. "
        f"Use precision={' or '.join(map(repr, known))}."
    )


def memory_limit() -> int:
    """Return the bytes of device memory that ALBERT_FAST_GPU_MEMORY_MIB allows a session, 0 if it does not say."""
    text = os.environ.get(MEMORY_VARIABLE, "")
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) <= 1 << 24:
        raise ParameterError(f"{MEMORY_VARIABLE}={text!r} is no number of MiB. Write for example 8192, or unset it.")
    return int(text) << 20


def wants_graphs() -> bool:
    """Return whether short texts run as CUDA graphs: unless ALBERT_FAST_CUDA_GRAPHS is 0."""
    text = os.environ.get(GRAPHS_VARIABLE, "1")
    if text not in ("0", "1"):
        raise ParameterError(f"{GRAPHS_VARIABLE}={text!r} is neither 0 nor 1.")
    return text == "1"


def stays_on(device: str, output_device: object) -> bool:
    """Return whether vectors stay in the memory of `device`, which computes them.

    Raises
    ------
    DeviceError
        `output_device` is neither the host nor that device.
    """
    if output_device is None:
        return False
    wanted = str(output_device)  # torch.device("cuda") too
    if wanted == "cpu":
        return False

    def numbered(name: str) -> str:
        return "cuda:0" if name == "cuda" else name

    if device.startswith("cuda") and numbered(wanted) == numbered(device):
        return True
    raise DeviceError(
        f"output_device={wanted!r}, but the model computes on {device!r}. Vectors can stay there or go to the "
        "host: give the device of the model, or output_device='cpu'."
    )


# ------------------------------------------------------------------------------------------- what was checked


@dataclass(slots=True)
class _Process:
    """What this process has done already."""

    lock: threading.Lock
    checked: frozenset[int] = frozenset()  # devices
    provider_is_ours: bool = False


_process = _Process(threading.Lock())


def _forget_parent() -> None:
    # A CUDA context does not survive a fork, and another thread may have held the lock.
    _process.lock = threading.Lock()
    _process.checked = frozenset()


os.register_at_fork(after_in_child=_forget_parent)


def _usable(cuda: Cuda) -> Cuda:
    """Check the device once per process: each call of a model comes by here."""
    if cuda.device in _process.checked:
        return cuda
    from . import gpu

    with _process.lock:
        if cuda.device not in _process.checked:
            gpu.check_cuda(cuda.device)
            _process.checked |= {cuda.device}
    return cuda


_PROVIDER_OF_OTHERS = (
    "Another copy of ONNX Runtime in this process (the Python package onnxruntime, as a rule) has opened the CUDA "
    "provider already. The provider serves one copy; two in one process have not been tested. Use albert_fast's CUDA "
    "device in a process of its own if it fails."
)


def warn_of_other_runtimes(maps: Path = Path("/proc/self/maps")) -> None:
    """Warn if the CUDA provider is open before our first session on a device."""
    from .gpu import PROVIDER

    try:
        is_open = PROVIDER in maps.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    was_ours, _process.provider_is_ours = _process.provider_is_ours, True
    if is_open and not was_ours:
        warn_user(_PROVIDER_OF_OTHERS, RuntimeWarning)
