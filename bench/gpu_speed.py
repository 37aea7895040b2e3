"""How fast the CUDA model is: throughput as a share of the card's matrix rate, latency, and others beside it."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from albert_fast import _core

from . import cublas, gpu_peers
from .gpu_setup import Report, Setup, median_seconds, sequences_of, texts_of


def seconds_of_ids(engine: _core.Engine, sequences: list[list[int]], options: dict[str, Any]) -> float:
    return median_seconds(lambda: engine.embed_ids(sequences, options), 3)


def flops_per_token(geometry: dict[str, Any]) -> float:
    h, f = int(geometry["hidden_size"]), int(geometry["intermediate_size"])
    layers = int(geometry["num_hidden_layers"] * geometry["inner_group_num"])
    return 2.0 * (layers * (4 * h * h + 2 * h * f) + int(geometry["embedding_size"]) * h)


def measure_throughput(report: Report, setup: Setup, precisions: Sequence[str]) -> None:
    texts = texts_of(500 if setup.quick else 12_000, 26)
    random = np.random.default_rng(1)
    lengths = np.clip(random.lognormal(3.4, 0.6, 500 if setup.quick else 8000), 3, 128).astype(int)
    sequences = sequences_of(lengths.tolist(), setup.geometry["vocab_size"])
    work = flops_per_token(setup.geometry)
    for precision in precisions:
        rate = None
        if not setup.rehearsal:
            shapes = cublas.albert_products(16384, setup.geometry["hidden_size"], setup.geometry["intermediate_size"])
            rate = cublas.measure(shapes, precision, setup.device).flops
            report.fact(f"{precision}: matrix rate of the card on ALBERT's products (Tflop/s)", rate / 1e12)

        def tell(name: str, tokens: int, seconds: float, key: str = precision, peak: float | None = rate) -> None:
            report.fact(f"{key}: {name} (pieces/s)", tokens / seconds)
            if peak:
                report.fact(f"{key}: {name}, share of the matrix rate", tokens * work / seconds / peak)

        for most in (4096, 8192, 16384, 32768):
            seconds = seconds_of_ids(setup.engine(precision, most_tokens=most), sequences, setup.options(threads=2))
            tell(f"ids to rows of every piece, {most} pieces at a time", int(lengths.sum()), seconds)
        seconds = seconds_of_ids(setup.engine(precision), sequences, setup.options(threads=1))
        tell("the same by one worker", int(lengths.sum()), seconds)
        annotator = setup.annotator(precision)
        for level in ("word", "document"):
            tokens = annotator.embed(texts, level=level).stats["tokens"]
            seconds = median_seconds(functools.partial(annotator.embed, texts, level=level), 3)
            tell(f"texts to vectors of {level}s", tokens, seconds)
        engine, staying = setup.engine(precision), {**setup.options(threads=2), "on_device": True}
        seconds = median_seconds(functools.partial(engine.embed, texts, staying), 3)
        tell("texts to vectors of words that stay on the card", annotator.embed(texts).stats["tokens"], seconds)
        for name, seconds in gpu_peers.throughput(setup, precision, sequences):
            tell(f"ids to rows of every piece, {name}", int(lengths.sum()), seconds)


def measure_latency(report: Report, setup: Setup, precisions: Sequence[str]) -> None:
    """Calls of 1, 8 and 32 short texts, one after the other, with CUDA graphs and without."""
    texts = texts_of(400, 8)
    repeats = 40 if setup.quick else 400
    for precision in precisions:
        ways = {"": setup.annotator(precision), " without CUDA graphs": setup.annotator(precision, graphs=False)}
        start = time.perf_counter()
        ways[""]._loaded().prepare(setup.options())
        report.fact(f"{precision}: capturing CUDA graphs (s)", time.perf_counter() - start)
        report.check(f"{precision}: shapes captured", float(ways[""]._loaded().prepared), 4.0, at_least=True)
        for count in (1, 8, 32):
            for name, annotator in ways.items():
                times = []
                for i in range(repeats + 20):
                    first = i * count % (len(texts) - count)
                    start = time.perf_counter()
                    annotator.embed(texts[first : first + count])
                    times.append(time.perf_counter() - start)
                low, high = np.percentile(times[20:], [50, 99])
                what = f"{precision}: {count} text(s) of about 8 words{name}"
                report.fact(f"{what}, p50 (ms)", float(low) * 1e3)
                report.fact(f"{what}, p99 (ms)", float(high) * 1e3)
        for name, seconds in gpu_peers.latency(setup, precision):
            report.fact(f"{precision}: one sequence of 12 pieces, {name}, p50 (ms)", seconds * 1e3)
