"""Names that are not here, refused with what is: scripts for Spark NLP import much beside ALBERT's embeddings."""

from __future__ import annotations

import opcode
import sys
from collections.abc import Sequence
from types import FrameType


def missing_name(module: str, name: str, there: Sequence[str]) -> Exception:
    """Return the error of a module's ``__getattr__`` for a name that the module does not have.

    An AttributeError, as hasattr wants it; but ``from module import name`` would put a message of its own in the place
    of ours, so that it gets an ImportError.
    """
    if name.startswith("_"):
        return AttributeError(f"module {module!r} has no attribute {name!r}")
    message = (
        f"{module} has no {name!r}: albert_fast makes ALBERT embeddings, and has of Spark NLP what belongs to that. "
        f"{module} has {', '.join(there)}. The page docs/from-spark-nlp.md says what to use instead of other classes."
    )
    caller = sys._getframe(2)  # of the module's __getattr__
    return ImportError(message, name=module) if _imports(caller) else AttributeError(message)


def _imports(frame: FrameType) -> bool:
    return opcode.opname[frame.f_code.co_code[frame.f_lasti]] == "IMPORT_FROM"
