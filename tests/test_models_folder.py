"""Reading and writing model folders: what is accepted, and what each fault is called."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pickle
import re
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import containers
import make_model
from albert_fast import AlbertEmbeddings, folders
from albert_fast.errors import CorruptModelError, ModelNotFoundError, ParameterError, VocabularyWarning, WriteError
from albert_fast.models import ModelFiles, built_in_folder, read_folder, resolve, save_folder
from albert_fast.models.geometry import tensor_shapes
from albert_fast.models.safetensors import TensorEntry


def values(files: ModelFiles, entry: TensorEntry) -> make_model.Array:
    """Read one tensor as float32, the way the core does: from its place in the file."""
    raw = files.weights.read_bytes()[entry.begin : entry.end]
    if entry.dtype == "BF16":
        numbers = make_model.from_bfloat16(np.frombuffer(raw, "<u2"))
    else:
        numbers = np.frombuffer(raw, "<f2" if entry.dtype == "F16" else "<f4").astype(np.float32)
    return numbers.reshape(entry.shape)


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    return make_model.write_folder(tmp_path / "model")


def change_config(folder: Path, **changes: Any) -> None:
    content = json.loads((folder / "config.json").read_text("utf-8"))
    for key, value in changes.items():
        if value is ...:
            del content[key]
        else:
            content[key] = value
    (folder / "config.json").write_text(json.dumps(content), "utf-8")


# --------------------------------------------------------------------------------------------- what loads


@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16"])
@pytest.mark.parametrize("prefix", ["", "albert."])
@pytest.mark.parametrize("heads", [False, True])
def test_every_needed_tensor_is_found_with_its_values(tmp_path: Path, dtype: str, prefix: str, heads: bool) -> None:
    geo = make_model.geometry(num_hidden_groups=2, inner_group_num=2)
    files = read_folder(make_model.write_folder(tmp_path / "m", geo, 3, dtype, prefix=prefix, heads=heads))
    expected = make_model.make_weights(geo, 3)
    assert [entry.name for entry in files.tensors] == list(tensor_shapes(files.geometry))
    assert {entry.name for entry in files.tensors} == set(expected)
    tolerance = {"F32": 0.0, "F16": 1e-3, "BF16": 8e-3}[dtype]
    for entry in files.tensors:
        assert entry.dtype == dtype
        np.testing.assert_allclose(values(files, entry), expected[entry.name], rtol=tolerance, atol=tolerance / 100)


def test_geometry_and_provenance(folder: Path) -> None:
    files = read_folder(folder)
    assert dataclasses.asdict(files.geometry) == make_model.TINY
    assert (files.name, files.origin, files.revision) == ("model", None, None)
    assert (files.pieces, files.has_pooler, dict(files.parameters)) == (400, True, {})
    assert files.weights == folder / "model.safetensors"
    assert pickle.loads(pickle.dumps(files)) == files


def test_a_missing_pooler_is_fine(tmp_path: Path) -> None:
    files = read_folder(make_model.write_folder(tmp_path / "m", pooler=False))
    assert not files.has_pooler
    assert all(not entry.name.startswith("pooler") for entry in files.tensors)


def test_more_rows_than_pieces_are_fine(tmp_path: Path) -> None:
    geo = make_model.geometry(vocab_size=408)
    files = read_folder(make_model.write_folder(tmp_path / "m", geo, spiece=make_model.vocabulary(400)))
    assert (files.pieces, files.geometry.vocab_size) == (400, 408)


@pytest.mark.parametrize("name", ["spiece.model", "assets/spiece.model", "30k-clean.model"])
def test_vocabulary_file_names(folder: Path, name: str) -> None:
    data = (folder / "spiece.model").read_bytes()
    (folder / "spiece.model").unlink()
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)
    assert read_folder(folder).spiece == data


def test_tokenizer_json_stands_in_for_spiece_model(tmp_path: Path) -> None:
    files = read_folder(make_model.write_folder(tmp_path / "m", tokenizer_json=True))
    assert files.pieces == 400
    assert files.parameters == {"case_sensitive": False}


def test_spiece_model_is_preferred(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("nonsense", "utf-8")
    assert read_folder(folder).pieces == 400


def test_settings_of_a_hugging_face_tokenizer_are_taken_over(folder: Path) -> None:
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": false, "keep_accents": true}', "utf-8")
    (folder / "added_tokens.json").write_text('{"[CLS]": 400, "[SEP]": 401, "old": 3}', "utf-8")
    files = read_folder(folder)
    assert (files.parameters, files.keep_accents) == ({"case_sensitive": True}, True)
    assert files.added_tokens == {"[CLS]": 400, "[SEP]": 401}


@pytest.mark.parametrize(
    ("name", "formula"),
    [("gelu", "gelu"), ("gelu_new", "gelu_new"), ("gelu_fast", "gelu_new"), ("gelu_pytorch_tanh", "gelu_new"),
     ("relu", "relu")],
)  # fmt: skip
def test_activations(folder: Path, name: str, formula: str) -> None:
    change_config(folder, hidden_act=name)
    assert read_folder(folder).geometry.hidden_act == formula


def test_optional_keys_have_the_defaults_of_transformers(folder: Path) -> None:
    change_config(
        folder,
        num_hidden_groups=...,
        inner_group_num=...,
        type_vocab_size=...,
        layer_norm_eps=...,
        hidden_act=...,
        max_position_embeddings=...,
        model_type=...,
    )
    assert dataclasses.asdict(read_folder(folder).geometry) == make_model.TINY


# ----------------------------------------------------------------------------------------- what is refused


CONFIGS: dict[str, tuple[dict[str, Any], str]] = {
    "other model": ({"model_type": "bert"}, "'bert'"),
    "other architecture": ({"model_type": ..., "architectures": ["BertModel"]}, "BertModel"),
    "relative positions": ({"position_embedding_type": "relative_key"}, "relative_key"),
    "other activation": ({"hidden_act": "swish"}, "swish"),
    "activation is a number": ({"hidden_act": 1}, "hidden_act is 1"),
    "no heads": ({"num_attention_heads": ...}, "num_attention_heads"),
    "zero heads": ({"num_attention_heads": 0}, "num_attention_heads is 0"),
    "heads do not divide": ({"num_attention_heads": 5}, "not a multiple"),
    "negative size": ({"hidden_size": -32}, "hidden_size is -32"),
    "huge size": ({"hidden_size": 1 << 40}, "hidden_size"),
    "text as size": ({"intermediate_size": "64"}, "'64'"),
    "boolean as size": ({"num_hidden_layers": True}, "True"),
    "more groups than layers": ({"num_hidden_groups": 4}, "num_hidden_groups 4"),
    "epsilon": ({"layer_norm_eps": -1.0}, "layer_norm_eps"),
    "epsilon text": ({"layer_norm_eps": "1e-12"}, "layer_norm_eps"),
}


@pytest.mark.parametrize("what", CONFIGS)
def test_configurations_that_cannot_be(folder: Path, what: str) -> None:
    changes, message = CONFIGS[what]
    change_config(folder, **changes)
    with pytest.raises(CorruptModelError, match=r"config\.json.*" + message.replace("'", ".")):
        read_folder(folder)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"[" * 200_000])
def test_configurations_that_are_no_json_object(folder: Path, data: bytes) -> None:
    (folder / "config.json").write_bytes(data)
    with pytest.raises(CorruptModelError, match=r"config\.json"):
        read_folder(folder)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "spiece.model"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelNotFoundError, match=f"has no {name}.*found:"):
        read_folder(folder)


def test_other_formats_are_named_with_the_way_out(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "tf_model.h5")
    with pytest.raises(ModelNotFoundError, match=r"tf_model\.h5 \(Keras weights\).*save_pretrained"):
        read_folder(folder)


def test_no_folder_and_no_directory(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="There is no folder"):
        read_folder(tmp_path / "nothing")
    (tmp_path / "model.zip").write_bytes(b"PK")
    with pytest.raises(ModelNotFoundError, match=r"model\.zip is a file"):
        read_folder(tmp_path / "model.zip")


def rewrite(folder: Path, edit: Callable[[dict[str, make_model.Array]], Any], dtype: str = "F32") -> None:
    weights = make_model.make_weights(make_model.TINY)
    edit(weights)
    make_model.save_safetensors(folder / "model.safetensors", weights, dtype)


@pytest.mark.parametrize("name", list(make_model.weight_shapes(make_model.TINY, pooler=False)))
def test_each_missing_tensor_is_named(folder: Path, name: str) -> None:
    rewrite(folder, lambda weights: weights.pop(name))
    with pytest.raises(CorruptModelError, match=name.replace(".", r"\.")):
        read_folder(folder)


@pytest.mark.parametrize("name", list(make_model.weight_shapes(make_model.TINY)))
def test_each_wrong_shape_is_named_with_both_shapes(folder: Path, name: str) -> None:
    rewrite(folder, lambda weights: weights.update({name: np.zeros((3, 1), np.float32)}))
    with pytest.raises(CorruptModelError, match=name.replace(".", r"\.") + r".*\[3, 1\], expected \["):
        read_folder(folder)


def test_half_a_pooler_counts_as_none(folder: Path) -> None:
    rewrite(folder, lambda weights: weights.pop("pooler.bias"))
    assert not read_folder(folder).has_pooler


def test_stored_types_without_a_reader_are_named(folder: Path) -> None:
    data = (folder / "model.safetensors").read_bytes().replace(b'"dtype": "F32"', b'"dtype": "I32"', 1)
    (folder / "model.safetensors").write_bytes(data)
    with pytest.raises(CorruptModelError, match=r"stored as I32, expected F32, F16, BF16"):
        read_folder(folder)


def test_weights_of_another_kind_of_model(folder: Path) -> None:
    make_model.save_safetensors(folder / "model.safetensors", {"lstm.weight": np.zeros((2, 2), np.float32)})
    with pytest.raises(CorruptModelError, match=r"no ALBERT encoder.*lstm\.weight"):
        read_folder(folder)


def test_more_pieces_than_rows(tmp_path: Path) -> None:
    folder = make_model.write_folder(tmp_path / "m", spiece=make_model.vocabulary(420))
    with pytest.raises(CorruptModelError, match=r"420 pieces.*400 rows"):
        read_folder(folder)


@pytest.mark.parametrize(
    "data", [b"", b"\x0a\xff\xff\xff\x7f", b"hello world", b"\x0b", b"\x12\x00", b"version https://git-lfs"]
)
def test_vocabularies_that_are_none(folder: Path, data: bytes) -> None:
    (folder / "spiece.model").write_bytes(data)
    with pytest.raises(CorruptModelError, match=r"spiece\.model"):
        read_folder(folder)


def test_a_cut_vocabulary(folder: Path) -> None:
    data = (folder / "spiece.model").read_bytes()
    (folder / "spiece.model").write_bytes(data[:-3])
    with pytest.raises(CorruptModelError, match=r"spiece\.model"):
        read_folder(folder)


# ------------------------------------------------------------------------------------------ save and load


def test_save_and_load_again(folder: Path, tmp_path: Path) -> None:
    first = read_folder(folder)
    saved = save_folder(first, tmp_path / "deep" / "out", {"case_sensitive": True, "layers": [1, 2]})
    assert sorted(p.name for p in saved.iterdir()) == [
        "albert_fast.json", "config.json", "model.safetensors", "spiece.model",
    ]  # fmt: skip
    again = read_folder(saved)
    assert again.geometry == first.geometry
    assert again.spiece == first.spiece
    assert again.name == "model"
    assert again.parameters == {"case_sensitive": True, "layers": [1, 2]}
    assert set(again.sha256) == {"config.json", "model.safetensors", "spiece.model"}
    for one, two in zip(first.tensors, again.tensors, strict=True):
        np.testing.assert_array_equal(values(first, one), values(again, two))
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["out"], "nothing else may be left"


def test_what_a_tokenizer_json_says_survives_saving(tmp_path: Path) -> None:
    folder = make_model.write_folder(tmp_path / "m", tokenizer_json=True)
    (folder / "tokenizer_config.json").write_text('{"keep_accents": true}', "utf-8")
    (folder / "added_tokens.json").write_text('{"[CLS]": 400}', "utf-8")
    first = read_folder(folder)
    again = read_folder(save_folder(first, tmp_path / "out", first.parameters))
    assert again.spiece == first.spiece
    assert (again.keep_accents, again.added_tokens) == (True, {"[CLS]": 400})
    assert again.parameters == first.parameters == {"case_sensitive": False}


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "spiece.model"])
def test_a_changed_file_is_refused_on_load(folder: Path, tmp_path: Path, name: str) -> None:
    saved = save_folder(read_folder(folder), tmp_path / "out", {})
    data = bytearray((saved / name).read_bytes())
    data[-2] ^= 1
    (saved / name).write_bytes(data)
    with pytest.raises(CorruptModelError, match=rf"{name} was changed.*expected [0-9a-f]{{64}}"):
        read_folder(saved)


def test_saving_onto_itself_and_over_an_old_model(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    files = read_folder(save_folder(read_folder(folder), out, {"layers": 1}))
    with pytest.raises(ParameterError, match="overwrite=True"):
        save_folder(files, out, {})
    save_folder(files, out, {"layers": 2}, overwrite=True)
    assert read_folder(out).parameters == {"layers": 2}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model", "out"]


def test_what_is_not_ours_is_never_replaced(folder: Path, tmp_path: Path) -> None:
    files = read_folder(folder)
    with pytest.raises(ParameterError, match="left alone"):
        save_folder(files, folder, {}, overwrite=True)
    (tmp_path / "file").write_text("x")
    with pytest.raises(ParameterError, match="is a file"):
        save_folder(files, tmp_path / "file", {}, overwrite=True)
    (tmp_path / "empty").mkdir()
    assert read_folder(save_folder(files, tmp_path / "empty", {})).name == "model"


@pytest.mark.parametrize("fault", ["os.fsync", "os.rename"])
def test_a_failing_disk_leaves_nothing_and_keeps_the_old_model(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    out = tmp_path / "out"
    files = read_folder(folder)
    save_folder(files, out, {"layers": 1})
    for fails_at in range(8):
        calls = 0
        module, name = fault.split(".")
        real = getattr(os, name)

        def broken(*arguments: Any, real: Any = real, fails_at: int = fails_at) -> Any:
            nonlocal calls
            calls += 1
            if calls - 1 == fails_at:
                raise OSError(28, "No space left on device")
            return real(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(f"{module}.{name}", broken)
            # a failure after the old model made way, in flushing the parent folder, is no failure any more
            with contextlib.suppress(WriteError):
                save_folder(files, out, {"layers": 1}, overwrite=True)
        assert read_folder(out).parameters == {"layers": 1}
        assert sorted(p.name for p in tmp_path.iterdir()) == ["model", "out"]


def test_weights_that_changed_since_loading_are_not_saved(folder: Path, tmp_path: Path) -> None:
    saved = save_folder(read_folder(folder), tmp_path / "out", {})
    files = read_folder(saved)
    data = bytearray(files.weights.read_bytes())
    data[-1] ^= 1
    files.weights.write_bytes(data)
    with pytest.raises(CorruptModelError, match="changed since it was loaded"):
        save_folder(files, tmp_path / "second", {})
    shutil.rmtree(saved)
    with pytest.raises(ModelNotFoundError, match="are gone"):
        save_folder(files, tmp_path / "second", {})
    assert not (tmp_path / "second").exists()


@pytest.mark.parametrize(("rows", "added", "warns"), [(400, 0, 0), (527, 0, 0), (528, 0, 1), (528, 1, 0), (8000, 9, 1)])
@pytest.mark.parametrize("tokenizer_json", [False, True])
def test_a_vocabulary_with_far_fewer_pieces_than_rows(
    tmp_path: Path, rows: int, added: int, warns: int, tokenizer_json: bool
) -> None:
    """Padding to a multiple of 8, 64 or 128 rows is usual, and tokens past the pieces count."""
    folder = make_model.write_folder(
        tmp_path / "m", make_model.geometry(vocab_size=rows), spiece=make_model.vocabulary(),
        tokenizer_json=tokenizer_json,
    )  # fmt: skip
    (folder / "added_tokens.json").write_text(json.dumps({f"[X{n}]": 400 + n for n in range(added)}))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        files = read_folder(folder)
    assert files.pieces == 400
    assert [warning.category for warning in caught] == [VocabularyWarning] * warns
    if warns:
        assert caught[0].filename == __file__
        expected = rf"has {400 + added} pieces, but .* {rows} rows.*may not belong together.*Fetch both from one model"
        assert re.search(expected, str(caught[0].message))


def test_unused_pieces_change_no_id(tmp_path: Path) -> None:
    text = "a cab <unused400> naïve 3,500"
    models = [
        AlbertEmbeddings.load(
            make_model.write_folder(
                tmp_path / str(rows), make_model.geometry(vocab_size=rows),
                spiece=make_model.padded(make_model.vocabulary(), rows),
            )
        )
        for rows in (400, 700)
    ]  # fmt: skip
    few, many = (model.embed(text, level="piece") for model in models)
    np.testing.assert_array_equal(few.piece_ids, many.piece_ids)


@pytest.mark.parametrize("weights", ["model.safetensors", "pytorch_model.bin"])
def test_a_model_whose_files_are_gone(folder: Path, tmp_path: Path, weights: str) -> None:
    if weights == "pytorch_model.bin":
        tensors = make_model.make_weights(make_model.TINY)
        (folder / weights).write_bytes(containers.torch_zip(tensors))
        (folder / "model.safetensors").unlink()
    model = AlbertEmbeddings.load(folder)
    expected = model.embed("a cab").vectors
    shutil.rmtree(folder)
    with pytest.raises(ModelNotFoundError, match=r"files of the model model are gone from .*load the model from where"):
        model.setPrecision("int8").embed("a cab")
    with pytest.raises(ModelNotFoundError, match="gone") as caught:
        model.save(tmp_path / "again")
    assert "cannot be written" not in str(caught.value)
    np.testing.assert_array_equal(model.setPrecision("fp32").embed("a cab").vectors, expected)


@pytest.mark.parametrize("weights", ["model.safetensors", "pytorch_model.bin"])
def test_a_model_whose_files_are_others_now(folder: Path, tmp_path: Path, weights: str) -> None:
    """The same sizes, other numbers: whoever reads them again would have another model without knowing."""
    other = make_model.make_weights(make_model.TINY, seed=9)
    if weights == "pytorch_model.bin":
        (folder / weights).write_bytes(containers.torch_zip(make_model.make_weights(make_model.TINY)))
        (folder / "model.safetensors").unlink()
        changed = containers.torch_zip(other)
    else:
        changed = make_model.write_folder(tmp_path / "other", seed=9).joinpath(weights).read_bytes()
    model = AlbertEmbeddings.load(folder)
    expected = model.embed("a cab").vectors
    (tmp_path / "new").write_bytes(changed)
    os.replace(tmp_path / "new", folder / weights)
    for use in (
        lambda: model.save(tmp_path / "saved"),
        lambda: model.export("onnx", tmp_path / "exported"),
        lambda: model.export("onnx", tmp_path / "exported.onnx"),
        lambda: model.copy().setPrecision("int8").embed("a cab"),
    ):
        with pytest.raises(CorruptModelError, match=r"model model in .* have changed since it was loaded.*again\.$"):
            use()
    assert not [*tmp_path.glob("saved*"), *tmp_path.glob("exported*"), *tmp_path.glob(".*")]
    np.testing.assert_array_equal(model.embed("a cab").vectors, expected)
    assert abs(AlbertEmbeddings.load(folder).embed("a cab").vectors - expected).max() > 0.1


def test_a_model_saved_over_itself_goes_on(folder: Path, tmp_path: Path) -> None:
    AlbertEmbeddings.load(folder).save(tmp_path / "own")
    model = AlbertEmbeddings.load(tmp_path / "own")
    expected = model.embed("a cab").vectors
    model.setNormalize(True).save(tmp_path / "own", overwrite=True)
    model.save(tmp_path / "second")
    np.testing.assert_array_equal(model.setNormalize(False).embed("a cab").vectors, expected)
    assert AlbertEmbeddings.load(tmp_path / "second").getNormalize()
    int8 = model.setPrecision("int8").embed("a cab").vectors
    np.testing.assert_array_equal(AlbertEmbeddings.load(folder, precision="int8").embed("a cab").vectors, int8)


@pytest.mark.parametrize("exchanges", [True, False])
def test_an_interruption_while_names_change_keeps_a_model(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchanges: bool
) -> None:
    """Ctrl-C at any point of it: one of the two models has the name, and nothing else is left."""
    files = read_folder(folder)
    out = save_folder(files, tmp_path / "out", {"layers": 1})
    if not exchanges:
        monkeypatch.setattr(folders, "_exchange", lambda one, other: False)
    real = os.rename
    for stops_at in range(3):
        renamed = 0

        def rename(old: Any, new: Any, stops_at: int = stops_at) -> None:
            nonlocal renamed
            real(old, new)
            renamed += 1
            if renamed - 1 == stops_at:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(os, "rename", rename)
            with contextlib.suppress(KeyboardInterrupt):
                save_folder(files, out, {"layers": 2}, overwrite=True)
        assert read_folder(out).parameters["layers"] in (1, 2)
        assert sorted(p.name for p in tmp_path.iterdir()) == ["model", "out"]
        assert renamed == (0 if exchanges else 2)


def test_a_folder_that_is_replaced_is_never_away(folder: Path, tmp_path: Path) -> None:
    """Two folders change names at one stroke, where the file system can."""
    one, other = tmp_path / "one", tmp_path / "other"
    for path in (one, other):
        path.mkdir()
        (path / path.name).touch()
    if not folders._exchange(one, other):
        pytest.skip("skipped: this file system cannot exchange names")
    assert [p.name for p in one.iterdir()] == ["other"]
    assert [p.name for p in other.iterdir()] == ["one"]


def test_a_link_is_followed_and_stays(folder: Path, tmp_path: Path) -> None:
    files = read_folder(folder)
    (tmp_path / "versions").mkdir()
    (tmp_path / "current").symlink_to(tmp_path / "versions/1")
    for layers in (1, 2):
        assert save_folder(files, tmp_path / "current", {"layers": layers}, overwrite=True) == tmp_path / "current"
        assert (tmp_path / "current").is_symlink()
        assert read_folder(tmp_path / "versions/1").parameters == {"layers": layers}
    assert sorted(p.name for p in (*tmp_path.iterdir(), *(tmp_path / "versions").iterdir())) == [
        "1", "current", "model", "versions",
    ]  # fmt: skip


@pytest.mark.parametrize("value", [object(), float("nan"), {1, 2}, b"x"])
def test_parameters_that_are_no_json(folder: Path, tmp_path: Path, value: object) -> None:
    with pytest.raises(ParameterError, match="JSON"):
        save_folder(read_folder(folder), tmp_path / "out", {"x": value})


RECORDS = {
    "no JSON": ("{", CorruptModelError),
    "list": ("[]", CorruptModelError),
    "later format": ('{"format": 2}', CorruptModelError),
    "no format": ("{}", CorruptModelError),
    "hash of letters": ('{"format": 1, "sha256": {"config.json": "zz"}}', CorruptModelError),
    "path outside": ('{"format": 1, "sha256": {"../x": "%s"}}' % ("0" * 64), CorruptModelError),
    "listed file missing": ('{"format": 1, "sha256": {"gone": "%s"}}' % ("0" * 64), CorruptModelError),
}


@pytest.mark.parametrize("what", RECORDS)
def test_damaged_records(folder: Path, what: str) -> None:
    text, kind = RECORDS[what]
    (folder / "albert_fast.json").write_text(text, "utf-8")
    with pytest.raises(kind, match=r"albert_fast\.json|gone"):
        read_folder(folder)


def test_resolve_takes_paths(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve(folder).source == folder
    assert resolve(str(folder)).source == folder
    monkeypatch.chdir(folder.parent)
    assert resolve("model").name == "model"
    assert resolve("./model").name == "model"
    for name in ("./nothing", "/nothing/here", "~/nothing-here"):
        with pytest.raises(ModelNotFoundError, match="There is no folder"):
            resolve(name)
    for bad in ("", "  ", None, 5):
        with pytest.raises(ParameterError):
            resolve(bad)  # type: ignore[arg-type]


def test_the_built_in_model(monkeypatch: pytest.MonkeyPatch) -> None:
    if not (built_in_folder() / "config.json").is_file():
        pytest.skip("skipped: the built-in model is not in this tree")
    monkeypatch.setenv("ALBERT_FAST_OFFLINE", "1")
    files = resolve("albert_tiny_en", "en")
    assert files.name == "albert_tiny_en"
    assert files.pieces == files.geometry.vocab_size


@pytest.mark.parametrize("name", ["tiny_albert", "tiny_albert_groups", "tiny_albert_gelu"])
def test_folders_that_transformers_wrote(tmp_path: Path, name: str) -> None:
    golden = os.environ.get("ALBERT_FAST_GOLDEN")
    if not golden:
        pytest.skip("skipped: no golden folder")
    folder = tmp_path / name
    folder.mkdir()
    for part in ("config.json", "model.safetensors"):
        shutil.copyfile(Path(golden) / name / part, folder / part)
    shutil.copyfile(Path(golden) / "sparknlp/models/hf_folder/spiece.model", folder / "spiece.model")
    files = read_folder(folder)
    assert (files.pieces, files.geometry.vocab_size) == (30000, 30000)
    assert len(files.tensors) == (73 if name.endswith("groups") else 25)
