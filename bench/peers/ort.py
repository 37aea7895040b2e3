"""ONNX Runtime from Python, as people write it: a session, padded batches, `run`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import Refused
from ..graphs.fused import write_fused
from ..graphs.plain import write_plain
from ..inputs import Texts
from ..models import made_once, read_weights
from .base import Matrix, Peer, Setup, Task, embed_padded


def session_for(path: Path, threads: int) -> Any:
    """Return a session with the defaults of the package, on so many threads."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def require_one_layer(geometry: dict[str, Any]) -> None:
    """The graphs here repeat one layer, as published ALBERTs do."""
    if geometry["num_hidden_groups"] != 1 or geometry["inner_group_num"] != 1:
        raise Refused("the graphs of bench/graphs repeat one shared layer; this model has several")


class PlainOrt(Peer):
    """The plain export: standard operators, int64 inputs, an attention mask."""

    packages = ("onnxruntime", "onnx")

    @staticmethod
    def imports() -> None:
        import onnxruntime  # noqa: F401

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self._session = session_for(self.file(setup), setup.threads)
        self._pieces: Any = None

    @staticmethod
    def file(setup: Setup) -> Path:
        """Return the exported model, written on first use."""
        require_one_layer(setup.geometry)
        return made_once(
            setup.work / "plain.onnx", lambda path: write_plain(path, read_weights(setup.folder), setup.geometry)
        )

    def embed(self, texts: Texts, order: str, batch: int) -> Task:
        return embed_padded(texts, order, batch, self.setup.geometry["hidden_size"], self._run)

    def embed_text(self, texts: Texts) -> Task:
        """Text to rows with sentencepiece in front."""
        import sentencepiece

        pieces: Any = sentencepiece.SentencePieceProcessor(model_file=str(self.setup.folder.spiece))
        cls, sep = pieces.piece_to_id("[CLS]"), pieces.piece_to_id("[SEP]")
        hidden = self.setup.geometry["hidden_size"]

        def run() -> Matrix:
            ids = [[cls, *row, sep] for row in pieces.encode(texts.texts)]
            matrix: Matrix = embed_padded(Texts("", texts.texts, ids), "input", len(ids), hidden, self._run)()
            return matrix

        return run

    def _run(self, ids: Any, mask: Any) -> Matrix:
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        states: Matrix = self._session.run(["last_hidden_state"], inputs)[0]
        return states


class Int8Ort(PlainOrt):
    """The plain export after `quantize_dynamic`: int8 weights by column, activations by tensor."""

    @staticmethod
    def file(setup: Setup) -> Path:
        def write(path: Path) -> None:
            from onnxruntime.quantization import QuantType, quantize_dynamic

            quantize_dynamic(
                PlainOrt.file(setup),
                path,
                op_types_to_quantize=["MatMul"],
                per_channel=True,
                weight_type=QuantType.QInt8,
            )

        return made_once(setup.work / "int8.onnx", write)


class FusedOrt(Peer):
    """The best fused graph, run bare: ids at hand, one text, no padding."""

    packages = ("onnxruntime", "onnx")

    @staticmethod
    def imports() -> None:
        import onnxruntime  # noqa: F401

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        require_one_layer(setup.geometry)
        path = made_once(
            setup.work / "fused.onnx", lambda path: write_fused(path, read_weights(setup.folder), setup.geometry)
        )
        self._session = session_for(path, setup.threads)

    def embed_text(self, texts: Texts) -> Task:
        inputs = [
            {"input_ids": np.array([ids], np.int32), "position_ids": np.arange(len(ids), dtype=np.int32)[None]}
            for ids in texts.ids
        ]
        if len(inputs) == 1:
            return lambda: self._session.run(None, inputs[0])[0][0]
        return lambda: np.concatenate([self._session.run(None, one)[0][0] for one in inputs])
