"""Memory after loading, its growth while embedding, and a large table through the whole pipeline."""

from __future__ import annotations

from ..context import Context
from ..peers import OURS, OURS_INT8
from ..timing import Spread

_MB = 1e6
_WORDS_IN_TEXT = 12


def run(context: Context) -> None:
    for name in (OURS, OURS_INT8, "onnxruntime", "transformers", "sentence-transformers"):
        _after_load(context, name)
    _second_load(context)
    _while_embedding(context)
    _table(context)


def _after_load(context: Context, name: str) -> None:
    worker = context.worker(name, context.threads)
    if worker is None:
        return
    loaded = worker.loaded
    case = "after load"
    for quantity, used in {
        "whole process": loaded["rss_loaded"],
        "above Python and NumPy": loaded["rss_loaded"] - loaded["rss_python"],
    }.items():
        context.report.add("memory", case, name, quantity, "MB", Spread.of([used / _MB]), context.threads)
    if name == OURS:
        allowed = 2 * context.model.weight_bytes + 60 * _MB
        context.report.reach("memory-load", Spread.of([loaded["rss_loaded"] / allowed]), "the whole process counts")


def _second_load(context: Context) -> None:
    """The same model once more in one process: annotators share what is loaded."""
    worker = context.worker(OURS, context.threads)
    if worker is None:
        return
    given = context.texts(context.maker.of_words("memory-warm", 8, _WORDS_IN_TEXT))
    worker.ask("memory", task="embed_words", texts=given, options={})  # what a first call takes is none of the load's
    used = worker.ask("memory", task="load_again", texts=given, options={})
    growth = Spread.of([(used["after"] - used["before"]) / _MB])
    context.report.add("memory", "a second load of the model", OURS, "growth", "MB", growth, context.threads)


def _while_embedding(context: Context) -> None:
    """Many word rows through one layer: what stays in memory does not depend on the depth, the time does."""
    count = -(-context.settings.memory_words // _WORDS_IN_TEXT)
    texts = context.maker.of_words("memory", count, _WORDS_IN_TEXT)
    worker = context.worker(OURS, context.threads)
    if worker is None:
        return
    small = context.maker.of_words("memory-warm", 8, _WORDS_IN_TEXT)
    options = {"layers": 1}
    worker.ask("memory", task="embed_words", texts=context.texts(small), options=options)
    used = worker.ask("memory", task="embed_words", texts=context.texts(texts), options=options)
    _add_growth(context, f"{used['rows']} words, one layer", used)
    allowed = 1.1 * used["output"] + 64 * _MB
    note = f"{used['rows']} word rows"
    context.report.reach("memory-growth", Spread.of([(used["peak"] - used["before"]) / allowed]), note)
    copies = context.value(worker, "copies", texts)
    context.report.reach("memory-copies", Spread.of([float(copies)]), "as the engine counts them")


def _table(context: Context) -> None:
    """A table through DocumentAssembler, SentenceDetector, Tokenizer and the built-in model, in one process."""
    count = context.settings.table_texts
    texts = context.maker.of_words("table", count, _WORDS_IN_TEXT)
    if not context.is_there(OURS):
        return
    worker = context.new_worker(OURS, context.all_threads)
    try:
        small = context.maker.of_words("table-warm", 8, _WORDS_IN_TEXT)
        worker.ask("memory", task="built_in_pipeline", texts=context.texts(small), options={})
        used = worker.ask("memory", task="built_in_pipeline", texts=context.texts(texts), options={})
    finally:
        worker.close()
    case = f"{count} texts of {_WORDS_IN_TEXT} words, whole pipeline, built-in model"
    _add_growth(context, case, used)
    rate = Spread.of([count / used["seconds"]])
    context.report.add("memory", case, OURS, "rate", "texts/s", rate, context.all_threads)


def _add_growth(context: Context, case: str, used: dict[str, float]) -> None:
    growth = (used["peak"] - used["before"]) / _MB
    for quantity, value in {"growth": growth, "output": used["output"] / _MB}.items():
        context.report.add("memory", case, OURS, quantity, "MB", Spread.of([value]), context.threads)
