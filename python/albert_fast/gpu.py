"""Pre-flight for CUDA: is everything there that ONNX Runtime's CUDA provider opens? Names what is missing.

The provider's library says itself which others it needs (the NEEDED entries of its ELF file), so this works
for every CUDA version. What is found is opened here and stays open: the dynamic linker then satisfies the
provider's needs from it, wherever the wheels of NVIDIA put their files.
"""

from __future__ import annotations

import ctypes
import importlib.util
import re
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

from .errors import DeviceError
from .runtime import Runtime, find_library, installed_distributions

PROVIDER = "libonnxruntime_providers_cuda.so"
DRIVER = "libcuda.so.1"
_MAX_TABLE = 1 << 24
# Parts of every Linux system, and the runtime's own library beside the provider.
_SYSTEM = (
    "libc.so",
    "libm.so",
    "libdl.so",
    "librt.so",
    "libpthread.so",
    "libgcc_s.so",
    "libstdc++.so",
    "ld-linux",
)
_OWN = ("libonnxruntime",)


@dataclass(frozen=True, slots=True)
class CudaReport:
    """A machine on which the CUDA provider can open.

    `libraries` lists what the provider needs and where it was found (a file of a wheel, or "system").
    """

    runtime: Runtime
    devices: int
    driver_version: str
    libraries: tuple[tuple[str, str], ...]


def check_cuda(device: int = 0) -> CudaReport:
    """Check the way to a CUDA device, and open the libraries on it.

    Raises
    ------
    DeviceError
        The CPU package is installed, a library is missing, or there is no such device; names what and the
        command.
    MissingDependencyError
        No ONNX Runtime at all.
    """
    runtime = find_library()
    if not sys.platform.startswith("linux"):
        raise DeviceError(f"CUDA is supported on Linux only; this is {sys.platform}. Use device='cpu'.")
    provider = runtime.library.parent / PROVIDER
    if not provider.is_file():
        raise DeviceError(_no_provider(runtime))
    devices, version = _ask_driver()
    needs = _needs(provider)
    _check_driver_version(version, needs, runtime)
    opened = _open_all(needs, runtime)
    if devices == 0:
        raise DeviceError(
            f"The NVIDIA driver finds no device ({DRIVER} is there). Check nvidia-smi, or use device='cpu'."
        )
    if not 0 <= device < devices:
        raise DeviceError(
            f"There is no device cuda:{device}; this machine has {devices}. Use cuda:0 to cuda:{devices - 1}."
        )
    return CudaReport(runtime, devices, version, opened)


def _needs(provider: Path) -> list[str]:
    return [name for name in needed_libraries(provider) if name != DRIVER and not name.startswith((*_SYSTEM, *_OWN))]


def _check_driver_version(version: str, needs: list[str], runtime: Runtime) -> None:
    """Refuse a driver that is older than the CUDA that the provider was built with (drivers run older CUDA)."""
    majors = [int(name.rpartition(".")[2]) for name in needs if re.fullmatch(r"libcudart\.so\.\d+", name)]
    if not majors or not version or int(version.partition(".")[0]) >= majors[0]:
        return
    other = ', or install the package for CUDA 12: pip install "albert_fast[gpu-cu12]"' if majors[0] > 12 else ""
    raise DeviceError(
        f"The NVIDIA driver runs CUDA up to {version}, and {runtime.package or runtime.library.name} "
        f"{runtime.version} needs CUDA {majors[0]}. Update the driver{other}."
    )


def _no_provider(runtime: Runtime) -> str:
    names = " ".join(installed_distributions()) or "onnxruntime"
    return (
        f"The installed ONNX Runtime ({runtime.package or runtime.library.name} {runtime.version}) is built for the "
        f"CPU: it has no {PROVIDER}. Replace it: pip uninstall -y {names}, then "
        'pip install "albert_fast[gpu]".'
    )


def _ask_driver() -> tuple[int, str]:
    try:
        driver = ctypes.CDLL(DRIVER)
    except OSError as error:
        raise DeviceError(
            f"{DRIVER} cannot be opened ({error}): there is no NVIDIA driver here, or the container was started "
            "without it (docker run --gpus all). Install the driver, or use device='cpu'."
        ) from None
    code = driver.cuInit(0)
    if code == 100:  # CUDA_ERROR_NO_DEVICE
        return 0, ""
    if code == 3:  # CUDA_ERROR_NOT_INITIALIZED: what a forked child of a process with a CUDA context gets
        raise DeviceError(
            "The NVIDIA driver cannot start in this process, as a rule because it was forked from one that uses CUDA. "
            "Start processes with the 'spawn' or 'forkserver' method."
        )
    count, version = ctypes.c_int(0), ctypes.c_int(0)
    code = code or driver.cuDeviceGetCount(ctypes.byref(count)) or driver.cuDriverGetVersion(ctypes.byref(version))
    if code:
        raise DeviceError(f"The NVIDIA driver answers with error {code}. Check nvidia-smi, or use device='cpu'.")
    return count.value, f"{version.value // 1000}.{version.value % 1000 // 10}"


@dataclass(frozen=True, slots=True)
class CudaDevice:
    """A device as its driver describes it."""

    name: str
    memory: int
    capability: tuple[int, int]

    def attention(self) -> str:
        """Return the kernel of PackedMultiHeadAttention that ONNX Runtime has for it in fp16."""
        return "flash" if self.capability >= (8, 0) else "memory-efficient"


def describe_devices(count: int) -> list[CudaDevice]:
    """Ask the driver about its first `count` devices, after `check_cuda` has started it."""
    driver = ctypes.CDLL(DRIVER)
    found = []
    for number in range(count):
        name, memory = ctypes.create_string_buffer(128), ctypes.c_size_t(0)
        handle, major, minor = ctypes.c_int(0), ctypes.c_int(0), ctypes.c_int(0)
        code = (
            driver.cuDeviceGet(ctypes.byref(handle), number)
            or driver.cuDeviceGetName(name, len(name), handle)
            or driver.cuDeviceTotalMem_v2(ctypes.byref(memory), handle)
            or driver.cuDeviceGetAttribute(ctypes.byref(major), 75, handle)  # COMPUTE_CAPABILITY_MAJOR
            or driver.cuDeviceGetAttribute(ctypes.byref(minor), 76, handle)
        )
        if code:
            raise DeviceError(f"The NVIDIA driver answers with error {code} about device {number}. Check nvidia-smi.")
        found.append(CudaDevice(name.value.decode("utf-8", "replace"), memory.value, (major.value, minor.value)))
    return found


def library_places() -> list[tuple[str, str]]:
    """Return what the CUDA provider needs, each with the file that serves, "system", or why it does not open."""
    provider = find_library().library.parent / PROVIDER
    if not provider.is_file():
        return []
    opened, problems = _open_in_rounds(_needs(provider))
    return [(name, opened.get(name) or f"missing: {problems[name]}") for name in _needs(provider)]


def _open_all(needs: list[str], runtime: Runtime) -> tuple[tuple[str, str], ...]:
    opened, problems = _open_in_rounds(needs)
    for name in needs:
        if name not in opened:
            raise DeviceError(
                f"ONNX Runtime's CUDA provider needs {name}, which cannot be opened ({problems[name]}). Install it: "
                f'pip install "albert_fast[{_extra(runtime)}]".'
            )
    return tuple((name, opened[name]) for name in needs)


def _open_in_rounds(needs: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Open libraries of which some need others: go round until nothing more opens."""
    places = _wheel_folders()
    opened: dict[str, str] = {}
    problems: dict[str, str] = {}
    progress = True
    while progress and len(opened) < len(needs):
        progress = False
        for name in needs:
            if name in opened:
                continue
            try:
                opened[name] = _open(name, places)
                progress = True
            except OSError as error:
                problems[name] = str(error)
    return opened, problems


def _open(name: str, places: list[Path]) -> str:
    path = next((folder / name for folder in places if (folder / name).is_file()), None)
    ctypes.CDLL(str(path) if path else name)
    return str(path) if path else "system"


def _wheel_folders() -> list[Path]:
    """Return the folders of NVIDIA's wheels: nvidia/cu13/lib, or nvidia/<component>/lib before CUDA 13."""
    try:
        spec = importlib.util.find_spec("nvidia")
    except (ImportError, ValueError):
        return []
    roots = spec.submodule_search_locations if spec and spec.submodule_search_locations else []
    return [folder for root in roots for folder in sorted(Path(root).glob("*/lib")) if folder.is_dir()]


def _extra(runtime: Runtime) -> str:
    return "gpu-cu12" if runtime.cuda_version.startswith("12") else "gpu"


# ------------------------------------------------------------------------------- the NEEDED entries of an ELF
# file


def needed_libraries(path: Path) -> list[str]:
    """Return the libraries that a 64-bit little-endian ELF file asks the dynamic linker for.

    Source: the System V ABI, chapters 4 and 5 (ELF header, program header, dynamic section).

    Raises
    ------
    DeviceError
        The file is no such ELF file, or its tables leave it.
    """
    with path.open("rb") as file:
        size = path.stat().st_size

        def read(offset: int, count: int) -> bytes:
            if count > _MAX_TABLE or offset + count > size:
                raise DeviceError(f"{path} is damaged: a table of it leaves the file. Install its package again.")
            file.seek(offset)
            return file.read(count)

        header = read(0, 64) if size >= 64 else b""
        if header[:6] != b"\x7fELF\x02\x01":
            raise DeviceError(f"{path} is not a shared library of this system. Install its package again.")
        start, entry, count = struct.unpack_from("<Q14xHH", header, 32)
        if entry < 56:
            raise DeviceError(f"{path} is damaged: its program headers are too short. Install its package again.")
        segments = [struct.unpack_from("<IIQQQQ", read(start + i * entry, 56)) for i in range(count)]
        dynamic = next((s for s in segments if s[0] == 2), None)
        if dynamic is None:
            return []
        tags = list(struct.iter_unpack("<QQ", read(dynamic[2], dynamic[5] // 16 * 16)))
        strings = next((value for tag, value in tags if tag == 5), 0)
        length = next((value for tag, value in tags if tag == 10), 0)
        # DT_STRTAB is an address in memory; the segment that holds it tells the place in the file.
        home = next((s for s in segments if s[0] == 1 and s[3] <= strings < s[3] + s[5]), None)
        if home is None:
            return []
        table = read(strings - home[3] + home[2], length)
        names = [table[value : table.find(b"\0", value)] for tag, value in tags if tag == 1 and value < len(table)]
    return [name.decode("ascii", "replace") for name in names]
