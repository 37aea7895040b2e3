"""The command `albert-fast`: embed texts, list, describe, convert and verify models, explain and measure the machine.

Exit codes: 0 done, 1 failed (the reason is on the standard error output), 2 wrong usage, 130 interrupted, 141
the reader of the output went away. `verify`: 0 pass, 1 fail, 2 cannot say.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from .errors import AlbertFastError, InputError

FAILED, USAGE, INTERRUPTED, PIPE_CLOSED = 1, 2, 130, 141
UNKNOWN = 2  # of verify
LEVELS = ("word", "sentence", "document", "piece")
_BUILT_IN = "albert_tiny_en"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as stop:  # argparse has printed already
        return stop.code if isinstance(stop.code, int) else USAGE
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
        return code
    except _UsageError as error:
        return _complain(error, USAGE)
    except AlbertFastError as error:
        return _complain(error, FAILED)
    except BrokenPipeError:
        _discard_output()
        return PIPE_CLOSED
    except OSError as error:
        return _complain(error, FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED


class _UsageError(Exception):
    """Arguments that argparse cannot check."""


def _complain(error: Exception, code: int) -> int:
    sys.stderr.write(f"albert-fast: error: {error}\n")
    return code


def _discard_output() -> None:
    """Let the interpreter's last flush go nowhere: the pipe is closed."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    except (OSError, ValueError):
        pass


# ---------------------------------------------------------------------------------------------- arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="albert-fast", description="ALBERT word embeddings on ONNX Runtime.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_embed(commands)
    listing = commands.add_parser("models", help="list the models that have a name")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(run=_run_models)
    info = commands.add_parser("info", help="describe a model")
    info.add_argument("model", metavar="MODEL", help="name, Hugging Face id or folder")
    _add_source(info)
    info.add_argument("--json", action="store_true", help="print JSON")
    info.set_defaults(run=_run_info)
    _add_convert(commands)
    _add_verify(commands)
    doctor = commands.add_parser("doctor", help="explain this machine: runtime, processor, GPU, caches")
    doctor.add_argument("--json", action="store_true", help="print JSON")
    doctor.set_defaults(run=_run_doctor)
    _add_bench(commands)
    return parser


def _add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lang", help="language of a published model's name, for example en")
    parser.add_argument("--revision", help="branch, tag or commit on the hub")
    parser.add_argument("--cache-dir", metavar="FOLDER", help="folder for downloads")
    parser.add_argument("--offline", action="store_true", help="never use the network")


def _add_convert(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser("convert", help="write a model in another form")
    parser.add_argument("source", metavar="SRC", help="name, Hugging Face id, address of a zip, or path")
    parser.add_argument("destination", metavar="OUT", help="folder to make; with --format onnx a file.onnx too")
    parser.add_argument(
        "--format",
        choices=("albert-fast", "onnx", "spark-nlp"),
        default="albert-fast",
        help="albert-fast (default): a folder for this package and transformers; spark-nlp: a folder for its "
        "AlbertEmbeddings.loadSavedModel; onnx: plain ONNX",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace what an earlier convert wrote")
    _add_source(parser)
    parser.set_defaults(run=_run_convert)


def _add_verify(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "verify",
        help="compare a model with published vectors, and its precisions with fp32",
        description="Compare a model with the vectors that are published of it, and every precision of this machine "
        "with fp32. Exit code 0: pass, 1: fail, 2: cannot say.",
    )
    parser.add_argument("model", metavar="MODEL", help="name, Hugging Face id, address of a zip, or path")
    parser.add_argument("--as", dest="expected", metavar="NAME", help="the published model that it must be")
    _add_source(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_run_verify)


def _add_embed(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "embed",
        help="turn texts into vectors",
        description="Turn texts into vectors. Without TEXT and --input, or with '-', one text a line is "
        "read from the standard input.",
    )
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="texts, or '-' for the standard input")
    parser.add_argument("--input", metavar="FILE", help="read one text a line from FILE (UTF-8); '-' is standard input")
    parser.add_argument(
        "--output",
        metavar="FILE",
        help="write to FILE: .jsonl (JSON lines), .npy (vectors) or .npz (vectors, words, begin, end, "
        "row_splits); default: JSON lines on the standard output",
    )
    parser.add_argument("--model", default=_BUILT_IN, help=f"name, Hugging Face id or folder; default {_BUILT_IN}")
    _add_source(parser)
    parser.add_argument("--level", choices=(*LEVELS, "token"), default="word", help="one vector per what; default word")
    parser.add_argument("--pooling", choices=("first", "mean", "max", "cls", "pooler", "words"))
    parser.add_argument("--tokenization", choices=("word", "text"))
    parser.add_argument("--normalize", action="store_true", default=None, help="scale vectors to length one")
    parser.add_argument(
        "--layers",
        type=_layers,
        metavar="N[,N...]",
        help="hidden layer, or several to average; write negative ones as --layers=-1,-2",
    )
    parser.add_argument("--max-sentence-length", type=int, metavar="N", help="pieces in one window, up to 512")
    parser.add_argument("--case-sensitive", action="store_true", default=None, help="do not lower-case")
    parser.add_argument(
        "--no-sentences",
        action="store_false",
        default=None,
        dest="detect_sentences",
        help="a text is one sentence",
    )
    parser.add_argument("--threads", type=int, metavar="N")
    parser.add_argument("--device", help="cpu, cuda or cuda:N")
    parser.add_argument("--precision", help="fp32, ...")
    parser.add_argument("--no-progress", action="store_true", help="no progress bar, even on a terminal")
    parser.set_defaults(run=_run_embed)


def _add_bench(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "bench",
        help="measure how fast a model runs here",
        description="Measure how fast a model loads and runs on this machine. The texts come with the package.",
    )
    parser.add_argument("model", nargs="?", metavar="MODEL", default=_BUILT_IN, help=f"default {_BUILT_IN}")
    _add_source(parser)
    parser.add_argument("--threads", type=int, metavar="N")
    parser.add_argument("--device", help="cpu, cuda or cuda:N")
    parser.add_argument("--precision", help="fp32, ...")
    parser.add_argument(
        "--seconds", type=float, default=5.0, metavar="S", help="time for each of two figures; default 5"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_run_bench)


def _layers(text: str) -> int | list[int]:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number or several with commas between") from None
    return numbers[0] if len(numbers) == 1 else numbers


def _given(arguments: argparse.Namespace, names: Iterable[str]) -> dict[str, Any]:
    """Return the options that the command has and the user gave; the others keep the Python interface's defaults."""
    return {name: value for name in names if (value := getattr(arguments, name, None)) is not None}


def _source_options(arguments: argparse.Namespace) -> dict[str, Any]:
    options = _given(arguments, ("revision", "cache_dir"))
    if arguments.offline:
        options["local_files_only"] = True
    return options


# -------------------------------------------------------------------------------------------------- embed

_MODEL_OPTIONS = (
    "tokenization",
    "layers",
    "max_sentence_length",
    "case_sensitive",
    "detect_sentences",
    "threads",
    "device",
    "precision",
)


def _run_embed(arguments: argparse.Namespace) -> int:
    level = "word" if arguments.level == "token" else arguments.level
    from . import output

    writer_type = output.writer_for(arguments.output)
    if writer_type is None:
        raise _UsageError(f"--output {arguments.output}: the name must end in .jsonl, .npy or .npz")
    texts = _texts(arguments)
    model = _load_model(arguments)
    options: dict[str, Any] = {"level": level, **_given(arguments, ("pooling", "normalize"))}
    if arguments.no_progress or (arguments.output is None and sys.stdout.isatty()):
        options["show_progress"] = False  # a bar between lines of output on the same terminal is noise
    with output.destination(arguments.output) as file, contextlib.closing(writer_type(file, level)) as writer:
        for result in model.stream(texts, **options):
            writer.write(result)
        writer.finish(lambda: model.embed([], level=level))
    return 0


def _load_model(arguments: argparse.Namespace) -> Any:
    from albert_fast import AlbertEmbeddings

    options = _given(arguments, _MODEL_OPTIONS)
    if _is_folder(arguments.model):
        return AlbertEmbeddings.load(arguments.model, **options)
    return _pretrained(arguments, options)


def _pretrained(arguments: argparse.Namespace, options: dict[str, Any]) -> Any:
    from albert_fast import AlbertEmbeddings

    return AlbertEmbeddings.pretrained(arguments.model, arguments.lang, **_source_options(arguments), **options)


def _is_folder(name: str) -> bool:
    path = Path(name).expanduser()
    return (path / "config.json").is_file() or path.is_absolute() or name.startswith((".", "~"))


def _texts(arguments: argparse.Namespace) -> Iterable[str]:
    named: list[str] = arguments.texts
    if arguments.input is not None:
        if named:
            raise _UsageError("give either TEXT or --input, not both")
        if arguments.input == "-":
            return _lines(sys.stdin.buffer, "the standard input")
        return _file_lines(Path(arguments.input))
    if named and named != ["-"]:
        return named
    if not named and sys.stdin.isatty():
        raise _UsageError("give a TEXT, --input FILE, or '-' to type texts on the standard input")
    return _lines(sys.stdin.buffer, "the standard input")


def _file_lines(path: Path) -> Iterator[str]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}). Give the name of a text file.") from error
    return _lines(file, str(path))


def _lines(file: BinaryIO, where: str) -> Iterator[str]:
    """Yield the lines of a UTF-8 file without their ends; only LF and CRLF end a line."""
    with file:
        for number, line in enumerate(file, 1):
            body = line.removesuffix(b"\n").removesuffix(b"\r")
            if number == 1:
                body = body.removeprefix(b"\xef\xbb\xbf")
            try:
                yield body.decode("utf-8")
            except UnicodeDecodeError as error:
                raise InputError(
                    f"Line {number} of {where} is not UTF-8 (byte {error.start + 1} of the line). Convert the file, "
                    "for example with iconv -f latin1 -t utf-8."
                ) from None


# ------------------------------------------------------------------------------ models, info, doctor, bench


def _print(text: str) -> None:
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def _run_models(arguments: argparse.Namespace) -> int:
    from . import models

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
        _print(json.dumps(rows_of, indent=1))
        return 0
    rows = [("NAME", "LANG", "SIZE", "DIM", "FILES FROM")]
    for entry in entries:
        where = "this package" if entry.name == models.BUILT_IN else entry.hub or "not known; load a folder"
        if entry.uploads:
            where += f", then Spark NLP's storage ({len(entry.uploads)})"
        rows.append((entry.name, entry.lang, entry.size, str(entry.dimension or ""), where))
    _print(_table(rows))
    _print(
        "\nA Hugging Face id (organisation/name), the https address of a zip, or a folder works wherever a name does."
        "\nWhere a repository lacks a file that this version needs, the error names it and says how to get it."
    )
    return 0


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _run_info(arguments: argparse.Namespace) -> int:
    from . import models

    files = models.resolve(arguments.model, arguments.lang, **_source_options(arguments))
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
    _print(json.dumps(content, indent=1, ensure_ascii=False) if arguments.json else _table(list(_flat(content))))
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


def _run_convert(arguments: argparse.Namespace) -> int:
    from . import models

    files = models.resolve(arguments.source, arguments.lang, **_source_options(arguments))
    out, overwrite = arguments.destination, arguments.overwrite
    if arguments.format == "albert-fast":
        path = models.save_folder(files, out, files.parameters, overwrite=overwrite)
    else:
        path = models.export_model(files, arguments.format, out, overwrite=overwrite)
    _print(f"wrote {path}")
    if arguments.format == "spark-nlp":
        cased = ".setCaseSensitive(True)" if files.parameters.get("case_sensitive") else ""
        _print(
            f'In Spark NLP: AlbertEmbeddings.loadSavedModel("{path}", spark)'
            f".setDimension({files.geometry.hidden_size}){cased}"
        )
    return 0


def _run_verify(arguments: argparse.Namespace) -> int:
    from . import verify

    report = verify.verify(_pretrained(arguments, {}), expected=arguments.expected)
    _print(json.dumps(report.as_dict(), indent=1, ensure_ascii=False) if arguments.json else verify.as_text(report))
    return {"pass": 0, "fail": FAILED, "unknown": UNKNOWN}[report.verdict]


def _run_doctor(arguments: argparse.Namespace) -> int:
    from . import doctor

    sections = doctor.doctor()
    if arguments.json:
        _print(json.dumps({title: dict(rows) for title, rows in sections}, indent=1, ensure_ascii=False))
    else:
        _print(doctor.as_text(sections))
    return 0 if doctor.is_healthy() else FAILED


def _run_bench(arguments: argparse.Namespace) -> int:
    from . import selfbench

    if not 0 < arguments.seconds < float("inf"):
        raise _UsageError(f"--seconds {arguments.seconds:g}: give a positive number of seconds")
    result = selfbench.measure(arguments.model, lambda: _load_model(arguments), arguments.seconds)
    _print(json.dumps(dataclasses.asdict(result), indent=1) if arguments.json else _table(selfbench.rows(result)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
