"""A pickle interpreter that builds plain values and tensor descriptions, and can call nothing.

Pickle is a program for a stack machine; Python's own machine will import and call whatever it is told to. This
one knows the operations that PyTorch's writers use, and a list of names each of which stands for a value here.
Operations: the comments of CPython's `pickletools`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Hashable, Mapping
from typing import Any, BinaryIO

MAX_BYTES = 256 << 20
MAX_STEPS = 20_000_000
MAX_MEMO = 4_000_000

Global = Callable[..., Any]


class PickleError(ValueError):
    """A pickle that is damaged, or that asks for more than values."""


class _Mark:
    """The place of a MARK on the stack."""


_MARK = _Mark()


class Machine:
    """Runs pickles of one file.

    Parameters
    ----------
    reader
        The file, at the start of a pickle.
    names
        What the pickle may name, as "module name": a function of ours that REDUCE may call with the arguments of the
        pickle, or a value. Nothing is imported.
    persistent
        Called with a persistent id; None: the pickle may have none.
    """

    def __init__(
        self, reader: BinaryIO, names: Mapping[str, Any], persistent: Callable[[Any], Any] | None = None
    ) -> None:
        self._reader, self._names, self._persistent = reader, names, persistent
        self._left = MAX_BYTES
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def load(self) -> Any:
        """Run one pickle and return its value.

        Raises
        ------
        PickleError
            It is truncated, uses an operation or a name that is not on the list, or does not end.
        """
        self._stack, self._memo = [], {}
        for _ in range(MAX_STEPS):
            code = self._read(1)
            if code == b".":
                return self._pop()
            step = _OPERATIONS.get(code)
            if step is None:
                raise PickleError(f"the operation {code!r} is none that weights need")
            try:
                step(self)
            except (IndexError, TypeError, KeyError, struct.error, UnicodeDecodeError, AttributeError) as error:
                raise PickleError(f"the operation {code!r} cannot be done ({error})") from None
        raise PickleError(f"it has more than {MAX_STEPS} operations")

    def _read(self, size: int) -> bytes:
        if size < 0 or size > self._left:
            raise PickleError(f"it has more than {MAX_BYTES} bytes")
        self._left -= size
        data = self._reader.read(size)
        if len(data) != size:
            raise PickleError("it ends in the middle of an operation")
        return data

    def _number(self, form: str) -> Any:
        return struct.unpack(form, self._read(struct.calcsize(form)))[0]

    def _line(self) -> str:
        line = bytearray()
        while (byte := self._read(1)) != b"\n":
            line += byte
            if len(line) > 1000:
                raise PickleError("a name of over 1,000 bytes")
        return line.decode("ascii")

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _pop(self) -> Any:
        value = self._stack.pop() if self._stack else _MARK
        if value is _MARK:
            raise PickleError("no value where one should be")
        return value

    def _pop_mark(self) -> list[Any]:
        for at in range(len(self._stack) - 1, -1, -1):
            if self._stack[at] is _MARK:
                items = self._stack[at + 1 :]
                del self._stack[at:]
                return items
        raise PickleError("no mark where one should be")

    def _remember(self, index: int) -> None:
        if len(self._memo) >= MAX_MEMO:
            raise PickleError(f"it remembers more than {MAX_MEMO} values")
        self._memo[index] = self._stack[-1]

    def _recall(self, index: int) -> None:
        self._push(self._memo[index])

    def _named(self, module: str, name: str) -> None:
        full = f"{module} {name}"
        if full not in self._names:
            raise PickleError(f"it names {module}.{name}, which is no part of weights; nothing of it was run")
        self._push(self._names[full])

    def _stack_global(self) -> None:
        name, module = self._pop(), self._pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise PickleError("a name that is no text")
        self._named(module, name)

    def _tuple(self, size: int) -> None:
        items = tuple(self._pop() for _ in range(size))
        self._push(items[::-1])

    def _reduce(self) -> None:
        arguments, function = self._pop(), self._pop()
        # Identity with a function of the list: a value that merely is callable does not count.
        if not isinstance(arguments, tuple) or not any(function is known for known in self._names.values()):
            raise PickleError("it calls something that is not on the list")
        if not callable(function):
            raise PickleError("it calls a value")
        self._push(function(*arguments))

    def _build(self) -> None:
        state = self._pop()
        # An OrderedDict's attributes (PyTorch keeps `_metadata` there) say nothing about weights.
        if not isinstance(self._stack[-1], dict) or not isinstance(state, (dict, tuple)):
            raise PickleError("it sets the state of something that has none")

    def _append(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, list):
            raise PickleError("it appends to something that is no list")
        target.extend(items)

    def _set(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, dict) or len(items) % 2:
            raise PickleError("it sets items of something that is no dictionary")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, (str, int, float, bool, type(None))):
                raise PickleError("a key that is neither text nor number")
            target[key] = value

    def _persist(self, key: Any) -> None:
        if self._persistent is None or not isinstance(key, Hashable):
            raise PickleError("it has a persistent id where none can be")
        self._push(self._persistent(key))

    def _long(self, size: int) -> None:
        if size > 64:
            raise PickleError(f"a number of {size} bytes")
        self._push(int.from_bytes(self._read(size), "little", signed=True))

    def _pair(self) -> list[Any]:
        value, key = self._pop(), self._pop()
        return [key, value]


_OPERATIONS: dict[bytes, Callable[[Machine], None]] = {
    b"\x80": lambda m: None if m._read(1)[0] <= 5 else _refuse("a protocol past 5"),
    b"\x95": lambda m: None if m._number("<Q") <= MAX_BYTES else _refuse("a frame past every size"),
    b"(": lambda m: m._push(_MARK),
    b"0": lambda m: m._stack.pop() and None,
    b"2": lambda m: m._push(m._stack[-1]),
    b"N": lambda m: m._push(None),
    b"\x88": lambda m: m._push(True),
    b"\x89": lambda m: m._push(False),
    b"J": lambda m: m._push(m._number("<i")),
    b"K": lambda m: m._push(m._number("<B")),
    b"M": lambda m: m._push(m._number("<H")),
    b"\x8a": lambda m: m._long(m._number("<B")),
    b"G": lambda m: m._push(m._number(">d")),
    b"X": lambda m: m._push(m._read(m._number("<I")).decode("utf-8")),
    b"\x8c": lambda m: m._push(m._read(m._number("<B")).decode("utf-8")),
    b"\x8d": lambda m: m._push(m._read(m._number("<Q")).decode("utf-8")),
    b"U": lambda m: m._push(m._read(m._number("<B")).decode("latin-1")),
    b"T": lambda m: m._push(m._read(m._number("<i")).decode("latin-1")),
    b"B": lambda m: m._push(m._read(m._number("<I"))),
    b"C": lambda m: m._push(m._read(m._number("<B"))),
    b")": lambda m: m._push(()),
    b"t": lambda m: m._push(tuple(m._pop_mark())),
    b"\x85": lambda m: m._tuple(1),
    b"\x86": lambda m: m._tuple(2),
    b"\x87": lambda m: m._tuple(3),
    b"]": lambda m: m._push([]),
    b"a": lambda m: m._append([m._pop()]),
    b"e": lambda m: m._append(m._pop_mark()),
    b"}": lambda m: m._push({}),
    b"s": lambda m: m._set(m._pair()),
    b"u": lambda m: m._set(m._pop_mark()),
    b"q": lambda m: m._remember(m._number("<B")),
    b"r": lambda m: m._remember(m._number("<I")),
    b"\x94": lambda m: m._remember(len(m._memo)),
    b"h": lambda m: m._recall(m._number("<B")),
    b"j": lambda m: m._recall(m._number("<I")),
    b"c": lambda m: m._named(m._line(), m._line()),
    b"\x93": lambda m: m._stack_global(),
    b"R": lambda m: m._reduce(),
    b"b": lambda m: m._build(),
    b"Q": lambda m: m._persist(m._pop()),
}


def _refuse(what: str) -> None:
    raise PickleError(what)
