"""The document as charts, PNG and SVG, for people who look before they read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

Row = dict[str, Any]
_OURS, _OTHER = "#0b6e4f", "#9aa5b1"
# Scenario, case (None: every case a panel), quantity, title, axis.
_BARS = (
    ("pieces", "pieces", "rate", "Words and texts to pieces, one thread", "million pieces/s", 1e-6),
    ("throughput", "throughput", "rate", "Texts to vectors", "pieces/s", 1.0),
    ("latency", "latency", "p50", "Latency, median", "ms", 1e3),
)


def draw(document: dict[str, Any], folder: Path, stem: str) -> list[str]:
    """Write a chart for every scenario that has one; return a line for each file, or why there is none."""
    try:
        import matplotlib
    except ImportError:
        return ["no charts: matplotlib is not installed (pip install matplotlib)"]
    matplotlib.use("agg")
    matplotlib.rcParams["svg.hashsalt"] = "albert_fast"  # the same numbers give the same file
    said = []
    for scenario, suffix, quantity, title, axis, scale in _BARS:
        rows = [r for r in document["rows"] if r["scenario"] == scenario and r["quantity"] == quantity]
        rows = [r for r in rows if "callers" not in r["case"]]
        if rows:
            figure = _bars(rows, f"{title}: {document['machine']['cpu']}", axis, scale)
            said += _save(figure, folder, f"{stem}-{suffix}")
    growth = [r for r in document["rows"] if r["scenario"] == "growth"]
    if growth:
        said += _save(_lines(growth, document["machine"]["cpu"]), folder, f"{stem}-growth")
    return said


def _bars(rows: list[Row], title: str, axis: str, scale: float) -> Any:
    from matplotlib import pyplot

    cases: dict[str, list[Row]] = {}
    for row in rows:
        threads = f", {row['threads']} thread{'s' if row['threads'] > 1 else ''}"
        cases.setdefault(row["case"] + threads, []).append(row)
    heights = [len(of_case) for of_case in cases.values()]
    figure, panels = pyplot.subplots(
        len(cases),
        1,
        figsize=(8, 0.36 * sum(heights) + 0.9 * len(cases)),
        squeeze=False,
        layout="constrained",
        height_ratios=heights,
    )
    for (case, of_case), panel in zip(cases.items(), panels[:, 0], strict=True):
        values = [row["value"] * scale for row in of_case]
        spread = [
            [v - row["low"] * scale for v, row in zip(values, of_case, strict=True)],
            [row["high"] * scale - v for v, row in zip(values, of_case, strict=True)],
        ]
        colours = [_OURS if row["system"].startswith("albert_fast") else _OTHER for row in of_case]
        bars = panel.barh([row["system"] for row in of_case], values, xerr=spread, color=colours, ecolor="#444444")
        panel.bar_label(bars, [f"{v:,.3g}" if v < 1000 else f"{v:,.0f}" for v in values], padding=6, fontsize=8)
        panel.invert_yaxis()
        panel.set_title(case, fontsize=9, loc="left")
        panel.set_xlabel(axis, fontsize=8)
        panel.margins(x=0.15)
        panel.tick_params(labelsize=8)
        panel.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, fontsize=11)
    return figure


def _lines(rows: list[Row], cpu: str) -> Any:
    """One column for each axis of growth: time above, memory below."""
    from matplotlib import pyplot

    memory = ", memory"
    axes = list(dict.fromkeys(row["case"] for row in rows if not row["case"].endswith(memory)))
    figure, panels = pyplot.subplots(2, len(axes), figsize=(4 * len(axes), 5.4), squeeze=False, layout="constrained")
    for column, axis in enumerate(axes):
        for panel, case in zip(panels[:, column], (axis, axis + memory), strict=True):
            of_case = [row for row in rows if row["case"] == case]
            at = [float(row["quantity"]) for row in of_case]
            panel.plot(at, [row["value"] for row in of_case], marker="o", color=_OURS)
            panel.fill_between(at, [r["low"] for r in of_case], [r["high"] for r in of_case], color=_OURS, alpha=0.2)
            if at and max(at) >= 1000 * min(at):
                panel.set_xscale("log")
            panel.set_ylim(bottom=0)
            panel.set_xlabel(axis, fontsize=8)
            panel.set_ylabel(f"{of_case[0]['unit']}{' grown' if case.endswith(memory) else ''}", fontsize=8)
            panel.tick_params(labelsize=8)
            panel.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"Growth of time and memory: {cpu}", fontsize=11)
    return figure


def _save(figure: Any, folder: Path, name: str) -> list[str]:
    from matplotlib import pyplot

    said = []
    for kind in ("png", "svg"):
        path = folder / f"{name}.{kind}"
        figure.savefig(path, dpi=150, metadata={"Date": None} if kind == "svg" else None)
        said.append(f"wrote {path}")
    pyplot.close(figure)
    return said
