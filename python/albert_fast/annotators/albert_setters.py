"""The setters and getters of AlbertEmbeddings under Spark NLP's names, written out so that editors and type checkers
see them. They only call `set_param` and `get_param`; the declarations are in `albert_embeddings`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from ..params import HasParams

if TYPE_CHECKING:
    if sys.version_info >= (3, 11):
        from typing import Self
    else:
        from typing_extensions import Self


class AlbertSetters(HasParams):
    """Spark NLP's spelling of the parameters. Every setter returns the annotator, so calls can be chained."""

    def setInputCols(self, *columns: str | Sequence[str]) -> Self:
        """Set the two input columns, as two strings or one list: sentences (or documents) and tokens, in any order."""
        names = list(columns[0]) if len(columns) == 1 and not isinstance(columns[0], str) else list(columns)
        self.set_param("inputCols", names)
        return self

    def getInputCols(self) -> list[str] | None:
        """Return inputCols, or None when unset."""
        columns = self.get_param("inputCols")
        return None if columns is None else list(columns)

    def setOutputCol(self, value: str) -> Self:
        """Set outputCol; see AlbertEmbeddings."""
        self.set_param("outputCol", value)
        return self

    def getOutputCol(self) -> str | None:
        """Return outputCol, or None when unset."""
        return cast("str | None", self.get_param("outputCol"))

    def setBatchSize(self, value: int) -> Self:
        """Set batchSize; see AlbertEmbeddings."""
        self.set_param("batchSize", value)
        return self

    def getBatchSize(self) -> int:
        """Return batchSize."""
        return cast("int", self.get_param("batchSize"))

    def setDimension(self, value: int) -> Self:
        """Set dimension; see AlbertEmbeddings."""
        self.set_param("dimension", value)
        return self

    def getDimension(self) -> int | None:
        """Return dimension, or None when unset."""
        return cast("int | None", self.get_param("dimension"))

    def setMaxSentenceLength(self, value: int) -> Self:
        """Set maxSentenceLength; see AlbertEmbeddings."""
        self.set_param("maxSentenceLength", value)
        return self

    def getMaxSentenceLength(self) -> int:
        """Return maxSentenceLength."""
        return cast("int", self.get_param("maxSentenceLength"))

    def setCaseSensitive(self, value: bool) -> Self:
        """Set caseSensitive; see AlbertEmbeddings."""
        self.set_param("caseSensitive", value)
        return self

    def getCaseSensitive(self) -> bool:
        """Return caseSensitive."""
        return cast("bool", self.get_param("caseSensitive"))

    def setStorageRef(self, value: str) -> Self:
        """Set storageRef; see AlbertEmbeddings."""
        self.set_param("storageRef", value)
        return self

    def getStorageRef(self) -> str | None:
        """Return storageRef, or None when unset."""
        return cast("str | None", self.get_param("storageRef"))

    def setLazyAnnotator(self, value: bool) -> Self:
        """Set lazyAnnotator; see AlbertEmbeddings."""
        self.set_param("lazyAnnotator", value)
        return self

    def getLazyAnnotator(self) -> bool:
        """Return lazyAnnotator."""
        return cast("bool", self.get_param("lazyAnnotator"))

    def setConfigProtoBytes(self, value: Sequence[int]) -> Self:
        """Set configProtoBytes. It configured TensorFlow in Spark NLP; here it is kept and has no effect."""
        self.set_param("configProtoBytes", value)
        return self

    def getConfigProtoBytes(self) -> list[int] | None:
        """Return configProtoBytes, or None when unset."""
        value = self.get_param("configProtoBytes")
        return None if value is None else list(value)

    def setLevel(self, value: str) -> Self:
        """Set level; see AlbertEmbeddings."""
        self.set_param("level", value)
        return self

    def getLevel(self) -> str:
        """Return level."""
        return cast("str", self.get_param("level"))

    def setPooling(self, value: str | None) -> Self:
        """Set pooling; see AlbertEmbeddings."""
        self.set_param("pooling", value)
        return self

    def getPooling(self) -> str | None:
        """Return pooling, or None when unset."""
        return cast("str | None", self.get_param("pooling"))

    def setLayers(self, value: int | Sequence[int]) -> Self:
        """Set layers; see AlbertEmbeddings."""
        self.set_param("layers", value)
        return self

    def getLayers(self) -> tuple[int, ...]:
        """Return layers."""
        return cast("tuple[int, ...]", self.get_param("layers"))

    def setNormalize(self, value: bool) -> Self:
        """Set normalize; see AlbertEmbeddings."""
        self.set_param("normalize", value)
        return self

    def getNormalize(self) -> bool:
        """Return normalize."""
        return cast("bool", self.get_param("normalize"))

    def setTokenization(self, value: str) -> Self:
        """Set tokenization; see AlbertEmbeddings."""
        self.set_param("tokenization", value)
        return self

    def getTokenization(self) -> str:
        """Return tokenization."""
        return cast("str", self.get_param("tokenization"))

    def setDetectSentences(self, value: bool) -> Self:
        """Set detectSentences; see AlbertEmbeddings."""
        self.set_param("detectSentences", value)
        return self

    def getDetectSentences(self) -> bool:
        """Return detectSentences."""
        return cast("bool", self.get_param("detectSentences"))

    def setOffsets(self, value: str | None) -> Self:
        """Set offsets; see AlbertEmbeddings."""
        self.set_param("offsets", value)
        return self

    def getOffsets(self) -> str | None:
        """Return offsets, or None when unset."""
        return cast("str | None", self.get_param("offsets"))

    def setCompat(self, value: str | None) -> Self:
        """Set compat; see AlbertEmbeddings."""
        self.set_param("compat", value)
        return self

    def getCompat(self) -> str | None:
        """Return compat, or None when unset."""
        return cast("str | None", self.get_param("compat"))

    def setThreads(self, value: int | None) -> Self:
        """Set threads; see AlbertEmbeddings."""
        self.set_param("threads", value)
        return self

    def getThreads(self) -> int | None:
        """Return threads, or None when unset."""
        return cast("int | None", self.get_param("threads"))

    def setDevice(self, value: str) -> Self:
        """Set device; see AlbertEmbeddings."""
        self.set_param("device", value)
        return self

    def getDevice(self) -> str:
        """Return device."""
        return cast("str", self.get_param("device"))

    def setPrecision(self, value: str) -> Self:
        """Set precision; see AlbertEmbeddings."""
        self.set_param("precision", value)
        return self

    def getPrecision(self) -> str:
        """Return precision."""
        return cast("str", self.get_param("precision"))

    def setShowProgress(self, value: bool | None) -> Self:
        """Set showProgress; see AlbertEmbeddings."""
        self.set_param("showProgress", value)
        return self

    def getShowProgress(self) -> bool | None:
        """Return showProgress, or None when unset."""
        return cast("bool | None", self.get_param("showProgress"))

    def getEngine(self) -> str:
        """Return "onnx": the engine is ONNX Runtime."""
        return "onnx"
