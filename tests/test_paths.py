"""One rule for paths, wherever something is saved, exported, converted or loaded."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from albert_fast import (
    AlbertEmbeddings,
    DocumentAssembler,
    ModelNotFoundError,
    ParameterError,
    Pipeline,
    PipelineModel,
    PretrainedPipeline,
    Tokenizer,
    cli,
    models,
    nlu,
)  # fmt: skip
from albert_fast.paths import path_of, scheme_of

Calls = dict[str, Callable[[Any], Any]]


@pytest.fixture(name="model", scope="module")
def _model() -> AlbertEmbeddings:
    return AlbertEmbeddings.pretrained("albert_tiny_en")


@pytest.fixture(name="home")
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, with another one as home."""
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(work)
    return home


def _convert(place: Any, form: str) -> None:
    cli.main(["convert", "albert_tiny_en", os.fspath(place), "--format", form])


def _writers(model: AlbertEmbeddings) -> Calls:
    assembler = DocumentAssembler(input_col="text", output_col="document")
    pipeline = Pipeline(stages=[assembler])
    return {
        "model": model.save,
        "model, overwrite": lambda place: model.write().overwrite().save(place),
        "spark-nlp": lambda place: model.export("spark-nlp", place),
        "onnx folder": lambda place: model.export("onnx", place),
        "onnx file": lambda place: model.export("onnx", f"{os.fspath(place)}.onnx"),
        "stage": lambda place: assembler.write().save(place),
        "pipeline": pipeline.save,
        "fitted pipeline": lambda place: pipeline.fit().write().overwrite().save(place),
        "nlu": lambda place: nlu.load("albert_tiny_en").save(place),
        "nlu component": lambda place: nlu.load("albert_tiny_en").save(place, "tokenizer"),
        "convert": lambda place: _convert(place, "spark-nlp"),
    }


READERS: Calls = {
    "model": AlbertEmbeddings.load,
    "saved model": AlbertEmbeddings.loadSavedModel,
    "pretrained": AlbertEmbeddings.pretrained,
    "read_folder": models.read_folder,
    "stage": Tokenizer.load,
    "pipeline": Pipeline.load,
    "fitted pipeline": PipelineModel.load,
    "from disk": PretrainedPipeline.from_disk,
    "nlu": lambda place: nlu.load(path=place),
    "exceptions": lambda place: Tokenizer().setExceptionsPath(place),
}
WRITERS = list(_writers(AlbertEmbeddings()))


@pytest.mark.parametrize("what", WRITERS)
@pytest.mark.parametrize("place", ["s3://bucket/p", "dbfs:/models/p", Path("hdfs://nameNode:8020/p"), "odd+1://x/p"])
def test_an_address_is_not_written_as_a_folder(
    model: AlbertEmbeddings, home: Path, what: str, place: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    scheme = os.fspath(place).partition(":")[0]
    caught: Any = contextlib.nullcontext() if what == "convert" else pytest.raises(ParameterError)
    with caught as info:
        _writers(model)[what](place)
    text = capsys.readouterr().err if what == "convert" else str(info.value)
    assert f"an address of the kind {scheme}:" in text
    assert "Save to a local folder and copy it there" in text
    assert not os.listdir(".")


@pytest.mark.parametrize("what", READERS)
@pytest.mark.parametrize("place", ["s3a://bucket/p", "hdfs:///p", "DBFS:/p", "wasbs://x@y/p"])
def test_an_address_is_not_read_as_a_folder(home: Path, what: str, place: str) -> None:
    with pytest.raises(ParameterError, match=r"an address of the kind \w+:.*to load, copy it here first"):
        READERS[what](place)


@pytest.mark.parametrize("what", [name for name in READERS if name != "pretrained"])
@pytest.mark.parametrize("place", ["https://models.example/x.zip", "hf://albert/albert-base-v2"])
def test_an_address_of_the_web_names_pretrained(home: Path, what: str, place: str) -> None:
    with pytest.raises(ParameterError, match=r"address of the web.*AlbertEmbeddings\.pretrained"):
        READERS[what](place)


@pytest.mark.parametrize("what", WRITERS)
@pytest.mark.parametrize("slashes", ["/", "///", "//localhost/"])
def test_a_file_uri_is_the_path_in_it(model: AlbertEmbeddings, home: Path, what: str, slashes: str) -> None:
    _writers(model)[what](f"file:{slashes}{str(home)[1:]}/a%20b%C3%A9")
    assert {name.partition(".")[0] for name in os.listdir(home)} == {"a bé"}
    assert not os.listdir(".")


@pytest.mark.parametrize("what", WRITERS)
@pytest.mark.parametrize("kind", [str, Path])
def test_a_tilde_is_the_home_folder(model: AlbertEmbeddings, home: Path, what: str, kind: Callable[[str], Any]) -> None:
    _writers(model)[what](kind("~/x"))
    assert os.listdir(home)
    assert not os.listdir(".")


@pytest.mark.parametrize("start", ["~", "file:{home}", "file://{home}"])
def test_what_was_saved_is_loaded_by_the_same_path(model: AlbertEmbeddings, home: Path, start: str) -> None:
    start = start.format(home=home)
    model.save(f"{start}/model")
    DocumentAssembler(input_col="text", output_col="document").save(f"{start}/stage")
    Pipeline(stages=[DocumentAssembler(input_col="text", output_col="document"), Tokenizer()]).save(f"{start}/pipeline")
    for load in (AlbertEmbeddings.load, AlbertEmbeddings.pretrained, models.read_folder):
        assert load(f"{start}/model")  # type: ignore[operator]
    assert isinstance(DocumentAssembler.load(f"{start}/stage"), DocumentAssembler)
    assert len(PipelineModel.load(f"{start}/pipeline").stages) == 2
    assert len(Pipeline.load(f"{start}/pipeline").getStages()) == 2
    assert len(nlu.load(path=f"{start}/pipeline")._components) == 2
    assert nlu.load(path=f"{start}/model")
    (home / "exceptions").write_text("New York\n")
    assert Tokenizer().setExceptionsPath(f"{start}/exceptions").getExceptions() == ["New York"]


@pytest.mark.parametrize("name", ["a:b", "C:/models", "C:\\models", "file:x", "data:/x", "x:", "1://x", "./s3://b"])
def test_odd_names_stay_names(model: AlbertEmbeddings, home: Path, name: str) -> None:
    assert scheme_of(name) is None
    assert path_of(name) == Path(name)
    model.save(name)
    assert AlbertEmbeddings.load(name).hidden_size == model.hidden_size


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("file://server/share/x", r"another machine, 'server'.*'file:///server/share/x'"),
        ("file:///", "names no file"),
        ("file://localhost", "names no file"),
        ("~nobody-of-this-name/x", r"does not know.*'\./~nobody-of-this-name/x'"),
        (b"x", "Decode it with os.fsdecode"),
        (None, "A path is a string"),
        (1, "this is int"),
    ],
)
def test_what_is_no_path_says_why(given: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        path_of(given)


@pytest.mark.parametrize("what", [name for name in READERS if name not in ("exceptions", "read_folder")])
@pytest.mark.parametrize("name", ["x" * 300, "a\0b"], ids=["long", "null"])
def test_names_that_no_file_can_have(home: Path, what: str, name: str) -> None:
    with pytest.raises(ModelNotFoundError):
        READERS[what](f"./{name}")


def test_a_file_uri_may_hold_any_byte() -> None:
    assert os.fsencode(path_of("file:///x%FF%25")) == b"/x\xff%"
    assert path_of("FILE:/x") == Path("/x")


@pytest.mark.parametrize("kind", ["~/{}", "file:{home}/{}"])
def test_the_output_of_embed_follows_the_rule(home: Path, kind: str) -> None:
    name = kind.format("x.npy", home=home)
    assert cli.main(["embed", "I love NLP", "--model", "albert_tiny_en", "--output", name]) == 0
    assert os.listdir(home) == ["x.npy"]
