"""One run: prepares the inputs, runs the scenarios, and gives the document."""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from . import machine
from .context import Context
from .corpus import Corpus, read_corpus
from .errors import BenchError
from .inputs import TextMaker, ragged_lengths
from .models import ModelFolder, given_model, random_model
from .peers import OURS, PEERS
from .scenarios import SCENARIOS
from .settings import BY_NAME
from .workers import known


def run(
    *,
    settings: str,
    work: Path,
    size: str = "base",
    corpus: Path | None = None,
    model: Path | None = None,
    vocabulary: Path | None = None,
    only: Sequence[str] = (),
    peers: Sequence[str] = (),
    threads: int = 1,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Measure and return the document that `bench.report.validate` accepts."""
    names = list(only) or list(SCENARIOS)
    unknown = sorted(set(names) - set(SCENARIOS))
    if unknown:
        raise BenchError(f"There is no scenario {unknown[0]!r}; there are {', '.join(SCENARIOS)}.")
    known(list(peers))
    if threads > machine.usable_processors():
        raise BenchError(f"--threads {threads}: this process may use {machine.usable_processors()} processors.")
    facts = machine.describe()
    date = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    say("preparing the corpus, the vocabulary and the model")
    prose = read_corpus(corpus)
    folder = given_model(model) if model else random_model(work, size, prose.sentences, prose.sha256, vocabulary)
    maker = TextMaker(prose.sentences, folder.spiece)
    files = work / f"files-{folder.path.name}"  # what is made of one model must not serve another
    files.mkdir(parents=True, exist_ok=True)
    chosen = [OURS, *peers] if peers else list(PEERS)
    with Context(BY_NAME[settings], folder, maker, files, threads, chosen, say) as context:
        for name in names:
            say(name)
            started = time.perf_counter()
            SCENARIOS[name](context)
            context.report.scenarios[name] = round(time.perf_counter() - started, 1)
        facts["load_average_after"] = round(os.getloadavg()[0], 2)
        return context.report.to_dict(
            date=date,
            machine=facts,
            versions=machine.versions(),
            settings={
                **asdict(BY_NAME[settings]),
                "throughput_threads": threads,
                "latency_threads": context.all_threads,
            },
            input=_input(prose, folder, maker, BY_NAME[settings].ragged_texts),
        )


def _input(prose: Corpus, model: ModelFolder, maker: TextMaker, count: int) -> dict[str, Any]:
    lengths = ragged_lengths(count)
    bounds = (0, 16, 32, 64, 96, 129)
    counts, _ = np.histogram(lengths, bounds)
    return {
        "corpus": prose.source,
        "corpus_sha256": prose.sha256,
        "words": len(maker.words),
        "model": model.origin,
        "pieces_in_vocabulary": maker.vocabulary_size,
        "geometry": model.geometry,
        "ragged_mean": round(float(np.mean(lengths)), 1),
        "ragged_lengths": {f"{a} to {b - 1}": int(n) for a, b, n in zip(bounds, bounds[1:], counts, strict=False)},
    }
