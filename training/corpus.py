"""English prose from six Debian packages: download, unpack, strip markup, deduplicate, split.

Nothing is installed on the machine: ``apt-get download`` fetches the packages and ``dpkg -x`` unpacks them
below the working folder. Needed: Debian or a derivative, a package list (``apt-get update``), network.
"""

from __future__ import annotations

import gzip
import hashlib
import html.parser
import logging
import re
import subprocess
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGES = (
    "python3.11-doc",
    "debian-handbook",
    "debian-reference-en",
    "manpages-dev",
    "miscfiles",
    "bible-kjv-text",
)
# bible-kjv holds the program that reads the compressed file of bible-kjv-text.
TOOLS = ("bible-kjv",)
HELD_OUT_PERCENT = 2

_log = logging.getLogger("albert_fast.training")


@dataclass(frozen=True)
class Document:
    """One page, manual page or chapter: its name and its paragraphs of normalised text."""

    name: str
    paragraphs: tuple[str, ...]

    @property
    def is_held_out(self) -> bool:
        """Whether the hash of the name puts the document into the held-out share."""
        digest = hashlib.sha256(self.name.encode()).digest()
        return int.from_bytes(digest[:4], "big") % 100 < HELD_OUT_PERCENT


def normalise(text: str) -> str:
    """Return `text` lower-cased and without accents, as ALBERT's uncased models read it."""
    text = text.replace("``", '"').replace("''", '"')
    for curly, plain in (("\u2018", "'"), ("\u2019", "'"), ("\u201c", '"'), ("\u201d", '"')):
        text = text.replace(curly, plain)
    decomposed = unicodedata.normalize("NFKD", text)
    plain_text = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(plain_text.lower().split())


class _ProseParser(html.parser.HTMLParser):
    """Collects the text of p, li and dd elements; skips code, tables, menus and headings."""

    SKIPPED = frozenset("pre table script style nav h1 h2 h3 h4 h5 h6 dt title head footer".split())
    SKIPPED_CLASSES = frozenset(
        "toc sphinxsidebar related footer headerlink highlight versionmodified docnav "
        "genindextable navheader navfooter titlepage mathjax screen programlisting".split()
    )
    BREAKS = frozenset("p li dd div ul ol dl section br body".split())
    VOID = frozenset("br img hr meta link input col area base wbr source".split())

    def __init__(self) -> None:
        super().__init__()
        self.paragraphs: list[str] = []
        self._text: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self._n_skipped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.BREAKS:
            self._flush()
        if tag in self.VOID:
            return
        classes = (dict(attrs).get("class") or "").split()
        skipped = tag in self.SKIPPED or not self.SKIPPED_CLASSES.isdisjoint(classes)
        self._open.append((tag, skipped))
        self._n_skipped += skipped

    def handle_endtag(self, tag: str) -> None:
        if tag in self.BREAKS:
            self._flush()
        if tag not in (name for name, _ in self._open):
            return
        while self._open:
            name, skipped = self._open.pop()
            self._n_skipped -= skipped
            if name == tag:
                break

    def handle_data(self, data: str) -> None:
        if not self._n_skipped:
            self._text.append(data)

    def _flush(self) -> None:
        text = " ".join("".join(self._text).split())
        self._text.clear()
        if text:
            self.paragraphs.append(text)


def html_paragraphs(source: str) -> list[str]:
    """Return the prose of one HTML page."""
    parser = _ProseParser()
    parser.feed(source)
    parser.close()
    return parser.paragraphs


_MAN_SKIPPED_SECTIONS = frozenset(
    "SYNOPSIS LIBRARY ATTRIBUTES COLOPHON STANDARDS AUTHORS COPYRIGHT EXAMPLES".split()
) | {"SEE ALSO", "CONFORMING TO"}
_MAN_BLOCKS = {"nf": "fi", "EX": "EE", "TS": "TE", "EQ": "EN", "ig": "."}
_MAN_FONTS = frozenset("B I BR BI IR IB RB RI SM SB".split())
_MAN_GLYPHS = {"aq": "'", "dq": '"', "lq": '"', "rq": '"', "em": " - ", "en": "-", "ti": "~", "ha": "^"}


def _man_text(line: str) -> str:
    line = re.sub(r"\\f(\(..|\[[^\]]*\]|.)", "", line)
    line = re.sub(r"\\s[-+]?\d", "", line)
    line = re.sub(r"\\\"(.*)$", "", line)
    line = re.sub(r"\\(?:\((..)|\[([^\]]*)\])", lambda match: _MAN_GLYPHS.get(match[1] or match[2], ""), line)
    line = re.sub(r"\\[&|^:%/,]", "", line).replace(r"\-", "-").replace(r"\e", "\0")
    return line.replace("\\", "").replace("\0", "\\")


def _man_arguments(line: str) -> list[str]:
    return [quoted or bare for quoted, bare in re.findall(r'"([^"]*)"|(\S+)', line)]


def man_paragraphs(source: str) -> list[str]:
    """Return the prose of one manual page in troff's ``man`` macros; code, tables and tags are left out."""
    paragraphs: list[str] = []
    current: list[str] = []
    closing: str | None = None
    is_section_skipped = True
    is_tag_next = False
    for line in source.splitlines():
        macro, _, rest = line[1:].strip().partition(" ") if line[:1] in (".", "'") else ("", "", line)
        if closing is not None:
            closing = None if macro == closing else closing
            continue
        if macro in _MAN_FONTS or not macro:
            words = "".join(_man_arguments(rest)) if len(macro) == 2 else " ".join(_man_arguments(rest))
            text = _man_text(words if macro else rest)
            if is_tag_next:
                is_tag_next = False
            elif not is_section_skipped and not line.startswith((".\\", "'\\")):
                current.append(text)
            continue
        if macro.startswith("\\"):
            continue
        if macro in {"SH", "SS", "PP", "P", "LP", "TP", "TQ", "IP", "HP", "RS", "RE", *_MAN_BLOCKS}:
            paragraphs.append(" ".join(" ".join(current).split()))
            current.clear()
        if macro == "SH":
            is_section_skipped = rest.strip().strip('"') in _MAN_SKIPPED_SECTIONS | {"NAME"}
        closing = _MAN_BLOCKS.get(macro)
        is_tag_next = macro in ("TP", "TQ")
    paragraphs.append(" ".join(" ".join(current).split()))
    return [paragraph for paragraph in paragraphs if paragraph]


_COMMON_WORDS = frozenset(("the", "a", "of", "to", "and", "is", "in", "for", "it", "that", "be"))


def _is_prose(text: str) -> bool:
    """Whether `text` reads as sentences rather than as code, a list of names or a table row."""
    words = text.split()
    if len(words) < 6:
        return False
    plain = sum(bool(re.fullmatch(r"[\"'(]*[a-z]+(?:[-'][a-z]+)*[\"').,;:!?]*", word)) for word in words)
    has_common = not _COMMON_WORDS.isdisjoint(words)
    return has_common and plain >= 0.7 * len(words)


def unpack(work: Path) -> Path:
    """Download and unpack the packages below `work` unless that has been done; return the root folder.

    Raises
    ------
    subprocess.CalledProcessError
        When ``apt-get download`` or ``dpkg -x`` fails: run ``apt-get update`` first.

    """
    root = work / "root"
    if (root / ".complete").exists():
        return root
    debs = work / "debs"
    debs.mkdir(parents=True, exist_ok=True)
    subprocess.run(["apt-get", "download", *PACKAGES, *TOOLS], cwd=debs, check=True)
    for deb in sorted(debs.glob("*.deb")):
        _log.info("unpacking %s", deb.name)
        subprocess.run(["dpkg", "-x", str(deb), str(root)], check=True)
    (root / ".complete").touch()
    return root


def _read(path: Path) -> str:
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return raw.decode("utf-8", errors="replace")


def _pages(root: Path) -> Iterator[tuple[str, list[str]]]:
    share = root / "usr/share"
    python_doc = share / "doc/python3.11/html"
    for path in sorted(python_doc.rglob("*.html")):
        if not path.name.startswith(("genindex", "contents", "search", "py-modindex")):
            yield f"python/{path.relative_to(python_doc)}", html_paragraphs(_read(path))
    for path in sorted((share / "doc/debian-handbook/html/en-US").glob("*.html")):
        yield f"handbook/{path.name}", html_paragraphs(_read(path))
    for path in sorted((share / "debian-reference").glob("*.en.html")):
        yield f"reference/{path.name}", html_paragraphs(_read(path))
    for path in sorted((share / "man").rglob("*.gz")):
        if not path.is_symlink():
            yield f"man/{path.stem}", man_paragraphs(_read(path))
    for path in sorted((share / "state").glob("*.gz")):
        yield f"miscfiles/{path.stem}", re.split(r"\n\s*\n", _read(path))
    yield from _bible(root)


def _bible(root: Path) -> Iterator[tuple[str, list[str]]]:
    folder = root / "usr/lib"
    command = [str(root / "usr/bin/bible"), "-p", ".", "-f", "gen1:1-rev22:21"]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    chapters: dict[str, list[str]] = {}
    for line in done.stdout.decode("latin-1").splitlines():
        reference, _, verse = line.partition(" ")
        chapters.setdefault(reference.partition(":")[0], []).append(verse)
    for chapter, verses in chapters.items():
        # Groups of verses make paragraphs long enough for two segments.
        yield f"bible/{chapter}", [" ".join(verses[at : at + 8]) for at in range(0, len(verses), 8)]


def documents(work: Path) -> list[Document]:
    """Return every document with at least one paragraph of prose; repeated paragraphs are kept once."""
    seen: set[str] = set()
    found = []
    for name, raw in _pages(unpack(work)):
        kept = []
        for paragraph in map(normalise, raw):
            if paragraph not in seen and _is_prose(paragraph):
                seen.add(paragraph)
                kept.append(paragraph)
        if kept:
            found.append(Document(name, tuple(kept)))
    return found
