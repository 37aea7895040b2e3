"""How fast the CUDA model is: throughput as a share of the card's matrix rate, latency, and others beside it."""

from __future__ import annotations

import functools
import time
from typing import Any

import numpy as np

from ..graphs.products import operations_needed
from . import cublas, peers
from .setup import Ids, Report, Setup, median_seconds, sequences_of, texts_of

# The project's goals, for fp16: shares of the card's matrix rate, times the best peer, milliseconds.
ON_THE_CARD, TO_NUMPY, BEST_PEER, SHORT_TEXT = 0.40, 0.30, 2.0, 0.6
IDS_TO_ROWS = "ids to rows of every piece in NumPy"


def ragged_sequences(setup: Setup) -> Ids:
    random = np.random.default_rng(1)
    lengths = np.clip(random.lognormal(3.4, 0.6, 500 if setup.quick else 8000), 3, 128).astype(int)
    return sequences_of(lengths.tolist(), setup.geometry["vocab_size"])


class Throughput:
    """Ragged texts in one precision, as pieces per second and as a share of the card's matrix rate."""

    def __init__(self, report: Report, setup: Setup, precision: str) -> None:
        self._report = report
        self._setup = setup
        self._precision = precision
        self._sequences = ragged_sequences(setup)
        self._rate: float | None = None
        if not setup.rehearsal:
            shapes = cublas.albert_products(16384, setup.geometry["hidden_size"], setup.geometry["intermediate_size"])
            self._rate = cublas.measure(shapes, precision, setup.device).flops
            report.fact(f"{precision}: matrix rate of the card on ALBERT's products (Tflop/s)", self._rate / 1e12)

    def measure(self) -> None:
        """Measure, the ids at hand and from texts."""
        is_whole = self._precision == "fp16" and not self._setup.quick
        sizes = [4096, 8192, 16384, 32768] if is_whole else [16384]
        workers = [1, 2, 3] if is_whole else [2]
        on_card = [
            self._on_card(f"{most} pieces at a time, {count} worker(s)", most_tokens=most, workers=count)
            for most in sizes
            for count in workers
        ]
        if self._precision == "fp16":
            on_card.append(self._on_card("memory-efficient attention in the place of flash", attention_kernels=18))
        self._goal("ids to rows on the card, best of the above", max(on_card), ON_THE_CARD)
        self._tell(IDS_TO_ROWS, self._pieces(), self._pieces(), self._seconds_of_ids({}))
        self._of_texts()

    def _pieces(self) -> int:
        return sum(map(len, self._sequences))

    def _seconds_of_ids(self, changes: dict[str, Any], **options: Any) -> float:
        engine = self._setup.engine(self._precision, **changes)
        return median_seconds(
            functools.partial(engine.embed_ids, self._sequences, {**self._setup.options(), **options}), 3
        )

    def _on_card(self, how: str, **changes: int) -> float:
        seconds = self._seconds_of_ids(changes, on_device=True)
        return self._tell(f"ids to rows that stay on the card, {how}", self._pieces(), self._pieces(), seconds)

    def _of_texts(self) -> None:
        texts = texts_of(500 if self._setup.quick else 12_000, 26)
        annotator = self._setup.annotator(self._precision)
        for level in ("word", "document"):
            start = time.perf_counter()
            stats = annotator.embed(texts, level=level).stats
            tokens = stats["tokens"]
            read = stats["words"] if level == "word" else tokens - 2 * stats["windows"]
            what = f"the first call from texts to vectors of {level}s, which locks memory (s)"
            self._report.fact(f"{self._precision}: {what}", time.perf_counter() - start)
            seconds = median_seconds(functools.partial(annotator.embed, texts, level=level), 3)
            share = self._tell(f"texts to vectors of {level}s", tokens, read, seconds)
            if level == "word":
                words = read
                self._goal("texts to vectors of words in NumPy", share, TO_NUMPY)
        options = {**self._setup.options(), "on_device": True}
        seconds = median_seconds(functools.partial(self._setup.engine(self._precision).embed, texts, options), 3)
        self._tell("texts to vectors of words that stay on the card", tokens, words, seconds)

    def _tell(self, name: str, tokens: int, read: int, seconds: float) -> float:
        """Report a measurement of so many tokens, `read` of which are read; return its share of the matrix rate."""
        self._report.fact(f"{self._precision}: {name} (pieces/s)", tokens / seconds)
        if self._rate is None:
            return 0.0
        share = operations_needed(self._setup.geometry, tokens, read) / seconds / self._rate
        self._report.fact(f"{self._precision}: {name}, share of the matrix rate", share)
        return share

    def _goal(self, name: str, share: float, target: float) -> None:
        if self._rate is not None and self._precision == "fp16":
            self._report.goal(f"fp16: {name}, share of the matrix rate", share, target, True)


def measure_throughput(report: Report, setup: Setup, precision: str) -> None:
    Throughput(report, setup, precision).measure()


def measure_latency(report: Report, setup: Setup, precision: str) -> None:
    """Calls of 1, 8 and 32 short texts, one after the other, with CUDA graphs and without."""
    texts = texts_of(400, 8)
    repeats = 40 if setup.quick else 400
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
            low, high = (float(at) * 1e3 for at in np.percentile(times[20:], [50, 99]))
            what = f"{precision}: {count} text(s) of about 8 words{name}"
            report.fact(f"{what}, p50 (ms)", low)
            report.fact(f"{what}, p99 (ms)", high)
            if (precision, count, name) == ("fp16", 1, "") and not setup.rehearsal:
                report.goal(f"{what}, p50 (ms)", low, SHORT_TEXT)


def measure_peers(report: Report, setup: Setup, precision: str) -> None:
    name, rate = peers.measure(report, setup, precision, ragged_sequences(setup))
    ours = report.facts.get(f"{precision}: {IDS_TO_ROWS} (pieces/s)")
    if rate > 0 and ours is not None and precision == "fp16":
        report.goal(f"fp16: {IDS_TO_ROWS}, times the best peer ({name})", ours / rate, BEST_PEER, True)
