"""What a part of a Java pattern becomes: source for the `regex` module, and what has to be known to join parts."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Chars:
    """A set of characters: `items` is the inside of a set of `regex` (V1), so two sets are united by joining them."""

    items: str
    negated: bool = False

    @property
    def source(self) -> str:
        return f"[{'^' if self.negated else ''}{self.items}]"

    @property
    def as_item(self) -> str:
        return self.source if self.negated else self.items

    def __or__(self, other: Chars) -> Chars:
        return Chars(self.as_item + other.as_item)

    def __and__(self, other: Chars) -> Chars:
        return Chars(f"[{self.source}&&{other.source}]")

    def __invert__(self) -> Chars:
        return Chars(self.items, not self.negated)


def char_source(code_point: int) -> str:
    """Name one character so that neither a set nor a pattern of `regex` can take it for syntax."""
    return f"\\x{code_point:02X}" if code_point < 0x100 else f"\\U{code_point:08X}"


def span(first: int, last: int) -> Chars:
    """All characters from `first` to `last`."""
    return Chars(char_source(first) if first == last else f"{char_source(first)}-{char_source(last)}")


@dataclass(frozen=True, slots=True)
class Piece:
    """A translated part of a pattern.

    Attributes
    ----------
    source
        The part in the syntax of `regex`, V1; it can be put beside others, and quantified if `single`.
    shortest, longest
        Bounds of a match in characters; `longest` is None where Java finds none.
    deterministic
        Java's word for a part that matches in one way only; it decides whether a repeated group has a `longest`.
    captures
        Whether there is a capturing group in it.
    uncertain
        Whether a match may leave out a group of it.
    commits
        Whether it throws away ways of matching (atomic, possessive), so that the direction of matching shows.
    refers
        Whether there is a back reference in it.
    weight
        Its size with counted repetitions written out, which `regex` does.
    """

    source: str
    shortest: int = 0
    longest: int | None = 0
    single: bool = False
    deterministic: bool = True
    captures: bool = False
    uncertain: bool = False
    commits: bool = False
    refers: bool = False
    weight: int = 1


NEVER = Piece("(?!)")


def one(chars: Chars) -> Piece:
    """One character of a set."""
    return Piece(chars.source, 1, 1, single=True)


def sequence(parts: list[Piece]) -> Piece:
    """One part after the other."""
    if len(parts) == 1:
        return parts[0]
    longest = [part.longest for part in parts if part.longest is not None]
    return Piece(
        "".join(part.source for part in parts),
        sum(part.shortest for part in parts),
        sum(longest) if len(longest) == len(parts) else None,
        deterministic=all(part.deterministic for part in parts),
        captures=any(part.captures for part in parts),
        uncertain=any(part.uncertain for part in parts),
        commits=any(part.commits for part in parts),
        refers=any(part.refers for part in parts),
        weight=sum(part.weight for part in parts),
    )


def alternatives(branches: list[Piece]) -> Piece:
    """The first branch that leads to a match."""
    if len(branches) == 1:
        return branches[0]
    joined = sequence(branches)
    return replace(
        joined,
        source=f"(?:{'|'.join(branch.source for branch in branches)})",
        shortest=min(branch.shortest for branch in branches),
        longest=None if joined.longest is None else max(branch.longest or 0 for branch in branches),
        deterministic=False,
        uncertain=True,
    )


def group(body: Piece, opening: str) -> Piece:
    """A part in parentheses; `opening` is ``(``, ``(?:``, ``(?>``, ``(?=`` and so on."""
    looks = opening not in ("(", "(?:", "(?>")
    return replace(
        body,
        source=f"{opening}{body.source})",
        shortest=0 if looks else body.shortest,
        longest=0 if looks else body.longest,
        deterministic=opening != "(?>" and (looks or body.deterministic),
        captures=body.captures or opening == "(",
        commits=body.commits or opening == "(?>",
        single=True,
    )


def repeat(body: Piece, low: int, high: int | None, kind: str, *, is_group: bool) -> Piece:
    """A quantified part; `kind` is "" (greedy), "?" (lazy) or "+" (possessive)."""
    atom = body.source if body.single else f"(?:{body.source})"
    count = {(0, 1): "?", (0, None): "*", (1, None): "+"}.get((low, high)) or (
        f"{{{low},{'' if high is None else high}}}"
    )
    if kind == "+":
        # Java throws the other ways of matching away after every round, not only after the last.
        source = f"(?>{atom if body.shortest == body.longest == 1 else f'(?>{atom})'}{count})"
    else:
        # A part that matches in one way keeps what it took: of Java's, only \\R and back references vary in length.
        keeps = body.deterministic and body.shortest != body.longest and not (is_group and (low, high) == (0, 1))
        source = (f"(?>{atom})" if keeps else atom) + count + kind
    # Java gives up the bound of a group that it runs as a loop. X? is a branch, and has one.
    loops = is_group and kind != "+" and not body.deterministic and (low, high) != (0, 1)
    bounded = high is not None and body.longest is not None and not loops
    return replace(
        body,
        source=source,
        shortest=body.shortest * low,
        longest=(body.longest or 0) * (high or 0) if bounded else None,
        deterministic=body.deterministic and low == high and kind != "+",
        uncertain=body.uncertain or (low == 0 and body.captures),
        commits=body.commits or kind == "+",
        single=kind == "+",
        weight=body.weight * max(low, 1) + 1,
    )
