"""Everything that has to be seen on a GPU, in one go: ``python -m bench.gpu_check`` builds and downloads nothing.

Correctness against float64, independence of neighbours, which attention kernel runs, CUDA graphs, vectors that stay
on the card, what happens when memory is short, the matrix rate of the card by cuBLAS, throughput as a share of it,
latency, and last what transformers, PyTorch and ONNX Runtime do, where they are installed. Prints a table; with --json
everything goes to a file, again after every part, so that what ends it early loses little. Exit code: 0 all checks
passed, 1 one failed, 2 there is no GPU here. A goal of speed that is missed is no failure.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from albert_fast import _core, gpu, runtime
from albert_fast.device import CUDA_PRECISIONS
from albert_fast.errors import AlbertFastError

from . import machine
from .gpu import checks, speed
from .gpu.setup import Report, Setup, make_setup


def look_for_gpu(device: int) -> tuple[gpu.CudaReport, list[gpu.CudaDevice]]:
    report = gpu.check_cuda(device)
    return report, gpu.describe_devices(report.devices)


def first_load(report: Report, setup: Setup, precision: str) -> None:
    start = time.perf_counter()
    setup.engine(precision)
    report.fact("load, the first (s)", time.perf_counter() - start)


def parts(report: Report, setup: Setup) -> list[tuple[str, Callable[[], None]]]:
    """Return what is to be done, in the order of what one wants to know first."""
    precisions = ("fp32",) if setup.rehearsal else CUDA_PRECISIONS
    work: list[tuple[str, Callable[[], None]]] = []

    def add(call: Callable[..., None], *arguments: object) -> None:
        name = " ".join([call.__name__.strip("_"), *(a for a in arguments if isinstance(a, str))])
        work.append((name, functools.partial(call, report, setup, *arguments)))

    add(first_load, precisions[0])
    for check in (
        checks.check_against_float64, checks.check_independence, checks.check_levels, checks.check_short_calls,
        checks.check_staying,
    ):  # fmt: skip
        add(check, precisions)
    add(checks.check_short_memory)
    if not setup.rehearsal:
        add(checks.attention_kernels)
        add(checks.check_other_runtime)
    for precision in precisions:  # fp16, which the goals are of, comes first with all of its own
        add(speed.measure_throughput, precision)
        add(speed.measure_latency, precision)
        add(speed.measure_peers, precision)
    return work


def write_json(report: Report, file: Path | None) -> None:
    """Write what was found so far; half a file never has its name."""
    if file is None:
        return
    beside = file.with_name(file.name + ".part")
    beside.write_text(json.dumps(dataclasses.asdict(report), indent=1) + "\n", encoding="utf-8")
    beside.replace(file)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.gpu_check", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--device", type=int, default=0, help="number of the CUDA device")
    parser.add_argument("--json", type=Path, help="file for everything that was found")
    parser.add_argument("--quick", action="store_true", help="less of everything")
    parser.add_argument(
        "--rehearse", action="store_true", help="try this script without a GPU: its numbers mean nothing"
    )
    arguments = parser.parse_args(argv)
    report = Report()
    try:
        runtime.load()
        if arguments.rehearse:
            print("rehearsal on the CPU: no GPU is used, no speed below means anything")
        else:
            cuda, devices = look_for_gpu(arguments.device)
            report.fact("devices", [dataclasses.asdict(card) for card in devices])
            report.fact("driver runs CUDA", cuda.driver_version)
    except AlbertFastError as error:
        report.facts["no GPU"] = str(error)
        print(f"no GPU: {error}")
        write_json(report, arguments.json)
        return 2
    report.fact("ONNX Runtime", _core.runtime_version())
    report.fact("processor", machine.cpu_name())
    with tempfile.TemporaryDirectory() as work:
        setup = make_setup(Path(work), arguments.device, arguments.rehearse, arguments.quick)
        for name, part in parts(report, setup):
            try:
                part()
            except Exception as error:  # the other parts still tell something
                report.failed(name, f"{type(error).__name__}: {error}")
            write_json(report, arguments.json)
    failed = sum(not check["passed"] for check in report.checks)
    print(f"{len(report.checks) - failed} of {len(report.checks)} checks passed")
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
