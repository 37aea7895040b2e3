"""Find the installed ONNX Runtime without importing it, and say clearly what is wrong where there is none.

Facts: `onnxruntime` and `onnxruntime-gpu` are two distributions that write the same folder, so the one
installed last wins and removing one breaks the other; each holds `capi/libonnxruntime.so.<version>`, which is
what the core opens; `capi/build_and_package_info.py` names the distribution and version whose files are
there. Importing the package would map a second copy of the runtime and, from 1.29 on, start its telemetry
thread.
"""

from __future__ import annotations

import functools
import importlib.util
import logging
import math
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .errors import MissingDependencyError, ParameterError
from .warn import warn_user

_LOG = logging.getLogger("albert_fast")

FLOOR = (1, 23)
LIBRARY_VARIABLE = "ALBERT_FAST_ORT_LIBRARY"
THREADS_VARIABLE = "ALBERT_FAST_NUM_THREADS"
TELEMETRY_VARIABLE = "ORT_DISABLE_TELEMETRY"
MAX_THREADS = 1024
LIMIT_SECONDS = 10  # how long a container's limit is believed

# Every distribution known to write the package `onnxruntime`.
DISTRIBUTIONS = (
    "onnxruntime",
    "onnxruntime-gpu",
    "onnxruntime-directml",
    "onnxruntime-openvino",
    "onnxruntime-qnn",
    "onnxruntime-rocm",
    "onnxruntime-migraphx",
    "onnxruntime-training",
    "ort-nightly",
    "ort-nightly-gpu",
)
INSTALL = (
    'For the CPU: pip install "albert_fast[cpu]". For an NVIDIA GPU: pip install "albert_fast[gpu]" '
    '(CUDA 13) or "albert_fast[gpu-cu12]" (CUDA 12).'
)

NAMED = f"{LIBRARY_VARIABLE} names it: correct the variable, or unset it to use the installed package."


@dataclass(frozen=True, slots=True)
class Runtime:
    """An ONNX Runtime library that can be opened.

    Attributes
    ----------
    library
        The file to open.
    version
        For example "1.32.0"; "" where an explicit file does not tell.
    package
        The distribution whose files are there, for example "onnxruntime-gpu"; "" for an explicit file.
    cuda_version
        The CUDA version that package was built for, "" where it does not say.
    """

    library: Path
    version: str
    package: str
    cuda_version: str = ""


@dataclass(slots=True)
class _Process:
    """What this process has done already."""

    lock: threading.Lock
    loaded: Runtime | None = None
    has_warned: bool = False


_process = _Process(threading.Lock())


def _renew_lock() -> None:
    # Another thread of the parent may have held the lock at the fork; nobody would ever release it here.
    _process.lock = threading.Lock()


os.register_at_fork(after_in_child=_renew_lock)


def load() -> Runtime:
    """Open the runtime library in the core, once per process.

    Raises
    ------
    MissingDependencyError
        There is no runtime, two overwrote each other, it is too old, or it does not open.
    """
    with _process.lock:
        if _process.loaded is None:
            prepare()
            found = find_library()
            from . import _core

            _core.load_runtime(str(found.library), _remedy(found))
            _LOG.debug("opened %s", found.library)
            _process.loaded = found
        return _process.loaded


def _remedy(found: Runtime) -> str:
    """Return what to do about a library that is none, or too old."""
    if not found.package:
        return NAMED
    return f"Reinstall it: pip install --force-reinstall --upgrade {found.package}"


def prepare() -> None:
    """Switch the runtime's telemetry off, unless the user decided otherwise; before the library opens."""
    os.environ.setdefault(TELEMETRY_VARIABLE, "1")


def find_library() -> Runtime:
    """Return the ONNX Runtime library to open.

    Raises
    ------
    MissingDependencyError
        None is installed, the installation is broken, or it is older than 1.23; ends with the command that
        helps.
    """
    explicit = os.environ.get(LIBRARY_VARIABLE)
    if explicit:
        return _explicit_library(explicit)
    installed = installed_distributions()
    folder = package_folder()
    if folder is None:
        if installed:
            raise _broken(installed, "its folder holds no package any more")
        raise MissingDependencyError(f"ONNX Runtime is not installed. {INSTALL}")
    info = read_build_info(folder)
    version = info.get("__version__") or next(iter(installed.values()), "")
    if not version:
        raise _broken(installed, f"{folder} does not tell its version")
    library = folder / "capi" / library_name(version)
    if not library.is_file():
        raise _broken(installed, f"{library.name} is missing in {library.parent}")
    package = info.get("package_name") or next(iter(installed), "")
    _check_floor(version)
    if len(installed) > 1:
        _warn_twice(installed, package, version)
    return Runtime(library, version, package, info.get("cuda_version", ""))


def _explicit_library(text: str) -> Runtime:
    library = Path(text).expanduser()
    if not library.is_file():
        raise MissingDependencyError(
            f"{LIBRARY_VARIABLE} names {text}, but there is no such file. Correct the variable, or unset it to use "
            "the installed package."
        )
    match = re.search(r"(\d+\.\d+\.\d+)", library.name)
    if match:
        _check_floor(match.group(1), NAMED)
    return Runtime(library, match.group(1) if match else "", "")


def package_folder() -> Path | None:
    """Return the folder of the package `onnxruntime`, None where it is not (or no longer) a package."""
    try:
        spec = importlib.util.find_spec("onnxruntime")
    except (ImportError, ValueError):
        return None
    # Leftovers of an uninstalled package are found as a namespace, which has no file of its own.
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent


def installed_distributions() -> dict[str, str]:
    """Return the installed distributions of ONNX Runtime with their versions."""
    from importlib.metadata import PackageNotFoundError, version

    found: dict[str, str] = {}
    for name in DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def read_build_info(folder: Path) -> dict[str, str]:
    """Return the text assignments of `capi/build_and_package_info.py`, without running it."""
    try:
        text = (folder / "capi" / "build_and_package_info.py").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return {}
    return dict(re.findall(r"""^(\w+)\s*=\s*['"]([^'"]*)['"]\s*$""", text, re.MULTILINE))


def library_name(version: str, platform: str = sys.platform) -> str:
    """Return the file name of the shared library of a version; exactly that one is opened."""
    if platform == "win32":
        return "onnxruntime.dll"
    if platform == "darwin":
        return f"libonnxruntime.{version}.dylib"
    return f"libonnxruntime.so.{version}"


def _check_floor(version: str, remedy: str = INSTALL) -> None:
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers and (int(numbers[1]), int(numbers[2])) < FLOOR:
        raise MissingDependencyError(
            f"ONNX Runtime {version} is too old; albert_fast needs {FLOOR[0]}.{FLOOR[1]} or later. {remedy}"
        )


def repair(installed: dict[str, str]) -> str:
    """Return the commands that leave one working runtime."""
    gpu = any("gpu" in name for name in installed)
    extra = "gpu" if gpu else "cpu"
    return (
        f"Repair: (1) pip uninstall -y {' '.join(installed)}  (2) delete the folder onnxruntime in site-packages if "
        "it "
        f'is still there  (3) pip install "albert_fast[{extra}]".'
    )


def _broken(installed: dict[str, str], why: str) -> MissingDependencyError:
    names = ", ".join(f"{name} {version}" for name, version in installed.items()) or "onnxruntime"
    cause = ""
    if len(installed) > 1:
        cause = " These packages write the same folder and overwrote each other; only one may be installed."
    fix = repair(installed) if installed else INSTALL
    return MissingDependencyError(f"The installed ONNX Runtime ({names}) is broken: {why}.{cause} {fix}")


def _warn_twice(installed: dict[str, str], package: str, version: str) -> None:
    if _process.has_warned:
        return
    _process.has_warned = True
    names = " and ".join(f"{name} {number}" for name, number in installed.items())
    warn_user(
        f"{names} are both installed and overwrite each other; the files of {package} {version} are there now and "
        f"are used. {repair(installed)}",
        RuntimeWarning,
    )


# ------------------------------------------------------------------------------------------------ threads


def default_threads() -> int:
    """Return how many threads to compute with: ALBERT_FAST_NUM_THREADS, or all usable processors.

    Counts the processors of the affinity mask and respects the limit of a container (cgroup v1 and v2),
    rounded down: threads over a quota are all stopped together for the rest of each period.

    Raises
    ------
    ParameterError
        The variable is no whole number from 1 to 1024.
    """
    text = os.environ.get(THREADS_VARIABLE, "").strip()
    if text:
        if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= MAX_THREADS:
            raise ParameterError(f"{THREADS_VARIABLE} is {text!r}, expected a whole number from 1 to {MAX_THREADS}.")
        return int(text)
    limit = _recent(cgroup_limit, int(time.monotonic() / LIMIT_SECONDS))
    processors = usable_processors()
    return processors if limit is None else max(1, min(processors, math.floor(limit + 1e-6)))


@functools.lru_cache(maxsize=1)
def _recent(read: Callable[[], float | None], period: int) -> float | None:
    """Return what `read` found in this period: the limit stands in files, and every call of a model asks."""
    return read()


def usable_processors() -> int:
    """Return the number of processors in this process's affinity mask."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cgroup_limit(root: Path = Path("/sys/fs/cgroup"), process: Path = Path("/proc/self/cgroup")) -> float | None:
    """Return how many processors a container may use: the smallest limit of its groups, None without one."""
    try:
        lines = process.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return None
    limits: list[float] = []
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if controllers == "":
            limits += _group_limits(root, group, _limit_v2)
        elif "cpu" in controllers.split(","):
            for mount in ("cpu", "cpu,cpuacct", controllers):
                limits += _group_limits(root / mount, group, _limit_v1)
    return min(limits, default=None)


def _group_limits(root: Path, group: str, read: Callable[[Path], float | None]) -> list[float]:
    """Return the limits of a group and of every group around it.

    Inside a container the path in /proc may be the host's, which is not there: then the root is the
    container's own.
    """
    parts = [part for part in group.split("/") if part not in ("", ".", "..")]
    found = [read(root.joinpath(*parts[:count])) for count in range(len(parts) + 1)]
    return [limit for limit in found if limit is not None]


def _limit_v2(folder: Path) -> float | None:
    quota, _, period = _read_line(folder / "cpu.max").partition(" ")
    return _ratio(quota, period)


def _limit_v1(folder: Path) -> float | None:
    return _ratio(_read_line(folder / "cpu.cfs_quota_us"), _read_line(folder / "cpu.cfs_period_us"))


def _read_line(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _ratio(quota: str, period: str) -> float | None:
    if not quota.isdigit() or not period.isdigit() or int(quota) == 0 or int(period) == 0:
        return None  # "max" and "-1" mean no limit
    return int(quota) / int(period)
