"""The real systems' containers in, our forms out, and in again: the same vectors all the way."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from albert_fast import AlbertEmbeddings, cli
from albert_fast.models import registry, resolve
from albert_fast.models.fetch import cache
from file_server import serve

CONTAINERS = (
    "hf_folder", "saved_onnx", "saved_tensorflow_v1", "saved_tensorflow_v2", "savedmodel_v1", "savedmodel_v2",
    "google_checkpoint",
)  # fmt: skip
TEXTS = ["I love NLP.", "Two sentences here. And a second, longer one follows it!"]


@pytest.mark.parametrize("form", ["albert-fast", "onnx", "spark-nlp"])
@pytest.mark.parametrize("container", CONTAINERS)
def test_convert(golden: Path, tmp_path: Path, container: str, form: str) -> None:
    models = golden / "sparknlp/models"
    expected = AlbertEmbeddings.load(models / "hf_folder").embed(TEXTS).vectors
    out = tmp_path / "out"
    assert cli.main(["convert", str(models / container), str(out), "--format", form]) == 0
    found = AlbertEmbeddings.load(out).embed(TEXTS).vectors
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def zipped(folder: Path) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
    return out.getvalue()


@pytest.mark.parametrize("container", ["saved_onnx", "saved_tensorflow_v1", "saved_tensorflow_v2"])
def test_an_upload_of_spark_nlp_is_fetched_and_loaded_in_one_line(
    golden: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, container: str
) -> None:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "zips"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    name = "albert_base_uncased_en_3.1.1_2.4_1624450373237.zip"
    with serve({f"/{name}": zipped(golden / "sparknlp/models" / container)}) as server:
        monkeypatch.setattr(registry, "UPLOADS", server.url + "/")
        model = AlbertEmbeddings.pretrained("albert_base_uncased", "en")
    expected = AlbertEmbeddings.load(golden / "sparknlp/models/hf_folder").embed(TEXTS).vectors
    np.testing.assert_allclose(model.embed(TEXTS).vectors, expected, rtol=0, atol=1e-5)
    # The server is gone: everything comes from the cache, in which there is the zip and nothing unpacked.
    assert (AlbertEmbeddings.pretrained("albert_base_uncased").embed(TEXTS).vectors == model.embed(TEXTS).vectors).all()
    files = [path.name for path in (tmp_path / "zips").rglob("*") if path.is_file()]
    assert sorted(files) == [name, f"{name}.json"]
    assert resolve("albert_base_uncased").origin == f"{server.url}/{name}"


PEAK = """
import re, sys
from pathlib import Path
from albert_fast import cli, models
models.resolve(sys.argv[1])
def peak(): return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) << 10
before = peak()
assert cli.main(["convert", sys.argv[1], sys.argv[2]]) == 0
sys.stderr.write(str(peak() - before))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
def test_converting_a_zip_needs_little_memory(tmp_path: Path) -> None:
    import make_model

    geometry = make_model.geometry(vocab_size=30_000, embedding_size=128, hidden_size=1024, intermediate_size=8192)
    folder = make_model.write_folder(
        tmp_path / "m", geometry, spiece=make_model.padded(make_model.vocabulary(), 30_000)
    )
    with zipfile.ZipFile(tmp_path / "m.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    (tmp_path / "tmp").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(tmp_path / "m.zip"), str(tmp_path / "out")],
        capture_output=True, text=True, check=True, env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
    )  # fmt: skip
    assert int(done.stderr) <= 2 * 4 * 8192 * 1024 + (32 << 20), "more than the largest tensor twice"
    assert int(done.stderr) <= 2 * (folder / "model.safetensors").stat().st_size
    assert list((tmp_path / "tmp").iterdir()) == []
