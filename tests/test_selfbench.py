"""`albert-fast bench`: the figures of this installation, for people and as JSON."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from albert_fast import AlbertEmbeddings, __version__, cli, selfbench


def test_figures_as_json(capsys: pytest.CaptureFixture[str], tiny_folder: Path) -> None:
    assert cli.main(["bench", str(tiny_folder), "--seconds", "0.05", "--threads", "1", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert set(figures) == set(selfbench.SelfBench.__dataclass_fields__)
    assert (figures["dimension"], figures["threads"], figures["version"]) == (32, 1, __version__)
    assert figures["sentences"] > 10
    assert figures["pieces"] > figures["sentences"]
    assert 0 < figures["short_text_p50"] <= figures["short_text_p99"]
    per_sentence = figures["pieces_per_second"] / figures["sentences_per_second"]
    assert math.isclose(per_sentence, figures["pieces"] / figures["sentences"])


def test_figures_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bench", "--seconds", "0.05"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("model           albert_tiny_en, 160 dimensions")
    assert "pieces/s" in shown
    assert "p99" in shown


def test_the_work_is_what_is_counted(tiny: AlbertEmbeddings) -> None:
    result = selfbench.measure("tiny", lambda: tiny, seconds=0.02)
    again = selfbench.measure("tiny", lambda: tiny, seconds=0.02)
    assert (result.pieces, result.sentences) == (again.pieces, again.sentences), "the texts are pinned"
    assert len(selfbench.SHORT_TEXT.split()) == 8
    assert len(tiny.embed(selfbench.SHORT_TEXT).words) == 8


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf"])
def test_a_time_that_is_none(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bench", f"--seconds={seconds}"]) == 2
    assert "--seconds" in capsys.readouterr().err
