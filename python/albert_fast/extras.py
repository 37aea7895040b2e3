"""Packages that are not needed by all: imported where they are, or said how to get."""

from __future__ import annotations

import importlib
from typing import Any

from .errors import MissingDependencyError


def import_package(name: str, what: str) -> Any:
    """Import a package, or say that `what` needs it."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingDependencyError(
            f"{what} needs {name}, which is not installed. Install it: pip install {name}"
        ) from None
