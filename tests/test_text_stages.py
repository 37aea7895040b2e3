"""Sentences and words: against Spark NLP 5.5.3's own output, and against the twin in `reference_text.py`."""

from __future__ import annotations

import gzip
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import reference_text
from albert_fast import _core

Spans = list[tuple[int, int]]

DATA = Path(__file__).parent / "data" / "text_stages.json.gz"
# Texts with the private characters of Spark NLP's own rewriting, which it mistakes for its marks (and row 399, where it
# loses a backslash): there its results are no slices of the text.
NOT_SLICES = {399, *range(488, 493)}


def copied_rows() -> list[dict[str, Any]]:
    """Texts written for the project with the `[begin, end, result, sentence]` that Spark NLP gave for each."""
    rows: list[dict[str, Any]] = json.loads(gzip.decompress(DATA.read_bytes()))["texts"]
    return rows


def utf16_offsets(text: str) -> list[int]:
    offsets = [0]
    for character in text:
        offsets.append(offsets[-1] + (2 if character > "\uffff" else 1))
    return offsets


def as_annotations(text: str, spans: Spans, sentences: list[int]) -> list[list[Any]]:
    """As in the golden files: inclusive UTF-16 offsets, the slice, the sentence's number."""
    at = utf16_offsets(text)
    return [[at[b], at[e] - 1, text[b:e], str(s)] for (b, e), s in zip(spans, sentences, strict=True)]


def words_of(text: str, sentences: Spans) -> tuple[Spans, list[int]]:
    spans: Spans = []
    numbers = []
    for number, (begin, end) in enumerate(sentences):
        for b, e in _core.split_words(text[begin:end]):
            spans.append((begin + b, begin + e))
            numbers.append(number)
    return spans, numbers


def check_row(row: dict[str, Any]) -> None:
    text = row["text"]
    sentences = _core.detect_sentences(text)
    words = _core.split_words(text)
    assert as_annotations(text, sentences, list(range(len(sentences)))) == row["sentence"]
    assert as_annotations(text, *words_of(text, sentences)) == row["token"]
    assert as_annotations(text, words, [0] * len(words)) == row["token_document"]


def test_every_text_gives_the_sentences_and_words_of_spark_nlp() -> None:
    rows = copied_rows()
    assert len(rows) == 4494
    for row in rows:
        check_row(row)


def test_copied_values_are_those_of_the_golden_folder(golden: Path) -> None:
    stages = json.loads((golden / "sparknlp" / "text_stages.json").read_text())["rows"]
    fuzz = json.loads(gzip.decompress((golden / "sparknlp" / "fuzz.json.gz").read_bytes()))["texts"]
    columns = ("sentence", "token", "token_document")

    def short(annotation: list[Any]) -> list[Any]:
        _, begin, end, result, metadata = annotation
        return [begin, end, result, metadata["sentence"]]

    rows = [
        {"text": row["text"]} | {column: [short(a) for a in row[column]] for column in columns}
        for number, row in enumerate(stages)
        if number not in NOT_SLICES
    ]
    rows += [{key: row[key] for key in ("text", *columns)} for row in fuzz]
    assert rows == copied_rows()


@pytest.mark.parametrize("character", reference_text.RECOVERED)
def test_a_private_character_of_spark_nlp_is_a_character_like_any_other(character: str) -> None:
    text = f'One {character} two. A{character}B. "q{character}" 5{character}5. {character}End! {character}'
    plain = text.replace(character, "\uf8ff")
    assert _core.detect_sentences(text) == _core.detect_sentences(plain)
    assert _core.split_words(text) == _core.split_words(plain)


FRAGMENTS = (
    "A a b I Mr. mr. Dr. dr st. St. Prof. no. No. p. px. vs. e.g. eag. E.G. i.e. i e. u.s. U.S. U.S.A. u-s. a.m. P.M. "
    "p.m.. exa.m. Co. KG Inc. inc. Ph.D. J. Sept. ver. mt. Mt. (a) (bc) a) iv) 1. 12. 123. -1. -12. 1.) -1.) s-1.) "
    "-1x) 3.14 .5 1.5. 5.) 10:30 ... .... ..... . .. ! ? !! ?! !? $ ; , : - -- | ' '' \" \"\" ( ) [ ] (( )) \\ * _ ' "
    "'s's 'S 's$ 'a' 'a b.' \"So?\" \"a.b\" (a.b) [a.b] (ok.) ° N° N°. m°.5 5°. I'm I'll I've Government The next "
    "word don't x_y b2b é e\u0301 é.a 東京 мир 😀 👩\u200d🚀 𝐀 𝐀\u0301 ↇ ↈ \u00a0 \u2003 \u200b \x85 \u2028 \u2029 "
    "\x00 \x1c \x07 \u0301 \ud7ff"
).split(" ")
BLANKS = [" ", " ", " ", "  ", "\n", "\t", "\r\n", "\x0b", "\f", "", "", "", "\u00a0"]
SIGNS = list(".....!?;;''\"\"()[]$-,:|\\aabpmeguscoIAKG15_ \t\n\n   °é\u0301\x85😀𝐀東")


def generated_texts(count: int, seed: int) -> Iterator[str]:
    rng = random.Random(seed)
    for number in range(count):
        size = int(rng.expovariate(1 / 12)) + 1
        if number % 3:
            yield "".join(rng.choice(FRAGMENTS) + rng.choice(BLANKS) for _ in range(size))
        else:
            yield "".join(rng.choice(SIGNS) for _ in range(2 * size))


def test_generated_texts_agree_with_the_twin() -> None:
    for text in generated_texts(20_000, seed=5):
        assert _core.detect_sentences(text) == reference_text.detect_sentences(text), ascii(text)
        assert _core.split_words(text) == reference_text.split_words(text), ascii(text)


@pytest.mark.parametrize("text", ["", " ", "\n\t \x00", "\u2187", " \u2187\r\n"])
def test_a_blank_text_has_no_words(text: str) -> None:
    assert _core.detect_sentences(text.replace("\u2187", "")) == []
    assert [text[b:e] for b, e in _core.split_words(text)] == [c for c in text if c == "\x00"]


def test_a_word_beyond_the_default_maximum_length_is_left_out() -> None:
    """The limit is 99,999 UTF-16 units (Python's Tokenizer sets it), so half as many emoji."""
    assert _core.split_words("a" * 99_999 + " " + "b" * 100_000) == [(0, 99_999)]
    assert _core.split_words("😀" * 49_999 + " " + "😀" * 50_000) == [(0, 49_999)]


ROADS: list[Callable[[str], Spans]] = [_core.detect_sentences, _core.split_words]
UNITS = [
    "a", "a. ", "'a ", "' ", '"', '"a ', "(", "(a ", "[a.", "...", "... ", ".'s ", "! ", "?", ";", "1. ", " 1.) ",
    "a.b", "a.m.", "no. ", "no.", " ", "°. ", "m°.", "\u0301", "e\u0301.", "\u2187", "😀", "'a' ", "'a'-", "s-1.)",
    "mr.", "I'm ",
]  # fmt: skip


def seconds(road: Callable[[str], Spans], text: str) -> float:
    """Processor time, so that other programs on the machine do not count."""
    times = []
    for _ in range(3):
        start = time.process_time()
        road(text)
        times.append(time.process_time() - start)
    return statistics.median(times)


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("unit", UNITS)
def test_time_grows_with_the_length_of_the_text_and_no_faster(road: Callable[[str], Spans], unit: str) -> None:
    # Without a dot somewhere, most rules would not even look at the text.
    small, large = ("Go! (Now.) " + unit * (count // len(unit)) for count in (20_000, 160_000))
    ratio = min(seconds(road, large) / seconds(road, small) for _ in range(2))
    assert ratio < 24  # a quadratic rule would give 64
