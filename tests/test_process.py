"""Threads, forks, signals and pickles: the process around the model."""

from __future__ import annotations

import concurrent.futures
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from albert_fast import AlbertEmbeddings


def run_python(code: str, *arguments: str, timeout: float = 60, **variables: str) -> subprocess.CompletedProcess[str]:
    # Without CI in the environment: CI=1 switches ONNX Runtime's telemetry off by itself and would hide its hang.
    environment = {key: value for key, value in os.environ.items() if key not in ("CI", "ORT_DISABLE_TELEMETRY")}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def test_many_threads_share_one_model(tiny: AlbertEmbeddings) -> None:
    texts = [[f"thread {i} says {j}" for j in range(i % 7 + 1)] for i in range(64)]
    expected = [tiny.embed(t).vectors for t in texts]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        for _ in range(5):
            for got, want in zip(pool.map(lambda t: tiny.embed(t).vectors, texts), expected, strict=True):
                np.testing.assert_allclose(got, want, atol=1e-6)


def test_the_gil_is_released(tiny: AlbertEmbeddings) -> None:
    texts = [f"a longer text with number {i} " * 20 for i in range(2000)]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        call = pool.submit(tiny.embed, texts)
        ticks = 0
        while not call.done():
            ticks += 1
            time.sleep(0.001)
    assert ticks > 20


def test_pickle_carries_the_configuration(tiny_folder: Path) -> None:
    model = AlbertEmbeddings.load(tiny_folder, max_sentence_length=40, layers=0)
    data = pickle.dumps(model)
    assert len(data) < 2000
    again = pickle.loads(data)
    assert again.explicit_params() == model.explicit_params()
    np.testing.assert_array_equal(again.embed("a b c").vectors, model.embed("a b c").vectors)


FORK = """
import os, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of fork with threads, which is the point here
import albert_fast
from albert_fast import AlbertEmbeddings
moment, action, threads = sys.argv[2:]
model = None
if moment != "import":
    model = AlbertEmbeddings.load(sys.argv[1], threads=int(threads))
if moment == "run":
    model.embed(["some text"] * 50)
child = os.fork()
if child == 0:
    if action == "use" and model is not None:
        try:
            model.embed("x")
        except albert_fast.ForkError as error:
            assert "spawn" in str(error)
            sys.exit(0)
        sys.exit(3)
    if action == "delete":
        del model
    if action in ("load", "use"):
        fresh = AlbertEmbeddings.load(sys.argv[1], threads=1)
        sys.exit(0 if fresh.embed("x y").words == ["x", "y"] else 4)
    sys.exit(0)
_, status = os.waitpid(child, 0)
if model is not None:
    assert model.embed("the parent goes on").words
sys.exit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.parametrize("moment", ["import", "load", "run"])
@pytest.mark.parametrize("action", ["exit", "use", "delete", "load"])
@pytest.mark.parametrize("threads", ["1", "4"])
def test_fork(tiny_folder: Path, moment: str, action: str, threads: str) -> None:
    done = run_python(FORK, str(tiny_folder), moment, action, threads, timeout=30)
    assert done.returncode == 0, done.stderr


def test_spawned_workers_get_a_model_by_pickle(tiny_folder: Path, tmp_path: Path) -> None:
    script = tmp_path / "workers.py"
    script.write_text(
        textwrap.dedent("""
        import multiprocessing, sys
        from albert_fast import AlbertEmbeddings

        def embed(model, text):
            return model.embed(text).vectors.shape[0]

        if __name__ == "__main__":
            model = AlbertEmbeddings.load(sys.argv[1])
            with multiprocessing.get_context("spawn").Pool(2) as pool:
                print(pool.starmap(embed, [(model, "a b"), (model, "a b c")]))
        """)
    )
    done = subprocess.run(
        [sys.executable, str(script), str(tiny_folder)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == "[2, 3]", done.stderr


INTERRUPT = """
import signal, sys, time
from albert_fast import AlbertEmbeddings
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are born without it
model = AlbertEmbeddings.load(sys.argv[1], threads=int(sys.argv[2]))
texts = [" ".join(f"word{i * j % 977}" for j in range(100)) for i in range(10_000)]
print("ready", flush=True)
try:
    model.embed(texts, detect_sentences=False, level="document")
except KeyboardInterrupt:
    print("interrupted", time.time(), flush=True)
print(model.embed("works again").words, flush=True)
"""


@pytest.mark.parametrize("threads", ["1", "2"])
def test_ctrl_c_is_heard_while_texts_are_read(tiny_folder: Path, threads: str) -> None:
    code = """
        import signal, sys, threading, time, os
        from albert_fast import AlbertEmbeddings
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are born without it
        model = AlbertEmbeddings.load(sys.argv[1], threads=int(sys.argv[2]))
        texts = [" ".join(f"word{i}x{j}" for j in range(20)) for i in range(300_000)]
        sent = []
        def interrupt():
            time.sleep(0.15)
            sent.append(time.time())
            os.kill(os.getpid(), signal.SIGINT)
        threading.Thread(target=interrupt).start()
        try:
            model.embed(texts, level="document")
        except KeyboardInterrupt:
            print(time.time() - sent[0])
        """
    done = run_python(code, str(tiny_folder), threads)
    assert float(done.stdout) < 0.5, done.stderr


@pytest.mark.parametrize("threads", ["1", "2"])
def test_ctrl_c_ends_a_call_within_half_a_second(make_folder, threads: str) -> None:  # type: ignore[no-untyped-def]
    folder = make_folder(hidden_size=768, num_attention_heads=12, intermediate_size=3072, num_hidden_layers=12)
    command = [sys.executable, "-c", INTERRUPT, str(folder), threads]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(3)
        sent = time.time()
        process.send_signal(signal.SIGINT)
        word, moment = process.stdout.readline().split()
        assert word == "interrupted"
        assert float(moment) - sent < 0.5
        assert process.stdout.readline() == "['works', 'again']\n"
        assert process.wait(30) == 0


def test_import_is_light() -> None:
    done = run_python("""
        import sys
        import albert_fast
        heavy = {"onnxruntime", "sentencepiece", "huggingface_hub", "tqdm", "pandas", "torch", "argparse"}
        print(sorted(heavy & set(sys.modules)))
        import threading
        print(threading.active_count())
        """)
    assert done.stdout.split("\n")[:2] == ["[]", "1"], done.stderr


def test_telemetry_is_off_and_nothing_is_written_at_home(tiny_folder: Path, tmp_path: Path) -> None:
    done = run_python(
        """
        import os, sys
        from albert_fast import AlbertEmbeddings
        AlbertEmbeddings.load(sys.argv[1], threads=1).embed("a text")
        print(os.environ["ORT_DISABLE_TELEMETRY"])
        """,
        str(tiny_folder),
        HOME=str(tmp_path),
        XDG_CACHE_HOME=str(tmp_path / "cache"),
    )
    assert done.stdout.strip() == "1", done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_module_exports_one_symbol() -> None:
    from albert_fast import _core

    names = subprocess.run(
        ["nm", "-D", "--defined-only", str(_core.__file__)], capture_output=True, text=True, check=False
    )
    if names.returncode != 0:
        pytest.skip("skipped: nm is not installed")
    symbols = [line.split()[-1].split("@")[0] for line in names.stdout.splitlines()]
    assert symbols == ["PyInit__core"]


def test_the_stub_describes_the_module() -> None:
    import ast

    import albert_fast
    from albert_fast import _core

    tree = ast.parse((Path(str(albert_fast.__file__)).parent / "_core.pyi").read_text())
    described: dict[str, set[str]] = {"": set()}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            described[""].add(node.name)
        elif isinstance(node, ast.ClassDef):
            described[node.name] = {n.name for n in node.body if isinstance(n, ast.FunctionDef)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            described[""].add(node.target.id)
    classes = {name for name, value in vars(_core).items() if isinstance(value, type)}
    module = {"__doc__", "__file__", "__loader__", "__name__", "__package__", "__spec__"}
    assert set(vars(_core)) - module - classes == described.pop("")
    assert classes == set(described)
    for name, members in described.items():
        own = {m for m in vars(getattr(_core, name)) if not m.startswith("__") or m in ("__init__", "__len__")}
        assert {m for m in own if not m.startswith("_pybind11")} == members, name


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_model_does_not_care_what_becomes_of_its_files(make_folder, precision: str) -> None:  # type: ignore[no-untyped-def]
    """What copies over a model in use truncates it first: memory that was mapped from it would end the process."""
    code = """
        import os, sys, pathlib
        from albert_fast import AlbertEmbeddings
        model = AlbertEmbeddings.load(sys.argv[1], precision=sys.argv[2])
        weights = pathlib.Path(sys.argv[1]) / "model.safetensors"
        bytes = weights.read_bytes()
        with open(weights, "r+b") as file:
            file.write(b"\\xff" * len(bytes))
        first = model.embed("words of one text", layers=[1]).vectors
        os.truncate(weights, 100)
        second = model.embed("words of one text", layers=[1]).vectors
        weights.write_bytes(bytes)
        fresh = AlbertEmbeddings.load(sys.argv[1], precision=sys.argv[2]).embed("words of one text", layers=[1]).vectors
        print(abs(first - fresh).max() < 1e-6, abs(second - fresh).max() < 1e-6)
        """
    done = run_python(code, str(make_folder()), precision)
    assert done.stdout.split() == ["True", "True"], done.stderr


@pytest.mark.parametrize("words", [2, 400])
def test_the_process_ends_while_daemon_threads_embed(words: int) -> None:
    """Python ends threads that ask for its lock then, in a way that no C++ survives."""
    code = """
        import random, sys, threading, time
        from albert_fast import AlbertEmbeddings
        model = AlbertEmbeddings.pretrained("albert_tiny_en")
        def work():
            while True:
                model.embed(" ".join(str(random.random()) for _ in range(int(sys.argv[1]))))
        for _ in range(4):
            threading.Thread(target=work, daemon=True).start()
        time.sleep(0.3)
        """
    for _ in range(3):
        done = run_python(code, str(words))
        assert (done.returncode, done.stderr) == (0, "")


LAST_WORKS = {
    "a handler that waits for a worker": """
        import queue
        texts = queue.Queue()
        def work():
            while (text := texts.get()) is not None:
                print(len(model.embed(text).words))
        worker = threading.Thread(target=work, daemon=True)
        @atexit.register
        def close():
            texts.put(None)
            worker.join()
            print("closed")
        model = AlbertEmbeddings.pretrained("albert_tiny_en")
        worker.start()
        for _ in range(3):
            texts.put("I love NLP")
        """,
    "a handler that takes a lock of a worker's": """
        lock = threading.Lock()
        @atexit.register
        def close():
            with lock:
                print("closed")
        model = AlbertEmbeddings.pretrained("albert_tiny_en")
        def work():
            while True:
                with lock:
                    model.embed("some text " * 300)
        threading.Thread(target=work, daemon=True).start()
        time.sleep(0.2)
        """,
    "a handler that embeds in a thread of its own": """
        @atexit.register
        def last():
            thread = threading.Thread(target=lambda: print(len(model.embed("I love NLP").words)))
            thread.start()
            thread.join()
            print("closed")
        model = AlbertEmbeddings.pretrained("albert_tiny_en")
        """,
    "an object that goes when the interpreter does": """
        from albert_fast import _core
        class Last:
            def __init__(self):
                self.split = _core.split_words
            def __del__(self):
                print("closed" if self.split("a b") else "")
        last = Last()
        """,
}


@pytest.mark.parametrize("name", LAST_WORKS)
def test_what_a_process_does_at_its_end_is_done(name: str) -> None:
    if "thread of its own" in name and sys.version_info >= (3, 12):
        pytest.skip("Python starts no threads then from 3.12 on")
    prelude = "import atexit, threading, time\nfrom albert_fast import AlbertEmbeddings\n"
    done = run_python(prelude + textwrap.dedent(LAST_WORKS[name]))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("closed\n")
