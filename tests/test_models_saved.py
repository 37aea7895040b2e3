"""Folders that were saved once stay loadable: one from the first version lies in `tests/data/saved_format_1`.

It was written by `python test_models_saved.py FOLDER` with albert_fast 0.1.0; a later format gets a folder of its
own beside it, and this one stays.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import make_model
from albert_fast import AlbertEmbeddings
from albert_fast.errors import CorruptModelError
from albert_fast.models import read_folder, record

SAVED = Path(__file__).parent / "data/saved_format_1"
TEXTS = ["a cab, a bed", "Dead bees: fed!"]
PARAMETERS: dict[str, Any] = {"max_sentence_length": 64, "pooling": "mean", "case_sensitive": False}
GEOMETRY = make_model.geometry(
    vocab_size=40, embedding_size=4, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12,
    max_position_embeddings=64,
)  # fmt: skip


def write(target: Path) -> None:
    """Save a model that no other test makes, and the vectors it gives."""
    words = "a cab bed dead bee fed ace deaf bead fade dad add cafe face decade".split()
    lines = [" ".join(words[(i * k) % len(words)] for i in range(1, 12)) for k in range(1, 40)]
    spiece = make_model.train_vocabulary(vocab_size=34, sentences=lines, normalization_rule_name="identity")
    folder = make_model.write_folder(target.with_name(target.name + "-source"), GEOMETRY, seed=11, spiece=spiece)
    (folder / "added_tokens.json").write_text(json.dumps({"[EXTRA]": 37}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"keep_accents": True}))
    AlbertEmbeddings.load(folder, **PARAMETERS).save(target)
    np.save(target.with_name(target.name + ".npy"), AlbertEmbeddings.load(target).embed(TEXTS).vectors)
    shutil.rmtree(folder)


@pytest.fixture(name="saved")
def _saved(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SAVED, tmp_path / "saved"))


def test_an_old_folder_loads_and_gives_its_vectors(saved: Path) -> None:
    model = AlbertEmbeddings.load(saved)
    assert model.explicit_params() == PARAMETERS
    expected = np.load(SAVED.with_name(SAVED.name + ".npy"))
    np.testing.assert_allclose(model.embed(TEXTS).vectors, expected, rtol=0, atol=2e-5)
    files = read_folder(saved)
    assert files.keep_accents
    assert files.added_tokens == {"[EXTRA]": 37}
    assert files.name == "saved_format_1-source"


def test_this_version_writes_the_same_layout(saved: Path, tmp_path: Path) -> None:
    """If this fails, the layout changed: raise `record.FORMAT`, keep this folder, and add one of the new format."""
    AlbertEmbeddings.load(saved).save(tmp_path / "again")
    assert record.FORMAT == 1
    for path in sorted(saved.iterdir()):
        if path.name == record.FILE_NAME:
            assert json.loads((tmp_path / "again" / path.name).read_bytes()) == json.loads(path.read_bytes())
        else:
            assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes(), path.name
    assert [path.name for path in sorted((tmp_path / "again").iterdir())] == [
        "added_tokens.json", "albert_fast.json", "config.json", "model.safetensors", "spiece.model",
        "tokenizer_config.json",
    ]  # fmt: skip


def test_the_record_is_complete() -> None:
    content = json.loads((SAVED / record.FILE_NAME).read_bytes())
    assert list(content) == ["format", "name", "source", "revision", "sha256", "git_sha1", "parameters"]
    others = {path.name for path in SAVED.iterdir()} - {record.FILE_NAME}
    assert content["sha256"] == {name: hashlib.sha256((SAVED / name).read_bytes()).hexdigest() for name in others}
    assert content["parameters"] == PARAMETERS


@pytest.mark.parametrize("other_files", [False, True])
def test_a_later_format_says_what_to_do(saved: Path, other_files: bool) -> None:
    path = saved / record.FILE_NAME
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "format": record.FORMAT + 1, "new": [1, 2]}))
    if other_files:
        (saved / "model.safetensors").rename(saved / "weights.new")
    with pytest.raises(CorruptModelError, match=r"has format 2, written by a later albert_fast.*pip install --upgrade"):
        AlbertEmbeddings.load(saved)


def test_keys_that_a_later_version_added_are_no_error(saved: Path) -> None:
    path = saved / record.FILE_NAME
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "note": "from later"}))
    assert AlbertEmbeddings.load(saved).explicit_params() == PARAMETERS


if __name__ == "__main__":
    write(Path(sys.argv[1]))
