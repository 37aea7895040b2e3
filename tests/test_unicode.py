"""Lower case, ALBERT's preprocessing and the Unicode tables behind them equal Python's own, for every character."""

from __future__ import annotations

import importlib.util
import random
import sys
import time
import unicodedata
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from albert_fast import _core

GENERATOR = Path(__file__).parents[1] / "third_party" / "unicode" / "generate.py"


def version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def preprocess(text: str, keep_accents: bool, lower: bool, remove_space: bool) -> str:
    """What Hugging Face's slow AlbertTokenizer calls preprocess_text."""
    if remove_space:
        text = " ".join(text.strip().split())
    text = text.replace("``", '"').replace("''", '"')
    if not keep_accents:
        text = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in text if not unicodedata.combining(c))
    return text.lower() if lower else text


def facts(c: str) -> tuple[bool, bool, bool, bool]:
    category = unicodedata.category(c)
    return c.isdigit(), c.isspace(), category[0] == "L" or category == "Nd", category == "Mn"


def is_left_alone(c: str) -> bool:
    """True if the core knows nothing about a character, as it has to be for one of a newer Unicode."""
    return not any(_core.unicode_facts(ord(c))) and _core.to_lower(c) == c == _core.albert_preprocess(c)[0]


def is_plain(c: str) -> bool:
    return not any(facts(c)) and preprocess(c, False, True, True) == c


OURS, PYTHONS = version(_core.UNICODE_VERSION), version(unicodedata.unidata_version)

# U+1734 ceased to be a nonspacing mark with Unicode 14, the version of Python 3.11.
RECLASSIFIED = {0x1734} if PYTHONS < (14,) else set()
CODE_POINTS = [chr(c) for c in range(sys.maxunicode + 1) if not (0xD800 <= c < 0xE000 or c in RECLASSIFIED)]
CHARACTERS = [c for c in CODE_POINTS if unicodedata.category(c) != "Cn"]
if PYTHONS > OURS:
    CHARACTERS = [c for c in CHARACTERS if is_plain(c) or not is_left_alone(c)]


Tagged = tuple[str, int, int]  # a character and the range of the original it stands for


def join_blanks(tagged: list[Tagged]) -> list[Tagged]:
    joined: list[Tagged] = []
    for c, begin, end in tagged:
        if not c.isspace():
            joined.append((c, begin, end))
        elif joined and joined[-1][0] == " ":
            joined[-1] = (" ", joined[-1][1], end)
        elif joined:
            joined.append((" ", begin, end))
    if joined and joined[-1][0] == " ":
        joined.pop()
    return joined


def join_quotes(tagged: list[Tagged]) -> list[Tagged]:
    joined: list[Tagged] = []
    open_quote = ""  # the last one if it may still find its partner
    for c, begin, end in tagged:
        if c in "`'" and open_quote == c:
            joined[-1] = ('"', joined[-1][1], end)
            open_quote = ""
        else:
            joined.append((c, begin, end))
            open_quote = c if c in "`'" else ""
    return joined


def spans(text: str, keep_accents: bool, lower: bool, remove_space: bool) -> list[tuple[int, int]]:
    """For every character of the preprocessed text the range of the original, one step after the other."""
    tagged = [(c, i, i + 1) for i, c in enumerate(text)]
    if remove_space:
        tagged = join_blanks(tagged)
    tagged = join_quotes(tagged)
    if not keep_accents:
        tagged = [
            (d, begin, end)
            for c, begin, end in tagged
            for d in unicodedata.normalize("NFKD", c)
            if not unicodedata.combining(d)
        ]
    return [(begin, end) for c, begin, end in tagged for _ in range(len(c.lower()) if lower else 1)]


OPTIONS = [
    {"keep_accents": keep_accents, "lower": lower, "remove_space": remove_space}
    for keep_accents, lower, remove_space in product((False, True), repeat=3)
]

ALPHABET = [
    *"abcXYZ 19 '`\"\t\n.,-",
    *"ΣσςΑα\u0345\u0301\u0327\u0307:·\u00ad\u200d\u2019",  # sigma, its neighbours, what is ignored between them
    *"éÉñÅǅİıſẞßﬁ½²ＡＢ\u00a0\u0085\u2028\u3000\u180e\u200b각한ﷺЖжⅣ㎏🅰𝔘𐐀😀中\u0915\u093c\u0344",
]


def random_texts(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    anything = rng.choices(CHARACTERS, k=1000)
    return [
        "".join(rng.choice(anything) if rng.random() < 0.1 else rng.choice(ALPHABET) for _ in range(rng.randrange(24)))
        for _ in range(count)
    ]


def test_the_core_knows_the_characters() -> None:
    assert sum(any(_core.unicode_facts(ord(c))) for c in CHARACTERS) > 130_000


def test_lower_case_of_every_character() -> None:
    assert [c for c in CHARACTERS if _core.to_lower(c) != c.lower()] == []


@pytest.mark.parametrize("pattern", ["{}Σ", "A{}Σ", "AΣ{}", "AΣ{}b"])
def test_sigma_beside_every_character(pattern: str) -> None:
    if PYTHONS > OURS:
        pytest.skip(f"skipped: Python knows Unicode {PYTHONS}, the tables {OURS}")
    texts = [pattern.format(c) for c in CHARACTERS]
    assert [text for text in texts if _core.to_lower(text) != text.lower()] == []


def test_lower_case_of_random_texts() -> None:
    texts = random_texts(20_000, seed=1)
    assert [_core.to_lower(text) for text in texts] == [text.lower() for text in texts]


def test_facts_of_every_character() -> None:
    assert [c for c in CHARACTERS if _core.unicode_facts(ord(c)) != facts(c)] == []


@pytest.mark.parametrize("options", [OPTIONS[2], OPTIONS[3], OPTIONS[7]], ids=str)
def test_preprocessing_of_every_character(options: dict[str, bool]) -> None:
    wrong = [c for c in CHARACTERS if _core.albert_preprocess(c, **options)[0] != preprocess(c, **options)]
    assert wrong == []


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_preprocessing_of_random_texts(options: dict[str, bool]) -> None:
    for text in random_texts(5_000, seed=2):
        want = (preprocess(text, **options), spans(text, **options))
        assert len(want[0]) == len(want[1]), f"the test's own ranges are wrong for {text!a}"
        assert _core.albert_preprocess(text, **options) == want, f"{text!a}"


def test_preprocessing_of_all_characters_in_one_text() -> None:
    text = "".join(CHARACTERS)
    got, got_spans = _core.albert_preprocess(text)
    assert got == preprocess(text, False, True, True)
    assert got_spans == spans(text, False, True, True)


def test_code_points_without_a_character_stay() -> None:
    if PYTHONS != OURS:
        pytest.skip(f"skipped: Python knows Unicode {PYTHONS}, the tables {OURS}")
    text = "".join(c for c in CODE_POINTS if unicodedata.category(c) == "Cn")
    assert _core.to_lower(text) == text == _core.albert_preprocess(text)[0]
    assert not any(any(_core.unicode_facts(ord(c))) for c in text)


@pytest.mark.parametrize("unit", ["ΑΣ", "'", "Σ'", "  ", "\u3000a", "é", "e\u0301", "\u0301", "각", "''a"])
@pytest.mark.parametrize("function", [_core.to_lower, _core.albert_preprocess], ids=["lower", "preprocess"])
def test_time_is_linear(function: Callable[[str], object], unit: str) -> None:
    def best_time(count: int) -> float:
        text = unit * count
        times = []
        for _ in range(5):
            start = time.perf_counter()
            function(text)
            times.append(time.perf_counter() - start)
        return min(times)

    # 16 times the text: a quadratic step would take 256 times as long.
    assert best_time(160_000) < 80 * best_time(10_000) + 1e-3


def test_tables_are_what_the_generator_writes() -> None:
    if PYTHONS != OURS or not GENERATOR.exists():
        pytest.skip(f"skipped: Python knows Unicode {PYTHONS}, the tables {OURS}")
    spec = importlib.util.spec_from_file_location("generate", GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert generate.render() == GENERATOR.with_name("tables.h").read_text(encoding="ascii")
