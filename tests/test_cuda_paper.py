"""onnxruntime-gpu itself on a GPU that exists on paper only (`paper_gpu/`): kernels that compute nothing.

What is tested is everything around the kernels: that the provider opens and takes our options, that every node of the
graph has a CUDA kernel, which attention kernel it chooses, how memory is asked for and runs out, and what is said.
Needs a folder into which onnxruntime-gpu was installed (``pip install --no-deps --target FOLDER onnxruntime-gpu``),
named by ALBERT_FAST_GPU_PACKAGE, and gcc.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from albert_fast import runtime

pytestmark = pytest.mark.slow

PRELUDE = """
import gc, json, os, sys
from albert_fast import AlbertEmbeddings, DeviceError
TEXTS = [f"{a} {b} is a text with {n} words" for n, (a, b) in enumerate((a, b) for a in "abcdefgh" for b in "klmnop")]
found = {}
"""


@pytest.fixture(scope="module")
def package() -> Path:
    folder = os.environ.get("ALBERT_FAST_GPU_PACKAGE", "")
    if not folder:
        pytest.skip("skipped: no onnxruntime-gpu (ALBERT_FAST_GPU_PACKAGE is not set; see CONTRIBUTING.md)")
    assert (Path(folder) / "onnxruntime").is_dir(), f"ALBERT_FAST_GPU_PACKAGE names {folder}: no onnxruntime there"
    return Path(folder)


@pytest.fixture(scope="module")
def cuda(package: Path) -> int:
    """The CUDA version that the package was built for."""
    return int(runtime.read_build_info(package / "onnxruntime")["cuda_version"].partition(".")[0])


@pytest.fixture(scope="module")
def libraries(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = importlib.util.spec_from_file_location("paper_gpu_build", Path(__file__).parent / "paper_gpu" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path_factory.mktemp("paper_gpu")
    module.build(package / "onnxruntime" / "capi" / "libonnxruntime_providers_cuda.so", folder)
    return folder


@pytest.fixture(name="run")
def _run(package: Path, libraries: Path, cuda: int) -> Any:
    def run(script: str, path: Path = libraries, **environment: object) -> dict[str, Any]:
        """Run a script on the paper GPU, and return its dict `found` and what it said."""
        variables = {name: str(value) for name, value in environment.items()}
        variables |= {"PYTHONPATH": str(package), "LD_LIBRARY_PATH": str(path), "CUDART": f"libcudart.so.{cuda}"}
        done = subprocess.run(
            [sys.executable, "-c", f"{PRELUDE}{script}\nprint('FOUND', json.dumps(found))"],
            env={**os.environ, **variables}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout.rpartition("FOUND")[2])
        return {**found, "said": done.stdout + done.stderr}

    return run


REFUSED = """
try:
    AlbertEmbeddings.pretrained("albert_tiny_en", device=os.environ.get("DEVICE", "cuda"))
except DeviceError as error:
    found["error"] = str(error)
"""


def test_every_node_has_a_cuda_kernel(run: Any) -> None:
    found = run("""
for precision in ("fp16", "tf32", "fp32"):
    model = AlbertEmbeddings.pretrained("albert_tiny_en", device="cuda", precision=precision)
    for level, pooling, layers in (("word", "first", -1), ("word", "mean", -1), ("word", "max", (0, 2)),
                                   ("piece", None, 0), ("sentence", "mean", (1, 4)), ("document", "pooler", -1)):
        if pooling == "pooler" and not model._loaded().has_pooler:
            continue
        out = model.embed(TEXTS, level=level, pooling=pooling, layers=layers)
        found[f"{precision} {level} {pooling}"] = [*out.vectors.shape, out.stats["copies"]]
""")
    assert found["fp16 word first"] == found["fp32 word first"] == [384, 160, 0]
    assert found["tf32 sentence mean"] == [48, 160, 0]
    assert found["fp16 word max"][2] == 1  # maxima are made on the host


def test_the_attention_kernels(run: Any) -> None:
    said = run("""
for precision in ("fp16", "fp32"):
    AlbertEmbeddings.pretrained("albert_tiny_en", device="cuda", precision=precision).embed(TEXTS)
""", ORT_ENABLE_ATTENTION_KERNEL_DEBUG_INFO=1)["said"]  # fmt: skip
    kernels = set(re.findall(r"Operator=PackedMultiHeadAttention .*DataType=(\w+) SdpaKernel=(\w+)", said))
    assert kernels == {("fp16", "FLASH_ATTENTION"), ("fp32", "EFFICIENT_ATTENTION")}
    said = run("""
from albert_fast import engines, models
from albert_fast.device import Cuda
engine = engines.engine_for(models.read_folder(models.built_in_folder()), "fp16", Cuda(attention_kernels=18))
engine.embed(TEXTS, AlbertEmbeddings.pretrained("albert_tiny_en")._options())
""", ORT_ENABLE_ATTENTION_KERNEL_DEBUG_INFO=1)["said"]  # fmt: skip
    assert set(re.findall(r"PackedMultiHeadAttention .*SdpaKernel=(\w+)", said)) == {"EFFICIENT_ATTENTION"}


def test_results_lie_in_pinned_memory_until_they_are_dropped(run: Any) -> None:
    found = run("""
import ctypes
model = AlbertEmbeddings.pretrained("albert_tiny_en", device="cuda")
count = ctypes.c_int.in_dll(ctypes.CDLL(os.environ["CUDART"]), "paper_gpu_pinned")
def embed(texts):
    before = count.value
    return model.embed(texts).vectors, count.value - before
def embed_stats(texts):
    before = count.value
    return [model.embed(texts).stats["copies"], count.value - before]
small, found["small"] = embed(TEXTS)
many = [f"{text} {n}" for n in range(6) for text in TEXTS]
first, found["first"] = embed(many)
place = first.ctypes.data
second, found["second"] = embed(many)
del first
third, found["third"] = embed(many)
found["same place"] = third.ctypes.data == place and place % 64 == 0
kept, large = [third], [" ".join(TEXTS)] * 600  # computed once
while len(kept) < 100:
    out, more = embed(large)
    if more == 0:
        break
    kept.append(out)
found["most"] = sum(out.nbytes for out in kept) + second.nbytes
# Beyond that, rows pass through pinned slots, of which the same is used again and again.
while (out := model.embed(many)).stats["copies"] == 0 and len(kept) < 400:
    kept.append(out)
found["slots"] = [embed_stats(many) for _ in range(2)]
del out, third, kept, second
del model
gc.collect()
found["alive"] = float(abs(small).sum())
""")
    assert [found[name] for name in ("small", "first", "second", "third")] == [0, 1, 1, 0]
    assert found["same place"]
    assert 0.8 * 2**30 < found["most"] <= 2**30
    assert found["slots"] == [[1, 0], [1, 0]]


def test_memory_that_comes_back_serves_the_next_call(run: Any) -> None:
    """Locking a gigabyte takes longer than computing it; and no more than 1.25 GiB is ever locked."""
    found = run("""
import ctypes
library = ctypes.CDLL(os.environ["CUDART"])
made, out = (ctypes.c_int.in_dll(library, "paper_gpu_pinned" + end) for end in ("_ever", ""))
model = AlbertEmbeddings.pretrained("albert_tiny_en", device="cuda")
one = " ".join(TEXTS)  # computed once, however often it is there
found["blocks"] = []
for count in (400, 380, 1000, 1800, 3000, 2900, 4000, 1000):
    calls = []
    for _ in range(3):
        before = made.value
        rows = model.embed([one] * count).vectors
        calls.append(made.value - before)
        del rows
        gc.collect()
    found["blocks"].append(calls)
found["out"] = out.value
del model
gc.collect()
found["left"] = out.value
""")
    assert found["blocks"] == [[1, 0, 0], [0, 0, 0], *[[1, 0, 0]] * 3, [0, 0, 0], [1, 0, 0], [1, 0, 0]]
    assert found["out"] > found["left"]


def test_threads_that_come_and_go_leave_nothing_on_the_card(run: Any) -> None:
    """ONNX Runtime gives each thread that runs a session streams and handles; making and ending them stops a card."""
    found = run("""
import ctypes, threading
made = ctypes.c_int.in_dll(ctypes.CDLL(os.environ["CUDART"]), "paper_gpu_handles")
model = AlbertEmbeddings.pretrained("albert_tiny_en", device="cuda")
many = [f"{text} number {n}" for n in range(100) for text in TEXTS]
medium = [f"{text} of some length" for text in TEXTS] * 2
for _ in range(3):
    model.embed(many)
before = made.value
for _ in range(5):
    model.embed(many)
found["large calls"] = made.value - before
for _ in range(10):
    thread = threading.Thread(target=model.embed, args=(medium,))
    thread.start()
    thread.join()
found["new threads"] = made.value - before
""")
    assert found["large calls"] == 0
    assert found["new threads"] == 0


def test_repeats_that_stay_on_the_card_are_waited_for_once(run: Any) -> None:
    found = run("""
import ctypes
waits = ctypes.c_int.in_dll(ctypes.CDLL(os.environ["CUDART"]), "paper_gpu_waits")
model = AlbertEmbeddings.pretrained("albert_tiny_en", device="cuda")
def waits_of(texts):
    before = waits.value
    stats = model.embed(texts, output_device="cuda").stats
    return waits.value - before, stats["reused"]
found["one"], found["many"] = waits_of(TEXTS[:2]), waits_of(TEXTS[:2] * 500)
""")
    assert found["one"][1] == 0
    assert found["many"][1] == 998
    assert found["many"][0] <= found["one"][0] + 2


REPLAYS = """
import ctypes, threading, warnings
replays = ctypes.c_int.in_dll(ctypes.CDLL(os.environ["CUDART"]), "paper_gpu_replays")
def replays_of(texts, **options):
    before = replays.value
    out = model.embed(texts, **options)
    return replays.value - before
"""


def test_short_texts_are_replayed(run: Any) -> None:
    found = run(
        REPLAYS
        + """
for graphs in ("1", "0"):
    os.environ["ALBERT_FAST_CUDA_GRAPHS"] = graphs
    model = AlbertEmbeddings.pretrained("albert_tiny_en", device="cuda")
    found["shapes " + graphs] = model._loaded().prepared
    found["short " + graphs] = [replays_of(texts) for texts in (["I love NLP"], TEXTS[:8], ["I love NLP"] * 3)]
    found["sentences " + graphs] = replays_of(["I love NLP. And more."], level="sentence")
    found["other layers " + graphs] = replays_of(["I love NLP"], layers=[0, 1])
    found["long " + graphs] = replays_of(TEXTS * 3 + [" ".join(TEXTS)], detect_sentences=False)
os.environ["ALBERT_FAST_CUDA_GRAPHS"] = "1"
model = AlbertEmbeddings.pretrained("albert_tiny_en", device="cuda", layers=[0, 1])
found["prepared for it"] = replays_of(["I love NLP"]), replays_of(["I love NLP"], layers=-1)
"""
    )
    assert (found["shapes 1"], found["shapes 0"]) == (4, 0)
    assert found["short 1"] == [1, 1, 1]
    assert found["short 0"] == [0, 0, 0]
    assert (found["sentences 1"], found["other layers 1"], found["long 1"]) == (1, 0, 0)
    assert found["prepared for it"] == [1, 0]
    assert "without CUDA graphs" not in found["said"]


@pytest.mark.parametrize(("lost", "shapes"), [(1, 4), (3, 0), (100, 0)])
def test_captures_that_fail(run: Any, lost: int, shapes: int) -> None:
    found = run(REPLAYS + """
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    model = AlbertEmbeddings.pretrained("albert_tiny_en", device="cuda")
found["warned"] = [str(w.message) for w in caught if "CUDA graphs" in str(w.message)]
found["shapes"] = model._loaded().prepared
found["rows"] = len(model.embed(["I love NLP"]).vectors)
""", PAPER_GPU_CAPTURES_LOST=lost)  # fmt: skip
    assert (found["shapes"], found["rows"]) == (shapes, 3)
    if shapes:
        assert not found["warned"]
    else:
        assert re.search(r"without CUDA graphs.*CUDA failure 901.*ALBERT_FAST_CUDA_GRAPHS=0", found["warned"][0])


def test_what_a_graph_uses_stays(run: Any) -> None:
    # Before 1.31 ONNX Runtime replaces a buffer of Gemm by a larger one when it meets a larger shape.
    found = run(
        REPLAYS
        + """
frees = ctypes.c_int.in_dll(ctypes.CDLL(os.environ["CUDART"]), "paper_gpu_frees_between_captures")
model = AlbertEmbeddings.pretrained("albert_tiny_en", device="cuda")
found["shapes"], found["frees"] = model._loaded().prepared, frees.value
"""
    )
    assert (found["shapes"], found["frees"]) == (4, 0)


def test_a_capture_while_a_model_ends(run: Any) -> None:
    found = run(REPLAYS + """
import time
cuda = ctypes.CDLL(os.environ["CUDART"])
def in_use():
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    cuda.cudaMemGetInfo(ctypes.byref(free), ctypes.byref(total))
    return total.value - free.value
AlbertEmbeddings.pretrained("albert_tiny_en", device="cuda")
gc.collect()
before = in_use()
models = [AlbertEmbeddings.pretrained("albert_tiny_en", device="cuda", layers=n) for n in range(2)]
models[0].embed(TEXTS, layers=[0, 1])
made = []
def load():
    made.append(AlbertEmbeddings.pretrained("albert_tiny_en", device="cuda", precision="fp32"))
thread = threading.Thread(target=load)
thread.start()
while cuda.paper_gpu_is_capturing() == 0:
    time.sleep(0.001)
models.clear()
gc.collect()
thread.join()
found["shapes"] = made[0]._loaded().prepared
made.clear()
gc.collect()
found["left"] = in_use() - before
""", PAPER_GPU_CAPTURE_MS=100)  # fmt: skip
    assert (found["shapes"], found["left"]) == (4, 0)


def test_the_callers_device_stays_current(run: Any) -> None:
    found = run(REPLAYS + """
cuda = ctypes.CDLL(os.environ["CUDART"])
def current():
    device = ctypes.c_int()
    cuda.cudaGetDevice(ctypes.byref(device))
    return device.value
found["devices"] = [current()]
model = AlbertEmbeddings.pretrained("albert_tiny_en", device="cuda:1")
found["devices"].append(current())
found["shapes"] = model._loaded().prepared
for texts in (["I love NLP"], TEXTS * 30):
    for output in ("cpu", "cuda:1"):
        out = model.embed(texts, output_device=output)
        found["devices"].append(current())
del out, model
gc.collect()
found["devices"].append(current())
""", PAPER_GPU_DEVICES=2)  # fmt: skip
    assert (found["devices"], found["shapes"]) == ([0] * 7, 4)
    assert "CUDA graphs" not in found["said"]


def test_pinned_memory_that_is_not_to_be_had(run: Any) -> None:
    script = """
model = AlbertEmbeddings.pretrained("albert_tiny_en", device="cuda")
texts = [f"{text} and {n}" for n in range(20) for text in TEXTS]
found["batches"] = [model.embed(texts).stats["batches"] for _ in range(3)]
"""
    assert run(script)["batches"] == [1, 1, 1]
    assert run(script, PAPER_GPU_PINNED_MIB=1)["batches"] == [1, 1, 1]


def test_a_capture_while_other_models_are_busy(run: Any) -> None:
    found = run(
        REPLAYS
        + """
busy = AlbertEmbeddings.pretrained("albert_tiny_en", device="cuda", precision="fp32")
ended, calls, wrong = False, [0] * 3, []
def work(n):
    while not ended:
        try:  # larger from call to call, so that memory is asked for
            busy.embed([f"{text} {k}" for text in TEXTS for k in range(1 + calls[n] % 7)],
                       output_device="cuda" if n else None)
        except DeviceError as error:
            wrong.append(str(error))
        calls[n] += 1
threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
[t.start() for t in threads]
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    models = [AlbertEmbeddings.pretrained("albert_tiny_en", device="cuda", layers=n) for n in (1, 2, 3, 4)]
ended = True
[t.join() for t in threads]
found["wrong"] = wrong + [str(w.message) for w in caught if "CUDA graphs" in str(w.message)]
found["shapes"], found["calls"] = models[0]._loaded().prepared, min(calls)
""",
        PAPER_GPU_CAPTURE_MS=20,
    )
    assert found["wrong"] == []
    assert found["shapes"] == 16
    assert found["calls"] > 0


def test_vectors_that_stay_on_the_device(run: Any) -> None:
    found = run("""
import ctypes
model = AlbertEmbeddings.pretrained("albert_tiny_en", device="cuda")
cuda = ctypes.CDLL(os.environ["CUDART"])
def in_use():
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    cuda.cudaMemGetInfo(ctypes.byref(free), ctypes.byref(total))
    return total.value - free.value
for name in ("cuda", "cuda:0"):
    for texts in (TEXTS, ["I love NLP"]):
        model.embed(texts, output_device=name)
before = in_use()
out = model.embed(TEXTS, output_device="cuda")
vectors = out.vectors
found["shape"], found["device"], found["dlpack"] = vectors.shape, vectors.device, vectors.__dlpack_device__()
found["interface"] = vectors.__cuda_array_interface__
found["bytes"] = in_use() - before
part = out[1].vectors
found["part"] = [part.shape, part.__cuda_array_interface__["data"][0] - vectors.__cuda_array_interface__["data"][0]]
found["host"] = part.to_numpy().shape
capsule = part.__dlpack__(max_version=(1, 0))
del out, vectors, part
gc.collect()
found["held by the capsule"] = in_use() - before
del capsule
gc.collect()
found["left"] = in_use() - before
found["none"] = model.embed([""], output_device="cuda").vectors.__cuda_array_interface__["data"]
found["refused"] = []
for device, output in (("cuda", "cuda:1"), ("cpu", "cuda")):
    try:
        AlbertEmbeddings.pretrained("albert_tiny_en", device=device).embed("a", output_device=output)
    except DeviceError as error:
        found["refused"].append(str(error))
chunks = [c.vectors.device for c in model.stream(TEXTS, chunk_texts=20, output_device="cuda")]
found["chunks"] = chunks + [model.embed_words([["I", "love"]], output_device="cuda").vectors.device]
""")
    assert found["shape"] == [384, 160]
    assert (found["device"], found["dlpack"]) == ("cuda:0", [2, 0])
    assert found["interface"]["typestr"] == "<f4"
    assert found["bytes"] == found["held by the capsule"] == 384 * 160 * 4
    assert found["part"] == [[8, 160], 8 * 160 * 4]
    assert found["host"] == [8, 160]
    assert found["left"] == 0
    assert found["none"] == [0, False]
    assert len(found["refused"]) == 2
    assert found["chunks"] == ["cuda:0"] * 4


def test_no_memory_for_vectors_on_the_device(run: Any) -> None:
    error = run("""
model = AlbertEmbeddings.pretrained("albert_tiny_en", device="cuda")
texts = [" ".join(TEXTS)] * 600  # computed once
try:
    kept = [model.embed(texts, output_device="cuda") for _ in range(2)]
except DeviceError as refused:
    found["error"] = str(refused)
found["rows"] = len(model.embed(["I love NLP"], output_device="cuda").vectors)
texts = TEXTS * 2 + [" ".join(TEXTS)]
found["batches"] = [model.embed(texts, output_device=device).stats["batches"] for device in ("cuda", "cpu")]
""", PAPER_GPU_MIB=200)  # fmt: skip
    assert error["rows"] == 3
    assert error["batches"] == [1, 1], "the failure is not told again by the next run"
    assert re.search(r"cuda:0: \d+ MiB of its memory cannot be had: out of memory.*output_device='cpu'", error["error"])


def test_memory_that_runs_out(run: Any) -> None:
    script = """
model = AlbertEmbeddings.pretrained("albert_tiny_en", device="cuda")
texts = [f"{text} and {n}" for n in range(20) for text in TEXTS]
found["batches"] = [model.embed(texts, level="document").stats["batches"] for _ in range(2)]
"""
    for variables in ({"PAPER_GPU_MIB": 40}, {"ALBERT_FAST_GPU_MEMORY_MIB": 40}):
        first, second = run(script, **variables)["batches"]
        assert first == 1
        assert second > 1, "the next call begins with what fits"
    assert "Non-zero status" not in run(script, PAPER_GPU_MIB=40)["said"]
    assert run(script)["batches"] == [1, 1]
    error = run(REFUSED, PAPER_GPU_MIB=1)["error"]
    assert re.search(r"cannot be put on cuda:0: .*Failed to allocate memory.* Free memory of the device", error)
    assert "onnxruntime_src" not in error


@pytest.mark.parametrize(("variables", "message"), [
    ({"PAPER_GPU_DEVICES": 2, "DEVICE": "cuda:2"}, r"no device cuda:2; this machine has 2"),
    ({"PAPER_GPU_DEVICES": 0}, r"finds no device"),
    ({"PAPER_GPU_INIT": 100}, r"finds no device"),
    ({"PAPER_GPU_INIT": 999}, r"driver answers with error 999"),
    ({"PAPER_GPU_INIT": 3}, r"'spawn' or 'forkserver'"),
    ({"PAPER_GPU_VERSION": 11080}, r"CUDA up to 11\.8.*needs CUDA 1[23]\. Update the driver"),
])  # fmt: skip
def test_what_is_refused(run: Any, variables: dict[str, Any], message: str) -> None:
    assert re.search(message, run(REFUSED, **variables)["error"])


@pytest.mark.parametrize("name", ["libcurand.so.10", "libcublasLt.so.{}", "libcuda.so.1"])
def test_a_library_that_is_missing(run: Any, libraries: Path, cuda: int, tmp_path: Path, name: str) -> None:
    name = name.format(cuda)
    folder = tmp_path / "some"
    shutil.copytree(libraries, folder)
    (folder / name).unlink()
    error = run(REFUSED, path=folder)["error"]
    assert re.search(rf"{re.escape(name)}.*cannot be opened", error)
    assert "pip install" in error or "Install the driver" in error


def test_many_callers_and_models(run: Any) -> None:
    found = run("""
import threading
models = [AlbertEmbeddings.pretrained("albert_tiny_en", device="cuda", precision=p) for p in ("fp16", "fp32")]
done = []
def call(n):
    for level in ("word", "document", "sentence"):
        done.append(len(models[n % 2].embed([f"{text} {n}" for text in TEXTS], level=level)))
threads = [threading.Thread(target=call, args=(n,)) for n in range(6)]
[t.start() for t in threads]
[t.join() for t in threads]
found["calls"] = len(done)
""")
    assert found["calls"] == 18


def test_a_forked_child(run: Any) -> None:
    found = run("""
from albert_fast.errors import ForkError
model = AlbertEmbeddings.pretrained("albert_tiny_en", device="cuda")
engine, options = model._loaded(), model._options()
out = model.embed(TEXTS).vectors
stayed = model.embed(TEXTS, output_device="cuda").vectors
read, write = os.pipe()
if os.fork() == 0:
    try:
        engine.embed(TEXTS, {**options, "on_device": True})
    except ForkError:
        os.write(write, b"refused ")
    try:
        stayed.to_numpy()
    except ForkError:
        os.write(write, b"both ")
    del stayed, out, model, engine
    gc.collect()
    os.write(write, b"and alive")
    os._exit(0)
os.close(write)
found["child"] = os.fdopen(read).read()
""")
    assert found["child"] == "refused both and alive"


@pytest.mark.parametrize("order", ["ours", "theirs"])
def test_the_python_package_in_the_same_process(run: Any, tmp_path: Path, order: str) -> None:
    pytest.importorskip("onnxruntime")
    found = run("""
import warnings
import numpy as np
def ours():
    model = AlbertEmbeddings.pretrained("albert_tiny_en", device="cuda")
    found.setdefault("ours", []).append(model.embed("I love NLP").vectors.shape)
    return model
def theirs():
    AlbertEmbeddings.pretrained("albert_tiny_en").export("onnx", os.environ["FILE"])
    import onnxruntime
    session = onnxruntime.InferenceSession(os.environ["FILE"], providers=["CUDAExecutionProvider"])
    (hidden, *_) = session.run(None, {item.name: np.ones((1, 4), np.int64) for item in session.get_inputs()})
    found["theirs"] = hidden.shape
    return session
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    kept = [ours(), theirs(), ours()] if os.environ["ORDER"] == "ours" else [theirs(), ours()]
found["warned"] = any("Another copy of ONNX Runtime" in str(w.message) for w in caught)
""", ORDER=order, FILE=tmp_path / "model.onnx")  # fmt: skip
    assert found["ours"][-1] == [3, 160]
    assert found["theirs"] == [1, 4, 160]
    assert found["warned"] == (order == "theirs")


def test_the_doctor(run: Any, cuda: int) -> None:
    found = run("from albert_fast import doctor\nfound['gpu'] = dict(doctor._gpu())")
    assert found["gpu"]["CUDA"] == "usable, 1 device(s), driver for CUDA 13.0"
    assert found["gpu"]["cuda:0"] == "Paper GPU, 24.0 GiB, compute capability 8.6, fp16 attention: flash"
    assert found["gpu"][f"libcudart.so.{cuda}"] == "system"
