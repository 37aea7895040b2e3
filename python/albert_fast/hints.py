"""What to use instead, where a path is not what was asked for. Read only when an error is made."""

from __future__ import annotations

from pathlib import Path

from .errors import AlbertFastError
from .folders import MODEL_FILE


def of_name(given: object, call: str = "AlbertEmbeddings.pretrained({})") -> str:
    """Return a sentence for a path that nothing is at and that may be a published model's name, else "".

    Parameters
    ----------
    given
        What the user gave.
    call
        What gets a published model, with {} for the name.
    """
    from .models import registry

    if not isinstance(given, str):
        return ""
    if registry.lookup(given) is not None:
        return f" It is the name of a published model: {call.format(repr(given))} gets that one."
    if registry.is_hub_id(given):
        return f" If it is an id on the Hugging Face hub, {call.format(repr(given))} gets the model."
    close = registry.suggestions(given)
    if close:
        return f" A published model is got by its name: {call.format(repr(close[0]))}."
    return ""


def of_place(path: Path) -> str:
    """Return a sentence about what lies at a path where no saved pipeline was found; "" where it is unknown."""
    if path.is_file():
        return " It is a file: AlbertEmbeddings.load reads models in files and archives."
    if any((path / name).is_file() for name in (MODEL_FILE, "config.json")):
        return " It is the folder of a model: use AlbertEmbeddings.load."
    stage = _spark_stage(path)
    if stage == "AlbertEmbeddings":
        return " It is an AlbertEmbeddings that Spark NLP saved alone: use AlbertEmbeddings.load."
    if stage is not None:
        return f" It is a {stage} that Spark NLP saved alone: save the pipeline that it belongs to, and load that."
    return ""


def _spark_stage(path: Path) -> str | None:
    from .models.containers import tree
    from .models.foreign import spark_metadata

    if not (path / spark_metadata.METADATA).is_file():
        return None
    try:
        return spark_metadata.read(tree.of_folder(path)).class_name
    except AlbertFastError:
        return None
