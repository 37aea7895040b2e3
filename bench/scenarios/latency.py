"""One short text and eight, warm; then many callers at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..checks import DYNAMIC_INT8, OUR_INT8
from ..context import Context, System
from ..inputs import Texts
from ..peers import OURS, OURS_INT8
from ..timing import Spread, interleave, ratio
from ..workers import Worker

FUSED = "onnxruntime, fused graph, bare session"
SYSTEMS = (
    System(OURS, OURS, "embed_text"),
    System(OURS_INT8, OURS_INT8, "embed_text", tolerance=OUR_INT8),
    System(FUSED, "onnxruntime fused", "embed_text"),
    System("onnxruntime + sentencepiece", "onnxruntime", "embed_text"),
    System("onnxruntime int8 + sentencepiece", "onnxruntime int8", "embed_text", tolerance=DYNAMIC_INT8),
    System("transformers", "transformers", "embed_text"),
    System("sentence-transformers", "sentence-transformers", "embed_text"),
)
WORDS = 8
_PERCENTILES = (50, 90, 99)


def run(context: Context) -> None:
    one = context.maker.of_words("one-short", 1, WORDS, one_sentence=True)
    eight = context.maker.of_words("eight-short", 8, WORDS, one_sentence=True)
    for threads in sorted({1, context.all_threads}):
        calls = _compare(context, f"one text of {WORDS} words", one, threads, SYSTEMS)
        if threads == context.all_threads:
            _goals(context, calls)
        # The bare session takes one text without padding, so eight would be eight calls.
        _compare(context, f"8 texts of {WORDS} words", eight, threads, [s for s in SYSTEMS if s.label != FUSED])
    _callers(context, one)


def _compare(
    context: Context, case: str, texts: Texts, threads: int, systems: tuple[System, ...] | list[System]
) -> dict[str, list[list[float]]]:
    calls: dict[str, list[list[float]]] = {}
    measures: dict[str, Callable[[], float]] = {}
    for system in systems:
        worker = context.ready(system, threads, texts)
        if worker is not None:
            calls[system.label] = []
            measures[system.label] = _round(context, worker, system, texts, calls[system.label])
    interleave(measures, context.settings.latency_rounds)
    for label, rounds in calls.items():
        for percent in _PERCENTILES:
            _add(context, case, label, percent, rounds, threads)
    return calls


def _round(
    context: Context, worker: Worker, system: System, texts: Texts, rounds: list[list[float]]
) -> Callable[[], float]:
    """Return a measure that makes a round of calls, keeps them all and gives their median."""
    file, count = context.texts(texts), context.settings.latency_calls

    def measure() -> float:
        # The first calls after a pause find cold caches and sleeping threads; a warm service does not.
        worker.ask("time", task=system.task, texts=file, options=system.options, calls=max(count // 4, 1))
        seconds = worker.ask("time", task=system.task, texts=file, options=system.options, calls=count)["seconds"]
        rounds.append(seconds)
        return float(np.median(seconds))

    return measure


def _add(context: Context, case: str, label: str, percent: int, rounds: list[list[float]], threads: int) -> None:
    """Add a percentile over all calls; its spread is that of the rounds."""
    everything = [s for seconds in rounds for s in seconds]
    value = float(np.percentile(everything, percent))
    own = Spread.of([float(np.percentile(seconds, percent)) for seconds in rounds])
    spread = Spread(value, min(own.low, value), max(own.high, value), len(everything))
    context.report.add("latency", case, label, f"p{percent}", "s", spread, threads)


def _goals(context: Context, calls: dict[str, list[list[float]]]) -> None:
    if OURS not in calls:
        return
    medians = {label: [float(np.median(seconds)) for seconds in rounds] for label, rounds in calls.items()}
    report, ours = context.report, medians[OURS]
    for goal, label in {"latency-transformers": "transformers", "latency-fused": FUSED}.items():
        if label in medians:
            report.reach(goal, ratio(ours, medians[label]), f"{context.all_threads} threads")
    if OURS_INT8 in medians:
        report.reach("latency-int8", ratio(medians[OURS_INT8], ours), f"{context.all_threads} threads")
    everything = [s for seconds in calls[OURS] for s in seconds]
    p50, p99 = np.percentile(everything, [50, 99])
    report.reach("latency-tail", Spread.of([float(p99 / p50)]), f"{len(everything)} calls")


def _callers(context: Context, one: Texts) -> None:
    """Callers on threads of one process, all with the same model, on all processors."""
    threads, calls = context.all_threads, context.settings.caller_calls
    for system in SYSTEMS:
        if system.label not in (OURS, OURS_INT8, "onnxruntime + sentencepiece"):
            continue
        worker = context.ready(system, threads, one)
        if worker is None:
            continue
        for callers in context.settings.callers:
            answer = worker.ask(
                "callers",
                task=system.task,
                texts=context.texts(one),
                options=system.options,
                callers=callers,
                calls=calls,
            )
            case = f"{callers} callers"
            for percent in _PERCENTILES:
                value = float(np.percentile(answer["seconds"], percent))
                spread = Spread(value, value, value, len(answer["seconds"]))
                context.report.add("latency", case, system.label, f"p{percent}", "s", spread, threads)
            rate = Spread.of([callers * calls / answer["wall"]])
            context.report.add("latency", case, system.label, "texts", "texts/s", rate, threads)
