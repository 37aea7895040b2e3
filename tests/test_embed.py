"""AlbertEmbeddings as a user calls it: levels, pooling, windows, tokenization, parameters, streams."""

from __future__ import annotations

import copy
import inspect
import itertools
import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sentencepiece

import albert_fast
import make_model
from albert_fast import AlbertEmbeddings, InputError, ParameterError, TruncationWarning
from reference_albert import ReferenceAlbert

TEXTS = ["The parser reads a file. It returns a value!", "", "Options (see below) are optional.", "one"]


@pytest.fixture(scope="module")
def reference() -> ReferenceAlbert:
    geometry = make_model.geometry()
    return ReferenceAlbert(make_model.make_weights(geometry, 0), geometry)


@pytest.fixture(scope="module")
def spiece(tiny_folder: Path) -> Any:
    return sentencepiece.SentencePieceProcessor(model_file=str(tiny_folder / "spiece.model"))


def encode_words(spiece: Any, words: list[str]) -> list[list[int]]:
    """Spark NLP's tokenization by the sentencepiece package: each word alone, bare marks dropped."""
    mark = spiece.piece_to_id("\u2581")
    return [[i for i in spiece.encode(word.lower()) if i != mark] or [spiece.unk_id()] for word in words]


def test_arrays_of_pyarrow_are_texts(tiny: AlbertEmbeddings) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    array = pyarrow.array(["I love NLP", "a"])
    for texts in (array, pyarrow.chunked_array([array])):
        assert tiny.embed(texts).words == ["I", "love", "NLP", "a"]
        assert [len(part) for part in tiny.stream(texts)] == [2]
    with pytest.raises(InputError, match="text 1 is None"):
        tiny.embed(pyarrow.array(["a", None]))


def test_words_have_the_vectors_of_their_first_pieces(
    tiny: AlbertEmbeddings, reference: ReferenceAlbert, spiece: Any
) -> None:
    out = tiny.embed(TEXTS)
    assert out.words == [*"The parser reads a file . It returns a value !".split(), "Options", "(", "see", "below",
                         ")", "are", "optional", ".", "one"]  # fmt: skip
    assert out.row_splits.tolist() == [0, 11, 11, 19, 20]
    assert out.sentence.tolist() == [0] * 6 + [1] * 5 + [0] * 9
    groups = [(text, s) for text in range(4) for s in sorted(set(out[text].sentence.tolist()))]
    for text, sentence in groups:
        part = out[text]
        mask = part.sentence == sentence
        words = list(itertools.compress(part.words, mask))
        pieces = encode_words(spiece, words)
        state = reference.hidden_states([2, *itertools.chain(*pieces), 3])[-1]
        starts = np.cumsum([1, *map(len, pieces)])[:-1]
        np.testing.assert_allclose(part.vectors[mask], state[starts], atol=2e-5)
        assert part.piece_ids[mask].tolist() == [ids[0] for ids in pieces]


def test_offsets_point_at_the_words(tiny: AlbertEmbeddings) -> None:
    texts = ["Héllo wörld, 😀 smile 😀😀 end.", "naïve café", "日本 語"]
    out = tiny.embed(texts)
    for text, part in zip(texts, out, strict=True):
        assert [text[b : e + 1] for b, e in zip(part.begin, part.end, strict=True)] == part.words
    utf16 = AlbertEmbeddings.load(tiny._model_files().source, offsets="utf16").embed(texts)
    assert utf16.words == out.words
    smile = out.words.index("smile")
    assert utf16.begin[smile] == out.begin[smile] + 1


@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_word_pooling(tiny: AlbertEmbeddings, pooling: str) -> None:
    pieces = tiny.embed("unbelievable parsers", level="piece")
    words = tiny.embed("unbelievable parsers", pooling=pooling)
    first = [i for i in range(len(pieces.begin)) if pieces.begin[i] < 12]
    reduce = np.mean if pooling == "mean" else np.max
    np.testing.assert_allclose(words.vectors[0], reduce(pieces.vectors[first], axis=0), atol=1e-6)


@pytest.mark.parametrize("level", ["sentence", "document"])
@pytest.mark.parametrize("pooling", ["mean", "max", "cls", "pooler", "words"])
@pytest.mark.parametrize("length", [128, 9])
def test_pooled_levels(tiny: AlbertEmbeddings, level: str, pooling: str, length: int) -> None:
    model = AlbertEmbeddings.load(tiny._model_files().source, max_sentence_length=length)
    out = model.embed(TEXTS, level=level, pooling=pooling)
    assert out.vectors.shape[0] == 4  # four texts, or four sentences in three of them
    if level == "document":
        assert not out.vectors[1].any()  # a text without words
    else:
        assert out.row_splits.tolist() == [0, 2, 2, 3, 4]
    if pooling in ("mean", "max", "words"):
        rows = model.embed(TEXTS, level="word" if pooling == "words" else "piece")
        reduce = np.max if pooling == "max" else np.mean
        for number, part in enumerate(rows):
            if len(part.words) == 0:
                continue
            got = out[number].vectors
            if level == "document":
                np.testing.assert_allclose(got[0], reduce(part.vectors, axis=0), atol=1e-5)
            else:
                for s in range(len(got)):
                    expected = reduce(part.vectors[part.sentence == s], axis=0)
                    np.testing.assert_allclose(got[s], expected, atol=1e-5)


def test_normalize_gives_unit_length_and_keeps_zeros(tiny: AlbertEmbeddings) -> None:
    norms = np.linalg.norm(tiny.embed(TEXTS, level="document", normalize=True).vectors, axis=1)
    np.testing.assert_allclose(norms, [1, 0, 1, 1], atol=1e-6)


def test_every_word_of_a_long_sentence_has_a_vector(tiny: AlbertEmbeddings, reference: ReferenceAlbert) -> None:
    words = [f"word{i % 17}" if i % 3 else "file" for i in range(400)]
    model = AlbertEmbeddings.load(tiny._model_files().source, max_sentence_length=32, detect_sentences=False)
    out = model.embed(" ".join(words))
    assert out.words == words
    assert out.stats["windows"] > 10
    assert np.isfinite(out.vectors).all()
    # The rows that the windows do not share come from windows that can be computed by hand: the first one.
    pieces = model.embed(" ".join(words), level="piece")
    first = reference.hidden_states([2, *pieces.piece_ids[:30].tolist(), 3])[-1]
    np.testing.assert_allclose(pieces.vectors[:20], first[1:21], atol=2e-5)


def test_long_sentences_give_the_same_words_as_short_windows_never_lose_any(tiny: AlbertEmbeddings) -> None:
    text = " ".join(["unbelievable"] * 100)
    for length in (3, 4, 7, 64, 128):
        model = AlbertEmbeddings.load(tiny._model_files().source, max_sentence_length=length)
        if length < 16:
            with pytest.warns(TruncationWarning, match="100 word"):
                out = model.embed(text)
            assert out.stats["cut_words"] == 100
        else:
            out = model.embed(text)
            assert out.stats["cut_words"] == 0
        assert len(out.words) == 100


def test_a_word_of_almost_a_window_does_not_shift_the_others(tiny: AlbertEmbeddings) -> None:
    # Once such a word made windows that overlapped twice, and every later row belonged to somebody else.
    for length in range(90, 127):
        out = tiny.embed_words([["a"] * 130 + ["." * length] + ["a"] * 100, ["hello", "world"]])
        assert len(out.vectors) == len(out.begin) == len(out.words) == 233
        np.testing.assert_allclose(out[1].vectors, tiny.embed_words([["hello", "world"]]).vectors, atol=1e-6)


def test_warnings_point_at_the_users_line(tiny: AlbertEmbeddings) -> None:
    model = AlbertEmbeddings.load(tiny._model_files().source, max_sentence_length=3)
    word = "unbelievable"
    for call in (
        lambda: model.embed(word),
        lambda: model.embed_words([[word]]),
        lambda: list(model.stream([word])),
    ):
        with pytest.warns(TruncationWarning) as caught:
            call()
        assert [Path(warning.filename).name for warning in caught] == [Path(__file__).name]


def test_identical_sentences_are_computed_once(tiny: AlbertEmbeddings) -> None:
    texts = ["the same text", "another one", "the same text"] * 5
    out = tiny.embed(texts)
    assert out.stats["windows"] == 15
    assert out.stats["reused"] == 13
    single = tiny.embed("the same text")
    for number in (0, 2, 12, 14):
        np.testing.assert_array_equal(out[number].vectors, out[0].vectors)
    np.testing.assert_allclose(out[14].vectors, single.vectors, atol=1e-6)
    np.testing.assert_allclose(out[13].vectors, tiny.embed("another one").vectors, atol=1e-6)


def test_words_that_normalize_to_nothing_are_read_as_unknown(tiny: AlbertEmbeddings) -> None:
    out = tiny.embed("a \u200b b")
    assert out.words == ["a", "\u200b", "b"]
    assert out.out_of_vocabulary.tolist() == [False, True, False]
    assert out.piece_ids[1] == 1
    assert out.vectors.any(axis=1).all()


def test_text_tokenization_is_hugging_faces(tiny: AlbertEmbeddings, reference: ReferenceAlbert, spiece: Any) -> None:
    text = "The parser reads (some) files"
    rows = tiny.embed(text, tokenization="text", detect_sentences=False, level="piece", special_tokens=True)
    ids = [2, *spiece.encode(text.lower()), 3]
    assert rows.piece_ids.tolist() == ids
    assert rows.words[0] == "[CLS]"
    assert rows.begin[0] == rows.end[0] == -1
    np.testing.assert_allclose(rows.vectors, reference.hidden_states(ids)[-1], atol=2e-5)
    words = tiny.embed(text, tokenization="text")
    assert words.words == ["The", "parser", "reads", "(", "some", ")", "files"]
    for word, piece_id in zip(words.words, words.piece_ids.tolist(), strict=True):
        surface = spiece.id_to_piece(piece_id).lstrip("\u2581")
        assert word.lower().startswith(surface)


def test_text_tokenization_aligns_words_after_changes_of_length(tiny: AlbertEmbeddings) -> None:
    text = "  Ça\u00a0va   ﬁle  ½ ``quoted'' Å\u030a  "
    out = tiny.embed(text, tokenization="text", detect_sentences=False)
    assert [text[b : e + 1] for b, e in zip(out.begin, out.end, strict=True)] == out.words
    assert out.words == ["Ça\u00a0va", "ﬁle", "½", "``quoted", "''", "Å\u030a"]


def test_text_tokenization_reads_special_tokens_that_are_written_out(tiny: AlbertEmbeddings) -> None:
    # As Hugging Face's slow AlbertTokenizer does.
    out = tiny.embed("files [MASK]and <unk>", tokenization="text", level="piece", detect_sentences=False)
    ids = out.piece_ids.tolist()
    assert ids.count(4) == 1
    assert ids[-1] == 1
    assert out.words[ids.index(4)] == "[MASK]"
    assert (int(out.begin[ids.index(4)]), int(out.end[ids.index(4)])) == (6, 11)


def test_text_tokenization_matches_transformers_on_every_golden_text(golden: Path) -> None:
    rows = json.loads((golden / "texts/pieces.json").read_text())
    model = AlbertEmbeddings.load(
        golden / "sparknlp/models/hf_folder",
        tokenization="text",
        level="piece",
        detect_sentences=False,
        max_sentence_length=512,
    )
    compared = 0
    for row in rows["rows"] if isinstance(rows, dict) else rows:
        out = model.embed(row["text"])
        if out.stats["cut_words"] == 0:
            assert out.piece_ids.tolist() == row["albert_ids"], row["text"]
            compared += 1
    assert compared >= 495


def test_embed_words_equals_embed_of_split_text(tiny: AlbertEmbeddings) -> None:
    words = ["The", "parser", "reads", "files"]
    given = tiny.embed_words([words, [], ["files"]])
    np.testing.assert_allclose(given[0].vectors, tiny.embed("The parser reads files").vectors, atol=1e-6)
    assert given.words == [*words, "files"]
    assert given.row_splits.tolist() == [0, 4, 4, 5]
    accents = tiny.embed_words([["Çé", "😀", "ẞ"]])
    assert accents.words == ["Çé", "😀", "ẞ"]
    assert (accents.begin.tolist(), accents.end.tolist()) == ([0, 3, 5], [1, 3, 5])


def test_several_threads_read_what_one_reads(tiny_folder: Path) -> None:
    one, three = (AlbertEmbeddings.load(tiny_folder, threads=threads) for threads in (1, 3))
    texts = [f"{TEXTS[i % 4]} number{i} is " + "here " * (i % 70) for i in range(1500)]
    assert sum(map(len, texts)) > 1 << 18, "enough for several threads"
    words = [text.split() for text in texts]
    table = {"text": texts}
    stages = [
        albert_fast.DocumentAssembler().setInputCol("text").setOutputCol("document"),
        albert_fast.SentenceDetector().setInputCols(["document"]).setOutputCol("sentence"),
        albert_fast.Tokenizer().setInputCols(["sentence"]).setOutputCol("token"),
    ]
    columns = []
    for model in (one, three):
        for out in (
            model.embed(texts),
            model.embed(texts, tokenization="text", level="piece"),
            model.embed_words(words),
        ):
            columns.append(
                (out.words, out.begin.tolist(), out.end.tolist(), out.row_splits.tolist(), out.stats, out.vectors)
            )
        rows = (
            albert_fast.Pipeline(stages=[*stages, model.setInputCols("sentence", "token").setOutputCol("embeddings")])
            .fit(table)
            .transform(table)["embeddings"]
        )
        columns.append([[(a.begin, a.end, a.result, dict(a.metadata)) for a in row] for row in rows])
    for a, b in zip(columns[:3], columns[4:7], strict=True):
        assert a[:4] == b[:4]
        assert {**a[4], "batches": 0} == {**b[4], "batches": 0}
        np.testing.assert_allclose(a[5], b[5], rtol=0, atol=1e-5)
    assert columns[3] == columns[7]


def test_stream_is_embed_in_chunks(tiny: AlbertEmbeddings) -> None:
    texts = [f"text number {i}" for i in range(25)]
    chunks = list(tiny.stream(iter(texts), chunk_texts=10))
    assert [len(chunk) for chunk in chunks] == [10, 10, 5]
    whole = tiny.embed(texts)
    np.testing.assert_allclose(np.concatenate([c.vectors for c in chunks]), whole.vectors, atol=1e-6)
    assert list(itertools.chain(*(c.words for c in chunks))) == whole.words
    assert list(tiny.stream([])) == []


def test_stream_reads_its_input_only_as_results_are_taken(tiny: AlbertEmbeddings) -> None:
    taken = []

    def texts() -> Any:
        for i in range(100):
            taken.append(i)
            yield "some text"

    results = tiny.stream(texts(), chunk_texts=10)
    assert taken == []
    next(results)
    assert len(taken) == 10


def test_chunks_are_embedded_as_they_come(tiny: AlbertEmbeddings) -> None:
    taken = []

    def chunks() -> Any:
        for size in (3, 1, 2):
            taken.append(size)
            yield [f"text {size}"] * size

    results = tiny.stream_chunks(chunks(), level="document")
    assert taken == []
    assert len(next(results)) == 3
    assert taken == [3], "the next chunk is taken when its result is wanted"
    assert [len(result) for result in results] == [1, 2]
    with pytest.raises(InputError, match="text 3 is None"):
        list(tiny.stream_chunks([["a", "b"], ["c", None]]))  # type: ignore[list-item]
    with pytest.raises(InputError, match="Use embed"):
        tiny.stream_chunks("some text")
    with pytest.raises(ParameterError, match="level"):
        tiny.stream_chunks([["x"]], level="zz")


def test_empty_inputs(tiny: AlbertEmbeddings) -> None:
    assert tiny.embed([]).vectors.shape == (0, tiny.hidden_size)
    assert tiny.embed("").vectors.shape == (0, tiny.hidden_size)
    assert tiny.embed([], level="document").vectors.shape == (0, tiny.hidden_size)
    assert tiny.embed(["", " \n "], level="document").vectors.shape == (2, tiny.hidden_size)
    assert tiny.embed_words([]).words == []


def test_threads_beyond_the_processors_start_no_more(tiny_folder: Path) -> None:
    model = AlbertEmbeddings.load(tiny_folder)
    status = Path("/proc/self/status")
    count = lambda: int(status.read_text().split("Threads:")[1].split()[0])  # noqa: E731
    before = count()
    for threads in range(2, 40):
        assert model.setThreads(threads).embed("a b c").words == ["a", "b", "c"]
    assert count() - before <= (os.cpu_count() or 1)


def test_many_choices_of_layers_keep_few_sessions(tiny: AlbertEmbeddings) -> None:
    count = make_model.geometry()["num_hidden_layers"] + 1
    for layers in itertools.product(range(count), repeat=3):
        np.testing.assert_allclose(
            tiny.embed("a b", layers=layers).vectors, tiny.embed("a b", layers=layers[::-1]).vectors, atol=1e-6
        )


def test_piece_offsets_when_lower_case_changes_sizes(tiny: AlbertEmbeddings) -> None:
    for word in ("İẞab", "ẞİ", "İ", "ẞ", "ABC"):
        out = tiny.embed_words([[word]], level="piece")
        assert out.begin.min() == 0 or word == "ABC"
        assert out.end.max() <= len(word) - 1
        assert (out.end >= out.begin).all()


def test_copies_share_the_model(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tiny_folder.parent)
    model = AlbertEmbeddings.load(tiny_folder.name, layers=0)
    monkeypatch.chdir(tmp_path)
    for other in (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert other._loaded() is model._loaded()
        assert other.explicit_params() == model.explicit_params()
        other.setLayers(1)
        assert model.getLayers() == (0,)
    model.save(tmp_path / "saved")


@pytest.mark.parametrize("level", ["word", "piece", "sentence", "document"])
def test_results_can_be_pickled_and_copied(tiny: AlbertEmbeddings, level: str) -> None:
    out = tiny.embed(TEXTS, level=level)
    for other in (pickle.loads(pickle.dumps(out)), copy.deepcopy(out)):
        assert other.words == out.words
        assert other[2].words == out[2].words
        np.testing.assert_array_equal(other.vectors, out.vectors)
        assert other.stats == out.stats


def test_indexing(tiny: AlbertEmbeddings) -> None:
    out = tiny.embed(TEXTS)
    assert len(out) == 4
    assert out[-1].words == ["one"]
    assert out[0].vectors.base is not None
    assert np.shares_memory(out[2].vectors, out.vectors)
    with pytest.raises(IndexError, match="text 4 does not exist"):
        out[4]
    with pytest.raises(TypeError):
        out["0"]  # type: ignore[index]
    assert repr(out) == f"Embeddings(4 texts, 20 word rows, {tiny.hidden_size} dimensions)"


# ------------------------------------------------------------------------------------------------- parameters

SETTINGS: dict[str, Any] = {
    "input_cols": ("sentence", "token"),
    "output_col": "embeddings",
    "batch_size": 4,
    "dimension": 32,
    "max_sentence_length": 64,
    "case_sensitive": True,
    "storage_ref": "mine",
    "lazy_annotator": True,
    "config_proto_bytes": (1, 2),
    "level": "sentence",
    "pooling": "max",
    "layers": (0, -1),
    "normalize": True,
    "tokenization": "text",
    "detect_sentences": False,
    "offsets": "utf16",
    "compat": "sparknlp",
    "threads": 1,
    "device": "auto",
    "precision": "fp32",
    "show_progress": False,
}


def test_every_parameter_is_listed_here() -> None:
    assert {param.name for param in AlbertEmbeddings.params()} == set(SETTINGS)


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_keyword_and_setter_agree(name: str) -> None:
    declared = next(param for param in AlbertEmbeddings.params() if param.name == name)
    capitalised = declared.spark_name[0].upper() + declared.spark_name[1:]
    value = SETTINGS[name]
    by_keyword = AlbertEmbeddings(**{name: value})
    by_setter = AlbertEmbeddings()
    assert getattr(by_setter, "set" + capitalised)(value) is by_setter
    assert by_keyword.explicit_params() == by_setter.explicit_params() == {name: value}
    got = getattr(by_keyword, "get" + capitalised)()
    assert tuple(got) == value if isinstance(value, tuple) else got == value


def test_setters_show_in_the_signature() -> None:
    for param in AlbertEmbeddings.params():
        capitalised = param.spark_name[0].upper() + param.spark_name[1:]
        assert inspect.getdoc(getattr(AlbertEmbeddings, "set" + capitalised))
        assert inspect.getdoc(getattr(AlbertEmbeddings, "get" + capitalised))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("batch_size", 0, "at least 1"),
        ("batch_size", True, "whole number"),
        ("batch_size", 2.5, "whole number"),
        ("max_sentence_length", 513, "at most 512"),
        ("case_sensitive", 1, "True or False"),
        ("level", "words", "word, piece, sentence, document"),
        ("pooling", "median", "first, mean, max"),
        ("layers", [], "at least one layer"),
        ("threads", 2**31, "at most 1024"),
        ("config_proto_bytes", "abc", "whole numbers"),
        ("input_cols", 5, "column names"),
        ("layers", "last", "whole numbers"),
        ("input_cols", ["one"], "2 column names"),
        ("compat", "spark", "sparknlp"),
        ("threads", 0, "at least 1"),
        ("max_sentence_length", -1, r"at least 3 .*at most 512\.$"),
        ("max_sentence_length", "128", r"at least 3 .*at most 512\.$"),
        ("batchsize", 8, "Did you mean batch_size"),
    ],
)
def test_wrong_parameters_are_refused_by_both_spellings(name: str, value: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        AlbertEmbeddings(**{name: value})
    with pytest.raises(ParameterError, match=message):
        AlbertEmbeddings().set_param(name, value)


def test_wrong_call_options(tiny: AlbertEmbeddings) -> None:
    with pytest.raises(ParameterError, match="level='word'"):
        tiny.embed("x", pooling="cls")
    with pytest.raises(ParameterError, match="hidden states 0 to"):
        tiny.embed("x", layers=99)
    with pytest.raises(ParameterError, match="needs level='piece'"):
        tiny.embed("x", special_tokens=True)
    with pytest.raises(ParameterError, match="at least 3"):
        AlbertEmbeddings.load(tiny._model_files().source, max_sentence_length=2)
    with pytest.raises(ParameterError, match="chunk_texts"):
        tiny.stream(["x"], chunk_texts=0)
    with pytest.raises(ParameterError, match="level"):
        tiny.stream(["x"], level="zz")
    with pytest.raises(ParameterError, match="set it on the annotator"):
        tiny.stream(["x"], threads=1)
    with pytest.raises(ParameterError, match="pooling"):
        tiny.embed("x", pooling="")
    with pytest.raises(ParameterError, match="pooling='cls' does not exist for level='word'"):
        AlbertEmbeddings.load(tiny._model_files().source, level="word", pooling="cls")
    assert tiny.embed("x y", layers=np.array([0, 1])).words == ["x", "y"]  # type: ignore[arg-type]


def test_spark_nlp_spelling_chains(tiny_folder: Path) -> None:
    model = (
        AlbertEmbeddings.load(tiny_folder)
        .setInputCols("sentence", "token")
        .setOutputCol("embeddings")
        .setMaxSentenceLength(64)
        .setCaseSensitive(False)
        .setBatchSize(8)
    )
    assert model.getInputCols() == ["sentence", "token"]
    assert model.setInputCols(["document", "token"]).getInputCols() == ["document", "token"]
    assert model.getEngine() == "onnx"
    assert model.embed("a b").words == ["a", "b"]


def test_annotators_of_one_model_share_memory_and_not_parameters(tiny_folder: Path) -> None:
    first = AlbertEmbeddings.load(tiny_folder, batch_size=3)
    second = AlbertEmbeddings.load(tiny_folder)
    assert first._loaded() is second._loaded()
    assert (first.getBatchSize(), second.getBatchSize()) == (3, 8)


def test_case_sensitive_keeps_upper_case(tiny_folder: Path) -> None:
    cased = AlbertEmbeddings.load(tiny_folder, case_sensitive=True)
    uncased = AlbertEmbeddings.load(tiny_folder)
    assert cased.embed("QQQ").out_of_vocabulary.all()
    assert not uncased.embed("parser").out_of_vocabulary.any()


def test_save_and_load(tiny: AlbertEmbeddings, tmp_path: Path) -> None:
    model = AlbertEmbeddings.load(tiny._model_files().source, max_sentence_length=64, layers=(0, -1))
    saved = model.save(tmp_path / "saved")
    again = AlbertEmbeddings.load(saved)
    assert again.explicit_params() == model.explicit_params()
    np.testing.assert_array_equal(again.embed(TEXTS).vectors, model.embed(TEXTS).vectors)
    record = json.loads((tmp_path / "saved" / "albert_fast.json").read_text())
    assert set(record["sha256"]) >= {"model.safetensors", "config.json", "spiece.model"}


def test_tokenizer_json_folder_gives_the_same_vectors(tiny: AlbertEmbeddings, tmp_path: Path) -> None:
    make_model.write_folder(tmp_path, make_model.geometry(), 0, tokenizer_json=True)
    model = AlbertEmbeddings.load(tmp_path)
    np.testing.assert_array_equal(model.embed(TEXTS).vectors, tiny.embed(TEXTS).vectors)


def test_built_in_model_needs_no_network() -> None:
    model = AlbertEmbeddings.pretrained("albert_tiny_en")
    out = model.embed("I love NLP")
    assert out.words == ["I", "love", "NLP"]
    assert out.vectors.shape == (3, model.hidden_size)
    assert "albert_tiny_en" in repr(model)


def test_input_that_is_no_text(tiny: AlbertEmbeddings) -> None:
    for wrong, message in [
        (["a", None], "text 1 is None"),
        (["a", 3], "text 1 is of type int"),
        ([b"a"], "text 0 is of type bytes"),
        (b"abc", "bytes, not str"),
        (None, "NoneType"),
        (5, "int"),
        ({"a": 1}, "dict"),
        (np.array("a b"), "0 dimensions"),
        (np.array([["a", "b"]]), "2 dimensions"),
        (["ok", "bad \ud800 here"], "text 1 holds a lone surrogate at position 4"),
        ("\ud800", "lone surrogate at position 0"),
    ]:
        with pytest.raises(InputError, match=message):
            tiny.embed(wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="text 3 is None"):
        list(tiny.stream(["a", "b", "c", None], chunk_texts=2))  # type: ignore[list-item]
    with pytest.raises(InputError, match="sentence 0, word 1 is None"):
        tiny.embed_words([["a", None]])  # type: ignore[list-item]
    with pytest.raises(InputError, match="not a list of words"):
        tiny.embed_words(["abc"])
    with pytest.raises(InputError, match="Use embed for texts"):
        tiny.embed_words("abc")
    for wrong_words in (None, 5):
        with pytest.raises(InputError):
            tiny.embed_words(wrong_words)  # type: ignore[arg-type]
    for wrong_stream in (None, {"a": 1}, b"ab", "text"):
        with pytest.raises(InputError):
            tiny.stream(wrong_stream)  # type: ignore[arg-type]
    assert tiny.embed(np.array(["one two", "three"])).words == ["one", "two", "three"]
    assert tiny.embed(["still", "works"]).words == ["still", "works"]


def test_odd_but_meaningful_text(tiny: AlbertEmbeddings) -> None:
    text = "nul \x00 in\x00side \x07bell \ufeff bom \u202e bidi"
    out = tiny.embed(text)
    assert [text[b : e + 1] for b, e in zip(out.begin, out.end, strict=True)] == out.words
    assert "in\x00side" in out.words
    assert np.isfinite(out.vectors).all()


def test_a_word_of_ten_million_characters(tiny: AlbertEmbeddings) -> None:
    with pytest.warns(TruncationWarning, match="1 word"):
        out = tiny.embed(["before " + "ab" * 5_000_000 + " after"])
    assert [len(word) for word in out.words] == [6, 10_000_000, 5]


def test_device_and_precision_that_are_not_there(tiny_folder: Path) -> None:
    with pytest.raises(albert_fast.DeviceError, match="tpu"):
        AlbertEmbeddings.load(tiny_folder, device="tpu")
    with pytest.raises(albert_fast.DeviceError, match="cuda:1"):
        AlbertEmbeddings.load(tiny_folder, device="cuda:x")
    with pytest.raises(albert_fast.AlbertFastError):
        AlbertEmbeddings.load(tiny_folder, device="cuda")


def test_no_model(tmp_path: Path) -> None:
    with pytest.raises(albert_fast.ModelNotFoundError, match="no model"):
        AlbertEmbeddings().embed("x")
    with pytest.raises(albert_fast.ModelNotFoundError):
        AlbertEmbeddings.load(tmp_path / "nothing")
    with pytest.raises(albert_fast.ModelNotFoundError, match="albert_base_uncased"):
        AlbertEmbeddings.pretrained("albert_base_uncasd")
    with pytest.raises(ParameterError, match="remote_loc"):
        AlbertEmbeddings.pretrained("albert_tiny_en", remote_loc="s3://x")
