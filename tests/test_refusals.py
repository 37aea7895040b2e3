"""A system that refuses memory or threads in the middle of a call: an error of ours or the result, no crash later."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SCRIPT = """
import ctypes, sys
import numpy as np
from albert_fast import AlbertEmbeddings
system = ctypes.CDLL(sys.argv[2])
refuse_memory = lambda bytes: system.refuse_memory(ctypes.c_size_t(bytes))
model = AlbertEmbeddings.load(sys.argv[1], threads=2, precision=sys.argv[3])
long = "word " * 120
texts = [f"{i} {long}" for i in range(16)]
def embed(texts):
    return model.embed(texts, level="document").vectors
embed("short")
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("skipped: no C compiler")
    built = tmp_path_factory.mktemp("refusals") / "refuse.so"
    source = Path(__file__).parent / "refusals" / "refuse.c"
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", source, "-o", built, "-ldl", "-pthread"], check=True)
    return built


def run(library: Path, folder: Path, precision: str, code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT + code, str(folder), str(library), precision],
        env={**os.environ, "LD_PRELOAD": str(library)}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_memory_that_runs_out_inside_an_operator(library: Path, tiny_folder: Path, precision: str) -> None:
    said = run(library, tiny_folder, precision, """
for _ in range(5):
    refuse_memory(9000)  # the result takes less, what an operator keeps beside it more
    try:
        embed(texts)
    except MemoryError as error:
        print("refused:", error)
    refuse_memory(0)
    embed("short")
print(embed(texts).shape)
""")  # fmt: skip
    assert "refused: ONNX Runtime" in said
    assert "The machine has no memory left for it" in said
    assert said.endswith("(16, 32)\n")


def test_threads_that_are_refused(library: Path, tiny_folder: Path) -> None:
    said = run(library, tiny_folder, "fp32", """
texts = texts * 40
system.refuse_threads(1)
found = embed(texts)
system.refuse_threads(0)
print(np.abs(found - embed(texts)).max() < 1e-5)
""")  # fmt: skip
    assert said == "True\n"
