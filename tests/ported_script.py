"""A script for Spark NLP -> the same script for albert_fast: only lines that import change."""

from __future__ import annotations

import re

RULES = (
    (r"import sparknlp$", "import albert_fast as sparknlp"),
    (r"from sparknlp\.", "from albert_fast."),
    (r"from pyspark\.ml import", "from albert_fast import"),
)


def ported(script: str) -> str:
    """Return the script with its import lines rewritten; every other line stays as it is."""
    lines = script.splitlines()
    for number, line in enumerate(lines):
        for pattern, new in RULES:
            lines[number] = re.sub(f"^{pattern}", new, lines[number])
        imports = line.startswith(("import sparknlp", "from sparknlp", "import pyspark", "from pyspark"))
        assert (lines[number] != line) == imports, f"no rule for {line!r}"
    return "\n".join(lines)
