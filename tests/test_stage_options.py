"""DocumentAssembler, SentenceDetector, Tokenizer: every parameter, against what Spark NLP 5.5.3 made of 860 cases."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from albert_fast import DocumentAssembler, Pipeline, SentenceDetector, Tokenizer
from albert_fast.columns import AnnotationColumn

DATA = Path(__file__).parent / "data" / "option_cases.json.gz"
CASES: list[dict[str, Any]] = json.loads(gzip.decompress(DATA.read_bytes()))["cases"]


def stages_of(case: dict[str, Any], offsets: str) -> list[Any]:
    assembler = DocumentAssembler(input_col="text", offsets=offsets)
    if case["stage"] == "document":
        stages: list[Any] = [assembler]
    elif case["stage"] == "sentence":
        stages = [assembler, SentenceDetector(input_cols=["document"], output_col="out")]
    else:
        stages = [assembler, Tokenizer(input_cols=["document"], output_col="out")]
    for name, value in case["params"].items():
        setter = getattr(stages[-1], "set" + name[0].upper() + name[1:])
        assert setter(value) is stages[-1]
    return stages


def column_of(case: dict[str, Any], offsets: str) -> AnnotationColumn:
    frame = Pipeline(stages=stages_of(case, offsets)).fit().transform([case["text"]])
    return frame.annotations("document" if case["stage"] == "document" else "out")


def slice_utf16(text: str, begin: int, end: int) -> str:
    return text.encode("utf-16-le")[2 * max(begin, 0) : 2 * end + 2].decode("utf-16-le", "replace")


def described(column: AnnotationColumn) -> list[list[list[Any]]]:
    return [[[a.begin, a.end, a.result, a.metadata["sentence"]] for a in row] for row in column]


def has_drifted(text: str, row: list[list[Any]]) -> bool:
    """Whether the real system's offsets in a row do not point at its own results."""
    return any(slice_utf16(text, begin, end) != result for begin, end, result, _ in row)


@pytest.mark.parametrize("number", range(len(CASES)))
def test_case(number: int) -> None:
    case = CASES[number]
    mine = described(column_of(case, "utf16"))
    theirs = case["rows"]
    text = case["text"]
    results = [[[result, sentence] for _, _, result, sentence in row] for row in mine]
    assert results == [[[result, sentence] for _, _, result, sentence in row] for row in theirs]
    if case["stage"] == "document":
        assert mine == theirs
        return
    for my_row, their_row in zip(mine, theirs, strict=True):
        assert all(slice_utf16(text, begin, end) == result for begin, end, result, _ in my_row)
        if not has_drifted(text, their_row):
            assert my_row == their_row
    for row in described(column_of(case, "codepoints")):
        for begin, end, result, _ in row:
            assert text[begin : end + 1] == result


def test_the_cases_cover_every_parameter() -> None:
    seen = {(case["stage"], name) for case in CASES for name in case["params"]}
    assert len(CASES) == 860
    compared = [case for case in CASES if not any(has_drifted(case["text"], row) for row in case["rows"])]
    assert len(compared) > 600
    assert len({name for stage, name in seen if stage == "sentence"}) == 9
    assert len({name for stage, name in seen if stage == "token"}) == 11
    assert {case["params"]["cleanupMode"] for case in CASES if case["stage"] == "document"} == {
        "disabled", "inplace", "inplace_full", "shrink", "shrink_full", "each", "each_full", "delete_full",
    }  # fmt: skip


def test_the_copied_cases_are_those_of_the_golden_folder(golden: Path) -> None:
    options = json.loads((golden / "sparknlp/options.json").read_text())
    fuzz = json.loads(gzip.decompress((golden / "sparknlp/fuzz.json.gz").read_bytes()))["cases"]
    short = [
        case | {"rows": [[[b, e, result, meta["sentence"]] for _, b, e, result, meta in row] for row in case["rows"]]}
        for case in options
    ]
    assert short + fuzz == CASES
