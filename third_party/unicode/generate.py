"""Write ``tables.h``: what the core must know about Unicode, as Python's ``unicodedata`` and ``str`` know it.

Run ``python generate.py`` with the Python whose Unicode version the tables shall have; see README.md.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

CODE_POINTS = range(sys.maxunicode + 1)
SURROGATES = range(0xD800, 0xE000)
HANGUL_SYLLABLES = range(0xAC00, 0xD7A4)
SIGMA = "\N{GREEK CAPITAL LETTER SIGMA}"
FINAL_SIGMA = "\N{GREEK SMALL LETTER FINAL SIGMA}"
DOTTED_I = "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}"

# Bits of Record::flags.
FLAGS = {
    "kDigit": 1,
    "kSpace": 2,
    "kCased": 4,
    "kCaseIgnorable": 8,
    "kLetterOrDigit": 16,
    "kNonspacingMark": 32,
    "kHasOtherForm": 64,
}


def casing(character: str) -> int:
    """Tell cased from case-ignorable characters by what ``str.lower`` does to a sigma behind them.

    One that is both counts as case-ignorable, as in Unicode's condition Final_Sigma, the one use of the two.
    """
    if (character + SIGMA).lower().endswith(FINAL_SIGMA):
        return FLAGS["kCased"]
    if ("A" + character + SIGMA).lower().endswith(FINAL_SIGMA):
        return FLAGS["kCaseIgnorable"]
    return 0


def flags(character: str) -> int:
    category = unicodedata.category(character)
    value = casing(character)
    if character.isdigit():
        value |= FLAGS["kDigit"]
    if character.isspace():
        value |= FLAGS["kSpace"]
    if category.startswith("L") or category == "Nd":
        value |= FLAGS["kLetterOrDigit"]
    if category == "Mn":
        value |= FLAGS["kNonspacingMark"]
    if character.lower() != character or without_accents(character) != character:
        value |= FLAGS["kHasOtherForm"]
    return value


def without_accents(character: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", character) if not unicodedata.combining(c))


def record(code_point: int) -> tuple[int, int]:
    """Return (distance to the lower-case letter, flags)."""
    character = chr(code_point)
    lower = character.lower()
    if len(lower) != 1 and character != DOTTED_I:
        raise ValueError(f"U+{code_point:04X} has {len(lower)} lower-case letters; text/lower.cpp knows only U+0130")
    return ord(lower[0]) - code_point, flags(character)


def unaccented(code_point: int) -> str | None:
    """Return NFKD without combining characters; None for the character itself or what unicode.cpp computes."""
    character = chr(code_point)
    if code_point in SURROGATES or code_point in HANGUL_SYLLABLES:
        return None
    kept = without_accents(character)
    return None if kept == character else kept


def pool(texts: Iterable[str]) -> tuple[list[int], dict[str, int]]:
    """Lay out texts as length, code points, length, ...; offset 0 stays free for "no entry"."""
    values = [0]
    offsets: dict[str, int] = {}
    for text in texts:
        if text not in offsets:
            offsets[text] = len(values)
            values += [len(text), *map(ord, text)]
    return values, offsets


def two_stages(values: Sequence[int], shift: int) -> tuple[list[int], list[int]]:
    """Split ``values`` into blocks of ``1 << shift`` and keep each different block once."""
    seen: dict[tuple[int, ...], int] = {}
    stage1 = []
    stage2: list[int] = []
    for start in range(0, len(values), 1 << shift):
        block = tuple(values[start : start + (1 << shift)])
        if block not in seen:
            seen[block] = len(seen)
            stage2 += block
        stage1.append(seen[block])
    return stage1, stage2


def array(name: str, values: Sequence[int], kind: str = "") -> str:
    kind = kind or ("std::uint8_t" if max(values) < 1 << 8 else "std::uint16_t")
    lines = [f"inline constexpr {kind} {name}[{len(values)}] = {{"]
    line = ""
    for value in values:
        word = f"{value},"
        if len(line) + len(word) > 118:
            lines.append(line)
            line = ""
        line += word
    return "\n".join([*lines, line, "};"])


def table(name: str, values: Sequence[int]) -> str:
    """Return ``values`` up to the last that is not 0 as two stages, with the block size of the shortest source."""
    end = 1 + max(i for i, value in enumerate(values) if value)

    def in_blocks(shift: int) -> str:
        stage1, stage2 = two_stages(values[: -(-end >> shift) << shift], shift)
        stages = array(f"k{name}Stage1", stage1), array(f"k{name}Stage2", stage2)
        return "\n".join([f"inline constexpr unsigned k{name}Shift = {shift};", *stages])

    return min(map(in_blocks, range(4, 9)), key=len)


def render() -> str:
    """Return the text of ``tables.h``."""
    records = [record(c) for c in CODE_POINTS]
    different = sorted(set(records), key=lambda r: (r != (0, 0), r))
    number = {r: i for i, r in enumerate(different)}
    kept = [unaccented(c) for c in CODE_POINTS]
    forms, offsets = pool(text for text in kept if text is not None)
    lines = [
        "// Written by generate.py; do not edit.",
        "#pragma once",
        "",
        "#include <cstdint>",
        "",
        "namespace albert_fast::unicode::tables {",
        "",
        f'inline constexpr char kVersion[] = "{unicodedata.unidata_version}";',
        "",
        *(f"inline constexpr std::uint8_t {name} = {bit};" for name, bit in FLAGS.items()),
        "",
        "struct Record {",
        "  std::int32_t to_lower;  // what to add for the lower-case letter",
        "  std::uint8_t flags;",
        "};",
        "",
        f"inline constexpr Record kRecords[{len(different)}] = {{",
        *(f"  {{{delta}, {bits}}}," for delta, bits in different),
        "};",
        "",
        "// Numbers of records; what lies behind the end of stage 1 has record 0.",
        table("Record", [number[r] for r in records]),
        "",
        "// NFKD forms without combining characters, each behind its length, and where a code point has its form (0 is",
        "// the character itself).",
        array("kForms", forms, "char32_t"),
        table("Form", [0 if text is None else offsets[text] for text in kept]),
        "",
        "}  // namespace albert_fast::unicode::tables",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    Path(__file__).with_name("tables.h").write_text(render(), encoding="ascii")
