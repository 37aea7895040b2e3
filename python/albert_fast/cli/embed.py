"""`albert-fast embed`: texts in, vectors out."""

from __future__ import annotations

import argparse
import contextlib
from typing import Any

from .destination import destination, is_stream, shown
from .failures import output_errors
from .inputs import chunks_of
from .loading import given, load_model
from .printing import standard_output


def run_embed(arguments: argparse.Namespace) -> int:
    """Embed texts and write their vectors."""
    from . import writers

    level = "word" if arguments.level == "token" else arguments.level
    where = shown(arguments.output)
    is_standard = where == shown(None)
    if is_standard:
        standard_output()  # a closed one is found out before the model is loaded
    writer_type = writers.writer_for(arguments.output, is_stream(arguments.output))
    chunks = chunks_of(arguments)
    model = load_model(arguments)
    is_counted = arguments.texts not in ([], ["-"])
    options: dict[str, Any] = {"level": level, "total": len(arguments.texts) if is_counted else None}
    options |= given(arguments, ("pooling", "normalize"))
    if arguments.no_progress or (is_standard and standard_output().isatty()):
        options["show_progress"] = False  # a bar between lines of output on the same terminal is noise
    with destination(arguments.output) as file:
        with output_errors(where):
            writer = writer_type(file, level)
        with contextlib.closing(writer):
            for result in model.stream_chunks(chunks, **options):
                with output_errors(where):
                    writer.write(result)
                    file.flush()  # whoever reads a pipe has the results of what was sent so far
            with output_errors(where):
                writer.finish(lambda: model.embed([], level=level))
    return 0
