"""Custom bounds of the SentenceDetector: where patterns of the user cut a text."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

from ..errors import ParameterError
from ..java_regex import JavaPattern

Break = tuple[int, int]

STRATEGIES = ("none", "prepend", "append")
#: Spark NLP's mark for a break, which a later pattern sees as a character of the text.
_MARK = "\uf050"
# A document may hold Spark NLP's marks itself. For the patterns these become other characters of private use.
_HIDDEN = {mark: mark + 8 for mark in range(0xF050, 0xF058)}


class _Marked:
    """A text with marks in it, and what each mark stands for."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at: list[int] = []  # places of the marks in `text`
        self.breaks: list[Break] = []
        self._removed = [0]  # characters removed by the first n marks

    def original(self, place: int) -> tuple[int, int]:
        """Return the place in the original text, and the number of marks before it."""
        marks = bisect_left(self.at, place)
        return place - marks + self._removed[marks], marks

    def rewritten(self, pattern: JavaPattern, strategy: str) -> _Marked:
        """Mark every match of a pattern."""
        parts: list[str] = []
        places: list[int] = []
        breaks: list[Break] = []
        done = kept = length = 0  # done, kept: what was taken over of the text and of the marks

        def keep(end: int, marks: int) -> None:
            nonlocal done, kept, length
            parts.append(self.text[done:end])
            places.extend(place - done + length for place in self.at[kept:marks])
            breaks.extend(self.breaks[kept:marks])
            length += end - done
            done, kept = end, marks

        for match in pattern.finditer(self.text):
            begin, end = match.span()
            cut = end if strategy == "append" else begin
            position, marks = self.original(cut)
            keep(cut, marks)
            places.append(length)
            parts.append(_MARK)
            length += 1
            removed = 0
            if strategy == "none":
                behind, kept = self.original(end)
                removed, done = behind - position, end
            breaks.append((position, removed))
        if not breaks:
            return self
        keep(len(self.text), len(self.at))
        result = _Marked("".join(parts))
        result.at, result.breaks = places, breaks
        result._removed = list(accumulate((removed for _, removed in breaks), initial=0))
        return result


def find_breaks(text: str, bounds: Sequence[JavaPattern], strategy: str) -> list[Break]:
    """Return where custom bounds cut a text.

    As in Spark NLP every pattern runs over the text as the patterns before it left it, where a break is the character
    U+F050. In the document U+F050 to U+F057 are ordinary characters: the patterns see U+F058 to U+F05F for them.

    Parameters
    ----------
    text
        The document.
    bounds
        Patterns, in their order.
    strategy
        ``"none"`` puts a break in place of a match, ``"prepend"`` before it, ``"append"`` behind it.

    Returns
    -------
    list of (position, removed)
        In ascending order: a break before character `position`, from which on `removed` characters are left out.
    """
    if strategy not in STRATEGIES:
        raise ParameterError(f"custom_bounds_strategy is {strategy!r}; it can be {', '.join(STRATEGIES)}.")
    if any(chr(mark) in text for mark in _HIDDEN):
        text = text.translate(_HIDDEN)
    marked = _Marked(text)
    for pattern in bounds:
        marked = marked.rewritten(pattern, strategy)
    return marked.breaks
