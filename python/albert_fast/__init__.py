"""ALBERT word embeddings: tokenization, batching and ONNX Runtime inference in C++, without JVM or PyTorch.

>>> from albert_fast import AlbertEmbeddings
>>> model = AlbertEmbeddings.pretrained("albert_tiny_en")
>>> model.embed("I love NLP").words
['I', 'love', 'NLP']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._core import __version__
from ._lazy import lazy_names
from .errors import (
    AlbertFastError,
    CorruptModelError,
    DeviceError,
    ForeignGraphWarning,
    ForkError,
    InputError,
    MissingDependencyError,
    ModelNotFoundError,
    ParameterError,
    TruncationWarning,
    VocabularyWarning,
    WiringError,
    WriteError,
)

if TYPE_CHECKING:
    from .annotation import Annotation
    from .annotators import (
        AlbertEmbeddings,
        ChunkEmbeddings,
        Doc2Chunk,
        DocumentAssembler,
        EmbeddingsFinisher,
        Finisher,
        SentenceDetector,
        SentenceEmbeddings,
        Tokenizer,
        TokenizerModel,
    )
    from .device_vectors import DeviceVectors
    from .light_pipeline import LightPipeline, PretrainedPipeline
    from .pipeline import Pipeline, PipelineModel, RecursivePipeline
    from .results import Embeddings
    from .session import start, version
    from .tables.frame import Frame

__all__ = [
    "AlbertEmbeddings",
    "AlbertFastError",
    "Annotation",
    "ChunkEmbeddings",
    "CorruptModelError",
    "DeviceError",
    "DeviceVectors",
    "Doc2Chunk",
    "DocumentAssembler",
    "Embeddings",
    "EmbeddingsFinisher",
    "Finisher",
    "ForeignGraphWarning",
    "ForkError",
    "Frame",
    "InputError",
    "LightPipeline",
    "MissingDependencyError",
    "ModelNotFoundError",
    "ParameterError",
    "Pipeline",
    "PipelineModel",
    "PretrainedPipeline",
    "RecursivePipeline",
    "SentenceDetector",
    "SentenceEmbeddings",
    "Tokenizer",
    "TokenizerModel",
    "TruncationWarning",
    "VocabularyWarning",
    "WiringError",
    "WriteError",
    "__version__",
    "start",
    "version",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "annotation": ("Annotation",),
        "annotators": (
            "AlbertEmbeddings",
            "ChunkEmbeddings",
            "Doc2Chunk",
            "DocumentAssembler",
            "EmbeddingsFinisher",
            "Finisher",
            "SentenceDetector",
            "SentenceEmbeddings",
            "Tokenizer",
            "TokenizerModel",
        ),
        "device_vectors": ("DeviceVectors",),
        "tables.frame": ("Frame",),
        "light_pipeline": ("LightPipeline", "PretrainedPipeline"),
        "pipeline": ("Pipeline", "PipelineModel", "RecursivePipeline"),
        "results": ("Embeddings",),
        "session": ("start", "version"),
    },
    [name for name in __all__ if not name.startswith("_") and not name.endswith(("Error", "Warning"))],
)
