"""nlu's one-liner: references, inputs, levels, columns, index and alignment. Against nlu itself: test_nlu_golden.py."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import albert_fast
from albert_fast import (
    AlbertEmbeddings,
    ChunkEmbeddings,
    DeviceError,
    Doc2Chunk,
    DocumentAssembler,
    Finisher,
    Frame,
    InputError,
    ModelNotFoundError,
    ParameterError,
    Pipeline,
    PipelineModel,
    SentenceDetector,
    SentenceEmbeddings,
    Tokenizer,
    WiringError,
    nlu,
)
from albert_fast.models import registry
from albert_fast.nlu.names import column_name, stems

KEY = "albert_embeddings@albert_tiny_en"
VECTOR = "albert_tiny_en_embeddings"
TEXTS = ["I love NLP", "", "Two parts here. The  second."]
WORDS = ["I", "love", "NLP", None, "Two", "parts", "here", ".", "The", "second", "."]

# nlu 5.4.1's references of ALBERT embeddings, with Spark NLP's models and languages.
REFERENCES = {
    "albert_base_uncased en": "albert en.albert en.embed.albert en.embed.albert.base_uncased en.embed_sentence.albert "
    "embed.albert_base_uncased",
    "albert_large_uncased en": "en.embed.albert.large_uncased embed.albert_large_uncased",
    "albert_xlarge_uncased en": "en.embed.albert.xlarge_uncased embed.albert_xlarge_uncased",
    "albert_xxlarge_uncased en": "en.embed.albert.xxlarge_uncased embed.albert_xxlarge_uncased",
    "albert_embeddings_albert_base_v1 en": "en.embed.albert_base_v1",
    "albert_embeddings_albert_xlarge_v1 en": "en.embed.albert_xlarge_v1",
    "albert_embeddings_albert_xxlarge_v1 en": "en.embed.albert_xxlarge_v1",
    "albert_embeddings_albert_base_arabic ar": "ar.embed.albert",
    "albert_embeddings_albert_large_arabic ar": "ar.embed.albert_large_arabic",
    "albert_embeddings_albert_xlarge_arabic ar": "ar.embed.albert_xlarge_arabic",
    "albert_embeddings_albert_german_ner de": "de.embed.albert_german_ner",
    "albert_embeddings_albert_fa_base_v2 fa": "fa.embed.albert",
    "albert_embeddings_albert_fa_zwnj_base_v2 fa": "fa.embed.albert_fa_zwnj_base_v2",
    "albert_embeddings_fralbert_base fr": "fr.embed.albert",
    "albert_embeddings_albert_base_japanese_v1 ja": "ja.embed.albert_base_japanese_v1",
    "albert_embeddings_marathi_albert mr": "mr.embed.albert",
    "albert_embeddings_marathi_albert_v2 mr": "mr.embed.albert_v2",
    "albert_embeddings_albert_large_bahasa_cased ms": "ms.embed.albert",
    "albert_embeddings_albert_base_bahasa_cased ms": "ms.embed.albert_base_bahasa_cased",
    "albert_embeddings_albert_tiny_bahasa_cased ms": "ms.embed.albert_tiny_bahasa_cased",
    "albert_embeddings_ALR_BERT ro": "ro.embed.ALR_BERT",
    "albert_indic xx": "xx.embed.albert.indic",
}
BY_REFERENCE = {reference: model for model, given in REFERENCES.items() for reference in given.split()}


@pytest.fixture(scope="module")
def pipe() -> nlu.NLUPipeline:
    """The built-in model; tests may not change it."""
    return nlu.load("albert_tiny_en")


@pytest.fixture(scope="module")
def built_in() -> AlbertEmbeddings:
    return AlbertEmbeddings.pretrained("albert_tiny_en")


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch, make_folder: Any) -> dict[str, Path]:
    """Let published models be small random ones, each of its own."""
    folders: dict[str, Path] = {}

    def pretrained(name: str, lang: str | None = "en", **parameters: Any) -> AlbertEmbeddings:
        entry = registry.lookup(name)
        assert entry is not None
        assert entry.lang == lang
        if entry.name not in folders:
            folders[entry.name] = make_folder(seed=len(folders))
        return AlbertEmbeddings.load(folders[entry.name], **parameters)

    monkeypatch.setattr(AlbertEmbeddings, "pretrained", pretrained)
    return folders


def words_of(frame: pd.DataFrame) -> list[str | None]:
    return [None if pd.isna(word) else word for word in frame["token"]]


# ---------------------------------------------------------------- references


@pytest.mark.parametrize("reference", BY_REFERENCE)
def test_references_mean_their_models(reference: str, published: dict[str, Path]) -> None:
    name, lang = BY_REFERENCE[reference].split()
    loaded = nlu.load(reference)
    assert list(loaded) == ["document_assembler", "sentence_detector", "tokenizer", f"albert_embeddings@{name}"]
    assert list(published) == [name]
    if lang == "en" and reference.startswith("en."):
        assert registry.lookup(reference.removeprefix("en.")) == registry.lookup(reference)


def test_get_components_has_every_reference(capsys: pytest.CaptureFixture[str]) -> None:
    assert set(BY_REFERENCE) <= set(nlu.get_components())
    assert "ro.embed.ALR_BERT" in nlu.get_components(lang="ro")
    assert not set(nlu.get_components(lang="ro")) & set(nlu.get_components(lang="ar"))
    assert nlu.get_components("sentiment") == []
    nlu.print_components("ar")
    lines = capsys.readouterr().out.splitlines()
    assert "nlu.load('ar.embed.albert')  ->  albert_embeddings_albert_base_arabic (ar)" in lines
    assert all(line.endswith("(ar)") for line in lines)
    nlu.print_all_languages()
    assert capsys.readouterr().out.strip().split(", ") == sorted({entry.lang for entry in registry.models()})


@pytest.mark.parametrize("reference", ["sentiment", "bert", "en.classify.albert.imdb", "ar.embed.albrt", "../x"])
def test_other_references_are_refused(reference: str) -> None:
    with pytest.raises(ModelNotFoundError, match=r"no reference of an ALBERT.*ALBERT embeddings only.*nlu itself"):
        nlu.load(f"albert_tiny_en {reference}")


def test_a_misspelt_reference_names_close_ones() -> None:
    with pytest.raises(ModelNotFoundError, match=r"Did you mean .*en\.embed\.albert\.base_uncased"):
        nlu.load("en.embed.albert.base_uncasd")


def test_the_gpu_is_not_silently_replaced() -> None:
    with pytest.raises(DeviceError):
        nlu.load("albert", gpu=True)  # nor is the model fetched first: no test may use the network


def test_load_refuses_what_it_cannot_do(tmp_path: Path) -> None:
    for request in ("", "   ", "from_disk"):
        with pytest.raises(ParameterError, match=r"nothing to load.*path="):
            nlu.load(request)
    with pytest.raises(ParameterError, match="request is 5"):
        nlu.load(5)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="column_style"):
        nlu.load("albert_tiny_en", column_style="nlu9")
    with pytest.raises(ParameterError, match="get_tracer"):
        nlu.load("albert_tiny_en", get_tracer=True)
    with pytest.raises(ModelNotFoundError, match=r"nothing at path=.*without path=: nlu\.load\('albert'\)"):
        nlu.load(path=tmp_path / "nothing")
    with pytest.raises(ModelNotFoundError, match=r"name of a published model: nlu\.load\('en\.embed\.albert'\)"):
        nlu.load(path="en.embed.albert")
    with pytest.raises(ModelNotFoundError, match=r"holds no saved pipeline, and no model: .*found: nothing.*Accepted"):
        nlu.load(path=tmp_path)


def test_a_model_in_any_form_is_loaded_by_its_path(tmp_path: Path) -> None:
    model = AlbertEmbeddings.pretrained("albert_tiny_en")
    saved = model.save(tmp_path / "saved")
    zipped = shutil.make_archive(str(tmp_path / "model"), "zip", saved)
    for path in (saved, zipped, f"{saved}/model.safetensors"):
        assert list(nlu.load(path=path).predict("I love NLP")["token"]) == ["I", "love", "NLP"]


def test_verbose_prints_the_components(capsys: pytest.CaptureFixture[str]) -> None:
    nlu.load("albert_tiny_en")
    assert capsys.readouterr().out == ""
    nlu.enable_verbose()
    nlu.load("albert_tiny_en")
    nlu.disable_verbose()
    assert f"albert_tiny_en: {KEY} = AlbertEmbeddings(albert_tiny_en" in capsys.readouterr().out
    nlu.load("albert_tiny_en", verbose=True)
    assert KEY in capsys.readouterr().out
    nlu.load("albert_tiny_en")
    assert capsys.readouterr().out == ""


# ---------------------------------------------------------------- names of columns


@pytest.mark.parametrize(
    ("request_", "nlu5", "nlu1"),
    [
        ("albert", "word_embedding_albert", "albert_embeddings"),
        ("en.albert", "word_embedding_albert", "en_albert_embeddings"),
        ("embed.albert", "word_embedding_albert", "embed_albert_embeddings"),
        ("en.embed.albert", "word_embedding_albert", "en_embed_albert_embeddings"),
        ("en.embed.albert.base_uncased", "word_embedding_albert", "en_embed_albert_base_uncased_embeddings"),
        ("xx.embed.albert.indic", "word_embedding_albert", "xx_embed_albert_indic_embeddings"),
        ("embed.albert_base_uncased", "word_embedding_albert_base_uncased", "embed_albert_base_uncased_embeddings"),
        ("en.embed.albert_base_v1", "word_embedding_albert_base_v1", "en_embed_albert_base_v1_embeddings"),
        ("ro.embed.ALR_BERT", "word_embedding_ALR_BERT", "ro_embed_ALR_BERT_embeddings"),
        (
            "en.embed.albert.base_uncased en.embed.albert.large_uncased",
            "word_embedding_albert_base_uncased word_embedding_albert_large_uncased",
            "en_embed_albert_base_uncased_embeddings en_embed_albert_large_uncased_embeddings",
        ),
        (
            "albert en.embed.albert.large_uncased",
            "word_embedding_albert word_embedding_albert_large_uncased",
            "albert_embeddings en_embed_albert_large_uncased_embeddings",
        ),
    ],
)
def test_columns_are_named_as_in_nlu(request_: str, nlu5: str, nlu1: str, published: dict[str, Path]) -> None:
    for style, names in (("nlu5", nlu5), ("nlu1", nlu1)):
        frame = nlu.load(request_, column_style=style).predict("I love NLP")
        assert frame.columns.tolist() == ["token", *names.split()]


def test_names_never_meet() -> None:
    alike = ["embed.albert_base_uncased", "embed.albert.base_uncased", "en.embed.albert.large_uncased", "albert"]
    for style in ("nlu1", "nlu5"):
        assert len({column_name(stem, "word", style) for stem in stems(alike, style)}) == 4


def test_the_table_of_the_model_cards(published: dict[str, Path]) -> None:
    frame = nlu.load("en.embed.albert.base_uncased").predict(["I love NLP"], output_level="token")
    assert frame.columns.tolist() == ["token", "en_embed_albert_base_uncased_embeddings"]
    assert frame["token"].tolist() == ["I", "love", "NLP"]
    expected = AlbertEmbeddings.load(published["albert_base_uncased"]).embed("I love NLP").vectors
    np.testing.assert_array_equal(np.stack(frame["en_embed_albert_base_uncased_embeddings"].tolist()), expected)


def test_several_references_have_their_own_vectors(published: dict[str, Path]) -> None:
    frame = nlu.load("albert en.embed.albert.large_uncased").predict(TEXTS)
    for column, name in (
        ("albert_embeddings", "albert_base_uncased"),
        ("en_embed_albert_large_uncased_embeddings", "albert_large_uncased"),
    ):
        expected = AlbertEmbeddings.load(published[name]).embed(TEXTS).vectors
        np.testing.assert_array_equal(np.stack(frame[column].dropna().tolist()), expected)


def test_one_model_by_two_references_gives_two_columns() -> None:
    loaded = nlu.load("albert_tiny_en en.embed.albert_tiny albert_tiny_en")
    assert list(loaded)[3:] == [KEY, "albert_embeddings@en.embed.albert_tiny"]
    frame = loaded.predict("I love NLP")
    assert frame.columns.tolist() == ["token", VECTOR, "en_embed_albert_tiny_embeddings"]


# ---------------------------------------------------------------- inputs and index


@pytest.mark.parametrize(
    "data",
    [
        TEXTS,
        tuple(TEXTS),
        np.array(TEXTS),
        np.array(TEXTS, dtype=object),
        pd.Series(TEXTS),
        pd.Series(TEXTS, dtype="string"),
        pd.Series([TEXTS[0], None, TEXTS[2]]),
        pd.DataFrame({"text": TEXTS}),
        Frame([("text", TEXTS)], 3),
    ],
    ids=lambda data: type(data).__name__,
)
def test_every_input_gives_the_same_rows(data: Any, pipe: nlu.NLUPipeline, built_in: AlbertEmbeddings) -> None:
    frame = pipe.predict(data)
    assert words_of(frame) == WORDS
    assert frame.index.tolist() == [0, 0, 0, 1, 2, 2, 2, 2, 2, 2, 2]
    assert isinstance(frame[VECTOR].iloc[3], float)
    np.testing.assert_array_equal(np.stack(frame[VECTOR].dropna().tolist()), built_in.embed(TEXTS).vectors)


def test_one_text_and_none(pipe: nlu.NLUPipeline) -> None:
    assert words_of(pipe.predict("I love NLP")) == ["I", "love", "NLP"]
    assert words_of(pipe.predict("  ")) == [None]
    for level in ("token", "sentence", "document", "chunk"):
        empty = pipe.predict([], level)
        assert len(empty) == 0
        assert empty.columns.tolist() == pipe.predict("a", level).columns.tolist()


@pytest.mark.parametrize(
    "data",
    [None, 5, b"text", {"text": "a"}, {"n": [1]}, {"a"}, np.array([["a"]]), np.array("a"), [["a"]], ["a", 5],
     pd.DataFrame(), pd.DataFrame({"y": [1]}), pd.DataFrame([["a", "b"]], columns=["text", "text"])],
    ids=str,
)  # fmt: skip
def test_other_inputs_are_refused(data: Any, pipe: nlu.NLUPipeline) -> None:
    with pytest.raises(InputError):
        pipe.predict(data)


def test_what_transform_takes_is_taken(pipe: nlu.NLUPipeline) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    columns = {"n": [1, 2], "text": ["a b", None]}
    expected = pipe.predict(pd.DataFrame(columns))
    tables: list[Any] = [columns, pyarrow.table(columns)]
    texts: list[Any] = [iter(columns["text"]), pyarrow.array(columns["text"])]
    try:
        import polars
    except ImportError:
        pass
    else:
        tables.append(polars.DataFrame(columns))
        texts.append(polars.Series(columns["text"]))
    for data in tables:
        made = pipe.predict(data)
        assert words_of(made) == ["a", "b", None]
        assert made["n"].tolist() == expected["n"].tolist()
        assert made.columns.tolist() == expected.columns.tolist()
    for data in texts:
        assert words_of(pipe.predict(data)) == ["a", "b", None]


def test_word_is_another_name_of_token(pipe: nlu.NLUPipeline) -> None:
    assert words_of(pipe.predict("a b", "word")) == words_of(pipe.predict("a b", "token"))


def test_a_component_that_is_not_there_is_named_with_those_that_are(pipe: nlu.NLUPipeline) -> None:
    with pytest.raises(KeyError, match=r"no component 'albert_embeddings'. There is: .*albert_embeddings@albert"):
        pipe["albert_embeddings"]
    assert "albert_embeddings" not in pipe
    assert pipe.get("albert_embeddings") is None


def test_the_index_is_that_of_the_input(pipe: nlu.NLUPipeline) -> None:
    index = pd.Index(["b", "a", "b"], name="label")
    for data in (pd.Series(TEXTS, index=index), pd.DataFrame({"text": TEXTS}, index=index)):
        frame = pipe.predict(data, drop_irrelevant_cols=False)
        assert frame.index.tolist() == ["b"] * 3 + ["a"] + ["b"] * 7
        assert frame.index.name == "label"
        assert frame["origin_index"].tolist() == frame.index.tolist()
        assert pipe.predict(data, "document").index.equals(index)
    pairs = pd.MultiIndex.from_tuples([("x", 1), ("x", 2), ("y", 1)], names=["p", "q"])
    frame = pipe.predict(pd.Series(TEXTS, index=pairs), metadata=True)
    assert frame.index.names == ["p", "q"]
    assert frame.loc[("y", 1), "token"].tolist() == WORDS[4:]
    assert frame["origin_index"].iloc[-1] == ("y", 1)


def test_order_is_kept(pipe: nlu.NLUPipeline) -> None:
    texts = [f"word {number}" for number in range(300)]
    frame = pipe.predict(texts)
    assert frame["token"].tolist() == [word for text in texts for word in text.split()]
    assert frame.index.tolist() == [number for number in range(300) for _ in range(2)]


def test_columns_of_a_table_go_along(pipe: nlu.NLUPipeline) -> None:
    table = pd.DataFrame({"y": [1, 2, 3], "text": TEXTS, "when": pd.to_datetime(["2020"] * 3), 7: [None] * 3})
    before = table.copy()
    frame = pipe.predict(table)
    assert frame.columns.tolist() == ["token", VECTOR, 7, "text", "when", "y"]
    assert frame["y"].tolist() == [1, 1, 1, 2, 3, 3, 3, 3, 3, 3, 3]
    assert frame["text"].tolist() == [TEXTS[0]] * 3 + [""] + [TEXTS[2]] * 7
    assert frame["when"].dtype == table["when"].dtype
    assert pipe.predict(table, keep_stranger_features=False).columns.tolist() == ["token", VECTOR]
    pd.testing.assert_frame_equal(table, before)


def test_a_long_text_is_not_copied_for_each_of_its_tokens(pipe: nlu.NLUPipeline) -> None:
    table = pd.DataFrame({"text": ["word " * 100_000]})  # 50 GB if it were
    for options in ({}, {"metadata": True}):
        frame = pipe.predict(table, output_level="token", get_embeddings=False, **options)
        assert len(frame) == 100_000
        for name in {"text", "document"}.intersection(frame.columns):
            assert all(cell is frame[name].iloc[0] for cell in frame[name])


def test_without_a_column_text_the_first_is_taken(pipe: nlu.NLUPipeline) -> None:
    table = pd.DataFrame({"review": TEXTS, "y": [1, 2, 3]})
    frame = pipe.predict(table)
    assert frame.columns.tolist() == ["token", VECTOR, "text", "y"]
    assert words_of(frame) == WORDS
    assert table.columns.tolist() == ["review", "y"]


def test_a_column_may_not_have_the_name_of_a_result(pipe: nlu.NLUPipeline) -> None:
    table = pd.DataFrame({"text": TEXTS, "token": 0, "document": 0})
    with pytest.raises(InputError, match=r"column 'token', which predict makes too"):
        pipe.predict(table)
    assert words_of(pipe.predict(table, keep_stranger_features=False)) == WORDS
    assert pipe.predict(table[["text", "document"]])["document"].tolist() == [0] * 11


# ---------------------------------------------------------------- levels


def test_sentences_have_their_own_vectors(pipe: nlu.NLUPipeline, built_in: AlbertEmbeddings) -> None:
    frame = pipe.predict(TEXTS, "sentence", metadata=True, positions=True)
    assert frame["sentence"].fillna("none").tolist() == ["I love NLP", "none", "Two parts here.", "The second."]
    assert frame.index.tolist() == [0, 1, 2, 2]
    for row, sentence in ((0, "I love NLP"), (2, "Two parts here."), (3, "The second.")):
        out = built_in.embed(sentence)
        np.testing.assert_array_equal(frame[VECTOR].iloc[row], out.vectors)
        assert frame["token"].iloc[row] == out.words
    assert frame["token_begin"].iloc[3] == [16, 20, 26]
    assert frame["document"].iloc[3] == "Two parts here. The second."  # blanks are collapsed
    assert np.isnan(frame[VECTOR].iloc[1])
    assert frame["sentence_begin"].tolist() == [0, pd.NA, 0, 16]


def test_a_document_is_one_input_and_nothing_is_cut(pipe: nlu.NLUPipeline, built_in: AlbertEmbeddings) -> None:
    texts = ["Two parts here. The second.", "The old house stood there. " * 60, ""]
    frame = pipe.predict(texts, "document")
    assert frame.columns.tolist() == ["document", VECTOR]
    whole = built_in.embed(texts, detect_sentences=False)
    assert len(frame[VECTOR].iloc[1]) == 360
    for row in range(3):
        np.testing.assert_array_equal(frame[VECTOR].iloc[row], whole[row].vectors)
    assert frame[VECTOR].iloc[2].shape == (0, built_in.hidden_size)
    assert "sentence" not in pipe.predict(texts, "document", metadata=True)
    assert pipe.predict(texts, "chunk")[VECTOR].map(len).tolist() == [7, 360, 0]
    assert not np.array_equal(pipe.predict(texts, "sentence")[VECTOR].iloc[0], frame[VECTOR].iloc[0][:4])


def test_words_of_documents_are_dealt_out_to_sentences(built_in: AlbertEmbeddings) -> None:
    stages = [
        DocumentAssembler(input_col="text"),
        SentenceDetector(input_cols=["document"], output_col="sentence"),
        Tokenizer(input_cols=["document"], output_col="token"),
        built_in.copy().setInputCols("document", "token").setOutputCol("vectors"),
    ]
    frame = nlu.to_pretty_df(Pipeline(stages=stages), TEXTS, output_level="sentence", metadata=True)
    assert frame["token"].tolist()[2:] == [["Two", "parts", "here", "."], ["The", "second", "."]]
    whole = built_in.embed(TEXTS[2], detect_sentences=False).vectors
    np.testing.assert_array_equal(np.vstack(frame["from_disk_embeddings"].tolist()[2:]), whole)


def test_exploded_sentences_keep_their_text(built_in: AlbertEmbeddings) -> None:
    stages = [
        DocumentAssembler(input_col="text"),
        SentenceDetector(input_cols=["document"], output_col="sentence", explode_sentences=True),
        Tokenizer(input_cols=["sentence"], output_col="token"),
        built_in.copy().setInputCols("sentence", "token").setOutputCol("vectors"),
    ]
    data = pd.DataFrame({"text": TEXTS, "y": [1, 2, 3]}, index=[7, 8, 9])
    frame = nlu.to_pretty_df(Pipeline(stages=stages), data)
    assert frame["token"].tolist() == [word for word in WORDS if word is not None]
    assert frame.index.tolist() == [7] * 3 + [9] * 7  # a text without sentences has no row then
    assert frame["y"].tolist() == [1] * 3 + [3] * 7
    by_sentence = nlu.to_pretty_df(Pipeline(stages=stages), data, output_level="sentence", metadata=True)
    assert by_sentence["token"].map(len).tolist() == [3, 4, 3]


def test_vectors_are_views_of_one_block(pipe: nlu.NLUPipeline) -> None:
    texts = ["I love NLP", "Two parts here. The second."]
    for level in ("token", "sentence", "document"):
        cells = pipe.predict(texts, level)[VECTOR].tolist()
        assert all(cell.dtype == np.float32 and not cell.flags.owndata for cell in cells)
        start = min(cell.__array_interface__["data"][0] for cell in cells)
        assert sum(cell.nbytes for cell in cells) == cells[-1].nbytes + (
            cells[-1].__array_interface__["data"][0] - start
        )


def test_positions_and_metadata_with_an_empty_text(pipe: nlu.NLUPipeline) -> None:
    frame = pipe.predict(TEXTS, positions=True, metadata=True)
    assert frame["token_begin"].tolist() == [0, 2, 7, pd.NA, 0, 4, 10, 14, 16, 20, 26]
    assert frame[f"{VECTOR}_end"].tolist() == [0, 5, 9, pd.NA, 2, 8, 13, 14, 18, 25, 26]
    assert pd.api.types.is_integer_dtype(frame["token_begin"])
    assert frame["token_origin_sentence"].fillna("-").tolist() == list("000-0000111")
    assert frame["sentence"].iloc[3] == []
    assert frame["document_begin"].iloc[3] == [0]
    assert frame["origin_index"].tolist() == frame.index.tolist()
    whole = pipe.predict("I love NLP", positions=True)
    assert whole["token_begin"].dtype == np.int64


def test_a_token_without_a_vector_has_none_beside_it(tmp_path: Path, tiny_folder: Path) -> None:
    # Spark NLP reads three pieces of a window of five and drops the other words; the next sentence is complete.
    model = AlbertEmbeddings.load(tiny_folder, compat="sparknlp", max_sentence_length=5)
    loaded = nlu.load("x", path=model.save(tmp_path / "model"))
    frame = loaded.predict(["a b c d e f. a b.", "b"])
    has = [isinstance(cell, np.ndarray) for cell in frame["x_embeddings"]]
    words = frame["token"].tolist()
    assert words == "a b c d e f . a b . b".split()
    assert all(cell is None for cell in frame["x_embeddings"][~np.array(has)])
    assert not all(has[:7])
    assert all(has[7:])
    by_sentence = loaded.predict(["a b c d e f. a b.", "b"], "sentence", positions=True)
    assert [len(cell) for cell in by_sentence["x_embeddings"]] == [sum(has[:7]), sum(has[7:10]), 1]
    second = by_sentence["x_embeddings"].iloc[1]
    np.testing.assert_array_equal(np.stack(frame["x_embeddings"].iloc[7:10].tolist()), second)
    assert by_sentence["x_embeddings_begin"].iloc[1].tolist() == [13, 15, 16]


# ---------------------------------------------------------------- options


def test_without_vectors_the_model_does_not_run(pipe: nlu.NLUPipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*args: Any) -> Any:
        raise AssertionError("the model ran")

    monkeypatch.setattr(AlbertEmbeddings, "run", run)
    frame = pipe.predict(TEXTS, get_embeddings=False)
    assert frame.columns.tolist() == ["token"]
    assert words_of(frame) == WORDS
    assert pipe.predict("a b", "document", get_embeddings=False).columns.tolist() == ["document"]


def test_options_of_nlu_that_are_not_there_are_refused(pipe: nlu.NLUPipeline) -> None:
    pipe.predict("a", multithread=False, partition=4, output_path="", parser_config="")
    for option in ("return_spark_df", "parser_output"):
        with pytest.raises(ParameterError, match=option):
            pipe.predict("a", **{option: True})
    for option in ("output_path", "parser_config"):
        with pytest.raises(ParameterError, match=option):
            pipe.predict("a", **{option: "x"})
    with pytest.raises(ParameterError, match=r"output_level is 'words'; it can be token, sentence, document, chunk"):
        pipe.predict("a", "words")


def test_setters_apply_from_the_next_predict_on() -> None:
    loaded = nlu.load("albert_tiny_en")
    before = loaded.predict("I love NLP")
    loaded["tokenizer"].setMinLength(2)  # type: ignore[attr-defined]
    assert words_of(loaded.predict("I love NLP")) == ["love", "NLP"]
    loaded["tokenizer"].setMinLength(0)  # type: ignore[attr-defined]
    loaded[KEY].setNormalize(True)  # type: ignore[attr-defined]
    for level in ("token", "document"):
        after = np.vstack(loaded.predict("I love NLP", level)[VECTOR].tolist())
        np.testing.assert_allclose(np.linalg.norm(after, axis=1), 1, atol=1e-6)
    assert np.linalg.norm(before[VECTOR].iloc[0]) > 1.5
    loaded["document_assembler"].setCleanupMode("disabled")  # type: ignore[attr-defined]
    assert loaded.predict(" a", positions=True)["token_begin"].tolist() == [1]
    assert loaded.fit() is loaded
    loaded["tokenizer"].setOutputCol("words")  # type: ignore[attr-defined]
    with pytest.raises(WiringError, match="reads column 'token'"):
        loaded.fit()


@pytest.mark.parametrize("minimal", [True, False])
def test_print_info_can_be_copied(minimal: bool, capsys: pytest.CaptureFixture[str]) -> None:
    pipe = nlu.load("albert_tiny_en")
    pipe.print_info(minimal)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("The following parameters are configurable for this NLU pipeline")
    assert [line for line in lines if line.startswith(">>>")] == [
        f">>> pipe[{key!r}] has settable params:" for key in pipe
    ]
    assert f"pipe['{KEY}'].setBatchSize(8)  | Info: " in "\n".join(lines)
    assert f"pipe['{KEY}'].setDimension(160)  | Info: " in "\n".join(lines)
    assert ("setInputCols" in "\n".join(lines)) is not minimal
    before = {key: pipe[key].extractParamMap() for key in pipe}
    for line in lines[1:]:
        if not line.startswith(">>>"):
            exec(line.split("  | Info: ")[0], {"pipe": pipe})
    after = {key: pipe[key].extractParamMap() for key in pipe}
    after[KEY].pop("dimension")
    assert after == before
    words_of(pipe.predict("I love NLP"))


# ---------------------------------------------------------------- saved pipelines


def test_a_saved_pipeline_gives_the_same(pipe: nlu.NLUPipeline, tmp_path: Path) -> None:
    pipe.save(tmp_path / "pipe")
    loaded = nlu.load("albert_tiny_en", path=tmp_path / "pipe")
    assert list(loaded) == list(pipe)
    pd.testing.assert_frame_equal(
        loaded.predict(TEXTS, positions=True, metadata=True), pipe.predict(TEXTS, positions=True, metadata=True)
    )
    assert nlu.load(path=tmp_path / "pipe").predict("a").columns.tolist() == ["token", "from_disk_embeddings"]
    assert isinstance(PipelineModel.load(tmp_path / "pipe"), PipelineModel)
    pipe.save(tmp_path / "pipe")
    with pytest.raises(ParameterError):
        pipe.save(tmp_path / "pipe", overwrite=False)


def test_one_component_can_be_saved(pipe: nlu.NLUPipeline, tmp_path: Path) -> None:
    pipe.save(tmp_path / "model", component=KEY)
    loaded = nlu.load("albert_tiny_en", path=tmp_path / "model")
    for level in ("token", "document"):
        pd.testing.assert_frame_equal(loaded.predict(TEXTS, level), pipe.predict(TEXTS, level))
    pipe.save(tmp_path / "tokenizer", component="tokenizer")
    assert list(nlu.load(path=tmp_path / "tokenizer")) == ["tokenizer"]
    with pytest.raises(ParameterError, match=r"no component 'other'.*entire_pipeline, document_assembler"):
        pipe.save(tmp_path / "x", component="other")


def stages(pipe: nlu.NLUPipeline, *more: Any) -> PipelineModel:
    return Pipeline(stages=[*(pipe[key] for key in pipe), *more]).fit()


def test_sentence_vectors_of_a_saved_pipeline(
    pipe: nlu.NLUPipeline, built_in: AlbertEmbeddings, tmp_path: Path
) -> None:
    words = str(pipe[KEY].output_col())
    pooled = SentenceEmbeddings(input_cols=["sentence", words], output_col="pooled")
    stages(pipe, pooled, Finisher(input_cols=["token"], output_cols=["finished"])).save(tmp_path / "p")
    loaded = nlu.load("x", path=tmp_path / "p")
    frame = loaded.predict(TEXTS)
    assert frame.columns.tolist() == ["sentence", "x_embeddings", "x_sentence_embeddings"]
    expected = built_in.embed(TEXTS, level="sentence", pooling="words").vectors
    np.testing.assert_allclose(np.stack(frame["x_sentence_embeddings"].dropna().tolist()), expected, atol=1e-6)
    assert [len(vector) for vector in loaded.predict_embeds(TEXTS)] == [160, 0, 160]
    np.testing.assert_allclose(loaded.predict_embeds(TEXTS)[2], expected[1], atol=1e-6)
    nlu5 = nlu.load(path=tmp_path / "p", column_style="nlu5").predict(TEXTS, "token")
    assert nlu5.columns.tolist() == ["sentence_embedding_from_disk", "token", "word_embedding_from_disk"]
    assert [len(cell) for cell in nlu5["sentence_embedding_from_disk"]] == [1] * 3 + [0] + [2] * 7


def test_token_vectors_are_no_sentence_vectors(pipe: nlu.NLUPipeline) -> None:
    with pytest.raises(ParameterError, match="No Sentence Embedder found in pipeline"):
        pipe.predict_embeds(["a"])


def test_chunks_of_a_saved_pipeline(pipe: nlu.NLUPipeline) -> None:
    words = pipe[KEY].output_col()
    model = stages(
        pipe,
        Doc2Chunk(input_cols=["document"], output_col="chunk", chunk_col="wanted", is_array=True),
        ChunkEmbeddings(input_cols=["chunk", words], output_col="chunked"),
    )
    table = pd.DataFrame({"text": TEXTS, "wanted": [["I", "NLP"], ["none"], ["second."]]}, index=[3, 1, 2])
    frame = nlu.to_pretty_df(model, table, output_level="chunk", positions=True)
    assert frame["chunk"].fillna("-").tolist() == ["I", "NLP", "-", "second."]
    assert frame.index.tolist() == [3, 3, 1, 2]
    assert frame["chunk_begin"].tolist() == [0, 7, pd.NA, 20]
    tokens = pipe.predict(TEXTS)[VECTOR].tolist()
    np.testing.assert_array_equal(frame["from_disk_chunk_embeddings"].iloc[1], tokens[2])
    np.testing.assert_allclose(
        frame["from_disk_chunk_embeddings"].iloc[3], (tokens[9] + tokens[10]) / 2, rtol=1e-6, atol=1e-6
    )
    with pytest.raises(WiringError, match="wanted"):
        nlu.to_pretty_df(model, TEXTS)


def test_to_pretty_df_takes_any_pipeline(pipe: nlu.NLUPipeline) -> None:
    for given in (pipe, stages(pipe), Pipeline(stages=[stages(pipe)])):
        frame = nlu.to_pretty_df(given, TEXTS, positions=True)
        assert words_of(frame) == WORDS
        assert "token_begin" in frame
    with pytest.raises(ParameterError, match="takes a pipeline"):
        nlu.to_pretty_df("albert", TEXTS)  # type: ignore[arg-type]
    text_only = Pipeline(stages=[pipe["document_assembler"], pipe["sentence_detector"]])
    assert nlu.to_pretty_df(text_only, TEXTS).columns.tolist() == ["sentence"]
    with pytest.raises(ParameterError, match=r"makes no tokens; it makes: document, sentence"):
        nlu.to_pretty_df(text_only, TEXTS, output_level="token")


# ---------------------------------------------------------------- dependencies


def test_pandas_is_asked_for_when_a_table_is_made() -> None:
    program = """
import sys
sys.modules["pandas"] = None
from albert_fast import MissingDependencyError, nlu
pipe = nlu.load("albert_tiny_en")
try:
    pipe.predict("I love NLP")
except MissingDependencyError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert re.search(r"nlu's predict needs pandas.*pip install pandas", done.stdout)


def test_version() -> None:
    assert nlu.version() == albert_fast.__version__
