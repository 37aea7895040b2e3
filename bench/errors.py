"""What stops a benchmark."""


class BenchError(Exception):
    """The benchmark cannot run as asked; the message says why and what to do."""


class Refused(Exception):  # noqa: N818 - the state of a peer, not a fault of the program
    """A peer does not do the same work, so it is not timed; the message says in what it differs."""
