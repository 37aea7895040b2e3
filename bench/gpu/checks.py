"""What has to be right on the card: the numbers, and that they stay so with neighbours, graphs and little memory."""

from __future__ import annotations

import importlib.util
import itertools
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from albert_fast import AlbertEmbeddings, _core
from albert_fast.device import CUDA_PRECISIONS
from albert_fast.device_vectors import DeviceVectors

from ..checks import row_cosines
from .setup import Array, Report, Setup, sequences_of, texts_of, with_outliers

# The project's bounds. fp16 and tf32 are judged by direction, fp32 by the largest error.
MOST_ERROR = {"fp32": 1e-4}
LEAST_COSINE = {"fp16": 0.9999, "tf32": 0.9999, "fp32": 0.999999}
LEAST_COSINE_LOUD = {"fp16": 0.999, "tf32": 0.999, "fp32": 0.999999}
# cuBLAS may take another kernel for another number of rows, which adds up in another order.
MOST_NEIGHBOUR = {"fp32": 3e-5, "tf32": 5e-3, "fp16": 2e-2}
LENGTHS = (2, 3, 9, 17, 38, 64, 65, 127, 128)


def rows_of(engine: _core.Engine, sequences: list[list[int]], options: dict[str, Any]) -> list[Array]:
    out = engine.embed_ids(sequences, options)
    return [out["vectors"][a:b] for a, b in itertools.pairwise(out["row_splits"])]


def check_against_float64(report: Report, setup: Setup, precisions: Sequence[str]) -> None:
    lengths = LENGTHS if setup.quick else (*LENGTHS, 300, 512)
    with tempfile.TemporaryDirectory() as work:
        _compare(report, setup, precisions, lengths, "float64", LEAST_COSINE)
        if not setup.rehearsal:
            loud = with_outliers(setup, Path(work))
            _compare(report, loud, precisions, lengths, "float64, with loud channels", LEAST_COSINE_LOUD)


def _compare(
    report: Report,
    setup: Setup,
    precisions: Sequence[str],
    lengths: Sequence[int],
    what: str,
    least: dict[str, float],
) -> None:
    sequences = sequences_of(lengths, setup.geometry["vocab_size"])
    expected = setup.expected(sequences)
    for precision in precisions:
        got = np.concatenate(rows_of(setup.engine(precision), sequences, setup.options())).astype(np.float64)
        error = float(np.abs(got - expected).max())
        cosine = float(row_cosines(got, expected).min())
        report.fact(f"{precision}: largest error to {what}", error)
        if precision in MOST_ERROR and least is LEAST_COSINE:
            report.check(f"{precision}: largest error to {what}", error, MOST_ERROR[precision])
        report.check(f"{precision}: worst cosine to {what}", cosine, least[precision], at_least=True)


def check_levels(report: Report, setup: Setup, precisions: Sequence[str]) -> None:
    texts = [*texts_of(20, 8), "", "one", "same text", "same text", *texts_of(1, 120, seed=3)]
    on_cpu = AlbertEmbeddings.load(setup.folder)
    for precision in precisions:
        on_device = setup.annotator(precision)
        worst = 1.0
        for level, pooling in (
            ("word", "first"), ("word", "mean"), ("word", "max"), ("piece", None), ("sentence", "mean"),
            ("sentence", "max"), ("document", "mean"), ("document", "cls"), ("document", "pooler"),
        ):  # fmt: skip
            a = on_cpu.embed(texts, level=level, pooling=pooling, layers=[-1]).vectors
            b = on_device.embed(texts, level=level, pooling=pooling, layers=[-1]).vectors
            same = (a == b).all(1)  # a text without words has a row of zeros
            worst = float(np.minimum(worst, np.where(same, 1.0, row_cosines(a, b)).min()))
        report.check(f"{precision}: worst cosine to the CPU over levels and poolings", worst, 0.9995, at_least=True)


def check_independence(report: Report, setup: Setup, precisions: Sequence[str]) -> None:
    vocabulary = setup.geometry["vocab_size"]
    probe = sequences_of([21], vocabulary, seed=7)[0]
    options = setup.options()
    for precision in precisions:
        engine = setup.engine(precision)
        alone = rows_of(engine, [probe], options)[0]
        worst = 0.0
        for seed, lengths in enumerate([(128,), (3, 3, 3), (128,) * 40, (17, 90, 33)]):
            others = sequences_of(lengths, vocabulary, seed)
            for place in (0, len(others) // 2, len(others)):
                rows = rows_of(engine, [*others[:place], probe, *others[place:]], options)[place]
                worst = float(np.maximum(worst, np.abs(rows - alone).max()))
        report.check(f"{precision}: change of a vector with its neighbours", worst, MOST_NEIGHBOUR[precision])


def check_short_memory(report: Report, setup: Setup) -> None:
    """With little memory the same numbers come, from smaller micro-batches."""
    sequences = sequences_of([40] * 400, setup.geometry["vocab_size"])
    options = setup.options()
    plenty = np.concatenate(rows_of(setup.engine("fp32"), sequences, options))
    # In a rehearsal the limit is for one hidden state.
    limit = 4096 * setup.geometry["hidden_size"] if setup.rehearsal else 384 << 20
    engine = setup.engine("fp32", memory_limit=limit)
    short = np.concatenate(rows_of(engine, sequences, options))
    report.check("fp32: change when memory is short", float(np.abs(short - plenty).max()), MOST_NEIGHBOUR["fp32"])
    again = engine.embed_ids(sequences, options)["stats"]["batches"]
    report.check("micro-batches of the next call with little memory", float(again), 2.0, at_least=True)


def check_short_calls(report: Report, setup: Setup, precisions: Sequence[str]) -> None:
    """Short calls in captured shapes give what they give without, whatever ran in the shape before."""
    vocabulary = setup.geometry["vocab_size"]
    options = setup.options()
    for precision in precisions:
        captured, plain = setup.engine(precision), setup.engine(precision, graphs=False)
        captured.prepare(options)
        worst = 0.0
        for seed, lengths in enumerate([(12,), (9,) * 8, (3,), (14,) * 30, (128, 3, 64), (2, 2), (64,), (65,), (12,)]):
            sequences = sequences_of(lengths, vocabulary, seed)
            pairs = zip(rows_of(captured, sequences, options), rows_of(plain, sequences, options), strict=True)
            worst = float(np.max([worst, *(np.abs(a - b).max() for a, b in pairs)]))
        report.check(f"{precision}: change of a vector by CUDA graphs", worst, MOST_NEIGHBOUR[precision])


def check_staying(report: Report, setup: Setup, precisions: Sequence[str]) -> None:
    """Vectors that stay on the card are those that come to the host, also through PyTorch."""
    texts = [*texts_of(20, 8), "", "same text", "same text", *texts_of(300, 30, seed=3)]
    for precision in precisions:
        engine = setup.engine(precision)
        for level in ("word", "document"):
            options = setup.options(level=level)
            expected = engine.embed(texts, options)["vectors"]
            vectors = DeviceVectors(engine.embed(texts, {**options, "on_device": True})["vectors"])
            worst = float(np.abs(vectors.to_numpy() - expected).max())
            if importlib.util.find_spec("torch") is not None:
                import torch

                taken = torch.from_dlpack(vectors)
                worst = float(np.maximum(worst, np.abs(taken.cpu().numpy() - expected).max()))
            report.check(f"{precision}: change of {level}s that stay on the card", worst, 1e-5)


OTHER_RUNTIME = """
import sys, numpy
try:
    import onnxruntime
except ImportError as error:
    sys.exit(f"LEFT OUT: the package onnxruntime does not import: {error}")
from albert_fast import AlbertEmbeddings
if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
    sys.exit("LEFT OUT: the package onnxruntime that is installed is the one for the CPU")
onnxruntime.preload_dlls()
folder, device, file = sys.argv[1:]
model = AlbertEmbeddings.load(folder)
model.export("onnx", file)
texts = ["one text", "and another one"]
expected = model.embed(texts).vectors
def theirs():
    session = onnxruntime.InferenceSession(file, providers=["CUDAExecutionProvider"])
    assert session.get_providers()[0] == "CUDAExecutionProvider", session.get_providers()
    session.run(None, {item.name: numpy.ones((1, 8), numpy.int64) for item in session.get_inputs()})
    return session
first = theirs()
found = AlbertEmbeddings.load(folder, device=device, precision="fp32").embed(texts).vectors
second = theirs()
print("WORST", float(numpy.abs(found - expected).max()))
"""


def check_other_runtime(report: Report, setup: Setup) -> None:
    """The Python package onnxruntime with a CUDA session of its own in the same process, before us and after."""
    with tempfile.TemporaryDirectory() as work:
        place = [str(setup.folder), f"cuda:{setup.device}", str(Path(work) / "model.onnx")]
        command = [sys.executable, "-c", OTHER_RUNTIME, *place]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    if "LEFT OUT" in run.stderr:
        report.fact("another runtime in the process", run.stderr.strip())
        return
    worst = re.search(r"WORST (\S+)", run.stdout)
    if worst is None:
        report.fact("another runtime in the process", run.stderr[-2000:])
    report.check("fp32: error beside another runtime", float(worst[1]) if worst else float("inf"), 1e-4)


def attention_kernels(report: Report, setup: Setup) -> None:
    """Tell the kernels that ONNX Runtime says it runs, asked in processes of their own."""
    script = "import sys; from albert_fast import AlbertEmbeddings as A; A.load(sys.argv[1], device=sys.argv[2], "
    environment = {**os.environ, "ORT_ENABLE_ATTENTION_KERNEL_DEBUG_INFO": "1"}
    for precision in CUDA_PRECISIONS:
        command = [sys.executable, "-c", f"{script}precision={precision!r})", str(setup.folder), f"cuda:{setup.device}"]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        kernels = sorted(set(re.findall(r"SdpaKernel=(\w+)", run.stdout + run.stderr)))
        report.fact(f"{precision}: attention kernels", ", ".join(kernels) or "it does not say")
