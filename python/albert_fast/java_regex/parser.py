r"""Java's patterns, part by part, as patterns of the `regex` module.

Every set, anchor and flag is written out, so that nothing depends on what `regex` understands by ``\d``, ``$`` or
``(?i)``. What cannot be written so is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .cursor import Cursor
from .escapes import read_escape
from .pieces import NEVER, Chars, Piece, alternatives, group, one, repeat, sequence
from .sets import read_set, single

_ANY = Chars(r"\x00-\U0010FFFF")
_LINE_END = r"\n\r\x85\u2028\u2029"
_LINE_BREAK = Piece(r"(?:\r\n|[\n-\r\x85\u2028\u2029])", 1, 2, single=True)

# Java 17 takes a mark for a part of the word if it sits on a letter or digit. That search goes by UTF-16 units, so it
# never sees a base, or a mark further left, beyond the BMP.
_BASE = r"[[\p{gc=L}\p{gc=Nd}]&&[\x00-\uFFFF]]"
_MARK = r"[\p{gc=Mn}&&[\x00-\uFFFF]]"
_WORD = r"[\p{gc=L}\p{gc=Nd}_]"
_BEFORE = rf"(?:(?<={_WORD})|(?<={_MARK})(?<={_BASE}{_MARK}+))"
_BEHIND = rf"(?:(?={_WORD})|(?=\p{{gc=Mn}})(?<={_BASE}{_MARK}*))"

_ANCHORS = {
    "A": r"\A",
    "z": r"\Z",
    "b": rf"(?:{_BEFORE}(?!{_BEHIND})|(?!{_BEFORE}){_BEHIND})",
    "B": rf"(?:{_BEFORE}{_BEHIND}|(?!{_BEFORE})(?!{_BEHIND}))",
}
_REFUSED = {
    "G": ("\\G (where the last match ended)", "Match what comes before as a part of the pattern."),
    "N": ("\\N{...}", "Write \\x{...} with the code point."),
    "X": ("\\X (a grapheme cluster)", "Write \\P{M}\\p{M}* for a character with its marks."),
}
_UNKNOWN_GROUP = "Java knows (?:, (?=, (?!, (?<=, (?<!, (?>, (?<name> and the flags (?idmsux-idmsux)."
_LARGEST = 2**31 - 1
_HEAVIEST = 50_000  # regex writes counted repetitions out, and crashes where memory ends


@dataclass(slots=True)
class _Group:
    """A capturing group: where it stands, and whether it was closed."""

    closed: bool = False
    hides: bool = False  # inside a lookaround, an atomic group or a possessive repetition
    negative: bool = False  # inside a negative lookaround
    empty_rounds: bool = False  # repeated where it can match nothing
    loops: int = 0  # repetitions around it; in a loop of loops Java mixes up what it gave up and what it took
    home: int = 0  # the innermost of these constructs, by number


class Parser:
    """One pass over a pattern; `piece` is the result, `groups` its capturing groups from number 1 on."""

    def __init__(self, pattern: str, name: str) -> None:
        self._cursor = Cursor(pattern, name)
        for place, character in enumerate(pattern):
            if "\ud800" <= character < "\ue000":
                self._cursor.refuse(f"there is half of a surrogate pair ({place})", "Write the whole character.", at=0)
        self.groups: list[_Group] = []
        self._names: dict[str, int] = {}
        self._references: list[tuple[int, int, int, int]] = []  # group, place, number of groups then, home
        self._inside: list[str] = []
        self._homes = [0]
        self._homes_seen = 0
        self._certain_homes: set[int] = set()
        self.piece = self._alternatives()
        if self._cursor.peek() == ")":
            self._cursor.refuse("a ) closes no group", "Write \\) for a parenthesis.")
        self._check_references()

    def hidden_groups(self) -> list[int]:
        """Return the groups whose places depend on more than the match: Java may keep what it gave up."""
        return [
            number
            for number, found in enumerate(self.groups, 1)
            if found.negative or found.empty_rounds or found.loops > 1 or (found.hides and self.piece.uncertain)
        ]

    def _check_references(self) -> None:
        hidden = set(self.hidden_groups())
        for number, place, known, home in self._references:
            if known < number <= len(self.groups):
                self._cursor.refuse(f"\\{number} stands before its group", "Put the group first.", at=place)
            # Within one lookaround that cannot leave the group out, the reference sees what was matched just before.
            target = self.groups[number - 1] if number <= len(self.groups) else None
            if (
                target
                and target.home == home
                and home in self._certain_homes
                and not (target.empty_rounds or target.loops > 1)
            ):
                continue
            if number in hidden:
                self._cursor.refuse(
                    f"\\{number} refers into a lookaround, an atomic group, a possessive repetition, one of nothing or "
                    "one inside another, where Java may keep what it gave up",
                    "Refer to a group outside of such.",
                    at=place,
                )

    def _alternatives(self) -> Piece:
        branches = [self._sequence()]
        while self._cursor.take("|"):
            branches.append(self._sequence())
        return alternatives(branches)

    def _sequence(self) -> Piece:
        parts: list[Piece] = []
        while (character := self._cursor.peek()) and character not in "|)":
            if character in "*+?":
                self._cursor.refuse(f"{character} repeats nothing", f"Write \\{character} for the character.")
            known = len(self.groups)
            is_group = character == "("
            atom = self._group() if is_group else self._atom(character)
            if atom is not None:
                parts.append(self._quantified(atom, known, is_group=is_group))
        return sequence(parts) if parts else Piece("")

    def _atom(self, character: str) -> Piece:
        cursor = self._cursor
        if character == "[":
            return one(read_set(cursor))
        if character == "{":  # Java repeats the empty string
            return Piece("")
        cursor.read()
        if character == "\\":
            return self._escape()
        if character == ".":
            return one(self._dot())
        if character == "^":
            return self._anchor(self._line_begin() if cursor.flags.multiline else _ANCHORS["A"])
        if character == "$":
            return self._anchor(self._line_end(cursor.flags.multiline))
        return one(single(cursor, ord(character), in_set=False))

    @staticmethod
    def _anchor(source: str) -> Piece:
        return Piece(f"(?:{source})", single=True)

    def _dot(self) -> Chars:
        if self._cursor.flags.dot_all:
            return _ANY
        return Chars(r"\n" if self._cursor.flags.unix_lines else _LINE_END, negated=True)

    def _line_begin(self) -> str:
        if self._cursor.flags.unix_lines:
            return r"(?!\Z)(?:\A|(?<=\n))"
        return r"(?!\Z)(?:\A|(?<=[\n\x85\u2028\u2029])|(?<=\r)(?!\n))"

    def _line_end(self, multiline: bool) -> str:
        if self._cursor.flags.unix_lines:
            return r"(?=\Z|\n)" if multiline else r"(?=\n?\Z)"
        if multiline:
            return r"(?=\Z|[\r\x85\u2028\u2029]|(?<!\r)\n)"
        return r"(?=\Z|(?<!\r)\n\Z|\r\n?\Z|[\x85\u2028\u2029]\Z)"

    def _escape(self) -> Piece:
        cursor = self._cursor
        begin = cursor.at - 1
        found = read_escape(cursor)
        if isinstance(found, Chars):
            return one(found)
        if isinstance(found, int):
            return one(single(cursor, found, in_set=False))
        if found == "b" and cursor.raw() == "{" and cursor.raw(1) == "g":
            cursor.refuse("\\b{g} is not supported", "Use \\b.", at=begin)
        if found in _ANCHORS:
            return self._anchor(_ANCHORS[found])
        if found == "Z":
            return self._anchor(self._line_end(multiline=False))
        if found == "R":
            return _LINE_BREAK
        if found.isdigit():
            return self._numbered_reference(found, begin)
        if found == "k":
            return self._named_reference(begin)
        what, remedy = _REFUSED.get(found, (f"\\{found}, which Java does not know,", f"Write {found} alone."))
        return cursor.refuse(f"{what} is not supported", remedy, at=begin)

    def _numbered_reference(self, digits: str, begin: int) -> Piece:
        cursor = self._cursor
        while (digit := cursor.peek()) and digit in "0123456789" and int(digits + digit) <= len(self.groups):
            digits += cursor.read()
        return self._reference(int(digits), begin)

    def _named_reference(self, begin: int) -> Piece:
        if self._cursor.read() != "<":
            self._cursor.refuse("\\k is not followed by <", "Write \\k<name>.", at=begin)
        name = self._targetname(begin)
        if name not in self._names:
            self._cursor.refuse(f"there is no group {name!r} before", "Name a group with (?<name>...).", at=begin)
        return self._reference(self._names[name], begin)

    def _reference(self, number: int, begin: int) -> Piece:
        if self._cursor.flags.any_case:
            self._cursor.refuse(
                "a back reference under (?i) is not supported", "Write (?-i) before it, or the letters out.", at=begin
            )
        self._references.append((number, begin, len(self.groups), self._homes[-1]))
        if number > len(self.groups):
            return replace(NEVER, single=True, refers=True, longest=None)
        if not self.groups[number - 1].closed:
            self._cursor.refuse(f"\\{number} stands inside its own group", "Refer to a closed group.", at=begin)
        return Piece(rf"(?:\g<{number}>)", 0, None, single=True, refers=True)

    def _targetname(self, begin: int) -> str:
        name = ""
        while (character := self._cursor.read()) and character.isascii() and character.isalnum():
            name += character
        if not name or name[0].isdigit() or character != ">":
            self._cursor.refuse(
                "the name of the group is not right", "A name is ASCII letters and digits, a letter first.", at=begin
            )
        return name

    def _group(self) -> Piece | None:
        """Read a group; None for flags alone."""
        cursor = self._cursor
        begin = cursor.at
        cursor.read()
        saved = replace(cursor.flags)
        opening = self._opening(begin)
        if opening is None:
            return None
        number = len(self.groups)
        with cursor.nested(begin):
            body = self._body(opening)
        if cursor.peek() != ")":
            cursor.refuse("a ( is not closed", "Close it, or write \\( for a parenthesis.", at=begin)
        cursor.flags = saved
        cursor.read()
        if opening == "(":
            self.groups[number - 1].closed = True
        if opening in ("(?<=", "(?<!"):
            self._check_behind(body, begin)
        return group(body, opening)

    def _body(self, opening: str) -> Piece:
        self._inside.append(opening)
        if opening in ("(", "(?:"):
            body = self._alternatives()
        else:
            self._homes_seen += 1
            self._homes.append(self._homes_seen)
            body = self._alternatives()
            home = self._homes.pop()
            if not body.uncertain:
                self._certain_homes.add(home)
        self._inside.pop()
        return body

    def _opening(self, begin: int) -> str | None:
        cursor = self._cursor
        if not cursor.take("?"):
            self._open(None, begin)
            return "("
        kind = cursor.raw()
        if kind in (":", "=", "!", ">") and kind:
            cursor.at += 1
            return f"(?{kind}"
        if kind == "<":
            cursor.at += 1
            if cursor.peek() in ("=", "!"):
                return f"(?<{cursor.read()}"
            self._open(self._targetname(begin), begin)
            return "("
        self._read_flags(begin)
        return None if cursor.read() == ")" else "(?:"

    def _open(self, name: str | None, begin: int) -> None:
        if name in self._names:
            self._cursor.refuse(f"there is a group {name!r} already", "Give it another name.", at=begin)
        self.groups.append(
            _Group(
                hides=any(opening not in ("(", "(?:") for opening in self._inside),
                negative=any(opening in ("(?!", "(?<!") for opening in self._inside),
                home=self._homes[-1],
            )
        )
        if name is not None:
            self._names[name] = len(self.groups)

    def _read_flags(self, begin: int) -> None:
        cursor = self._cursor
        names = {
            "i": "any_case",
            "m": "multiline",
            "s": "dot_all",
            "u": "unicode_case",
            "d": "unix_lines",
            "x": "comments",
        }
        on = True
        while (letter := cursor.peek()) not in (")", ":"):
            cursor.at += 1
            if letter == "-" and on:
                on = False
            elif letter in names and letter:
                setattr(cursor.flags, names[letter], on)
            elif letter in ("U", "c"):
                cursor.refuse(
                    f"the flag {letter} is not supported",
                    "Write Unicode's classes out, for example \\p{IsAlphabetic} or \\p{L}." if letter == "U" else "",
                    at=begin,
                )
            else:
                cursor.refuse(f"(?{letter} begins no group", _UNKNOWN_GROUP, at=begin)

    def _check_behind(self, body: Piece, begin: int) -> None:
        reasons = {
            "has no longest length": body.longest is None,
            "holds a capturing group": body.captures,
            "holds an atomic or possessive part": body.commits,
        }
        for reason, found in reasons.items():
            if found:
                self._cursor.refuse(
                    f"the look-behind {reason}",
                    "Use counted repetitions ({0,9}, not of alternatives) and (?:...) in it.",
                    at=begin,
                )

    def _quantified(self, atom: Piece, known: int, *, is_group: bool) -> Piece:
        cursor = self._cursor
        begin = cursor.at
        sign = cursor.peek()
        if sign not in ("?", "*", "+", "{") or not sign:
            return atom
        if sign == "{":
            low, high = self._counts(begin)
        else:
            cursor.at += 1
            low, high = {"?": (0, 1), "*": (0, None), "+": (1, None)}[sign]
        kind = ""
        if cursor.peek() in ("?", "+"):
            kind = cursor.read()
        own = is_group and atom.source[:2] != "(?"
        for number, found in enumerate(self.groups[known:]):
            # Java does not take back a group inside of a repeated one when it gives a round up.
            found.hides = found.hides or kind == "+" or (high != 1 and not (own and number == 0))
            found.loops += high != 1
            # Java and regex end a loop of empty rounds at different ones.
            found.empty_rounds = found.empty_rounds or (atom.shortest == 0 and high != 1)
        result = repeat(atom, low, high, kind, is_group=is_group)
        if result.weight > _HEAVIEST or (high is not None and high > _HEAVIEST):
            cursor.refuse("the repetition is too long", f"Ask for fewer than {_HEAVIEST} in all.", at=begin)
        return result

    def _counts(self, begin: int) -> tuple[int, int | None]:
        cursor = self._cursor
        remedy = "Write {n}, {n,} or {n,m}, or \\{ for a brace."
        cursor.at += 1
        if not ("0" <= cursor.raw() <= "9"):
            cursor.refuse("a { is not followed by a number", remedy, at=begin)
        low = self._number()
        high: int | None = low
        if cursor.take(","):
            high = None if cursor.peek() == "}" else self._number()
        if not cursor.take("}"):
            cursor.refuse("a { is not closed", remedy, at=begin)
        if low > _LARGEST or (high is not None and not low <= high <= _LARGEST):
            cursor.refuse("the numbers of {n,m} are too large or in the wrong order", remedy, at=begin)
        return low, high

    def _number(self) -> int:
        digits = "0"  # Java reads {1,x} as {1,0x}
        while (digit := self._cursor.peek()) and digit in "0123456789":
            digits += self._cursor.read()
        return int(digits)
