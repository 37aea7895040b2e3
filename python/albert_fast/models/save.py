"""Write a model folder: complete or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from ..errors import CorruptModelError, ModelNotFoundError, ParameterError
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
        The weights file is gone, or the destination cannot be written.
    CorruptModelError
        The weights changed since they were loaded.
    """
    target = Path(destination)
    _check_target(target, overwrite)
    _check_parameters(parameters)
    return write_folder(target, lambda work: _fill(work, files, parameters))


def write_folder(target: Path, fill: Callable[[Path], None]) -> Path:
    """Let `fill` fill a hidden folder beside the target, which then takes its name: complete or not at all.

    Raises
    ------
    ModelNotFoundError
        The target cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent))
    except OSError as error:
        raise ModelNotFoundError(f"{target.parent} cannot be written: {error}. Choose another destination.") from error
    try:
        fill(work)
        _sync_folder(work)
        os.chmod(work, 0o755)  # mkdtemp makes private folders
        _take_place(work, target)
    except OSError as error:
        if isinstance(error, ModelNotFoundError):
            raise
        raise ModelNotFoundError(
            f"{target} could not be written: {error}. Nothing was left there; free space or choose another destination."
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def _check_target(target: Path, overwrite: bool) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise ParameterError(f"{target} is a file. Give the name of a folder to save into.")
    if not any(target.iterdir()):
        return
    if not (target / record.FILE_NAME).is_file():
        raise ParameterError(
            f"{target} is not empty and was not saved by albert_fast, so it is left alone. Choose a new folder."
        )
    if not overwrite:
        raise ParameterError(
            f"{target} holds a saved model. Give overwrite=True (--overwrite) to replace it, or choose another folder."
        )


def _check_parameters(parameters: Mapping[str, object]) -> None:
    try:
        json.dumps(dict(parameters), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"The parameters cannot be saved as JSON: {error}. Use plain values.") from None


def _fill(work: Path, files: ModelFiles, parameters: Mapping[str, object]) -> None:
    hashes: dict[str, str] = {}
    config = json.dumps(config_of(files), indent=1, ensure_ascii=False).encode("utf-8") + b"\n"
    hashes[CONFIG] = write_synced(work / CONFIG, config)
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


def config_of(files: ModelFiles) -> dict[str, object]:
    """Return the content of a config.json for a model, in Hugging Face's terms."""
    geometry = {name: getattr(files.geometry, name) for name in files.geometry.__slots__}
    # The file's own keys first: it may hold more than we read, and its activation may have another name for
    # ours.
    return {"architectures": ["AlbertModel"], "model_type": "albert", **geometry, **files.config}


def write_synced(path: Path, data: bytes) -> str:
    """Write a file through to the disk and return its SHA-256."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return hashlib.sha256(data).hexdigest()


def _copy_weights(files: ModelFiles, target: Path) -> str:
    digest = hashlib.sha256()
    buffer = bytearray(_BLOCK)
    view = memoryview(buffer)
    try:
        source = files.weights.open("rb", buffering=0)
    except OSError as error:
        raise ModelNotFoundError(f"{files.weights} is gone ({error}). Load the model again, then save it.") from error
    with source, target.open("wb") as out:
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


def _take_place(work: Path, target: Path) -> None:
    if not target.exists():
        os.rename(work, target)
    elif not any(target.iterdir()):
        target.rmdir()
        os.rename(work, target)
    else:
        aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".old", dir=target.parent))
        try:
            os.rename(target, aside / "model")
            try:
                os.rename(work, target)
            except OSError:
                os.rename(aside / "model", target)
                raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk; not every system can, and then the rename is still atomic."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
