"""Reading a Java pattern: quotations dissolved, comments skipped, every character with its place in the original."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from ..errors import ParameterError

_DEEPEST = 100
_SPACE = frozenset(" \t\n\x0b\f\r")
_LINE_ENDS = frozenset("\n\r\x85\u2028\u2029")


@dataclass(slots=True)
class Flags:
    """What inline flags can change; they hold to the end of the group."""

    any_case: bool = False
    multiline: bool = False
    dot_all: bool = False
    unicode_case: bool = False
    unix_lines: bool = False
    comments: bool = False


def _unquote(pattern: str) -> tuple[list[str], list[int]]:
    r"""Write what stands between \Q and \E with a backslash before each character that could be syntax."""
    characters: list[str] = []
    places: list[int] = []

    def put(text: str, place: int) -> None:
        characters.extend(text)
        places.extend([place] * len(text))

    at, quoted = 0, False
    while at < len(pattern):
        two = pattern[at : at + 2]
        if not quoted and two == r"\Q":
            quoted = True
            at += 2
            # A digit must not lengthen an escape before the quotation.
            if pattern[at : at + 1].isascii() and pattern[at : at + 1].isdigit():
                put(rf"\x3{pattern[at]}", at)
                at += 1
        elif quoted and two == r"\E":
            quoted = False
            at += 2
        elif quoted:
            plain = not pattern[at].isascii() or pattern[at].isalnum()
            put(pattern[at] if plain else "\\" + pattern[at], at)
            at += 1
        else:
            step = 2 if pattern[at] == "\\" else 1
            for place in range(at, min(at + step, len(pattern))):
                put(pattern[place], place)
            at += step
    return characters, places


class Cursor:
    """A place in a pattern. `peek` and `read` pass over blanks and comments where ``(?x)`` holds; `raw` does not."""

    def __init__(self, pattern: str, name: str) -> None:
        self.pattern = pattern
        self.name = name
        self.flags = Flags()
        self._characters, self._places = _unquote(pattern)
        self.at = 0
        self._depth = 0

    @contextlib.contextmanager
    def nested(self, begin: int) -> Iterator[None]:
        """Count a group or set inside of others, so that no pattern runs the parser out of stack."""
        self._depth += 1
        if self._depth > _DEEPEST:
            self.refuse(f"more than {_DEEPEST} groups or sets are nested", "Write a shallower pattern.", at=begin)
        yield
        self._depth -= 1

    def raw(self, ahead: int = 0) -> str:
        """Return the character `ahead` of the place, "" behind the end."""
        return self._characters[self.at + ahead] if 0 <= self.at + ahead < len(self._characters) else ""

    def _skip_comments(self) -> None:
        ends = {"\n"} if self.flags.unix_lines else _LINE_ENDS
        while (character := self.raw()) in _SPACE or character == "#":
            if not character:
                return
            if character == "#":
                while self.raw() and self.raw() not in ends:
                    self.at += 1
            else:
                self.at += 1

    def peek(self) -> str:
        """Return the next character that counts."""
        if self.flags.comments:
            self._skip_comments()
        return self.raw()

    def read(self) -> str:
        """Return the next character that counts and step behind it."""
        character = self.peek()
        self.at += 1
        return character

    def take(self, text: str) -> bool:
        """Step behind the next character if it is `text`."""
        if self.peek() != text:
            return False
        self.at += 1
        return True

    def between(self, begin: int) -> str:
        """Return the characters from `begin` up to the place."""
        return "".join(self._characters[begin : self.at])

    def refuse(self, what: str, remedy: str, *, at: int | None = None) -> NoReturn:
        """Raise the error about the construct at a place (default: here)."""
        place = self.at if at is None else at
        shown = self._places[place] if place < len(self._places) else len(self.pattern)
        raise ParameterError(f"{self.name} is {self.pattern!r}: at character {shown}, {what}. {remedy}")
