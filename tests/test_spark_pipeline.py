"""PipelineModel.load of what Spark NLP saved: stages of ours with the parameters and rules of theirs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import containers
from albert_fast import ModelNotFoundError, ParameterError, PipelineModel, PretrainedPipeline
from test_spark_folder import DEFAULT, TOKENIZER, Files, pipeline, tokenizer

TOLERANCE = 1e-5


def stage(name: str, **params: Any) -> Files:
    return {"metadata/part-00000": containers.spark_metadata(f"com.johnsnowlabs.nlp.{name}", **params)}


def saved(folder: Path, *stages: Files) -> Path:
    return containers.write_files(folder, pipeline([stage("DocumentAssembler", inputCol="text"), *stages]))


def test_a_pipeline_that_spark_nlp_saved(golden: Path) -> None:
    folder = golden / "sparknlp/models/saved_pipeline"
    model = PipelineModel.load(folder)
    assert [stage.uid for stage in model.stages] == [
        "DocumentAssembler_0d061d551db3",
        "SentenceDetector_9848c1297cea",
        "REGEX_TOKENIZER_dc40d64c54f0",
        "ALBERT_EMBEDDINGS_b7834586f8d9",
    ]
    assert model.stages[3].getBatchSize() == 1
    assert model.stages[3].getDimension() == 64
    model.stages[3].setCompat("sparknlp")
    case = json.loads((golden / "sparknlp/embeddings_b1.json").read_text())
    data = np.load(golden / "sparknlp/embeddings_b1.npz")
    texts = json.loads((golden / "texts/texts.json").read_text())[: len(case["rows"])]
    column = model.transform({"text": texts})["embeddings"]
    for row, expected in zip(column, case["rows"], strict=True):
        assert [[a.annotatorType, a.begin, a.end, a.result, a.metadata] for a in row] == expected
    assert np.abs(column.vectors - data["vectors"]).max() <= TOLERANCE
    assert PretrainedPipeline.from_disk(folder).annotate("I love NLP")["token"] == ["I", "love", "NLP"]


def test_a_pipeline_of_spark_nlps_is_saved_as_one_of_ours(golden: Path, tmp_path: Path) -> None:
    model = PipelineModel.load(golden / "sparknlp/models/saved_pipeline")
    model.save(tmp_path / "ours")
    mine = PipelineModel.load(tmp_path / "ours").transform(["I love NLP"])
    theirs = model.transform(["I love NLP"])
    assert np.array_equal(mine.annotations("embeddings").vectors, theirs.annotations("embeddings").vectors)


def test_a_zip_of_a_pipeline(golden: Path, tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "pipeline"), "zip", golden / "sparknlp/models/saved_pipeline")
    assert len(PipelineModel.load(archive).stages) == 4


def test_parameters_are_taken_over(tmp_path: Path) -> None:
    folder = saved(
        tmp_path / "p",
        stage("annotators.sbd.pragmatic.SentenceDetector", inputCols=["document"], outputCol="s", minLength=4),
        stage("Finisher", inputCols=["s"], outputAsArray=False),
    )
    result = PipelineModel.load(folder).transform({"text": ["One. Second one. No."]})
    assert list(result) == ["text", "finished_s"]
    assert list(result["finished_s"]) == ["One.@Second one."]


@pytest.mark.parametrize(
    ("rules", "tokens"),
    [
        ([DEFAULT], ["(", "a", "),", "<b>", "c-d"]),
        ([DEFAULT.replace(".,;:!?*-()\"'", "<>")], ["(a),", "<", "b", ">", "c-d"]),
        ([r"\A(<)(\w+)(>)\z", r"(\w)-(\w)"], ["(a),", "<", "b", ">", "c", "d"]),
    ],
)
def test_rules_are_taken_over(rules: list[str], tokens: list[str], tmp_path: Path) -> None:
    pytest.importorskip("regex")
    files = tokenizer(rules)
    params = {"inputCols": ["document"], "outputCol": "token", "minLength": 0, "targetPattern": r"\S+"}
    files["metadata/part-00000"] = containers.spark_metadata(TOKENIZER, **params)
    model = PipelineModel.load(saved(tmp_path / "p", files))
    assert model.transform(["(a), <b> c-d"]).annotations("token").results == tokens
    model.save(tmp_path / "ours")
    again = PipelineModel.load(tmp_path / "ours").transform(["(a), <b> c-d"])
    assert again.annotations("token").results == tokens


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        (stage("annotators.ner.NerDLModel"), "Stage 1 of the saved pipeline is a NerDLModel"),
        (stage("Finisher", inputCols=["document"], nope=1), "parameter 'nope'"),
        (stage("Finisher", inputCols=["document"], outputAsArray="maybe"), "Stage 1 .*True or False"),
    ],
)
def test_what_is_not_here_is_refused(refused: Files, message: str, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=message):
        PipelineModel.load(saved(tmp_path / "p", refused))


def test_a_single_stage_is_no_pipeline(golden: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="no saved pipeline"):
        PipelineModel.load(golden / "sparknlp/models/saved_onnx")
