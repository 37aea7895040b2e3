"""Build the GPU on paper for an installed onnxruntime-gpu: ``python build.py PROVIDER FOLDER`` (gcc, binutils)."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

LIBRARIES = r"lib(cuda|cudart|cublas|cublasLt|curand|cufft|cudnn)\.so\.\d+"
SOURCE = Path(__file__).with_name("paper_gpu.c")


def build(provider: Path, folder: Path) -> None:
    """Write into `folder` every library of NVIDIA that `provider` needs: names of one file, which is opened once."""
    dynamic = subprocess.run(["readelf", "-d", provider], capture_output=True, text=True, check=True).stdout
    needed = {m[0] for m in re.finditer(LIBRARIES, dynamic)} | {"libcuda.so.1"}  # which older ones open later
    symbols = subprocess.run(["nm", "-D", "-u", provider], capture_output=True, text=True, check=True).stdout
    wanted = set(re.findall(r"\bU ((?:__)?cu(?:da|blas|rand|fft|dnn|[A-Z])\w*)", symbols))
    ours = set(re.findall(r"^[\w *]*?\b(\w+)\([^)]*\) \{", SOURCE.read_text(encoding="utf-8"), re.MULTILINE))
    stubs = folder / "stubs.c"
    stubs.write_text("".join(f"int {name}(void) {{ return 0; }}\n" for name in sorted(wanted - ours)), encoding="utf-8")
    subprocess.run(["gcc", "-shared", "-fPIC", "-w", "-o", folder / "paper_gpu.so", SOURCE, stubs], check=True)
    for name in needed:
        (folder / name).symlink_to("paper_gpu.so")


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]))
