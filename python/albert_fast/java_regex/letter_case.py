"""Which characters Java takes for the same under (?i) and (?iu)."""

from __future__ import annotations

import functools
import sys

from .pieces import Chars, span

# Set members below U+0100 that Java nevertheless compares by folding both sides, since a character above is their case.
_FOLDED_IN_SETS = frozenset(b"\xff\xb5IiSsKk\xc5\xe5")


def _upper(character: str) -> str:
    """Java's simple mapping: one character to one character."""
    upper = character.upper()
    if len(upper) == 1:
        return upper
    title = character.title()
    return title if len(title) == 1 else character


def _lower(character: str) -> str:
    return character.lower()[0]


@functools.lru_cache(maxsize=1)
def _cased() -> tuple[dict[int, int], dict[int, int], dict[int, tuple[int, ...]]]:
    """Upper case and folded form of each character that has another, and the characters behind a folded form."""
    upper: dict[int, int] = {}
    folded: dict[int, int] = {}
    members: dict[int, list[int]] = {}
    for code_point in range(sys.maxunicode + 1):
        character = chr(code_point)
        up = _upper(character)
        fold = _lower(up)
        if up != character or fold != character:
            upper[code_point] = ord(up)
            folded[code_point] = ord(fold)
            members.setdefault(ord(fold), []).append(code_point)
    return upper, folded, {fold: tuple(found) for fold, found in members.items()}


def _is_ascii_letter(code_point: int) -> bool:
    return code_point < 0x80 and chr(code_point).isalpha()


def _all(code_points: set[int]) -> Chars:
    return Chars("".join(span(c, c).items for c in sorted(code_points)))


def same_letter(code_point: int, *, unicode: bool, in_set: bool) -> Chars:
    """Return what a single character of a pattern matches under (?i), or (?iu) with `unicode`."""
    found = {code_point}
    if not unicode or (in_set and code_point < 0x100 and code_point not in _FOLDED_IN_SETS):
        if _is_ascii_letter(code_point):
            found.add(code_point ^ 0x20)
        elif unicode:
            found.update(ord(mapped) for mapped in (_upper(chr(code_point)), _lower(chr(code_point))))
        return _all(found)
    _, folded, members = _cased()
    fold = folded.get(code_point, code_point)
    return _all(found | {fold} | set(members.get(fold, ())))


def letters_between(first: int, last: int, *, unicode: bool) -> Chars:
    """Return what a range of a set matches under (?i), or (?iu) with `unicode`."""
    found = span(first, last)
    if not unicode:
        letters = {c ^ 0x20 for c in range(first, min(last, 0x7F) + 1) if _is_ascii_letter(c)}
        return found | _all(letters) if letters else found
    upper, folded, _ = _cased()
    more = {c for c, up in upper.items() if first <= up <= last or first <= folded[c] <= last}
    outside = {c for c in more if not first <= c <= last}
    return found | _all(outside) if outside else found


def depends_on_neighbours(code_point: int) -> bool:
    """Whether Java's (?iu) treats this character in a row of literals otherwise than alone, as it does with sharp s."""
    _, folded, members = _cased()
    return code_point in members and code_point not in folded and _upper(chr(code_point)) == chr(code_point)
