r"""What stands behind a backslash, inside and outside sets."""

from __future__ import annotations

import string

from . import properties
from .cursor import Cursor
from .pieces import Chars

# ASCII only, as Java has them without UNICODE_CHARACTER_CLASS.
_CLASSES = {
    "d": "0-9",
    "s": r"\x20\t-\r",
    "w": r"0-9A-Z_a-z",
    "h": r"\x20\t\xA0\u1680\u180E\u2000-\u200A\u202F\u205F\u3000",
    "v": r"\n-\r\x85\u2028\u2029",
}
_CONTROLS = {"a": 0x07, "e": 0x1B, "f": 0x0C, "n": 0x0A, "r": 0x0D, "t": 0x09}
_HEX = frozenset(string.hexdigits)
_OCTAL = frozenset(string.octdigits)
_NO_SURROGATE = "Write the whole character, or \\x{...} with its code point."


def _octal(cursor: Cursor, begin: int) -> int:
    digits = ""
    while len(digits) < 3 and cursor.peek() in _OCTAL and cursor.peek():
        if len(digits) == 2 and digits[0] > "3":
            break
        digits += cursor.read()
    if not digits:
        cursor.refuse("\\0 is not followed by an octal digit", "Write \\0 and one to three octal digits.", at=begin)
    return int(digits, 8)


def _hexadecimal(cursor: Cursor, begin: int) -> int:
    remedy = "Write \\xhh, or \\x{h...h} up to 10FFFF."
    first = cursor.read()
    if first in _HEX and first:
        second = cursor.read()
        if second in _HEX and second:
            return int(first + second, 16)
    elif first == "{":
        digits = ""
        while (character := cursor.read()) and character in _HEX:
            digits += character
        if digits and character == "}" and int(digits, 16) <= 0x10FFFF:
            return int(digits, 16)
    return cursor.refuse("the hexadecimal escape is not complete or too large", remedy, at=begin)


def _four_digits(cursor: Cursor, begin: int) -> int:
    digits = ""
    for _ in range(4):
        digits += cursor.read()
    if len(digits) < 4 or not set(digits) <= _HEX:
        cursor.refuse("\\u is not followed by four hexadecimal digits", "Write \\uhhhh.", at=begin)
    return int(digits, 16)


def _utf16(cursor: Cursor, begin: int) -> int:
    unit = _four_digits(cursor, begin)
    if 0xD800 <= unit < 0xDC00 and cursor.raw() == "\\" and cursor.raw(1) == "u":
        cursor.at += 2
        low = _four_digits(cursor, begin)
        if 0xDC00 <= low < 0xE000:
            return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)
    return unit


def _control(cursor: Cursor, begin: int) -> int:
    character = cursor.read()
    if not character:
        cursor.refuse("\\c is at the end", "Write \\c and a letter.", at=begin)
    return ord(character) ^ 0x40


def _property(cursor: Cursor, begin: int, letter: str) -> Chars:
    if cursor.peek() == "{":
        cursor.at += 1
        start = cursor.at
        while (character := cursor.read()) != "}":
            if not character:
                cursor.refuse("\\p{ is not closed", "Write \\p{name}.", at=begin)
        name = cursor.between(start)[:-1]
    else:
        name = cursor.read()
    chars = properties.find(name, any_case=cursor.flags.any_case)
    if chars is None:
        cursor.refuse(
            f"\\{letter}{{{name}}} is no property that Java and albert_fast both know",
            "Use a general category (\\p{L}), a script (\\p{IsGreek}), a block (\\p{InGreek}), a POSIX class "
            "(\\p{Alpha}), or list the characters in [ ].",
            at=begin,
        )
    return ~chars if letter == "P" else chars


def read_escape(cursor: Cursor, *, range_end: bool = False) -> int | Chars | str:
    r"""Read what stands behind a backslash that was read already.

    Returns a code point, a set, or the letter of an escape that only has a meaning outside sets (``\b``, ``\1``, ...).
    """
    begin = cursor.at - 1
    letter = cursor.raw()
    cursor.at += 1
    if not letter:
        cursor.refuse("the pattern ends with a backslash", "Write \\\\ for a backslash.", at=begin)
    if letter == "v" and (range_end or cursor.raw() == "-"):
        cursor.refuse("\\v is the end of a range", "Write \\x0B for the vertical tab.", at=begin)
    if letter.lower() in _CLASSES and letter.isascii():
        chars = Chars(_CLASSES[letter.lower()])
        return ~chars if letter.isupper() else chars
    if letter in "pP":
        return _property(cursor, begin, letter)
    if letter in _CONTROLS:
        return _CONTROLS[letter]
    readers = {"0": _octal, "x": _hexadecimal, "u": _utf16, "c": _control}
    if letter in readers:
        code_point = readers[letter](cursor, begin)
        if 0xD800 <= code_point < 0xE000:
            cursor.refuse("there is half of a surrogate pair, which no text contains", _NO_SURROGATE, at=begin)
        return code_point
    if letter.isascii() and letter.isalnum():
        return letter
    return ord(letter)
