"""The command ``python -m bench``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from . import charts, machine, table
from .errors import BenchError
from .peers import OURS, PEERS
from .report import validate
from .run import run
from .scenarios import SCENARIOS
from .settings import BY_NAME

_FOLDER = Path(__file__).resolve().parent


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark and write its files; 1 if something went wrong."""
    arguments = _parser().parse_args(argv)
    settings = "quick" if arguments.quick else arguments.settings
    try:
        document = run(
            settings=settings,
            work=arguments.work,
            size=arguments.size,
            corpus=arguments.corpus,
            model=arguments.model,
            vocabulary=arguments.vocabulary,
            only=arguments.only,
            peers=arguments.peer,
            threads=arguments.threads,
            say=lambda text: print(text, file=sys.stderr, flush=True),
        )
    except (BenchError, OSError) as error:
        print(f"bench: error: {error}", file=sys.stderr)
        return 1
    wrong = validate(document)
    ours = next(peer for peer in document["peers"] if peer["name"] == OURS)
    if ours["state"].startswith(("refused", "unavailable")):
        wrong.append(f"albert_fast itself: {ours['state']}")
    stem = arguments.name or f"{document['date'][:10]}-{machine.slug()}"
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / f"{stem}.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    markdown = table.markdown(document)
    (arguments.output / f"{stem}.md").write_text(markdown, encoding="utf-8")
    print(markdown)
    for line in charts.draw(document, arguments.output, stem):
        print(line, file=sys.stderr)
    for line in wrong:
        print(f"bench: error: {line}", file=sys.stderr)
    return 1 if wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure albert_fast and its peers side by side on this machine."
    )
    parser.add_argument("--quick", action="store_true", help="a few minutes on two cores instead of up to twenty")
    parser.add_argument("--settings", choices=sorted(BY_NAME), default="full", help=argparse.SUPPRESS)
    parser.add_argument(
        "--only", action="append", default=[], choices=list(SCENARIOS), metavar="SCENARIO", help=", ".join(SCENARIOS)
    )
    parser.add_argument(
        "--peer", action="append", default=[], metavar="PEER", help=f"of these only: {', '.join(PEERS)}; default all"
    )
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads of the throughput; default 1")
    parser.add_argument("--corpus", type=Path, metavar="FILE", help="English text; default Python's docstrings")
    parser.add_argument("--model", type=Path, metavar="FOLDER", help="Hugging Face folder; default random albert-base")
    parser.add_argument("--vocabulary", type=Path, metavar="FILE", help="spiece.model for the random weights")
    parser.add_argument("--size", choices=("base", "tiny"), default="base", help="geometry of the random weights")
    parser.add_argument("--output", type=Path, default=_FOLDER / "results", metavar="FOLDER")
    parser.add_argument("--name", help="stem of the files; default date and processor")
    parser.add_argument(
        "--work", type=Path, default=_FOLDER.parent / "build" / "bench", metavar="FOLDER", help="for what is made once"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
