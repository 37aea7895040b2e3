"""`albert-fast embed`: texts in, vectors out."""

from __future__ import annotations

import argparse
import contextlib
import sys
from typing import Any

from .destination import destination
from .failures import UsageError
from .inputs import texts_of
from .loading import given, load_model


def run_embed(arguments: argparse.Namespace) -> int:
    level = "word" if arguments.level == "token" else arguments.level
    from . import writers

    writer_type = writers.writer_for(arguments.output)
    if writer_type is None:
        raise UsageError(f"--output {arguments.output}: the name must end in .jsonl, .npy or .npz")
    texts = texts_of(arguments)
    model = load_model(arguments)
    options: dict[str, Any] = {"level": level, **given(arguments, ("pooling", "normalize"))}
    if arguments.no_progress or (arguments.output is None and sys.stdout.isatty()):
        options["show_progress"] = False  # a bar between lines of output on the same terminal is noise
    with destination(arguments.output) as file, contextlib.closing(writer_type(file, level)) as writer:
        for result in model.stream(texts, **options):
            writer.write(result)
        writer.finish(lambda: model.embed([], level=level))
    return 0
