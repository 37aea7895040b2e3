"""What `NLUPipeline.print_info` prints: a line for every setter, ready to be copied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..annotators.stage import Stage

_HEADER = "The following parameters are configurable for this NLU pipeline (You can copy paste the examples) :"
_WIRING = ("inputCol", "inputCols", "outputCol", "lazyAnnotator")


def info_text(components: Mapping[str, Stage], minimal: bool) -> str:
    """Return the lines for all components; minimal: only parameters that have a value and are no column names."""
    lines = [_HEADER]
    for key, stage in components.items():
        lines.append(f">>> pipe[{key!r}] has settable params:")
        for param in stage.params():
            setter = f"set{param.spark_name[0].upper()}{param.spark_name[1:]}"
            value = _value(stage, param.spark_name)
            if not hasattr(stage, setter) or (minimal and (value is None or param.spark_name in _WIRING)):
                continue
            lines.append(f"pipe[{key!r}].{setter}({value!r})  | Info: {param.doc} | Currently set to : {value}")
    return "\n".join(lines)


def _value(stage: Stage, name: str) -> Any:
    getter = getattr(stage, f"get{name[0].upper()}{name[1:]}", None)
    return stage.get_param(name) if getter is None else getter()
