"""The pages and the README: their code runs and prints what they say, their tables and figures are true."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import albert_fast
from albert_fast import AlbertEmbeddings
from ported_script import RULES, ported

ROOT = Path(__file__).resolve().parent.parent
if not (ROOT / "docs").is_dir():
    pytest.skip("the pages are in the repository, not in the source archive", allow_module_level=True)
SPARK_PAGE = ROOT / "docs" / "from-spark-nlp.md"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@dataclass
class Block:
    """A block of code: where it stands, the comment before it, what it prints by the page (None: it does not say)."""

    line: int
    remark: str
    code: str
    output: str | None


_BLOCK = re.compile(
    r"(?:^<!-- (?P<remark>[^\n]*) -->\n)?^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<output>.*?)^```\n)?",
    re.DOTALL | re.MULTILINE,
)


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    found = 0
    for match in _BLOCK.finditer(text):
        found += 1
        line = text.count("\n", 0, match.start("code")) + 1
        yield Block(line, match["remark"] or "", match["code"], match["output"])
    assert found == len(re.findall(r"^```python", text, re.MULTILINE)), f"{page.name}: a block was not understood"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_code_of_a_page(page: Path, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "page"}
    ran = 0
    for block in blocks(page):
        where = f"{page.name}, line {block.line}"
        if block.remark.startswith("not run: "):
            continue
        code = ported(block.code) if block.remark.startswith("spark nlp: ") else block.code
        assert block.remark == "" or code != block.code, f"{where}: {block.remark!r} is no remark of ours"
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            # Lines before it, so that a traceback names the line of the page.
            exec(compile("\n" * (block.line - 1) + code, str(page), "exec"), names)
        if block.output is not None or printed.getvalue():
            assert printed.getvalue() == block.output, where
        ran += 1
    assert ran > 0


def test_few_blocks_do_not_run() -> None:
    left_out = [block.remark for page in PAGES for block in blocks(page) if block.remark.startswith("not run: ")]
    assert len(left_out) <= 3
    assert all(remark.startswith("not run: needs ") for remark in left_out)


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_the_links_of_a_page(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        assert file.exists(), f"{page.name} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
            assert anchor in anchors, f"{page.name} links to {target}"


# ------------------------------------------------------------------------------------------------ tables


def rows_of(text: str) -> list[list[str]]:
    """The cells of all tables in a part of a page, without their headings."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    heads = {number - 1 for number, line in enumerate(lines) if set(line) <= set("|-")}
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for number, line in enumerate(lines)
        if number not in heads and number - 1 not in heads
    ]


def sections() -> dict[str, str]:
    parts = re.split(r"^(#{2,3} .*)$", SPARK_PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {heading.lstrip("# "): body for heading, body in zip(parts[1::2], parts[2::2], strict=True)}


def names_of(section: str) -> dict[str, str]:
    """Names of a class's table -> same, different, missing or added."""
    found: dict[str, str] = {}
    for cells in rows_of(sections()[section]):
        assert cells[1] in ("same", "different", "missing", "added"), cells
        found |= dict.fromkeys(re.findall(r"`(\w+(?:\(\))?)`", cells[0]), cells[1])
    return found


STAGES = (
    "DocumentAssembler", "SentenceDetector", "Tokenizer", "TokenizerModel", "AlbertEmbeddings", "SentenceEmbeddings",
    "ChunkEmbeddings", "Doc2Chunk", "EmbeddingsFinisher", "Finisher",
)  # fmt: skip
OTHERS = {
    "Pipeline": albert_fast.Pipeline(),
    "PipelineModel": albert_fast.PipelineModel([]),
    "LightPipeline": albert_fast.LightPipeline,
    "PretrainedPipeline": albert_fast.PretrainedPipeline,
    "Annotation": albert_fast.Annotation,
    "All annotators": AlbertEmbeddings(),
}


def is_there(owner: Any, name: str, status: str) -> bool:
    """Whether a class has a method `name()`, an attribute, or a parameter with its keyword, setter and getter."""
    if name.endswith("()"):
        return hasattr(owner, name.removesuffix("()"))
    if not hasattr(owner, "params") or name == "uid":
        return hasattr(owner, name)
    if name not in [param.spark_name for param in owner.params()]:
        return False
    ends = name[0].upper() + name[1:]
    # A parameter that Spark NLP's class lacks may be a keyword only.
    return status == "added" or (hasattr(owner, f"set{ends}") and hasattr(owner, f"get{ends}"))


@pytest.mark.parametrize("name", [*STAGES, *OTHERS])
def test_the_table_of_a_class_tells_what_is_there(name: str) -> None:
    owner = OTHERS[name] if name in OTHERS else getattr(albert_fast, name)()
    for member, status in names_of(name).items():
        assert is_there(owner, member, status) == (status != "missing"), f"{name}: {member} is {status} by the page"


@pytest.mark.parametrize("name", STAGES)
def test_every_parameter_stands_in_a_table(name: str) -> None:
    told = {*names_of(name), *names_of("All annotators")}
    assert {param.spark_name for param in getattr(albert_fast, name).params()} <= told


def test_what_is_said_to_be_missing_is_missing() -> None:
    rows = rows_of(sections()["What is missing, and what to do instead"])
    names = [name for cells in rows for name in re.findall(r"`(\w+)`", cells[0])]
    assert len(names) > 20
    for name in names:
        for module in (albert_fast, albert_fast.base, albert_fast.annotator):
            assert not hasattr(module, name), name


def test_the_frame_has_the_methods_that_the_page_lists() -> None:
    text = sections()["Tables, sessions, rows"]
    there, missing = re.search(r"A frame has (.*?)\. It has no (.*?): use", text, re.DOTALL).groups()  # type: ignore[union-attr]
    listed = re.findall(r"`(\w+)`", there)
    assert len(listed) == len(set(listed)) == 25
    frame = albert_fast.start().createDataFrame([["a"]], ["text"])
    assert [name for name in listed if not hasattr(frame, name)] == []
    assert [name for name in re.findall(r"`(\w+)`", missing) if hasattr(frame, name)] == []


def test_the_import_rules_are_those_of_the_tests() -> None:
    rows = rows_of(sections()["What changes in a script"])
    for spark, here in rows:
        before = re.findall(r"`(.*?)`", spark)[0]
        assert ported(before) == re.findall(r"`(.*?)`", here)[0]
    assert len(rows) == len(RULES)


# ------------------------------------------------------------------------------------------------ figures


def cosines(a: Any, b: Any) -> Any:
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    return (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)


def figures_of_neighbours(a: Any, b: Any) -> list[str]:
    """Share of changed vectors, median, worst tenth and lowest cosine, largest change: as the page writes them."""
    change, cosine = np.abs(a - b).max(-1), cosines(a, b)
    return [
        f"{(change > 1e-3).mean() * 100:.0f} %",
        *(f"{value:.3f}" for value in (np.median(cosine), np.quantile(cosine, 0.1), cosine.min())),
        f"{change.max():.1f}",
    ]


def table_of(heading: str, number: int) -> list[list[str]]:
    """One table of a section, with its first column left out."""
    tables = re.findall(r"(?:^\|.*\n)+", sections()[heading], re.MULTILINE)
    return [cells[1:] for cells in rows_of(tables[number])]


NEIGHBOURS = "How Spark NLP's vectors depend on their neighbours"


def test_the_figures_of_one_text(golden: Path) -> None:
    cases = json.loads((golden / "sparknlp/stages.json").read_text())
    alone = np.array([text.split() for text in cases["light_annotate_str_True"]["embeddings"]], dtype=float)
    table = np.array([annotation["embeddings"] for annotation in cases["rows"][0]["embeddings"]])
    ours = AlbertEmbeddings.load(golden / "sparknlp/models/hf_folder")
    texts = [row["text"] or "" for row in cases["rows"]]
    by_us = ours.embed(texts)[0].vectors
    assert np.array_equal(by_us, ours.embed(texts[0]).vectors)
    lines = [alone[:, 0], table[:, 0], cosines(alone, table), by_us[:, 0]]
    assert table_of(NEIGHBOURS, 0) == [[f"{value:.3f}" for value in line] for line in lines]
    assert len(texts) == 6
    longest = max(ours.embed(texts).sentence.tolist())
    words = [(row["sentence"], row["token"]) for row in cases["rows"]]
    counts = [
        sum(token["metadata"]["sentence"] == sentence["metadata"]["sentence"] for token in tokens)
        for sentences, tokens in words
        for sentence in sentences
    ]
    assert longest == 1
    assert max(counts) == 12


def test_the_figures_of_two_hundred_texts(golden: Path) -> None:
    texts = [text or "" for text in json.loads((golden / "texts/texts.json").read_text())[:200]]
    folder = golden / "sparknlp"
    b1, b8 = (np.load(folder / f"embeddings_{name}.npz")["vectors"] for name in ("b1", "b8"))
    built_in = AlbertEmbeddings.pretrained("albert_tiny_en", compat="sparknlp")
    together = built_in.embed(texts).vectors
    alone = np.concatenate([built_in.copy({"batchSize": 1}).embed(text).vectors for text in texts])
    columns = [figures_of_neighbours(b1, b8), figures_of_neighbours(alone, together)]
    for model in (AlbertEmbeddings.load(folder / "models/hf_folder"), AlbertEmbeddings.pretrained("albert_tiny_en")):
        apart = np.concatenate([model.embed(text).vectors for text in texts])
        assert np.array_equal(model.embed(texts).vectors, apart)
    page = table_of(NEIGHBOURS, 1)
    assert [cells[:2] for cells in page] == [list(pair) for pair in zip(*columns, strict=True)]
    assert [cells[2] for cells in page] == ["none", "1", "1", "1", "0"]


def test_the_figures_of_compat(golden: Path) -> None:
    texts = [text or "" for text in json.loads((golden / "texts/texts.json").read_text())[:200]]
    page = rows_of(sections()["The same vectors"])
    assert len(page) == 4
    for name, cells in zip(("b1", "b8", "short", "cased"), page, strict=True):
        case = json.loads((golden / f"sparknlp/embeddings_{name}.json").read_text())
        params = {key: case[key] for key in ("batchSize", "maxSentenceLength", "caseSensitive")}
        theirs = np.load(golden / f"sparknlp/embeddings_{name}.npz")["vectors"]
        assert cells[:4] == [*(str(value).lower() for value in params.values()), f"{len(theirs):,}"]
        model = AlbertEmbeddings.load(golden / "sparknlp/models/hf_folder", compat="sparknlp")
        difference = np.abs(model.copy(params).embed(texts).vectors - theirs).max()
        assert difference < 2 * float(cells[4])  # the last digit depends on the processor
    short = json.loads((golden / "sparknlp/embeddings_short.json").read_text())
    tokens = json.loads((golden / "sparknlp/text_stages.json").read_text())["rows"][:200]
    counts = sum(map(len, short["rows"])), sum(len(row["token"]) for row in tokens)
    assert f"{counts[0]:,} of the {counts[1]:,} words of 200 texts" in sections()["What is different"]
