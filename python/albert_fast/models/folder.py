"""The Hugging Face folder (and ours): `config.json`, weights, vocabulary, read with every length checked.

Weights are `model.safetensors` or `pytorch_model.bin`, whole or in several files named by an index.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import CorruptModelError, ModelNotFoundError
from ..paths import path_of
from . import files as model_files
from . import record, vocabulary
from .containers import tree
from .containers.blobs import FileBlob
from .containers.tree import Tree
from .files import ModelFiles
from .geometry import Geometry, parse_config, read_config
from .safetensors import read_header
from .tensors import TensorEntry
from .vocabulary import ADDED_TOKENS, TOKENIZER, TOKENIZER_CONFIG, VOCABULARIES, Vocabulary

__all__ = [
    "ADDED_TOKENS", "CONFIG", "TOKENIZER", "TOKENIZER_CONFIG", "VOCABULARIES", "WEIGHTS",
    "Geometry", "ModelFiles", "TensorEntry", "read_folder", "vocabulary_file",
]  # fmt: skip

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
TORCH_WEIGHTS = "pytorch_model.bin"
TORCH_INDEX = "pytorch_model.bin.index.json"
# In order of preference.
WEIGHT_FILES = (WEIGHTS, INDEX, TORCH_WEIGHTS, TORCH_INDEX)
_LEAVES = {"gamma": "weight", "beta": "bias"}
PREFIXES = ("", "albert.")
MAX_SHARDS = 1000

_FOREIGN = {
    "tf_model.h5": "Keras weights",
    "flax_model.msgpack": "Flax weights",
    "rust_model.ot": "Rust weights",
}


def read_folder(
    path: str | os.PathLike[str],
    announced: record.Record | None = None,
    *,
    overrides: Mapping[str, object] | None = None,
) -> ModelFiles:
    """Read a Hugging Face or albert_fast model folder.

    Parameters
    ----------
    path
        Folder with `config.json`, weights (`model.safetensors`, `pytorch_model.bin`, or either in several files with
        their index), and `spiece.model` or a Unigram `tokenizer.json`.
    announced
        Provenance and hashes for a folder that has no `albert_fast.json`.
    overrides
        Values that go before those of `config.json`; see `files.OVERRIDES`.

    Raises
    ------
    ModelNotFoundError
        The folder or one of its files is missing; says which are needed and which were found.
    CorruptModelError
        A file is damaged, does not fit the others, or describes another kind of model.
    """
    # Absolute, so that pickles and saves still find it after a change of the working directory.
    folder = path_of(path).absolute()
    if not folder.exists():
        raise ModelNotFoundError(f"There is no folder {folder}. Give the folder that holds the model's {CONFIG}.")
    if not folder.is_dir():
        raise ModelNotFoundError(f"{folder} is a file. Give the folder that holds it.")
    return read_tree(tree.of_folder(folder), announced, overrides=overrides or {})


def read_tree(
    found: Tree,
    announced: record.Record | None = None,
    *,
    overrides: Mapping[str, object],
    weights: str | None = None,
) -> ModelFiles:
    """Read the Hugging Face folder that a tree is; `weights` names the file to take where there are several."""
    name = weights or next((name for name in WEIGHT_FILES if name in found), None)
    # Before the look at the files: a later format may have others, and its record says so.
    recorded = _read_record(found)
    _check_files(found, name, overrides)
    assert name is not None  # _check_files
    known = recorded or announced or record.Record()
    if found.is_plain_folder():
        record.verify(found.folder(), known)
    else:
        _verify_members(found, known)
    if CONFIG not in found:
        return _without_config(found, name, known, overrides)
    geometry, config = _read_config(found, overrides)
    header = _read_weights(found, name)
    where = found.where(name)
    tensors = model_files.select(header, geometry, where, f"{CONFIG} beside it", _prefix(header, where))
    words = vocabulary.read(found)
    assert words is not None  # _check_files
    model_files.check_pieces(words, geometry, where)
    return ModelFiles(
        source=found.root,
        geometry=geometry,
        weights=_first(tensors) if name.endswith(".json") else found.files[name].source,
        tensors=tensors,
        spiece=words.spiece,
        pieces=words.pieces,
        parameters={**_says(words), **known.parameters},
        name=known.name or found.root.resolve().name.partition(".zip")[0],
        keep_accents=words.keep_accents,
        added_tokens=words.added_tokens,
        origin=known.source,
        revision=known.revision,
        sha256=known.sha256,
        git_sha1=known.git_sha1,
        config={**config, **overrides},
        container=_container(name),
        overrides=dict(overrides),
    )


def _without_config(found: Tree, name: str, known: record.Record, overrides: Mapping[str, object]) -> ModelFiles:
    """Read weights without their configuration: the tensors show sizes, and the caller says the rest."""
    where = found.where(name)
    header = _read_weights(found, name)
    prefix = _prefix(header, where)
    files = model_files.assemble(
        source=found.root,
        container=_container(name),
        where=where,
        found={key.removeprefix(prefix): entry for key, entry in header.items()},
        vocabulary=vocabulary.read(found),
        hints={},
        overrides=overrides,
        parameters=known.parameters,
        name=known.name or found.root.resolve().name.partition(".zip")[0],
    )
    return files if name.endswith(".json") else dataclasses.replace(files, weights=found.files[name].source)


def _container(name: str) -> str:
    return "pytorch" if ".bin" in name else "safetensors"


def _read_record(found: Tree) -> record.Record | None:
    if found.is_plain_folder():
        return record.read(found.folder())
    if record.FILE_NAME not in found:
        return None
    where = found.where(record.FILE_NAME)
    try:
        return record.parse(found.read_json(record.FILE_NAME), Path(where))
    except (ValueError, TypeError) as error:
        if isinstance(error, CorruptModelError):
            raise
        raise CorruptModelError(f"{where} cannot be read: {error}. Save the model again.") from None


def _verify_members(found: Tree, known: record.Record) -> None:
    """Compare the files of an archive with the hashes that the model was saved with."""
    for name, expected in known.sha256.items():
        digest = hashlib.sha256()
        if name in found:
            with found.files[name].open() as reader:
                while block := reader.read(1 << 20):
                    digest.update(block)
        if digest.hexdigest() != expected:
            raise CorruptModelError(
                f"{found.where(name)} is missing, or was changed or damaged since the model was saved: its SHA-256 is "
                f"not {expected}. Fetch or save the model again."
            )


def vocabulary_file(folder: Path) -> str | None:
    """Return the name of the folder's vocabulary file, None where there is none."""
    return next((name for name in (*VOCABULARIES, TOKENIZER) if (folder / name).is_file()), None)


def _says(words: Vocabulary) -> dict[str, object]:
    return {} if words.lower_case is None else {"case_sensitive": not words.lower_case}


def _check_files(found: Tree, weights: str | None, overrides: Mapping[str, object]) -> None:
    # What the caller says may stand in for the configuration.
    missing = [] if CONFIG in found or overrides else [CONFIG]
    if weights is None:
        missing.append(WEIGHTS)
    if vocabulary.find(found) is None:
        missing.append(f"spiece.model (or a Unigram {TOKENIZER})")
    if missing:
        raise ModelNotFoundError(_missing_message(found, missing))


def describe(found: Tree) -> str:
    """Return what lies at the top of a tree, in words."""
    names = sorted(found.top())
    shown = [f"{name} ({_FOREIGN[name]})" if name in _FOREIGN else name for name in names]
    return (", ".join(shown[:12]) + (f" and {len(shown) - 12} more" if len(shown) > 12 else "")) or "nothing"


def _missing_message(found: Tree, missing: list[str]) -> str:
    message = f"{found.where()} has no {' and no '.join(missing)}; found: {describe(found)}."
    if WEIGHTS in missing and any(name in _FOREIGN for name in found.files):
        return message + (
            f" Weights of that kind are not read. With transformers, "
            f"AutoModel.from_pretrained(folder).save_pretrained(folder) writes {WEIGHTS}."
        )
    message += (
        f" A model folder needs {CONFIG}, {WEIGHTS} (or {TORCH_WEIGHTS}), and spiece.model or a Unigram {TOKENIZER}."
    )
    if missing == [CONFIG]:
        message += f" In place of {CONFIG} you may say what it says: load(..., {model_files.ASKED_FOR})."
    return message


def _read_config(found: Tree, overrides: Mapping[str, object]) -> tuple[Geometry, dict[str, Any]]:
    where = found.where(CONFIG)
    blob = found.files[CONFIG]
    if isinstance(blob, FileBlob) and found.is_plain_folder():
        return read_config(blob.path, overrides)
    content = found.read_json(CONFIG)
    return parse_config({**content, **overrides}, where, overrides), content


# ------------------------------------------------------------------------------------------------ weights


def _read_weights(found: Tree, name: str) -> dict[str, TensorEntry]:
    if not name.endswith(".json"):
        return _read_file(found, name)
    return _read_shards(found, name)


def _read_file(found: Tree, name: str) -> dict[str, TensorEntry]:
    blob = found.files[name]
    if name.endswith(".bin"):
        from .foreign import pytorch  # a folder of safetensors does not need it

        return _old_names(pytorch.read(blob, found.where(name)))
    if isinstance(blob, FileBlob) and blob.begin == 0 and found.is_plain_folder():
        return read_header(blob.path)
    return {key: dataclasses.replace(entry, blob=blob) for key, entry in read_header(blob, found.where(name)).items()}


def _read_shards(found: Tree, index: str) -> dict[str, TensorEntry]:
    content = found.read_json(index)
    where = found.where(index)
    mapped = content.get("weight_map")
    if not isinstance(mapped, dict) or not all(isinstance(value, str) for value in mapped.values()):
        raise CorruptModelError(f"{where}: 'weight_map' is not an object of file names. Fetch the index again.")
    names = sorted(set(mapped.values()))
    if len(names) > MAX_SHARDS:
        raise CorruptModelError(f"{where} names {len(names)} files, more than {MAX_SHARDS}.")
    header: dict[str, TensorEntry] = {}
    for name in names:
        if "/" in name or "\\" in name or not name.endswith((".safetensors", ".bin")):
            raise CorruptModelError(f"{where} names {name!r}, which is no file of weights beside it.")
        if name not in found:
            raise ModelNotFoundError(f"{where} names {name}, which is missing beside it. Fetch all files of the model.")
        for key, entry in _read_file(found, name).items():
            if mapped.get(key) == name or key not in mapped:
                header[key] = dataclasses.replace(entry, blob=entry.blob or found.files[name])
    return header


def _old_names(entries: dict[str, TensorEntry]) -> dict[str, TensorEntry]:
    """Give normalization weights their names of today; the first converters kept TensorFlow's."""
    renamed = {}
    for name, entry in entries.items():
        module, _, leaf = name.rpartition(".")
        is_norm = module.endswith(("LayerNorm", "layer_norm"))
        now = f"{module}.{_LEAVES[leaf]}" if is_norm and leaf in _LEAVES else name
        renamed[now] = dataclasses.replace(entry, name=now)
    return renamed


def _prefix(header: Mapping[str, TensorEntry], where: str) -> str:
    first = "embeddings.word_embeddings.weight"
    prefix = next((p for p in PREFIXES if p + first in header), None)
    if prefix is None:
        shown = ", ".join(sorted(header)[:5]) or "none"
        raise CorruptModelError(
            f"{where} has no tensor {first!r} (nor 'albert.{first}'), so it holds no ALBERT encoder; its first "
            f"tensors are: {shown}. Give the weights of an ALBERT."
        )
    return prefix


def _first(tensors: tuple[TensorEntry, ...]) -> Path:
    return next(entry.blob.source for entry in tensors if entry.blob is not None)
