"""The command `albert-fast`: embed texts, list, describe, convert and verify models, explain and measure the machine.

Exit codes: 0 done, 1 failed (the reason is on the standard error output), 2 wrong usage, 130 interrupted, 141
the reader of the output went away. SIGTERM and SIGHUP end the command as they end others, after it has cleaned up.
`verify`: 0 pass, 1 fail, 2 cannot say.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import AlbertFastError
from .arguments import make_parser
from .failures import FAILED, INTERRUPTED, PIPE_CLOSED, USAGE, UsageError
from .printing import complain, discard_output, flush_output, occupy_closed_descriptors
from .signals import Terminated, end_by, ending_signals_raise


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    occupy_closed_descriptors()
    try:
        with ending_signals_raise():
            return _run(argv)
    except Terminated as stop:
        return end_by(stop.number)


def _run(argv: Sequence[str] | None) -> int:
    try:
        code = _parse_and_run(argv)
        flush_output()
        return code
    except UsageError as error:
        return complain(error, USAGE)
    except AlbertFastError as error:
        return complain(error, FAILED)
    except BrokenPipeError:
        discard_output()
        return PIPE_CLOSED
    except OSError as error:
        return complain(error, FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED


def _parse_and_run(argv: Sequence[str] | None) -> int:
    try:
        arguments = make_parser().parse_args(argv)
    except SystemExit as stop:  # argparse has printed already
        return stop.code if isinstance(stop.code, int) else USAGE
    code: int = arguments.run(arguments)
    return code
