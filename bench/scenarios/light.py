"""What Spark NLP's way costs over the plain call: LightPipeline.fullAnnotate against embed on one text."""

from __future__ import annotations

from ..context import Context, System
from ..peers import OURS
from ..timing import Spread, interleave, ratio
from .latency import WORDS

_CALLS = 20


def run(context: Context) -> None:
    text = context.maker.of_words("light", 1, WORDS, one_sentence=True)
    threads = context.all_threads
    worker = context.worker(OURS, threads)
    if worker is None:
        return
    systems = {"embed": "embed_words", "LightPipeline.fullAnnotate": "light_pipeline"}
    measures = {name: context.timer(worker, System(name, OURS, task), text, _CALLS) for name, task in systems.items()}
    for measure in measures.values():
        measure()
    seconds = interleave(measures, context.settings.light)
    case = f"one text of {WORDS} words, vectors parsed"
    for name, values in seconds.items():
        context.report.add("light", case, name, "p50", "s", Spread.of(values), threads)
    over = ratio(seconds["LightPipeline.fullAnnotate"], seconds["embed"])
    context.report.add("light", case, "LightPipeline.fullAnnotate / embed", "ratio", "x", over, threads)
