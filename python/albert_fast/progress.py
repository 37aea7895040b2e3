"""A progress bar for long calls: on a terminal, if tqdm is installed, and never in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .errors import MissingDependencyError


@contextmanager
def progress_bar(total: int | None, wanted: bool | None, unit: str = "text") -> Iterator[Callable[[int], object]]:
    """Yield a function that is told how many more items are done.

    Parameters
    ----------
    total
        Number of items, if known.
    wanted
        True: always, and tqdm must be installed. None: on a terminal, if tqdm is there. False: never.
    unit
        What is counted; "B" (bytes) is shown in kB, MB, GB.
    """
    if wanted is False or (wanted is None and not (sys.stderr and sys.stderr.isatty())):
        yield lambda count: None
        return
    try:
        from tqdm.auto import tqdm
    except ImportError:
        if wanted:
            raise MissingDependencyError(
                "show_progress=True needs tqdm, which is not installed. Install it: pip install tqdm"
            ) from None
        yield lambda count: None
        return
    with tqdm(total=total, unit=unit, unit_scale=unit == "B") as bar:
        yield bar.update
