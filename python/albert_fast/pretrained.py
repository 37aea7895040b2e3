"""What ``sparknlp.pretrained`` exports."""

from __future__ import annotations

from .light_pipeline import PretrainedPipeline

__all__ = ["PretrainedPipeline"]
