"""English prose that every machine has: the docstrings of the running Python's standard library, or a file."""

from __future__ import annotations

import ast
import hashlib
import re
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import BenchError

# Folders that are not there everywhere, or hold generated text.
_LEFT_OUT = {"site-packages", "dist-packages", "test", "tests", "idlelib", "lib2to3", "__pycache__", "ensurepip"}
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_FEWEST_WORDS = 4
_PROSE_SHARE = 0.75


@dataclass(frozen=True)
class Corpus:
    """Sentences in a fixed order, where they come from, and the hash that identifies them."""

    sentences: list[str]
    source: str
    sha256: str


def read_corpus(file: Path | None) -> Corpus:
    """Return the sentences of `file` (UTF-8), or those of the standard library's docstrings."""
    if file is None:
        paragraphs = _docstring_paragraphs(Path(sysconfig.get_paths()["stdlib"]))
        source = f"docstrings of the standard library of Python {sysconfig.get_python_version()}"
    else:
        paragraphs = _paragraphs(file.read_text(encoding="utf-8"))
        source = file.name
    sentences = list(dict.fromkeys(s for p in paragraphs for s in _SENTENCE_END.split(p) if _is_prose(s)))
    if not sentences:
        raise BenchError(
            f"No English sentences in {file or 'the standard library (are its .py files installed?)'}. "
            "Give a text with --corpus FILE."
        )
    digest = hashlib.sha256("\n".join(sentences).encode()).hexdigest()
    return Corpus(sentences, source, digest)


def _docstring_paragraphs(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*.py")):
        if _LEFT_OUT & set(path.relative_to(folder).parts):
            continue
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError):  # a file for another version of Python
            continue
        for node in ast.walk(tree):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                yield from _paragraphs(ast.get_docstring(node) or "")


def _paragraphs(text: str) -> Iterator[str]:
    for block in re.split(r"\n\s*\n", text):
        yield " ".join(block.split())


def _is_prose(sentence: str) -> bool:
    letters = sum(c.isalpha() or c == " " for c in sentence)
    return len(sentence.split()) >= _FEWEST_WORDS and letters >= _PROSE_SHARE * len(sentence) and ">>>" not in sentence
