"""What Spark ML writes beside every saved stage: `metadata/part-00000`, a line of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import CorruptModelError
from ..containers.tree import MAX_JSON, Tree

METADATA = "metadata/part-00000"
PIPELINE_MODEL = "org.apache.spark.ml.PipelineModel"


@dataclass(frozen=True, slots=True)
class Metadata:
    """A stage's class, its name within pipelines, and its parameters: those set, and the defaults of its time."""

    java_class: str
    uid: str
    params: Mapping[str, Any]
    defaults: Mapping[str, Any]

    @property
    def class_name(self) -> str:
        """The class without its package."""
        return self.java_class.rpartition(".")[2]

    def all_params(self) -> dict[str, Any]:
        """Return every parameter's value."""
        return {**self.defaults, **self.params}


def read(tree: Tree) -> Metadata:
    """Read the metadata of a saved stage.

    Raises
    ------
    CorruptModelError
        The file is damaged.
    """
    where = tree.where(METADATA)
    try:
        content = json.loads(tree.read(METADATA, MAX_JSON).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        if isinstance(error, CorruptModelError):
            raise
        raise CorruptModelError(f"{where} is not JSON ({error}). Save or fetch the model again.") from None
    if not isinstance(content, dict) or not isinstance(content.get("class"), str):
        raise CorruptModelError(f"{where} names no class, so it is not of a saved stage. Save or fetch it again.")
    params, defaults = content.get("paramMap", {}), content.get("defaultParamMap", {})
    uid = content.get("uid", "")
    if not isinstance(params, dict) or not isinstance(defaults, dict) or not isinstance(uid, str):
        raise CorruptModelError(f"{where} has parameters that are no JSON object. Save or fetch the model again.")
    return Metadata(content["class"], uid, params, defaults)
