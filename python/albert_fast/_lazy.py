"""Names of a package that are imported when they are first asked for, so that importing the package stays light."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ._missing import missing_name


def lazy_names(
    package: str, modules: Mapping[str, Sequence[str]], exported: Sequence[str] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return a package's ``__getattr__`` (PEP 562), which finds names in its own modules, and its ``__dir__``.

    `exported` are the names that a package that stands for one of Spark NLP's says to have, asked for another.
    """
    homes = {name: module for module, names in modules.items() for name in names}

    def find(name: str) -> Any:
        if name not in homes and exported is not None:
            raise missing_name(package, name, exported)
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{package}.{homes[name]}"), name)
        setattr(sys.modules[package], name, value)  # asked for once only
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return find, names
