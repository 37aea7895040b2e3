"""Texts to the vectors of all their pieces: ragged, all short, all long; ours against every peer."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..checks import DYNAMIC_INT8, OUR_INT8
from ..context import Context, System
from ..graphs.products import operations_needed
from ..inputs import Texts, ragged_lengths
from ..peers import OURS, OURS_INT8
from ..timing import Spread, interleave, ratio
from .rates import operations, rate_system

PRODUCTS = "matrix products alone"
ORT_32, ORT_8, ORT_SORTED = "onnxruntime, batch 32", "onnxruntime, batch 8", "onnxruntime, sorted"
# Measured once, elsewhere: what Spark NLP 5.5.3 reaches of plain ONNX Runtime at batch 8.
SPARK_SHARE = 0.70


def _padded(label: str, peer: str, order: str, batch: int, **more: Any) -> System:
    return System(label, peer, "embed", {"order": order, "batch": batch}, **more)


SYSTEMS = (
    System(OURS, OURS, "embed"),
    System(OURS_INT8, OURS_INT8, "embed", tolerance=OUR_INT8),
    _padded(ORT_32, "onnxruntime", "input", 32),
    _padded(ORT_8, "onnxruntime", "input", 8),
    _padded(ORT_SORTED, "onnxruntime", "sorted", 8),
    _padded("onnxruntime int8, sorted", "onnxruntime int8", "sorted", 8, tolerance=DYNAMIC_INT8),
    _padded("transformers, batch 32", "transformers", "input", 32),
    _padded("transformers, sorted", "transformers", "sorted", 8),
    System("sentence-transformers, batch 8", "sentence-transformers", "embed", {"batch": 8}),
)


def run(context: Context) -> None:
    settings, maker = context.settings, context.maker
    check = maker.of_lengths("check", (5, 12, 38, 38, 64, 128))
    ragged = maker.of_lengths("ragged", ragged_lengths(settings.ragged_texts))
    seconds = _compare(context, "ragged", ragged, check, SYSTEMS)
    _goals(context, seconds)
    _int8(context, check)
    # Equal lengths need no padding: what is left is the engine itself.
    equal = [s for s in SYSTEMS if s.label in (OURS, OURS_INT8, ORT_8, "transformers, sorted")]
    short = maker.of_lengths("short", [10] * settings.short_texts)
    long = maker.of_lengths("long", [512] * settings.long_texts)
    _compare(context, "all short (10)", short, check, equal)
    _compare(context, "all long (512)", long, check, equal)


def _compare(
    context: Context, case: str, texts: Texts, check: Texts, systems: tuple[System, ...] | list[System]
) -> dict[str, list[float]]:
    threads = context.threads
    measures = {}
    for system in systems:
        worker = context.ready(system, threads, check)
        if worker is not None:
            measures[system.label] = context.timer(worker, system, texts)
    products = _products(context, texts)
    if products is not None:
        measures[PRODUCTS] = context.timer(products, System(PRODUCTS, "matrix products", "products"), texts)
        measures["rate"] = context.timer(products, rate_system("fp32"), None, calls=5)
        measures["rate"]()
    seconds = interleave(measures, context.settings.heavy)
    rates = seconds.pop("rate", None)
    words = f"{len(texts.texts)} texts, {texts.tokens} pieces with [CLS] and [SEP], mean {np.mean(texts.lengths):.1f}"
    for label, values in seconds.items():
        rate = Spread.of([texts.tokens / s for s in values])
        context.report.add("throughput", case, label, "rate", "pieces/s", rate, threads, words)
        per_text = Spread.of([len(texts.texts) / s for s in values])
        context.report.add("throughput", case, label, "texts", "texts/s", per_text, threads)
        if rates is not None and "int8" not in label:
            limit = [operations(context) / s for s in rates]
            needed = operations_needed(context.model.geometry, texts.tokens, texts.tokens)  # every piece is read
            reached = [needed / s for s in values]
            share = ratio(reached, limit)
            context.report.add("throughput", case, label, "share of the SGEMM rate", "", share, threads)
    return seconds


def _products(context: Context, texts: Texts) -> Any:
    """Return the worker of the products if its micro-batches are the engine's, which is its same-work check."""
    ours, products = context.worker(OURS, context.threads), context.worker("matrix products", context.threads)
    if ours is None or products is None:
        return None
    cut = [context.value(worker, "micro_batches", texts) for worker in (ours, products)]
    state = context.report.peers["matrix products"]
    if cut[0] != cut[1]:
        state["state"] = (
            f"refused: the engine makes {cut[0]} micro-batches of {texts.name}, bench/peers/products.py {cut[1]}; "
            "bring that file up to date with csrc/encoder"
        )
        return None
    if not state["state"].startswith("refused"):
        state["state"] = "checked"
    state["checks"].append({"system": PRODUCTS, "texts": texts.name, "micro_batches": cut[0]})
    return products


def _goals(context: Context, seconds: dict[str, list[float]]) -> None:
    report = context.report
    if OURS not in seconds:
        return
    ours = seconds[OURS]
    pairs = {"products": PRODUCTS, "ort-32": ORT_32, "ort-8": ORT_8, "ort-sorted": ORT_SORTED}
    for goal, label in pairs.items():
        if label in seconds:
            report.reach(goal, ratio(seconds[label], ours))
    for goal, label in {"sparknlp-speed": OURS, "sparknlp-int8": OURS_INT8}.items():
        if ORT_8 in seconds and label in seconds:
            spark = [s / SPARK_SHARE for s in seconds[ORT_8]]
            report.reach(goal, ratio(spark, seconds[label]), "against the stand-in, not Spark NLP itself")
    if OURS_INT8 in seconds:
        report.reach("int8-speed", ratio(ours, seconds[OURS_INT8]))


def _int8(context: Context, check: Texts) -> None:
    """The fidelity of int8; where there is none, the reason."""
    goals = ("int8-speed", "int8-mean", "int8-worst", "int8-independent", "sparknlp-int8", "latency-int8")
    fp32, int8 = (next(s for s in SYSTEMS if s.label == label) for label in (OURS, OURS_INT8))
    workers = [context.worker(system.peer, context.threads) for system in (fp32, int8)]
    if workers[0] is None or workers[1] is None:
        for goal in goals:
            context.report.miss(goal, "no int8 here; its answer is in the table of systems")
        return
    exact, quick = (context.rows(w, s, check) for w, s in zip(workers, (fp32, int8), strict=True) if w is not None)
    norms = np.linalg.norm(exact, axis=1) * np.linalg.norm(quick, axis=1)
    cosines = np.einsum("ij,ij->i", exact, quick) / norms
    context.report.reach("int8-mean", Spread.of([float(cosines.mean())]))
    context.report.reach("int8-worst", Spread.of([float(cosines.min())]))
    alone = Texts("check-alone", check.texts[:1], check.ids[:1])
    rows = context.rows(workers[1], int8, alone)
    change = float(np.abs(rows - quick[: len(rows)]).max())
    context.report.reach("int8-independent", Spread.of([change]))
