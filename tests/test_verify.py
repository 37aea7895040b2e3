"""The report on a model: published vectors, fidelity of precisions, verdict and exit code."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import make_model
from albert_fast import AlbertEmbeddings, cli, verify
from albert_fast.device import Cuda
from albert_fast.errors import DeviceError, ParameterError
from albert_fast.models import registry
from conftest import ModelMaker
from reference_albert import ReferenceAlbert

SIZES = registry.Sizes(32, 3, 64, 16)
TEXTS = ("I love NLP", "This is a sentence.")


def shown(value: float, digits: int | None) -> str:
    """Return a number as a card prints it: in full, or cut off after some digits."""
    if digits is None:
        return repr(value)
    whole, _, rest = f"{value:.16f}".partition(".")
    return f"{whole}.{rest[:digits]}…"


def published_of(folder: Path, geometry: dict[str, Any], seed: int) -> tuple[verify.Published, ...]:
    """Compute what a card of this model would print, by the float64 twin and sentencepiece."""
    import sentencepiece

    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "spiece.model"))
    reference = ReferenceAlbert(make_model.make_weights(geometry, seed), geometry)
    items = []
    for text in TEXTS:
        words = text.removesuffix(".").split() + (["."] if text.endswith(".") else [])
        ids, first = [2], []
        for word in words:
            own = [i for i in pieces.encode(word.lower()) if i != pieces.piece_to_id("▁")]
            first.append(len(ids))
            ids += own
        states = reference.hidden_states([*ids, 3])[-1]
        items.append(
            verify.Published(
                "albert_tiny_published", text, "made here",
                {
                    word: tuple(shown(float(states[at, d]), digits) for d, digits in enumerate((None, 15, 2)))
                    for word, at in zip(words, first, strict=True)
                },
            )
        )  # fmt: skip
    return tuple(items)


@pytest.fixture(name="folder")
def _folder(make_folder: ModelMaker, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model whose card exists: the tables of published models and numbers hold it and nothing else."""
    folder = make_folder(seed=7)
    entry = registry.Entry("albert_tiny_published", "en", "tiny", 32, "tiny/published")
    monkeypatch.setattr(registry, "_ENTRIES", (*registry.models(), entry))
    monkeypatch.setattr(registry, "_RELEASED", {"tiny": SIZES})
    monkeypatch.setattr(verify, "PUBLISHED", published_of(folder, make_model.geometry(), 7))
    real = verify._has_sizes
    monkeypatch.setattr(verify, "_has_sizes", lambda files, sizes: real(with_vocabulary(files), sizes))
    return folder


def with_vocabulary(files: Any) -> Any:
    """Return a model's files as if its 400 pieces were the 30,000 of the published models."""
    size = {400: 30_000}.get(files.geometry.vocab_size, 1)
    return dataclasses.replace(files, geometry=dataclasses.replace(files.geometry, vocab_size=size))


def named(folder: Path, tmp_path: Path, name: str, **parameters: Any) -> Path:
    """Save a model under a name."""
    model = AlbertEmbeddings.load(folder, **parameters)
    assert model._files is not None
    model._files = dataclasses.replace(model._files, name=name)
    return Path(model.save(tmp_path / f"{name}-saved"))


# -------------------------------------------------------------------------------------------- published vectors


def test_the_right_weights_pass(folder: Path, tmp_path: Path) -> None:
    # Parameters that were saved with the model do not change what is compared.
    saved = named(folder, tmp_path, "albert_tiny_published", layers=0, max_sentence_length=3, compat="sparknlp",
                  case_sensitive=True, tokenization="text", normalize=True, pooling="max")  # fmt: skip
    report = verify.verify(AlbertEmbeddings.load(saved))
    assert (report.verdict, report.certain, report.published_model) == ("pass", True, "albert_tiny_published")
    assert len(report.checks) == 3 * (3 + 5)
    assert {check.text for check in report.checks} == set(TEXTS)
    for check in report.checks:
        assert abs(check.found - float(check.published.removesuffix("…"))) < 0.0101
    assert [row.precision for row in report.fidelity] == ["int8"]


def test_the_same_sizes_are_enough_to_pass_but_not_to_fail(folder: Path, make_folder: ModelMaker) -> None:
    assert verify.verify(AlbertEmbeddings.load(folder)).verdict == "pass"
    report = verify.verify(AlbertEmbeddings.load(make_folder(seed=8)))
    assert (report.verdict, report.certain) == ("unknown", False)
    assert "verify it as albert_tiny_published" in report.reason
    assert any(not check.passed for check in report.checks)


def test_wrong_weights_fail_where_the_model_claims_to_be_it(
    folder: Path, make_folder: ModelMaker, tmp_path: Path
) -> None:
    other = make_folder(seed=8)
    saved = AlbertEmbeddings.load(named(other, tmp_path, "albert_tiny_published"))
    assert verify.verify(saved).verdict == "fail"
    assert verify.verify(AlbertEmbeddings.load(other), expected="albert_tiny_published").verdict == "fail"
    assert verify.verify(AlbertEmbeddings.load(folder), expected="albert_tiny_published").verdict == "pass"
    with pytest.raises(ParameterError, match="no published numbers for 'albert_cda'"):
        verify.verify(saved, expected="albert_cda")


@pytest.mark.parametrize("change", [0.0, 1e-3])
def test_a_small_damage_is_seen(folder: Path, change: float, monkeypatch: pytest.MonkeyPatch) -> None:
    model = AlbertEmbeddings.load(folder)
    real = AlbertEmbeddings.embed

    def embed(self: AlbertEmbeddings, *arguments: Any, **options: Any) -> Any:
        out = real(self, *arguments, **options)
        out.vectors[0, 1] += change
        return out

    monkeypatch.setattr(AlbertEmbeddings, "embed", embed)
    report = verify.verify(model, expected="albert_tiny_published")
    assert report.verdict == ("fail" if change else "pass")
    assert [(c.word, c.position) for c in report.checks if not c.passed] == ([("I", 1), ("This", 1)] if change else [])


@pytest.mark.parametrize("changes", [{"num_hidden_layers": 4}, {"intermediate_size": 96}, {"vocab_size": 401},
                                     {"inner_group_num": 2}, {"num_hidden_groups": 3}])  # fmt: skip
def test_other_models_have_no_published_numbers(folder: Path, make_folder: ModelMaker, changes: dict[str, int]) -> None:
    report = verify.verify(AlbertEmbeddings.load(make_folder(seed=7, **changes)))
    assert (report.verdict, report.published_model, report.checks) == ("unknown", None, ())


@pytest.mark.parametrize(
    ("published", "found", "agrees"),
    [
        ("0.5481745600700378", 0.5481, True), ("0.5481745600700378", 0.5477, True),
        ("0.5481745600700378", 0.5487, False),
        ("-0.44…", -0.44, True), ("-0.44…", -0.4499, True), ("-0.44…", -0.4506, False), ("-0.44…", -0.439, False),
        ("0.8…", 0.7996, True), ("0.8…", 0.9004, True), ("0.8…", 0.9006, False), ("0.8…", -0.85, False),
        ("-0.784737348556518…", -0.7847, True), ("0.1", float("nan"), False), ("0.1…", float("nan"), False),
    ],
)  # fmt: skip
def test_how_numbers_agree(published: str, found: float, agrees: bool) -> None:
    assert verify._agrees(published, found) is agrees


def test_the_published_table(golden: Path) -> None:
    """Every number stands in the page it was taken from, with the same digits."""
    page = golden.parent / "spec/spark_nlp.md"
    if not page.is_file():
        pytest.skip("skipped: no pages beside the golden folder")
    text = page.read_text("utf-8").partition("### 3.9")[2].partition("\n---")[0]
    for item in verify.PUBLISHED:
        entry = registry.lookup(item.model)
        assert entry is not None
        assert entry.geometry is not None
        for word, numbers in item.words.items():
            assert f"{word} [{', '.join(numbers)}" in text
    sizes = {"albert_base_uncased", "albert_large_uncased", "albert_xlarge_uncased", "albert_xxlarge_uncased"}
    assert {item.model for item in verify.PUBLISHED} == sizes


# ----------------------------------------------------------------------------------------------------- fidelity


class WithHalf(AlbertEmbeddings):
    """What an annotator with another second precision looks like from outside: its weights are rounded."""

    rounded: Callable[[], AlbertEmbeddings]

    def _check_device(self) -> tuple[str, Cuda | None]:
        if self.get_param("device") != "cpu" or self.get_param("precision") not in ("fp32", "fp16"):
            raise DeviceError("not here")
        return "fp32", None

    def _loaded(self) -> Any:
        self._check_device()
        return type(self).rounded()._loaded() if self.get_param("precision") == "fp16" else super()._loaded()


def rounded_folder(folder: Path, geometry: dict[str, Any], seed: int, levels: int) -> Path:
    weights = make_model.make_weights(geometry, seed)
    for name, values in weights.items():
        if values.ndim == 2:
            step = np.abs(values).max() / levels
            weights[name] = (np.round(values / step) * step).astype(np.float32)
    make_model.write_folder(folder, geometry, seed)
    make_model.save_safetensors(folder / "model.safetensors", weights)
    return folder


@pytest.mark.parametrize(("levels", "verdict"), [(127, "unknown"), (2, "fail")])
def test_a_precision_joins_by_being_available(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, levels: int, verdict: str
) -> None:
    plain = make_model.write_folder(tmp_path / "plain", seed=3)
    rough = AlbertEmbeddings.load(rounded_folder(tmp_path / "rough", make_model.TINY, 3, levels))
    monkeypatch.setattr(WithHalf, "rounded", lambda: rough, raising=False)
    report = verify.verify(WithHalf.load(plain))
    (row,) = report.fidelity
    assert (row.device, row.precision, row.passed) == ("cpu", "fp16", verdict != "fail")
    texts = list(verify.TEXTS)
    a = AlbertEmbeddings.load(plain).embed(texts).vectors.astype(np.float64)
    b = rough.embed(texts).vectors.astype(np.float64)
    cosines = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    assert row.words == len(a)
    assert row.mean_cosine == pytest.approx(cosines.mean(), abs=1e-9)
    assert row.worst_cosine == pytest.approx(cosines.min(), abs=1e-9)
    assert row.largest_difference == pytest.approx(np.abs(a - b).max())
    assert row.largest_difference > 0
    assert report.verdict == verdict
    text = verify.as_text(report)
    assert "fp16" in text
    assert ("UNFAITHFUL" in text) == (verdict == "fail")


def test_every_precision_of_this_machine_is_measured(tiny: AlbertEmbeddings) -> None:
    (row,) = verify.verify(tiny).fidelity
    assert (row.device, row.precision) == ("cpu", "int8")
    assert 0.999 < row.mean_cosine < 1 - 1e-9


class WithFp32Only(AlbertEmbeddings):
    def _check_device(self) -> tuple[str, Cuda | None]:
        if self.get_param("precision") != "fp32":
            raise DeviceError("not here")
        return super()._check_device()


def test_no_row_is_invented(tiny_folder: Path) -> None:
    report = verify.verify(WithFp32Only.load(tiny_folder))
    assert report.fidelity == ()
    assert "nothing to compare it with" in verify.as_text(report)


# ------------------------------------------------------------------------------------------------- the command


def test_the_command(folder: Path, make_folder: ModelMaker, capfd: pytest.CaptureFixture[str]) -> None:
    other, another = make_folder(seed=8), make_folder(vocab_size=401)
    cases = [
        ([str(folder)], 0),
        ([str(other)], 2),
        ([str(another)], 2),
        ([str(other), "--as", "albert_tiny_published"], 1),
    ]
    for arguments, code in cases:
        assert cli.main(["verify", *arguments]) == code
        text = capfd.readouterr().out
        assert text.splitlines()[-1].startswith({0: "pass: All 24", 1: "fail: ", 2: "unknown: "}[code])
        assert cli.main(["verify", *arguments, "--json"]) == code
        content = json.loads(capfd.readouterr().out)
        assert content["verdict"] == {0: "pass", 1: "fail", 2: "unknown"}[code]
        assert [row["precision"] for row in content["fidelity"]] == ["int8"]
    assert cli.main(["verify", str(folder / "nothing")]) == 1
    assert "There is no folder" in capfd.readouterr().err


def test_convert(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = make_model.write_folder(tmp_path / "m")
    (source / "tokenizer_config.json").write_text('{"do_lower_case": false}')
    expected = AlbertEmbeddings.load(source).embed(["Some words"]).vectors
    for form, written in (
        ("albert-fast", {"albert_fast.json", "config.json", "model.safetensors", "spiece.model"}),
        ("onnx", {"config.json", "model.onnx", "spiece.model"}),
        ("spark-nlp", {"config.json", "model.onnx", "assets"}),
    ):
        arguments = ["convert", str(source), str(tmp_path / form), "--format", form]
        assert cli.main(arguments) == 0
        text = capfd.readouterr().out
        assert text.startswith(f"wrote {tmp_path / form}\n")
        assert (".setDimension(32).setCaseSensitive(True)" in text) == (form == "spark-nlp")
        assert {path.name for path in (tmp_path / form).iterdir()} == written
        assert cli.main(arguments) == 1
        assert "overwrite=True" in capfd.readouterr().err
        assert cli.main([*arguments, "--overwrite"]) == 0
        capfd.readouterr()
    model = AlbertEmbeddings.load(tmp_path / "albert-fast")
    assert model.getCaseSensitive()
    assert (model.embed(["Some words"]).vectors == expected).all()
    assert cli.main(["convert", str(source), str(tmp_path / "x.onnx"), "--format", "onnx"]) == 0
    assert (tmp_path / "x.onnx").is_file()
    assert cli.main(["convert", "albert_tiny_en", str(tmp_path / "built-in")]) == 0
    assert AlbertEmbeddings.load(tmp_path / "built-in")._model_files().name == "albert_tiny_en"
    assert cli.main(["convert", str(source)]) == 2
