"""Every stage against what Spark NLP 5.5.3 made of six texts (golden/sparknlp/stages.json, light_pipeline.json)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from albert_fast import (
    AlbertEmbeddings,
    Annotation,
    ChunkEmbeddings,
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
    SentenceDetector,
    SentenceEmbeddings,
    Tokenizer,
    WiringError,
)

TOLERANCE = 1e-5
ROUNDED = 1e-5 + 6e-7  # the vectors of most cases were written with six decimals


@pytest.fixture(scope="module")
def stages(golden: Path) -> dict[str, Any]:
    cases: dict[str, Any] = json.loads((golden / "sparknlp/stages.json").read_text())
    return cases


@pytest.fixture(scope="module")
def model(golden: Path) -> AlbertEmbeddings:
    return AlbertEmbeddings.load(golden / "sparknlp/models/hf_folder", compat="sparknlp")


def text_stages() -> list[Any]:
    return [
        DocumentAssembler().setInputCol("text").setOutputCol("document"),
        SentenceDetector().setInputCols(["document"]).setOutputCol("sentence"),
        Tokenizer().setInputCols(["sentence"]).setOutputCol("token"),
    ]


def albert(model: AlbertEmbeddings, *inputs: str) -> AlbertEmbeddings:
    return model.copy().setInputCols(*(inputs or ("sentence", "token"))).setOutputCol("embeddings")


def pipeline(model: AlbertEmbeddings, *more: Any) -> PipelineModel:
    return Pipeline(stages=[*text_stages(), albert(model), *more]).fit()


@pytest.fixture(scope="module")
def table(stages: dict[str, Any]) -> dict[str, list[Any]]:
    return {"id": [row["id"] for row in stages["rows"]], "text": [row["text"] for row in stages["rows"]]}


def check_annotations(mine: Sequence[Annotation], theirs: list[dict[str, Any]], tolerance: float = ROUNDED) -> int:
    """Every field; the vectors within the tolerance. Returns how many vectors were compared."""
    fields = ("annotatorType", "begin", "end", "result", "metadata")
    assert [tuple(getattr(a, f) for f in fields) for a in mine] == [tuple(t[f] for f in fields) for t in theirs]
    compared = 0
    for a, t in zip(mine, theirs, strict=True):
        if "n_embeddings" in t:
            assert len(a.embeddings) == t["n_embeddings"]
            continue
        assert len(a.vector) == len(t["embeddings"])
        if t["embeddings"]:
            assert np.abs(a.vector - np.array(t["embeddings"])).max() <= tolerance
            compared += 1
    return compared


def check_rows(result: Any, theirs: list[dict[str, Any]]) -> int:
    compared = 0
    for name in theirs[0]:
        if name in ("id", "text"):
            continue
        for row, expected in enumerate(theirs):
            compared += check_annotations(result[name][row], expected[name])
    return compared


def check_numbers(mine: Sequence[str], theirs: Sequence[str], separator: str = " ") -> None:
    assert len(mine) == len(theirs)
    for a, b in zip(mine, theirs, strict=True):
        got, want = (np.array(text.split(separator), dtype=float) for text in (a, b))
        # light_pipeline.json keeps the first numbers only, the last of them cut.
        assert len(got) >= len(want)
        assert np.abs(got[: len(want)] - want).max() <= TOLERANCE


def test_the_whole_pipeline(stages: dict[str, Any], model: AlbertEmbeddings, table: dict[str, list[Any]]) -> None:
    result = pipeline(model).transform(table)
    assert list(result) == ["id", "text", "document", "sentence", "token", "embeddings"]
    assert check_rows(result, stages["rows"]) == 26


def test_document_and_token_as_inputs(
    stages: dict[str, Any], model: AlbertEmbeddings, table: dict[str, list[Any]]
) -> None:
    for inputs in (("document", "token"), ("token", "document")):
        result = Pipeline(stages=[*text_stages(), albert(model, *inputs)]).fit().transform(table)
        assert check_rows(result, stages["document_and_token"]) == 26


FINISHERS = {
    "finisher_default": Finisher().setInputCols("sentence", "token", "embeddings"),
    "finisher_string": Finisher().setInputCols(["token", "embeddings"]).setOutputAsArray(False),
    "finisher_string_meta": Finisher().setInputCols("token").setOutputAsArray(False).setIncludeMetadata(True),
    "finisher_meta": Finisher().setInputCols("token", "embeddings").setIncludeMetadata(True),
    "finisher_symbols": Finisher()
    .setInputCols("token")
    .setOutputCols("out")
    .setOutputAsArray(False)
    .setAnnotationSplitSymbol("|")
    .setValueSplitSymbol("=")
    .setCleanAnnotations(False),
}


@pytest.mark.parametrize("name", FINISHERS)
def test_finisher(name: str, stages: dict[str, Any], model: AlbertEmbeddings, table: dict[str, list[Any]]) -> None:
    case = stages[name]
    result = pipeline(model, FINISHERS[name]).transform(table)
    assert list(result) == case["columns"]
    for row, expected in enumerate(case["rows"]):
        for column, cell in expected.items():
            mine = result[column][row]
            assert ([list(pair) for pair in mine] if column.endswith("_metadata") else mine) == cell


def test_finisher_of_vectors(stages: dict[str, Any], model: AlbertEmbeddings, table: dict[str, list[Any]]) -> None:
    case = stages["finisher_vectors"]
    finisher = Finisher().setInputCols("embeddings").setParseEmbeddingsVectors(True)
    result = pipeline(model, finisher).transform(table)
    assert list(result) == case["columns"]
    for row, expected in enumerate(case["rows"]):
        check_numbers(result["finished_embeddings"][row], expected["finished_embeddings"])


def test_embeddings_finisher(stages: dict[str, Any], model: AlbertEmbeddings, table: dict[str, list[Any]]) -> None:
    case = stages["embeddings_finisher_default"]
    result = pipeline(model, EmbeddingsFinisher().setInputCols("embeddings")).transform(table)
    assert list(result) == case["columns"]
    for row, expected in enumerate(case["rows"]):
        mine = result["finished_embeddings"][row]
        assert isinstance(mine, list)
        shapes = [(vector.dtype, len(vector)) for vector in mine]
        assert shapes == [(np.float32, 64)] * len(expected["finished_embeddings"])
        if len(mine):
            assert np.abs(np.array(mine) - np.array(expected["finished_embeddings"])).max() <= TOLERANCE
            assert np.shares_memory(mine[0], result["embeddings"].vectors)


def test_embeddings_finisher_as_vectors(
    stages: dict[str, Any], model: AlbertEmbeddings, table: dict[str, list[Any]]
) -> None:
    case = stages["embeddings_finisher_vector_clean"]
    finisher = EmbeddingsFinisher(input_cols=["embeddings"], output_cols=["v"], output_as_vector=True)
    result = pipeline(model, finisher.setCleanAnnotations(True)).transform(table)
    assert list(result) == case["columns"]
    for row, expected in enumerate(case["rows"]):
        mine = result["v"][row]
        assert [vector.dtype for vector in mine] == [np.float64] * len(expected["v"])
        if mine:
            assert np.abs(np.array(mine) - np.array(expected["v"])).max() <= ROUNDED


@pytest.mark.parametrize("strategy", ["AVERAGE", "SUM"])
def test_sentence_embeddings(
    strategy: str, stages: dict[str, Any], model: AlbertEmbeddings, table: dict[str, list[Any]]
) -> None:
    case = stages[f"sentence_embeddings_{strategy.lower()}"]
    pooled = SentenceEmbeddings().setInputCols("sentence", "embeddings").setOutputCol("se").setPoolingStrategy(strategy)
    fitted = pipeline(model.copy({"storageRef": "my_ref"}), pooled)
    result = fitted.transform(table)
    assert check_rows(result, case["rows"]) == 4
    assert sorted(result["se"].metadata) == case["column_metadata"]
    assert result["se"].metadata == {"annotatorType": "sentence_embeddings", "dimension": 64, "ref": "my_ref"}


def test_sentence_embeddings_of_documents(
    stages: dict[str, Any], model: AlbertEmbeddings, table: dict[str, list[Any]]
) -> None:
    pooled = SentenceEmbeddings().setInputCols("document", "embeddings").setOutputCol("se")
    assert check_rows(pipeline(model, pooled).transform(table), stages["sentence_embeddings_document"]) == 3


def test_chunk_embeddings(stages: dict[str, Any], model: AlbertEmbeddings) -> None:
    chunks = Doc2Chunk().setInputCols("document").setOutputCol("chunk").setChunkCol("want").setIsArray(True)
    embedded = ChunkEmbeddings().setInputCols("chunk", "embeddings").setOutputCol("ce")
    texts = [stages["rows"][0]["text"], stages["rows"][1]["text"]]
    table = {"text": texts, "want": [["love NLP"], ["not there", "longer", "one"]]}
    result = pipeline(model, chunks, embedded).transform(table)
    assert check_rows(result, stages["chunk_embeddings"]) == 1


def test_arrays_of_texts(stages: dict[str, Any], model: AlbertEmbeddings) -> None:
    table = {"text": [["First one. Same one.", "Second doc"], []]}
    assert check_rows(pipeline(model).transform(table), stages["array_input"]) == 13


def test_id_and_metadata(stages: dict[str, Any]) -> None:
    assembler, *more = text_stages()
    assembler.setIdCol("key").setMetadataCol("meta")
    table = {"text": ["One. Two."], "key": ["a7"], "meta": [{"k": "v", "id": "overwritten", "sentence": "9"}]}
    result = Pipeline(stages=[assembler, *more]).fit().transform(table)
    check_rows(result, stages["id_and_metadata"])


LIGHT_TEXTS = {
    "annotate_str": "I love NLP",
    "annotate_list": ["I love NLP", ""],
    "full_str": "I love NLP. Me too.",
    "full_list": ["I love NLP", "", "  "],
}


@pytest.mark.parametrize("parse", [False, True])
@pytest.mark.parametrize("kind", LIGHT_TEXTS)
def test_light_pipeline(kind: str, parse: bool, stages: dict[str, Any], model: AlbertEmbeddings) -> None:
    light = LightPipeline(pipeline(model), parse_embeddings=parse)
    expected = stages[f"light_{kind}_{parse}"]
    if kind.startswith("full"):
        got = light.fullAnnotate(LIGHT_TEXTS[kind])
        assert [list(row) for row in got] == [["document", "sentence", "token", "embeddings"]] * len(expected)
        for mine, theirs in zip(got, expected, strict=True):
            for name in theirs:
                check_annotations(mine[name], theirs[name])
        return
    got = light.annotate(LIGHT_TEXTS[kind])
    rows = [(got, expected)] if kind.endswith("str") else list(zip(got, expected, strict=True))
    for mine, theirs in rows:
        assert list(mine) == ["document", "sentence", "token", "embeddings"]
        for name in theirs:
            if parse and name == "embeddings":
                check_numbers(mine[name], theirs[name])
            else:
                assert mine[name] == theirs[name]


def test_light_pipeline_with_finishers(stages: dict[str, Any], model: AlbertEmbeddings) -> None:
    finished = pipeline(model, Finisher().setInputCols("token"))
    assert LightPipeline(finished).annotate("I love NLP") == stages["light_with_finisher"]
    finished = pipeline(model, EmbeddingsFinisher().setInputCols("embeddings"))
    assert LightPipeline(finished).annotate("I love NLP") == stages["light_with_embeddings_finisher"]


def test_light_pipeline_on_tables(stages: dict[str, Any], model: AlbertEmbeddings, table: dict[str, list[Any]]) -> None:
    light = LightPipeline(pipeline(model))
    assert list(light.transform(table)) == stages["light_transform"]
    chosen = LightPipeline(pipeline(model), output_cols=["token"])
    assert list(chosen.transform(table)) == ["id", "text", "token"]
    assert chosen.annotate("I love NLP") == {"token": ["I", "love", "NLP"]}


def test_light_pipeline_of_twenty_texts(golden: Path, model: AlbertEmbeddings) -> None:
    cases = json.loads((golden / "sparknlp/light_pipeline.json").read_text())
    texts = json.loads((golden / "texts/texts.json").read_text())[: len(cases["annotate"])]
    assert len(texts) == 20
    light = LightPipeline(pipeline(model), parse_embeddings=True)
    vectors = 0
    for mine, theirs in zip(light.annotate(texts), cases["annotate"], strict=True):
        for name, cells in theirs.items():
            if name == "embeddings":
                # Each ends within a number.
                check_numbers(mine[name], [cell.rsplit(" ", 1)[0] for cell in cells])
            else:
                assert mine[name] == cells
    for mine, theirs in zip(light.fullAnnotate(texts), cases["fullAnnotate"], strict=True):
        for name, cells in theirs.items():
            assert len(mine[name]) == len(cells)
            for a, (*fields, first) in zip(mine[name], cells, strict=True):
                assert [a.annotatorType, a.begin, a.end, a.result, a.metadata] == fields
                if first:
                    assert np.abs(a.vector[: len(first)] - np.array(first)).max() <= ROUNDED
                    vectors += 1
    assert vectors > 400


def test_a_printed_annotation(stages: dict[str, Any], model: AlbertEmbeddings) -> None:
    token = LightPipeline(pipeline(model)).fullAnnotate("I love NLP")[0]["token"][0]
    assert repr(token) == str(token) == stages["repr_annotation"]


@pytest.mark.parametrize(("length", "name"), [(0, "zero_length"), (2, "length_2"), (3, "length_3")])
def test_short_limits(
    length: int, name: str, stages: dict[str, Any], model: AlbertEmbeddings, table: dict[str, list[Any]]
) -> None:
    result = pipeline(model.copy({"maxSentenceLength": length})).transform(table)
    assert check_rows(result, stages[f"case_{name}"]) == (4 if length == 3 else 0)


def test_getters_and_params(stages: dict[str, Any], model: AlbertEmbeddings) -> None:
    mine = albert(model)
    getters = [
        mine.getBatchSize(),
        mine.getDimension(),
        mine.getCaseSensitive(),
        mine.getMaxSentenceLength(),
        mine.getInputCols(),
        mine.getOutputCol(),
        mine.getLazyAnnotator(),
        mine.getEngine(),
    ]
    assert getters == stages["case_getters"]
    assert mine.setDimension(100).getDimension() == stages["case_dimension_wrong"]
    refs = [mine.getStorageRef() is None or True, mine.setStorageRef("r1").getStorageRef()]
    assert [*refs, mine.setStorageRef("r2").getStorageRef()] == stages["case_storage_ref"]


# What the real system answers with an error, or with a result that a user would not want: ours says so first.
def test_our_own_errors(model: AlbertEmbeddings, table: dict[str, list[Any]], tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="at most 512"):
        model.copy().setMaxSentenceLength(513)
    with pytest.raises(ParameterError, match="2 column names, not 1"):
        model.copy().setInputCols("sentence")
    with pytest.raises(ParameterError, match="column names"):
        model.copy().setInputCols(1)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="at least 1"):
        model.copy().setBatchSize(0)
    with pytest.raises(WiringError, match=r"'nope', which is not there.*There is: .*text"):
        Pipeline(stages=[*text_stages()[:2], Tokenizer().setInputCols("nope").setOutputCol("t")]).fit(table)
    with pytest.raises(WiringError, match="document and token"):
        Pipeline(stages=[*text_stages(), albert(model, "document", "sentence")]).fit().transform(table)
    with pytest.raises(ModelNotFoundError):
        AlbertEmbeddings.loadSavedModel(tmp_path / "nope", None)
    with pytest.raises(ParameterError, match="shrink_full"):
        DocumentAssembler().setCleanupMode("bad")
    with pytest.raises(WiringError, match="'nope', which is not there"):
        DocumentAssembler().setInputCol("nope").transform(table)
    with pytest.raises(WiringError, match="'embeddings', which is there already"):
        pipeline(model).transform({**table, "embeddings": [1] * len(table["text"])})
    with pytest.raises(InputError, match="a text or a list of texts"):
        LightPipeline(pipeline(model)).annotate(5)  # type: ignore[arg-type]
    assert LightPipeline(pipeline(model)).annotate([]) == []
    assert isinstance(pipeline(model).transform(["one"]), Frame)
