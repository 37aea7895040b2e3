"""ALBERT word embeddings: tokenization, batching and ONNX Runtime inference in C++, without JVM or PyTorch.

>>> from albert_fast import AlbertEmbeddings
>>> model = AlbertEmbeddings.pretrained("albert_tiny_en")
>>> model.embed("I love NLP").words
['I', 'love', 'NLP']
"""

from __future__ import annotations

from ._core import __version__
from .annotators import AlbertEmbeddings
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
)
from .results import Embeddings

__all__ = [
    "AlbertEmbeddings",
    "AlbertFastError",
    "CorruptModelError",
    "DeviceError",
    "Embeddings",
    "ForeignGraphWarning",
    "ForkError",
    "InputError",
    "MissingDependencyError",
    "ModelNotFoundError",
    "ParameterError",
    "TruncationWarning",
    "__version__",
]
