r"""Java's character classes: ``[a-z]``, unions ``[a[bc]]``, intersections ``[a-z&&[^b]]``, with all their corners."""

from __future__ import annotations

from .cursor import Cursor
from .escapes import read_escape
from .letter_case import depends_on_neighbours, letters_between, same_letter
from .pieces import Chars, span

_OPERANDS = "Write both sides of && as sets of their own: [[a-z]&&[^aeiou]]."


def single(cursor: Cursor, code_point: int, *, in_set: bool) -> Chars:
    """Return what one character of the pattern matches under the flags of the place."""
    flags = cursor.flags
    if not flags.any_case:
        return span(code_point, code_point)
    if flags.unicode_case and not in_set and depends_on_neighbours(code_point):
        cursor.refuse(
            f"Java's (?iu) reads {chr(code_point)} by what stands beside it",
            f"Write [{chr(code_point)}], with the other letters that it shall match.",
        )
    return same_letter(code_point, unicode=flags.unicode_case, in_set=in_set)


def _between(cursor: Cursor, first: int, last: int) -> Chars:
    if not cursor.flags.any_case:
        return span(first, last)
    return letters_between(first, last, unicode=cursor.flags.unicode_case)


def _member(cursor: Cursor, *, range_end: bool = False) -> int | Chars:
    begin = cursor.at
    character = cursor.read()
    if not character:
        cursor.refuse("[ is not closed", "Close it with ], or write \\[ for a bracket.", at=begin)
    if character != "\\":
        return ord(character)
    member = read_escape(cursor, range_end=range_end)
    if isinstance(member, str):
        cursor.refuse(f"\\{member} has no meaning in a set", "Write the character itself.", at=begin)
    return member


def _item(cursor: Cursor) -> Chars:
    """Read one character, range or predefined class."""
    begin = cursor.at
    member = _member(cursor)
    if isinstance(member, Chars):
        return member
    # Java looks at the character right behind the hyphen, be it a blank under (?x).
    if cursor.peek() == "-" and cursor.raw(1) not in ("[", "]", ""):
        cursor.at += 1
        last = _member(cursor, range_end=True)
        if isinstance(last, Chars) or last < member:
            cursor.refuse("the range runs backwards", "Put the lower end first, or write \\- for a hyphen.", at=begin)
        return _between(cursor, member, last)
    return single(cursor, member, in_set=True)


def _right_side(cursor: Cursor) -> Chars:
    """Read what stands behind &&."""
    begin = cursor.at
    found: Chars | None = None
    while (character := cursor.peek()) == "[":
        nested = read_set(cursor)
        found = nested if found is None else found | nested
    if found is not None:
        if character not in ("]", "&") or (character == "&" and cursor.raw(1) != "&"):
            cursor.refuse("characters follow a nested set on the right side of &&", _OPERANDS)
        return found
    if character in ("]", "&", "^"):
        cursor.refuse("the right side of && does not begin with a set or a character", _OPERANDS, at=begin)
    return _members(cursor)


def _members(cursor: Cursor) -> Chars:
    """Read a union, and what it is intersected with, up to the closing bracket."""
    found: Chars | None = None
    while True:
        character = cursor.peek()
        if character == "]" and found is not None:
            return found
        if character == "[":
            nested = read_set(cursor)
            found = nested if found is None else found | nested
        elif character == "&" and cursor.raw(1) == "&":
            if found is None:
                cursor.refuse("&& has no left side", _OPERANDS)
            cursor.at += 2
            found = found & _right_side(cursor)
            if cursor.peek() not in ("]", "&"):
                cursor.refuse("characters follow the right side of &&", _OPERANDS)
        elif character == "&" and cursor.flags.comments and cursor.raw(1) in (*" \t\n\x0b\f\r#", ""):
            cursor.refuse("& stands before a blank under (?x)", "Write \\& for the character.")
        else:
            item = _item(cursor)
            found = item if found is None else found | item


def read_set(cursor: Cursor) -> Chars:
    """Read a set from its opening bracket to its closing one."""
    begin = cursor.at
    cursor.read()
    negated = cursor.raw() == "^"
    if negated:
        cursor.at += 1
    with cursor.nested(begin):
        found = _members(cursor)
    cursor.read()
    return ~found if negated else found
