"""Finding ONNX Runtime, counting threads, the CUDA pre-flight: with made-up installations, and the real one."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from albert_fast import doctor, gpu, runtime
from albert_fast.errors import DeviceError, MissingDependencyError, ParameterError
from test_process import run_python

Install = Callable[..., Path]


@pytest.fixture(name="site")
def _site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty site-packages that hides the real ONNX Runtime."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *(p for p in sys.path if "site-packages" not in p)])
    monkeypatch.delenv(runtime.LIBRARY_VARIABLE, raising=False)
    monkeypatch.delenv(runtime.THREADS_VARIABLE, raising=False)
    monkeypatch.setattr(runtime, "_process", runtime._Process(runtime.threading.Lock()))
    for name in [name for name in sys.modules if name.partition(".")[0] in ("onnxruntime", "nvidia")]:
        monkeypatch.delitem(sys.modules, name)
    return tmp_path


@pytest.fixture(name="install")
def _install(site: Path) -> Install:
    def install(name: str, version: str, info: bool = True, library: bool = True, cuda: str = "") -> Path:
        """Write what a wheel of ONNX Runtime writes; a second one overwrites what both have."""
        metadata = site / f"{name.replace('-', '_')}-{version}.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        capi = site / "onnxruntime" / "capi"
        capi.mkdir(parents=True, exist_ok=True)
        (site / "onnxruntime" / "__init__.py").write_text("raise RuntimeError('must not be imported')\n")
        text = f"package_name = '{name}'\n__version__ = '{version}'\n"
        if cuda:
            text += f'cuda_version = "{cuda}"\n'
        if info:
            (capi / "build_and_package_info.py").write_text(text)
        if library:
            (capi / runtime.library_name(version)).write_bytes(b"not really")
        return capi

    return install


# ------------------------------------------------------------------------------------------------- finding


def test_finds_exactly_the_library_of_its_version(install: Install) -> None:
    capi = install("onnxruntime", "1.30.1")
    (capi / runtime.library_name("1.31.0")).write_bytes(b"a leftover of another package")
    found = runtime.find_library()
    assert found == runtime.Runtime(capi / runtime.library_name("1.30.1"), "1.30.1", "onnxruntime")
    assert "onnxruntime" not in sys.modules


def test_the_metadata_tells_where_the_package_does_not(install: Install) -> None:
    install("onnxruntime", "1.23.2", info=False)
    assert runtime.find_library().version == "1.23.2"


def test_no_runtime_gives_both_commands(site: Path) -> None:
    with pytest.raises(MissingDependencyError, match="not installed") as caught:
        runtime.find_library()
    for part in ('pip install "albert_fast[cpu]"', '"albert_fast[gpu]"'):
        assert part in str(caught.value)


def test_leftovers_of_an_uninstalled_package_are_no_runtime(site: Path) -> None:
    (site / "onnxruntime" / "capi").mkdir(parents=True)
    with pytest.raises(MissingDependencyError, match="not installed"):
        runtime.find_library()


def test_two_packages_that_still_work_warn_once_with_the_repair(install: Install) -> None:
    install("onnxruntime-gpu", "1.31.1", cuda="13.0")
    capi = install("onnxruntime", "1.32.0")
    with pytest.warns(RuntimeWarning, match="overwrite each other; the files of onnxruntime 1.32.0") as caught:
        assert runtime.find_library().library == capi / runtime.library_name("1.32.0")
    assert "pip uninstall -y onnxruntime onnxruntime-gpu" in str(caught[0].message)
    assert 'pip install "albert_fast[gpu]"' in str(caught[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        runtime.find_library()


def test_two_packages_of_which_one_was_removed_are_an_error_with_the_repair(install: Install, site: Path) -> None:
    install("onnxruntime-gpu", "1.31.1")
    capi = install("onnxruntime", "1.32.0")
    # What `pip uninstall onnxruntime` takes away: its own files, which are the other's too.
    for path in (site / "onnxruntime" / "__init__.py", capi / "build_and_package_info.py"):
        path.unlink()
    (capi / runtime.library_name("1.32.0")).unlink()
    (site / "onnxruntime-1.32.0.dist-info" / "METADATA").unlink()
    (site / "onnxruntime-1.32.0.dist-info").rmdir()
    with pytest.raises(MissingDependencyError, match=r"onnxruntime-gpu 1\.31\.1\) is broken.*Repair: \(1\)"):
        runtime.find_library()


def test_a_missing_library_names_the_file(install: Install) -> None:
    install("onnxruntime", "1.32.0", library=False)
    with pytest.raises(MissingDependencyError, match=rf"{runtime.library_name('1.32.0')} is missing"):
        runtime.find_library()


@pytest.mark.parametrize("version", ["1.22.1", "1.9.0", "0.99.0"])
def test_too_old(install: Install, version: str) -> None:
    install("onnxruntime", version)
    with pytest.raises(MissingDependencyError, match=rf"{version} is too old; albert_fast needs 1\.23"):
        runtime.find_library()


@pytest.mark.parametrize("version", ["1.23.0", "1.24.1", "1.100.0", "2.0.0"])
def test_new_enough(install: Install, version: str) -> None:
    install("onnxruntime", version)
    assert runtime.find_library().version == version


def test_a_named_file_that_is_no_runtime() -> None:
    """The variable is at fault; nothing is to be installed."""
    for library, why in ((__file__, "invalid ELF header"), ("libm.so.6", "has no OrtGetApiBase")):
        code = """
        import sys
        from albert_fast import _core, runtime
        from albert_fast.errors import MissingDependencyError
        try:
            _core.load_runtime(sys.argv[1], runtime.NAMED)
        except MissingDependencyError as error:
            print(error)
        """
        done = run_python(code, library)
        assert why in done.stdout, done.stderr
        assert "ALBERT_FAST_ORT_LIBRARY names it: correct the variable" in done.stdout
        assert "install " not in done.stdout


def test_an_explicit_file_wins(install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install("onnxruntime", "1.32.0")
    library = tmp_path / "libonnxruntime.so.1.25.0"
    monkeypatch.setenv(runtime.LIBRARY_VARIABLE, str(library))
    with pytest.raises(MissingDependencyError, match=f"{runtime.LIBRARY_VARIABLE} names"):
        runtime.find_library()
    library.write_bytes(b"")
    assert runtime.find_library() == runtime.Runtime(library, "1.25.0", "")
    old = tmp_path / "libonnxruntime.so.1.20.1"
    old.write_bytes(b"")
    monkeypatch.setenv(runtime.LIBRARY_VARIABLE, str(old))
    with pytest.raises(MissingDependencyError, match="too old"):
        runtime.find_library()


def test_library_names_of_the_systems() -> None:
    assert runtime.library_name("1.32.0", "linux") == "libonnxruntime.so.1.32.0"
    assert runtime.library_name("1.32.0", "darwin") == "libonnxruntime.1.32.0.dylib"
    assert runtime.library_name("1.32.0", "win32") == "onnxruntime.dll"


def test_build_info_is_read_not_run(tmp_path: Path) -> None:
    capi = tmp_path / "capi"
    capi.mkdir()
    (capi / "build_and_package_info.py").write_text("import os\nos.abort()\n__version__ = '1.2.3'\nx = 5\n")
    assert runtime.read_build_info(tmp_path) == {"__version__": "1.2.3"}


def test_the_installed_runtime_is_found_without_importing_it() -> None:
    code = (
        "import sys; from albert_fast import runtime; found = runtime.find_library();"
        "assert found.library.is_file(), found; assert 'onnxruntime' not in sys.modules; print(found.version)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_telemetry_is_switched_off_unless_the_user_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(runtime.TELEMETRY_VARIABLE, raising=False)
    runtime.prepare()
    assert os.environ[runtime.TELEMETRY_VARIABLE] == "1"
    monkeypatch.setenv(runtime.TELEMETRY_VARIABLE, "0")
    runtime.prepare()
    assert os.environ[runtime.TELEMETRY_VARIABLE] == "0"


# ------------------------------------------------------------------------------------------------- threads


def test_the_variable_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(runtime.THREADS_VARIABLE, " 3 ")
    assert runtime.default_threads() == 3
    for bad in ("0", "-1", "two", "1.5", "99999", "٣"):
        monkeypatch.setenv(runtime.THREADS_VARIABLE, bad)
        with pytest.raises(ParameterError, match=runtime.THREADS_VARIABLE):
            runtime.default_threads()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity masks")
def test_the_affinity_mask_counts() -> None:
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))});"
        "from albert_fast.runtime import default_threads; print(default_threads())"
    )
    environment = {key: value for key, value in os.environ.items() if key != runtime.THREADS_VARIABLE}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "1"


def cgroup(root: Path, lines: str, files: dict[str, str]) -> float | None:
    process = root / "self"
    process.write_text(lines)
    for name, text in files.items():
        path = root / "fs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return runtime.cgroup_limit(root / "fs", process)


@pytest.mark.parametrize(
    ("lines", "files", "limit"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/a/b\n", {"cpu.max": "400000 100000", "a/cpu.max": "200000 100000", "a/b/cpu.max": "max 100000"}, 2.0),
        ("0::/not/here\n", {"cpu.max": "300000 100000"}, 3.0),
        ("0::/../../x\n", {"cpu.max": "300000 100000"}, 3.0),
        ("3:cpu,cpuacct:/a\n", {"cpu/a/cpu.cfs_quota_us": "50000", "cpu/a/cpu.cfs_period_us": "100000"}, 0.5),
        ("3:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ("0::/\n", {"cpu.max": "nonsense"}, None),
        ("0::/\n", {"cpu.max": "0 0"}, None),
        ("0::/\n", {}, None),
        ("garbage", {}, None),
    ],
)
def test_limits_of_containers(tmp_path: Path, lines: str, files: dict[str, str], limit: float | None) -> None:
    assert cgroup(tmp_path, lines, files) == limit


@pytest.mark.parametrize(("limit", "expected"), [(None, 8), (0.5, 1), (1.9, 1), (2.0, 2), (64.0, 8)])
def test_threads_never_exceed_the_limit(monkeypatch: pytest.MonkeyPatch, limit: float | None, expected: int) -> None:
    monkeypatch.delenv(runtime.THREADS_VARIABLE, raising=False)
    monkeypatch.setattr(runtime, "usable_processors", lambda: 8)
    monkeypatch.setattr(runtime, "cgroup_limit", lambda: limit)
    assert runtime.default_threads() == expected


def test_the_limit_is_not_read_for_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(runtime.THREADS_VARIABLE, raising=False)
    monkeypatch.setattr(runtime, "usable_processors", lambda: 8)
    now, reads = [1000.0], []

    def limit() -> float:
        reads.append(now[0])
        return 2.0 if now[0] < 1010 else 3.0

    monkeypatch.setattr(runtime, "cgroup_limit", limit)
    monkeypatch.setattr(runtime.time, "monotonic", lambda: now[0])
    found = []
    for now[0] in (1000.0, 1001.0, 1009.0, 1010.0, 1019.0):
        found.append(runtime.default_threads())
    assert found == [2, 2, 2, 3, 3]
    assert reads == [1000.0, 1010.0]


# ---------------------------------------------------------------------------------------------------- CUDA


def elf(needs: list[str]) -> bytes:
    """Return the smallest ELF file with a dynamic section that needs the given libraries."""
    strings = b"\0" + b"".join(name.encode() + b"\0" for name in needs)
    places = [1 + sum(len(n) + 1 for n in needs[:i]) for i in range(len(needs))]
    base, table = 0x10000, 64 + 2 * 56
    dynamic = b"".join(struct.pack("<QQ", 1, place) for place in places)
    dynamic += struct.pack("<QQ", 5, base + table + len(dynamic) + 48) + struct.pack("<QQ", 10, len(strings))
    dynamic += struct.pack("<QQ", 0, 0)
    size = table + len(dynamic) + len(strings)
    header = b"\x7fELF\x02\x01\x01" + b"\0" * 9
    header += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, size, size, 4096)
    dyn = struct.pack("<IIQQQQQQ", 2, 6, table, base + table, base + table, len(dynamic), len(dynamic), 8)
    return header + load + dyn + dynamic + strings


NEEDS = ["libcublasLt.so.13", "libcudart.so.13", "libcuda.so.1", "libc.so.6", "libonnxruntime_providers_shared.so"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ELF is Linux's format")
def test_needed_libraries_agree_with_the_linkers_own_list(tmp_path: Path) -> None:
    path = tmp_path / "x.so"
    path.write_bytes(elf(NEEDS))
    assert gpu.needed_libraries(path) == NEEDS
    try:
        listed = subprocess.run(["readelf", "-d", sys.executable], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return
    expected = [line.split("[")[1].rstrip("]") for line in listed.splitlines() if "(NEEDED)" in line]
    assert gpu.needed_libraries(Path(sys.executable)) == expected


def test_files_that_are_no_library(tmp_path: Path) -> None:
    path = tmp_path / "x.so"
    whole = elf(NEEDS)
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        with pytest.raises(DeviceError, match=r"x\.so"):
            gpu.needed_libraries(path)
    path.write_bytes(b"MZ" + b"\0" * 100)
    with pytest.raises(DeviceError, match="not a shared library"):
        gpu.needed_libraries(path)


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="CUDA is supported on Linux only")


@linux
def test_cuda_with_the_cpu_package(install: Install) -> None:
    install("onnxruntime", "1.32.0")
    with pytest.raises(DeviceError, match=r"built for the CPU.*pip uninstall -y onnxruntime, then pip install"):
        gpu.check_cuda()


@linux
def test_cuda_without_a_driver(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    capi = install("onnxruntime-gpu", "1.31.1", cuda="13.0")
    (capi / gpu.PROVIDER).write_bytes(elf(NEEDS))

    def no_driver(name: str, *_: Any) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(gpu.ctypes, "CDLL", no_driver)
    with pytest.raises(DeviceError, match=r"libcuda\.so\.1 cannot be opened.*Install the driver"):
        gpu.check_cuda()


@linux
@pytest.mark.parametrize(("cuda", "extra"), [("13.0", "gpu"), ("12.8", "gpu-cu12"), ("", "gpu")])
def test_cuda_names_the_first_missing_library_and_its_extra(
    install: Install, monkeypatch: pytest.MonkeyPatch, cuda: str, extra: str
) -> None:
    capi = install("onnxruntime-gpu", "1.31.1", cuda=cuda)
    (capi / gpu.PROVIDER).write_bytes(elf(NEEDS))
    monkeypatch.setattr(gpu, "_ask_driver", lambda: (1, "13.0"))
    with pytest.raises(DeviceError, match=rf'needs libcublasLt\.so\.13.*pip install "albert_fast\[{extra}\]"'):
        gpu.check_cuda()


@linux
def test_cuda_opens_what_the_wheels_bring(install: Install, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    capi = install("onnxruntime-gpu", "1.31.1", cuda="13.0")
    (capi / gpu.PROVIDER).write_bytes(elf(NEEDS))
    folders = [site / "nvidia" / "cu13" / "lib", site / "nvidia" / "cudart" / "lib"]
    for folder, name in zip(folders, NEEDS, strict=False):
        folder.mkdir(parents=True)
        (folder / name).write_bytes(b"")
    opened: list[str] = []

    def open_library(path: str) -> None:
        if path.endswith(NEEDS[0]) and not any(done.endswith(NEEDS[1]) for done in opened):
            raise OSError("it needs the other one first")
        opened.append(path)

    monkeypatch.setattr(gpu.ctypes, "CDLL", open_library)
    monkeypatch.setattr(gpu, "_ask_driver", lambda: (2, "13.0"))
    report = gpu.check_cuda(1)
    assert report.devices == 2
    assert report.libraries == ((NEEDS[0], str(folders[0] / NEEDS[0])), (NEEDS[1], str(folders[1] / NEEDS[1])))
    with pytest.raises(DeviceError, match="no device cuda:2; this machine has 2"):
        gpu.check_cuda(2)
    monkeypatch.setattr(gpu, "_ask_driver", lambda: (0, ""))
    with pytest.raises(DeviceError, match="finds no device"):
        gpu.check_cuda()


@linux
@pytest.mark.parametrize(("version", "passes"), [("12.9", False), ("13.0", True), ("14.1", True), ("", True)])
def test_a_driver_that_is_too_old(
    install: Install, monkeypatch: pytest.MonkeyPatch, version: str, passes: bool
) -> None:
    capi = install("onnxruntime-gpu", "1.31.1", cuda="13.0")
    (capi / gpu.PROVIDER).write_bytes(elf(NEEDS))
    monkeypatch.setattr(gpu, "_ask_driver", lambda: (1, version))
    monkeypatch.setattr(gpu.ctypes, "CDLL", lambda name: None)
    if passes:
        assert gpu.check_cuda().driver_version == version
        return
    with pytest.raises(DeviceError, match=r"CUDA up to 12\.9.*onnxruntime-gpu 1\.31\.1 needs CUDA 13.*gpu-cu12"):
        gpu.check_cuda()


# -------------------------------------------------------------------------------------------------- doctor


def test_the_doctor_explains_a_machine_without_a_runtime(site: Path) -> None:
    text = doctor.as_text(doctor.doctor())
    assert "ONNX Runtime is not installed" in text
    assert "not usable" in text
    for title in ("Packages", "Processor", "GPU", "Models", "Environment"):
        assert f"{title}\n" in text


def test_the_doctor_explains_two_packages(install: Install) -> None:
    install("onnxruntime-gpu", "1.31.1")
    install("onnxruntime", "1.32.0", library=False)
    text = doctor.as_text(doctor.doctor())
    assert "overwrite each other" in text
    assert "is missing" in text
