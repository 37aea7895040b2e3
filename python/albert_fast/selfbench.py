"""What `albert-fast bench` measures: how fast this installation runs a model on this machine, without any peer.

The texts are the package's own docstrings, so that nothing is downloaded and two runs of one version compare.
Comparisons with other libraries are made by ``python -m bench`` in the source repository.
"""

from __future__ import annotations

import inspect
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .annotators import AlbertEmbeddings

SHORT_TEXT = "the model reads a short text of words"  # eight words
_MOST_WORDS = 1500
_FEWEST_CALLS, _MOST_CALLS = 5, 5000


@dataclass(frozen=True)
class SelfBench:
    """The figures of one run; times in seconds.

    Attributes
    ----------
    model, dimension, threads
        What was measured.
    load, first_call
        Time to load the model and to embed a first text.
    pieces_per_second, sentences_per_second
        Throughput over `sentences` sentences of docstrings with `pieces` pieces: the median of all passes.
    short_text_p50, short_text_p99
        Latency of one text of eight words, of `short_text_calls` calls.
    version, runtime, processor_features, python
        What it was measured with.
    """

    model: str
    dimension: int
    threads: int
    load: float
    first_call: float
    sentences: int
    pieces: int
    pieces_per_second: float
    sentences_per_second: float
    short_text_p50: float
    short_text_p99: float
    short_text_calls: int
    version: str
    runtime: str
    processor_features: list[str]
    python: str


def measure(name: str, load: Callable[[], AlbertEmbeddings], seconds: float = 5.0) -> SelfBench:
    """Measure a model.

    Parameters
    ----------
    name
        What the model is called in the result.
    load
        Returns the loaded model; it is called once, and timed.
    seconds
        About how long throughput, and latency again, are measured.
    """
    from . import __version__, _core, annotators, models  # noqa: F401 - importing them is no part of loading a model
    from .runtime import default_threads, usable_processors

    texts = _texts()
    started = time.perf_counter()
    model = load()
    loaded = time.perf_counter()
    model.embed(SHORT_TEXT)
    first = time.perf_counter()
    stats = model.embed(texts).stats
    passes = _repeat(lambda: model.embed(texts), seconds)
    calls = _repeat(lambda: model.embed(SHORT_TEXT), seconds)
    median = float(np.median(passes))
    p50, p99 = (float(value) for value in np.percentile(calls, [50, 99]))
    return SelfBench(
        model=name,
        dimension=model.hidden_size,
        threads=min(model.get_param("threads") or default_threads(), usable_processors()),
        load=loaded - started,
        first_call=first - loaded,
        sentences=stats["sentences"],
        pieces=stats["pieces"],
        pieces_per_second=stats["pieces"] / median,
        sentences_per_second=stats["sentences"] / median,
        short_text_p50=p50,
        short_text_p99=p99,
        short_text_calls=len(calls),
        version=__version__,
        runtime=_core.runtime_version(),
        processor_features=_core.cpu_features(),
        python=platform.python_version(),
    )


def rows(result: SelfBench) -> list[tuple[str, str]]:
    """Return the figures for people."""
    return [
        ("model", f"{result.model}, {result.dimension} dimensions, {result.threads} threads"),
        ("with", f"albert_fast {result.version}, ONNX Runtime {result.runtime}, Python {result.python}"),
        ("load", f"{result.load * 1e3:.0f} ms, first text {result.first_call * 1e3:.1f} ms"),
        ("throughput", f"{result.pieces_per_second:,.0f} pieces/s, {result.sentences_per_second:,.0f} sentences/s"),
        ("", f"{result.sentences} sentences of {result.pieces / result.sentences:.0f} pieces"),
        ("one short text", f"p50 {result.short_text_p50 * 1e3:.2f} ms, p99 {result.short_text_p99 * 1e3:.2f} ms"),
        ("", f"8 words, {result.short_text_calls} calls"),
    ]


def _texts() -> list[str]:
    """Return paragraphs of the package's docstrings, about `_MOST_WORDS` words."""
    import albert_fast

    found: dict[str, int] = {}
    for name in albert_fast.__all__:
        for paragraph in (inspect.getdoc(getattr(albert_fast, name)) or "").split("\n\n"):
            text = " ".join(paragraph.split())
            if sum(found.values()) < _MOST_WORDS and len(text.split()) > 3:
                found[text] = len(text.split())
    return list(found)


def _repeat(call: Callable[[], object], seconds: float) -> list[float]:
    """Return the times of calls made one after the other for about so long."""
    times: list[float] = []
    ends = time.perf_counter() + seconds
    while len(times) < _FEWEST_CALLS or (time.perf_counter() < ends and len(times) < _MOST_CALLS):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return times
