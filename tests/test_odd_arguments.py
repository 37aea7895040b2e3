"""Arguments of the wrong kind: our own errors, which say what, why and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from albert_fast import (
    AlbertEmbeddings,
    DocumentAssembler,
    Finisher,
    ParameterError,
    Pipeline,
    PipelineModel,
    PretrainedPipeline,
    SentenceDetector,
    Tokenizer,
    models,
    nlu,
)

PATHS: dict[str, Callable[[Any, AlbertEmbeddings], object]] = {
    "load": lambda path, tiny: AlbertEmbeddings.load(path),
    "loadSavedModel": lambda path, tiny: AlbertEmbeddings.loadSavedModel(path),
    "save": lambda path, tiny: tiny.save(path),
    "export onnx": lambda path, tiny: tiny.export("onnx", path),
    "export spark-nlp": lambda path, tiny: tiny.export("spark-nlp", path),
    "cache_dir": lambda path, tiny: models.resolve("albert/albert-base-v2", cache_dir=path, local_files_only=True),
    "save a stage": lambda path, tiny: DocumentAssembler().save(path),
    "load a stage": lambda path, tiny: DocumentAssembler.load(path),
    "write": lambda path, tiny: DocumentAssembler().write().overwrite().save(path),
    "save a pipeline": lambda path, tiny: Pipeline(stages=[]).save(path),
    "load a pipeline": lambda path, tiny: PipelineModel.load(path),
    "from_disk": lambda path, tiny: PretrainedPipeline.from_disk(path),
    "exceptions": lambda path, tiny: Tokenizer().setExceptionsPath(path),
    "nlu.load": lambda path, tiny: nlu.load(path=path),
    "nlu.save": lambda path, tiny: nlu.load("albert_tiny_en").save(path),
}


@pytest.mark.parametrize("call", PATHS.values(), ids=PATHS)
def test_a_path_is_a_string_or_a_path(call: Callable[[Any, AlbertEmbeddings], object], tiny: AlbertEmbeddings) -> None:
    with pytest.raises(ParameterError, match=r"a string or a pathlib\.Path; this is int \(5\)"):
        call(5, tiny)
    with pytest.raises(ParameterError, match=r"this is bytes \(b'x'\)\. Decode it with os\.fsdecode"):
        call(b"x", tiny)
    with pytest.raises(ParameterError, match=r"this is list \(\['a'\]\)"):
        call(["a"], tiny)


def test_a_file_of_exceptions_with_an_impossible_name() -> None:
    with pytest.raises(ParameterError, match="cannot be read"):
        Tokenizer().setExceptionsPath("a\0b")


@pytest.mark.parametrize("name", ["self", "cls"])
def test_parameters_may_be_called_anything(name: str, tiny: AlbertEmbeddings, tiny_folder: Path) -> None:
    wrong: dict[str, Any] = {name: 1}
    calls: list[Callable[[], object]] = [
        *(lambda kind=kind: kind(**wrong) for kind in (AlbertEmbeddings, DocumentAssembler, Tokenizer, Finisher)),
        lambda: AlbertEmbeddings.load(tiny_folder, **wrong),
        lambda: AlbertEmbeddings.pretrained("albert_tiny_en", **wrong),
        lambda: tiny.copy(wrong),
        lambda: tiny.copy().setParams(**wrong),
    ]
    for call in calls:
        with pytest.raises(ParameterError, match=f"has no parameter '{name}'"):
            call()
    with pytest.raises(ParameterError, match=f"{name} is no option of a call"):
        next(tiny.stream(["a"], **wrong))


@pytest.mark.parametrize("name", [5, None, b"level", ("level",)])
def test_a_parameter_is_named_by_a_string(name: Any, tiny: AlbertEmbeddings) -> None:
    with pytest.raises(ParameterError, match="a parameter is named by a string, not"):
        tiny.isSet(name)
    with pytest.raises(ParameterError, match="a parameter is named by a string, not"):
        tiny.copy({name: 1})
    assert not tiny.hasParam(name)


def test_set_params_is_the_setters_at_once() -> None:
    stage = SentenceDetector(input_cols=["document"])
    assert stage.setParams() is stage
    assert stage.setParams(minLength=3, output_col="sentence") is stage
    assert stage.explicit_params() == {"input_cols": ("document",), "min_length": 3, "output_col": "sentence"}
    with pytest.raises(ParameterError, match="has no parameter 'minLenght'"):
        stage.setParams(minLenght=3)
    with pytest.raises(ParameterError, match="min_length is 'a'"):
        stage.setParams(detectLists=False, minLength="a")
    assert not stage.isSet("detectLists")  # all or none
