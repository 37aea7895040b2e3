"""What a CUDA request that cannot be met says. Never is it met by the CPU."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

import make_model
import onnx_graphs
from albert_fast import AlbertEmbeddings, DeviceError, ParameterError, _core, device, engines, gpu, models, runtime
from albert_fast.device import Cuda, choose
from albert_fast.errors import ForeignGraphWarning


@pytest.fixture
def any_device(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let every device pass the check, and note which were asked for."""
    asked: list[int] = []
    monkeypatch.setattr(device, "_process", device._Process(device._process.lock))
    monkeypatch.setattr(gpu, "check_cuda", asked.append)
    return asked


def test_devices_and_precisions(any_device: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(device.MEMORY_VARIABLE, raising=False)
    assert choose("cpu", None) is choose("auto", None) is choose("cpu", "fp32") is choose("cpu", "int8") is None
    assert choose("cuda", None) == Cuda(0, "fp16")
    assert choose("cuda:12", "tf32") == Cuda(12, "tf32")
    assert choose("cuda:12", "fp32") == Cuda(12, "fp32")
    assert any_device == [0, 12], "a device is checked once"
    for name in ("cuda:", "cuda:x", "cuda:-1", "cuda:1:2", "cuda1", "gpu", "", "CUDA"):
        with pytest.raises(DeviceError, match=r"does not exist.*'cuda'"):
            choose(name, None)
    for name, precision in (("cpu", "fp16"), ("cpu", "tf32"), ("cuda", "int8")):
        with pytest.raises(DeviceError, match=rf"precision='{precision}' is not available.*Use precision='fp"):
            choose(name, precision)


@pytest.mark.parametrize(("text", "limit"), [("", 0), ("1", 1 << 20), ("8192", 8192 << 20)])
def test_memory_limit(any_device: list[int], monkeypatch: pytest.MonkeyPatch, text: str, limit: int) -> None:
    monkeypatch.setenv(device.MEMORY_VARIABLE, text)
    cuda = choose("cuda", None)
    assert cuda is not None
    assert cuda.memory_limit == limit


def test_cuda_graphs_are_a_choice(any_device: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    for text, graphs in (("1", True), ("0", False)):
        monkeypatch.setenv(device.GRAPHS_VARIABLE, text)
        assert choose("cuda", None) == Cuda(0, "fp16", graphs=graphs)
    monkeypatch.setenv(device.GRAPHS_VARIABLE, "no")
    with pytest.raises(ParameterError, match="ALBERT_FAST_CUDA_GRAPHS='no' is neither 0 nor 1"):
        choose("cuda", None)


@pytest.mark.parametrize("text", ["0", "-1", "8G", "1e3", "99999999999", "\u0665"])
def test_a_memory_limit_that_is_none(any_device: list[int], monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(device.MEMORY_VARIABLE, text)
    with pytest.raises(ParameterError, match="ALBERT_FAST_GPU_MEMORY_MIB"):
        choose("cuda", None)


def test_a_loaded_model_does_not_stay_on_the_cpu_in_silence(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = AlbertEmbeddings.load(tiny_folder)
    model.embed("a text")
    model.setDevice("cuda")
    with pytest.raises(DeviceError):
        model.embed("a text")
    asked: list[tuple[str, Cuda | None]] = []

    class Engine:
        def prepare(self, options: dict[str, Any]) -> None:
            assert options["layers"] == [model._model_files().geometry.num_hidden_layers]
            if len(asked) == 1:
                raise DeviceError("they cannot be captured.")

    made = Engine()

    def engine_for(files: models.ModelFiles, precision: str, cuda: Cuda | None = None) -> Any:
        asked.append((precision, cuda))
        return made

    monkeypatch.setattr(engines, "engine_for", engine_for)
    monkeypatch.setattr(gpu, "check_cuda", lambda _: None)
    monkeypatch.setattr(device, "_process", device._Process(device._process.lock))
    with pytest.warns(RuntimeWarning, match=r"without CUDA graphs.*cannot be captured.*ALBERT_FAST_CUDA_GRAPHS=0"):
        model._loaded()
    for _ in range(2):
        assert model._loaded() is made
    model.setPrecision("fp32")
    model._loaded()
    model.setDevice("cpu")
    model._loaded()
    model.setPrecision("int8")
    model._loaded()
    assert asked == [("fp16", Cuda(0, "fp16")), ("fp32", Cuda(0, "fp32")), ("fp32", None), ("int8", None)]


def test_a_graph_that_is_run_as_it_is_stays_off_the_gpu(tmp_path: Path) -> None:
    geometry = make_model.geometry()
    graph = onnx_graphs.albert(geometry, make_model.make_weights(geometry, 3), onnx_graphs.STYLES[0], detour=True)
    folder = onnx_graphs.write_folder(tmp_path / "onnx", graph)
    with pytest.warns(ForeignGraphWarning):
        files = models.read_any(folder)
    with pytest.raises(DeviceError, match=r"run as it is.*CPU only.*device='cpu'"):
        engines.engine_for(files, "fp32", Cuda(precision="fp32", rehearsal=True))


def test_the_cpu_package_is_named(tiny_folder: Path) -> None:
    runtime.load()
    if "CUDAExecutionProvider" in _core.runtime_providers():
        pytest.skip("skipped: this is onnxruntime-gpu")
    with pytest.raises(
        DeviceError, match=r"cuda:3 cannot be used.*built without CUDA.*pip uninstall.*albert_fast\[gpu\]"
    ):
        _core.cuda_probe(dataclasses.asdict(Cuda(3)))
    with pytest.raises(DeviceError, match="built without CUDA"):
        engines.engine_for(models.read_folder(tiny_folder), "fp16", Cuda(3))


def options(minor: int = 31, **changes: Any) -> dict[str, str]:
    return dict(_core.cuda_options(dataclasses.asdict(Cuda(**changes)), minor))


def test_provider_options() -> None:
    assert options(device=2) == {
        "device_id": "2",
        "arena_extend_strategy": "kSameAsRequested",
        "use_tf32": "0",
        "sdpa_kernel": "19",
        "enable_cudnn": "0",
    }
    assert options(precision="tf32")["use_tf32"] == "1"
    assert options(precision="fp32")["use_tf32"] == "0"
    assert options(memory_limit=5 << 30)["gpu_mem_limit"] == str(5 << 30)
    # Options that a runtime does not know are an error there.
    assert "enable_cudnn" not in options(27)
    assert options(27)["enable_skip_layer_norm_strict_mode"] == "1"
    assert "enable_skip_layer_norm_strict_mode" not in options(28)
    assert "enable_skip_layer_norm_strict_mode" not in options(27, precision="fp32")


class FakeDriver:
    """A driver with two devices, of which the second answers with an error."""

    def __init__(self, init: int = 0) -> None:
        self.cuInit = lambda flags: init

    @staticmethod
    def cuDeviceGet(handle: Any, number: int) -> int:
        handle._obj.value = number
        return 0 if number == 0 else 101

    @staticmethod
    def cuDeviceGetName(name: Any, size: int, handle: Any) -> int:
        name.value = b"Paper GPU"
        return 0

    @staticmethod
    def cuDeviceTotalMem_v2(memory: Any, handle: Any) -> int:
        memory._obj.value = 24 << 30
        return 0

    @staticmethod
    def cuDeviceGetAttribute(value: Any, attribute: int, handle: Any) -> int:
        value._obj.value = {75: 7, 76: 5}[attribute]
        return 0


def test_devices_are_described(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu.ctypes, "CDLL", lambda name: FakeDriver())
    (card,) = gpu.describe_devices(1)
    assert (card.name, card.memory, card.capability) == ("Paper GPU", 24 << 30, (7, 5))
    assert card.attention() == "memory-efficient"
    assert dataclasses.replace(card, capability=(8, 0)).attention() == "flash"
    with pytest.raises(DeviceError, match="error 101 about device 1"):
        gpu.describe_devices(2)


def test_a_driver_in_a_forked_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu.ctypes, "CDLL", lambda name: FakeDriver(init=3))
    with pytest.raises(DeviceError, match="'spawn' or 'forkserver'"):
        gpu._ask_driver()


def test_another_runtime_with_the_provider_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maps = tmp_path / "maps"
    maps.write_text("7f00-7f01 r-xp 0 0 0 /x/onnxruntime/capi/libonnxruntime_providers_cuda.so\n")
    monkeypatch.setattr(device, "_process", device._Process(device._process.lock))
    with pytest.warns(RuntimeWarning, match="Another copy of ONNX Runtime"):
        device.warn_of_other_runtimes(maps)
    device.warn_of_other_runtimes(maps)  # from now on it is our own
    device.warn_of_other_runtimes(tmp_path / "nothing")
