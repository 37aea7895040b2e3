"""The names in ``\\p{...}`` that Java knows, as sets of `regex`.

Names that both would take but mean different things (Java's ``\\p{Alpha}`` is ASCII) never reach `regex` as they are.
"""

from __future__ import annotations

import functools

from .pieces import Chars

_CATEGORIES = (
    "Cn Lu Ll Lt Lm Lo Mn Me Mc Nd Nl No Zs Zl Zp Cc Cf Co Cs Pd Ps Pe Pc Po Sm Sc Sk So Pi Pf L M N Z C P S LC".split()
)
# Names as Java spells them.
_EXACT = {
    **{name: rf"\p{{gc={name}}}" for name in _CATEGORIES},
    "LD": r"\p{gc=L}\p{gc=Nd}",
    "L1": r"\x00-\xFF",
    "all": r"\x00-\U0010FFFF",
    "ASCII": r"\x00-\x7F",
    "Alnum": r"0-9A-Za-z",
    "Alpha": r"A-Za-z",
    "Blank": r"\x20\t",
    "Cntrl": r"\x00-\x1F\x7F",
    "Digit": r"0-9",
    "Graph": r"\x21-\x7E",
    "Lower": r"a-z",
    "Print": r"\x20-\x7E",
    "Punct": r"\x21-\x2F\x3A-\x40\x5B-\x60\x7B-\x7E",
    "Space": r"\x20\t-\r",
    "Upper": r"A-Z",
    "XDigit": r"0-9A-Fa-f",
    "javaLowerCase": r"\p{Lowercase}",
    "javaUpperCase": r"\p{Uppercase}",
    "javaAlphabetic": r"\p{Alphabetic}",
    "javaIdeographic": r"\p{Ideographic}",
    "javaTitleCase": r"\p{gc=Lt}",
    "javaDigit": r"\p{gc=Nd}",
    "javaDefined": r"\P{gc=Cn}",
    "javaLetter": r"\p{gc=L}",
    "javaLetterOrDigit": r"\p{gc=L}\p{gc=Nd}",
    "javaSpaceChar": r"\p{gc=Z}",
    "javaWhitespace": r"[\p{gc=Z}--[\xA0\u2007\u202F]]\t-\r\x1C-\x1F",
    "javaISOControl": r"\x00-\x1F\x7F-\x9F",
}
_GRAPH = r"[^\p{White_Space}\p{gc=Cc}\p{gc=Cs}\p{gc=Cn}]"
# Names after Is, in any case. The POSIX names mean all of Unicode there.
_BINARY = {
    "ALPHABETIC": r"\p{Alphabetic}",
    "LETTER": r"\p{gc=L}",
    "IDEOGRAPHIC": r"\p{Ideographic}",
    "LOWERCASE": r"\p{Lowercase}",
    "UPPERCASE": r"\p{Uppercase}",
    "TITLECASE": r"\p{gc=Lt}",
    "WHITE_SPACE": r"\p{White_Space}",
    "WHITESPACE": r"\p{White_Space}",
    "CONTROL": r"\p{gc=Cc}",
    "PUNCTUATION": r"\p{gc=P}",
    **dict.fromkeys(("HEX_DIGIT", "HEXDIGIT", "XDIGIT"), r"\p{gc=Nd}\p{Hex_Digit}"),
    "ASSIGNED": r"\P{gc=Cn}",
    "NONCHARACTER_CODE_POINT": r"\p{Noncharacter_Code_Point}",
    "NONCHARACTERCODEPOINT": r"\p{Noncharacter_Code_Point}",
    "DIGIT": r"\p{gc=Nd}",
    "JOIN_CONTROL": r"\u200C\u200D",
    "JOINCONTROL": r"\u200C\u200D",
    "ALPHA": r"\p{Alphabetic}",
    "LOWER": r"\p{Lowercase}",
    "UPPER": r"\p{Uppercase}",
    "SPACE": r"\p{White_Space}",
    "PUNCT": r"\p{gc=P}",
    "CNTRL": r"\p{gc=Cc}",
    "GRAPH": _GRAPH,
    "PRINT": rf"{_GRAPH}\p{{gc=Zs}}",
    "ALNUM": r"\p{Alphabetic}\p{gc=Nd}",
    "BLANK": r"\p{gc=Zs}\t",
    "WORD": r"\p{Alphabetic}\p{gc=M}\p{gc=Nd}\p{gc=Pc}\u200C\u200D",
}
# Under (?i) Java lets each of these match letters of the other cases too.
_CASED = {
    **dict.fromkeys(("Lu", "Ll", "Lt"), r"\p{gc=LC}"),
    **dict.fromkeys(("Lower", "Upper"), r"A-Za-z"),
    **dict.fromkeys(("javaLowerCase", "javaUpperCase", "javaTitleCase"), r"\p{Lowercase}\p{Uppercase}\p{gc=Lt}"),
}
_CASED_BINARY = dict.fromkeys(
    ("LOWERCASE", "UPPERCASE", "TITLECASE", "LOWER", "UPPER"), r"\p{Lowercase}\p{Uppercase}\p{gc=Lt}"
)


def _exact(name: str, any_case: bool) -> Chars | None:
    items = (_CASED.get(name) if any_case else None) or _EXACT.get(name)
    return Chars(items) if items else None


@functools.lru_cache(maxsize=256)
def _of_regex(kind: str, name: str) -> Chars | None:
    """Return a script or block by name, if the `regex` module knows it."""
    import regex

    if not name or not all(character.isalnum() or character in "_- " for character in name) or not name.isascii():
        return None
    items = rf"\p{{{kind}={name}}}"
    try:
        regex.compile(f"(?V1)[{items}]")
    except regex.error:
        return None
    return Chars(items)


def _keyed(key: str, value: str, any_case: bool) -> Chars | None:
    if key in ("sc", "script"):
        return _of_regex("Script", value)
    if key in ("blk", "block"):
        return _of_regex("Block", value)
    if key in ("gc", "general_category"):
        return _exact(value, any_case)
    return None


def find(name: str, *, any_case: bool) -> Chars | None:
    """Return the set behind a property's name as Java reads it, or None for a name that is not known here."""
    key, equals, value = name.partition("=")
    if equals:
        return _keyed(key.lower(), value, any_case)
    if name.startswith("In"):
        return _of_regex("Block", name[2:])
    if name.startswith("Is"):
        rest = name[2:]
        items = (_CASED_BINARY.get(rest.upper()) if any_case else None) or _BINARY.get(rest.upper())
        return Chars(items) if items else _exact(rest, any_case) or _of_regex("Script", rest)
    return _exact(name, any_case)
