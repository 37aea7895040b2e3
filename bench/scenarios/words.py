"""Text -> sentences -> words -> pieces on one core: a whole pipeline that is asked for no vectors."""

from __future__ import annotations

from ..context import Context, System
from ..peers import OURS
from ..timing import Spread, interleave

_WORDS_IN_TEXT = 60


def run(context: Context) -> None:
    texts = context.maker.of_words("paragraphs", context.settings.prose_texts, _WORDS_IN_TEXT)
    worker = context.worker(OURS, 1)
    if worker is None:
        return
    system = System(OURS, OURS, "words_and_pieces")
    words = context.value(worker, "count_words", texts)
    measure = context.timer(worker, system, texts, calls=3)
    measure()
    seconds = interleave({OURS: measure}, context.settings.light)[OURS]
    rate = Spread.of([words / s for s in seconds])
    note = f"{words} words found in {len(texts.texts)} texts"
    context.report.add("words", "text to sentences, words, pieces", OURS, "rate", "words/s", rate, 1, note)
    context.report.reach("words", rate)
