"""Parameters: one declaration per parameter, used by the keyword and by the Spark NLP setter alike.

An annotator lists its `Param`s in `_params`; `set_param` and `get_param` are the only doors to the values, so
`AlbertEmbeddings(batch_size=8)`, `.setBatchSize(8)` and a saved folder's `{"batch_size": 8}` pass the same check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from .errors import ParameterError


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter: its two names, default and check.

    Attributes
    ----------
    name
        Python keyword, for example ``batch_size``.
    spark_name
        Spark NLP's name, for example ``batchSize``; the setter is ``set`` and this name capitalised.
    default
        Value when nobody set it; None means unset.
    check
        Turns a given value into the stored one or raises ``ValueError`` saying what is allowed.
    doc
        One sentence.
    """

    name: str
    spark_name: str
    default: Any
    check: Callable[[Any], Any]
    doc: str


class HasParams:
    """Parameter storage of an annotator."""

    _params: ClassVar[tuple[Param, ...]] = ()

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values: dict[str, Any] = {}
        for name, value in values.items():
            self.set_param(name, value)

    @classmethod
    def params(cls) -> tuple[Param, ...]:
        """Return the declarations of all parameters of this annotator."""
        return cls._params

    @classmethod
    def _declared(cls, name: str) -> Param:
        for param in cls._params:
            if name in (param.name, param.spark_name):
                return param
        import difflib  # only to explain a mistake

        known = [param.name for param in cls._params]
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {close[0]}?" if close else f"It has {', '.join(known)}."
        raise ParameterError(f"{cls.__name__} has no parameter {name!r}. {hint}")

    @classmethod
    def check_param(cls, name: str, value: Any) -> Any:
        """Return the value as it would be stored, or raise `ParameterError`."""
        param = cls._declared(name)
        try:
            return param.check(value)
        except (TypeError, ValueError) as error:
            raise ParameterError(f"{cls.__name__}: {param.name} is {value!r}; {error}.") from None

    def set_param(self, name: str, value: Any) -> None:
        """Check and store one parameter, by either of its names."""
        self._values[self._declared(name).name] = self.check_param(name, value)

    def get_param(self, name: str) -> Any:
        """Return the value that was set, else the default."""
        param = self._declared(name)
        return self._values.get(param.name, param.default)

    def explicit_params(self) -> dict[str, Any]:
        """Return what was set explicitly, by Python keyword."""
        return dict(self._values)


def integer(lowest: int, highest: int | None = None) -> Callable[[Any], int]:
    """Check for a whole number in a range."""

    def check(value: Any) -> int:
        allowed = f"it must be a whole number of at least {lowest}" + (f", at most {highest}" if highest else "")
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise TypeError(allowed)
        number = int(value.__index__())
        if number < lowest or (highest is not None and number > highest):
            raise ValueError(allowed)
        return number

    return check


def boolean(value: Any) -> bool:
    """Check for True or False."""
    if isinstance(value, bool):
        return value
    raise TypeError("it must be True or False")


def text(value: Any) -> str:
    """Check for a string that is not empty."""
    if isinstance(value, str) and value:
        return value
    raise TypeError("it must be a string that is not empty")


def one_of(*names: str) -> Callable[[Any], str]:
    """Check for one of some names."""

    def check(value: Any) -> str:
        if isinstance(value, str) and value in names:
            return value
        raise ValueError(f"it can be {', '.join(names)}")

    return check


def optional(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Let None pass beside what `check` allows."""
    return lambda value: None if value is None else check(value)


def strings(count: int | None = None) -> Callable[[Any], tuple[str, ...]]:
    """Check for a list of column names, of a fixed length where `count` says so."""

    def check(value: Any) -> tuple[str, ...]:
        names = tuple([value] if isinstance(value, str) or not isinstance(value, Iterable) else value)
        if not all(isinstance(item, str) and item for item in names):
            raise TypeError("it must be column names")
        if count is not None and len(names) != count:
            raise ValueError(f"it must be {count} column names, not {len(names)}")
        return names

    return check


def integers(value: Any) -> tuple[int, ...]:
    """Check for one whole number or several."""
    wrong = "it must be whole numbers"
    if isinstance(value, str):
        raise TypeError(wrong)
    try:
        given = list(value) if isinstance(value, Iterable) else [value]
    except TypeError:  # an array without dimensions
        given = [value]
    if not all(hasattr(item, "__index__") and not isinstance(item, bool) for item in given):
        raise TypeError(wrong)
    return tuple(int(item.__index__()) for item in given)


def layer_numbers(value: Any) -> tuple[int, ...]:
    """Check for one layer number or several; negative ones count from the last layer."""
    numbers = integers(value)
    if not numbers:
        raise ValueError("it must name at least one layer number")
    return numbers
