"""The numbers to reach: every ratio that the project has set itself, each measured or listed with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NO_GPU = "needs an NVIDIA GPU: python -m bench.gpu_check"
NO_SPARK = "needs Spark NLP, Java and its model on the same machine"


@dataclass(frozen=True)
class Goal:
    """What is asked for: `what` compared with `target` in the sense of `is_met`; `scenario` measures it.

    `scenario` is empty where no processor can measure it; `reason` then says why.
    """

    id: str
    what: str
    sense: Literal[">=", "<="]
    target: float
    unit: str
    scenario: str
    reason: str = ""

    def is_met(self, value: float) -> bool:
        return value >= self.target if self.sense == ">=" else value <= self.target


GOALS = (
    Goal("pieces-words", "pieces word by word, one thread: ours / sentencepiece", ">=", 10, "x", "pieces"),
    Goal("pieces-text-warm", "pieces of whole texts, warm: ours / sentencepiece", ">=", 6, "x", "pieces"),
    Goal("pieces-text-cold", "pieces, first sight of every word: ours / sentencepiece", ">=", 2.5, "x", "pieces"),
    Goal("pieces-tokenizers", "pieces of whole texts: ours / tokenizers", ">=", 40, "x", "pieces"),
    Goal("words", "text -> sentences -> words -> pieces, one core", ">=", 1e6, "words/s", "words"),
    Goal("products", "fp32 ragged: same matrix products alone / our time", ">=", 0.95, "x", "throughput"),
    Goal("ort-32", "fp32 ragged: plain ONNX Runtime in input order, batch 32 / our time", ">=", 3.3, "x", "throughput"),
    Goal("ort-8", "fp32 ragged: plain ONNX Runtime in input order, batch 8 / our time", ">=", 1.5, "x", "throughput"),
    Goal("ort-sorted", "fp32 ragged: length-sorted ONNX Runtime / our time", ">=", 1.0, "x", "throughput"),
    Goal("int8-speed", "ragged: our fp32 time / our int8 time", ">=", 3, "x", "throughput"),
    Goal("int8-mean", "int8 fidelity: mean cosine to fp32", ">=", 0.999, "", "throughput"),
    Goal("int8-worst", "int8 fidelity: worst row's cosine to fp32", ">=", 0.995, "", "throughput"),
    Goal("int8-independent", "int8: change of a row when other texts are added", "<=", 1e-5, "", "throughput"),
    Goal("latency-transformers", "one 8-word text, fp32 p50: ours / transformers", "<=", 0.25, "x", "latency"),
    Goal(
        "latency-fused", "one 8-word text, fp32 p50: ours / bare session, best fused graph", "<=", 1.1, "x", "latency"
    ),
    Goal("latency-tail", "one 8-word text, fp32: p99 / p50", "<=", 1.5, "x", "latency"),
    Goal("latency-int8", "one 8-word text, p50: int8 / fp32", "<=", 0.4, "x", "latency"),
    Goal(
        "sparknlp-speed",
        "fp32 ragged: ours / Spark NLP (stand-in: 0.70 of plain ONNX Runtime at batch 8)",
        ">=",
        2,
        "x",
        "throughput",
    ),
    Goal("sparknlp-int8", "int8 ragged: ours / Spark NLP (the same stand-in for its fp32)", ">=", 6, "x", "throughput"),
    Goal("sparknlp-latency", "one text: ours / Spark NLP's LightPipeline", "<=", 1 / 6, "x", "", NO_SPARK),
    Goal("sparknlp-vectors", "one text, vectors parsed: ours / LightPipeline", "<=", 1 / 50, "x", "", NO_SPARK),
    Goal("gpu-device", "GPU fp16 ragged: share of the card's matrix rate, device to device", ">=", 0.4, "", "", NO_GPU),
    Goal("gpu-text", "GPU fp16 ragged: share of the card's matrix rate, text to NumPy", ">=", 0.3, "", "", NO_GPU),
    Goal("gpu-peer", "GPU fp16 ragged: ours / best peer", ">=", 2, "x", "", NO_GPU),
    Goal("gpu-latency", "GPU, one short text, p50", "<=", 0.0006, "s", "", NO_GPU),
    Goal("load", "model load, file cache warm", "<=", 0.4, "s", "startup"),
    Goal("import", "import above NumPy", "<=", 0.020, "s", "startup"),
    Goal("memory-load", "memory of the process after load / (2 x weights + 60 MB)", "<=", 1, "x", "memory"),
    Goal("memory-growth", "growth while embedding / (1.1 x output + 64 MB)", "<=", 1, "x", "memory"),
    Goal("memory-copies", "copies between the engine's write and the array", "<=", 0, "", "memory"),
)
