"""The others on the same card. Each is imported only where its packages are, and timed only if its rows are right."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from collections.abc import Iterator

from ...checks import Tolerance, check_rows
from ..setup import Ids, Report, Setup, median_seconds, sequences_of
from .base import Peer

# Name -> module, class, packages that must be there.
PEERS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "transformers (sdpa)": ("hf_transformers", "Transformers", ("torch", "transformers")),
    "transformers (torch.compile)": ("hf_transformers", "CompiledTransformers", ("torch", "transformers")),
    "transformers (flash attention)": ("hf_transformers", "FlashTransformers", ("torch", "transformers", "flash_attn")),
    "PyTorch, packed by hand": ("packed_torch", "PackedTorch", ("torch",)),
    "PyTorch, packed by hand (torch.compile)": ("packed_torch", "CompiledPackedTorch", ("torch",)),
    "ONNX Runtime, padded": ("padded_ort", "PaddedOrt", ("onnxruntime", "onnx")),
}
_TOLERANCE = {"fp32": Tolerance(0.999999, 0.99999, 1e-3), "tf32": Tolerance(0.9999, 0.999, None)}
_TOLERANCE["fp16"] = _TOLERANCE["tf32"]
_CHECKED = (12, 40, 3, 90)


def _ready(report: Report, setup: Setup, precision: str) -> Iterator[tuple[str, Peer]]:
    """Yield the peers that are here and give the right numbers; say of the others why they are left out."""
    sequences = sequences_of(_CHECKED, setup.geometry["vocab_size"], seed=11)
    expected = setup.expected(sequences)
    for name, (module, cls, packages) in PEERS.items():
        if name.endswith("(torch.compile)") and precision != "fp16" and not setup.rehearsal:  # a minute each
            report.fact(f"{precision}: {name}", "not measured: only in fp16")
            continue
        missing = [package for package in packages if importlib.util.find_spec(package) is None]
        if missing:
            report.fact(f"{precision}: {name}", f"not measured: {', '.join(missing)} not installed")
            continue
        try:
            made: type[Peer] = getattr(importlib.import_module(f".{module}", __name__), cls)
            peer = made(setup, precision)
            check_rows(peer.rows(sequences, *peer.ways[0]), expected, _TOLERANCE[precision])
        except Exception as error:  # whatever a library of others throws must not end what is to be seen of ours
            report.fact(f"{precision}: {name}", f"not measured: {type(error).__name__}: {error}"[:500])
            continue
        yield name, peer


def measure(report: Report, setup: Setup, precision: str, sequences: Ids) -> tuple[str, float]:
    """Tell pieces per second from `sequences`, the ids at hand, to all rows in NumPy, and the time of a short one.

    Returns
    -------
    tuple
        The fastest peer and its pieces per second; empty and 0 if there was none.
    """
    one = sequences_of([12], setup.geometry["vocab_size"])
    best = ("", 0.0)
    for name, peer in _ready(report, setup, precision):
        try:
            for order, batch in peer.ways:
                seconds = median_seconds(functools.partial(peer.rows, sequences, order, batch), 2)
                rate = sum(map(len, sequences)) / seconds
                what = f"ids to rows of every piece, {name}, {order} order, {batch} at a time"
                report.fact(f"{precision}: {what} (pieces/s)", rate)
                best = max(best, (name, rate), key=lambda found: found[1])
            seconds = median_seconds(functools.partial(peer.rows, one, *peer.ways[0]), 20 if setup.quick else 200)
            report.fact(f"{precision}: one sequence of 12 pieces, {name}, p50 (ms)", seconds * 1e3)
        except Exception as error:
            report.fact(f"{precision}: {name}", f"ended by {type(error).__name__}: {error}"[:500])
    return best
