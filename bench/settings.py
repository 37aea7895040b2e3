"""How much is measured: the full run, the quick one, and the smoke test's."""

from __future__ import annotations

from dataclasses import dataclass

from .timing import Rounds


@dataclass(frozen=True)
class Settings:
    """Sizes of the scenarios.

    Attributes
    ----------
    heavy, light
        Rounds of scenarios whose single measurement takes seconds, and of the others.
    ragged_texts, short_texts, long_texts
        Texts of one pass of the throughput scenarios.
    prose_texts
        Texts of the tokenizing scenarios.
    latency_rounds, latency_calls
        Rounds, and calls of one system in one of them.
    callers, caller_calls
        Numbers of threads that call at once, and calls of each.
    load_rounds, import_rounds
        Fresh processes for each peer.
    memory_words, table_texts
        Word rows of the memory scenario, texts of the table that goes through the whole pipeline.
    growth_tokens, growth_lengths, growth_layers, growth_texts, growth_stream
        Pieces of one pass, and the values along each axis; the last for texts that come one by one.
    """

    name: str
    heavy: Rounds
    light: Rounds
    ragged_texts: int
    short_texts: int
    long_texts: int
    prose_texts: int
    latency_rounds: Rounds
    latency_calls: int
    callers: tuple[int, ...]
    caller_calls: int
    load_rounds: int
    import_rounds: int
    memory_words: int
    table_texts: int
    growth_tokens: int
    growth_lengths: tuple[int, ...]
    growth_layers: tuple[int, ...]
    growth_texts: tuple[int, ...]
    growth_stream: tuple[int, ...]


FULL = Settings(
    name="full",
    heavy=Rounds(3, 11, 240.0),
    light=Rounds(7, 21, 30.0),
    ragged_texts=64,
    short_texts=96,
    long_texts=4,
    prose_texts=2000,
    latency_rounds=Rounds(10, 20, 60.0),
    latency_calls=20,
    callers=(1, 2, 4, 8, 16),
    caller_calls=20,
    load_rounds=5,
    import_rounds=11,
    memory_words=100_000,
    table_texts=100_000,
    growth_tokens=1024,
    growth_lengths=(8, 16, 32, 64, 128, 256, 512),
    growth_layers=(1, 2, 4, 8, 12),
    growth_texts=(1000, 2000, 4000, 8000, 16000),
    growth_stream=(1, 10, 100, 1000, 10_000, 100_000, 1_000_000),
)
QUICK = Settings(
    name="quick",
    heavy=Rounds(2, 3, 20.0),
    light=Rounds(3, 7, 4.0),
    ragged_texts=24,
    short_texts=32,
    long_texts=1,
    prose_texts=500,
    latency_rounds=Rounds(3, 5, 8.0),
    latency_calls=10,
    callers=(1, 4, 16),
    caller_calls=5,
    load_rounds=2,
    import_rounds=3,
    memory_words=20_000,
    table_texts=10_000,
    growth_tokens=512,
    growth_lengths=(8, 64, 512),
    growth_layers=(1, 4, 12),
    growth_texts=(500, 1000, 2000),
    growth_stream=(1, 100, 10_000),
)
SMOKE = Settings(
    name="smoke",
    heavy=Rounds(2, 2, 0.0),
    light=Rounds(2, 2, 0.0),
    ragged_texts=10,
    short_texts=4,
    long_texts=1,
    prose_texts=20,
    latency_rounds=Rounds(2, 2, 0.0),
    latency_calls=3,
    callers=(1, 2),
    caller_calls=2,
    load_rounds=1,
    import_rounds=1,
    memory_words=500,
    table_texts=50,
    growth_tokens=128,
    growth_lengths=(8, 64),
    growth_layers=(1, 3),
    growth_texts=(10, 20),
    growth_stream=(1, 30),
)
BY_NAME = {settings.name: settings for settings in (FULL, QUICK, SMOKE)}
