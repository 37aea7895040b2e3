"""Parameters: one declaration per parameter, used by the keyword and by the Spark NLP setter alike.

An annotator lists its `Param`s in `_params`; `set_param` and `get_param` are the only doors to the values, so
`AlbertEmbeddings(batch_size=8)`, `.setBatchSize(8)` and a saved folder's `{"batch_size": 8}` pass the same check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar, overload

from .errors import ParameterError

if TYPE_CHECKING:
    import sys

    if sys.version_info >= (3, 11):
        from typing import Self
    else:
        from typing_extensions import Self

_Owner = TypeVar("_Owner", bound="HasParams")


class Param(NamedTuple):  # not a dataclass: importing those takes a tenth of our import
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
    _index: ClassVar[dict[str, Param]]  # of each class its own, made on first use

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
        if not isinstance(name, str):
            raise ParameterError(f"{cls.__name__}: a parameter is named by a string, not {name!r}.")
        index: dict[str, Param] | None = cls.__dict__.get("_index")
        if index is None:
            index = {key: param for param in cls._params for key in (param.name, param.spark_name)}
            cls._index = index
        if name in index:
            return index[name]
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

    # ---------------------------------------------------------------- Spark's Params interface

    def setParams(self, /, **parameters: Any) -> Self:
        """Check and store several parameters, all or none of them, and return the annotator."""
        checked = {self._declared(name).name: self.check_param(name, value) for name, value in parameters.items()}
        self._values |= checked
        return self

    def isSet(self, param: str) -> bool:
        """Whether somebody set this parameter."""
        return self._declared(param).name in self._values

    def isDefined(self, param: str) -> bool:
        """Whether this parameter has a value: one that was set, or a default."""
        return self.get_param(param) is not None

    def hasParam(self, paramName: str) -> bool:
        """Whether there is a parameter of this name."""
        return any(paramName in (param.name, param.spark_name) for param in self._params)

    def getOrDefault(self, param: str) -> Any:
        """Return the value that was set, else the default."""
        return self.get_param(param)

    def extractParamMap(self) -> dict[str, Any]:
        """Return the parameters that have a value, by Spark NLP's names."""
        return {param.spark_name: self.get_param(param.name) for param in self._params if self.isDefined(param.name)}

    def explainParam(self, param: str) -> str:
        """Return a line about one parameter: its meaning, default and value."""
        declared = self._declared(param)
        default = "undefined" if declared.default is None else f"default: {declared.default}"
        current = f", current: {self.get_param(declared.name)}" if self.isSet(declared.name) else ""
        return f"{declared.spark_name}: {declared.doc} ({default}{current})"

    def explainParams(self) -> str:
        """Return a line about every parameter."""
        return "\n".join(self.explainParam(param.name) for param in self._params)


class Setter:
    """Spark NLP's setter of one parameter: ``setBatchSize = Setter()`` sets ``batchSize`` and returns the annotator."""

    def __set_name__(self, owner: type[HasParams], name: str) -> None:
        self._param = name[3].lower() + name[4:]
        self.__doc__ = f"Set {self._param}. {owner._declared(self._param).doc} Returns the annotator."

    @overload
    def __get__(self, instance: None, owner: type) -> Setter: ...
    @overload
    def __get__(self, instance: _Owner, owner: type) -> Callable[[Any], _Owner]: ...
    def __get__(self, instance: _Owner | None, owner: type) -> Setter | Callable[[Any], _Owner]:
        if instance is None:
            return self
        target = instance

        def set_value(value: Any) -> _Owner:
            target.set_param(self._param, value)
            return target

        return set_value


class Getter:
    """Spark NLP's getter of one parameter: ``getBatchSize = Getter()``. A list is given as a new list."""

    def __set_name__(self, owner: type[HasParams], name: str) -> None:
        self._param = name[3].lower() + name[4:]
        self.__doc__ = f"Return {self._param}, or None when unset. {owner._declared(self._param).doc}"

    @overload
    def __get__(self, instance: None, owner: type) -> Getter: ...
    @overload
    def __get__(self, instance: HasParams, owner: type) -> Callable[[], Any]: ...
    def __get__(self, instance: HasParams | None, owner: type) -> Getter | Callable[[], Any]:
        if instance is None:
            return self
        source = instance

        def get_value() -> Any:
            value = source.get_param(self._param)
            return list(value) if isinstance(value, tuple) else value

        return get_value


def listed(columns: tuple[Any, ...]) -> Any:
    """Return the columns of a setter that takes them one by one or as one list."""
    return columns[0] if len(columns) == 1 and not isinstance(columns[0], str) else columns


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


def pattern(value: Any) -> str:
    """Check for a regular expression, given as a string; what it says is checked where it is used."""
    if isinstance(value, str) and value:
        return value
    raise TypeError("it must be a regular expression in a string")


def patterns(value: Any) -> tuple[str, ...]:
    """Check for a list of regular expressions or of texts."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise TypeError("it must be a list of strings")
    given = tuple(value)
    if not all(isinstance(item, str) and item for item in given):
        raise TypeError("it must be a list of strings that are not empty")
    return given


def characters(value: Any) -> tuple[str, ...]:
    """Check for a list of single characters."""
    given = patterns(value)
    if not all(len(item) == 1 for item in given):
        raise ValueError("it must be a list of single characters")
    return given


def string(value: Any) -> str:
    """Check for a string, which may be empty."""
    if isinstance(value, str):
        return value
    raise TypeError("it must be a string")
