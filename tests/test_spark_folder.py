"""Saved pipelines as plain values: stages in order, parameters, a tokenizer's rules out of a Java stream."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

import containers
import make_model
from albert_fast import AlbertEmbeddings, CorruptModelError, ModelNotFoundError, ParameterError
from albert_fast.models.foreign import spark_folder
from albert_fast.models.foreign.spark_metadata import PIPELINE_MODEL

GEO = make_model.geometry()
TOKENIZER = "com.johnsnowlabs.nlp.annotators.TokenizerModel"
DEFAULT = r"""\A([\Q.,;:!?*-()"'\E]*)([^\Q.,;:!?*-()"'\E](?:.*[^\Q.,;:!?*-()"'\E])*)([\Q.,;:!?*-()"'\E]*)\z"""
Files = dict[str, bytes]


def tokenizer(patterns: list[str], **options: Any) -> Files:
    stream = containers.tokenizer_rules(patterns, **options)
    return {
        "metadata/part-00000": containers.spark_metadata(TOKENIZER, minLength=0, targetPattern=r"\S+"),
        "fields/rules/part-00000": containers.sequence_file([]),
        "fields/rules/part-00001": containers.sequence_file([stream]),
    }


def albert() -> Files:
    return containers.spark_tensorflow(GEO, make_model.make_weights(GEO, 2), make_model.vocabulary(400))


def assembler() -> Files:
    return {"metadata/part-00000": containers.spark_metadata("com.johnsnowlabs.nlp.DocumentAssembler", inputCol="text")}


def pipeline(stages: list[Files]) -> Files:
    uids = [f"STAGE_{index}" for index in range(len(stages))]
    files = {"metadata/part-00000": containers.spark_metadata(PIPELINE_MODEL, stageUids=uids)}
    width = len(str(len(stages)))
    for index, (uid, stage) in enumerate(zip(uids, stages, strict=True)):
        files |= {f"stages/{index:0{width}d}_{uid}/{name}": data for name, data in stage.items()}
    return files


def test_stages_and_their_parameters(tmp_path: Path) -> None:
    nested = pipeline([tokenizer([DEFAULT]), assembler()])
    folder = containers.write_files(tmp_path / "p", pipeline([assembler(), nested, *[assembler()] * 8, albert()]))
    stages = spark_folder.read_pipeline(folder)
    names = ["DocumentAssembler", "TokenizerModel", *["DocumentAssembler"] * 9, "AlbertEmbeddings"]
    assert [stage.class_name for stage in stages] == names
    assert stages[0].params == {"inputCol": "text"}
    assert stages[0].all_params()["batchSize"] == 8
    assert stages[-1].folder == folder / "stages/10_STAGE_10"
    assert spark_folder.is_pipeline(folder)
    assert not spark_folder.is_pipeline(stages[-1].folder)
    assert not spark_folder.is_pipeline(tmp_path)
    files = spark_folder.model_files(stages[-1])
    assert (files.geometry.hidden_size, files.parameters["batch_size"]) == (32, 3)


def test_the_default_rule_is_taken_apart(tmp_path: Path) -> None:
    folder = containers.write_files(tmp_path / "p", pipeline([tokenizer([DEFAULT])]))
    rules = spark_folder.read_pipeline(folder)[0].rules
    assert rules is not None
    assert rules.context_chars == tuple(""".,;:!?*-()"'""")
    assert rules.are_default
    assert rules.patterns == (DEFAULT,)


def test_rules_of_ones_own(tmp_path: Path) -> None:
    own = [r"\A([\Q.é\E]*)(\d+)([\Q.é\E]*)\z", r"\A([\Q.é\E]*)([a-z]+)([\Q.é\E]*)\z"]
    custom = [r"\A(<)(\w+)(>)\z"]
    folder = containers.write_files(tmp_path / "p", pipeline([tokenizer(own), tokenizer(custom)]))
    first, second = (stage.rules for stage in spark_folder.read_pipeline(folder))
    assert first is not None
    assert second is not None
    assert (first.context_chars, first.infixes, first.are_default) == ((".", "é"), (r"(\d+)", "([a-z]+)"), False)
    assert (first.prefix, first.suffix) == (r"\A([\Q.é\E]*)", r"([\Q.é\E]*)\z")
    assert (second.patterns, second.context_chars, second.are_default) == ((r"\A(<)(\w+)(>)\z",), None, False)


def test_a_pipeline_in_a_zip(tmp_path: Path) -> None:
    path = tmp_path / "pipeline.zip"
    path.write_bytes(containers.zipped({f"p/{n}": d for n, d in pipeline([assembler(), albert()]).items()}))
    stages = spark_folder.read_pipeline(path)
    assert [stage.class_name for stage in stages] == ["DocumentAssembler", "AlbertEmbeddings"]
    assert spark_folder.model_files(stages[1]).pieces == 400


def test_a_pipeline_is_no_model(tmp_path: Path) -> None:
    folder = containers.write_files(tmp_path / "p", pipeline([assembler(), albert()]))
    (folder / "stages/1_STAGE_1").rename(folder / "stages/1_ALBERT_1")
    with pytest.raises(ParameterError, match=r"a saved pipeline of 2 stages.*PipelineModel\.load.*stages/1_ALBERT_1"):
        AlbertEmbeddings.load(folder)
    with pytest.raises(CorruptModelError, match="is a saved DocumentAssembler, not AlbertEmbeddings"):
        AlbertEmbeddings.load(folder / "stages/0_STAGE_0")
    with pytest.raises(ParameterError, match="is a saved DocumentAssembler, not a pipeline"):
        spark_folder.read_pipeline(folder / "stages/0_STAGE_0")
    with pytest.raises(ModelNotFoundError, match="lists the stage STAGE_1"):
        spark_folder.read_pipeline(folder)
    with pytest.raises(ModelNotFoundError, match="There is no folder"):
        spark_folder.read_pipeline(tmp_path / "nothing")


def rules_file(data: bytes) -> Files:
    return {**tokenizer([DEFAULT]), "fields/rules/part-00001": data}


STREAM = containers.tokenizer_rules([DEFAULT])


def java(*data: bytes) -> Files:
    """A rules file with a stream of these bytes."""
    return rules_file(containers.sequence_file([b"\xac\xed\x00\x05" + b"".join(data)]))


WRITER = b"Pattern" + b"\0" * 8
COMPRESSED = containers.sequence_file([STREAM]).replace(b"Writable\0\0", b"Writable\1\0", 1)
EXTERNAL = STREAM.replace(WRITER + b"\2", WRITER + b"\4")
BAD_RULES: dict[str, tuple[Files, str]] = {
    "none": ({**tokenizer([DEFAULT]), "fields/rules/part-00001": containers.sequence_file([])}, "0 values"),
    "two": (rules_file(containers.sequence_file([STREAM, STREAM])), "2 values"),
    "no sequence file": (rules_file(b"PK\x03\x04"), "not a SequenceFile"),
    "another version": (rules_file(b"SEQ\x05" + b"\0" * 60), "not a SequenceFile"),
    "compressed": (rules_file(COMPRESSED), "compressed"),
    "a flag": (tokenizer([DEFAULT], flags=2), "the flags 2"),
    "another class": (tokenizer([DEFAULT], factory="Evil"), "no RuleFactory"),
    "no rule": (tokenizer([]), "holds no rule"),
    "no stream": (rules_file(containers.sequence_file([b"\xac\xed\x00\x04"])), "does not begin as a stream"),
    "an externalizable": (rules_file(containers.sequence_file([EXTERNAL])), "form of its own"),
    "an endless nest": (java(b"\x73" * 5000), "nested deeper"),
    "a huge array": (java(b"\x75\x72\0\2[I", b"\0" * 8, b"\2\0\0\x78\x70\x7f\xff\xff\xff"), "not there"),
    "a wrong handle": (java(b"\x71\x00\x7e\x00\x09"), "damaged"),
    "a proxy": (java(b"\x7d"), "is not read"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD_RULES)
def test_rules_that_cannot_be_read_are_refused(tmp_path: Path, what: str) -> None:
    files, message = BAD_RULES[what]
    folder = containers.write_files(tmp_path / "p", pipeline([files]))
    with pytest.raises(CorruptModelError, match=rf"rules of the pipeline's tokenizer.*{message}.*Nothing is assumed"):
        spark_folder.read_pipeline(folder)


@pytest.mark.parametrize("step", [1, 7])
def test_every_cut_of_the_rules_is_refused(tmp_path: Path, step: int) -> None:
    whole = containers.sequence_file([STREAM])
    folder = containers.write_files(tmp_path / "p", pipeline([tokenizer([DEFAULT])]))
    path = folder / "stages/0_STAGE_0/fields/rules/part-00001"
    for size in range(step - 1, len(whole) - 1, 41 * step):
        path.write_bytes(whole[:size])
        with pytest.raises(CorruptModelError):
            spark_folder.read_pipeline(folder)
        record = struct.pack(">iii", len(STREAM) + 4, 0, len(STREAM))
        cut = STREAM[:size].ljust(len(STREAM), b"\0")
        path.write_bytes(containers.sequence_file([]) + record + cut)
        if size < len(STREAM) - 1:
            with pytest.raises(CorruptModelError):
                spark_folder.read_pipeline(folder)


@pytest.mark.parametrize(
    "params", [{"stageUids": "x"}, {"stageUids": [1]}, {"stageUids": ["../../x"]}, {}, {"stageUids": ["a"] * 1001}]
)
def test_lists_of_stages_that_cannot_be(tmp_path: Path, params: dict[str, Any]) -> None:
    files = {"metadata/part-00000": containers.spark_metadata(PIPELINE_MODEL, **params)}
    with pytest.raises(CorruptModelError):
        spark_folder.read_pipeline(containers.write_files(tmp_path / "p", files))


def test_the_pipeline_that_spark_nlp_saved(golden: Path) -> None:
    stages = spark_folder.read_pipeline(golden / "sparknlp/models/saved_pipeline")
    names = ["DocumentAssembler", "SentenceDetector", "TokenizerModel", "AlbertEmbeddings"]
    assert [stage.class_name for stage in stages] == names
    assert stages[0].params == {"inputCol": "text", "outputCol": "document"}
    assert stages[1].all_params()["customBounds"] == []
    rules = stages[2].rules
    assert rules is not None
    assert rules.are_default
    assert rules.context_chars == (".", ",", ";", ":", "!", "?", "*", "-", "(", ")", '"', "'")
    assert json.dumps(stages[3].params)
    assert spark_folder.model_files(stages[3]).parameters["storage_ref"] == "ALBERT_EMBEDDINGS_b7834586f8d9"
