r"""Regular expressions as Java 17 reads them, run by PyPI's `regex` module.

Spark NLP's users give patterns in Java's dialect (``customBounds``, ``exceptions``, ``splitPattern``, ...). `compile`
translates one, so that it finds in a text what Java finds, or refuses it with a `ParameterError`.

Known differences, all of them where Java looks at half of a character beyond U+FFFF: a match here never begins or ends
inside a character, and a look-behind sees whole characters. Properties (``\p{L}``) are those of the Unicode version of
the `regex` package; Java 17 has Unicode 13.
"""

from __future__ import annotations

from .pattern import JavaPattern, Match, compile

__all__ = ["JavaPattern", "Match", "compile"]
