"""The parameters of AlbertEmbeddings: declared once, and Spark NLP's setters and getters for each.

The setters and getters only call `set_param` and `get_param`.
"""

from __future__ import annotations

from typing import Any, cast

from .. import params as p
from .stage import Annotator, annotator_params

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


def _window(value: Any) -> int:
    """Check for the length of a window; whether fewer than 3 will do is known when the model runs (`compat`)."""
    try:
        return p.integer(0, 512)(value)
    except (TypeError, ValueError) as error:
        raise type(error)(
            "it must be a whole number of at least 3 (less only with compat='sparknlp'), at most 512"
        ) from None


PARAMS = (
    *annotator_params(2),
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
    p.Param("max_sentence_length", "maxSentenceLength", 128, _window, "Pieces of a window, specials too."),
    p.Param("case_sensitive", "caseSensitive", False, p.boolean, "False: words are lower-cased before tokenization."),
    p.Param("storage_ref", "storageRef", None, p.optional(p.text), "Name that consumers compare with their own."),
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
    p.Param("device", "device", "cpu", p.text, "Where the model runs: cpu, cuda or cuda:N."),
    p.Param(
        "precision",
        "precision",
        "fp32",
        p.one_of("fp32", "int8", "fp16", "tf32"),
        "Arithmetic: fp32 or int8; on cuda fp16 unless set.",
    ),
    p.Param("show_progress", "showProgress", None, p.optional(p.boolean), "None: a bar on a terminal only."),
)


class AlbertParams(Annotator):
    """Spark NLP's spelling of the parameters. Every setter returns the annotator, so calls can be chained."""

    uid_prefix = "ALBERT_EMBEDDINGS"
    inputAnnotatorTypes = ("document", "token")
    outputAnnotatorType = "word_embeddings"
    _params = PARAMS

    setBatchSize = p.Setter()
    getBatchSize = p.Getter()
    setDimension = p.Setter()
    setMaxSentenceLength = p.Setter()
    getMaxSentenceLength = p.Getter()
    setCaseSensitive = p.Setter()
    getCaseSensitive = p.Getter()
    setStorageRef = p.Setter()
    getStorageRef = p.Getter()
    setConfigProtoBytes = p.Setter()
    getConfigProtoBytes = p.Getter()
    setLevel = p.Setter()
    getLevel = p.Getter()
    setPooling = p.Setter()
    getPooling = p.Getter()
    setLayers = p.Setter()
    setNormalize = p.Setter()
    getNormalize = p.Getter()
    setTokenization = p.Setter()
    getTokenization = p.Getter()
    setDetectSentences = p.Setter()
    getDetectSentences = p.Getter()
    setOffsets = p.Setter()
    getOffsets = p.Getter()
    setCompat = p.Setter()
    getCompat = p.Getter()
    setThreads = p.Setter()
    getThreads = p.Getter()
    setDevice = p.Setter()
    getDevice = p.Getter()
    setPrecision = p.Setter()
    getPrecision = p.Getter()
    setShowProgress = p.Setter()
    getShowProgress = p.Getter()

    def getLayers(self) -> tuple[int, ...]:
        """Return layers."""
        return cast("tuple[int, ...]", self.get_param("layers"))

    def getEngine(self) -> str:
        """Return "onnx": the engine is ONNX Runtime."""
        return "onnx"
