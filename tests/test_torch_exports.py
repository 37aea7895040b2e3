"""Graphs that PyTorch exports from transformers' AlbertModel, and what ONNX Runtime's optimizer makes of them."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import make_model
from albert_fast import AlbertEmbeddings

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
NAMES = ["input_ids", "attention_mask", "token_type_ids"]
TEXTS = ["The module reads a file.", "", "Two words, and a number: 42."]


class Plain(torch.nn.Module):  # type: ignore[misc]
    """The model with inputs by position and a tuple of outputs, as exporters want it."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
        out = self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
        return out.last_hidden_state, out.pooler_output


@pytest.mark.parametrize("act", ["gelu_new", "gelu", "relu"])
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("form", ["torchscript 14", "torchscript 17", "dynamo", "optimized", "half"])
def test_exports_are_recognised(tmp_path: Path, act: str, attention: str, form: str) -> None:
    geo = make_model.geometry(hidden_act=act, max_position_embeddings=64)
    folder = make_model.write_folder(tmp_path / "weights", geo, 4)
    model = transformers.AlbertModel.from_pretrained(folder, attn_implementation=attention).eval()
    ids = torch.randint(5, 300, (2, 7))
    inputs = (ids, torch.ones_like(ids), torch.zeros_like(ids))
    exported = tmp_path / "onnx"
    exported.mkdir()
    path = exported / "model.onnx"
    said: dict[str, Any] = {"input_names": NAMES, "output_names": ["last_hidden_state", "pooler_output"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if form == "dynamo":
            pytest.importorskip("onnxscript")
            free = {0: torch.export.Dim("b"), 1: torch.export.Dim("s")}
            torch.onnx.export(
                Plain(model), inputs, str(path), **said, dynamo=True, dynamic_shapes=dict.fromkeys(NAMES, free)
            )
        else:
            axes = {name: {0: "b", 1: "s"} for name in NAMES}
            opset = 14 if form == "torchscript 14" else 17
            torch.onnx.export(
                Plain(model), inputs, str(path), **said, dynamo=False, dynamic_axes=axes, opset_version=opset
            )
    if form in ("optimized", "half"):
        optimizer = pytest.importorskip("onnxruntime.transformers.optimizer")
        better = optimizer.optimize_model(str(path), "bert", num_heads=4, hidden_size=32, opt_level=0)
        if form == "half":
            better.convert_float_to_float16(keep_io_types=True)
        better.save_model_to_file(str(path))
    (exported / "spiece.model").write_bytes(make_model.vocabulary(400))
    got, want = (AlbertEmbeddings.load(path, max_sentence_length=64) for path in (exported, folder))
    assert got._model_files().graph is None
    for call in ({"level": "piece", "special_tokens": True}, {"level": "document", "pooling": "pooler"}):
        a, b = got.embed(TEXTS, **call).vectors, want.embed(TEXTS, **call).vectors
        np.testing.assert_allclose(a, b, atol=5e-3 if form == "half" else 1e-6)
