"""Rows of several documents: every word keeps its own document, whatever was done to the table between two stages."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from albert_fast import (
    AlbertEmbeddings,
    Annotation,
    ChunkEmbeddings,
    Doc2Chunk,
    DocumentAssembler,
    InputError,
    Pipeline,
    SentenceDetector,
    SentenceEmbeddings,
    Tokenizer,
)
from albert_fast.annotators.stage import Stage

# Offsets begin at 0 in each; "I love" and "One." stand at the same place in several of them.
ROWS = [
    ["I love cats. They sleep.", "I love dogs. 😀 bark", "", "One."],
    ["One. Two.", "One. Six of them."],
    ["Just one document. It has two sentences."],
    [],
]
Remake = Callable[[Any], Any]


def stages(tiny: AlbertEmbeddings, sentences: str, offsets: str = "codepoints", **changes: Any) -> list[Stage]:
    chunks = Doc2Chunk(input_cols=["document"], output_col="chunk", chunk_col="want", is_array=True)
    embeddings = tiny.copy({**changes, "inputCols": [sentences, "token"], "outputCol": "embeddings"})
    return [
        DocumentAssembler(input_col="text", offsets=offsets),
        SentenceDetector(input_cols=["document"], output_col="sentence"),
        Tokenizer(input_cols=["sentence"], output_col="token"),
        chunks,
        embeddings,
        SentenceEmbeddings(input_cols=["document", "embeddings"], output_col="of_documents"),
        SentenceEmbeddings(input_cols=["sentence", "embeddings"], output_col="of_sentences"),
        ChunkEmbeddings(input_cols=["chunk", "embeddings"], output_col="of_chunks"),
    ]


def table() -> Any:
    pd = pytest.importorskip("pandas")
    return pd.DataFrame({"text": ROWS, "want": [["love", "One"]] * len(ROWS)})


def stepwise(steps: list[Stage], data: Any, remake: Remake) -> Any:
    for step in steps:
        data = remake(step.transform(data))
    return data


def each_column(change: Callable[[Any], Any]) -> Remake:
    return lambda frame: frame.apply(lambda column: column if column.name in ("text", "want") else change(column))


def concatenated(frame: Any) -> Any:
    import pandas as pd

    return pd.concat([frame.iloc[i : i + 1] for i in range(len(frame))])


REMAKES: dict[str, Remake] = {
    "pickled": lambda frame: pickle.loads(pickle.dumps(frame)),
    "columns pickled one by one": each_column(lambda column: pickle.loads(pickle.dumps(column))),
    "cells pickled one by one": each_column(lambda column: column.map(lambda cell: pickle.loads(pickle.dumps(cell)))),
    "concatenated": concatenated,
    "lists": each_column(lambda column: column.map(list)),
    "copies": each_column(lambda column: column.map(lambda cell: [a.copy(a.result) for a in cell])),
}


@pytest.mark.parametrize("remake", REMAKES.values(), ids=REMAKES)
@pytest.mark.parametrize("sentences", ["sentence", "document"])
@pytest.mark.parametrize("offsets", ["codepoints", "utf16"])
def test_words_keep_their_documents(remake: Remake, sentences: str, offsets: str, tiny: AlbertEmbeddings) -> None:
    steps = stages(tiny, sentences, offsets)
    whole = Pipeline(stages=steps).fit().transform(table())
    alone = tiny.embed(["I love dogs. 😀 bark"], detect_sentences=sentences == "sentence").vectors
    row = whole["embeddings"][0]
    own = [i for i, a in enumerate(row) if a.document == 1]
    assert np.array_equal(row.vectors[own], alone)
    again = stepwise(steps, table(), remake)
    for name in ("embeddings", "of_documents", "of_sentences", "of_chunks"):
        for got, expected in zip(again[name], whole[name], strict=True):
            assert [a.result for a in got] == expected.result
            assert all(np.array_equal(a.vector, b.vector) for a, b in zip(got, expected, strict=True))


def test_what_is_pooled_is_pooled_of_its_own_document(tiny: AlbertEmbeddings) -> None:
    result = Pipeline(stages=stages(tiny, "sentence")).fit().transform(table())
    words, chunks = result["embeddings"][0], result["of_chunks"][0]
    assert chunks.result == ["love", "love", "One"]
    place = {(a.document, a.begin): a.vector for a in words}
    assert [np.array_equal(chunk.vector, place[chunk.document, chunk.begin]) for chunk in chunks] == [True] * 3
    mean = np.mean([vector for (document, _), vector in place.items() if document == 1], axis=0)
    assert np.allclose(result["of_documents"][0].vectors[1], mean, atol=1e-6)


def anew(cell: Any) -> list[Annotation]:
    """Return the annotations as somebody makes them who knows Spark NLP's fields only."""
    return [Annotation(a.annotatorType, a.begin, a.end, a.result, a.metadata, a.vector) for a in cell]


def test_annotations_made_anew_are_told_apart_by_spark_nlps_sentence_number(tiny: AlbertEmbeddings) -> None:
    steps = stages(tiny, "sentence")[:5]
    whole = Pipeline(stages=steps).fit().transform(table())
    again = stepwise(steps, table(), each_column(lambda column: column.map(anew)))
    for got, expected in zip(again["embeddings"], whole["embeddings"], strict=True):
        assert list(got) == list(expected)
    pooled = SentenceEmbeddings(input_cols=["sentence", "embeddings"], output_col="pooled")
    assert list(pooled.transform(again)["pooled"]) == list(pooled.transform(whole)["pooled"])


def test_rows_without_anything_to_look_into_are_no_matter(tiny: AlbertEmbeddings) -> None:
    data = table().assign(want=[["nowhere"]] * len(ROWS))
    result = Pipeline(stages=stages(tiny, "document")).fit().transform(data)
    assert [list(cell) for cell in result["of_chunks"]] == [[]] * len(ROWS)
    steps = stages(tiny, "document")
    steps[1] = SentenceDetector(input_cols=["document"], output_col="sentence", min_length=1000)
    steps[2] = Tokenizer(input_cols=["document"], output_col="token")
    result = Pipeline(stages=steps).fit().transform(table())
    assert [len(cell) for cell in result["of_sentences"]] == [0] * len(ROWS)


def test_what_cannot_be_told_apart_is_an_error(tiny: AlbertEmbeddings) -> None:
    steps = stages(tiny, "document")
    again = stepwise(steps[:4], table(), each_column(lambda column: column.map(anew)))
    said = "row 0 has annotations of several texts.*its token annotations do not say to which document.*of its own"
    with pytest.raises(InputError, match=said):
        steps[4].transform(again)  # the tokens are numbered by sentences, not by documents
    whole = Pipeline(stages=stages(tiny, "sentence")[:5]).fit().transform(table())
    lost = whole.assign(document=whole["document"].map(anew), chunk=whole["chunk"].map(anew))
    with pytest.raises(InputError, match=r"row 0 has annotations of several texts.*word_embeddings"):
        steps[5].transform(lost)
    with pytest.raises(InputError, match=r"row 0 has annotations of several texts.*to which chunk"):
        steps[7].transform(lost)
    single = table().iloc[2:]
    again = stepwise(steps[:5], single, each_column(lambda column: column.map(anew)))  # nothing to tell apart
    assert len(again["embeddings"].iloc[0]) == 9


def test_cells_put_together_are_told_apart_or_refused(tiny: AlbertEmbeddings) -> None:
    pd = pytest.importorskip("pandas")
    steps = stages(tiny, "sentence")[:5]
    lone = pd.DataFrame({"text": ["I love cats.", "I love dogs."], "want": [[], []]})
    result = Pipeline(stages=steps[:3]).fit().transform(lone)
    both = pd.DataFrame({name: [[a for cell in result[name] for a in cell]] for name in ("sentence", "token")})
    with pytest.raises(InputError, match="cells were put together"):
        steps[4].transform(both)
    rows = (
        Pipeline(stages=steps[:3])
        .fit()
        .transform({"text": [["I love cats.", "x"], ["We", "I love dogs."]], "want": [[]] * 2})
    )
    tokens = [a for cell in rows["token"] for a in cell]
    with pytest.raises(InputError, match="cells were put together"):  # document 0 is there twice
        steps[4].transform({"sentence": [list(rows["sentence"][0])], "token": [tokens]})
    for name in ("sentence", "token"):
        for number, cell in enumerate(result[name]):
            made = anew(cell)
            for annotation in made:
                annotation.document = number
            both.at[0, name] = [*(both.at[0, name] if number else []), *made]
    words = steps[4].transform(both)["embeddings"][0]
    assert np.array_equal(words.vectors[4:], tiny.embed(["I love dogs."]).vectors)


@pytest.mark.parametrize("document", [-1, 0.5, "0", True, 2**31])
def test_a_document_is_a_number(document: Any, tiny: AlbertEmbeddings) -> None:
    sentence = Annotation("document", 0, 0, "a", {})
    sentence.document = document
    with pytest.raises(InputError, match="document is its number within the row"):
        Tokenizer(input_cols=["sentence"], output_col="token").transform({"sentence": [[sentence]]})


def test_a_document_is_no_field_of_spark_nlps() -> None:
    one = Annotation("token", 0, 2, "One", {"sentence": "0"})
    other = one.copy("One")
    other.document = 3
    assert one == other
    assert one.document is None
    assert pickle.loads(pickle.dumps(other)).document == other.copy("Two").document == 3
    assert "document" not in other.asDict()


@pytest.mark.parametrize("sentences", ["sentence", "document"])
def test_levels_put_vectors_beside_the_tokens_of_their_document(sentences: str, tiny: AlbertEmbeddings) -> None:
    data = {"text": ROWS, "want": [[]] * len(ROWS)}
    frame = Pipeline(stages=stages(tiny, sentences)[:5]).fit().transform(data)
    from albert_fast import start

    tokens = start().createDataFrame(frame).to_pandas(level="token")
    assert tokens["embeddings"].notna().all()
    dogs = tiny.embed(["I love dogs. 😀 bark"], detect_sentences=sentences == "sentence")
    of_dogs = tokens[tokens["token"].isin(["dogs", "bark"])]["embeddings"]
    assert np.array_equal(np.stack(list(of_dogs)), dogs.vectors[[2, 5]])


def test_like_spark_nlp_documents_share_words_but_only_those_that_are_read(tiny: AlbertEmbeddings) -> None:
    model = tiny.copy({"compat": "sparknlp", "maxSentenceLength": 5}).setInputCols("document", "token")
    steps = [DocumentAssembler(input_col="text"), Tokenizer(input_cols=["document"], output_col="token")]
    table = Pipeline(stages=steps).fit().transform({"text": [["a b", "c d e f"]]})
    words = model.setOutputCol("embeddings").transform(table)["embeddings"][0]
    # The first three tokens that lie in the document's offsets, and of two that begin at one place the first.
    assert words.result == ["a", "b", "a", "a", "b", "a"]
    n = 60
    table = Pipeline(stages=steps).fit().transform({"text": [["a b c d"] * n]})
    options = {**model._options(level="word"), "lone_texts": False}
    _, stats = model._loaded().annotate(table["document"].core, table["token"].core, options)
    assert (stats["sentences"], stats["words"]) == (n, 3 * n)  # not 4 * n for each of them
