"""What gpu_check looks at: a model, texts, and where the findings go."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from albert_fast import AlbertEmbeddings, _core, engines, models
from albert_fast.device import Cuda

from . import models as _makes_the_modules_of_tests_importable  # noqa: F401

Array = NDArray[Any]


@dataclasses.dataclass
class Report:
    """What was found: facts by name, and checks of which one may fail."""

    facts: dict[str, Any] = dataclasses.field(default_factory=dict)
    checks: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    def check(self, name: str, found: float, bound: float, at_least: bool = False) -> None:
        passed = bool(found >= bound if at_least else found <= bound)
        self.checks.append({"name": name, "found": found, "bound": bound, "passed": passed})
        sign = ">=" if at_least else "<="
        print(f"{'ok    ' if passed else 'FAILED'}  {name}: {found:.6g} {sign} {bound:g}", flush=True)

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
    import base_weights
    import make_model

    if rehearsal:
        geometry = make_model.geometry(vocab_size=8000)
        weights = make_model.make_weights(geometry, 1)
    else:
        geometry, weights = dict(base_weights.BASE), base_weights.base_weights()
    make_model.save_safetensors(work / "model.safetensors", weights)
    (work / "spiece.model").write_bytes((models.built_in_folder() / "spiece.model").read_bytes())
    (work / "config.json").write_text(json.dumps(make_model.config(geometry, architectures=["AlbertModel"])))
    return Setup(work, geometry, weights, device, rehearsal, quick)


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
