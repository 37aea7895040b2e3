"""The arguments of the command and of its subcommands."""

from __future__ import annotations

import argparse
from typing import Any

from .._core import __version__
from .commands import run_bench, run_convert, run_doctor, run_info, run_models, run_verify
from .embed import run_embed

LEVELS = ("word", "sentence", "document", "piece")
_BUILT_IN = "albert_tiny_en"


def make_parser() -> argparse.ArgumentParser:
    """Return the parser; what it returns has the function of the chosen command as `run`."""
    command = argparse.ArgumentParser(prog="albert-fast", description="ALBERT word embeddings on ONNX Runtime.")
    command.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = command.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_embed(commands)
    listing = commands.add_parser("models", help="list the models that have a name")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(run=run_models)
    info = commands.add_parser("info", help="describe a model")
    info.add_argument("model", metavar="MODEL", help="name, Hugging Face id or folder")
    _add_source(info)
    info.add_argument("--json", action="store_true", help="print JSON")
    info.set_defaults(run=run_info)
    _add_convert(commands)
    _add_verify(commands)
    doctor = commands.add_parser("doctor", help="explain this machine: runtime, processor, GPU, caches")
    doctor.add_argument("--json", action="store_true", help="print JSON")
    doctor.set_defaults(run=run_doctor)
    _add_bench(commands)
    return command


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
    parser.set_defaults(run=run_convert)


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
    parser.set_defaults(run=run_verify)


def _add_embed(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "embed",
        help="turn texts into vectors",
        description="Turn texts into vectors. Without TEXT and --input, or with '-' in their place, one text a line is "
        "read from the standard input, and results are written when there are --chunk-texts of them or the input "
        "pauses.",
    )
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="texts, or '-' alone for the standard input")
    parser.add_argument("--input", metavar="FILE", help="read one text a line from FILE (UTF-8); '-' is standard input")
    parser.add_argument(
        "--output",
        metavar="FILE",
        help="write to FILE: .jsonl (JSON lines), .npy (vectors) or .npz (vectors, words, begin, end, row_splits); it "
        "gets its name when it is complete; pipes and devices get JSON lines as they come; default, or '-': JSON lines "
        "on the standard output",
    )
    parser.add_argument(
        "--chunk-texts",
        type=_positive,
        default=1024,
        metavar="N",
        help="texts that are embedded at a time, at most; default 1024",
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
    parser.add_argument("--max-sentence-length", type=int, metavar="N", help="pieces in one window, 3 to 512")
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
    parser.set_defaults(run=run_embed)


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
    parser.set_defaults(run=run_bench)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def _layers(text: str) -> int | list[int]:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number or several with commas between") from None
    return numbers[0] if len(numbers) == 1 else numbers
