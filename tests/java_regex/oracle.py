"""Java's answers about regular expressions (`RegexOracle.java`), in offsets of characters."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).with_name("RegexOracle.java")
# Per text [matches, parts]: a match is the spans of all groups, one after the other. None where Java itself failed (no
# stack left, a null pointer), or where a match begins or ends inside a character. For a pattern that Java refuses: its
# message.
Answer = str | list[Any]


def java() -> str:
    found = shutil.which("java")
    if found is None:
        pytest.skip("skipped: no Java")
    return found


def _hexadecimal(text: str) -> str:
    return text.encode("utf-16-be", "surrogatepass").hex()


def _characters(text: str) -> dict[int, int]:
    """Offsets in UTF-16 units to offsets in characters."""
    at, offsets = 0, {-1: -1}
    for number, character in enumerate(text):
        offsets[at] = number
        at += 2 if character > "\uffff" else 1
    offsets[at] = len(text)
    return offsets


def _spans(field: str, offsets: dict[int, int]) -> list[list[int]]:
    return [[offsets[int(number)] for number in item.split(",")] for item in field.split(";")] if field else []


def _of_text(text: str, field: str) -> list[Any] | None:
    matches, _, parts = field.partition("/")
    offsets = _characters(text)
    try:
        return None if field == "?" else [_spans(matches, offsets), _spans(parts, offsets)]
    except KeyError:
        return None


def ask(cases: list[tuple[str, list[str]]]) -> list[Answer]:
    """What Java answers to patterns, each with its texts."""
    lines = ["\t".join(map(_hexadecimal, [pattern, *texts])) for pattern, texts in cases]
    run = subprocess.run(
        [java(), str(SOURCE)], input="\n".join(lines) + "\n", capture_output=True, text=True, check=True
    )
    answers: list[Answer] = []
    for (_, texts), line in zip(cases, run.stdout.splitlines(), strict=True):
        if line.startswith("!"):
            answers.append(line[1:])
        else:
            answers.append([_of_text(text, field) for text, field in zip(texts, line.split("\t"), strict=True)])
    return answers
