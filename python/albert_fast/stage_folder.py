"""A saved pipeline: ``pipeline.json``, and a folder ``stages/<number>_<uid>`` for each stage that has files."""

from __future__ import annotations

import importlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

from .errors import AlbertFastError, CorruptModelError, ModelNotFoundError
from .folders import PIPELINE_FILE, check_free, write_folder, write_synced
from .paths import path_of


class SavedStage(Protocol):
    """What a stage must be able to do to be saved; every `Stage` is."""

    uid: str
    has_files: ClassVar[bool]

    def explicit_params(self) -> dict[str, Any]: ...
    def save_files(self, folder: Path) -> None: ...


FILE_NAME = PIPELINE_FILE
FORMAT = 1


def save_stages(stages: Sequence[SavedStage], destination: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write stages; see `PipelineModel.save`."""
    target = path_of(destination)
    check_free(target, FILE_NAME, overwrite)
    return write_folder(target, lambda work: _fill(work, stages))


def _fill(work: Path, stages: Sequence[SavedStage]) -> None:
    entries = []
    for number, stage in enumerate(stages):
        entry: dict[str, Any] = {"class": type(stage).__name__, "uid": stage.uid, "parameters": stage.explicit_params()}
        if stage.has_files:
            # A uid may come from a file of somebody else's; it must not lead anywhere.
            entry["folder"] = f"stages/{number}_{re.sub('[^A-Za-z0-9_-]', '_', stage.uid)[:100]}"
            (work / "stages").mkdir(exist_ok=True)
            stage.save_files(work / entry["folder"])
        entries.append(entry)
    text = json.dumps({"format": FORMAT, "stages": entries}, indent=1, ensure_ascii=False)
    write_synced(work / FILE_NAME, text.encode("utf-8") + b"\n")


def load_stages(source: str | os.PathLike[str]) -> list[Any]:
    """Read stages; see `PipelineModel.load`."""
    folder = path_of(source)
    try:
        data = (folder / FILE_NAME).read_bytes()
    except (OSError, ValueError) as error:  # also a name that no file can have
        raise ModelNotFoundError(_no_pipeline(folder, source, error)) from error
    try:
        content = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise CorruptModelError(f"{folder / FILE_NAME} is damaged: {error}. Save the pipeline again.") from error
    entries = _entries(content, folder)
    return [_stage(entry, folder, number) for number, entry in enumerate(entries)]


def _no_pipeline(folder: Path, source: object, error: Exception) -> str:
    from . import hints

    if not os.path.exists(folder):
        hint = hints.of_name(source) or " Give the folder that PipelineModel.save wrote."
        return f"There is no saved pipeline or stage at {folder}: nothing is there.{hint}"
    hint = hints.of_place(folder) or " Give the folder that PipelineModel.save wrote."
    return f"{folder} holds no saved pipeline or stage: {FILE_NAME} cannot be read ({error}).{hint}"


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


def _stage(entry: Mapping[str, Any], folder: Path, number: int) -> Any:
    name, parameters = entry.get("class"), entry.get("parameters")
    annotators = importlib.import_module(".annotators", __package__)  # which save and load themselves through here
    kind = getattr(annotators, name, None) if isinstance(name, str) and name in annotators.__all__ else None
    if (
        kind is None
        or ("folder" in entry and not kind.has_files)
        or not isinstance(parameters, dict)
        or not isinstance(entry.get("uid"), str)
    ):
        raise CorruptModelError(f"{folder / FILE_NAME}: stage {number} ({name!r}) is none of ours, or incomplete.")
    try:
        if "folder" in entry:
            stage = kind.load_files(parameters, _inside(folder, str(entry["folder"])))
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


class Writer:
    """Spark's way to save: ``stage.write().overwrite().save(path)``."""

    def __init__(self, saved: Any) -> None:
        self._saved = saved
        self._overwrite = False

    def overwrite(self) -> Writer:
        """Replace what was saved before."""
        self._overwrite = True
        return self

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write to a folder."""
        self._saved.save(path, overwrite=self._overwrite)
