"""Vectors that stay on the device that made them; a rehearsal's lie in host memory."""

from __future__ import annotations

import copy
import gc
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from albert_fast import AlbertEmbeddings, DeviceError
from albert_fast.device_vectors import DeviceVectors
from device_graphs import rehearse


@pytest.fixture(name="pair")
def _pair(tiny_folder: Path, tiny: AlbertEmbeddings) -> tuple[DeviceVectors, Any]:
    engine = rehearse(tiny_folder)
    columns = engine.embed(["I love NLP", "and ALBERT"], {**tiny._options(), "on_device": True})
    return DeviceVectors(columns["vectors"]), tiny.embed(["I love NLP", "and ALBERT"]).vectors


def test_what_they_say_of_themselves(pair: tuple[DeviceVectors, Any]) -> None:
    vectors, expected = pair
    assert (vectors.shape, len(vectors), vectors.ndim) == (expected.shape, len(expected), 2)
    assert (vectors.dtype, vectors.nbytes) == (expected.dtype, expected.nbytes)
    assert vectors.device == "cpu"
    assert repr(vectors) == f"DeviceVectors(5 rows, {expected.shape[1]} dimensions, cpu)"


@pytest.mark.parametrize("rows", [slice(None), slice(1, 3), slice(-2, None), slice(4, 2), slice(3, 99), slice(0, 0)])
def test_slices_share_the_memory(pair: tuple[DeviceVectors, Any], rows: slice) -> None:
    vectors, expected = pair
    part = vectors[rows]
    assert part.shape == expected[rows].shape
    np.testing.assert_allclose(part.to_numpy(), expected[rows], rtol=0, atol=2e-5)
    if len(part):
        view = np.from_dlpack(part)
        assert view.ctypes.data == np.from_dlpack(vectors).ctypes.data + (rows.indices(5)[0]) * view.strides[0]
        np.testing.assert_array_equal(view[rows.stop is None :], part.to_numpy()[rows.stop is None :])


@pytest.mark.parametrize("rows", [0, slice(None, None, 2), slice(None, None, -1), (0, 1), "a"])
def test_other_indices_are_refused(pair: tuple[DeviceVectors, Any], rows: Any) -> None:
    with pytest.raises(TypeError, match="consecutive rows"):
        pair[0][rows]


def test_a_taker_keeps_the_memory(pair: tuple[DeviceVectors, Any]) -> None:
    vectors, expected = pair
    taken = np.from_dlpack(vectors[2:])
    untaken = vectors.__dlpack__(max_version=(1, 0)), vectors.__dlpack__()
    del vectors, pair, untaken
    gc.collect()
    np.testing.assert_allclose(taken, expected[2:], rtol=0, atol=2e-5)


@pytest.mark.parametrize("version", [None, (0, 8), (1, 0), (1, 3)])
def test_both_forms_of_a_capsule(pair: tuple[DeviceVectors, Any], version: tuple[int, int] | None) -> None:
    name = "dltensor_versioned" if version is not None and version[0] else "dltensor"
    assert f'"{name}"' in repr(pair[0].__dlpack__(max_version=version))


def test_what_dlpack_may_ask_for(pair: tuple[DeviceVectors, Any]) -> None:
    vectors, expected = pair
    assert vectors.__dlpack_device__() == (1, 0)
    assert vectors.__dlpack__(dl_device=(1, 0), stream=-1) is not None
    with pytest.raises(BufferError, match="cannot be handed over"):
        vectors.__dlpack__(dl_device=(2, 0))
    with pytest.raises(BufferError, match="without a copy"):
        vectors.__dlpack__(copy=True)
    assert not hasattr(vectors, "__cuda_array_interface__")
    torch = pytest.importorskip("torch")
    np.testing.assert_allclose(torch.from_dlpack(vectors).numpy(), expected, rtol=0, atol=2e-5)


def test_nothing_is_copied_in_silence(pair: tuple[DeviceVectors, Any]) -> None:
    vectors, _ = pair
    with pytest.raises(DeviceError, match="to_numpy"):
        np.asarray(vectors)
    for way in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            way(vectors)


@pytest.mark.parametrize("output_device", ["cuda", "cuda:0", "gpu", ""])
def test_a_model_on_the_cpu_has_no_other_device(tiny: AlbertEmbeddings, output_device: str) -> None:
    for call in (tiny.embed, lambda texts, **k: tiny.embed_words([texts], **k), tiny.stream):
        with pytest.raises(DeviceError, match="computes on 'cpu'"):
            call(["I love NLP"], output_device=output_device)


class Device:
    """Something that says its name, as torch.device does."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __str__(self) -> str:
        return self._name


def test_which_devices_are_the_model_s() -> None:
    from albert_fast.device import stays_on

    for device, others in (("cuda", ("cuda", "cuda:0")), ("cuda:0", ("cuda", "cuda:0")), ("cuda:1", ("cuda:1",))):
        for other in others:
            assert stays_on(device, other)
            assert stays_on(device, Device(other))
    for device in ("cpu", "cuda", "cuda:1"):
        assert not stays_on(device, None)
        assert not stays_on(device, Device("cpu"))
    for device, output in (("cuda", "cuda:1"), ("cuda:1", "cuda"), ("cpu", "cuda"), ("auto", "cuda"), ("cuda", "mps")):
        with pytest.raises(DeviceError, match=rf"output_device='{output}', but the model computes on '{device}'"):
            stays_on(device, output)


def test_the_host_is_the_default(tiny: AlbertEmbeddings) -> None:
    for device in (None, "cpu"):
        assert isinstance(tiny.embed("I love NLP", output_device=device).vectors, np.ndarray)


def test_the_core_refuses_too(tiny: AlbertEmbeddings) -> None:
    with pytest.raises(DeviceError, match="no other device"):
        tiny._loaded().embed(["a"], {**tiny._options(), "on_device": True})
