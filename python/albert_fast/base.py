"""What ``sparknlp.base`` exports, and Spark's Pipeline: ``from albert_fast.base import *``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._missing import missing_name
from .annotation import Annotation
from .annotators import Doc2Chunk, DocumentAssembler, EmbeddingsFinisher, Finisher
from .light_pipeline import LightPipeline
from .pipeline import Pipeline, PipelineModel, RecursivePipeline

__all__ = [
    "Annotation",
    "Doc2Chunk",
    "DocumentAssembler",
    "EmbeddingsFinisher",
    "Finisher",
    "LightPipeline",
    "Pipeline",
    "PipelineModel",
    "RecursivePipeline",
]

if not TYPE_CHECKING:  # or every name would pass the type checker

    def __getattr__(name: str) -> Any:
        raise missing_name(__name__, name, __all__)
