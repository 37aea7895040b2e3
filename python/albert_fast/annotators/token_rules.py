r"""The Tokenizer's rules with patterns of the user, as Spark NLP applies them.

A sentence is cut at *break* characters into candidates; a candidate is a token as it stands (an exception), or the
groups of the first rule that matches it (prefix, infix, suffix), which may be split further. Without patterns of the
user the C++ word splitter does the same faster.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .. import java_regex
from ..errors import ParameterError

Span = tuple[int, int]

DEFAULT_TARGET = r"\S+"
DEFAULT_CONTEXT = tuple(".,;:!?*-()\"'")
# Spark NLP writes these over breaks and over breaks inside exceptions. In a document they act as if it had.
_BREAK = "\u2187"
_PROTECTED = "\u2188"


def _strings(value: Sequence[str] | None, name: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        raise ParameterError(f"{name} is {value!r}; it must be a list of strings.")
    items: tuple[object, ...] = tuple(value)
    for item in items:
        if not isinstance(item, str) or not item:
            raise ParameterError(f"{name} holds {item!r}; it must be strings that are not empty.")
    return tuple(str(item) for item in items)


def _demand(fits: bool, name: str, value: str, allowed: str) -> None:
    if not fits:
        raise ParameterError(f"{name} is {value!r}; it must {allowed}.")


def _utf16_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def _joined(patterns: Sequence[str], name: str) -> java_regex.JavaPattern | None:
    return java_regex.compile("|".join(patterns), name=name) if patterns else None


class TokenRules:
    r"""Cuts sentences into tokens by patterns.

    Parameters
    ----------
    target_pattern
        What a token is made of: every character outside of it separates. Spark NLP puts it *into a set*,
        ``[^(?:target)]``, so only characters, ranges and classes such as ``\w`` have a meaning in it.
    prefix_pattern, suffix_pattern
        What is split off at the ends; must begin with ``\A`` and end with ``\z``. Made of `context_chars` by default.
    infix_patterns
        What stands between; each must hold a group. The first that matches together with prefix and suffix is taken,
        and its groups are the tokens.
    exceptions
        Patterns; what they match is not cut.
    case_sensitive_exceptions
        Whether the case of exceptions matters.
    context_chars
        Characters that are split off at the ends of a candidate.
    split_pattern
        Splits the groups of a rule further.
    split_chars
        The same by single characters, each alone or behind a backslash; not used where `split_pattern` splits.
    min_length, max_length
        Shorter and longer tokens are left out; counted in UTF-16 units as Spark NLP does.

    rules
        Whole patterns, in place of all that prefix, infix and suffix patterns and context characters say.

    Raises
    ------
    ParameterError
        If a pattern is one that Spark NLP or Java does not take, or that cannot run as it does in Java.
    """

    def __init__(
        self,
        *,
        target_pattern: str = DEFAULT_TARGET,
        prefix_pattern: str | None = None,
        suffix_pattern: str | None = None,
        infix_patterns: Sequence[str] | None = None,
        exceptions: Sequence[str] | None = None,
        case_sensitive_exceptions: bool = True,
        context_chars: Sequence[str] = DEFAULT_CONTEXT,
        split_pattern: str | None = None,
        split_chars: Sequence[str] | None = None,
        min_length: int = 0,
        max_length: int | None = None,
        rules: Sequence[str] | None = None,
    ) -> None:
        self._min_length = min_length
        self._max_length = max_length
        self._breaks = java_regex.compile(f"[^(?:{target_pattern}){_PROTECTED}]", name="target_pattern")
        self._separators = java_regex.compile(
            f"(?:[^(?:{target_pattern}){_PROTECTED}]|{_BREAK})+", name="target_pattern"
        )
        any_case = "" if case_sensitive_exceptions else "(?i)"
        self._exceptions = _joined([any_case + item for item in _strings(exceptions, "exceptions")], "exceptions")
        if rules is None:
            rules = _rules(prefix_pattern, suffix_pattern, infix_patterns, context_chars)
        self._rules = [_rule(pattern) for pattern in _strings(rules, "rules")]
        self._split = None if split_pattern is None else java_regex.compile(split_pattern, name="split_pattern")
        split_at = _strings(split_chars, "split_chars")
        for item in split_at:
            fits = len(item) == 1 or (len(item) == 2 and item[0] == "\\")
            _demand(fits, "split_chars", item, "be single characters, or a backslash and one")
        self._split_at = frozenset(item[-1] for item in split_at)
        self._split_chars = _joined(split_at, "split_chars")

    def split(self, text: str) -> list[Span]:
        """Return the places of the tokens of one sentence, as half-open spans of characters."""
        shown, whole = self._protect(text)
        spans: list[Span] = []
        for begin, end in self._candidates(shown):
            candidate = shown[begin:end]
            if self._exceptions is not None and (_PROTECTED in candidate or candidate in whole):
                spans.append((begin, end))
            else:
                spans.extend((begin + b, begin + e) for b, e in self._tokens(candidate))
        return [span for span in spans if self._has_wanted_length(text[span[0] : span[1]])]

    def _has_wanted_length(self, token: str) -> bool:
        if not token:
            return False
        units = _utf16_length(token)
        return units >= self._min_length and (self._max_length is None or units <= self._max_length)

    def _protect(self, text: str) -> tuple[str, set[str]]:
        """Hide the breaks inside exceptions; return the text and the exceptions that hold none."""
        whole: set[str] = set()
        if self._exceptions is None:
            return text, whole
        parts: list[str] = []
        done = 0
        for match in self._exceptions.finditer(text):
            begin, end = match.span()
            hidden = list(text[begin:end])
            places = [found.start() for found in self._breaks.finditer(text[begin:end])]
            for place in places:
                hidden[place] = _PROTECTED
            if not places:
                whole.add(text[begin:end])
            parts += text[done:begin], "".join(hidden)
            done = end
        return "".join((*parts, text[done:])), whole

    def _candidates(self, text: str) -> Iterator[Span]:
        at = 0
        for match in self._separators.finditer(text):
            begin, end = match.span()
            if at < begin:
                yield at, begin
            at = end
        if at < len(text):
            yield at, len(text)

    def _tokens(self, candidate: str) -> Iterator[Span]:
        for rule in self._rules:
            if (match := rule.search(candidate)) is not None:
                for number in range(1, rule.groups + 1):
                    begin, end = match.span(number)
                    if begin >= 0:
                        yield from ((begin + b, begin + e) for b, e in self._parts(candidate[begin:end]))
                return
        yield 0, len(candidate)

    def _parts(self, group: str) -> list[Span]:
        if self._split is not None and len(parts := self._split.split(group)) > 1:
            return parts
        if self._split_chars is not None and not self._split_at.isdisjoint(group):
            return self._split_chars.split(group)
        return [(0, len(group))]


def _rules(
    prefix: str | None, suffix: str | None, infixes: Sequence[str] | None, context_chars: Sequence[str]
) -> list[str]:
    context = _strings(context_chars, "context_chars")
    for character in context:
        _demand(len(character) == 1, "context_chars", character, "be single characters")
    needs_context = prefix is None or suffix is None or infixes is None
    if needs_context and not context:
        raise ParameterError("context_chars is empty; give at least one character, or all of the patterns.")
    members = "".join(f"\\x{{{ord(character):X}}}" for character in context)
    if prefix is None:
        prefix = rf"\A([{members}]*)"
    if suffix is None:
        suffix = rf"([{members}]*)\z"
    if infixes is None:
        infixes = [rf"([^{members}](?:.*[^{members}])*)"]
    _demand(prefix.startswith("\\A"), "prefix_pattern", prefix, "begin with \\A")
    _demand(suffix.endswith("\\z"), "suffix_pattern", suffix, "end with \\z")
    rules = []
    for infix in _strings(infixes, "infix_patterns"):
        _demand("(" in infix and ")" in infix, "infix_patterns", infix, "hold a group in ( )")
        rules.append(prefix + infix + suffix)
    if not rules:
        raise ParameterError("infix_patterns is empty; give a pattern, or leave it unset.")
    return rules


def _rule(pattern: str) -> java_regex.JavaPattern:
    rule = java_regex.compile(pattern, name="prefix_pattern, infix_patterns and suffix_pattern together")
    if rule.hidden_groups:
        raise ParameterError(
            f"{rule.name} is {pattern!r}: its group {rule.hidden_groups[0]} is inside a lookaround, an atomic group or "
            "a repetition, so that Java may put it elsewhere than it matched. Write (?:...) there."
        )
    return rule
