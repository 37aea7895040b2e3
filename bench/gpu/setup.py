"""What gpu_check looks at: a model, texts, and where the findings go."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from albert_fast import AlbertEmbeddings, _core, engines, models
from albert_fast.device import Cuda

from .. import models as _makes_the_modules_of_tests_importable  # noqa: F401
from ..checks import reference_states

Array = NDArray[Any]
Ids = Sequence[Sequence[int]]


@dataclasses.dataclass
class Report:
    """What was found: facts by name, checks of which one may fail, and goals, which may be missed."""

    facts: dict[str, Any] = dataclasses.field(default_factory=dict)
    checks: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    goals: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    def check(self, name: str, found: float, bound: float, at_least: bool = False) -> None:
        self._compare(self.checks, ("ok    ", "FAILED"), name, found, bound, at_least)

    def goal(self, name: str, found: float, bound: float, at_least: bool = False) -> None:
        self._compare(self.goals, ("met   ", "missed"), name, found, bound, at_least)

    def _compare(
        self, rows: list[dict[str, Any]], words: tuple[str, str], name: str, found: float, bound: float, at_least: bool
    ) -> None:
        passed = bool(found >= bound if at_least else found <= bound)
        sign = ">=" if at_least else "<="
        rows.append({"name": name, "found": found, "bound": f"{sign} {bound:g}", "passed": passed})
        print(f"{words[0] if passed else words[1]}  {name}: {found:.6g} {sign} {bound:g}", flush=True)

    def failed(self, name: str, why: str) -> None:
        """Note that something ended before it could be checked."""
        self.checks.append({"name": name, "found": why, "bound": "no error", "passed": False})
        print(f"FAILED  {name}: {why}", flush=True)

    def fact(self, name: str, value: Any) -> None:
        self.facts[name] = value
        shown = f"{value:.6g}" if isinstance(value, float) else value
        print(f"        {name}: {shown}", flush=True)

    @property
    def passed(self) -> bool:
        return bool(self.checks) and all(check["passed"] for check in self.checks)


@dataclasses.dataclass
class Setup:
    """A random model of albert-base's size (tiny in a rehearsal) and the ways to run it."""

    folder: Path
    geometry: dict[str, Any]
    weights: dict[str, Array]
    device: int
    rehearsal: bool
    quick: bool

    @property
    def torch_device(self) -> str:
        return "cpu" if self.rehearsal else f"cuda:{self.device}"

    def expected(self, sequences: Ids) -> NDArray[np.float64]:
        """Return the last hidden state of every piece in float64, by the tests' slow twin."""
        return reference_states(self.weights, self.geometry, sequences)

    def engine(self, precision: str, **changes: Any) -> _core.Engine:
        cuda = Cuda(device=self.device, precision=precision, rehearsal=self.rehearsal, **changes)
        return engines.engine_for(models.read_folder(self.folder), precision, cuda)

    def annotator(self, precision: str, **changes: Any) -> AlbertEmbeddings:
        engine = self.engine(precision, **changes)

        class OnDevice(AlbertEmbeddings):
            def _loaded(self) -> _core.Engine:
                return engine

        return OnDevice._from_files(models.read_folder(self.folder), {})

    def options(self, **changes: Any) -> dict[str, Any]:
        return AlbertEmbeddings.load(self.folder)._options(**changes)


def make_setup(work: Path, device: int, rehearsal: bool, quick: bool) -> Setup:
    """Write the random model below `work`."""
    import base_weights
    import make_model

    if rehearsal:
        geometry = make_model.geometry(vocab_size=8000)
        return _write(work, geometry, make_model.make_weights(geometry, 1), device, rehearsal, quick)
    return _write(work, dict(base_weights.BASE), base_weights.base_weights(), device, rehearsal, quick)


def with_outliers(setup: Setup, work: Path) -> Setup:
    """Write the same model with six channels that LayerNorm makes 20 times as loud, read 20 times as softly."""
    import base_weights

    weights = base_weights.outlier_weights()
    return _write(work, setup.geometry, weights, setup.device, setup.rehearsal, setup.quick)


def _write(
    work: Path, geometry: dict[str, Any], weights: Mapping[str, Array], device: int, rehearsal: bool, quick: bool
) -> Setup:
    import make_model

    make_model.save_safetensors(work / "model.safetensors", weights)
    spiece = (models.built_in_folder() / "spiece.model").read_bytes()
    (work / "spiece.model").write_bytes(make_model.padded(spiece, geometry["vocab_size"]))
    (work / "config.json").write_text(json.dumps(make_model.config(geometry, architectures=["AlbertModel"])))
    return Setup(work, geometry, dict(weights), device, rehearsal, quick)


def sequences_of(lengths: Sequence[int], vocabulary: int, seed: int = 0) -> list[list[int]]:
    random = np.random.default_rng(seed)
    return [[2, *random.integers(5, vocabulary, n - 2).tolist(), 3] for n in lengths]


def texts_of(count: int, words: int, seed: int = 0) -> list[str]:
    """Return texts of ragged lengths, all different, in words of the built-in vocabulary."""
    from albert_fast import AlbertEmbeddings as Albert

    tiny = Albert.pretrained(models.BUILT_IN)._loaded()
    pieces = [tiny.piece(i) for i in range(300, 3000)]
    known = [piece[1:] for piece in pieces if piece.startswith("▁") and piece[1:].isalpha()]
    random = np.random.default_rng(seed)
    lengths = np.clip(random.lognormal(np.log(words), 0.6, count), 3, 4 * words).astype(int)
    return [" ".join(random.choice(known, n)) for n in lengths]


def median_seconds(call: Callable[[], Any], repeats: int) -> float:
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return float(np.median(times))
