"""ModelFiles: a model whose parts were found and checked, whatever container they lie in."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import CorruptModelError, ModelNotFoundError, ParameterError, VocabularyWarning
from ..warn import warn_user
from . import tensors as tensor_bytes
from .containers.blobs import Blob, FileBlob
from .geometry import POOLER, Geometry, parse_config, sizes_of, tensor_shapes
from .tensors import TensorEntry
from .vocabulary import Vocabulary

# What a caller may say about a model of which no file says it.
OVERRIDES = ("num_attention_heads", "num_hidden_layers", "hidden_act", "layer_norm_eps")
# What tensors never show, what it is, and the value of ALBERT base.
_ASKED = (
    ("num_attention_heads", "how many attention heads the model has", 12),
    ("num_hidden_layers", "how many layers the model has", 12),
    ("hidden_act", "which activation the model has", "gelu_new"),
    ("layer_norm_eps", "the epsilon of the model's normalizations", 1e-12),
)
# The same as it is written in a call.
ASKED_FOR = ", ".join(f"{key}={example!r}" for key, _, example in _ASKED)
# Matrices are padded to multiples of 8, 64 or 128 rows, which makes up to 127 more than there are pieces.
PADDING = 128
_FLOATS = tuple(tensor_bytes.WIDTHS)


@dataclass(frozen=True, slots=True)
class OnnxGraph:
    """An ONNX graph that is run as it is.

    Attributes
    ----------
    onnx
        The ModelProto.
    data
        The files that its external tensors name.
    inputs
        (name, role, whether int64); the role is "input_ids", "attention_mask" or "token_type_ids".
    hidden, pooler
        Names of the outputs; `pooler` is "" where there is none.
    """

    onnx: Blob
    data: tuple[tuple[str, Blob], ...]
    inputs: tuple[tuple[str, str, bool], ...]
    hidden: str
    pooler: str


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model, read and checked; the weights stay in their container.

    Attributes
    ----------
    source
        What was loaded: a folder, or a file such as a zip.
    weights
        The file on disk that holds the weights, or the first of several.
    tensors
        What the geometry needs, under Hugging Face's names without prefix, in the order of `tensor_shapes`;
        the two pooler tensors last, where the file has them. Empty for a graph that is run as it is.
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
        The whole content of `config.json`, or what was found in its place, in Hugging Face's terms.
    container
        What the weights were read from: "safetensors", "pytorch", "tf_checkpoint", "tf_saved_model", "spark_nlp",
        "onnx".
    overrides
        What the caller said about the geometry.
    graph
        The graph, where the model is an ONNX graph that is run as it is.
    found
        What `identity` returned when the parts were found.
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
    container: str = "safetensors"
    overrides: Mapping[str, object] = field(default_factory=dict)
    graph: OnnxGraph | None = None
    found: tuple[object, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "found", self._look())

    @property
    def has_pooler(self) -> bool:
        """Whether the weights hold the pooler, or the graph gives its output."""
        if self.graph is not None:
            return bool(self.graph.pooler)
        return any(entry.name == POOLER[0] for entry in self.tensors)

    @property
    def is_one_safetensors(self) -> bool:
        """Whether `weights` is a safetensors file that can be copied as it is."""
        return self.graph is None and all(entry.blob is None for entry in self.tensors)

    def blob(self, entry: TensorEntry) -> Blob:
        """Return what a tensor's offsets count in."""
        return FileBlob.of(self.weights) if entry.blob is None else entry.blob

    def blobs(self) -> Iterator[Blob]:
        """Yield everything that the weights are read from, once each."""
        if self.graph is not None:
            yield self.graph.onnx
            yield from (blob for _, blob in self.graph.data)
        yield from dict.fromkeys(self.blob(entry) for entry in self.tensors)

    def identity(self) -> tuple[object, ...]:
        """Return what differs when another file takes the place of one that holds the weights.

        Raises
        ------
        ModelNotFoundError
            A file is not there any more.
        CorruptModelError
            A file is not the one that was loaded.
        """
        seen = self._look()
        if seen != self.found:
            raise CorruptModelError(
                f"The files of the model {self.name} in {self.source} have changed since it was loaded. They are read "
                "again where another precision or device is asked for, and to save it, and would give other vectors "
                "now. Load the model again."
            )
        return (*seen, self.tensors, self.graph)

    def _look(self) -> tuple[object, ...]:
        states: list[object] = []
        try:
            for path in dict.fromkeys(blob.source for blob in self.blobs()):
                status = os.stat(path)
                states.append((os.fspath(path), status.st_ino, status.st_size, status.st_mtime_ns))
        except OSError as error:
            raise ModelNotFoundError(
                f"The files of the model {self.name} are gone from {self.source} ({error}). They are read again where "
                "another precision or device is asked for, and to save it: put them back, or load the model from "
                "where it is now."
            ) from error
        return tuple(states)

    def write_safetensors(self, out: BinaryIO) -> None:
        """Write the weights as one safetensors file, one tensor in memory at a time.

        Raises
        ------
        ParameterError
            The model is a graph that is run as it is.
        CorruptModelError
            The weights changed since they were loaded.
        """
        if self.graph is not None:
            raise ParameterError(
                f"{self.source} is an ONNX graph that is run as it is; its weights cannot be written in another form. "
                "Copy the file, or save a model that was loaded from weights."
            )
        tensor_bytes.write_safetensors(out, self.tensors, FileBlob.of(self.weights))


def assemble(
    *,
    source: Path,
    container: str,
    where: str,
    found: Mapping[str, TensorEntry],
    vocabulary: Vocabulary | None,
    hints: Mapping[str, Any],
    overrides: Mapping[str, object],
    parameters: Mapping[str, object] | None = None,
    name: str = "",
) -> ModelFiles:
    """Make a model of tensors under Hugging Face's names without prefix.

    Parameters
    ----------
    where
        The container, for errors.
    hints
        What a configuration or a graph says in Hugging Face's terms; sizes that tensors show may be missing.
    overrides
        What the caller says; it goes before everything else.

    Raises
    ------
    ParameterError
        A number is known to nobody and the caller must give it.
    CorruptModelError, ModelNotFoundError
        The parts do not fit together, or there is no vocabulary.
    """
    if vocabulary is None:
        raise ModelNotFoundError(
            f"{where} has no vocabulary beside it: spiece.model, assets/spiece.model, 30k-clean.model, albert_spp, or "
            "a Unigram tokenizer.json. Put it there; it comes with every ALBERT."
        )
    shapes = {name: entry.shape for name, entry in found.items()}
    config = {**sizes_of(shapes, where), **_known(hints), **_known(overrides)}
    geometry = parse_config(complete(config, where), where, _known(overrides))
    check_pieces(vocabulary, geometry, where)
    said: dict[str, object] = {} if vocabulary.lower_case is None else {"case_sensitive": not vocabulary.lower_case}
    return ModelFiles(
        source=source,
        geometry=geometry,
        weights=next((e.blob.source for e in found.values() if e.blob is not None), source),
        tensors=select(found, geometry, where, "its configuration"),
        spiece=vocabulary.spiece,
        pieces=vocabulary.pieces,
        parameters={**said, **(parameters or {})},
        name=name or source.name.partition(".")[0],
        keep_accents=vocabulary.keep_accents,
        added_tokens=vocabulary.added_tokens,
        config={**config, **dataclasses.asdict(geometry)},
        container=container,
        overrides=dict(overrides),
    )


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def complete(config: dict[str, Any], where: str) -> dict[str, Any]:
    """Return the configuration if it says what no tensor shows.

    Raises
    ------
    ParameterError
        It does not; names the keyword arguments that say it.
    """
    missing = [(key, what, example) for key, what, example in _ASKED if config.get(key) is None]
    if missing:
        raise ParameterError(
            f"{where} does not say {', nor '.join(what for _, what, _ in missing)}, and its tensors do not show it. "
            "Put the model's config.json beside it, or say it, for example "
            f"load(..., {', '.join(f'{key}={example!r}' for key, _, example in missing)})."
        )
    return config


def select(
    found: Mapping[str, TensorEntry], geometry: Geometry, where: str, asked_by: str, prefix: str = ""
) -> tuple[TensorEntry, ...]:
    """Return the tensors that a geometry needs, in their order, after a look at shape and type of each."""
    shapes = tensor_shapes(geometry)
    if any(prefix + name not in found for name in POOLER):
        for name in POOLER:
            del shapes[name]
    return tuple(_checked(found, prefix, name, shape, where, asked_by) for name, shape in shapes.items())


def _checked(
    found: Mapping[str, TensorEntry], prefix: str, name: str, shape: tuple[int, ...], where: str, asked_by: str
) -> TensorEntry:
    entry = found.get(prefix + name)
    if entry is None:
        raise CorruptModelError(
            f"{where} has no tensor {prefix + name!r} (shape {list(shape)}), which {asked_by} asks for. Fetch "
            "both files of the same model."
        )
    if entry.shape != shape:
        raise CorruptModelError(
            f"{where}: tensor {entry.name!r} has shape {list(entry.shape)}, expected {list(shape)} by {asked_by}. "
            "Fetch both files of the same model."
        )
    if entry.dtype not in _FLOATS:
        raise CorruptModelError(
            f"{where}: tensor {entry.name!r} is stored as {entry.dtype}, expected {', '.join(_FLOATS)}. Convert the "
            "weights to one of these."
        )
    if not tensor_bytes.fits(entry):
        raise CorruptModelError(
            f"{where}: tensor {entry.name!r} does not lie inside the bytes that are stated for it. Fetch it again."
        )
    return tensor_bytes.unwrapped(dataclasses.replace(entry, name=name))


def check_pieces(vocabulary: Vocabulary, geometry: Geometry, where: str) -> None:
    """See that the embedding matrix has a row for every piece, and not many more.

    Warns
    -----
    VocabularyWarning
        More rows have no piece than padding explains.
    """
    if vocabulary.pieces > geometry.vocab_size:
        raise CorruptModelError(
            f"{vocabulary.where} has {vocabulary.pieces} pieces, but the word embeddings of {where} have only "
            f"{geometry.vocab_size} rows. Vocabulary and weights belong to different models: fetch both from one."
        )
    named = max([vocabulary.pieces, *(index + 1 for index in vocabulary.added_tokens.values())])
    if geometry.vocab_size - named >= PADDING:
        warn_user(
            f"{vocabulary.where} has {named} pieces, but the word embeddings of {where} have {geometry.vocab_size} "
            "rows. A model has a row for each piece and some padding at most, so these may not belong together, and "
            "then the vectors mean nothing. Fetch both from one model.",
            VocabularyWarning,
        )
