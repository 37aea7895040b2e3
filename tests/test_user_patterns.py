"""Tokenizer rules and custom bounds with patterns of the user, against outputs of Spark NLP 5.5.3."""

from __future__ import annotations

import gzip
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("regex")

from albert_fast import ParameterError, _core, java_regex
from albert_fast.annotators.sentence_bounds import find_breaks
from albert_fast.annotators.token_rules import TokenRules

DATA = Path(__file__).parent / "data" / "user_patterns.json.gz"


def short(case: dict[str, Any]) -> dict[str, Any]:
    """A golden case with its rows as `[begin, end, result]`."""
    rows = [(row[1:4] if len(row) == 5 else row[:3]) for group in case["rows"] for row in group]
    return {"text": case["text"], "stage": case["stage"], "params": case["params"], "rows": rows}


def is_wanted(case: dict[str, Any]) -> bool:
    """All cases of the tokenizer, and those of the sentence detector in which custom bounds alone cut."""
    params = case["params"]
    if case["stage"] == "sentence":
        only = params.get("useCustomBoundsOnly") and params.get("customBounds")
        return bool(only) and "splitLength" not in params
    return bool(case["stage"] == "token")


def copied(stage: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads(gzip.decompress(DATA.read_bytes()))
    return [case for case in cases if case["stage"] == stage]


def snake(name: str) -> str:
    return re.sub("[A-Z]", lambda found: "_" + found[0].lower(), name)


def utf16_offsets(text: str) -> list[int]:
    offsets = [0]
    for character in text:
        offsets.append(offsets[-1] + (2 if character > "\uffff" else 1))
    return offsets


def test_copied_cases_are_those_of_the_golden_folder(golden: Path) -> None:
    options = json.loads((golden / "sparknlp" / "options.json").read_text())
    fuzz = json.loads(gzip.decompress((golden / "sparknlp" / "fuzz.json.gz").read_bytes()))["cases"]
    assert [short(case) for case in options + fuzz if is_wanted(case)] == json.loads(gzip.decompress(DATA.read_bytes()))


def test_tokens_are_those_of_spark_nlp() -> None:
    cases = copied("token")
    assert len(cases) == 443
    compared = drifted = 0
    for case in cases:
        text, rows = case["text"], case["rows"]
        spans = TokenRules(**{snake(name): value for name, value in case["params"].items()}).split(text)
        assert [text[b:e] for b, e in spans] == [row[2] for row in rows], case
        assert spans == sorted(spans)
        units, at = text.encode("utf-16-le"), utf16_offsets(text)
        for (begin, end), (first, last, result) in zip(spans, rows, strict=True):
            if units[2 * first : 2 * last + 2] != result.encode("utf-16-le"):
                drifted += 1  # Spark NLP's own offsets do not point at its result
                continue
            assert (at[begin], at[end] - 1) == (first, last), case
            compared += 1
    assert compared > 3000
    assert drifted < 30


def test_without_patterns_the_rules_are_the_word_splitter() -> None:
    rules = TokenRules()
    generator = random.Random(5)
    for _ in range(3000):
        text = "".join(generator.choices("ab.,!?-\"' \t\n()*é中😀\u2187\u2188\u00a0#", k=generator.randrange(25)))
        assert rules.split(text) == _core.split_words(text), text


def test_groups_that_stand_apart_or_inside_each_other_are_found_where_they_are() -> None:
    rules = TokenRules(infix_patterns=[r"(\w)=((\w)\w*)", r"(\w+)(x)?"])
    assert rules.split("a=bcd ef") == [(0, 1), (2, 5), (2, 3), (6, 8)]


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"prefix_pattern": "([(]*)"}, r"prefix_pattern is .* begin with \\A"),
        ({"suffix_pattern": "([)]*)"}, r"suffix_pattern is .* end with \\z"),
        ({"infix_patterns": ["[a-z]+"]}, r"infix_patterns is .* hold a group"),
        ({"infix_patterns": []}, "infix_patterns is empty"),
        ({"infix_patterns": ["(?=(a))|(b)"]}, "its group 2 is inside a lookaround"),
        ({"context_chars": ["ab"]}, "context_chars is 'ab'; it must be single characters"),
        ({"context_chars": []}, "context_chars is empty"),
        ({"split_chars": ["--"]}, "split_chars is '--'"),
        ({"split_chars": ["("]}, "split_chars is '\\('"),
        ({"split_pattern": "["}, r"split_pattern is '\['"),
        ({"exceptions": ["a", "b)"]}, r"exceptions is 'a\|b\)'"),
        ({"exceptions": "abc"}, "exceptions is 'abc'; it must be a list"),
        ({"exceptions": ["a", 3]}, "exceptions holds 3"),
        ({"target_pattern": "z-a"}, "target_pattern is .* runs backwards"),
    ],
)
def test_patterns_that_spark_nlp_refuses_are_refused(params: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        TokenRules(**params)


def bounds(*patterns: str) -> list[java_regex.JavaPattern]:
    return [java_regex.compile(pattern, name="custom_bounds") for pattern in patterns]


def pieces(text: str, params: dict[str, Any]) -> list[list[Any]]:
    """What custom bounds alone leave of a text, trimmed and filtered as Spark NLP does."""
    strategy = params.get("customBoundsStrategy", "none")
    at = utf16_offsets(text)
    found, begin = [], 0
    for end, removed in [*find_breaks(text, bounds(*params["customBounds"]), strategy), (len(text), 0)]:
        b, e = begin, end
        while b < e and text[b] <= " ":
            b += 1
        while b < e and text[e - 1] <= " ":
            e -= 1
        if b < e and params.get("minLength", 0) <= at[e] - at[b] <= params.get("maxLength", len(text) * 2):
            found.append([at[b], at[e] - 1, text[b:e]])
        begin = end + removed
    return found


def test_custom_bounds_cut_where_spark_nlp_cuts() -> None:
    cases = copied("sentence")
    assert len(cases) == 34
    for case in cases:
        assert pieces(case["text"], case["params"]) == case["rows"], case


def rewritten(text: str, patterns: list[java_regex.JavaPattern], strategy: str) -> str:
    """Spark NLP's way: the text itself with marks in it."""
    for pattern in patterns:
        parts, done = [], 0
        for match in pattern.finditer(text):
            begin, end = match.span()
            before, after = {"none": ("", ""), "prepend": ("", text[begin:end]), "append": (text[begin:end], "")}[
                strategy
            ]
            parts += text[done:begin], before, "\uf050", after
            done = end
        text = "".join((*parts, text[done:]))
    return text


@pytest.mark.parametrize("strategy", ["none", "prepend", "append"])
def test_later_bounds_see_the_breaks_of_earlier_ones(strategy: str) -> None:
    generator = random.Random(7)
    pool = ["a", "b+", "(?=b)", "[^a]", "ab?", "\\W", "c|", "(?<=a)", "..", "\\b", "$", "\uf050a"]
    for _ in range(2000):
        text = "".join(generator.choices("abc é😀\n", k=generator.randrange(12)))
        patterns = bounds(*generator.sample(pool, generator.randrange(4)))
        breaks = find_breaks(text, patterns, strategy)
        assert breaks == sorted(breaks, key=lambda item: item[0])
        kept, begin = [], 0
        for end, removed in [*breaks, (len(text), 0)]:
            assert begin <= end
            kept.append(text[begin:end])
            begin = end + removed
        assert "\uf050".join(kept) == rewritten(text, patterns, strategy)


def test_marks_of_the_document_are_no_breaks() -> None:
    text = "a\uf050b;c\uf057;d"
    assert find_breaks(text, bounds(";", "\uf050|\uf057"), "none") == [(3, 1), (6, 1)]
    assert find_breaks(text, bounds("\\p{Co}"), "append") == [(2, 0), (6, 0)]


def test_an_unknown_strategy_is_refused() -> None:
    with pytest.raises(ParameterError, match="none, prepend, append"):
        find_breaks("a", [], "both")
