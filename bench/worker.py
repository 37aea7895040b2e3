"""The process of one peer: reads a command a line from standard input, answers with a line of JSON.

Started by `bench.workers` with its thread variables set; it pins itself before any library starts threads.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def main() -> None:
    """Serve commands until standard input ends."""
    name, setup_text = sys.argv[1:3]
    # The answers keep the pipe for themselves: libraries print to what is standard output for them.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    worker = _Worker(name, setup_text)
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = getattr(worker, "do_" + command.pop("do"))(**command)
        except Exception as error:
            refused = type(error).__name__ == "Refused"
            answer = {"error": str(error) if refused else traceback.format_exc(limit=-3), "refused": refused}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


class _Worker:
    def __init__(self, name: str, setup_text: str) -> None:
        from .peers.base import Setup

        self._name = name
        self._setup = Setup.from_json(setup_text)
        processors = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, processors[: self._setup.threads])
        self._tasks: dict[str, Any] = {}

    def do_load(self) -> dict[str, Any]:
        """Import the library, then load the model; the time and memory of each."""
        from .peers import peer_class

        cls = peer_class(self._name)
        plain = resident()
        started = time.perf_counter()
        cls.imports()
        imported, with_library = time.perf_counter(), resident()
        self._peer = cls(self._setup)
        loaded = time.perf_counter()
        return {
            "import_s": imported - started,
            "load_s": loaded - imported,
            "rss_python": plain,
            "rss_imported": with_library,
            "rss_loaded": resident(),
        }

    def do_run(self, task: str, texts: str | None, options: dict[str, Any], save: str, as_ids: bool) -> dict[str, Any]:
        """Run a task once and save what it gives."""
        result = self._ready(task, texts, options)()
        if as_ids:
            Path(save).write_text(json.dumps(self._peer.ids(result)))
        elif isinstance(result, np.ndarray):
            np.save(save, result)
        else:
            return {"value": result}
        return {"saved": save}

    def do_time(self, task: str, texts: str | None, options: dict[str, Any], calls: int) -> dict[str, Any]:
        """Time calls one after the other."""
        seconds = []
        with _no_collection():
            for _ in range(calls):
                run = self._ready(task, texts, options)
                started = time.perf_counter()
                run()
                seconds.append(time.perf_counter() - started)
        return {"seconds": seconds}

    def do_callers(
        self, task: str, texts: str | None, options: dict[str, Any], callers: int, calls: int
    ) -> dict[str, Any]:
        """Time calls that several threads make at once: each caller's latencies, and the time of all."""
        run = self._ready(task, texts, options)
        start = threading.Barrier(callers + 1)
        seconds: list[list[float]] = [[] for _ in range(callers)]

        def call(own: list[float]) -> None:
            start.wait()
            for _ in range(calls):
                started = time.perf_counter()
                run()
                own.append(time.perf_counter() - started)

        threads = [threading.Thread(target=call, args=(own,)) for own in seconds]
        with _no_collection():
            for thread in threads:
                thread.start()
            start.wait()
            started = time.perf_counter()
            for thread in threads:
                thread.join()
            wall = time.perf_counter() - started
        if any(len(own) != calls for own in seconds):
            raise RuntimeError("a caller failed; see the traceback above")
        return {"seconds": [s for own in seconds for s in own], "wall": wall}

    def do_memory(self, task: str, texts: str | None, options: dict[str, Any]) -> dict[str, Any]:
        """Run a task once: resident memory before, the peak meanwhile, and the size of what it gave."""
        run = self._ready(task, texts, options)
        gc.collect()
        before = resident()
        forget_peak()
        started = time.perf_counter()
        result = run()
        seconds = time.perf_counter() - started
        return {
            "before": before,
            "peak": peak(),
            "after": resident(),
            "output": int(result.nbytes),
            "rows": len(result),
            "seconds": seconds,
        }

    def _ready(self, task: str, texts: str | None, options: dict[str, Any]) -> Callable[[], Any]:
        from .inputs import read_texts
        from .peers.base import PerCall

        key = json.dumps([task, texts, options])
        if key not in self._tasks:
            given = None if texts is None else read_texts(Path(texts))
            self._tasks[key] = getattr(self._peer, task)(given, **options)
        found = self._tasks[key]
        ready: Callable[[], Any] = found.make() if isinstance(found, PerCall) else found
        return ready


class _no_collection:  # noqa: N801 - reads as a statement
    """Keep the garbage collector out of the timed region."""

    def __enter__(self) -> None:
        gc.collect()
        gc.disable()

    def __exit__(self, *exc: object) -> None:
        gc.enable()


def resident() -> int:
    """Return the resident memory of this process in bytes."""
    return _status("VmRSS")


def peak() -> int:
    """Return the largest resident memory since `forget_peak`."""
    return _status("VmHWM")


def forget_peak() -> None:
    """Start a new peak (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {field}")


if __name__ == "__main__":
    main()
