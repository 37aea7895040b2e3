"""ONNX Runtime from Python on the card: its fused operators in the graph's precision, padded batches, `run`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graphs.fused import write_fused
from ..setup import Array, Setup
from .base import PaddedPeer


class PaddedOrt(PaddedPeer):
    """The graph that ONNX Runtime's optimizer of transformers makes, with lengths instead of a mask."""

    def __init__(self, setup: Setup, precision: str) -> None:
        import onnxruntime

        super().__init__(setup, precision)
        kind = np.float16 if precision == "fp16" else np.float32
        file = setup.folder / f"padded-{np.dtype(kind).name}.onnx"
        if not file.exists():
            write_fused(file, setup.weights, setup.geometry, padded=True, dtype=kind)
        provider: Any = "CPUExecutionProvider"
        if not setup.rehearsal:
            if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
                raise NotImplementedError("the package onnxruntime that is installed is the one for the CPU")
            options = {"device_id": setup.device, "use_tf32": int(precision == "tf32")}
            provider = ("CUDAExecutionProvider", options)
        self._session: Any = onnxruntime.InferenceSession(str(file), providers=[provider])
        wanted = provider if isinstance(provider, str) else provider[0]
        if self._session.get_providers()[0] != wanted:
            raise NotImplementedError(f"onnxruntime has no {wanted}: it went on without")

    def run(self, ids: Array, mask: Array) -> Array:
        places = np.broadcast_to(np.arange(ids.shape[1], dtype=np.int32), ids.shape)
        inputs = {
            "input_ids": ids.astype(np.int32),
            "position_ids": np.ascontiguousarray(places),
            "lengths": mask.sum(1, dtype=np.int32),
        }
        states: Array = self._session.run(["last_hidden_state"], inputs)[0]
        return states
