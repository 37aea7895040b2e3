"""What ends a command early, and its exit codes."""

from __future__ import annotations

FAILED, USAGE, INTERRUPTED, PIPE_CLOSED = 1, 2, 130, 141
UNKNOWN = 2  # of verify


class UsageError(Exception):
    """Arguments that argparse cannot check."""
