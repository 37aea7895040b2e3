"""The model that the arguments name, with the options that they give."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

MODEL_OPTIONS = (
    "tokenization",
    "layers",
    "max_sentence_length",
    "case_sensitive",
    "detect_sentences",
    "threads",
    "device",
    "precision",
)


def given(arguments: argparse.Namespace, names: Iterable[str]) -> dict[str, Any]:
    """Return the options that the command has and the user gave; the others keep the Python interface's defaults."""
    return {name: value for name in names if (value := getattr(arguments, name, None)) is not None}


def source_options(arguments: argparse.Namespace) -> dict[str, Any]:
    options = given(arguments, ("revision", "cache_dir"))
    if arguments.offline:
        options["local_files_only"] = True
    return options


def load_model(arguments: argparse.Namespace) -> Any:
    from albert_fast import AlbertEmbeddings

    options = given(arguments, MODEL_OPTIONS)
    if _is_folder(arguments.model):
        return AlbertEmbeddings.load(arguments.model, **options)
    return pretrained(arguments, options)


def pretrained(arguments: argparse.Namespace, options: dict[str, Any]) -> Any:
    from albert_fast import AlbertEmbeddings

    return AlbertEmbeddings.pretrained(arguments.model, arguments.lang, **source_options(arguments), **options)


def _is_folder(name: str) -> bool:
    path = Path(name).expanduser()
    return (path / "config.json").is_file() or path.is_absolute() or name.startswith((".", "~"))
