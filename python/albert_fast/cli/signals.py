"""SIGTERM and SIGHUP end the command as an exception does: what it has begun to write is removed on the way out."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_ENDING = (signal.SIGTERM, signal.SIGHUP)


class Terminated(BaseException):
    """A signal asks the process to end. Like KeyboardInterrupt it is no `Exception`, so that nothing holds it up."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextlib.contextmanager
def ending_signals_raise() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise `Terminated` inside the block.

    A signal that is ignored (nohup does that) or has a handler already is left alone, and so are all of them outside of
    the main thread, which alone may set handlers.
    """
    ours = []
    if threading.current_thread() is threading.main_thread():
        ours = [number for number in _ENDING if signal.getsignal(number) is signal.SIG_DFL]

    def stop(number: int, frame: FrameType | None) -> None:
        # A shell and the kernel both send SIGHUP when a terminal closes: the second must not stop the cleaning up.
        for each in ours:
            signal.signal(each, signal.SIG_IGN)
        raise Terminated(number)

    try:
        for number in ours:
            signal.signal(number, stop)
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def end_by(number: int) -> int:
    """End the process by a signal, so that its parent sees what ended it; returns only where the signal is blocked."""
    os.kill(os.getpid(), number)
    return 128 + number
