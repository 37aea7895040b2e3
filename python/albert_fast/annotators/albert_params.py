"""The parameters of AlbertEmbeddings: declared once, and Spark NLP's setters and getters for each.

The setters are written out so that editors and type checkers see them; they only call `set_param` and `get_param`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from .. import params as p

if TYPE_CHECKING:
    if sys.version_info >= (3, 11):
        from typing import Self
    else:
        from typing_extensions import Self


LEVELS = ("word", "piece", "sentence", "document")
LEVEL_POOLINGS = {
    "word": ("first", "mean", "max"),
    "piece": ("first",),
    "sentence": ("mean", "max", "cls", "pooler", "words"),
    "document": ("mean", "max", "cls", "pooler", "words"),
}
ALL_POOLINGS = ("first", "mean", "max", "cls", "pooler", "words")


def _level(value: Any) -> str:
    # "token" is what Spark NLP and nlu call a word.
    return "word" if value == "token" else p.one_of(*LEVELS)(value)


PARAMS = (
    p.Param("input_cols", "inputCols", None, p.optional(p.strings(2)), "Columns of sentences and of tokens."),
    p.Param("output_col", "outputCol", None, p.optional(p.text), "Column of the embeddings."),
    p.Param(
        "batch_size", "batchSize", 8, p.integer(1, 1 << 30), "Sentences per batch; changes vectors only in compat mode."
    ),
    p.Param(
        "dimension",
        "dimension",
        None,
        p.optional(p.integer(1, 1 << 30)),
        "Size of a vector, for the column's metadata.",
    ),
    p.Param("max_sentence_length", "maxSentenceLength", 128, p.integer(0, 512), "Pieces of a window, specials too."),
    p.Param("case_sensitive", "caseSensitive", False, p.boolean, "False: words are lower-cased before tokenization."),
    p.Param("storage_ref", "storageRef", None, p.optional(p.text), "Name that consumers compare with their own."),
    p.Param("lazy_annotator", "lazyAnnotator", False, p.boolean, "Skipped by recursive and light pipelines."),
    p.Param(
        "config_proto_bytes", "configProtoBytes", None, p.optional(p.integers), "TensorFlow's; kept, without effect."
    ),
    p.Param("level", "level", "word", _level, "What embed returns vectors of: word, piece, sentence or document."),
    p.Param("pooling", "pooling", None, p.optional(p.one_of(*ALL_POOLINGS)), "How pieces become one vector."),
    p.Param("layers", "layers", (-1,), p.layer_numbers, "Hidden states to average; 0 is the embedding, -1 the last."),
    p.Param("normalize", "normalize", False, p.boolean, "Scale every vector to unit length."),
    p.Param("tokenization", "tokenization", "word", p.one_of("word", "text"), "Word by word, or the text as a whole."),
    p.Param("detect_sentences", "detectSentences", True, p.boolean, "False: each text is one sentence."),
    p.Param("offsets", "offsets", None, p.optional(p.one_of("codepoints", "utf16")), "What begin and end count."),
    p.Param("compat", "compat", None, p.optional(p.one_of("sparknlp")), "'sparknlp': its vectors, to the digit."),
    p.Param("threads", "threads", None, p.optional(p.integer(1, 1024)), "Threads of a call; None: all there are."),
    p.Param("device", "device", "cpu", p.text, "Where the model runs: cpu."),
    p.Param("precision", "precision", "fp32", p.one_of("fp32", "int8", "fp16", "tf32"), "Arithmetic: fp32."),
    p.Param("show_progress", "showProgress", None, p.optional(p.boolean), "None: a bar on a terminal only."),
)


class AlbertParams(p.HasParams):
    """Spark NLP's spelling of the parameters. Every setter returns the annotator, so calls can be chained."""

    _params = PARAMS

    def setInputCols(self, *columns: str | Sequence[str]) -> Self:
        """Set the two input columns, as two strings or one list: sentences (or documents) and tokens, in any order."""
        single = len(columns) == 1 and not isinstance(columns[0], str)
        self.set_param("inputCols", columns[0] if single else columns)
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
        """Return dimension; unset, it is the model's hidden size."""
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
