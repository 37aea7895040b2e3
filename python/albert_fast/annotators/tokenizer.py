"""Tokenizer: sentences or documents -> words, by Spark NLP's rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import _core
from .. import params as p
from ..columns import AnnotationColumn
from ..common import ReadAs
from ..errors import ModelNotFoundError, ParameterError
from ..paths import path_of
from .stage import Annotator, Run, annotator_params

if TYPE_CHECKING:
    import os
    import sys

    from ..tables.frame import Frame

    if sys.version_info >= (3, 11):
        from typing import Self
    else:
        from typing_extensions import Self

DEFAULT_CONTEXT = (".", ",", ";", ":", "!", "?", "*", "-", "(", ")", '"', "'")
# What needs regular expressions: all else is done by the core.
_PATTERN_PARAMS = (
    "targetPattern", "prefixPattern", "suffixPattern", "infixPatterns", "exceptions", "splitPattern", "splitChars",
)  # fmt: skip
_DEFAULT_TARGET = "\\S+"

_RULES = (
    p.Param("target_pattern", "targetPattern", _DEFAULT_TARGET, p.pattern, "Pattern of what a candidate is made of."),
    p.Param("prefix_pattern", "prefixPattern", None, p.optional(p.pattern), "Pattern of what comes off in front."),
    p.Param("suffix_pattern", "suffixPattern", None, p.optional(p.pattern), "Pattern of what comes off behind."),
    p.Param("infix_patterns", "infixPatterns", None, p.optional(p.patterns), "Patterns of the word between."),
    p.Param("exceptions", "exceptions", None, p.optional(p.patterns), "Patterns of words that stay whole."),
    p.Param("case_sensitive_exceptions", "caseSensitiveExceptions", True, p.boolean, "Exceptions heed case."),
    p.Param("context_chars", "contextChars", DEFAULT_CONTEXT, p.characters, "Characters split off words' ends."),
    p.Param("split_pattern", "splitPattern", None, p.optional(p.pattern), "Pattern at which words are split again."),
    p.Param("split_chars", "splitChars", None, p.optional(p.patterns), "Characters at which words are split again."),
    p.Param("min_length", "minLength", 0, p.integer(0, 1 << 30), "Shorter tokens are left out."),
    p.Param("max_length", "maxLength", 99_999, p.integer(0, 1 << 30), "Longer tokens are left out."),
)


class _TokenizerParams(Annotator):
    uid_prefix = "REGEX_TOKENIZER"
    inputAnnotatorTypes = ("document",)
    outputAnnotatorType = "token"
    _params = (*annotator_params(1), *_RULES)

    setTargetPattern = p.Setter()
    getTargetPattern = p.Getter()
    setExceptions = p.Setter()
    getExceptions = p.Getter()
    setCaseSensitiveExceptions = p.Setter()
    getCaseSensitiveExceptions = p.Getter()
    setSplitPattern = p.Setter()
    getSplitPattern = p.Getter()
    setSplitChars = p.Setter()
    getSplitChars = p.Getter()
    setMinLength = p.Setter()
    getMinLength = p.Getter()
    setMaxLength = p.Setter()
    getMaxLength = p.Getter()

    def addException(self, value: str) -> Self:
        """Add one exception behind those there are."""
        return self._add("exceptions", value)

    def addSplitChars(self, value: str) -> Self:
        """Add one split character behind those there are."""
        return self._add("splitChars", value)

    def _add(self, name: str, value: str, *, front: bool = False) -> Self:
        there = tuple(self.get_param(name) or ())
        self.set_param(name, (value, *there) if front else (*there, value))
        return self

    def _model_params(self) -> dict[str, Any]:
        return self.explicit_params()


class TokenizerModel(_TokenizerParams):
    """A fitted `Tokenizer`: splits the sentences of a table into tokens.

    Parameters are those of `Tokenizer`, and `rules`: whole patterns whose groups are the tokens, which stand in place
    of prefix, infix and suffix patterns in pipelines that Spark NLP saved.
    """

    _params = (
        *_TokenizerParams._params,
        p.Param("rules", "rules", None, p.optional(p.patterns), "Whole patterns whose groups are the tokens."),
    )

    setRules = p.Setter()
    getRules = p.Getter()

    @classmethod
    def pretrained(cls, name: str = "token_rules", lang: str = "en", remote_loc: str | None = None) -> Self:
        """Return a tokenizer by name. There is one, Spark NLP's "token_rules": the default rules."""
        if name != "token_rules":
            raise ModelNotFoundError(f"No tokenizer is called {name!r}. 'token_rules', the default rules, is built in.")
        return cls()

    def run(self, frame: Frame, run: Run) -> Frame:
        """Return the table with the tokens."""
        sentences = self._input(frame, "document")
        return frame.with_column(self.output_col(), AnnotationColumn(self._tokens(sentences)))

    def _tokens(self, sentences: AnnotationColumn) -> _core.AnnotationColumn:
        lengths = (self.get_param("minLength"), self.get_param("maxLength"))
        rules = self._rules()
        if rules is None:
            return _core.split_token_column(sentences.core, "".join(self.get_param("contextChars")), *lengths)
        splits, begins, ends = [0], [], []
        for text in sentences.results:
            for begin, end in rules.split(text):
                begins.append(begin)
                ends.append(end)
            splits.append(len(begins))
        return _core.make_token_column(sentences.core, splits, begins, ends)

    def _rules(self) -> Any:
        """Return the rules of a user's patterns, compiled; None where there are none."""
        whole = self.get_param("rules")
        if whole is None and all(self.get_param(name) in (None, (), _DEFAULT_TARGET) for name in _PATTERN_PARAMS):
            return None
        from .token_rules import TokenRules

        return TokenRules(
            target_pattern=self.get_param("targetPattern"),
            prefix_pattern=self.get_param("prefixPattern"),
            suffix_pattern=self.get_param("suffixPattern"),
            infix_patterns=self.get_param("infixPatterns"),
            exceptions=self.get_param("exceptions"),
            case_sensitive_exceptions=self.get_param("caseSensitiveExceptions"),
            context_chars=self.get_param("contextChars"),
            split_pattern=self.get_param("splitPattern"),
            split_chars=self.get_param("splitChars"),
            min_length=self.get_param("minLength"),
            max_length=self.get_param("maxLength"),
            rules=whole,
        )


class Tokenizer(_TokenizerParams):
    """Split sentences into tokens by rules (Spark NLP's Tokenizer).

    What stands between blanks is a candidate; characters of `context_chars` in front of it and behind it come off,
    those of each side together. `fit` gives the `TokenizerModel` that does it; nothing is learnt.

    Parameters
    ----------
    **parameters
        Any parameter below, by keyword or by Spark NLP's setter.

    Other Parameters
    ----------------
    input_cols, output_col
        Column of sentences or documents, and of the tokens.
    context_chars : sequence of str, default ``. , ; : ! ? * - ( ) " '``
    min_length, max_length : int, default 0 and 99,999
        Leave shorter and longer tokens out, counted in UTF-16 units.
    target_pattern, prefix_pattern, suffix_pattern, infix_patterns, split_pattern : str or sequence of str
        Patterns in Java's dialect, used as Spark NLP uses them: the target pattern is pasted into a character class,
        the prefix pattern begins with ``\\A``, the suffix pattern ends with ``\\z``, an infix pattern has groups. They
        need the package ``regex``.
    exceptions : sequence of str
        Patterns of what stays whole, with what is attached to it. `setExceptionsPath` reads a file of them.
    case_sensitive_exceptions : bool, default True
    split_chars : sequence of str
        Characters (or a backslash and one) at which words are split again; `split_pattern` wins over them.
    """

    setPrefixPattern = p.Setter()
    getPrefixPattern = p.Getter()
    setSuffixPattern = p.Setter()
    getSuffixPattern = p.Getter()
    setInfixPatterns = p.Setter()
    getInfixPatterns = p.Getter()
    setContextChars = p.Setter()
    getContextChars = p.Getter()

    def addInfixPattern(self, value: str) -> Self:
        """Add one infix pattern in front of those there are."""
        return self._add("infixPatterns", value, front=True)

    def addContextChars(self, value: str) -> Self:
        """Add one context character behind those there are."""
        return self._add("contextChars", value)

    def setExceptionsPath(
        self,
        path: str | os.PathLike[str],
        read_as: str = ReadAs.TEXT,
        options: Mapping[str, str] | None = None,
    ) -> Self:
        """Read exceptions from a UTF-8 file, one a line, and put them in front of those there are.

        Parameters
        ----------
        path
            The file. It is read now; a saved pipeline keeps what it said.
        read_as, options
            Spark NLP's; only text is read.
        """
        wanted = dict(options or {"format": "text"})
        if read_as != ReadAs.TEXT or str(wanted.get("format", "text")).lower() != "text":
            raise ParameterError("setExceptionsPath reads plain text: read_as=ReadAs.TEXT, options={'format': 'text'}.")
        file = path_of(path)
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError) as error:  # also what is not UTF-8, and names with a zero byte
            raise ParameterError(f"The file of exceptions {path} cannot be read: {error}.") from error
        there: Sequence[str] = self.get_param("exceptions") or ()
        self.set_param("exceptions", (*(line for line in lines if line), *there))
        return self

    def fit(self, data: Any = None) -> TokenizerModel:
        """Return the tokenizer that does the work. The patterns are checked now.

        Raises
        ------
        ParameterError
            A pattern is not allowed in its place or uses what is not supported; names the construct.
        """
        model = TokenizerModel(**self._model_params())
        model.uid = self.uid
        model._rules()
        return model

    def transform(self, data: Any) -> Any:
        """Fit and run this stage on a table; see `Stage.transform`."""
        return self.fit().transform(data)
