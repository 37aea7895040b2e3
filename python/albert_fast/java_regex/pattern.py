"""A compiled Java pattern, with the searching and splitting of java.util.regex."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from typing import Any, Protocol

from ..errors import InputError, MissingDependencyError, ParameterError
from .parser import Parser

#: Seconds that one call may search in one text. Patterns such as ``(a+)+b`` would otherwise run for years.
TIMEOUT = 60.0


class Match(Protocol):
    """Where a pattern matched. Offsets count characters; a group that took no part is at ``(-1, -1)``."""

    def start(self) -> int: ...
    def end(self) -> int: ...
    def span(self, group: int = 0, /) -> tuple[int, int]: ...


def _regex() -> Any:
    try:
        import regex
    except ImportError as error:
        raise MissingDependencyError(
            f"Regular expressions of Spark NLP need the package regex ({error}). "
            "Install it with: pip install 'albert_fast[regex]'"
        ) from None
    return regex


class JavaPattern:
    """A pattern of Java's dialect, made by `compile`.

    Attributes
    ----------
    pattern
        What the user wrote.
    name
        The parameter that it came from, for messages.
    groups
        Number of capturing groups.
    hidden_groups
        Groups inside a lookaround, an atomic group or a possessive repetition whose place Java may keep from a way of
        matching that it gave up. Their spans are not Java's.
    """

    def __init__(self, pattern: str, name: str, timeout: float) -> None:
        regex = _regex()
        parser = Parser(pattern, name)
        self.pattern = pattern
        self.name = name
        self.groups = len(parser.groups)
        self.hidden_groups = tuple(parser.hidden_groups())
        self._timeout = timeout
        self._can_be_empty = parser.piece.shortest == 0
        try:
            self._compiled: Any = regex.compile(parser.piece.source, flags=regex.VERSION1)
        except (regex.error, OverflowError, RecursionError, MemoryError) as error:
            raise ParameterError(
                f"{name} is {pattern!r}: the regex package cannot run it ({error or type(error).__name__}). "
                "Write a shorter pattern."
            ) from None

    def __repr__(self) -> str:
        return f"java_regex.compile({self.pattern!r}, name={self.name!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _compile, (self.pattern, self.name, self._timeout)

    def _too_slow(self) -> InputError:
        return InputError(
            f"{self.name} {self.pattern!r} searched one text for {self._timeout:g} s without an end. It tries too many "
            "ways to match: nested repetitions such as (a+)+ do that. Write it without them, or cut the text."
        )

    def search(self, text: str) -> Match | None:
        """Return the first match (Java's ``Matcher.find``)."""
        return next(self.finditer(text), None)

    def finditer(self, text: str) -> Iterator[Match]:
        """Yield the matches that successive calls of Java's ``Matcher.find`` give.

        Raises
        ------
        InputError
            If the search takes longer than the time limit.
        """
        return self._find_all(text) if self._can_be_empty else self._find_longer(text)

    def _find_longer(self, text: str) -> Iterator[Match]:
        try:
            yield from self._compiled.finditer(text, timeout=self._timeout)
        except TimeoutError:
            raise self._too_slow() from None

    def _find_all(self, text: str) -> Iterator[Match]:
        # After an empty match Java goes on one character further; Python would look for a longer one at the same place.
        left = self._timeout
        at = 0
        while at <= len(text):
            began = time.monotonic()
            try:
                match = self._compiled.search(text, at, timeout=max(left, 0.001))
            except TimeoutError:
                raise self._too_slow() from None
            left -= time.monotonic() - began
            if match is None:
                return
            yield match
            begin, end = match.span()
            at = end + (begin == end)

    def split(self, text: str) -> list[tuple[int, int]]:
        """Return the places of the parts that Java's ``String.split`` gives.

        An empty part at the beginning stays, unless an empty match made it; empty parts at the end are dropped. Without
        a match the whole text is the only part, be it empty.
        """
        parts: list[tuple[int, int]] = []
        at = 0
        for match in self.finditer(text):
            begin, end = match.span()
            if end == 0:
                continue
            parts.append((at, begin))
            at = end
        if at == 0:
            return [(0, len(text))]
        parts.append((at, len(text)))
        while parts and parts[-1][0] == parts[-1][1]:
            parts.pop()
        return parts


@functools.lru_cache(maxsize=512)
def _compile(pattern: str, name: str, timeout: float) -> JavaPattern:
    return JavaPattern(pattern, name, timeout)


def compile(pattern: str, *, name: str, timeout: float = TIMEOUT) -> JavaPattern:
    """Translate a pattern of Java's dialect.

    Parameters
    ----------
    pattern
        As ``java.util.regex.Pattern.compile`` takes it; flags are written inline.
    name
        The parameter that it comes from, for messages.
    timeout
        Seconds that one call may search in one text before it raises `InputError`.

    Raises
    ------
    ParameterError
        If Java would not compile the pattern, or `regex` could not match it as Java does.
    MissingDependencyError
        If the package `regex` is not installed.
    """
    if not isinstance(pattern, str):
        raise ParameterError(f"{name} is {pattern!r}; it must be a regular expression in a string.")
    return _compile(pattern, name, timeout)
