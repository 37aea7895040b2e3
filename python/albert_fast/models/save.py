"""Write a model folder: complete or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from ..errors import CorruptModelError, ParameterError
from ..folders import check_free, write_folder, write_synced
from ..paths import path_of
from . import record
from .files import ModelFiles
from .folder import ADDED_TOKENS, CONFIG, TOKENIZER_CONFIG, WEIGHTS

SPIECE = "spiece.model"
_BLOCK = 1 << 20


def save_folder(
    files: ModelFiles,
    destination: str | os.PathLike[str],
    parameters: Mapping[str, object],
    *,
    overwrite: bool = False,
) -> Path:
    """Write a model as a folder of ours, which transformers can read too.

    The files are written and flushed to disk in a hidden folder beside the destination, which then takes its
    name.

    Parameters
    ----------
    files
        The model; its weights file must still be there.
    destination
        Folder to make. One that exists must be empty, or be a model folder of ours with `overwrite=True`.
    parameters
        Keyword arguments of `AlbertEmbeddings` to keep with the model; JSON values.

    Returns
    -------
    Path
        The destination.

    Raises
    ------
    ParameterError
        The destination exists and may not be replaced, or a parameter is no JSON value.
    ModelNotFoundError
        The weights file is gone.
    WriteError
        The destination cannot be written.
    CorruptModelError
        The weights changed since they were loaded.
    """
    target = path_of(destination)
    check_free(target, record.FILE_NAME, overwrite)
    _check_parameters(parameters)
    return write_folder(target, lambda work: _fill(work, files, parameters))


def _check_parameters(parameters: Mapping[str, object]) -> None:
    try:
        json.dumps(dict(parameters), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"The parameters cannot be saved as JSON: {error}. Use plain values.") from None


def _fill(work: Path, files: ModelFiles, parameters: Mapping[str, object]) -> None:
    files.identity()  # an error of the model's own files is none of the destination
    hashes: dict[str, str] = {}
    hashes[CONFIG] = write_synced(work / CONFIG, config_json(files))
    hashes[SPIECE] = write_synced(work / SPIECE, files.spiece)
    if files.added_tokens:
        hashes[ADDED_TOKENS] = write_synced(
            work / ADDED_TOKENS, json.dumps(dict(files.added_tokens)).encode("utf-8") + b"\n"
        )
    if files.keep_accents:
        hashes[TOKENIZER_CONFIG] = write_synced(work / TOKENIZER_CONFIG, b'{"keep_accents": true}\n')
    hashes[WEIGHTS] = (_copy_weights if files.is_one_safetensors else _convert_weights)(files, work / WEIGHTS)
    record.write(
        work,
        record.Record(
            name=files.name,
            source=files.origin,
            revision=files.revision,
            sha256=hashes,
            parameters=parameters,
        ),
    )


def config_json(files: ModelFiles) -> bytes:
    """Return the config.json of a model, in Hugging Face's terms."""
    geometry = {name: getattr(files.geometry, name) for name in files.geometry.__slots__}
    # The file's own keys first: it may hold more than we read, and its activation may have another name for
    # ours.
    config = {"architectures": ["AlbertModel"], "model_type": "albert", **geometry, **files.config}
    return json.dumps(config, indent=1, ensure_ascii=False).encode("utf-8") + b"\n"


def _copy_weights(files: ModelFiles, target: Path) -> str:
    digest = hashlib.sha256()
    buffer = bytearray(_BLOCK)
    view = memoryview(buffer)
    with files.weights.open("rb", buffering=0) as source, target.open("wb") as out:
        while count := source.readinto(buffer):
            digest.update(view[:count])
            out.write(view[:count])
        out.flush()
        os.fsync(out.fileno())
    found, expected = digest.hexdigest(), files.sha256.get(WEIGHTS)
    if expected is not None and found != expected:
        raise CorruptModelError(
            f"{files.weights} changed since it was loaded: its SHA-256 is {found}, expected {expected}. Load the "
            "model again, then save it."
        )
    return found


def _convert_weights(files: ModelFiles, target: Path) -> str:
    with target.open("w+b") as out:
        files.write_safetensors(out)
        out.flush()
        os.fsync(out.fileno())
    return record.sha256(target)
