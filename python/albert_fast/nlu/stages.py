"""The stages of a pipeline: their names, and what a run needs of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..annotators import SentenceDetector
from ..annotators.stage import Stage
from ..pipeline import PipelineModel


def keyed(stages: Sequence[Stage]) -> dict[str, Stage]:
    """Return the stages by nlu's kind of names; embeddings and what would be there twice have an addition."""
    made: dict[str, Stage] = {}
    for stage in stages:
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(stage).__name__.removesuffix("Model")).lower()
        if stage.outputAnnotatorType == "word_embeddings":
            name += "@" + str((stage.hasParam("storageRef") and stage.get_param("storageRef")) or stage.output_col())
        made[name if name not in made else f"{name}@{stage.uid}"] = stage
    return made


def read_columns(model: PipelineModel) -> list[str]:
    """Return the columns of the user's that stages read beside the texts."""
    params = ("idCol", "metadataCol", "chunkCol", "startCol")
    read = dict.fromkeys(stage.get_param(name) for stage in model.flat() for name in params if stage.hasParam(name))
    return [name for name in read if name not in (None, model.text_column())]


def fitted(stage: Stage) -> Stage:
    """Return the stage that does the work."""
    fit = getattr(stage, "fit", None)
    return stage if fit is None else fit()


def without_sentences(stages: Mapping[str, Stage]) -> dict[str, Stage]:
    """Return the stages reading documents where they read sentences."""
    documents = {s.output_col(): s.input_cols()[0] for s in stages.values() if isinstance(s, SentenceDetector)}
    made: dict[str, Stage] = {}
    for key, stage in stages.items():
        if isinstance(stage, SentenceDetector):
            continue
        columns = stage.input_cols() if stage.hasParam("inputCols") else []
        wired = [documents.get(name, name) for name in columns]
        made[key] = stage if wired == columns else stage.copy({"inputCols": wired})
    return made
