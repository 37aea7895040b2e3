"""Java's regular expressions: against java.util.regex of Java 17, live and as stored answers."""

from __future__ import annotations

import gzip
import json
import pickle
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("regex")

from albert_fast import InputError, MissingDependencyError, ParameterError, java_regex
from java_regex import cases, compare, oracle
from java_regex.generate import Generator

GOLDEN = Path(__file__).parent / "data" / "java_regex.json.gz"
# What Java takes and we refuse, by design: every one is a difference that cannot be written for `regex`.
REFUSED_BY_US = {
    "(?U)\\w",
    "(?c)a",
    "(?iu)ß",
    "(?i)(a)\\1",
    "(a\\1)",
    "\\1(a)",
    "(?:\\1(a))+",
    "\\X",
    "\\G",
    "\\N{DIGIT ONE}",
    "(?<=a++)b",
    "\\b{g}",
    "\\uD800",
    "\ud800",
    "(?<=(a))b",
    "(?<=(?>a))b",
    "(?<=a*)b",
    "[a-z&&[^b]c]",
    "[a-c&&[b]x]",
    "[&&a]",
    "[a&&]",
    "[a&&&&b]",
    "[a&&^b]",
    "[\\v-x]",
}


def golden_answers() -> dict[str, Any]:
    content = json.loads(gzip.decompress(GOLDEN.read_bytes()))
    assert content["texts"] == cases.TEXTS
    answers: dict[str, Any] = content["answers"]
    return answers


def test_cases_written_by_hand_give_what_java_gives() -> None:
    answers = golden_answers()
    assert list(answers) == cases.PATTERNS
    differences: list[str] = []
    refused = set()
    outcomes: Counter[str] = Counter()
    for pattern, theirs in answers.items():
        outcome, found = compare.check(pattern, cases.TEXTS, theirs)
        outcomes[outcome] += 1
        differences += found
        if outcome == "refused by us":
            refused.add(pattern)
    assert differences == []
    assert refused == REFUSED_BY_US
    assert outcomes["translated"] > 400
    assert outcomes["refused by both"] > 80


@pytest.mark.spark
def test_stored_answers_are_those_of_java() -> None:
    answers = oracle.ask([(pattern, cases.TEXTS) for pattern in cases.PATTERNS])
    assert dict(zip(cases.PATTERNS, answers, strict=True)) == golden_answers()


@pytest.mark.spark
@pytest.mark.parametrize(
    ("seed", "odd", "letters"),
    [(1, 0.25, None), (2, 0.0, "aab"), (3, 0.05, "aabbAB \n\r-")],
    ids=["wide", "ab", "lines"],
)
def test_generated_patterns_give_what_java_gives(seed: int, odd: float, letters: str | None) -> None:
    generator = Generator(seed, odd) if letters is None else Generator(seed, odd, letters)
    pairs = [(generator.pattern(), [generator.text() for _ in range(5)]) for _ in range(2000)]
    outcomes: Counter[str] = Counter()
    differences = []
    for (pattern, texts), theirs in zip(pairs, oracle.ask(pairs), strict=True):
        outcome, found = compare.check(pattern, texts, theirs)
        outcomes[outcome] += 1
        differences += found
    assert differences == []
    assert outcomes["translated"] > 1500
    assert outcomes["refused by us"] < 200


@pytest.mark.parametrize(
    ("pattern", "place", "said"),
    [
        ("ab(c", 2, "not closed"),
        (r"ab\y", 2, "Write y alone"),
        (r"a(?<=b+)", 1, "no longest length"),
        (r"\Qa.\E\y", 6, "does not know"),
        ("a{,3}", 1, "Write {n}"),
        (r"(a)(?i)\1", 7, "back reference under"),
        (r"\p{Foo}", 0, "no property"),
    ],
)
def test_a_refusal_names_the_parameter_the_place_and_a_remedy(pattern: str, place: int, said: str) -> None:
    with pytest.raises(ParameterError) as refused:
        java_regex.compile(pattern, name="split_pattern")
    assert str(refused.value).startswith(f"split_pattern is {pattern!r}: at character {place}, ")
    assert said in str(refused.value)


def test_what_is_no_string_is_refused() -> None:
    with pytest.raises(ParameterError, match="must be a regular expression in a string"):
        java_regex.compile(3, name="split_pattern")  # type: ignore[arg-type]


@pytest.mark.parametrize("pattern", ["(?:(?:a|a)+)+(?:b|c)", "(?:(?:a|a)+)+(?:b|c)|"])
def test_a_search_without_an_end_is_stopped(pattern: str) -> None:
    found = java_regex.compile(pattern, name="p", timeout=0.2)
    with pytest.raises(InputError, match=r"p '.*' searched one text for 0\.2 s"):
        list(found.finditer("a" * 40))


@pytest.mark.parametrize(
    "pattern",
    ["(" * 5000 + "a" + ")" * 5000, "[" * 5000, "a{2000000000}{2000000000}", "(?:a{1000}){1000}", "a{0,99999999}"],
)
def test_patterns_that_would_exhaust_the_machine_are_refused(pattern: str) -> None:
    with pytest.raises(ParameterError, match="p is '"):
        java_regex.compile(pattern, name="p")


def test_a_pattern_can_be_pickled() -> None:
    pattern = java_regex.compile(r"\d+", name="p", timeout=5)
    again = pickle.loads(pickle.dumps(pattern))
    assert [match.span() for match in again.finditer("a12b3")] == [(1, 3), (4, 5)]
    assert (again.pattern, again.name) == (r"\d+", "p")


def test_without_the_regex_package_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "regex", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'albert_fast\[regex\]'"):
        java_regex.compile("never compiled before", name="p")


def test_patterns_of_the_golden_option_cases_are_translated(golden: Path) -> None:
    options = json.loads((golden / "sparknlp" / "options.json").read_text())
    fuzz = json.loads(gzip.decompress((golden / "sparknlp" / "fuzz.json.gz").read_bytes()))["cases"]
    names = (
        "customBounds",
        "exceptions",
        "infixPatterns",
        "prefixPattern",
        "suffixPattern",
        "splitPattern",
        "splitChars",
    )
    found = set()
    for case in options + fuzz:
        for name in names:
            value = case["params"].get(name, [])
            found.update([value] if isinstance(value, str) else value)
    assert len(found) > 50
    for pattern in sorted(found):
        java_regex.compile(pattern, name="p")
