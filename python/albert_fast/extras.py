"""Packages that are not needed by all: imported where they are, or said how to get."""

from __future__ import annotations

from typing import Any

from .errors import MissingDependencyError


def import_pandas(what: str) -> Any:
    """Import pandas, or say who needs it."""
    try:
        import pandas
    except ImportError:
        raise MissingDependencyError(
            f"{what} needs pandas, which is not installed. Install it: pip install pandas"
        ) from None
    return pandas


def import_pyarrow(what: str) -> Any:
    """Import pyarrow, or say who needs it."""
    try:
        import pyarrow
    except ImportError:
        raise MissingDependencyError(
            f"{what} needs pyarrow, which is not installed. Install it: pip install pyarrow"
        ) from None
    return pyarrow
