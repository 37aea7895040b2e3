"""Write tests/data/java_regex.json.gz: what Java says to `cases.py`. Run it with tests/ on the path."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from java_regex import cases, oracle

GOLDEN = Path(__file__).parents[1] / "data" / "java_regex.json.gz"


def main() -> None:
    answers = oracle.ask([(pattern, cases.TEXTS) for pattern in cases.PATTERNS])
    content = {"texts": cases.TEXTS, "answers": dict(zip(cases.PATTERNS, answers, strict=True))}
    GOLDEN.write_bytes(gzip.compress(json.dumps(content, separators=(",", ":")).encode(), mtime=0))


if __name__ == "__main__":
    main()
