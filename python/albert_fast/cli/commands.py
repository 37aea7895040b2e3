"""The other commands: models, info, convert, verify, doctor, bench."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import Any

from .failures import FAILED, UNKNOWN, UsageError
from .loading import load_model, pretrained, source_options
from .printing import print_text, table


def run_models(arguments: argparse.Namespace) -> int:
    from .. import models

    entries = models.models()
    if arguments.json:
        rows_of = [
            {
                **dataclasses.asdict(entry),
                "geometry": dataclasses.asdict(entry.geometry) if entry.geometry else None,
                "sources": [dataclasses.asdict(source) for source in entry.sources],
            }
            for entry in entries
        ]
        print_text(json.dumps(rows_of, indent=1))
        return 0
    rows = [("NAME", "LANG", "SIZE", "DIM", "FILES FROM")]
    for entry in entries:
        where = "this package" if entry.name == models.BUILT_IN else entry.hub or "not known; load a folder"
        if entry.uploads:
            where += f", then Spark NLP's storage ({len(entry.uploads)})"
        rows.append((entry.name, entry.lang, entry.size, str(entry.dimension or ""), where))
    print_text(table(rows))
    print_text(
        "\nA Hugging Face id (organisation/name), the https address of a zip, or a folder works wherever a name does."
        "\nWhere a repository lacks a file that this version needs, the error names it and says how to get it."
    )
    return 0


def run_info(arguments: argparse.Namespace) -> int:
    from .. import models

    files = models.resolve(arguments.model, arguments.lang, **source_options(arguments))
    dtypes = sorted({entry.dtype for entry in files.tensors})
    numbers = sum(_product(entry.shape) for entry in files.tensors)
    content: dict[str, Any] = {
        "name": files.name,
        "folder": str(files.source),
        "origin": files.origin,
        "revision": files.revision,
        "dimension": files.geometry.hidden_size,
        "geometry": dataclasses.asdict(files.geometry),
        "pieces": files.pieces,
        "parameters": dict(files.parameters),
        "weights": {"numbers": numbers, "stored as": dtypes, "bytes": files.weights.stat().st_size},
        "pooler": files.has_pooler,
        "checked": {"sha256": dict(files.sha256), "git_sha1": dict(files.git_sha1)},
    }
    print_text(json.dumps(content, indent=1, ensure_ascii=False) if arguments.json else table(list(_flat(content))))
    return 0


def _product(shape: Sequence[int]) -> int:
    result = 1
    for size in shape:
        result *= size
    return result


def _flat(content: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            yield f"{prefix}{key}", ", ".join(map(str, value))
        elif value is not None:
            yield f"{prefix}{key}", str(value)


def run_convert(arguments: argparse.Namespace) -> int:
    from .. import models

    files = models.resolve(arguments.source, arguments.lang, **source_options(arguments))
    out, overwrite = arguments.destination, arguments.overwrite
    if arguments.format == "albert-fast":
        path = models.save_folder(files, out, files.parameters, overwrite=overwrite)
    else:
        path = models.export_model(files, arguments.format, out, overwrite=overwrite)
    print_text(f"wrote {path}")
    if arguments.format == "spark-nlp":
        cased = ".setCaseSensitive(True)" if files.parameters.get("case_sensitive") else ""
        print_text(
            f'In Spark NLP: AlbertEmbeddings.loadSavedModel("{path}", spark)'
            f".setDimension({files.geometry.hidden_size}){cased}"
        )
    return 0


def run_verify(arguments: argparse.Namespace) -> int:
    from .. import verify

    report = verify.verify(pretrained(arguments, {}), expected=arguments.expected)
    print_text(json.dumps(report.as_dict(), indent=1, ensure_ascii=False) if arguments.json else verify.as_text(report))
    return {"pass": 0, "fail": FAILED, "unknown": UNKNOWN}[report.verdict]


def run_doctor(arguments: argparse.Namespace) -> int:
    from .. import doctor

    sections = doctor.doctor()
    if arguments.json:
        print_text(json.dumps({title: dict(rows) for title, rows in sections}, indent=1, ensure_ascii=False))
    else:
        print_text(doctor.as_text(sections))
    return 0 if doctor.is_healthy() else FAILED


def run_bench(arguments: argparse.Namespace) -> int:
    from .. import selfbench

    if not 0 < arguments.seconds < float("inf"):
        raise UsageError(f"--seconds {arguments.seconds:g}: give a positive number of seconds")
    result = selfbench.measure(arguments.model, lambda: load_model(arguments), arguments.seconds)
    print_text(json.dumps(dataclasses.asdict(result), indent=1) if arguments.json else table(selfbench.rows(result)))
    return 0
