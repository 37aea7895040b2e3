"""The model folder: `config.json`, `model.safetensors`, `spiece.model`, read with every length checked."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import CorruptModelError, ModelNotFoundError, ParameterError
from . import protobuf, record, tokenizer_json
from .geometry import POOLER, Geometry, read_config, tensor_shapes
from .safetensors import TensorEntry, read_header

__all__ = ["Geometry", "ModelFiles", "TensorEntry", "read_folder"]

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
# In order of preference; the second is where Spark NLP wants it, the third is Google's own name.
VOCABULARIES = ("spiece.model", "assets/spiece.model", "30k-clean.model")
TOKENIZER = "tokenizer.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
ADDED_TOKENS = "added_tokens.json"
PREFIXES = ("", "albert.")
MAX_SPIECE_BYTES = 64 << 20
_FLOATS = ("F32", "F16", "BF16")

_FOREIGN = {
    "pytorch_model.bin": "PyTorch weights",
    "tf_model.h5": "TensorFlow weights",
    "flax_model.msgpack": "Flax weights",
    "model.safetensors.index.json": "weights split over several files",
    "model.onnx": "an ONNX graph",
    "saved_model.pb": "a TensorFlow SavedModel",
    "albert_config.json": "a Google checkpoint",
    "albert_tensorflow": "a model saved by Spark NLP (TensorFlow)",
    "albert_onnx": "a model saved by Spark NLP (ONNX)",
}


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model folder, read and checked; the weights stay in their file.

    Attributes
    ----------
    source
        The folder.
    weights
        The safetensors file that the offsets in `tensors` belong to.
    tensors
        What the geometry needs, under Hugging Face's names without prefix, in the order of `tensor_shapes`;
        the two pooler tensors last, where the file has them.
    spiece
        Bytes of the SentencePiece model.
    pieces
        Number of pieces in `spiece`, at most `geometry.vocab_size`.
    parameters
        Saved keyword arguments of `AlbertEmbeddings`, or what a Hugging Face folder says (`case_sensitive`).
    keep_accents
        Whether the folder's tokenizer leaves accents alone.
    added_tokens
        Tokens with an id of their own past the pieces, for example [CLS] in some community models.
    name, origin, revision, sha256, git_sha1
        Provenance, see `record.Record`; `origin` is its `source`.
    config
        The whole content of `config.json`.
    """

    source: Path
    geometry: Geometry
    weights: Path
    tensors: tuple[TensorEntry, ...]
    spiece: bytes
    pieces: int
    parameters: Mapping[str, object]
    name: str
    keep_accents: bool = False
    added_tokens: Mapping[str, int] = field(default_factory=dict)
    origin: str | None = None
    revision: str | None = None
    sha256: Mapping[str, str] = field(default_factory=dict)
    git_sha1: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def has_pooler(self) -> bool:
        """Whether the weights hold the pooler."""
        return any(entry.name == POOLER[0] for entry in self.tensors)


def read_folder(path: str | os.PathLike[str], announced: record.Record | None = None) -> ModelFiles:
    """Read a Hugging Face or albert_fast model folder.

    Parameters
    ----------
    path
        Folder with `config.json`, `model.safetensors`, and `spiece.model` or a Unigram `tokenizer.json`.
    announced
        Provenance and hashes for a folder that has no `albert_fast.json`.

    Raises
    ------
    ModelNotFoundError
        The folder or one of its files is missing; says which are needed and which were found.
    CorruptModelError
        A file is damaged, does not fit the others, or describes another kind of model.
    """
    try:
        # Absolute, so that pickles and saves still find it after a change of the working directory.
        folder = Path(path).expanduser().absolute()
    except TypeError:
        raise ParameterError(f"The model's folder is {path!r}. Give a path.") from None
    # Before the look at the files: a later format may have others, and its record says so.
    recorded = record.read(folder) if folder.is_dir() else None
    _check_files(folder)
    known = recorded or announced or record.Record()
    record.verify(folder, known)
    geometry, config = read_config(folder / CONFIG)
    weights = folder / WEIGHTS
    tensors = _select(read_header(weights), geometry, weights)
    vocabulary = _read_vocabulary(folder)
    _check_pieces(vocabulary.pieces, geometry, vocabulary.path, folder)
    parameters: dict[str, object] = {}
    if vocabulary.lower_case is not None:
        parameters["case_sensitive"] = not vocabulary.lower_case
    parameters.update(known.parameters)
    return ModelFiles(
        source=folder,
        geometry=geometry,
        weights=weights,
        tensors=tensors,
        spiece=vocabulary.spiece,
        pieces=vocabulary.pieces,
        parameters=parameters,
        name=known.name or folder.resolve().name,
        keep_accents=vocabulary.keep_accents,
        added_tokens=vocabulary.added_tokens,
        origin=known.source,
        revision=known.revision,
        sha256=known.sha256,
        git_sha1=known.git_sha1,
        config=config,
    )


def vocabulary_file(folder: Path) -> str | None:
    """Return the name of the folder's vocabulary file, None where there is none."""
    return next((name for name in (*VOCABULARIES, TOKENIZER) if (folder / name).is_file()), None)


def _check_files(folder: Path) -> None:
    if not folder.exists():
        raise ModelNotFoundError(f"There is no folder {folder}. Give the folder that holds the model's {CONFIG}.")
    if not folder.is_dir():
        raise ModelNotFoundError(
            f"{folder} is a file. This version reads model folders ({CONFIG}, {WEIGHTS}, spiece.model): unpack it, "
            "or give the folder it lies in."
        )
    missing = [name for name in (CONFIG, WEIGHTS) if not (folder / name).is_file()]
    if vocabulary_file(folder) is None:
        missing.append(f"spiece.model (or a Unigram {TOKENIZER})")
    if missing:
        raise ModelNotFoundError(_missing_message(folder, missing))


def _missing_message(folder: Path, missing: list[str]) -> str:
    names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    found = [f"{name} ({_FOREIGN[name]})" if name in _FOREIGN else name for name in names]
    shown = ", ".join(found[:12]) + (f" and {len(found) - 12} more" if len(found) > 12 else "")
    message = f"{folder} has no {' and no '.join(missing)}; found: {shown or 'nothing'}."
    if WEIGHTS in missing and any(name in _FOREIGN for name in names):
        message += (
            f" This version reads weights from {WEIGHTS} only. With transformers, "
            "AutoModel.from_pretrained(folder).save_pretrained(folder) writes that file."
        )
    else:
        message += f" A model folder needs {CONFIG}, {WEIGHTS}, and spiece.model or a Unigram {TOKENIZER}."
    return message


# ------------------------------------------------------------------------------------------------ weights


def _select(header: Mapping[str, TensorEntry], geometry: Geometry, path: Path) -> tuple[TensorEntry, ...]:
    first = "embeddings.word_embeddings.weight"
    prefix = next((p for p in PREFIXES if p + first in header), None)
    if prefix is None:
        shown = ", ".join(sorted(header)[:5]) or "none"
        raise CorruptModelError(
            f"{path} has no tensor {first!r} (nor 'albert.{first}'), so it holds no ALBERT encoder; its first "
            f"tensors are: {shown}. Give the weights of an ALBERT."
        )
    shapes = tensor_shapes(geometry)
    if any(prefix + name not in header for name in POOLER):
        for name in POOLER:
            del shapes[name]
    return tuple(_checked(header, prefix, name, shape, path) for name, shape in shapes.items())


def _checked(
    header: Mapping[str, TensorEntry], prefix: str, name: str, shape: tuple[int, ...], path: Path
) -> TensorEntry:
    entry = header.get(prefix + name)
    if entry is None:
        raise CorruptModelError(
            f"{path} has no tensor {prefix + name!r} (shape {list(shape)}), which {CONFIG} beside it asks for. Fetch "
            "both files of the same model."
        )
    if entry.shape != shape:
        raise CorruptModelError(
            f"{path}: tensor {entry.name!r} has shape {list(entry.shape)}, expected {list(shape)} by {CONFIG} beside "
            "it. Fetch both files of the same model."
        )
    if entry.dtype not in _FLOATS:
        raise CorruptModelError(
            f"{path}: tensor {entry.name!r} is stored as {entry.dtype}, expected {', '.join(_FLOATS)}. Convert the "
            "weights to one of these."
        )
    return TensorEntry(name, entry.dtype, entry.shape, entry.begin, entry.end)


# --------------------------------------------------------------------------------------------- vocabulary


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    path: Path
    spiece: bytes
    pieces: int
    lower_case: bool | None
    keep_accents: bool
    added_tokens: Mapping[str, int]


def _read_vocabulary(folder: Path) -> _Vocabulary:
    name = vocabulary_file(folder)
    assert name is not None  # _check_files
    path = folder / name
    settings = _read_object(folder / TOKENIZER_CONFIG)
    lower_case, keep_accents = settings.get("do_lower_case"), settings.get("keep_accents")
    added = {k: v for k, v in _read_object(folder / ADDED_TOKENS).items() if type(v) is int}
    if name == TOKENIZER:
        converted = tokenizer_json.convert(path)
        spiece = converted.spiece
        added = {**converted.added_tokens, **added}
        lower_case = converted.lower_case if lower_case is None else lower_case
        keep_accents = converted.keep_accents if keep_accents is None else keep_accents
    else:
        spiece = _read_spiece(path)
    pieces = _count_pieces(spiece, path)
    return _Vocabulary(
        path=path,
        spiece=spiece,
        pieces=pieces,
        lower_case=lower_case if isinstance(lower_case, bool) else None,
        keep_accents=keep_accents is True,
        added_tokens={token: index for token, index in added.items() if index >= pieces},
    )


def _read_object(path: Path) -> dict[str, Any]:
    """Return the content of an optional JSON file of settings; an unreadable one counts as absent."""
    try:
        value = json.loads(path.read_bytes().decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _read_spiece(path: Path) -> bytes:
    size = path.stat().st_size
    if size > MAX_SPIECE_BYTES:
        raise CorruptModelError(f"{path} has {size} bytes; no SentencePiece model has over {MAX_SPIECE_BYTES}.")
    return path.read_bytes()


def _count_pieces(spiece: bytes, path: Path) -> int:
    if spiece.startswith(b"version https://git-lfs"):
        raise CorruptModelError(
            f"{path} is a Git LFS pointer, not the vocabulary itself. Run 'git lfs pull' in the repository it came "
            "from."
        )
    try:
        count = protobuf.count_messages(spiece)
    except protobuf.WireError as error:
        raise CorruptModelError(
            f"{path} is not a SentencePiece model ({error}). The file is damaged or incomplete: fetch it again."
        ) from None
    if count == 0:
        raise CorruptModelError(f"{path} is not a SentencePiece model: it holds no pieces. Fetch it again.")
    return count


def _check_pieces(pieces: int, geometry: Geometry, path: Path, folder: Path) -> None:
    if pieces > geometry.vocab_size:
        raise CorruptModelError(
            f"{path} has {pieces} pieces, but the word embeddings of {folder / WEIGHTS} have only "
            f"{geometry.vocab_size} rows. Vocabulary and weights belong to different models: fetch both from one."
        )
