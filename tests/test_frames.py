"""Tables of others in and out of a frame: what is missing, Arrow's types, tables that are not pandas'."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import albert_fast
from albert_fast import (
    AlbertEmbeddings,
    DocumentAssembler,
    EmbeddingsFinisher,
    Finisher,
    Frame,
    InputError,
    Pipeline,
    PipelineModel,
    SentenceDetector,
    SentenceEmbeddings,
    Tokenizer,
    WiringError,
)

pd = pytest.importorskip("pandas")


@pytest.fixture(scope="module")
def words() -> PipelineModel:
    stages = [DocumentAssembler(input_col="text"), Tokenizer(input_cols=["document"], output_col="token")]
    return Pipeline(stages=stages).fit()


def frame_of(data: Any, names: Any = None) -> Frame:
    return albert_fast.start().createDataFrame(data, names)


# ------------------------------------------------------------------------------------------- what is missing

MISSING = {
    "text of pandas": pd.Series(["a", None]),
    "objects": pd.Series(["a", np.nan], dtype=object),
    "string": pd.Series(["a", None], dtype="string"),
    "category": pd.Series(["a", None], dtype="category"),
    "datetime": pd.Series([pd.Timestamp("2020-01-01"), pd.NaT]),
    "datetime with a zone": pd.Series([pd.Timestamp("2020-01-01", tz="UTC"), pd.NaT]),
    "timedelta": pd.Series([pd.Timedelta(1, "s"), pd.NaT]),
    "Int64": pd.Series([1, None], dtype="Int64"),
    "Float64": pd.Series([1.5, None], dtype="Float64"),
    "boolean": pd.Series([True, None], dtype="boolean"),
}


@pytest.mark.parametrize("column", MISSING.values(), ids=MISSING)
def test_what_pandas_has_not_is_none_and_null(column: Any, words: PipelineModel) -> None:
    pytest.importorskip("pyarrow")
    table = pd.DataFrame({"text": ["x", "y"], "c": column})
    frame = frame_of(words.transform(table))
    assert frame.collect()[0].c is not None
    assert frame.collect()[1].c is None
    arrow = frame.to_arrow()
    assert arrow["c"].null_count == 1
    assert arrow["token"][0][0]["result"].as_py() == "x"
    assert frame.toPandas()["c"].isna().tolist() == [False, True]


def test_nan_of_a_column_of_floats_is_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pyarrow")
    for cells in (pd.Series([1.5, np.nan]), pd.Series([1.5, np.nan], dtype=object), [1.5, float("nan")]):
        frame = frame_of({"f": cells})
        assert np.isnan(frame.collect()[1].f)
        assert frame.to_arrow()["f"].null_count == 0
    frame.show()
    assert "|nan|" in capsys.readouterr().out


def test_missing_texts_are_shown_as_null(words: PipelineModel, capsys: pytest.CaptureFixture[str]) -> None:
    texts = pd.Series(["a", None])
    for frame in (
        frame_of({"text": texts}),
        frame_of([["a"], [np.nan]], "text"),
        words.transform(texts).select("text"),
    ):
        frame.show()
        assert capsys.readouterr().out.splitlines()[3:5] == ["|   a|", "|null|"]
    empty = frame_of(pd.DataFrame({"text": [None, np.nan]}, dtype=object))
    assert [row.text for row in empty.collect()] == [None, None]


def test_a_frame_with_nothing_missing_keeps_the_arrays_of_pandas() -> None:
    table = pd.DataFrame({"n": pd.array([1, 2], dtype="Int64"), "c": pd.Categorical(["u", "v"])})
    assert frame_of(table).toPandas().dtypes.tolist() == table.dtypes.tolist()


@pytest.mark.parametrize("labels", [[0, 9, 1], [9, 0, 1]], ids=["in between", "first"])
def test_rows_without_annotations_are_null(words: PipelineModel, labels: list[int]) -> None:
    pytest.importorskip("pyarrow")
    made = words.transform(pd.DataFrame({"text": ["a b", ""]})).reindex(labels)
    frame = frame_of(made)
    arrow = frame.to_arrow()
    assert arrow["token"].is_null().to_pylist() == [label == 9 for label in labels]
    whole = frame_of(made.drop(index=9)).to_arrow()
    assert arrow["token"].drop_null().equals(whole["token"])
    assert arrow.schema.field("token").equals(whole.schema.field("token"), check_metadata=True)
    one = frame_of({"one": [None, made["token"][0][0]]}).to_arrow()["one"].to_pylist()
    assert one[0] is None
    assert one[1]["result"] == "a"


def test_other_packages_take_missing_cells() -> None:
    polars = pytest.importorskip("polars")
    pyarrow = pytest.importorskip("pyarrow")
    frame = frame_of(pd.DataFrame({"text": ["a", None], "day": [pd.NaT, pd.Timestamp("2020-01-01")]}))
    assert polars.DataFrame(frame)["text"].to_list() == ["a", None]
    assert pyarrow.table(frame)["day"].null_count == 1


# ------------------------------------------------------------------------------------------- Arrow's types


def test_a_table_without_rows_has_its_types(words: PipelineModel) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    table = pd.DataFrame({"text": pd.Series([], dtype="string"), "n": pd.Series([], dtype="int64")})
    full = pd.DataFrame({"text": ["a"], "n": [1]})
    schema, expected = (words.transform(frame_of(data)).to_arrow().schema for data in (table, full))
    assert schema.equals(expected, check_metadata=True)
    assert schema.field("text").type == pyarrow.string()
    assert schema.field("token").type.value_type.field("result").type == pyarrow.string()


def test_the_metadata_of_a_finisher_is_spark_nlps_struct(words: PipelineModel) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    finisher = Finisher(input_cols=["token"], include_metadata=True)
    frame = Pipeline(stages=[*words.stages, finisher]).fit().transform(["a b", ""])
    column = frame.to_arrow()["finished_token_metadata"]
    # As Spark NLP's schema has it (golden: finisher_meta): array<struct<_1:string,_2:string>>.
    assert column.type.value_type == pyarrow.struct([("_1", pyarrow.string()), ("_2", pyarrow.string())])
    assert column.to_pylist() == [[{"_1": "sentence", "_2": "0"}] * 2, []]
    assert frame.collect()[0].finished_token_metadata == [("sentence", "0")] * 2


def test_rows_in_cells_are_structs_by_their_names() -> None:
    pytest.importorskip("pyarrow")
    rows = frame_of([["a", 1]], ["text", "n"]).collect()
    assert frame_of({"row": rows, "pair": [("x", 2)]}).to_arrow().to_pylist() == [
        {"row": {"text": "a", "n": 1}, "pair": {"_1": "x", "_2": 2}}
    ]


# ------------------------------------------------------------------------------------------- tables of others


def test_tables_of_polars_and_pyarrow_are_read() -> None:
    columns = {"text": ["a", None], "n": [1, 2]}
    pyarrow = pytest.importorskip("pyarrow")
    tables = [pyarrow.table(columns), pyarrow.table(columns).to_batches()[0]]
    if polars := optional("polars"):
        tables.append(polars.DataFrame(columns))
    for table in tables:
        frame = frame_of(table)
        assert frame.columns == ["text", "n"]
        assert [tuple(row) for row in frame.collect()] == [("a", 1), (None, 2)]
        assert frame_of(table, ["x", "y"]).first().x == "a"


def test_a_table_that_is_not_read_is_named(words: PipelineModel) -> None:
    class DataFrame:  # as PySpark's
        columns = ("text",)

        def toPandas(self) -> None: ...

    DataFrame.__module__ = "pyspark.sql"
    with pytest.raises(InputError, match=r"a pyspark DataFrame, which is not read. Make it a pandas DataFrame"):
        frame_of(DataFrame())
    with pytest.raises(InputError, match=r"a pyspark DataFrame. Give data.toPandas"):
        words.transform(DataFrame())


def test_a_matrix_has_rows_and_columns() -> None:
    texts = np.array([["a", "b"], ["c", "d"]])
    assert [row.asDict() for row in frame_of(texts, ["x", "y"]).collect()] == [
        {"x": "a", "y": "b"},
        {"x": "c", "y": "d"},
    ]
    assert frame_of(np.zeros((1, 3))).columns == ["_1", "_2", "_3"]
    assert frame_of(np.array(["a", "b"])).columns == ["value"]
    with pytest.raises(InputError, match=r"an array of 3 dimensions. Give a matrix"):
        frame_of(np.zeros((1, 2, 3)))
    with pytest.raises(InputError, match=r"Row 0 has 2 values; there are 3 columns"):
        frame_of(texts, ["x", "y", "z"])


def test_arrays_of_pyarrow_are_columns_and_texts(words: PipelineModel) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    for texts in (pyarrow.array(["a b", None]), pyarrow.chunked_array([["a b"], [None]])):
        result = words.transform({"text": texts})
        assert result["text"] == ["a b", None]
        assert [cell.result for cell in result["token"]] == [["a", "b"], []]
        assert [row.text for row in words.transform(texts).collect()] == ["a b", None]
        assert frame_of(texts, "text").first().text == "a b"


# ------------------------------------------------------------------------------------------- cells of vectors


def test_finished_vectors_go_to_parquet_from_pandas(
    tiny: AlbertEmbeddings, words: PipelineModel, tmp_path: Path
) -> None:
    pytest.importorskip("pyarrow")
    stages = [
        *words.stages,
        tiny.copy().setInputCols("document", "token").setOutputCol("e"),
        EmbeddingsFinisher(input_cols=["e"], output_cols=["v"], clean_annotations=True),
    ]
    made = Pipeline(stages=stages).fit().transform(pd.DataFrame({"text": ["One two", "", "Three"]}))
    assert [type(cell) for cell in made["v"]] == [list] * 3
    made.to_parquet(tmp_path / "v.parquet")
    back = pd.read_parquet(tmp_path / "v.parquet")
    assert [len(cell) for cell in back["v"]] == [2, 0, 1]
    np.testing.assert_array_equal(back["v"][0][1], made["v"][0][1])


def pooled(tiny: AlbertEmbeddings, source: str) -> PipelineModel:
    stages = [
        DocumentAssembler(input_col="text"),
        SentenceDetector(input_cols=["document"], output_col="sentence"),
        Tokenizer(input_cols=["sentence"], output_col="token"),
        tiny.copy().setInputCols("sentence", "token").setOutputCol("e"),
        SentenceEmbeddings(input_cols=[source, "e"], output_col="pooled"),
    ]
    return Pipeline(stages=stages).fit()


@pytest.mark.parametrize("texts", [["One."], ["One. Two.", "Three."], []], ids=["one sentence", "several", "none"])
@pytest.mark.parametrize("source", ["document", "sentence"])
def test_sentence_vectors_stand_at_their_own_level_whatever_the_data(
    tiny: AlbertEmbeddings, source: str, texts: list[str]
) -> None:
    frame = pooled(tiny, source).transform(texts)
    other = {"document": "sentence", "sentence": "document"}[source]
    for made in (frame, frame_of(frame.toPandas()) if texts else frame, frame.take(np.arange(len(texts)))):
        shown = made.to_pandas(level=source)["pooled"]
        assert len(shown) == made.annotations(source).core.size
        assert all(np.array_equal(a, b) for a, b in zip(shown, made.annotations("pooled").vectors, strict=True))
        message = rf"rows are the annotations of '{other}', .* 'pooled' belong to those of '{source}'. .*drop"
        with pytest.raises(WiringError, match=message):
            made.to_pandas(level=other)
        assert len(made.drop("pooled").to_pandas(level=other)) == made.annotations(other).core.size


def test_sentence_vectors_of_a_renamed_column(tiny: AlbertEmbeddings) -> None:
    frame = pooled(tiny, "sentence").transform(["One. Two."]).withColumnRenamed("sentence", "s")
    assert len(frame.to_pandas(level="sentence")) == 2
    with pytest.raises(WiringError, match=r"rows are the annotations of 'document', .* 'pooled' belong to others"):
        frame.to_pandas(level="document")


def optional(package: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError:
        return None


class Modin:
    """Stands for the tables of Modin, cuDF and others, which look like pandas and give their names when iterated."""

    columns = ("text", "id")
    iloc = None

    def __iter__(self) -> Any:
        return iter(self.columns)

    def to_pandas(self) -> Any:
        raise NotImplementedError


def test_tables_that_look_like_pandas_are_not_read_as_their_names(words: PipelineModel) -> None:
    for read in (words.transform, frame_of):
        with pytest.raises(InputError, match=r"The data is a .*Modin.*to_pandas\(\)"):
            read(Modin())


def test_no_time_of_numpy_is_none() -> None:
    times = np.array(["2020-01-01", "NaT"], dtype="datetime64[D]")
    assert frame_of({"d": times}).collect()[1].d is None
