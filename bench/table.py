"""The document as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]


def markdown(document: dict[str, Any]) -> str:
    """Return the goals, every measured quantity, the peers and the machine as Markdown tables."""
    parts = [_head(document), "## Goals\n", _goals(document["goals"])]
    scenarios: dict[str, list[Row]] = {}
    for row in document["rows"]:
        scenarios.setdefault(row["scenario"], []).append(row)
    for name, rows in scenarios.items():
        parts += [f"## {name}\n", _rows(rows)]
    parts += ["## Systems\n", _peers(document["peers"])]
    return "\n".join(parts)


def _head(document: dict[str, Any]) -> str:
    machine, given, settings = document["machine"], document["input"], document["settings"]
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    return (
        f"# {machine['cpu']}, {document['date'][:10]}\n\n"
        f"{machine['usable_processors']} of {machine['processors']} processors, {machine['memory_gb']} GB, "
        f"{machine['system']}; load average {machine['load_average_before']} before and "
        f"{machine['load_average_after']} after the run; settings: {settings['name']}.\n\n"
        f"{versions}.\n\n"
        f"Model: {given['model']}, {given['pieces_in_vocabulary']} pieces. Corpus: {given['corpus']}, "
        f"{given['words']} words, SHA-256 {given['corpus_sha256'][:12]}. "
        f"Ragged texts: mean {given['ragged_mean']} pieces.\n\n"
        "Values are medians of interleaved repetitions, in brackets the quartiles. Ratios are taken within a round.\n"
    )


def _goals(goals: list[Row]) -> str:
    rows = [("what", "goal", "measured", "met")]
    for goal in goals:
        if goal["measured"] is None:
            rows.append((goal["what"], goal["goal"], "not measured: " + goal["note"], ""))
            continue
        value = f"{_spread(goal)} {goal['unit']}".rstrip() + (f" ({goal['note']})" if goal["note"] else "")
        rows.append((goal["what"], goal["goal"], value, "yes" if goal["met"] else "**no**"))
    return _table(rows)


def _rows(rows: list[Row]) -> str:
    lines = [("case", "system", "what", "value", "repetitions", "threads")]
    for row in rows:
        value = f"{_spread(row)} {row['unit']}".rstrip()
        case = row["case"] + (f": {row['note']}" if row["note"] else "")
        lines.append((case, row["system"], row["quantity"], value, str(row["count"]), str(row["threads"])))
    return _table(lines)


def _peers(peers: list[Row]) -> str:
    lines = [("system", "versions", "state", "same numbers")]
    for peer in peers:
        checks = "; ".join(dict.fromkeys(_check(check) for check in peer["checks"]))
        lines.append((peer["name"], peer["versions"] or "", peer["state"], checks))
    return _table(lines)


def _check(check: Row) -> str:
    if "identical" in check:
        return f"{check['task']}: {check['identical']:.1%} of the ids as sentencepiece's"
    if "micro_batches" in check:
        return f"{check['texts']}: {check['micro_batches']} micro-batches, as the engine"
    return f"worst cosine {check['worst_cosine']:.6f}, max abs {check['max_abs']:.1e}"


def _spread(row: Row) -> str:
    value = row["measured"] if "measured" in row else row["value"]
    if row["count"] == 1 or row["low"] == row["high"]:
        return number(value)
    return f"{number(value)} [{number(row['low'])}, {number(row['high'])}]"


def number(value: float) -> str:
    """Return a number with three digits that count."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    head, *body = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body]) + "\n"
