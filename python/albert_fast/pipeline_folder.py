"""A saved pipeline: ``pipeline.json``, and a folder ``stages/<number>_<uid>`` for each stage that has files."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import annotators
from .annotators.stage import Stage
from .errors import AlbertFastError, CorruptModelError, ModelNotFoundError
from .folders import new_folder, sync_folder, write_file
from .pipeline import PipelineModel

FILE_NAME = "pipeline.json"
FORMAT = 1


def save_pipeline(model: PipelineModel, destination: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write a pipeline; see `PipelineModel.save`."""
    target = Path(destination)
    with new_folder(target, FILE_NAME, overwrite) as work:
        stages = []
        for number, stage in enumerate(model.flat()):
            entry: dict[str, Any] = {
                "class": type(stage).__name__,
                "uid": stage.uid,
                "parameters": stage.explicit_params(),
            }
            if stage.has_files:
                entry["folder"] = f"stages/{number}_{stage.uid}"
                (work / "stages").mkdir(exist_ok=True)
                stage.save_files(work / entry["folder"])
            stages.append(entry)
        text = json.dumps({"format": FORMAT, "stages": stages}, indent=1, ensure_ascii=False)
        write_file(work / FILE_NAME, text.encode("utf-8") + b"\n")
        sync_folder(work)
    return target


def load_pipeline(source: str | os.PathLike[str]) -> PipelineModel:
    """Read a pipeline; see `PipelineModel.load`."""
    folder = Path(source)
    try:
        content = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelNotFoundError(
            f"{folder} holds no saved pipeline: {FILE_NAME} cannot be read ({error.strerror}). Give the folder that "
            "PipelineModel.save wrote."
        ) from error
    except ValueError as error:
        raise CorruptModelError(f"{folder / FILE_NAME} is damaged: {error}. Save the pipeline again.") from error
    entries = _entries(content, folder)
    return PipelineModel([_stage(entry, folder, number) for number, entry in enumerate(entries)])


def _entries(content: Any, folder: Path) -> list[Mapping[str, Any]]:
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise CorruptModelError(f"{folder / FILE_NAME} does not say its format. Save the pipeline again.")
    if content["format"] > FORMAT:
        raise CorruptModelError(
            f"{folder} was saved by a newer albert_fast (format {content['format']}, this one reads up to {FORMAT}). "
            "Upgrade: pip install --upgrade albert_fast"
        )
    entries = content.get("stages")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise CorruptModelError(f"{folder / FILE_NAME} has no list of stages. Save the pipeline again.")
    return entries


def _stage(entry: Mapping[str, Any], folder: Path, number: int) -> Stage:
    name, parameters = entry.get("class"), entry.get("parameters")
    kind = getattr(annotators, name, None) if name in annotators.__all__ else None
    if kind is None or not isinstance(parameters, dict) or not isinstance(entry.get("uid"), str):
        raise CorruptModelError(f"{folder / FILE_NAME}: stage {number} ({name!r}) is none of ours, or incomplete.")
    try:
        if "folder" in entry:
            stage: Stage = kind.load_files(parameters, _inside(folder, str(entry["folder"])))
        else:
            stage = kind(**parameters)
    except AlbertFastError as error:
        raise type(error)(f"{folder}, stage {number} ({name}): {error}") from error
    stage.uid = entry["uid"]
    return stage


def _inside(folder: Path, name: str) -> Path:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise CorruptModelError(f"{folder / FILE_NAME} names a folder outside of it: {name!r}.")
    return path
