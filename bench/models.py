"""The model under test: random albert-base weights from a seed (or `--model`), with a vocabulary of the corpus."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import BenchError

_TESTS = str(Path(__file__).resolve().parent.parent / "tests")
if _TESTS not in sys.path:  # the tests' model maker is the one place that knows how to write such a folder
    sys.path.append(_TESTS)

MOST_PIECES = 30_000


def made_once(path: Path, write: Callable[[Path], object]) -> Path:
    """Return a file that `write` makes on first use, beside its place, so that half a file never has its name."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".part")
        write(beside)
        beside.rename(path)
    return path


@dataclass(frozen=True)
class ModelFolder:
    """A Hugging Face folder on disk that every peer loads."""

    path: Path
    origin: str
    geometry: dict[str, Any]

    @property
    def spiece(self) -> Path:
        return self.path / "spiece.model"

    @property
    def weight_bytes(self) -> int:
        return (self.path / "model.safetensors").stat().st_size


def given_model(folder: Path) -> ModelFolder:
    """Return a folder of the user's, which must hold what all peers read."""
    for name in ("config.json", "model.safetensors", "spiece.model"):
        if not (folder / name).is_file():
            raise BenchError(f"{folder} has no {name}. Give a Hugging Face folder, or leave --model out.")
    return ModelFolder(folder, f"folder {folder.name}", json.loads((folder / "config.json").read_text()))


def random_model(work: Path, size: str, sentences: list[str], sha256: str, vocabulary: Path | None) -> ModelFolder:
    """Return the random model of a geometry ("base" or "tiny"), written on first use and kept below `work`."""
    import base_weights
    import make_model

    spiece = vocabulary.read_bytes() if vocabulary else _trained_vocabulary(work, size, sentences, sha256)
    folder = work / f"model-{size}-{_short_hash(spiece)}"
    geometry = dict(base_weights.BASE if size == "base" else make_model.TINY)
    origin = f"random {size} weights (NumPy seed 0), {vocabulary.name if vocabulary else 'vocabulary of the corpus'}"
    if not (folder / "config.json").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        weights = base_weights.base_weights() if size == "base" else make_model.make_weights(geometry)
        make_model.save_safetensors(folder / "model.safetensors", weights)
        (folder / "spiece.model").write_bytes(spiece)
        config = make_model.config(geometry, architectures=["AlbertModel"])
        (folder / "config.json").write_text(json.dumps(config, indent=1))  # last: it marks the folder as whole
    return ModelFolder(folder, origin, geometry)


def _trained_vocabulary(work: Path, size: str, sentences: list[str], sha256: str) -> bytes:
    import make_model

    pieces = MOST_PIECES if size == "base" else make_model.TINY["vocab_size"]
    file = work / f"vocabulary-{pieces}-{sha256[:12]}.model"

    def write(path: Path) -> None:
        # As many pieces as the corpus carries: a small corpus has no 30,000 of them.
        lower = [s.lower() for s in sentences]
        path.write_bytes(make_model.train_vocabulary(vocab_size=pieces, sentences=lower, hard_vocab_limit=False))

    return made_once(file, write).read_bytes()


def _short_hash(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()[:12]


def read_weights(model: ModelFolder) -> dict[str, NDArray[np.float32]]:
    """Return the tensors of the model's file as float32, by their names without the prefix "albert."."""
    from albert_fast.models.safetensors import read_header

    file = model.path / "model.safetensors"
    data = np.memmap(file, np.uint8, "r")
    weights: dict[str, NDArray[np.float32]] = {}
    for name, entry in read_header(file).items():
        if entry.dtype != "F32":
            raise BenchError(f"{file} stores {name} as {entry.dtype}. The benchmark takes fp32 weights.")
        values = np.asarray(data[entry.begin : entry.end]).view(np.float32).reshape(entry.shape)
        weights[name.removeprefix("albert.")] = values
    return weights
