"""Interleaved repetitions, medians and spread."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

# Threads that a library leaves spinning behind its last call come to rest before the next peer is timed.
SETTLE_S = 0.05


@dataclass(frozen=True)
class Rounds:
    """How often: at least `least` rounds, then more until `budget_s` is spent or there are `most`."""

    least: int
    most: int
    budget_s: float


@dataclass(frozen=True)
class Spread:
    """The median and the quartiles of repeated measurements."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        low, median, high = np.percentile(values, [25, 50, 75])
        return cls(float(median), float(low), float(high), len(values))


def interleave(measures: Mapping[str, Callable[[], float]], rounds: Rounds) -> dict[str, list[float]]:
    """Call every measure once a round, forwards and backwards by turns, and return their values by round.

    What drifts (clock rates, neighbours on the machine) then meets all of them alike.
    """
    values: dict[str, list[float]] = {name: [] for name in measures}
    order = list(measures)
    started = time.perf_counter()
    for number in range(rounds.most):
        if number >= rounds.least and time.perf_counter() - started > rounds.budget_s:
            break
        for name in order if number % 2 == 0 else reversed(order):
            time.sleep(SETTLE_S)
            values[name].append(measures[name]())
    return values


def ratio(above: Sequence[float], below: Sequence[float]) -> Spread:
    """Return above / below, each pair taken from one round."""
    return Spread.of([a / b for a, b in zip(above, below, strict=True)])
