"""What scenarios share: settings, inputs, the processes of the peers, and the check in front of every timing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .checks import FP32, SAME_IDS, Tolerance, check_ids, check_rows, reference_rows
from .errors import Refused
from .inputs import TextMaker, Texts
from .machine import usable_processors
from .models import ModelFolder
from .peers import PEERS, installed_version
from .peers.base import Setup
from .report import Report
from .settings import Settings
from .workers import Worker

MOST_THREADS = 16


@dataclass(frozen=True)
class System:
    """One line of a comparison: a peer's task with its options."""

    label: str
    peer: str
    task: str
    options: dict[str, Any] = field(default_factory=dict)
    tolerance: Tolerance = FP32


class Context:
    """A run in progress. Use it as a context manager: it ends the workers."""

    def __init__(
        self,
        settings: Settings,
        model: ModelFolder,
        maker: TextMaker,
        work: Path,
        threads: int,
        peers: list[str],
        say: Callable[[str], None],
    ) -> None:
        self.settings = settings
        self.model = model
        self.maker = maker
        self.threads = threads
        self.all_threads = min(usable_processors(), MOST_THREADS)
        self.say = say
        self.report = Report()
        self._work = work
        self._workers: dict[tuple[str, int], Worker] = {}
        self._references: dict[str, NDArray[np.float64]] = {}
        for name in PEERS:
            found = installed_version(name)
            state = "not installed" if found is None else "not asked for" if name not in peers else "not used"
            self.report.peers[name] = {"versions": found, "state": state, "checks": []}

    def __enter__(self) -> Context:
        return self

    def __exit__(self, *exc: object) -> None:
        for worker in self._workers.values():
            worker.close()

    def texts(self, texts: Texts) -> str:
        """Write texts for the workers and return the file's name."""
        return str(texts.save(self._work / "texts"))

    def setup(self, threads: int) -> Setup:
        """Return what a worker needs."""
        return Setup(self.model.path, self.model.geometry, self._work, threads)

    def new_worker(self, name: str, threads: int) -> Worker:
        """Start a process of a peer that the caller closes."""
        return Worker(name, self.setup(threads), self._work / "workers.log")

    def is_there(self, name: str) -> bool:
        """Whether a peer is installed, asked for and could be loaded; a refusal holds for the refused task only."""
        return not self.report.peers[name]["state"].startswith(("not installed", "not asked for", "unavailable"))

    def worker(self, name: str, threads: int) -> Worker | None:
        """Return the process of a peer, started on first use; None (and a note in the report) if it cannot run."""
        if not self.is_there(name):
            return None
        key = name, threads
        if key not in self._workers:
            try:
                self._workers[key] = self.new_worker(name, threads)
            except Refused as error:
                self._note(name, f"unavailable: {error}")
                return None
        return self._workers[key]

    # ------------------------------------------------------------------------------------ checks

    def ready(self, system: System, threads: int, check: Texts) -> Worker | None:
        """Return the process of a system whose rows for `check` are those of the float64 reference."""
        worker = self.worker(system.peer, threads)
        if worker is None:
            return None
        if check.name not in self._references:
            self._references[check.name] = reference_rows(self.model, check)
        try:
            rows = self.rows(worker, system, check)
            found = check_rows(rows, self._references[check.name], system.tolerance)
        except Refused as error:
            self._note(system.peer, f"refused: {system.label}: {error}")
            return None
        return self._passed(worker, system, found)

    def ready_pieces(
        self, system: System, check: Texts, want: list[list[int]], ignored: int | None = None
    ) -> Worker | None:
        """Return the process of a tokenizing system whose ids are sentencepiece's, but for one that is ignored."""
        worker = self.worker(system.peer, 1)
        if worker is None:
            return None
        save = self._work / "check.json"
        try:
            worker.ask(
                "run", task=system.task, texts=self.texts(check), options=system.options, save=str(save), as_ids=True
            )
            got = [[i for i in ids if i != ignored] for ids in json.loads(save.read_text())]
            found = check_ids(got, want, SAME_IDS.get(system.peer, 1.0))
        except Refused as error:
            self._note(system.peer, f"refused: {system.label}: {error}")
            return None
        return self._passed(worker, system, found)

    def value(self, worker: Worker, task: str, texts: Texts, **options: Any) -> Any:
        """Return the number that a task gives."""
        file = self.texts(texts)
        return worker.ask("run", task=task, texts=file, options=options, save="", as_ids=False)["value"]

    def rows(self, worker: Worker, system: System, texts: Texts) -> NDArray[np.float32]:
        """Return the rows of a system."""
        save = self._work / "check.npy"
        worker.ask(
            "run", task=system.task, texts=self.texts(texts), options=system.options, save=str(save), as_ids=False
        )
        rows: NDArray[np.float32] = np.load(save)
        return rows

    def _passed(self, worker: Worker, system: System, found: dict[str, float]) -> Worker:
        state = self.report.peers[system.peer]
        if not state["state"].startswith("refused"):
            state["state"] = "checked"
        state["checks"].append({"system": system.label, "task": system.task, "threads": worker.threads, **found})
        return worker

    def _note(self, name: str, state: str) -> None:
        self.report.peers[name]["state"] = state
        self.say(f"  {name}: {state}")

    # ------------------------------------------------------------------------------------ timing

    def timer(self, worker: Worker, system: System, texts: Texts | None, calls: int = 1) -> Callable[[], float]:
        """Return a function that times a system: the median of so many calls.

        One call is enough where it takes seconds. A call of milliseconds begins with what the pause before it left:
        sleeping threads, cold caches, a slow clock.
        """
        file = None if texts is None else self.texts(texts)

        def once() -> float:
            answer = worker.ask("time", task=system.task, texts=file, options=system.options, calls=calls)
            return float(np.median(answer["seconds"]))

        return once
