"""One line from texts to a DataFrame of ALBERT vectors: John Snow Labs' ``nlu`` for the models of this package.

>>> from albert_fast import nlu
>>> frame = nlu.load("albert_tiny_en").predict("I love NLP")
>>> list(frame.columns)
['token', 'albert_tiny_en_embeddings']

Calls and columns are nlu's, and so is this: at the levels document and chunk a pipeline from a reference finds no
sentences and gives a text to the model as a whole; one from ``path=`` runs at every level as it was saved, with its
sentence detector if it has one. The same model can so give other vectors after ``save`` and ``load(path=...)``.

What stands in them differs where nlu's is wrong or not ours to give:

- Rows come in the order of the input, under the input's index; nlu shuffles them and numbers them anew.
- A vector stands beside its own token. A token that has none (only with ``compat="sparknlp"``) has None; in nlu all
  later vectors move up by one.
- Vectors do not depend on neighbours and nothing is cut: padding is not attended to and long texts are read in windows.
  A pipeline from ``path=`` that was saved with ``compat="sparknlp"`` keeps to that.
- At the levels sentence, document and chunk a cell is the matrix of the token vectors. A sentence has those of its own
  tokens, and its own lists of tokens, places and metadata; nlu repeats the whole document's in every sentence.
  pandas writes no matrices to Parquet; lists of their rows it does: ``frame[name].map(list, na_action="ignore")``.
- Sentences are found by the pragmatic rules (`SentenceDetector`), not by the neural detector of nlu 3 and later.
- A long text is one input of the model at the levels document and chunk, read in windows; nlu cuts it.
- Texts are cleaned up with "shrink", as in nlu: places count characters of the text with its blanks collapsed.
- A text without tokens keeps one row, with NaN in place of token and vector.
- Cells of vectors are float32 and views of what the engine wrote; nlu's are float64 copies.
"""

from __future__ import annotations

from .catalog import get_components, print_all_languages, print_components
from .loading import disable_verbose, enable_verbose, load, version
from .pipeline import NLUPipeline, to_pretty_df

__all__ = [
    "NLUPipeline",
    "disable_verbose",
    "enable_verbose",
    "get_components",
    "load",
    "print_all_languages",
    "print_components",
    "to_pretty_df",
    "version",
]
