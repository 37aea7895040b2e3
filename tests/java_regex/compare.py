"""Our answers in the form of the oracle's, and what counts as a difference."""

from __future__ import annotations

from typing import Any

from albert_fast import java_regex
from albert_fast.errors import InputError, ParameterError
from java_regex.oracle import Answer


def answer(pattern: java_regex.JavaPattern, text: str) -> list[Any]:
    matches = [
        [place for g in range(pattern.groups + 1) for place in match.span(g)] for match in pattern.finditer(text)
    ]
    return [matches, [list(part) for part in pattern.split(text)]]


def looks_behind(pattern: str) -> bool:
    """Whether it looks at what comes before in a way in which Java sees halves of characters."""
    return "(?<=" in pattern or "(?<!" in pattern


def difference(pattern: str, text: str, theirs: Any, ours: java_regex.JavaPattern) -> str:
    """Say how the answers about a text differ; "" if they do not, or if Java cut a character in two."""
    astral = any(character > "\uffff" for character in text)
    if theirs is None or (astral and looks_behind(pattern)):
        return ""
    try:
        found = answer(ours, text)
    except InputError:
        return ""
    hidden = {place for group in ours.hidden_groups for place in (2 * group, 2 * group + 1)}

    def shown(matches: list[list[int]]) -> list[list[int]]:
        return [[place for i, place in enumerate(match) if i not in hidden] for match in matches]

    same = shown(found[0]) == shown(theirs[0]) and found[1] == theirs[1]
    return "" if same else f"{pattern!r} {text!r}: Java {theirs}, ours {found}"


def check(pattern: str, texts: list[str], theirs: Answer) -> tuple[str, list[str]]:
    """Return "translated", "refused by both" or "refused by us", and the differences."""
    try:
        ours = java_regex.compile(pattern, name="customBounds", timeout=2)
    except ParameterError:
        return ("refused by both" if isinstance(theirs, str) else "refused by us"), []
    if isinstance(theirs, str):
        return "translated", [f"{pattern!r}: Java refuses it: {theirs}"]
    found = (difference(pattern, text, theirs[i], ours) for i, text in enumerate(texts))
    return "translated", [line for line in found if line]
