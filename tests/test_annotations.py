"""Annotation, columns of annotations, their cells, and what leaves through Arrow."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from albert_fast import (
    AlbertEmbeddings,
    Annotation,
    DocumentAssembler,
    InputError,
    LightPipeline,
    MissingDependencyError,
    Pipeline,
    PipelineModel,
    SentenceDetector,
    SentenceEmbeddings,
    Tokenizer,
    WiringError,
    start,
)
from albert_fast.columns import AnnotationColumn, Annotations
from albert_fast.tables.row import Row

TEXTS = ["I love NLP. Me too!", "", "Café 😀 costs 5 EUR.", "  "]


@pytest.fixture(scope="module")
def fitted(tiny: AlbertEmbeddings) -> PipelineModel:
    stages = [
        DocumentAssembler(input_col="text"),
        SentenceDetector(input_cols=["document"], output_col="sentence"),
        Tokenizer(input_cols=["sentence"], output_col="token"),
        tiny.copy().setInputCols("sentence", "token").setOutputCol("embeddings"),
        SentenceEmbeddings(input_cols=["document", "embeddings"], output_col="pooled"),
    ]
    return Pipeline(stages=stages).fit()


@pytest.fixture(scope="module")
def result(fitted: PipelineModel) -> dict[str, Any]:
    table: dict[str, Any] = fitted.transform({"text": TEXTS})
    return table


# ------------------------------------------------------------------------------------------------- Annotation


def test_an_annotation_prints_and_compares_as_in_spark_nlp() -> None:
    one = Annotation("token", 0, 2, "One", {"sentence": "0"}, [])
    assert str(one) == repr(one) == "Annotation(token, 0, 2, One, {'sentence': '0'}, [])"
    assert one == Annotation("token", 0, 2, "One", {"sentence": "0"})
    for other in (
        Annotation("chunk", 0, 2, "One", {"sentence": "0"}),
        Annotation("token", 1, 2, "One", {"sentence": "0"}),
        Annotation("token", 0, 3, "One", {"sentence": "0"}),
        Annotation("token", 0, 2, "one", {"sentence": "0"}),
        Annotation("token", 0, 2, "One", {"sentence": "1"}),
        Annotation("token", 0, 2, "One", {"sentence": "0"}, [0.5]),
    ):
        assert one != other
    assert one != "One"
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)
    assert one.copy("Two") == Annotation("token", 0, 2, "Two", {"sentence": "0"})


def test_embeddings_of_an_annotation_are_a_list_and_a_view(result: dict[str, Any]) -> None:
    word = result["embeddings"][0][1]
    assert isinstance(word.embeddings, list)
    assert isinstance(word.embeddings[0], float)
    assert word.embeddings is word.embeddings
    assert np.shares_memory(word.vector, result["embeddings"].vectors)
    assert word.embeddings == result["embeddings"].vectors[1].tolist()
    assert f"{word.embeddings}" in repr(word)


def test_an_annotation_goes_to_a_row_and_back() -> None:
    one = Annotation("token", 0, 2, "One", {"sentence": "0"}, [0.5, -1.0])
    row = Annotation.toRow(one)
    assert isinstance(row, Row)
    assert row.result == row["result"] == row[3] == "One"
    assert row.asDict()["embeddings"] == [0.5, -1.0]
    assert Annotation.fromRow(row) == one
    assert pickle.loads(pickle.dumps(one)) == one


def test_spark_types_need_pyspark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(MissingDependencyError, match="pip install pyspark"):
        Annotation.arrayType()


# ---------------------------------------------------------------------------------------------------- columns


def test_offsets_point_at_the_results(result: dict[str, Any]) -> None:
    for name in ("document", "sentence", "token"):
        for text, row in zip(TEXTS, result[name], strict=True):
            assert all(text[a.begin : a.end + 1] == a.result for a in row)
    for text, row in zip(TEXTS, result["embeddings"], strict=True):
        assert all(text[a.begin : a.end + 1].lower() == a.result for a in row)


def test_a_million_words_are_no_python_objects_until_someone_looks(fitted: PipelineModel) -> None:
    """Python objects alive after a transform, by gc: one column or a few, whatever the number of words."""
    code = """
import gc, sys
from albert_fast import DocumentAssembler, Pipeline, SentenceDetector, Tokenizer
stages = [DocumentAssembler(input_col="text"), SentenceDetector(input_cols=["document"], output_col="sentence"),
          Tokenizer(input_cols=["sentence"], output_col="token")]
model = Pipeline(stages=stages).fit()
table = {"text": ["one two three four five six seven eight nine ten"] * 100_000}
model.transform(table)
gc.collect()
before = sys.getallocatedblocks()
result = model.transform(table)
gc.collect()
print(sys.getallocatedblocks() - before, len(result["token"].begin))
"""
    blocks, words = map(int, subprocess.check_output([sys.executable, "-c", code], text=True).split())
    assert words == 1_000_000
    assert blocks < 1000


def test_what_stages_rely_on_cannot_be_written(result: dict[str, Any]) -> None:
    column = result["pooled"]
    assert column.vector_rows is not None
    numbers = column.core.numbers("sentence")
    for view in (column.row_splits, column.begin, column.end, column.vector_rows, numbers, column[0].begin):
        with pytest.raises(ValueError, match="read-only"):
            view[...] = 0


def test_a_cell_reads_like_a_list(result: dict[str, Any]) -> None:
    cell = result["token"][0]
    assert isinstance(cell, Annotations)
    assert len(cell) == 7
    assert [a.result for a in cell] == cell.result == ["I", "love", "NLP", ".", "Me", "too", "!"]
    assert cell[0] == cell[-7] == Annotation("token", 0, 0, "I", {"sentence": "0"})
    assert cell[1:3] == list(cell)[1:3]
    assert cell == list(cell)
    assert cell != list(cell)[1:]
    assert cell.begin.tolist() == [a.begin for a in cell]
    assert cell.metadata[4] == {"sentence": "1"}
    assert repr(cell) == repr(list(cell))
    assert next(reversed(cell)) == cell[6]
    for wrong in (7, -8):
        with pytest.raises(IndexError, match="the row has 7"):
            cell[wrong]
    assert list(result["token"][1]) == []
    words = result["embeddings"][2]
    assert words.vectors.shape == (6, 32)
    assert np.shares_memory(words.vectors, result["embeddings"].vectors)


def test_a_column_reads_like_a_list(result: dict[str, Any]) -> None:
    column = result["token"]
    assert len(column) == len(list(column)) == 4
    assert column[-1] == column[3]
    assert len(column[1:]) == 3
    assert column.results[:3] == ["I", "love", "NLP"]
    with pytest.raises(IndexError, match="there are 4"):
        column[4]
    taken = column.take([2, 0, 0])
    assert [list(row) for row in taken] == [list(column[2]), list(column[0]), list(column[0])]


def test_what_the_core_relies_on_cannot_be_written(result: dict[str, Any]) -> None:
    column = result["embeddings"]
    for array in (column.row_splits, column.begin, column.end, column.core.numbers("pieceId")):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5
    assert column.vectors.flags.writeable


def test_metadata_of_words(result: dict[str, Any], tiny: AlbertEmbeddings) -> None:
    assert set(result["embeddings"][0][0].metadata) == {"isOOV", "pieceId", "isWordStart", "token", "sentence"}
    assert result["embeddings"][0][4].metadata["sentence"] == "1"
    assert result["embeddings"].metadata == {
        "annotatorType": "word_embeddings",
        "dimension": 32,
        "ref": result["embeddings"].metadata["ref"],
    }
    assert result["embeddings"].metadata["ref"].startswith("ALBERT_EMBEDDINGS_")


def test_columns_and_cells_can_be_pickled(result: dict[str, Any]) -> None:
    for name in ("document", "token", "embeddings", "pooled"):
        copied = pickle.loads(pickle.dumps(result[name]))
        assert copied.metadata == result[name].metadata
        assert [list(row) for row in copied] == [list(row) for row in result[name]]
        cell = pickle.loads(pickle.dumps(result[name][2]))
        assert cell == result[name][2]


def test_a_sentence_without_words_has_no_vector(result: dict[str, Any]) -> None:
    pooled = result["pooled"]
    assert [len(row[0].embeddings) for row in pooled] == [32, 0, 32, 0]
    assert pooled.vectors.shape == (2, 32)
    assert len(pooled[1].vectors) == 0
    means = [words.vectors.mean(axis=0) for words in result["embeddings"] if len(words)]
    assert np.abs(pooled.vectors - np.array(means)).max() < 1e-6


def test_columns_of_annotations_that_somebody_made() -> None:
    rows = [
        [Annotation("token", 0, 0, "a", {"sentence": "0", "x": "1"}, [1.0, 2.0]), Annotation("token", 2, 2, "b", {})],
        [],
    ]
    column = AnnotationColumn.from_rows("token", rows)
    assert [list(row) for row in column] == rows
    with pytest.raises(InputError, match="cannot hold one of type chunk"):
        AnnotationColumn.from_rows("token", [[Annotation("chunk", 0, 0, "a", {})]])
    with pytest.raises(InputError, match="different lengths"):
        AnnotationColumn.from_rows(
            "token", [[Annotation("token", 0, 0, "a", {}, [1.0]), Annotation("token", 0, 0, "a", {}, [1.0, 2.0])]]
        )
    with pytest.raises(InputError, match="type 'date'"):
        AnnotationColumn.from_rows("date", [[]])


# ------------------------------------------------------------------------------------------------------ Arrow


def test_arrow_has_spark_nlps_struct_and_the_same_memory(result: dict[str, Any]) -> None:
    pa = pytest.importorskip("pyarrow")
    element = pa.struct(
        [
            pa.field("annotatorType", pa.string()),
            pa.field("begin", pa.int32(), nullable=False),
            pa.field("end", pa.int32(), nullable=False),
            pa.field("result", pa.string()),
            pa.field("metadata", pa.map_(pa.string(), pa.string())),
            pa.field("embeddings", pa.list_(pa.field("element", pa.float32(), nullable=False))),
        ]
    )
    for name in ("document", "sentence", "token", "embeddings", "pooled"):
        column = result[name]
        array = pa.chunked_array(column)
        array.validate(full=True)
        assert array.type == pa.list_(pa.field("element", element))
        assert array.num_chunks == 1
        mine = [[[a.annotatorType, a.begin, a.end, a.result, a.metadata, a.embeddings] for a in row] for row in column]
        theirs = [
            [[*(a[f] for f in ("annotatorType", "begin", "end", "result")), dict(a["metadata"]), a["embeddings"]]
             for a in row]
            for row in array.to_pylist()
        ]  # fmt: skip
        assert theirs == mine
        floats = array.chunk(0).values.field("embeddings").values
        if column.vectors is not None and column.vectors.size:
            assert floats.buffers()[1].address == column.vectors.ctypes.data


def test_arrow_keeps_the_vectors_alive(fitted: PipelineModel) -> None:
    pa = pytest.importorskip("pyarrow")
    table = fitted.transform({"text": TEXTS})
    expected = table["embeddings"].vectors.copy()
    array = pa.chunked_array(table["embeddings"])
    del table
    assert np.array_equal(np.array(array.chunk(0).values.field("embeddings").values), expected.ravel())


def test_a_frame_becomes_an_arrow_table(fitted: PipelineModel) -> None:
    pa = pytest.importorskip("pyarrow")
    frame = fitted.transform(TEXTS)
    table = frame.to_arrow()
    table.validate(full=True)
    assert table.column_names == ["text", "document", "sentence", "token", "embeddings", "pooled"]
    assert table.schema.field("embeddings").metadata[b"dimension"] == b"32"
    assert table.schema.field("text").metadata is None
    assert pa.table(frame).equals(table)


def test_pandas_writes_json_and_arrow_writes_parquet(fitted: PipelineModel, tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = fitted.transform(pd.DataFrame({"text": ["I love NLP.", ""]}, index=["a", "b"]))
    written = json.loads(table.to_json())
    assert written["token"]["a"]["result"] == ["I", "love", "NLP", "."]
    assert written["token"]["b"]["result"] == []
    for name in ("document", "sentence", "token", "embeddings"):
        for label in "ab":
            cell, fields = table.loc[label, name], written[name][label]
            assert list(fields) == ["annotatorType", "begin", "end", "result", "metadata", "embeddings"]
            made = [Annotation(*values) for values in zip(*fields.values(), strict=True)]
            assert [a.asDict() | {"embeddings": []} for a in made] == [a.asDict() | {"embeddings": []} for a in cell]
            assert all(np.allclose(a.vector, b.vector, atol=1e-6) for a, b in zip(made, cell, strict=True))
    lists = json.loads(table["token"].map(list).to_json())
    assert lists["a"][1] == {**table.loc["a", "token"][1].asDict(), "embeddings": []}

    parquet.write_table(start().createDataFrame(table).to_arrow(), tmp_path / "t.parquet")
    read = parquet.read_table(tmp_path / "t.parquet")
    assert read["embeddings"][0][2]["result"].as_py() == "nlp"
    assert np.array_equal(
        read["embeddings"][0][2]["embeddings"].values.to_numpy(), table.loc["a", "embeddings"].vectors[2]
    )


@pytest.mark.parametrize("offsets", ["codepoints", "utf16"])
@pytest.mark.parametrize("kind", ["pyarrow", "chunks", "polars"])
def test_a_table_from_parquet_goes_on_where_it_was(
    fitted: PipelineModel, tmp_path: Path, offsets: str, kind: str
) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    stages = list(fitted.stages)
    stages[0] = stages[0].copy().setOffsets(offsets)
    before = PipelineModel(stages).transform(start().createDataFrame([[text] for text in TEXTS], ["text"]))
    parquet.write_table(before.to_arrow(), tmp_path / "t.parquet")
    if kind == "polars":
        table = pytest.importorskip("polars").read_parquet(tmp_path / "t.parquet")
    else:
        table = parquet.read_table(tmp_path / "t.parquet")
    if kind == "chunks":
        table = pyarrow.concat_tables([table.slice(0, 1), table.slice(1, 0), table.slice(1)])
    after = start().createDataFrame(table)
    assert after.types() == before.types()
    for name in before.columns:
        assert [list(cell) for cell in after[name]] == [list(cell) for cell in before[name]]
    assert after.schema["embeddings"].metadata["dimension"] == before.schema["embeddings"].metadata["dimension"]
    if kind != "polars":  # which keeps no metadata of columns
        assert [(f.name, f.metadata) for f in after.schema] == [(f.name, f.metadata) for f in before.schema]
        assert after.annotations("token").core.utf16 == (offsets == "utf16")
        np.testing.assert_array_equal(
            stages[3].copy().setOutputCol("again").transform(after)["again"][2].vectors, before["embeddings"][2].vectors
        )
    assert after.select("token.result").collect()[0][0] == ["I", "love", "NLP", ".", "Me", "too", "!"]
    nothing = start().createDataFrame(table[:0])
    assert nothing.type_of("embeddings") == (None if kind == "polars" else "word_embeddings")


def test_arrow_columns_that_are_no_annotations_stay_what_they_are() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    one = Annotation("token", 0, 0, "a", {"sentence": "0"}).asDict()
    kinds = {
        "two types": [[one, {**one, "annotatorType": "chunk"}]],
        "no begin": [[{**one, "begin": None}]],
        "another field": [[{**one, "more": 1}]],
        "no list": [one],
        "null": [None],
    }
    for cells in kinds.values():
        frame = start().createDataFrame(pyarrow.table({"a": pyarrow.array(cells)}))
        assert frame.type_of("a") is None
        assert len(frame["a"]) == 1
    struct = pyarrow.struct(
        [("annotatorType", pyarrow.string()), ("begin", pyarrow.int32()), ("end", pyarrow.int32()),
         ("result", pyarrow.string()), ("metadata", pyarrow.map_(pyarrow.string(), pyarrow.string())),
         ("embeddings", pyarrow.list_(pyarrow.float32()))]
    )  # fmt: skip
    nulls = pyarrow.table(
        {"a": pyarrow.array([[{**one, "metadata": [("k", "v")], "embeddings": [1.5, 2.0]}, {**one, "metadata": None}],
                             None, []], pyarrow.list_(struct))}
    )  # fmt: skip
    cells = start().createDataFrame(nulls)["a"]
    assert [cells[0][0].metadata, cells[0][1].metadata] == [{"k": "v"}, {}]
    assert [a.vector.tolist() for a in cells[0]] == [[1.5, 2.0], []]
    assert (cells[1], list(cells[2])) == (None, [])
    uneven = pyarrow.table(
        {
            "a": pyarrow.array(
                [[{**one, "metadata": [], "embeddings": [1.0] * n} for n in (1, 2)]], pyarrow.list_(struct)
            )
        }
    )
    with pytest.raises(InputError, match="vectors of 1 and of 2 dimensions"):
        start().createDataFrame(uneven)


def test_pandas_arrays_of_structs_are_named_as_what_they_are(fitted: PipelineModel, tmp_path: Path) -> None:
    pd, parquet = pytest.importorskip("pandas"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(fitted.transform(["a b"]).to_arrow(), tmp_path / "t.parquet")
    frame = start().createDataFrame(pd.read_parquet(tmp_path / "t.parquet"))
    with pytest.raises(WiringError, match=r"'token' holds no annotations whose result.*pyarrow\.parquet\.read_table"):
        frame.select("token.result")


def test_with_column_takes_a_cell_for_every_row() -> None:
    frame = start().createDataFrame([["a"], ["b"]], ["text"])
    assert frame.with_column("n", [1, 2]).collect()[1].n == 2
    for cells in (1, [1], [1, 2, 3], "ab"):
        with pytest.raises(InputError, match=r"with_column\('n'\) got .* a cell for each of 2 rows"):
            frame.with_column("n", cells)  # type: ignore[arg-type]


def test_an_empty_column_has_a_type(fitted: PipelineModel) -> None:
    pa = pytest.importorskip("pyarrow")
    array = pa.chunked_array(fitted.transform([]).annotations("embeddings"))
    array.validate(full=True)
    assert len(array) == 0
    assert pa.types.is_list(array.type)


def test_arrow_parts_columns_whose_metadata_is_long() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    value = "m" * (1 << 20)
    texts = ["a"] * 600
    stage = DocumentAssembler(input_col="text", metadata_col="m")
    column = stage.transform({"text": texts, "m": [{"key": value}] * len(texts)})["document"]
    chunked = pyarrow.chunked_array(column)
    assert chunked.num_chunks == 2  # one array's offsets reach 2 GiB, with some distance kept
    chunked.validate(full=True)
    assert len(chunked) == len(texts)
    assert dict(chunked[599].as_py()[0]["metadata"])["key"] == value


# ------------------------------------------------------------------------------------------------ changes


def test_annotations_of_a_table_cannot_be_changed(fitted: PipelineModel) -> None:
    frame = fitted.transform(TEXTS)
    exploded = frame.selectExpr("explode(embeddings) as one")["one"][0]
    for annotation in (frame["embeddings"][0][0], next(iter(frame["embeddings"][0])), exploded):
        assert isinstance(annotation, Annotation)
        assert annotation.embeddings == annotation.embeddings == annotation.vector.tolist()
        for name, value in (("result", "ZZ"), ("begin", 3), ("embeddings", [1.0]), ("vector", np.zeros(2))):
            with pytest.raises(InputError, match=rf"{name} of an annotation in a table cannot be set.*cell\[:\]"):
                setattr(annotation, name, value)
        metadata = annotation.metadata
        changes: list[Callable[..., object]] = [
            lambda m=metadata: m.__setitem__("x", "1"),
            lambda m=metadata: m.__delitem__("sentence"),
            lambda m=metadata: m.update(x="1"),
            lambda m=metadata: m.setdefault("x", "1"),
            lambda m=metadata: m.pop("sentence"),
            lambda m=metadata: m.popitem(),
            lambda m=metadata: m.clear(),
            lambda m=metadata: m.__ior__({"x": "1"}),
        ]
        for change in changes:
            with pytest.raises(InputError, match=r"metadata of an annotation in a table cannot be set.*cell\[:\]"):
                change()
        assert json.loads(json.dumps(metadata)) == metadata
        own = annotation.asDict()["metadata"], Annotation.toRow(annotation)["metadata"]
        assert [type(found) for found in own] == [dict, dict]  # what is handed on is its owner's
        assert type(copy.deepcopy(metadata)) is type(pickle.loads(pickle.dumps(metadata))) is dict
    assert frame["embeddings"][0][0].result == "i"
    assert "x" not in frame["embeddings"][0][0].metadata


def test_own_annotations_can_be_changed(fitted: PipelineModel) -> None:
    frame = fitted.transform(TEXTS)
    cell = frame["token"][0]
    own = cell[:]
    own[0].result = "ZZ"
    assert start().createDataFrame({"t": [own]}).annotations("t").results == ["ZZ", *cell.result[1:]]
    for twin in (copy.copy(cell[0]), copy.deepcopy(cell[0]), pickle.loads(pickle.dumps(cell[0])), cell[0].copy("I")):
        assert twin == cell[0]
        assert type(twin) is Annotation
        twin.result = "ZZ"
    light = LightPipeline(fitted).fullAnnotate("I love NLP")[0]["token"]
    light[0].result = "ZZ"
    assert light[0].result == "ZZ"
    assert cell[0].result == "I"
