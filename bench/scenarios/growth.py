"""How time and memory grow with the length of sentences, with layers, and with the number of texts."""

from __future__ import annotations

from typing import Any

from ..context import Context, System
from ..inputs import Texts
from ..peers import OURS
from ..timing import Rounds, Spread, interleave


def run(context: Context) -> None:
    settings, maker = context.settings, context.maker
    most = context.model.geometry["max_position_embeddings"]
    for length in (n for n in settings.growth_lengths if n <= most):
        count = max(settings.growth_tokens // length, 1)
        texts = maker.of_lengths(f"length-{length}", [length] * count)
        _measure(context, "length of a sentence", length, texts, {}, texts.tokens)
    texts = maker.of_lengths("layers", [32] * max(settings.growth_tokens // 32, 1))
    for layers in (n for n in settings.growth_layers if n <= context.model.geometry["num_hidden_layers"]):
        _measure(context, "layers", layers, texts, {"layers": layers}, texts.tokens)
    for count in settings.growth_texts:
        texts = maker.of_words(f"texts-{count}", count, 12)
        _measure(context, "number of texts, built-in model", count, texts, {}, count, "built_in_pipeline")
    _stream(context)


def _stream(context: Context) -> None:
    """Texts that come one by one, up to a million: once each, time and memory from the same run."""
    worker = context.worker(OURS, context.threads)
    if worker is None:
        return
    given = context.texts(context.maker.of_words("stream", 5000, 4))
    worker.ask("memory", task="stream", texts=given, options={"count": 1})
    for count in context.settings.growth_stream:
        used = worker.ask("memory", task="stream", texts=given, options={"count": count})
        axis, threads = "number of texts in a stream, built-in model", context.threads
        per_text = Spread.of([used["seconds"] / count * 1e6])
        context.report.add("growth", axis, OURS, str(count), "us/text", per_text, threads)
        _add_memory(context, axis, count, used)


def _measure(
    context: Context, axis: str, at: int, texts: Texts, options: dict[str, int], units: int, task: str = "embed"
) -> None:
    worker = context.worker(OURS, context.threads)
    if worker is None:
        return
    measure = context.timer(worker, System(OURS, OURS, task, options), texts)
    measure()
    least = context.settings.heavy.least
    seconds = interleave({OURS: measure}, Rounds(least, least, 0.0))[OURS]
    per_unit = Spread.of([s / units * 1e6 for s in seconds])
    unit = "us/text" if task == "built_in_pipeline" else "us/piece"
    context.report.add("growth", axis, OURS, str(at), unit, per_unit, context.threads)
    used = worker.ask("memory", task=task, texts=context.texts(texts), options=options)
    _add_memory(context, axis, at, used)


def _add_memory(context: Context, axis: str, at: int, used: dict[str, Any]) -> None:
    growth = Spread.of([(used["peak"] - used["before"]) / 1e6])
    context.report.add("growth", axis + ", memory", OURS, str(at), "MB", growth, context.threads)
