"""Starts and talks to the processes of the peers."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from .errors import BenchError, Refused
from .peers import PEERS
from .peers.base import Setup

_ROOT = Path(__file__).resolve().parent.parent
# Every library reads one of these when it starts its threads.
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "ALBERT_FAST_NUM_THREADS",
)


def environment(threads: int) -> dict[str, str]:
    """Return the environment of a worker: pinned thread counts, no network, no telemetry.

    Bytecode is kept, as in an installed package: a checkout installed with `-e` would else be compiled at each import.
    """
    pinned = dict.fromkeys(_THREAD_VARIABLES, str(threads))
    quiet = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "ORT_DISABLE_TELEMETRY": "1"}
    parallel = {"TOKENIZERS_PARALLELISM": "false" if threads == 1 else "true", "PYTHONHASHSEED": "0"}
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, **pinned, **quiet, **parallel}


class Worker:
    """A peer in a process of its own, pinned to `setup.threads` processors."""

    def __init__(self, name: str, setup: Setup, log: Path) -> None:
        self.name = name
        self.threads = setup.threads
        self._log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bench.worker", name, setup.to_json()],
                cwd=_ROOT,
                env=environment(setup.threads),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        try:
            self.loaded = self.ask("load")
        except BaseException:
            self.close()
            raise

    def ask(self, do: str, **command: Any) -> dict[str, Any]:
        """Send a command and return the answer.

        Raises
        ------
        Refused
            The peer cannot do this.
        BenchError
            Its process ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = ""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps({"do": do, **command}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        if not line:
            raise BenchError(f"The process of {self.name} ended ({self._process.wait()}). Its messages: {self._log}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            lines = answer["error"].strip().splitlines()
            raise Refused(lines[-1] if lines else "no reason given")
        return answer

    def close(self) -> None:
        """End the process."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def known(names: list[str]) -> None:
    """Raise for a name that is no peer's."""
    unknown = sorted(set(names) - set(PEERS))
    if unknown:
        raise BenchError(f"There is no peer {unknown[0]!r}; there are {', '.join(PEERS)}.")
