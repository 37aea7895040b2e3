"""Pre-flight for CUDA: is everything there that ONNX Runtime's CUDA provider opens? Names what is missing.

The provider's library says itself which others it needs (the NEEDED entries of its ELF file), so this works
for every CUDA version. What is found is opened here and stays open: the dynamic linker then satisfies the
provider's needs from it, wherever the wheels of NVIDIA put their files.
"""

from __future__ import annotations

import ctypes
import importlib.util
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
    needs = [name for name in needed_libraries(provider) if name != DRIVER and not name.startswith((*_SYSTEM, *_OWN))]
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
    count, version = ctypes.c_int(0), ctypes.c_int(0)
    code = code or driver.cuDeviceGetCount(ctypes.byref(count)) or driver.cuDriverGetVersion(ctypes.byref(version))
    if code:
        raise DeviceError(f"The NVIDIA driver answers with error {code}. Check nvidia-smi, or use device='cpu'.")
    return count.value, f"{version.value // 1000}.{version.value % 1000 // 10}"


def _open_all(needs: list[str], runtime: Runtime) -> tuple[tuple[str, str], ...]:
    """Open the needed libraries; some need others of them, so go round until nothing more opens."""
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
    for name in needs:
        if name not in opened:
            raise DeviceError(
                f"ONNX Runtime's CUDA provider needs {name}, which cannot be opened ({problems[name]}). Install it: "
                f'pip install "albert_fast[{_extra(runtime)}]".'
            )
    return tuple((name, opened[name]) for name in needs)


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
