"""What ``sparknlp.base`` exports, and Spark's Pipeline: ``from albert_fast.base import *``."""

from __future__ import annotations

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
