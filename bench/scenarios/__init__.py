"""The scenarios in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable

from ..context import Context
from . import growth, latency, light, memory, pieces, rates, startup, throughput, words

SCENARIOS: dict[str, Callable[[Context], None]] = {
    "rates": rates.run,
    "pieces": pieces.run,
    "words": words.run,
    "throughput": throughput.run,
    "latency": latency.run,
    "light": light.run,
    "startup": startup.run,
    "memory": memory.run,
    "growth": growth.run,
}
