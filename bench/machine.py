"""What the numbers were measured on."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = (
    "albert_fast",
    "numpy",
    "onnxruntime",
    "onnxruntime-gpu",
    "onnx",
    "sentencepiece",
    "tokenizers",
    "torch",
    "transformers",
    "sentence-transformers",
)


def usable_processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0))


def cpu_name() -> str:
    """Return the processor's name."""
    for line in _lines("/proc/cpuinfo"):
        if line.startswith(("model name", "Model")):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def describe() -> dict[str, object]:
    """Return the machine's facts; the load average tells whether others were using it."""
    from albert_fast import _core

    memory = next((line for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), "0 0")
    return {
        "cpu": cpu_name(),
        "processors": os.cpu_count(),
        "usable_processors": usable_processors(),
        "features": _core.cpu_features(),
        "kernels": _core.kernels(),
        "governor": _text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "memory_gb": round(int(memory.split()[1]) / 2**20, 1),
        "system": f"{platform.system()} {platform.release()}",
        "load_average_before": round(os.getloadavg()[0], 2),
    }


def versions() -> dict[str, str]:
    """Return the versions of Python and of every package that takes part and is installed."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def slug() -> str:
    """Return the processor's name as part of a file name."""
    name = re.sub(r"\(.*?\)|CPU|Processor|@.*", " ", cpu_name())
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "cpu"


def _lines(path: str) -> list[str]:
    return (_text(path) or "").splitlines()


def _text(path: str) -> str | None:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return None
