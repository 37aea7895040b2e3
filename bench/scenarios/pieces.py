"""Words and texts to piece ids on one thread, against sentencepiece and tokenizers."""

from __future__ import annotations

from ..context import Context, System
from ..inputs import Texts
from ..peers import OURS
from ..timing import Rounds, Spread, interleave, ratio

_WORDS_IN_TEXT = 20


def run(context: Context) -> None:
    prose = context.maker.of_words("prose", context.settings.prose_texts, _WORDS_IN_TEXT)
    # Every word once: no cache has seen it, and the same words lie in a list for the calls by word.
    fresh = context.maker.distinct_words("distinct", context.settings.prose_texts * _WORDS_IN_TEXT)
    _compare(context, "words", "pieces_of_words", prose, {"sentencepiece": "pieces-words"})
    goals = {"sentencepiece": "pieces-text-warm", "tokenizers": "pieces-tokenizers"}
    _compare(context, "texts", "pieces_of_texts", prose, goals)
    _compare(context, "texts, first sight of every word", "pieces_cold", fresh, {"sentencepiece": "pieces-text-cold"})
    _threads(context, prose)


def _threads(context: Context, texts: Texts) -> None:
    """Threads of one process that encode with one tokenizer, each all of the texts."""
    worker = context.worker(OURS, context.all_threads)
    if worker is None:
        return
    pieces, given = sum(len(ids) - 2 for ids in texts.ids), context.texts(texts)
    callers = sorted({1, 2, context.all_threads // 2, context.all_threads} & set(range(1, context.all_threads + 1)))
    for count in callers:
        rates = []
        for _ in range(context.settings.light.least):
            answer = worker.ask("callers", task="pieces_of_texts", texts=given, options={}, callers=count, calls=50)
            rates.append(50 * count * pieces / answer["wall"])
        rate = Spread.of(rates)
        context.report.add("pieces", f"texts, {count} calling threads", OURS, "rate", "pieces/s", rate, count)


def _compare(context: Context, case: str, task: str, texts: Texts, goals: dict[str, str]) -> None:
    by_word = task == "pieces_of_words"
    peers = [OURS, "sentencepiece"] + ([] if task == "pieces_cold" else ["tokenizers"])
    want = context.maker.pieces_of_words(texts) if by_word else [ids[1:-1] for ids in texts.ids]
    count = sum(map(len, want))
    measures = {}
    for peer in peers:
        system = System(peer, peer, task)
        # Spark NLP, and so albert_fast, leaves bare marks out where words are encoded one by one; the peers keep them.
        ignored = context.maker.bare_mark if by_word and peer != OURS else None
        worker = context.ready_pieces(system, texts, want, ignored)
        if worker is not None:
            measures[peer] = context.timer(worker, system, texts, calls=5)
    for measure in measures.values():
        measure()
    # A call takes milliseconds: more rounds than elsewhere cost nothing.
    light = context.settings.light
    seconds = interleave(measures, Rounds(light.least, 3 * light.most, light.budget_s))
    for peer, values in seconds.items():
        rate = Spread.of([count / s for s in values])
        context.report.add("pieces", case, peer, "rate", "pieces/s", rate, 1, f"{count} pieces a call")
    for peer, goal in goals.items():
        if OURS in seconds and peer in seconds:
            context.report.reach(goal, ratio(seconds[peer], seconds[OURS]))
