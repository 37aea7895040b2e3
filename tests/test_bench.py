"""`python -m bench`: a smoke run of every scenario with the peers that are here, its document, and its refusals."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent

if not (ROOT / "bench").is_dir():
    pytest.skip("skipped: no bench folder (a source distribution has none)", allow_module_level=True)
sys.path.insert(0, str(ROOT))

from bench import checks  # noqa: E402
from bench.errors import Refused  # noqa: E402
from bench.goals import GOALS  # noqa: E402
from bench.report import validate  # noqa: E402
from bench.scenarios import SCENARIOS  # noqa: E402


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("bench")
    peers = ("sentencepiece", "onnxruntime", "matrix products")
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
    for name in ("albert_fast", "sentencepiece", "onnxruntime"):
        assert states[name]["state"] == "checked"
        assert states[name]["checks"]
    assert states["albert_fast int8"]["state"] != "checked"
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
