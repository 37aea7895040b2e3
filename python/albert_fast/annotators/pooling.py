"""SentenceEmbeddings and ChunkEmbeddings: word vectors -> vectors of sentences, documents and chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import _core
from .. import params as p
from ..columns import AnnotationColumn
from .stage import Annotator, Run, annotator_params

if TYPE_CHECKING:
    from ..tables.frame import Frame

_POOLING = p.Param("pooling_strategy", "poolingStrategy", "AVERAGE", p.one_of("AVERAGE", "SUM"), "How vectors add up.")
_COMPAT = p.Param("compat", "compat", None, p.optional(p.one_of("sparknlp")), "'sparknlp': its choice of words.")


class SentenceEmbeddings(Annotator):
    """A vector for every sentence or document: the mean or sum over its words (Spark NLP's class of that name).

    Other Parameters
    ----------------
    input_cols, output_col
        Columns of sentences or documents and of word embeddings, in any order; and the column of the vectors.
    pooling_strategy : {"AVERAGE", "SUM"}, default "AVERAGE"
    dimension : int, optional
        For the column's metadata; unset, the size of the word vectors.
    storage_ref : str, optional
        Name that consumers compare with their own; unset, that of the word embeddings.
    compat : {"sparknlp"}, optional
        Take the words that carry a sentence's number, as Spark NLP does. It differs for documents, which by Spark NLP's
        rule get the words of their first sentence only; by ours, all.

    Notes
    -----
    A sentence without words keeps its annotation, without a vector.
    """

    uid_prefix = "SentenceEmbeddings"
    inputAnnotatorTypes = ("document", "word_embeddings")
    outputAnnotatorType = "sentence_embeddings"
    _params = (
        *annotator_params(2),
        _POOLING,
        p.Param("dimension", "dimension", None, p.optional(p.integer(1, 1 << 30)), "Size for the column's metadata."),
        p.Param("storage_ref", "storageRef", None, p.optional(p.text), "Name for the column's metadata."),
        _COMPAT,
    )

    setPoolingStrategy = p.Setter()
    getPoolingStrategy = p.Getter()
    setDimension = p.Setter()
    getDimension = p.Getter()
    setStorageRef = p.Setter()
    getStorageRef = p.Getter()
    setCompat = p.Setter()
    getCompat = p.Getter()

    def run(self, frame: Frame, run: Run) -> Frame:
        """Return the table with the vectors."""
        words = self._input(frame, "word_embeddings")
        core = _core.pool_sentences(
            self._input(frame, "document").core,
            words.core,
            self.get_param("poolingStrategy") == "AVERAGE",
            (self.get_param("compat") or run.compat) == "sparknlp",
        )
        metadata: dict[str, Any] = {
            "dimension": self.get_param("dimension") or words.metadata.get("dimension", 0),
            "ref": self.get_param("storageRef") or words.metadata.get("ref", self.uid),
        }
        source = self._input_name(frame, "document")
        return frame.with_column(self.output_col(), AnnotationColumn(core, metadata, source))


class ChunkEmbeddings(Annotator):
    """A vector for every chunk: the mean or sum over the words in it (Spark NLP's class of that name).

    Other Parameters
    ----------------
    input_cols, output_col
        Columns of chunks and of word embeddings, in any order; and the column of the vectors.
    pooling_strategy : {"AVERAGE", "SUM"}, default "AVERAGE"
    skip_oov : bool, default True
        Leave out words that were read as `<unk>`, unless nothing else is there.
    compat : {"sparknlp"}, optional
        Look only into the sentence that the chunk names, as Spark NLP does; for a chunk of a document that is the
        first, so that chunks in later sentences are dropped. By our rule they are found.

    Notes
    -----
    A chunk without words is left out.
    """

    uid_prefix = "CHUNK_EMBEDDINGS"
    inputAnnotatorTypes = ("chunk", "word_embeddings")
    outputAnnotatorType = "word_embeddings"
    _params = (
        *annotator_params(2),
        _POOLING,
        p.Param("skip_oov", "skipOOV", True, p.boolean, "Leave unknown words out."),
        _COMPAT,
    )

    setPoolingStrategy = p.Setter()
    getPoolingStrategy = p.Getter()
    setSkipOOV = p.Setter()
    getSkipOOV = p.Getter()
    setCompat = p.Setter()
    getCompat = p.Getter()

    def run(self, frame: Frame, run: Run) -> Frame:
        """Return the table with the vectors."""
        words = self._input(frame, "word_embeddings")
        core = _core.pool_chunks(
            self._input(frame, "chunk").core,
            words.core,
            self.get_param("poolingStrategy") == "AVERAGE",
            self.get_param("skipOOV"),
            (self.get_param("compat") or run.compat) == "sparknlp",
        )
        return frame.with_column(self.output_col(), AnnotationColumn(core, words.metadata))
