"""Pipelines over tables: wiring, tables in and out, the light pipeline, saving, and that keywords and setters agree."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from albert_fast import (
    AlbertEmbeddings,
    ChunkEmbeddings,
    CorruptModelError,
    Doc2Chunk,
    DocumentAssembler,
    EmbeddingsFinisher,
    Finisher,
    Frame,
    InputError,
    LightPipeline,
    ModelNotFoundError,
    ParameterError,
    Pipeline,
    PipelineModel,
    PretrainedPipeline,
    RecursivePipeline,
    SentenceDetector,
    SentenceEmbeddings,
    Tokenizer,
    TokenizerModel,
    TruncationWarning,
    WiringError,
    WriteError,
    start,
)
from albert_fast.annotators.stage import Stage
from albert_fast.common import ReadAs

TEXTS = ["I love NLP. Me too!", "", "Café 😀 costs 5 EUR."]


def assembler() -> DocumentAssembler:
    return DocumentAssembler().setInputCol("text").setOutputCol("document")


def detector() -> SentenceDetector:
    return SentenceDetector().setInputCols(["document"]).setOutputCol("sentence")


def tokenizer() -> Tokenizer:
    return Tokenizer().setInputCols(["sentence"]).setOutputCol("token")


def albert(tiny: AlbertEmbeddings, **changes: Any) -> AlbertEmbeddings:
    return tiny.copy(changes).setInputCols("sentence", "token").setOutputCol("embeddings")


@pytest.fixture(scope="module")
def fitted(tiny: AlbertEmbeddings) -> PipelineModel:
    return Pipeline(stages=[assembler(), detector(), tokenizer(), albert(tiny)]).fit()


# ------------------------------------------------------------------------------------------------- the vectors


def test_the_pipeline_gives_the_vectors_of_embed(fitted: PipelineModel, tiny: AlbertEmbeddings) -> None:
    result = fitted.transform({"text": TEXTS})
    out = tiny.embed(TEXTS)
    assert np.array_equal(result["embeddings"].vectors, out.vectors)
    assert result["embeddings"].begin.tolist() == out.begin.tolist()
    assert result["embeddings"].results == [word.lower() for word in out.words]
    whole = Pipeline(stages=[assembler(), detector(), tokenizer(), albert(tiny, tokenization="text")]).fit()
    assert np.array_equal(
        whole.transform({"text": TEXTS})["embeddings"].vectors, tiny.embed(TEXTS, tokenization="text").vectors
    )


def test_a_vector_does_not_depend_on_its_neighbours_unless_asked(tiny: AlbertEmbeddings) -> None:
    long = "A much longer sentence with many more words than the other one has."
    for compat, same in ((None, True), ("sparknlp", False)):
        model = Pipeline(stages=[assembler(), detector(), tokenizer(), albert(tiny, compat=compat)]).fit()
        alone = model.transform({"text": ["I love NLP"]})["embeddings"].vectors
        beside = model.transform({"text": ["I love NLP", long]})["embeddings"][0].vectors
        assert np.array_equal(alone, beside) is same


def test_every_token_has_a_vector(tiny: AlbertEmbeddings) -> None:
    long = " ".join(["word"] * 400)
    table = {"text": [f"a \u200b b. {long}", long]}
    model = Pipeline(stages=[assembler(), detector(), tokenizer(), albert(tiny)]).fit()
    result = model.transform(table)
    assert len(result["embeddings"].begin) == len(result["token"].begin)
    assert [a.metadata["isOOV"] for a in result["embeddings"][0]][:3] == ["false", "true", "false"]
    lossy = Pipeline(stages=[assembler(), detector(), tokenizer(), albert(tiny, compat="sparknlp")]).fit()
    assert len(lossy.transform(table)["embeddings"].begin) < len(result["token"].begin)


def test_documents_of_one_row_keep_their_own_words(tiny: AlbertEmbeddings) -> None:
    model = Pipeline(stages=[assembler(), detector(), tokenizer(), albert(tiny)]).fit()
    result = model.transform({"text": [["First one. Same one.", "Second doc"], [], None]})
    words = result["embeddings"][0]
    assert words.result == ["first", "one", ".", "second", "doc", "same", "one", "."]
    assert np.array_equal(words.vectors[3:5], tiny.embed(["Second doc"]).vectors)
    assert list(result["document"][1]) == []


def test_the_inputs_may_stand_in_any_order(tiny: AlbertEmbeddings) -> None:
    vectors = [
        Pipeline(stages=[assembler(), detector(), tokenizer(), albert(tiny).setInputCols(list(names))])
        .fit()
        .transform({"text": TEXTS})["embeddings"]
        .vectors
        for names in (("sentence", "token"), ("token", "sentence"))
    ]
    assert np.array_equal(*vectors)


def test_a_word_too_long_for_a_window_is_warned_of(tiny: AlbertEmbeddings, fitted: PipelineModel) -> None:
    model = Pipeline(stages=[assembler(), detector(), tokenizer(), albert(tiny, max_sentence_length=4)]).fit()
    with pytest.warns(TruncationWarning, match="1 word"):
        model.transform({"text": ["supercalifragilistic x"]})


# ------------------------------------------------------------------------------------------------------ wiring


def test_wrong_wiring_is_said_before_any_work(tiny: AlbertEmbeddings, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_work(*_: Any) -> Any:
        raise AssertionError("a stage ran")

    for kind in (DocumentAssembler, SentenceDetector, TokenizerModel, AlbertEmbeddings):
        monkeypatch.setattr(kind, "run", no_work)
    table = {"text": TEXTS}
    word = albert(tiny)
    cases: list[tuple[list[Any], str]] = [
        ([detector()], r"SentenceDetector_\w+ reads column 'document', which is not there. There is: text."),
        ([assembler(), detector(), word], "'token', which is not there"),
        ([assembler(), detector(), tokenizer().setInputCols("sentense")], "Did you mean 'sentence'"),
        (
            [assembler(), detector(), tokenizer(), albert(tiny).setInputCols("document", "sentence")],
            r"of type document and token, and got 'document' \(document\), 'sentence' \(document\)",
        ),
        ([assembler(), Tokenizer(input_cols=["text"], output_col="t")], "'text' \\(no annotations\\)"),
        ([assembler(), detector().setOutputCol("text")], "'text', which is there already"),
        ([assembler(), detector().setOutputCol("document")], "'document', which is there already"),
        ([assembler(), SentenceDetector(output_col="s")], "has no input columns"),
        ([assembler(), SentenceDetector(input_cols=["document"])], "has no output column"),
        ([DocumentAssembler()], "has no input column"),
        ([assembler().setIdCol("key")], "'key', which is not there"),
        ([assembler(), EmbeddingsFinisher(input_cols=["document"])], "reads columns of word_embeddings or"),
        ([assembler(), Finisher(input_cols=["document"], output_cols=["a", "b"])], "1 input columns and 2 output"),
        ([assembler(), Finisher(input_cols=["text"])], "'text' holds no annotations"),
        ([assembler(), Doc2Chunk(input_cols=["document"], output_col="c", chunk_col="x")], "'x', which is not there"),
    ]
    for stages, message in cases:
        model = Pipeline(stages=stages).fit()
        with pytest.raises(WiringError, match=message):
            model.transform(table)
        with pytest.raises(WiringError, match=message):
            Pipeline(stages=stages).fit(table)
    with pytest.raises(ModelNotFoundError, match="has no model"):
        Pipeline(
            stages=[
                assembler(),
                detector(),
                tokenizer(),
                AlbertEmbeddings().setInputCols("sentence", "token").setOutputCol("e"),
            ]
        ).fit(table)


def test_a_pipeline_takes_stages_only(tiny: AlbertEmbeddings) -> None:
    with pytest.raises(ParameterError, match="Stage 1 of the pipeline is None"):
        Pipeline(stages=[assembler(), None])
    with pytest.raises(ParameterError, match="Stage 0 of the pipeline is a str"):
        Pipeline().setStages(["x"])


def test_stages_that_are_no_list_or_not_fitted() -> None:
    with pytest.raises(ParameterError, match=r"are a list, not a DocumentAssembler.*\[stage\]"):
        Pipeline(stages=assembler())  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r"Stage 1.*Tokenizer, is not fitted.*fit\(\)"):
        PipelineModel([assembler(), tokenizer()])
    with pytest.raises(ParameterError, match="Stage 0 of the pipeline is a int"):
        PipelineModel([1])


def test_pipelines_may_be_nested(tiny: AlbertEmbeddings, fitted: PipelineModel) -> None:
    inner = Pipeline(stages=[detector(), tokenizer()])
    model = RecursivePipeline(stages=[assembler(), inner, albert(tiny)]).fit()
    assert np.array_equal(
        model.transform({"text": TEXTS})["embeddings"].vectors, fitted.transform({"text": TEXTS})["embeddings"].vectors
    )
    assert [type(stage).__name__ for stage in model.flat()] == [
        "DocumentAssembler", "SentenceDetector", "TokenizerModel", "AlbertEmbeddings",
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------------------ tables


def test_what_goes_in_comes_out(fitted: PipelineModel) -> None:
    columns = ["text", "document", "sentence", "token", "embeddings"]
    table = fitted.transform({"n": [1, 2, 3], "text": TEXTS})
    assert list(table) == ["n", *columns]
    assert table["n"] == [1, 2, 3]
    for texts in (TEXTS, tuple(TEXTS), np.array(TEXTS, dtype=object), iter(TEXTS)):
        frame = fitted.transform(texts)
        assert isinstance(frame, Frame)
        assert frame.columns == columns
        assert np.array_equal(frame.annotations("embeddings").vectors, table["embeddings"].vectors)
    assert isinstance(fitted.transform(start().createDataFrame([[text] for text in TEXTS], ["text"])), Frame)


def test_pandas_keeps_its_index_and_columns(fitted: PipelineModel) -> None:
    pd = pytest.importorskip("pandas")
    data = pd.DataFrame({"text": ["I love NLP", None, pd.NaT, "b"], "y": [1, 2, 3, 4]}, index=list("abcd"))
    data.columns.name = "fields"
    before = data.copy()
    result = fitted.transform(data)
    pd.testing.assert_frame_equal(data, before)
    assert list(result.columns) == ["text", "y", "document", "sentence", "token", "embeddings"]
    assert list(result.index) == list("abcd")
    assert result.columns.name == "fields"
    assert result["y"].dtype == data["y"].dtype
    assert [len(cell) for cell in result["token"]] == [3, 0, 0, 1]
    assert result.loc["b", "document"][0].result == ""
    assert "Annotation(token, 0, 0, I, {'sentence': '0'}" in str(result["token"])
    exploded = result["token"].explode()
    assert list(exploded.index) == ["a", "a", "a", "b", "c", "d"]
    assert exploded.iloc[2].result == "NLP"
    series = fitted.transform(data["text"])
    assert isinstance(series, Frame)
    assert len(series) == 4


def test_exploded_sentences_repeat_their_rows(tiny: AlbertEmbeddings) -> None:
    pd = pytest.importorskip("pandas")
    stages = [assembler(), detector().setExplodeSentences(True), tokenizer(), albert(tiny)]
    model = Pipeline(stages=stages).fit()
    data = pd.DataFrame({"text": ["One. Two.", "", "Three."], "y": [1, 2, 3]}, index=[10, 20, 30])
    result = model.transform(data)
    assert list(result.index) == [10, 10, 30]
    assert list(result["y"]) == [1, 1, 3]
    assert [cell.result for cell in result["sentence"]] == [["One."], ["Two."], ["Three."]]
    assert [cell[0].metadata["sentence"] for cell in result["sentence"]] == ["0", "1", "0"]
    assert [cell.result for cell in result["embeddings"]] == [["one", "."], ["two", "."], ["three", "."]]
    assert LightPipeline(model).annotate("One. Two.")["sentence"] == ["One.", "Two."]


def test_stages_may_run_one_by_one_on_rows_that_were_picked(fitted: PipelineModel, tiny: AlbertEmbeddings) -> None:
    pd = pytest.importorskip("pandas")
    data = pd.DataFrame({"text": ["One. Two.", "Three", "Four words are here."]}, index=[1, 2, 3])
    step = detector().transform(assembler().transform(data))
    picked = step[step["text"] != "Three"].iloc[::-1]
    result = albert(tiny).transform(tokenizer().transform(picked))
    assert [cell.result for cell in result["embeddings"]] == [
        ["four", "words", "are", "here", "."],
        ["one", ".", "two", "."],
    ]
    whole = fitted.transform(data)
    assert np.array_equal(result.loc[1, "embeddings"].vectors, whole.loc[1, "embeddings"].vectors)
    lists = step.assign(sentence=[list(cell) for cell in step["sentence"]])
    again = albert(tiny).transform(tokenizer().transform(lists))
    assert np.array_equal(again.loc[3, "embeddings"].vectors, whole.loc[3, "embeddings"].vectors)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("one text", r"for one text: \[text\]"),
        (5, "The data is int"),
        ({"text": "one text"}, "Column 'text' is str"),
        ({"text": ["a"], "n": [1, 2]}, "different lengths"),
        ({"text": ["a", 5]}, "text 1 is of type int"),
        (["a", b"b"], "text 1 is of type bytes"),
        (["a\ud800"], "lone surrogate"),
        ({"text": [["a"], "b"]}, "Row 1 is a text in a column where others are lists"),
        ({"a", "b"}, "a set, which has no order"),
        ({"text": [["a"], 5]}, "Row 1 is of type int in a column where others are lists"),
        ({"text": [["a", "b"], ["c", None, 5]]}, "Row 1: text 2 of the list is of type int"),
        ({"text": {"a label": "a text"}}, "Column 'text' is dict"),
        ({"text": b"ab"}, "Column 'text' is bytes"),
        (np.array("text"), "The data is ndarray"),
        ([np.float32(1)], r"text 0 is of type numpy\.float32"),
    ],
)
def test_data_that_is_no_table(data: Any, message: str, fitted: PipelineModel) -> None:
    with pytest.raises(InputError, match=message):
        fitted.transform(data)


def test_tables_of_other_libraries_are_named(fitted: PipelineModel) -> None:
    pa = pytest.importorskip("pyarrow")
    with pytest.raises(InputError, match=r"a pyarrow Table. Give data.to_pandas"):
        fitted.transform(pa.table({"text": TEXTS}))


def test_two_columns_of_one_name_are_an_error(fitted: PipelineModel) -> None:
    pd = pytest.importorskip("pandas")
    data = pd.DataFrame([["a", "b"]], columns=["text", "text"])
    with pytest.raises(InputError, match="two columns 'text'"):
        fitted.transform(data)


def test_columns_that_only_read_the_same_are_an_error(fitted: PipelineModel) -> None:
    pd = pytest.importorskip("pandas")
    with pytest.raises(InputError, match="columns 1 and '1', which read the same"):
        fitted.transform(pd.DataFrame({"text": ["a"], 1: [1], "1": [2]}))


def test_every_kind_of_missing_text_reads_as_an_empty_one() -> None:
    pd = pytest.importorskip("pandas")
    for missing in (None, float("nan"), np.float32("nan"), np.float64("nan"), pd.NA, pd.NaT):
        assert assembler().transform({"text": ["a", missing]})["document"].results == ["a", ""]
    lists = assembler().transform({"text": [["a", None], None, []]})["document"]
    assert [cell.result for cell in lists] == [["a", ""], [], []]


def test_rows_of_two_tables_put_together(tiny: AlbertEmbeddings) -> None:
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"text": ["😀 a. b", "c"]})
    stages = [DocumentAssembler(input_col="text", offsets="utf16"), detector(), tokenizer(), albert(tiny)]
    parts = [Pipeline(stages=stages[:2]).fit().transform(table) for _ in range(2)]
    words = tokenizer().transform(pd.concat(parts, ignore_index=True))
    assert words["token"][0].begin.tolist() == words["token"][2].begin.tolist() == [0, 3, 4, 6]  # still UTF-16
    again = tokenizer().transform(pickle.loads(pickle.dumps(parts[0])))
    assert again["token"][0].begin.tolist() == [0, 3, 4, 6]

    vectors = [Pipeline(stages=stages).fit().transform(table) for _ in range(2)]
    pooling = SentenceEmbeddings(input_cols=["sentence", "embeddings"], output_col="pooled")
    pooled = pooling.transform(pd.concat(vectors, ignore_index=True))["pooled"]
    assert np.array_equal(pooled[0].vectors, pooled[2].vectors)
    assert pooled[0].column.metadata["ref"] == stages[3].uid
    assert pooled[0].column.metadata["dimension"] == tiny.hidden_size

    points = Pipeline(stages=[assembler(), detector()]).fit().transform(table)
    with pytest.raises(InputError, match="code points and the other in UTF-16 units"):
        tokenizer().transform(pd.concat([parts[0], points]))
    with pytest.raises(InputError, match=r"Row 2 holds nan.*dropna"):
        tokenizer().transform(pd.concat([parts[0], table[:1]], ignore_index=True))


def test_no_rows(fitted: PipelineModel) -> None:
    assert fitted.transform([]).count() == 0
    assert fitted.transform({"text": []})["embeddings"].vectors.shape == (0, 32)


def test_no_rows_stage_by_stage(tiny: AlbertEmbeddings) -> None:
    pd = pytest.importorskip("pandas")
    stages: list[Stage] = [
        assembler(), detector(), tokenizer(), albert(tiny),
        Doc2Chunk(input_cols=["document"], output_col="chunk"),
        ChunkEmbeddings(input_cols=["embeddings", "chunk"], output_col="chunks"),
        SentenceEmbeddings(input_cols=["sentence", "embeddings"], output_col="pooled"),
        EmbeddingsFinisher(input_cols=["pooled"], output_cols=["vectors"]),
    ]  # fmt: skip
    some = pd.DataFrame({"text": ["One. Two.", ""]})
    names = list(Pipeline(stages=stages).fit().transform(some).columns)
    for given in (pd.DataFrame({"text": []}), some[:0], {"text": []}, some[1:]):
        table: Any = given
        for stage in stages:
            if isinstance(table, pd.DataFrame):  # cells as a step of the user's leaves them: lists
                table = table.apply(lambda column: column.map(lambda cell: cell if cell == "" else list(cell)))
            table = stage.transform(table)
        assert list(table) == names
    assert len(table) == 1
    assert len(table.iloc[0]["vectors"]) == 0
    finished = Finisher(input_cols=["token"]).transform(tokenizer().transform({"text": ["a"], "sentence": [[]]}))
    cells = {name: list(cells) for name, cells in finished.items()}
    assert cells == {"text": ["a"], "sentence": [[]], "finished_token": [[]]}  # "sentence" may be the user's own
    with pytest.raises(WiringError, match=r"needs input columns of type document and token, and got 'text' \(empty\)"):
        tiny.copy({"inputCols": ["text", "embeddings"], "outputCol": "e"}).transform(
            {"text": [], "embeddings": albert(tiny).transform({"sentence": [], "token": []})["embeddings"]}
        )
    with pytest.raises(WiringError, match=r"got 'sentence' \(no annotations\)"):
        tokenizer().transform({"sentence": [[], None]})


# ------------------------------------------------------------------------------------------------------ levels


def test_one_row_for_every_token_sentence_and_document(fitted: PipelineModel, tiny: AlbertEmbeddings) -> None:
    pytest.importorskip("pandas")
    frame = fitted.transform(TEXTS)
    tokens = frame.to_pandas(level="token")
    assert list(tokens.columns) == ["text", "token", "begin", "end", "sentence", "embeddings"]
    assert list(tokens["token"]) == frame.annotations("token").results
    assert list(tokens.index) == [0] * 7 + [2] * 6
    assert np.array_equal(np.stack(tokens["embeddings"]), frame.annotations("embeddings").vectors)
    assert list(frame.to_pandas(level="sentence")["sentence"]) == ["I love NLP.", "Me too!", "Café 😀 costs 5 EUR."]
    assert list(frame.to_pandas(level="document")["document"]) == TEXTS
    lossy = Pipeline(stages=[assembler(), detector(), tokenizer(), albert(tiny, compat="sparknlp")]).fit()
    dropped = lossy.transform(["a \u200b b"]).to_pandas(level="token")
    assert [vector is None for vector in dropped["embeddings"]] == [False, True, False]
    with pytest.raises(ParameterError, match="token, sentence, document"):
        frame.to_pandas(level="chunk")
    assert frame.to_pandas(level="word").equals(tokens)
    with pytest.raises(WiringError, match="no column for level='token'"):
        assembler().transform(TEXTS).to_pandas(level="token")


def test_levels_hold_one_text_however_many_tokens_it_has() -> None:
    pytest.importorskip("pandas")
    text = "word " * 100_000  # 50 GB if every token had the text, 160 GB if it had its row's annotations
    split = Tokenizer(input_cols=["document"], output_col="token")
    frame = Pipeline(stages=[assembler(), split]).fit().transform([text]).to_pandas(level="token")
    assert len(frame) == 100_000
    assert frame["text"].dtype == object
    assert all(cell is frame["text"].iloc[0] for cell in frame["text"])


@pytest.mark.parametrize("name", ["begin", "end", "sentence"])
def test_levels_overwrite_no_column(name: str) -> None:
    pytest.importorskip("pandas")
    split = Tokenizer(input_cols=["document"], output_col="token")
    data = start().createDataFrame([["a b", "mine"]], ["text", name])
    frame = Pipeline(stages=[assembler(), split]).fit().transform(data)
    with pytest.raises(WiringError, match=f"makes a column '{name}', which is there already"):
        frame.to_pandas(level="token")
    renamed = frame.withColumnRenamed(name, f"my_{name}").to_pandas(level="token")
    assert renamed[f"my_{name}"].tolist() == ["mine", "mine"]


# --------------------------------------------------------------------------------------------- light pipelines


def test_a_light_pipeline_does_not_read_a_table_by_its_column_names(fitted: PipelineModel) -> None:
    pd = pytest.importorskip("pandas")
    for table in (pd.DataFrame({"text": ["a"]}), {"text": ["a"]}, np.array("a")):
        with pytest.raises(InputError, match="Give a text or a list of texts"):
            LightPipeline(fitted).annotate(table)


def test_a_light_pipeline_computes_no_vectors_that_nobody_asked_for(fitted: PipelineModel) -> None:
    assert LightPipeline(fitted)._annotated(TEXTS).annotations("embeddings").vectors is None
    full = LightPipeline(fitted, parse_embeddings=True).fullAnnotate(TEXTS)
    bare = LightPipeline(fitted).fullAnnotate(TEXTS)
    for mine, theirs in zip(bare, full, strict=True):
        assert [a.result for a in mine["embeddings"]] == [a.result for a in theirs["embeddings"]]
        assert all(a.embeddings == [] for a in mine["embeddings"])
        assert all(len(a.embeddings) == 32 for a in theirs["embeddings"])


def test_a_light_pipeline_says_what_it_cannot_do(fitted: PipelineModel, tiny: AlbertEmbeddings) -> None:
    with pytest.raises(ParameterError, match=r"Give pipeline.fit\(data\)"):
        LightPipeline(Pipeline(stages=[assembler()]))  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="output_cols names 'nope'"):
        LightPipeline(fitted, output_cols=["nope"])
    with pytest.raises(WiringError, match="'document', which is not there"):
        LightPipeline(PipelineModel([detector()]))
    chunks = Doc2Chunk(input_cols=["document"], output_col="chunk", chunk_col="want")
    with pytest.raises(ParameterError, match="has only texts"):
        LightPipeline(Pipeline(stages=[assembler(), chunks]).fit())
    light = LightPipeline(fitted)
    for wrong in (None, 5, b"x", {"text": "x"}):
        with pytest.raises(InputError, match="Give a text or a list of texts"):
            light.annotate(wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="text 1 is NoneType"):
        light.fullAnnotate(["a", None])  # type: ignore[list-item]


def test_lazy_annotators_are_left_out_of_light_pipelines(tiny: AlbertEmbeddings) -> None:
    model = Pipeline(stages=[assembler(), detector(), tokenizer(), albert(tiny).setLazyAnnotator(True)]).fit()
    assert list(LightPipeline(model).annotate("x")) == ["document", "sentence", "token"]


def test_ids_and_metadata_are_not_read_by_light_pipelines() -> None:
    model = Pipeline(stages=[assembler().setIdCol("key").setMetadataCol("meta"), detector()]).fit()
    assert LightPipeline(model).fullAnnotate("One.")[0]["document"][0].metadata == {}


# ------------------------------------------------------------------------------------------------- other stages


def test_chunks_are_found_in_any_sentence_unless_spark_nlp_is_wanted(tiny: AlbertEmbeddings) -> None:
    table = {"text": ["One two. Three four."], "want": [["two", "Three four"]]}
    for compat, found in ((None, ["two", "Three four"]), ("sparknlp", ["two"])):
        stages = [
            assembler(), detector(), tokenizer(), albert(tiny),
            Doc2Chunk(input_cols=["document"], output_col="chunk", chunk_col="want", is_array=True),
            ChunkEmbeddings(input_cols=["chunk", "embeddings"], output_col="pooled", compat=compat),
        ]  # fmt: skip
        result = Pipeline(stages=stages).fit().transform(table)
        assert result["pooled"][0].result == found
        words = result["embeddings"][0].vectors
        assert np.array_equal(result["pooled"][0].vectors[0], words[1])
    across = Pipeline(stages=[*stages[:5], stages[5].copy({"compat": None})]).fit()
    pooled = across.transform({"text": table["text"], "want": [["two. Three"]]})["pooled"][0]
    assert np.allclose(pooled.vectors[0], words[1:4].mean(axis=0), atol=1e-6)


@pytest.mark.parametrize("offsets", ["codepoints", "utf16"])
def test_doc2chunk(offsets: str) -> None:
    def chunks(table: dict[str, Any], **parameters: Any) -> list[tuple[int, int, str, str]]:
        stage = Doc2Chunk(input_cols=["document"], output_col="chunk", **parameters)
        model = Pipeline(stages=[assembler().setOffsets(offsets), stage]).fit()
        return [(a.begin, a.end, a.result, a.metadata["chunk"]) for a in model.transform(table)["chunk"][0]]

    text = "😀 One one ONE"
    shift = int(offsets == "utf16")
    assert chunks({"text": [text]}) == [(0, 12 + shift, text, "0")]
    assert chunks({"text": [text], "c": ["one"]}, chunk_col="c") == [(6 + shift, 8 + shift, "one", "0")]
    assert chunks({"text": [text], "c": ["one"]}, chunk_col="c", lower_case=True)[0][:2] == (2 + shift, 4 + shift)
    at = {"text": [text], "c": ["one"], "s": [5 + shift]}
    assert chunks(at, chunk_col="c", start_col="s", lower_case=True)[0][:2] == (6 + shift, 8 + shift)
    at["s"] = [3]
    found = chunks(at, chunk_col="c", start_col="s", start_col_by_token_index=True, lower_case=True)
    assert found[0][:2] == (10 + shift, 12 + shift)
    assert chunks({"text": [text], "c": ["two"]}, chunk_col="c") == []
    assert chunks({"text": [text], "c": [None]}, chunk_col="c") == []
    with pytest.raises(InputError, match="does not hold the chunk 'two'"):
        chunks({"text": [text], "c": ["two"]}, chunk_col="c", fail_on_missing=True)
    with pytest.raises(InputError, match="set isArray to True"):
        chunks({"text": [text], "c": [["one"]]}, chunk_col="c")


def test_doc2chunk_begins_the_search_inside_the_text() -> None:
    def found(start_at: Any, **parameters: Any) -> list[int]:
        chunks = Doc2Chunk(input_cols=["document"], output_col="chunk", chunk_col="c", start_col="s", **parameters)
        table = {"text": ["abc abc"], "c": ["abc"], "s": [start_at]}
        begins: list[int] = Pipeline(stages=[assembler(), chunks]).fit().transform(table)["chunk"].begin.tolist()
        return begins

    assert found(-5) == found(0) == found(-1, start_col_by_token_index=True) == [0]
    assert found(1) == found(1, start_col_by_token_index=True) == [4]
    assert found(10**30) == []
    for wrong in (None, float("nan"), "x"):
        with pytest.raises(InputError, match="Row 0 of the column startCol"):
            found(wrong)


def test_exceptions_from_a_file(tmp_path: Path) -> None:
    pytest.importorskip("regex")
    path = tmp_path / "exceptions.txt"
    path.write_text("New York\n\nNo\\.\n", encoding="utf-8")
    stage = tokenizer().setInputCols("document").addException("e-mail").setExceptionsPath(path)
    assert stage.getExceptions() == ["New York", "No\\.", "e-mail"]
    result = Pipeline(stages=[assembler(), stage]).fit().transform(["In New York, No. 5 e-mail"])
    assert result.annotations("token").results == ["In", "New York,", "No.", "5", "e-mail"]
    with pytest.raises(ParameterError, match="cannot be read"):
        tokenizer().setExceptionsPath(tmp_path / "nope")
    with pytest.raises(ParameterError, match="plain text"):
        tokenizer().setExceptionsPath(path, ReadAs.SPARK)


def test_the_adders_of_the_tokenizer() -> None:
    stage = tokenizer().setInfixPatterns(["(b)"]).addInfixPattern("(a)").addContextChars("#").addSplitChars("-")
    assert stage.getInfixPatterns() == ["(a)", "(b)"]
    assert stage.getContextChars()[-2:] == ["'", "#"]
    assert stage.getSplitChars() == ["-"]
    assert TokenizerModel.pretrained().get_param("targetPattern") == "\\S+"
    with pytest.raises(ModelNotFoundError, match="token_rules"):
        TokenizerModel.pretrained("other")


def test_patterns_are_checked_when_fitting() -> None:
    pytest.importorskip("regex")
    for change in ({"prefix_pattern": "x"}, {"suffix_pattern": "x"}, {"infix_patterns": ["x"]}, {"split_pattern": "("}):
        with pytest.raises(ParameterError, match=next(iter(change)).split("_")[0]):
            Tokenizer(input_cols=["document"], output_col="t", **change).fit()  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="single characters"):
        Tokenizer(context_chars=["ab"])


# -------------------------------------------------------------------------------------------------- parameters

STAGES: list[type[Stage]] = [
    AlbertEmbeddings, ChunkEmbeddings, Doc2Chunk, DocumentAssembler, EmbeddingsFinisher, Finisher, SentenceDetector,
    SentenceEmbeddings, Tokenizer,
]  # fmt: skip
VALUES: dict[str, Any] = {
    "inputCols": ["a", "b"], "cleanupMode": "shrink", "offsets": "utf16", "customBounds": ["x"], "compat": "sparknlp",
    "customBoundsStrategy": "append", "poolingStrategy": "SUM", "level": "sentence", "pooling": "max",
    "tokenization": "text", "layers": [0, 1], "device": "cuda", "precision": "int8", "contextChars": [","],
    "exceptions": ["x"], "infixPatterns": ["(x)"], "splitChars": ["-"], "outputCols": ["o"], "configProtoBytes": [1],
    "showProgress": True,
}  # fmt: skip


@pytest.mark.parametrize("kind", STAGES)
def test_keywords_setters_and_getters_agree(kind: type[Stage]) -> None:
    for param in kind.params():
        value = VALUES.get(param.spark_name)
        if param.spark_name == "inputCols" and kind in (Doc2Chunk, SentenceDetector, Tokenizer):
            value = ["a"]
        if value is None:
            value = (not param.default) if isinstance(param.default, bool) else 7 if _is_number(param) else "name"
        name = param.spark_name[0].upper() + param.spark_name[1:]
        by_setter = kind()
        assert getattr(by_setter, f"set{name}")(value) is by_setter
        by_keyword = kind(**{param.name: value})
        got = getattr(by_keyword, f"get{name}")()
        assert got == getattr(by_setter, f"get{name}")()
        assert list(got) == value if isinstance(value, list) else got == value
        assert by_keyword.isSet(param.spark_name)
        assert not kind().isSet(param.name)
        assert param.spark_name in by_keyword.explainParam(param.name)


def _is_number(param: Any) -> bool:
    try:
        param.check("name")
    except (TypeError, ValueError) as error:
        return "whole number" in str(error)
    return False


@pytest.mark.parametrize("kind", STAGES)
def test_a_stage_explains_its_parameters(kind: type[Stage]) -> None:
    stage = kind()
    assert stage.uid.startswith(kind.uid_prefix + "_")
    assert len(stage.uid.rsplit("_", 1)[1]) == 12
    assert stage.explainParams().count("\n") == len(kind.params()) - 1
    assert set(stage.extractParamMap()) <= {param.spark_name for param in kind.params()}
    assert stage.copy().uid == stage.uid
    with pytest.raises(ParameterError, match="has no parameter"):
        stage.set_param("nope", 1)


# ------------------------------------------------------------------------------------------------------- files


def test_a_pipeline_is_saved_as_a_readable_folder(
    fitted: PipelineModel, tiny: AlbertEmbeddings, tmp_path: Path
) -> None:
    stages = [assembler().setCleanupMode("shrink"), detector(), tokenizer().setMinLength(2), albert(tiny, batch_size=3)]
    finisher = Finisher(input_cols=["token"], clean_annotations=False)
    model = Pipeline(stages=[*stages, finisher]).fit()
    folder = tmp_path / "saved"
    model.save(folder)
    content = json.loads((folder / "pipeline.json").read_text())
    assert [entry["class"] for entry in content["stages"]] == [
        "DocumentAssembler", "SentenceDetector", "TokenizerModel", "AlbertEmbeddings", "Finisher",
    ]  # fmt: skip
    assert content["stages"][0]["parameters"]["cleanup_mode"] == "shrink"
    assert (folder / content["stages"][3]["folder"] / "model.safetensors").is_file()
    loaded = PipelineModel.load(folder)
    assert [stage.uid for stage in loaded.stages] == [stage.uid for stage in model.stages]
    assert [stage.explicit_params() for stage in loaded.stages] == [stage.explicit_params() for stage in model.stages]
    mine, theirs = (m.transform({"text": TEXTS}) for m in (loaded, model))
    assert np.array_equal(mine["embeddings"].vectors, theirs["embeddings"].vectors)
    assert list(mine["finished_token"]) == list(theirs["finished_token"])

    with pytest.raises(ParameterError, match="overwrite=True"):
        model.save(folder)
    fitted.write().overwrite().save(folder)
    assert len(PipelineModel.read().load(folder).stages) == 4
    ready = PretrainedPipeline.from_disk(folder, parse_embeddings=True)
    assert ready.annotate("I love NLP")["token"] == ["I", "love", "NLP"]
    assert ready.fullAnnotate(["a"])[0]["embeddings"][0].vector.shape == (32,)
    assert ready.annotate({"t": ["a b"]}, "t")["token"].results == ["a", "b"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["saved"]


def test_single_stages_are_saved_too(tmp_path: Path) -> None:
    stage = detector().setMinLength(3)
    stage.write().save(tmp_path / "one")
    loaded = SentenceDetector.load(tmp_path / "one")
    assert loaded.uid == stage.uid
    assert loaded.getMinLength() == 3
    with pytest.raises(ModelNotFoundError, match="holds SentenceDetector, not one Finisher"):
        Finisher.load(tmp_path / "one")


def test_damaged_pipelines_are_refused(fitted: PipelineModel, tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    fitted.save(folder)
    file = folder / "pipeline.json"
    good = json.loads(file.read_text())

    def refused(content: Any, message: str, error: type[Exception] = CorruptModelError) -> None:
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        with pytest.raises(error, match=message):
            PipelineModel.load(folder)

    refused("{", "is damaged")
    refused([], "does not say its format")
    refused({**good, "format": 99}, "newer albert_fast")
    refused({"format": 1}, "no list of stages")
    refused({**good, "stages": [{"class": "os", "uid": "x", "parameters": {}}]}, "none of ours")
    refused(
        {**good, "stages": [{"class": "Finisher", "uid": "x", "parameters": {"nope": 1}}]}, "stage 0", ParameterError
    )
    outside = [{**good["stages"][3], "folder": "../elsewhere"}]
    refused({**good, "stages": outside}, "outside of it")
    with pytest.raises(ModelNotFoundError, match="no saved pipeline"):
        PipelineModel.load(tmp_path / "nope")
    with pytest.raises(ModelNotFoundError, match="cannot be run here"):
        PretrainedPipeline("explain_document_ml")


def test_a_path_of_something_else_says_what_to_use(
    fitted: PipelineModel, tiny: AlbertEmbeddings, tmp_path: Path
) -> None:
    tiny.save(tmp_path / "model")
    fitted.stages[0].save(tmp_path / "stage")
    tiny.export("onnx", tmp_path / "x.onnx")
    for load in (PipelineModel.load, Pipeline.load, Tokenizer.load, PretrainedPipeline.from_disk):
        with pytest.raises(ModelNotFoundError, match=r"the folder of a model: use AlbertEmbeddings\.load"):
            load(tmp_path / "model")
        with pytest.raises(ModelNotFoundError, match=r"nothing is there\. Give the folder that PipelineModel\.save"):
            load(tmp_path / "nothing")
        with pytest.raises(ModelNotFoundError, match=r"AlbertEmbeddings\.pretrained\('albert_tiny_en'\) gets that one"):
            load("albert_tiny_en")
    with pytest.raises(ModelNotFoundError, match=r"It is a file: AlbertEmbeddings\.load reads models"):
        Tokenizer.load(tmp_path / "x.onnx")
    with pytest.raises(ParameterError, match=r"saved pipeline or stage, not a model: use PipelineModel\.load"):
        AlbertEmbeddings.load(tmp_path / "stage")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("albert_base_uncased", r"a published model: AlbertEmbeddings\.pretrained\('albert_base_uncased'\)"),
        ("en.embed.albert", r"a published model: AlbertEmbeddings\.pretrained\('en\.embed\.albert'\)"),
        ("albert-base-uncased", r"is got by its name: AlbertEmbeddings\.pretrained\('albert_base_uncased'\)"),
        ("albert/albert-base-v2", r"the Hugging Face hub, AlbertEmbeddings\.pretrained\('albert/albert-base-v2'\)"),
        ("some folder", "Give a folder that holds a model"),
    ],
)
def test_load_of_a_published_name_leads_to_pretrained(name: str, message: str) -> None:
    with pytest.raises(ModelNotFoundError, match=f"There is no folder or file .*{message}"):
        AlbertEmbeddings.load(name)


def test_a_failed_save_leaves_nothing(fitted: PipelineModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("albert_fast.stage_folder.write_synced", no_room)
    with pytest.raises(WriteError, match=r"saved cannot be written: .*No space left") as caught:
        fitted.save(tmp_path / "saved")
    assert not isinstance(caught.value, ModelNotFoundError)
    assert (caught.value.errno, isinstance(caught.value, OSError)) == (28, True)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_with_the_name_that_was_given(
    tiny: AlbertEmbeddings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("albert_fast.models.save.write_synced", no_room)
    target = tmp_path / "saved"
    with pytest.raises(WriteError) as caught:  # the model's folder is one in the pipeline's, under a hidden name
        PipelineModel([albert(tiny)]).save(target)
    assert str(caught.value).startswith(f"{target} cannot be written: No space left on device. Nothing")
    assert caught.value.errno == 28
    with pytest.raises(WriteError, match=f"{target} cannot be written"):
        tiny.save(target)
    assert list(tmp_path.iterdir()) == []


def test_one_kind_does_not_take_the_place_of_another(
    fitted: PipelineModel, tiny: AlbertEmbeddings, tmp_path: Path
) -> None:
    fitted.save(tmp_path / "pipeline")
    tiny.save(tmp_path / "model")
    with pytest.raises(ParameterError, match=r"pipeline holds a saved pipeline or stage, and a saved model .*delete"):
        tiny.write().overwrite().save(tmp_path / "pipeline")
    with pytest.raises(ParameterError, match=r"model holds a saved model, and a saved pipeline or stage .*delete"):
        fitted.write().overwrite().save(tmp_path / "model")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x").touch()
    with pytest.raises(ParameterError, match="was not saved by albert_fast"):
        tiny.write().overwrite().save(tmp_path / "other")


def test_stages_can_be_pickled(fitted: PipelineModel) -> None:
    copied = pickle.loads(pickle.dumps(fitted))
    assert [stage.uid for stage in copied.stages] == [stage.uid for stage in fitted.stages]
    assert np.array_equal(
        copied.transform({"text": TEXTS})["embeddings"].vectors, fitted.transform({"text": TEXTS})["embeddings"].vectors
    )


def test_a_warning_points_at_the_users_line(tiny: AlbertEmbeddings) -> None:
    model = Pipeline(stages=[assembler(), detector(), tokenizer(), albert(tiny, max_sentence_length=4)]).fit()
    text = "supercalifragilistic x"
    for call in (
        lambda: model.transform({"text": [text]}),
        lambda: LightPipeline(model, parse_embeddings=True).annotate(text),
        lambda: albert(tiny, max_sentence_length=4).embed(text),
    ):
        with pytest.warns(TruncationWarning) as caught:
            call()
        assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize("as_vector", [False, True])
def test_finished_vectors_stay_in_step_with_their_annotations(as_vector: bool, tiny: AlbertEmbeddings) -> None:
    stages = [
        assembler(), detector(), tokenizer(), albert(tiny),
        SentenceEmbeddings(input_cols=["document", "embeddings"], output_col="pooled"),
        EmbeddingsFinisher(input_cols=["pooled"], output_cols=["vectors"], output_as_vector=as_vector),
    ]  # fmt: skip
    result = Pipeline(stages=stages).fit().transform({"text": [["One.", "", "Two."], ["  "], []]})
    assert [[len(vector) for vector in cell] for cell in result["vectors"]] == [[32, 0, 32], [0], []]
    for cell, row in zip(result["vectors"], result["pooled"], strict=True):
        assert all(np.array_equal(vector, a.vector) for vector, a in zip(cell, row, strict=True))


def test_columns_put_together_of_several_tables(fitted: PipelineModel, tiny: AlbertEmbeddings) -> None:
    pd = pytest.importorskip("pandas")
    data = pd.DataFrame({"text": ["One. Two."]})
    step = detector().transform(assembler().transform(data))
    both = tokenizer().transform(pd.concat([step, step]))
    assert [cell.result for cell in both["token"]] == [["One", ".", "Two", "."]] * 2
    other = detector().transform(assembler().setOffsets("utf16").transform(data))
    with pytest.raises(InputError, match="one counts begin and end"):
        tokenizer().transform(pd.concat([step, other]))
    gap = step.assign(sentence=[None]).astype({"sentence": object})
    with pytest.raises(InputError, match=r"Row 1 holds .* where other rows hold annotations"):
        tokenizer().transform(pd.concat([step, gap]))


def test_odd_input_is_named(fitted: PipelineModel, tiny: AlbertEmbeddings, tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    with pytest.raises(InputError, match="which read the same"):
        fitted.transform(pd.DataFrame([["a", "b", "c"]], columns=["text", 1, "1"]))
    assert fitted.transform({"text": ["a", np.float32("nan")]})["token"].results == ["a"]
    with pytest.raises(InputError, match="Row 0: text 1 of the list is of type int"):
        fitted.transform({"text": [["a", 5]]})
    with pytest.raises(InputError, match="Column 'text' is dict"):
        fitted.transform({"text": {"a": 1}})
    with pytest.raises(ParameterError, match=r"a Tokenizer, is not fitted. Write Pipeline"):
        PipelineModel([assembler(), detector(), tokenizer()])
    with pytest.raises(ParameterError, match=r"are a list, not a DocumentAssembler"):
        Pipeline(stages=assembler())  # type: ignore[arg-type]
    chunks = Doc2Chunk(input_cols=["document"], output_col="chunk", chunk_col="c", start_col="s")
    with pytest.raises(InputError, match="Row 0 of the column startCol holds 'x'"):
        Pipeline(stages=[assembler(), chunks]).fit().transform({"text": ["a"], "c": ["a"], "s": ["x"]})
    with pytest.raises(WriteError, match="cannot be written"):
        fitted.save(tmp_path / ("x" * 300))


def test_frames_say_what_is_not_there(fitted: PipelineModel) -> None:
    frame = fitted.transform(["One two."])
    assert frame.take(np.int64(1))[0].text == "One two."
    with pytest.raises(InputError, match="Row 3 does not exist"):
        frame.take([3])
    with pytest.raises(WiringError, match="There is no column 'nope'"):
        frame.schema["nope"]
    with pytest.raises(InputError, match="named by strings"):
        frame.select(3)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="explode takes a column of lists"):
        frame.selectExpr("explode(text) as t")
    pytest.importorskip("pandas")
    with pytest.raises(WiringError, match="'begin', which is there already"):
        frame.withColumnRenamed("text", "begin").to_pandas(level="token")


def test_finished_columns_are_those_of_the_parameters_at_the_time() -> None:
    finisher = Finisher(input_cols=["document"], clean_annotations=False)
    result = Pipeline(stages=[assembler(), finisher]).fit().transform({"text": ["a"]})
    finisher.setOutputAsArray(False)
    assert list(result["finished_document"]) == [["a"]]
    assert pickle.loads(pickle.dumps(result["finished_document"])) == [["a"]]


def test_finished_cells_are_those_of_their_run(fitted: PipelineModel) -> None:
    finisher = Finisher(input_cols=["token"], output_as_array=False)
    table = finisher.transform(fitted.transform({"text": ["I love NLP"]}))
    finisher.setAnnotationSplitSymbol("|")
    assert table["finished_token"][0] == "I@love@NLP"
    assert repr(table["finished_token"]) == "['I@love@NLP']"


def test_frames_can_be_pickled_whatever_is_in_them(fitted: PipelineModel) -> None:
    frame = Finisher(input_cols=["token"], clean_annotations=False).transform(fitted.transform(TEXTS))
    for made in (frame, frame.select("token.result"), frame.select("finished_token").take([2, 0])):
        again = pickle.loads(pickle.dumps(made))
        assert again.columns == made.columns
        assert again.collect() == made.collect()


def test_a_uid_leads_nowhere(tiny: AlbertEmbeddings, tmp_path: Path) -> None:
    stage = albert(tiny)
    stage.uid = "x/../../../../evil"
    folder = tmp_path / "a" / "b" / "saved"
    PipelineModel([stage]).save(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert [path.name for path in folder.parent.iterdir()] == ["saved"]
    assert PipelineModel.load(folder).stages[0].uid == stage.uid


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"], ids=["long", "null"])
def test_names_that_no_folder_can_have(name: str, tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="Choose another destination"):
        PipelineModel([assembler()]).save(tmp_path / name)


@pytest.mark.parametrize(
    "content",
    [
        '{"format": ' + "[" * 100_000,
        '{"format": 1, "stages": [{"class": "Tokenizer", "uid": "x", "parameters": {}, "folder": "stages/0"}]}',
    ],
    ids=["deep", "folder"],
)
def test_hostile_pipelines_are_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "pipeline.json").write_text(content)
    with pytest.raises(CorruptModelError):
        PipelineModel.load(tmp_path)
