"""What scripts do with Spark's sessions, frames and rows, on their light stand-ins."""

from __future__ import annotations

import copy
import pickle
import types
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
    Tokenizer,
    WiringError,
)

TEXTS = ["I love NLP", "", "Two here."]


@pytest.fixture(scope="module")
def result(tiny: AlbertEmbeddings) -> Frame:
    stages = [
        DocumentAssembler(input_col="text"),
        Tokenizer(input_cols=["document"], output_col="token"),
        tiny.copy().setInputCols("document", "token").setOutputCol("embeddings"),
        EmbeddingsFinisher(input_cols=["embeddings"], output_cols=["finished"]),
        EmbeddingsFinisher(input_cols=["embeddings"], output_cols=["v"], output_as_vector=True),
    ]
    frame: Frame = Pipeline(stages=stages).fit().transform(TEXTS)
    return frame


# ------------------------------------------------------------------------------------------------ sessions


def test_names_of_columns_from_every_kind_of_schema() -> None:
    spark = albert_fast.start()

    class StringType:  # PySpark's has this method and no names
        def typeName(self) -> str:
            return "string"

    class SparkRow(tuple[Any, ...]):
        __fields__ = ("id", "text")

    assert spark.createDataFrame(["a", "b"], "string").columns == ["value"]
    assert spark.createDataFrame(["a", "b"], StringType()).toDF("text").collect()[1].text == "b"
    assert spark.createDataFrame([["a", 1]], "text string, n int").columns == ["text", "n"]
    assert spark.createDataFrame([["a"]], "text: string").columns == ["text"]
    assert spark.createDataFrame([["a", 1]]).columns == ["_1", "_2"]
    assert spark.createDataFrame([SparkRow((1, "a"))]).columns == ["id", "text"]
    assert spark.createDataFrame([{"text": "a"}, {"text": "b", "n": 2}]).collect()[1].asDict() == {"text": "b", "n": 2}
    with pytest.raises(InputError, match="Row 1 has 2 values"):
        spark.createDataFrame([["a"], ["a", "b"]], ["text"])


def test_start_says_that_it_chooses_no_device() -> None:
    assert albert_fast.start(memory="32G", params={"a": "b"}).version == albert_fast.version()
    with pytest.warns(UserWarning, match=r"device='cuda'"):
        albert_fast.start(gpu=True)


# ------------------------------------------------------------------------------------------------ frames


def test_what_a_table_in_memory_does_not_need(result: Frame) -> None:
    for same in (result.cache(), result.persist(), result.unpersist(), result.repartition(4), result.coalesce(1)):
        assert same is result
    assert not result.isEmpty()
    assert result.limit(0).isEmpty()
    assert [row.text for row in result.tail(2)] == TEXTS[1:]
    assert [row.text for row in result.tail(9)] == TEXTS
    assert isinstance(result.toLocalIterator(), types.GeneratorType)
    seen: list[str] = []
    result.foreach(lambda row: seen.append(row.text))
    assert seen == TEXTS


def test_what_is_missing_says_what_to_do(result: Frame) -> None:
    with pytest.raises(AttributeError, match=r"no 'withColumn'.*has annotations, .*toPandas\(\) gives"):
        result.withColumn  # noqa: B018
    with pytest.raises(AttributeError, match=r"named by strings here: select\('token'\)"):
        result.token  # noqa: B018
    with pytest.raises(AttributeError, match=r"no 'printschema'.*Did you mean 'printSchema'"):
        result.printschema  # noqa: B018
    with pytest.raises(AttributeError, match=r"no 'sparkContext'.*Read files with pandas"):
        albert_fast.start().sparkContext  # noqa: B018
    assert not hasattr(result, "_repr_html_")
    assert copy.copy(result).columns == result.columns
    assert pickle.loads(pickle.dumps(result.select("text"))).collect() == result.select("text").collect()


def test_fields_of_exploded_annotations(result: Frame) -> None:
    exploded = result.selectExpr("text", "explode(embeddings) as one")
    assert exploded.count() == 6
    assert list(exploded.origin) == [0, 0, 0, 2, 2, 2]
    named = exploded.selectExpr("text", "one.result as word", "one.begin")
    assert named.columns == ["text", "word", "begin"]
    assert [tuple(row) for row in named.take(3)] == [
        ("I love NLP", "i", 0), ("I love NLP", "love", 2), ("I love NLP", "nlp", 7),
    ]  # fmt: skip
    every = exploded.select("one.*")
    assert every.columns == ["annotatorType", "begin", "end", "result", "metadata", "embeddings"]
    vectors = np.array([row.embeddings for row in every.collect()])
    assert np.array_equal(vectors, result.annotations("embeddings").vectors)
    assert every.first().embeddings.base is not None  # a view
    with pytest.raises(WiringError, match=r"'one\.nope' is no column"):
        exploded.select("one.nope")
    with pytest.raises(WiringError, match=r"'text\.\*' is no column"):
        exploded.select("text.*")


def test_cells_that_are_none_explode_to_nothing() -> None:
    frame = albert_fast.start().createDataFrame([[[1, 2]], [None], [[3]]], ["n"])
    assert [row.one for row in frame.selectExpr("explode(n) as one").collect()] == [1, 2, 3]


def test_wrong_names_and_rows_are_said(result: Frame) -> None:
    with pytest.raises(WiringError, match="no column 'nope'"):
        result.schema["nope"]
    with pytest.raises(WiringError, match="no column 1"):
        result[1]  # type: ignore[index]
    with pytest.raises(InputError, match="named by strings"):
        result.select(1)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=f"Row {len(result)} does not exist"):
        result.take([len(result)])
    assert len(result.take(np.int64(1))) == len(result.take(1)) == 1
    for cell in (5, "text"):
        with pytest.raises(InputError, match="explode takes a column of lists"):
            Frame([("k", [cell])], 1).selectExpr("explode(k)")
    for schema in (5, "", "a,,b"):
        with pytest.raises(InputError, match="schema"):
            albert_fast.start().createDataFrame([("a",)], schema)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="Row 1 is NoneType"):
        albert_fast.start().createDataFrame([["a"], None])


def test_columns_beside_an_explosion_are_not_copied() -> None:
    split = Tokenizer(input_cols=["document"], output_col="token")
    frame = Pipeline(stages=[DocumentAssembler(input_col="text"), split]).fit().transform(["word " * 50_000, "one"])
    exploded = frame.selectExpr("explode(token.result) as word", "token", "text")  # 100 GB if they were
    assert len(exploded) == 50_001
    assert exploded.schema["token"] == frame.schema["token"]
    assert exploded.types() == {"word": None, "token": "token", "text": None}
    last = exploded.take([50_000, 0]).first()
    assert last is not None
    assert (last.word, last.token.result, last.text) == ("one", ["one"], "one")


def test_two_columns_of_one_name_can_be_looked_at(result: Frame) -> None:
    words = result.select("token.result", "token.result")
    assert repr(words) == f"Frame({len(result)} rows; result, result)"


def test_annotations_read_like_rows(result: Frame) -> None:
    token = result.first().token[1]
    assert (token["result"], token[3], token["begin"], token[-1]) == ("love", "love", 2, [])
    assert list(token.asDict()) == ["annotatorType", "begin", "end", "result", "metadata", "embeddings"]
    assert [cell["result"] for row in result.collect() for cell in row["token"]] == [
        "I", "love", "NLP", "Two", "here", ".",
    ]  # fmt: skip
    with pytest.raises(KeyError, match="'text'; it has annotatorType"):
        token["text"]
    with pytest.raises(IndexError):
        token[6]


def test_names_and_dicts_of_a_row(result: Frame) -> None:
    row = result.select("text", "token").first()
    assert "token" in row
    assert "I love NLP" not in row
    assert row.asDict()["token"] is row.token
    nested = row.asDict(recursive=True)
    assert nested["text"] == "I love NLP"
    assert [token["result"] for token in nested["token"]] == ["I", "love", "NLP"]
    assert type(nested["token"][0]) is dict


def test_arrow_of_annotations_that_came_another_way(result: Frame) -> None:
    pytest.importorskip("pyarrow")
    pytest.importorskip("pandas")
    plain = result.select("text", "token", "embeddings")
    again = albert_fast.start().createDataFrame(plain.toPandas())
    mine, theirs = again.to_arrow(), plain.to_arrow()
    assert mine.schema.field("embeddings").equals(theirs.schema.field("embeddings"), check_metadata=True)
    assert mine.column("embeddings").equals(theirs.column("embeddings"))
    exploded = plain.selectExpr("explode(embeddings) as one").to_arrow().column("one")
    assert exploded.combine_chunks().equals(theirs.column("embeddings").combine_chunks().flatten())


# ------------------------------------------------------------------------------------------------ printing


def test_the_schema_of_finished_and_exploded_columns(result: Frame, capsys: pytest.CaptureFixture[str]) -> None:
    frame = result.selectExpr("text", "explode(token) as one", "finished", "v", "token.begin")
    frame.with_column("n", list(range(6))).with_column("m", [{"a": 0.5}] * 6).printSchema()
    assert capsys.readouterr().out == (
        "root\n"
        " |-- text: string (nullable = true)\n"
        " |-- one: struct (nullable = true)\n"
        " |    |-- annotatorType: string (nullable = true)\n"
        " |    |-- begin: integer (nullable = false)\n"
        " |    |-- end: integer (nullable = false)\n"
        " |    |-- result: string (nullable = true)\n"
        " |    |-- metadata: map (nullable = true)\n"
        " |    |    |-- key: string\n"
        " |    |    |-- value: string (valueContainsNull = true)\n"
        " |    |-- embeddings: array (nullable = true)\n"
        " |    |    |-- element: float (containsNull = false)\n"
        " |-- finished: array (nullable = true)\n"
        " |    |-- element: array (containsNull = true)\n"
        " |    |    |-- element: float (containsNull = false)\n"
        " |-- v: array (nullable = true)\n"
        " |    |-- element: vector (containsNull = true)\n"
        " |-- begin: array (nullable = true)\n"
        " |    |-- element: integer (containsNull = false)\n"
        " |-- n: long (nullable = true)\n"
        " |-- m: map (nullable = true)\n"
        " |    |-- key: string\n"
        " |    |-- value: double (valueContainsNull = true)\n"
    )


def test_vectors_are_shown_as_spark_shows_them(result: Frame, capsys: pytest.CaptureFixture[str]) -> None:
    first = result.first()
    result.selectExpr("explode(v) as result").show(1, 30)
    result.selectExpr("explode(finished) as result").show(1, 30)
    lines = [line.strip("|") for line in capsys.readouterr().out.splitlines() if line.startswith("|[")]
    dense = "[" + ",".join(map(str, first.v[0].tolist()))
    floats = "[" + ", ".join(map(str, first.finished[0]))
    assert lines == [dense[:27] + "...", floats[:27] + "..."]


def test_pairs_are_structs(result: Frame, capsys: pytest.CaptureFixture[str]) -> None:
    finisher = Finisher(input_cols=["token"], output_cols=["t"], include_metadata=True)
    pairs = finisher.transform(result).select("t_metadata").limit(1)
    pairs.show(truncate=False)
    pairs.printSchema()
    out = capsys.readouterr().out
    assert "|[{sentence, 0}, {sentence, 0}, {sentence, 0}]|" in out
    assert out.endswith(
        " |-- t_metadata: array (nullable = true)\n"
        " |    |-- element: struct (containsNull = true)\n"
        " |    |    |-- _1: string (nullable = true)\n"
        " |    |    |-- _2: string (nullable = true)\n"
    )


def test_both_ways_to_read_a_pipeline(tmp_path: Path) -> None:
    stages = [DocumentAssembler(input_col="text"), Tokenizer(input_cols=["document"], output_col="token")]
    Pipeline(stages=stages).write().overwrite().save(tmp_path / "p")
    for way in (Pipeline, Pipeline.read()):
        loaded = way.load(tmp_path / "p")
        assert isinstance(loaded, Pipeline)
        assert loaded.fit().transform(TEXTS).first().token.result == ["I", "love", "NLP"]
