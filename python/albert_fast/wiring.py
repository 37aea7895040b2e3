"""Words about the columns of a table, for messages."""

from __future__ import annotations

from collections.abc import Mapping

# Columns of a table by name: the type of their annotations, None for a column of the user's own, EMPTY where no cell
# says what it would hold: a table without rows looks the same whatever was in it.
Columns = Mapping[str, "str | None"]
EMPTY = "empty"


def there(columns: Columns, wanted: str = "") -> str:
    """Say which columns there are, and which of them `wanted` may have meant."""
    import difflib  # only to explain a mistake

    listed = ", ".join(f"{name} ({kind})" if kind else name for name, kind in columns.items())
    close = difflib.get_close_matches(str(wanted), list(columns), n=1) if wanted else []
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"There is: {listed or 'nothing'}.{hint}"
