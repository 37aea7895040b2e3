"""Every set of kernels that this processor runs: the encoder's own tests again, with the set by name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from albert_fast import _core
from test_process import run_python

HERE = Path(__file__).parent


@pytest.mark.parametrize("kernels", sorted({*_core.kernel_sets()} - {_core.kernels()}))
def test_the_model_is_right_with_every_set_of_kernels(kernels: str) -> None:
    """Where a set has no products of its own, this is also the test of ONNX Runtime's in our graph."""
    choice = "float64 or fidelity or neighbours"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-k", choice, HERE / "test_encoder.py", HERE / "test_int8.py"],
        env={**os.environ, "ALBERT_FAST_KERNELS": kernels},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert " passed" in done.stdout


def test_the_processor_has_the_sets_that_linux_says() -> None:
    """Linux lists a feature only where it keeps the registers that belong to it, too."""
    flags = {
        word for line in Path("/proc/cpuinfo").read_text().splitlines() if line[:5] == "flags" for word in line.split()
    }
    needs = {"avx2": {"avx2", "fma"}}
    needs["avx512"] = needs["avx2"] | {"avx512f", "avx512dq", "avx512bw", "avx512vl"}
    needs["avx512vnni"] = needs["avx512"] | {"avx512_vnni"}
    wanted = [name for name in ("avx512vnni", "avx512", "avx2") if needs[name] <= flags]
    if "amx_int8" in flags:
        wanted.remove("avx512vnni")  # left to ONNX Runtime
    assert _core.kernel_sets() == [*wanted, "portable"]


def test_kernels_of_another_processor_are_refused(tiny_folder: Path) -> None:
    code = """
    import sys
    from albert_fast import AlbertEmbeddings, DeviceError
    try:
        AlbertEmbeddings.load(sys.argv[1]).embed("I love NLP")
    except DeviceError as error:
        print(error)
    """
    done = run_python(code, str(tiny_folder), ALBERT_FAST_KERNELS="neural9000")
    assert done.returncode == 0, done.stderr
    assert "ALBERT_FAST_KERNELS is 'neural9000'" in done.stdout
    assert all(name in done.stdout for name in _core.kernel_sets())
