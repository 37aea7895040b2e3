"""What `albert-fast doctor` shows: all about this machine that decides whether and how fast models run."""

from __future__ import annotations

import importlib
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType

from . import device, models, runtime
from .errors import AlbertFastError
from .models.fetch import cache, hub

Section = tuple[str, list[tuple[str, str]]]

_VARIABLES = (
    runtime.LIBRARY_VARIABLE,
    runtime.THREADS_VARIABLE,
    *hub.OFFLINE_VARIABLES,
    cache.VARIABLE,
    "HF_HOME",
    "HF_HUB_CACHE",
    "HF_ENDPOINT",
    "CUDA_VISIBLE_DEVICES",
    device.MEMORY_VARIABLE,
    "OMP_NUM_THREADS",
    "HTTP_PROXY",
    "HTTPS_PROXY",
)


def doctor() -> list[Section]:
    """Return titled lists of (what, value); a problem becomes a value that says how to repair it."""
    core = _core()
    return [
        ("Packages", _packages(core)),
        ("ONNX Runtime", _runtime(core)),
        ("Processor", _processor(core)),
        ("GPU", _gpu()),
        ("Models", _models()),
        ("Environment", _environment()),
    ]


def is_healthy() -> bool:
    """Whether the core and a usable runtime are there."""
    if isinstance(_core(), str):
        return False
    try:
        runtime.load()
    except AlbertFastError:
        return False
    return True


def _core() -> ModuleType | str:
    try:
        return importlib.import_module("._core", __package__)
    except ImportError as error:
        return f"cannot be loaded ({error}). Install it again: pip install --force-reinstall albert_fast"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _packages(core: ModuleType | str) -> list[tuple[str, str]]:
    rows = [(name, _version(name)) for name in ("albert_fast", "numpy", "huggingface_hub", "tqdm")]
    rows.append(("core", core if isinstance(core, str) else "loaded"))
    rows.append(("Python", f"{platform.python_version()} ({platform.python_implementation()})"))
    rows.append(("system", f"{platform.system()} {platform.release()} {platform.machine()}"))
    return rows


def _runtime(core: ModuleType | str) -> list[tuple[str, str]]:
    installed = runtime.installed_distributions()
    rows = [("packages", ", ".join(f"{name} {number}" for name, number in installed.items()) or "none")]
    if len(installed) > 1:
        rows.append(("problem", f"these packages overwrite each other. {runtime.repair(installed)}"))
    try:
        found = runtime.load() if isinstance(core, ModuleType) else runtime.find_library()
    except AlbertFastError as error:
        return [*rows, ("problem", str(error))]
    rows.append(("files of", f"{found.package or 'an explicit file'} {found.version}".strip()))
    rows.append(("library", found.library.name))
    rows.append(("folder", str(found.library.parent)))
    if found.version in ("1.24.0", "1.24.1"):
        rows.append(("note", "this version refuses external data behind links; albert_fast does not use any"))
    if isinstance(core, ModuleType):
        rows.append(("version", core.runtime_version()))
        rows.append(("C API", str(core.runtime_api())))
        rows.append(("providers", ", ".join(core.runtime_providers())))
    telemetry = os.environ.get(runtime.TELEMETRY_VARIABLE)
    rows.append(("telemetry", "off" if telemetry == "1" else f"{runtime.TELEMETRY_VARIABLE}={telemetry}"))
    others = _other_copies(found.library)
    if others:
        rows.append(("also loaded", ", ".join(others)))
    return rows


def _other_copies(library: Path) -> list[str]:
    """Return other ONNX Runtime libraries that are mapped into this process (Linux)."""
    try:
        maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    paths = {line.split(maxsplit=5)[5] for line in maps.splitlines() if "onnxruntime" in line and "/" in line}
    return sorted(path for path in paths if path != str(library.resolve()))


def _processor(core: ModuleType | str) -> list[tuple[str, str]]:
    limit = runtime.cgroup_limit()
    try:
        threads = str(runtime.default_threads())
    except AlbertFastError as error:
        threads = str(error)
    rows = [
        ("processors", f"{os.cpu_count()} in the machine, {runtime.usable_processors()} for this process"),
        ("container limit", "none" if limit is None else f"{limit:g} processors"),
        ("threads", threads),
    ]
    if isinstance(core, ModuleType):
        rows.append(("instructions", ", ".join(core.cpu_features()) or "baseline only"))
        rows.append(("kernels", _kernels(core)))
    return rows


def _kernels(core: ModuleType) -> str:
    try:
        return f"{core.kernels()} (of {', '.join(core.kernel_sets())})"
    except AlbertFastError as error:
        return str(error)


def _gpu() -> list[tuple[str, str]]:
    from . import gpu

    try:
        report = gpu.check_cuda()
        devices = gpu.describe_devices(report.devices)
    except AlbertFastError as error:
        return [("CUDA", f"not usable: {error}"), *_cuda_libraries()]
    rows = [("CUDA", f"usable, {report.devices} device(s), driver for CUDA {report.driver_version}")]
    for number, card in enumerate(devices):
        major, minor = card.capability
        rows.append(
            (
                f"cuda:{number}",
                f"{card.name}, {card.memory / 2**30:.1f} GiB, compute capability {major}.{minor}, fp16 attention: "
                f"{card.attention()}",
            )
        )
    return rows + list(report.libraries)


def _cuda_libraries() -> list[tuple[str, str]]:
    from . import gpu

    try:
        return gpu.library_places()
    except AlbertFastError:
        return []


def _models() -> list[tuple[str, str]]:
    built_in = (models.built_in_folder() / "config.json").is_file()
    cached = hub.cached_models()
    return [
        ("built in", models.BUILT_IN if built_in else f"{models.BUILT_IN} is missing from this installation"),
        ("cache", str(hub.cache_folder())),
        ("in the cache", ", ".join(cached) or "none"),
        ("cache of zips", _cache_of_zips()),
        ("network", f"forbidden by {name}" if (name := hub.offline_variable()) else "allowed"),
    ]


def _cache_of_zips() -> str:
    try:
        return str(cache.root())
    except AlbertFastError as error:
        return str(error)


def _environment() -> list[tuple[str, str]]:
    rows = [(name, os.environ[name]) for name in _VARIABLES if os.environ.get(name)]
    return rows or [("variables", f"none of {', '.join(_VARIABLES[:4])} ... is set")]


def as_text(sections: list[Section]) -> str:
    """Return the sections as aligned lines."""
    lines: list[str] = []
    for title, rows in sections:
        lines.append(title)
        width = max(len(name) for name, _ in rows)
        lines += [f"  {name:<{width}}  {value}" for name, value in rows]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"
