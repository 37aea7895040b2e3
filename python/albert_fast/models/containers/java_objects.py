"""Read Java-serialized objects as plain values: class names, fields and texts. No class is ever looked up.

Format: the Java Object Serialization Specification, chapter 6 (grammar of the stream). Hadoop wraps the bytes in
a SequenceFile, of which the uncompressed form of version 6 is read.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

MAX_DEPTH = 100
MAX_VALUES = 200_000
_PRIMITIVES = {"B": "b", "C": "H", "D": "d", "F": "f", "I": "i", "J": "q", "S": "h", "Z": "?"}
_WRITE_METHOD, _SERIALIZABLE, _EXTERNALIZABLE = 1, 2, 4


class JavaError(ValueError):
    """Bytes that are no stream of Java objects, or one of a form that is not read."""


@dataclass(slots=True)
class JavaClass:
    """The description of a class: its name, its serialized fields, and the class it extends."""

    name: str
    flags: int = 0
    fields: list[tuple[str, str]] = field(default_factory=list)
    parent: JavaClass | None = None


@dataclass(slots=True)
class JavaObject:
    """An object: fields of all its classes by name, and what its own writer put behind them."""

    java_class: JavaClass
    fields: dict[str, Any] = field(default_factory=dict)
    written: list[Any] = field(default_factory=list)

    @property
    def class_name(self) -> str:
        """Name of the class, with its package."""
        return self.java_class.name


class _End:
    """TC_ENDBLOCKDATA."""


_END = _End()


class ObjectStream:
    """Reads one stream."""

    def __init__(self, data: bytes) -> None:
        self._view = memoryview(data)
        self._at = 0
        self._handles: list[Any] = []
        self._depth = 0
        if self._take(4) != b"\xac\xed\x00\x05":
            raise JavaError("it does not begin as a stream of Java objects of version 5")

    def read(self) -> Any:
        """Return the first object of the stream.

        Raises
        ------
        JavaError
            It is truncated or of a form that is not read.
        """
        try:
            return self._content()
        except (IndexError, struct.error, UnicodeDecodeError, AttributeError, KeyError, TypeError) as error:
            raise JavaError(f"it is damaged ({error})") from None

    def _take(self, size: int) -> bytes:
        if size < 0 or size > len(self._view) - self._at:
            raise JavaError(
                f"{size} bytes are stated at byte {self._at}, but only {len(self._view) - self._at} are left"
            )
        self._at += size
        return bytes(self._view[self._at - size : self._at])

    def _number(self, form: str) -> Any:
        return struct.unpack(">" + form, self._take(struct.calcsize(">" + form)))[0]

    def _text(self, form: str = "H") -> str:
        # Java's own UTF-8: NUL takes two bytes, and characters past U+FFFF are pairs of three.
        raw = self._take(self._number(form)).replace(b"\xc0\x80", b"\0")
        return raw.decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16")

    def _keep(self, value: Any) -> Any:
        if len(self._handles) >= MAX_VALUES:
            raise JavaError(f"it has more than {MAX_VALUES} objects")
        self._handles.append(value)
        return value

    def _content(self) -> Any:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise JavaError(f"its objects are nested deeper than {MAX_DEPTH}")
        try:
            return self._one(self._number("B"))
        finally:
            self._depth -= 1

    def _one(self, code: int) -> Any:
        if code == 0x70:
            return None
        if code == 0x71:
            return self._handles[self._number("I") - 0x7E0000]
        if code == 0x72:
            return self._class_description()
        if code == 0x73:
            return self._object()
        if code == 0x74:
            return self._keep(self._text())
        if code == 0x7C:
            return self._keep(self._text("Q"))
        if code == 0x75:
            return self._array()
        if code == 0x76:
            return self._keep(self._described())
        if code == 0x77:
            return self._take(self._number("B"))
        if code == 0x7A:
            return self._take(self._number("i"))
        if code == 0x78:
            return _END
        if code == 0x7E:
            described = self._described()
            constant = self._keep(JavaObject(described))
            constant.fields["name"] = self._content()
            return constant
        raise JavaError(f"the code {code:#04x} at byte {self._at - 1} is not read")

    def _described(self) -> JavaClass:
        found = self._content()
        if not isinstance(found, JavaClass):
            raise JavaError(f"no class stands where one should, at byte {self._at}")
        return found

    def _class_description(self) -> JavaClass:
        described: JavaClass = self._keep(JavaClass(self._text()))
        self._take(8)  # serialVersionUID
        described.flags = self._number("B")
        for _ in range(self._number("H")):
            kind = chr(self._number("B"))
            name = self._text()
            if kind in "L[":
                if not isinstance(self._content(), str):
                    raise JavaError("a field whose type is no text")
            elif kind not in _PRIMITIVES:
                raise JavaError(f"a field of the type {kind!r}")
            described.fields.append((kind, name))
        self._rest()
        parent = self._content()
        if parent is not None and not isinstance(parent, JavaClass):
            raise JavaError("a class that extends no class")
        described.parent = parent
        return described

    def _rest(self) -> list[Any]:
        """Return what was written freely, up to its end."""
        items: list[Any] = []
        while (item := self._content()) is not _END:
            items.append(item)
            if len(items) > MAX_VALUES:
                raise JavaError(f"more than {MAX_VALUES} values in a row")
        return items

    def _object(self) -> JavaObject:
        made: JavaObject = self._keep(JavaObject(self._described()))
        line: list[JavaClass] = []
        at: JavaClass | None = made.java_class
        while at is not None:
            line.append(at)
            at = at.parent
            if len(line) > MAX_DEPTH:
                raise JavaError("a class that extends itself")
        for described in reversed(line):
            if described.flags & _EXTERNALIZABLE or not described.flags & _SERIALIZABLE:
                raise JavaError(f"{described.name} writes itself in a form of its own")
            for kind, name in described.fields:
                made.fields[name] = self._content() if kind in "L[" else self._number(_PRIMITIVES[kind])
            if described.flags & _WRITE_METHOD:
                made.written += self._rest()
        return made

    def _array(self) -> list[Any]:
        described = self._described()
        kind = described.name[1:2]
        made: list[Any] = self._keep([])
        count = self._number("i")
        if kind not in _PRIMITIVES and kind not in ("L", "["):
            raise JavaError(f"an array of {described.name!r}")
        width = struct.calcsize(">" + _PRIMITIVES[kind]) if kind in _PRIMITIVES else 1
        if not 0 <= count * width <= len(self._view) - self._at:
            raise JavaError(f"an array of {count} items that are not there")
        for _ in range(count):
            made.append(self._number(_PRIMITIVES[kind]) if kind in _PRIMITIVES else self._content())
        return made


def sequence_file(data: bytes) -> list[bytes]:
    """Return the values of a SequenceFile of BytesWritable, which is what Spark's object files are.

    Raises
    ------
    JavaError
        It is damaged, compressed, or of other values.
    """
    view = memoryview(data)
    at = 0

    def take(size: int) -> bytes:
        nonlocal at
        if size < 0 or size > len(view) - at:
            raise JavaError(f"{size} bytes are stated at byte {at}, but only {len(view) - at} are left")
        at += size
        return bytes(view[at - size : at])

    def number() -> int:
        return int.from_bytes(take(4), "big", signed=True)

    def name() -> str:
        size = take(1)[0]
        if size > 127:  # a longer name has a length of several bytes; no class here does
            raise JavaError("a class name of over 127 bytes")
        return take(size).decode("ascii", "replace")

    if take(4) != b"SEQ\x06":
        raise JavaError("it is not a SequenceFile of version 6")
    _, value_class = name(), name()
    if value_class != "org.apache.hadoop.io.BytesWritable":
        raise JavaError(f"its values are {value_class!r}, not BytesWritable")
    if take(2) != b"\0\0":
        raise JavaError("it is compressed. Save the pipeline without compression of object files")
    if number() != 0:
        raise JavaError("it has metadata of its own")
    sync = take(16)
    values: list[bytes] = []
    while at < len(view):
        length = number()
        if length == -1:
            if take(16) != sync:
                raise JavaError("a sync mark is wrong")
            continue
        key_length = number()
        record_end = at + length
        take(key_length)
        size = number()
        values.append(take(size))
        if at != record_end:
            raise JavaError(f"a record ends at byte {at}, not at {record_end}")
    return values
