"""Time from nothing: the import in a bare interpreter, and loading the model in a fresh process."""

from __future__ import annotations

import subprocess
import sys

from ..context import Context
from ..errors import Refused
from ..peers import OURS, OURS_INT8
from ..timing import Spread
from ..workers import environment

_IMPORTS = {
    OURS: "from albert_fast import AlbertEmbeddings",
    "onnxruntime": "import onnxruntime",
    "transformers": "import torch; from transformers import AlbertModel, AutoTokenizer",
    "sentence-transformers": "import sentence_transformers",
}
_TIMED = "import numpy, time; t = time.perf_counter(); {}; print(time.perf_counter() - t)"
_QUICK = (OURS, OURS_INT8, "onnxruntime")


def _rounds(name: str, most: int) -> int:
    """Return how often to start a system: what takes seconds, three times at most."""
    return most if name in _QUICK else min(3, most)


def run(context: Context) -> None:
    threads = context.all_threads
    for name, statement in _IMPORTS.items():
        if not context.is_there(name):
            continue
        rounds = _rounds(name, context.settings.import_rounds)
        spread = Spread.of([_import_seconds(statement, threads) for _ in range(rounds)])
        context.report.add("startup", "import above NumPy", name, "time", "s", spread, threads)
        if name == OURS:
            context.report.reach("import", spread)
    for name in (*_IMPORTS, OURS_INT8):
        spread_of_load = _load(context, name, threads)
        if spread_of_load is None:
            continue
        note = "AlbertEmbeddings.load and a first text" if name in (OURS, OURS_INT8) else ""
        context.report.add("startup", "load the model", name, "time", "s", spread_of_load, threads, note)
        if name == OURS:
            context.report.reach("load", spread_of_load, note)


def _import_seconds(statement: str, threads: int) -> float:
    done = subprocess.run(
        [sys.executable, "-c", _TIMED.format(statement)],
        env=environment(threads),
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.split()[-1])


def _load(context: Context, name: str, threads: int) -> Spread | None:
    if not context.is_there(name):
        return None
    seconds = []
    try:
        for number in range(_rounds(name, context.settings.load_rounds) + 1):
            worker = context.new_worker(name, threads)
            worker.close()
            if number:  # the first brings the files into the cache
                seconds.append(float(worker.loaded["load_s"]))
    except Refused as error:
        context.say(f"  {name}: {error}")
        return None
    return Spread.of(seconds)
