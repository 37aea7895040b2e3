"""On a GPU: the numbers of the CUDA model. `python -m bench.gpu_check` looks at more, and at speed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import make_model
from albert_fast import AlbertEmbeddings, gpu
from albert_fast.errors import AlbertFastError
from conftest import ModelMaker
from reference_albert import ReferenceAlbert
from test_encoder import random_sequences, rows

pytestmark = pytest.mark.gpu


@pytest.fixture(autouse=True, scope="module")
def device() -> None:
    try:
        gpu.check_cuda()
    except AlbertFastError as error:
        pytest.skip(f"skipped: no GPU ({str(error).partition('. ')[0]})")


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-4), ("tf32", 2e-2), ("fp16", 5e-2)])
@pytest.mark.parametrize("act", ["gelu_new", "gelu", "relu"])
def test_against_float64(make_folder: ModelMaker, precision: str, tolerance: float, act: str) -> None:
    changes = {"hidden_size": 128, "num_attention_heads": 2, "intermediate_size": 256, "hidden_act": act}
    geometry = make_model.geometry(**changes)
    reference = ReferenceAlbert(make_model.make_weights(geometry, 1), geometry)
    model = AlbertEmbeddings.load(make_folder(seed=1, **changes), device="cuda", precision=precision)
    sequences = random_sequences(20, 128, geometry["vocab_size"])
    for got, ids in zip(rows(model, sequences), sequences, strict=True):
        expected = reference.hidden_states(ids)[-1]
        np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance)
        norms = np.linalg.norm(got, axis=1) * np.linalg.norm(expected, axis=1)
        assert ((got * expected).sum(1) / norms).min() >= 0.9999


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_cuda_graphs_change_nothing(
    base_folder: Path, precision: str, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    model = AlbertEmbeddings.load(base_folder, device="cuda", precision=precision)
    assert model._loaded().prepared == 4
    assert not [w for w in recwarn if "CUDA graphs" in str(w.message)]
    monkeypatch.setenv("ALBERT_FAST_CUDA_GRAPHS", "0")
    without = AlbertEmbeddings.load(base_folder, device="cuda", precision=precision)
    assert without._loaded().prepared == 0
    for count, length in ((1, 12), (30, 14), (1, 3), (8, 60), (3, 128), (1, 65), (1, 12)):
        sequences = random_sequences(count, length, 400, seed=count)
        for got, expected in zip(rows(model, sequences), rows(without, sequences), strict=True):
            np.testing.assert_allclose(got, expected, rtol=0, atol=3e-5 if precision == "fp32" else 2e-2)


@pytest.mark.parametrize("level", ["word", "sentence", "document"])
def test_vectors_that_stay_on_the_card(base_folder: Path, level: str) -> None:
    model = AlbertEmbeddings.load(base_folder, device="cuda")
    texts = ["I love NLP. It is small.", "", "one", *(f"text number {n} is here" for n in range(300))]
    for some in (texts[:3], texts):
        out = model.embed(some, level=level, output_device="cuda")
        assert out.vectors.device == "cuda:0"
        expected = model.embed(some, level=level).vectors
        np.testing.assert_allclose(out.vectors.to_numpy(), expected, rtol=0, atol=1e-6)
        torch = pytest.importorskip("torch")
        taken = torch.from_dlpack(out.vectors)
        assert taken.is_cuda
        np.testing.assert_allclose(taken.cpu().numpy(), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_vector_does_not_depend_on_its_neighbours(base_folder: Path, precision: str) -> None:
    model = AlbertEmbeddings.load(base_folder, device="cuda", precision=precision)
    probe, *others = random_sequences(60, 128, 400, seed=3)
    alone = rows(model, [probe])[0]
    beside = rows(model, [*others[:30], probe, *others[30:]])[30]
    np.testing.assert_allclose(beside, alone, rtol=0, atol=3e-5 if precision == "fp32" else 2e-2)
