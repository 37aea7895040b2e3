"""Whether a peer gives the same numbers. It is not timed before it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import Refused
from .inputs import Texts
from .models import ModelFolder, read_weights


@dataclass(frozen=True)
class Tolerance:
    """How far vectors may be from the reference, which is ALBERT in NumPy float64.

    Attributes
    ----------
    mean_cosine, worst_cosine
        Least cosine between a row and its reference, over all rows and for the worst.
    max_abs
        Largest difference of any number; None: not asked.
    """

    mean_cosine: float
    worst_cosine: float
    max_abs: float | None

    def __str__(self) -> str:
        largest = "" if self.max_abs is None else f", max abs <= {self.max_abs:g}"
        return f"mean cosine >= {self.mean_cosine:g}, worst >= {self.worst_cosine:g}{largest}"


FP32 = Tolerance(0.999999, 0.99999, 1e-3)
OUR_INT8 = Tolerance(0.999, 0.995, None)  # the goal of the design
# Activations quantized by tensor lose far more; what is left is in the table, and only noise is refused.
DYNAMIC_INT8 = Tolerance(0.95, 0.8, None)
# The inputs leave out what the tokenizers package prepares otherwise; what is left must be equal but for rounding.
SAME_IDS = {"sentencepiece": 1.0, "tokenizers": 0.99}


def reference_rows(model: ModelFolder, texts: Texts) -> NDArray[np.float64]:
    """Return the last hidden state of every piece in float64; see `reference_states`."""
    return reference_states(read_weights(model), model.geometry, texts.ids)


def reference_states(
    weights: dict[str, NDArray[np.float32]], geometry: dict[str, Any], ids: Sequence[Sequence[int]]
) -> NDArray[np.float64]:
    """Return the last hidden state of every piece in float64, by the tests' slow twin."""
    from reference_albert import ReferenceAlbert

    twin = ReferenceAlbert(weights, geometry)
    return np.concatenate([twin.hidden_states(list(row))[-1] for row in ids])


def row_cosines(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Return the cosine between each row of `a` and that of `b`; 0 where one is of zeros."""
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosines: NDArray[Any] = np.einsum("ij,ij->i", a, b) / np.maximum(norms, 1e-30)
    return cosines


def check_rows(got: NDArray[np.float32], reference: NDArray[np.float64], tolerance: Tolerance) -> dict[str, float]:
    """Return how near the rows are.

    Raises
    ------
    Refused
        They are not near enough.
    """
    if got.shape != reference.shape:
        raise Refused(f"gives {got.shape} numbers where the reference has {reference.shape}")
    cosines = row_cosines(got, reference)
    found = {
        "mean_cosine": float(cosines.mean()),
        "worst_cosine": float(cosines.min()),
        "max_abs": float(np.abs(got - reference).max()),
    }
    enough = found["mean_cosine"] >= tolerance.mean_cosine and found["worst_cosine"] >= tolerance.worst_cosine
    if not enough or not found["max_abs"] <= (np.inf if tolerance.max_abs is None else tolerance.max_abs):
        figures = ", ".join(f"{name} {value:.6g}" for name, value in found.items())
        raise Refused(f"other numbers than the reference: {figures}; asked for {tolerance}")
    return found


def check_ids(got: Sequence[Sequence[int]], want: Sequence[Sequence[int]], share: float) -> dict[str, float]:
    """Return the share of texts with identical ids.

    Raises
    ------
    Refused
        It is below `share`.
    """
    if len(got) != len(want):
        raise Refused(f"gives {len(got)} lists of ids for {len(want)} inputs")
    same = float(np.mean([list(a) == list(b) for a, b in zip(got, want, strict=True)]))
    if same < share:
        raise Refused(f"other piece ids than sentencepiece: identical for {same:.2%} of the inputs, {share:.0%} asked")
    return {"identical": same}
