"""The peers by name. A module is imported only in the worker that runs it."""

from __future__ import annotations

import importlib
from importlib.metadata import PackageNotFoundError, version

from .base import Peer

OURS = "albert_fast"
OURS_INT8 = "albert_fast int8"

# Name -> module, class, packages that must be installed.
PEERS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    OURS: ("ours", "Ours", ("albert_fast",)),
    OURS_INT8: ("ours", "OursInt8", ("albert_fast",)),
    "sentencepiece": ("google_sentencepiece", "GoogleSentencePiece", ("sentencepiece",)),
    "tokenizers": ("hf_tokenizers", "HfTokenizers", ("tokenizers",)),
    "onnxruntime": ("ort", "PlainOrt", ("onnxruntime", "onnx")),
    "onnxruntime int8": ("ort", "Int8Ort", ("onnxruntime", "onnx")),
    "onnxruntime fused": ("ort", "FusedOrt", ("onnxruntime", "onnx")),
    "matrix products": ("products", "Products", ("onnxruntime", "onnx")),
    "transformers": ("hf_transformers", "Transformers", ("transformers", "torch")),
    "sentence-transformers": ("sbert", "SentenceTransformers", ("sentence-transformers", "torch")),
}


def peer_class(name: str) -> type[Peer]:
    """Import the class of a peer."""
    module, cls, _ = PEERS[name]
    found: type[Peer] = getattr(importlib.import_module(f".{module}", __name__), cls)
    return found


def installed_version(name: str) -> str | None:
    """Return the versions of the packages of a peer, None if one is missing."""
    found = []
    for package in PEERS[name][2]:
        try:
            found.append(f"{package} {version(_distribution(package))}")
        except PackageNotFoundError:
            return None
    return ", ".join(found)


def _distribution(package: str) -> str:
    """Return the distribution that is there: the GPU build of ONNX Runtime has another name."""
    if package != "onnxruntime":
        return package
    for name in ("onnxruntime", "onnxruntime-gpu"):
        try:
            version(name)
        except PackageNotFoundError:
            continue
        return name
    return package
