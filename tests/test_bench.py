"""`python -m bench`: a smoke run of every scenario with the peers that are here, its document, and its refusals."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import make_model

ROOT = Path(__file__).resolve().parent.parent

if not (ROOT / "bench").is_dir():
    pytest.skip("skipped: no bench folder (a source distribution has none)", allow_module_level=True)
sys.path.insert(0, str(ROOT))

from bench import checks, inputs, models  # noqa: E402
from bench.context import Context, System  # noqa: E402
from bench.errors import Refused  # noqa: E402
from bench.goals import GOALS  # noqa: E402
from bench.report import validate  # noqa: E402
from bench.scenarios import SCENARIOS  # noqa: E402
from bench.settings import SMOKE  # noqa: E402


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("bench")
    peers = ("albert_fast int8", "sentencepiece", "onnxruntime", "matrix products")
    command = [sys.executable, "-m", "bench", "--settings", "smoke", "--size", "tiny", "--name", "smoke"]
    command += ["--output", str(folder), "--work", str(folder / "work"), *(f"--peer={name}" for name in peers)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (folder / "smoke.md").read_text(encoding="utf-8") + "\n"
    read: dict[str, Any] = json.loads((folder / "smoke.json").read_text(encoding="utf-8"))
    return read


def test_every_scenario_measures_this_package(document: dict[str, Any]) -> None:
    assert validate(document) == []
    assert set(document["scenarios"]) == set(SCENARIOS)
    ours = ("albert_fast", "LightPipeline", "embed")
    measured = {row["scenario"] for row in document["rows"] if row["system"].startswith(ours)}
    assert measured >= set(SCENARIOS) - {"rates"}


def test_peers_are_checked_before_they_are_timed(document: dict[str, Any]) -> None:
    states = {peer["name"]: peer for peer in document["peers"]}
    for name in ("albert_fast", "albert_fast int8", "sentencepiece", "onnxruntime", "matrix products"):
        assert states[name]["state"] == "checked"
        assert states[name]["checks"]
    assert states["transformers"]["state"] in ("not installed", "not asked for")


def test_every_goal_is_measured_or_has_its_reason(document: dict[str, Any]) -> None:
    rows = document["goals"]
    assert [row["what"] for row in rows] == [goal.what for goal in GOALS]
    assert all(row["measured"] is not None or row["note"] for row in rows)
    assert any(row["measured"] is not None for row in rows)


def test_a_peer_with_other_numbers_is_refused() -> None:
    rows = np.random.default_rng(0).normal(size=(5, 8)).astype(np.float32)
    assert checks.check_rows(rows, rows.astype(np.float64), checks.FP32)["worst_cosine"] > 0.99999
    with pytest.raises(Refused, match="other numbers than the reference"):
        checks.check_rows(rows + 0.1, rows.astype(np.float64), checks.FP32)
    with pytest.raises(Refused, match="reference has"):
        checks.check_rows(rows[:4], rows.astype(np.float64), checks.FP32)
    with pytest.raises(Refused, match="other piece ids"):
        checks.check_ids([[1, 2], [3]], [[1, 2], [4]], 1.0)


def sentences() -> list[str]:
    words = [a + b for a in "be co di en fo ga hi lo me no".split() for b in "nd rt st lk mp ck sh ng".split()]
    return [" ".join(words[(7 * i + 3 * j) % len(words)] for j in range(9)) + "." for i in range(200)]


@pytest.fixture
def context(tmp_path: Path) -> Context:
    spiece = tmp_path / "spiece.model"
    spiece.write_bytes(make_model.vocabulary())
    model = models.random_model(tmp_path, "tiny", [], "", spiece)
    maker = inputs.TextMaker(sentences(), model.spiece)
    return Context(SMOKE, model, maker, tmp_path, 1, ["albert_fast", "sentencepiece"], lambda text: None)


class WrongWorker:
    """A peer whose vectors are right but for one number."""

    threads = 1

    def __init__(self, rows: np.ndarray[Any, Any]) -> None:
        self.rows = rows.astype(np.float32)
        self.rows[0, 0] += 0.1

    def ask(self, do: str, save: str, **command: Any) -> dict[str, Any]:
        np.save(save, self.rows)
        return {"saved": save}


def test_a_refused_task_is_not_timed_and_the_others_still_are(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = context.maker.of_lengths("check", (5, 9))
    worker = WrongWorker(checks.reference_rows(context.model, check))
    monkeypatch.setattr(context, "worker", lambda name, threads: worker)
    system = System("wrong", "albert_fast", "embed")
    assert context.ready(system, 1, check) is None
    assert context.report.peers["albert_fast"]["state"].startswith("refused: wrong: other numbers")
    assert context.is_there("albert_fast")
    worker.rows[0, 0] -= 0.1
    assert context.ready(system, 1, check) is worker
    assert context.report.peers["albert_fast"]["state"].startswith("refused"), "a later success hides no refusal"
    assert not context.is_there("tokenizers"), "not asked for"


def test_texts_have_the_lengths_that_are_asked_for_and_differ(context: Context) -> None:
    lengths = inputs.ragged_lengths(2000)
    assert 35 < np.mean(lengths) < 41
    assert max(lengths) == inputs.MOST_PIECES
    asked = [8, 30, 64, 128, 5]
    texts = context.maker.of_lengths("some", asked)
    longest_word = 12
    assert all(a - longest_word <= got <= max(a, longest_word + 2) for a, got in zip(asked, texts.lengths, strict=True))
    assert len(set(texts.texts)) == len(asked)
    plain = context.maker.of_words("plain", 3, 8, one_sentence=True)
    assert all(word.isalpha() for text in plain.texts for word in text.split())
    assert [len(text.split()) for text in plain.texts] == [8, 8, 8]


def test_the_check_of_a_gpu_can_be_rehearsed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench.gpu_check", "--rehearse", "--quick", "--json", str(tmp_path / "found.json")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert len(found["checks"]) >= 10
    assert all(check["passed"] for check in found["checks"])
    assert found["goals"] == [], "nothing on the CPU says anything about a goal on a card"
    if importlib.util.find_spec("onnx") is not None:
        assert any(name.endswith("input order, 32 at a time (pieces/s)") for name in found["facts"]), "a peer"


def test_without_a_gpu_there_is_nothing_to_check(tmp_path: Path) -> None:
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1"}
    command = [sys.executable, "-m", "bench.gpu_check", "--json", str(tmp_path / "found.json")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout.startswith("no GPU: ")
    assert "no GPU" in json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))["facts"]
