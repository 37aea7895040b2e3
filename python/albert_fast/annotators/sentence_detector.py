"""SentenceDetector: documents -> sentences, by Spark NLP's pragmatic rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core
from .. import params as p
from ..columns import AnnotationColumn
from .stage import Annotator, Run, annotator_params

if TYPE_CHECKING:
    from ..tables.frame import Frame

_NO_LIMIT = (1 << 32) - 1


class SentenceDetector(Annotator):
    """Find sentences by rules (Spark NLP's pragmatic SentenceDetector).

    Parameters
    ----------
    **parameters
        Any parameter below, by keyword or by Spark NLP's setter.

    Other Parameters
    ----------------
    input_cols, output_col
        Column of documents, and of the sentences.
    use_abbreviations : bool, default True
        Dots of known abbreviations ("Dr.", "e.g.") end no sentence.
    detect_lists : bool, default True
        Numbered and lettered list items begin sentences.
    custom_bounds : sequence of str
        Patterns in Java's dialect that end sentences. They need the package ``regex``.
    custom_bounds_strategy : {"none", "prepend", "append"}, default "none"
        Whether what a pattern matched belongs to no sentence, to the next, or to the one that ends.
    use_custom_bounds_only : bool, default False
        Only the patterns end sentences.
    explode_sentences : bool, default False
        One row for every sentence; rows without sentences go. Without effect in a `LightPipeline`.
    split_length : int, optional
        Deal longer sentences out at single blanks into parts of about this length.
    min_length, max_length : int
        Leave shorter and longer sentences out. All lengths count UTF-16 units. `max_length` has the default 99,999,
        which Spark NLP does not apply; one that you set does.

    Notes
    -----
    The sentences of a row are sorted by begin and numbered from 0, whichever of its documents they come from. Their
    metadata is "sentence" alone.
    """

    uid_prefix = "SentenceDetector"
    inputAnnotatorTypes = ("document",)
    outputAnnotatorType = "document"
    _params = (
        *annotator_params(1),
        p.Param("use_abbreviations", "useAbbreviations", True, p.boolean, "Dots of abbreviations end no sentence."),
        p.Param("detect_lists", "detectLists", True, p.boolean, "List items begin sentences."),
        p.Param("use_custom_bounds_only", "useCustomBoundsOnly", False, p.boolean, "Only customBounds end sentences."),
        p.Param("custom_bounds", "customBounds", (), p.patterns, "Patterns that end sentences, in Java's dialect."),
        p.Param(
            "custom_bounds_strategy", "customBoundsStrategy", "none", p.one_of("none", "prepend", "append"),
            "Where the text that a pattern matched goes.",
        ),
        p.Param("explode_sentences", "explodeSentences", False, p.boolean, "One row for every sentence."),
        p.Param("split_length", "splitLength", None, p.optional(p.integer(1, 1 << 30)), "Length of a part."),
        p.Param("min_length", "minLength", 0, p.integer(0, 1 << 30), "Shorter sentences are left out."),
        p.Param("max_length", "maxLength", 99_999, p.integer(0, 1 << 30), "Longer sentences are left out, once set."),
    )  # fmt: skip

    setUseAbbreviations = p.Setter()
    getUseAbbreviations = p.Getter()
    setDetectLists = p.Setter()
    getDetectLists = p.Getter()
    setUseCustomBoundsOnly = p.Setter()
    getUseCustomBoundsOnly = p.Getter()
    setCustomBounds = p.Setter()
    getCustomBounds = p.Getter()
    setCustomBoundsStrategy = p.Setter()
    getCustomBoundsStrategy = p.Getter()
    setExplodeSentences = p.Setter()
    getExplodeSentences = p.Getter()
    setSplitLength = p.Setter()
    getSplitLength = p.Getter()
    setMinLength = p.Setter()
    getMinLength = p.Getter()
    setMaxLength = p.Setter()
    getMaxLength = p.Getter()

    def run(self, frame: Frame, run: Run) -> Frame:
        """Return the table with the sentences."""
        documents = self._input(frame, "document")
        core = _core.detect_sentence_column(documents.core, self._options(), *self._breaks(documents))
        if self.get_param("explodeSentences") and not run.light:
            rows = np.repeat(np.arange(len(frame)), np.diff(core.row_splits))
            exploded: Frame = frame.take(rows)
            return exploded.with_column(self.output_col(), AnnotationColumn(core.explode()))
        return frame.with_column(self.output_col(), AnnotationColumn(core))

    def _options(self) -> dict[str, Any]:
        custom = bool(self.get_param("customBounds"))
        return {
            "use_abbreviations": self.get_param("useAbbreviations"),
            "detect_lists": self.get_param("detectLists"),
            "use_rules": not (custom and self.get_param("useCustomBoundsOnly")),
            "abbreviations_first": custom,
            "min_length": self.get_param("minLength"),
            "max_length": self.get_param("maxLength") if self.isSet("maxLength") else _NO_LIMIT,
            "split_length": self.get_param("splitLength") or 0,
        }

    def _breaks(self, documents: AnnotationColumn) -> tuple[Any, Any, Any]:
        """Return where the user's patterns break the documents: splits, places, characters removed."""
        patterns = self.get_param("customBounds")
        if not patterns:
            return (), (), ()
        from .. import java_regex
        from .sentence_bounds import find_breaks

        bounds = [java_regex.compile(pattern, name="customBounds") for pattern in patterns]
        strategy = self.get_param("customBoundsStrategy")
        splits, places, removed = [0], [], []
        for text in documents.results:
            for place, count in find_breaks(text, bounds, strategy):
                places.append(place)
                removed.append(count)
            splits.append(len(places))
        return splits, places, removed
