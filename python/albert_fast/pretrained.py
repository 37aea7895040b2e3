"""What ``sparknlp.pretrained`` exports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._missing import missing_name
from .light_pipeline import PretrainedPipeline

__all__ = ["PretrainedPipeline"]

if not TYPE_CHECKING:  # or every name would pass the type checker

    def __getattr__(name: str) -> Any:
        raise missing_name(__name__, name, __all__)
