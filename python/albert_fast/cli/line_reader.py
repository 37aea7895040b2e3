"""Lines as they arrive: many at a time while there are many, and those that are there when the sender pauses."""

from __future__ import annotations

import os
import select
import time
from collections import deque
from collections.abc import Iterator

_READ_BYTES = 1 << 16  # what a pipe holds
_PAUSE = 0.005  # seconds of silence after which a sender has paused; one that only makes room is back much sooner
_LONGEST = 0.1  # seconds that a line waits at most for others, where they come in drops


class LineReader:
    """Reads a descriptor: a file, a pipe or a terminal. Only LF ends a line."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)
        self._lines: deque[bytes] = deque()
        self._rest: list[bytes] = []  # the pieces of a line whose end has not come
        self._ended = False

    def chunks(self, most: int) -> Iterator[list[bytes]]:
        """Yield all lines, without their ends, up to `most` at a time.

        Raises
        ------
        OSError
            It cannot be read.
        """
        while True:
            self._fill(most)
            if not self._lines:
                return
            yield [self._lines.popleft() for _ in range(min(most, len(self._lines)))]

    def _fill(self, most: int) -> None:
        """Read until there are enough lines, or some and the sender pauses, or the end."""
        latest: float | None = None
        while len(self._lines) < most and not self._ended:
            if not self._lines:
                self._poll.poll()
            else:
                now = time.monotonic()
                latest = now + _LONGEST if latest is None else latest
                if latest <= now or not self._poll.poll(1000 * min(_PAUSE, latest - now)):
                    return
            self._read()

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:  # somebody else was faster, or it was nothing
            return
        *ended, rest = data.split(b"\n")
        if ended:
            self._rest.append(ended[0])
            self._lines.append(b"".join(self._rest))
            self._lines.extend(ended[1:])
            self._rest = []
        self._rest.append(rest)
        if not data:
            self._ended = True
            if last := b"".join(self._rest):
                self._lines.append(last)
