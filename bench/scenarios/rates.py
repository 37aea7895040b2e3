"""The machine's own limits: fp32 and int8 products on one thread and on all."""

from __future__ import annotations

from ..context import Context, System
from ..timing import Spread, interleave

ROWS = 256  # MLAS is at its peak from about here
PEER = "matrix products"
_CALLS = 10


def rate_system(precision: str) -> System:
    """Return the system that multiplies [256, hidden] by [hidden, intermediate] through ONNX Runtime."""
    return System(f"{precision} product", PEER, "rate", {"precision": precision, "rows": ROWS})


def operations(context: Context) -> float:
    """Return the multiplications and additions of one such product."""
    geometry = context.model.geometry
    return float(2.0 * ROWS * geometry["hidden_size"] * geometry["intermediate_size"])


def run(context: Context) -> None:
    systems = {"fp32 (ONNX Runtime)": rate_system("fp32"), "int8, u8 x s8 (ONNX Runtime)": rate_system("int8")}
    systems["fp32 (NumPy)"] = System("NumPy", PEER, "rate_of_numpy", {"rows": ROWS})
    for threads in sorted({1, context.all_threads}):
        worker = context.worker(PEER, threads)
        if worker is None:
            return
        measures = {name: context.timer(worker, system, None, _CALLS) for name, system in systems.items()}
        for measure in measures.values():
            measure()
        for name, seconds in interleave(measures, context.settings.light).items():
            rate = Spread.of([operations(context) / s / 1e9 for s in seconds])
            context.report.add("rates", f"{ROWS} rows", name, "rate", "Gop/s", rate, threads)
