"""What a run found, and its JSON form."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from .goals import GOALS
from .timing import Spread

SCHEMA = 1


@dataclass(frozen=True)
class Row:
    """One measured quantity: `value` is the median, `low` and `high` the quartiles, of `count` repetitions."""

    scenario: str
    case: str
    system: str
    quantity: str
    unit: str
    value: float
    low: float
    high: float
    count: int
    threads: int
    note: str = ""


@dataclass
class Report:
    """Rows, goals and the state of every peer."""

    rows: list[Row] = field(default_factory=list)
    measured: dict[str, tuple[Spread, str]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    peers: dict[str, dict[str, Any]] = field(default_factory=dict)
    scenarios: dict[str, float] = field(default_factory=dict)

    def add(
        self,
        scenario: str,
        case: str,
        system: str,
        quantity: str,
        unit: str,
        spread: Spread,
        threads: int,
        note: str = "",
    ) -> None:
        """Add a row."""
        values = (spread.median, spread.low, spread.high, spread.count)
        self.rows.append(Row(scenario, case, system, quantity, unit, *values, threads, note))

    def reach(self, goal: str, spread: Spread, note: str = "") -> None:
        """Note what was measured for a goal."""
        self.measured[goal] = (spread, note)

    def miss(self, goal: str, reason: str) -> None:
        """Note why a goal could not be measured."""
        self.reasons[goal] = reason

    def goals(self) -> list[dict[str, Any]]:
        """Return every goal with what was measured, or with the reason why nothing was."""
        result = []
        for goal in GOALS:
            entry: dict[str, Any] = {
                "id": goal.id,
                "what": goal.what,
                "goal": f"{goal.sense} {goal.target:.6g} {goal.unit}".rstrip(),
                "unit": goal.unit,
            }
            if goal.id in self.measured:
                spread, note = self.measured[goal.id]
                entry |= {"measured": spread.median, "low": spread.low, "high": spread.high, "count": spread.count}
                entry |= {"met": goal.is_met(spread.median), "note": note}
            else:
                entry |= {"measured": None, "met": None, "note": self._reason(goal.id, goal.scenario, goal.reason)}
            result.append(entry)
        return result

    def _reason(self, goal: str, scenario: str, reason: str) -> str:
        if goal in self.reasons:
            return self.reasons[goal]
        if not scenario:
            return reason
        return (
            f"scenario {scenario} was not run"
            if scenario not in self.scenarios
            else "a system that it needs is missing"
        )

    def to_dict(self, **facts: Any) -> dict[str, Any]:
        """Return the document that is written as JSON."""
        return {
            "schema": SCHEMA,
            **facts,
            "scenarios": self.scenarios,
            "peers": [{"name": name, **state} for name, state in self.peers.items()],
            "goals": self.goals(),
            "rows": [asdict(row) for row in self.rows],
        }


_PARTS: dict[str, type] = {
    "schema": int,
    "date": str,
    "machine": dict,
    "versions": dict,
    "settings": dict,
    "input": dict,
    "scenarios": dict,
    "peers": list,
    "goals": list,
    "rows": list,
}


def validate(document: dict[str, Any]) -> list[str]:
    """Return what is wrong with a document; nothing if it is one of ours."""
    wrong = [
        f"{name} is missing or no {kind.__name__}" for name, kind in _PARTS.items() if not _has(document, name, kind)
    ]
    if wrong:
        return wrong
    if document["schema"] != SCHEMA:
        wrong.append(f"schema is {document['schema']}, not {SCHEMA}")
    for row in document["rows"]:
        if set(row) != set(Row.__dataclass_fields__):
            wrong.append(f"a row has the fields {sorted(row)}")
        elif not (math.isfinite(row["value"]) and row["low"] <= row["value"] <= row["high"] and row["count"] >= 1):
            wrong.append(f"a row's numbers are impossible: {row}")
    for goal in document["goals"]:
        if (goal["measured"] is None) != (goal["met"] is None) or (goal["met"] is None and not goal["note"]):
            wrong.append(f"goal {goal['id']} is neither measured nor explained")
    if {goal["id"] for goal in document["goals"]} != {goal.id for goal in GOALS}:
        wrong.append("the goals are not those of bench/goals.py")
    return wrong


def _has(document: dict[str, Any], name: str, kind: type) -> bool:
    return isinstance(document.get(name), kind)
