"""load: references or a folder -> `NLUPipeline`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .. import hints
from ..annotators import AlbertEmbeddings, DocumentAssembler, SentenceDetector, Tokenizer
from ..annotators.stage import Stage
from ..errors import ModelNotFoundError, ParameterError
from ..models import registry
from ..models.foreign import spark_folder
from ..models.registry import Entry
from ..paths import path_of
from ..pipeline import PipelineModel
from ..stage_folder import FILE_NAME
from .names import check_style
from .pipeline import NLUPipeline
from .stages import keyed

_verbose = False


def enable_verbose() -> None:
    """Let `load` print what it finds, from now on."""
    global _verbose
    _verbose = True


def disable_verbose() -> None:
    """Let `load` print nothing again."""
    global _verbose
    _verbose = False


def version() -> str:
    """Return the version of albert_fast."""
    from .. import __version__

    return __version__


def load(
    request: str = "from_disk",
    path: str | os.PathLike[str] | None = None,
    verbose: bool = False,
    gpu: bool = False,
    streamlit_caching: bool = False,
    apple_silicon: bool = False,
    get_tracer: bool = False,
    column_style: str = "nlu1",
) -> NLUPipeline:
    """Load one or several ALBERTs with the stages before them.

    Parameters
    ----------
    request
        References with blanks between, for example "en.embed.albert.large_uncased" ("en." may be left out); names such
        as "albert_base_uncased" and Hugging Face ids such as "albert/albert-base-v2" work too. Each gives one column.
    path
        A folder that `NLUPipeline.save` or `PipelineModel.save` wrote, or a model in any form that
        `AlbertEmbeddings.load` reads. `request` then only names the
        column. Finishers in a pipeline are passed over: what they would drop is what `predict` shows.
    verbose
        Print what is loaded; see `enable_verbose`.
    gpu
        Compute on the GPU (``device="cuda"``).
    streamlit_caching, apple_silicon
        nlu's; without effect here.
    get_tracer
        nlu's; only False.
    column_style : {"nlu1", "nlu5"}
        Names of the columns of vectors: ``en_embed_albert_base_uncased_embeddings``, as the published model cards show
        them, or ``word_embedding_albert``.

    Raises
    ------
    ModelNotFoundError
        No ALBERT has this reference, or there is nothing at `path`; names close references.
    DeviceError
        ``gpu=True`` and the GPU cannot be used. The CPU never takes its place silently.
    ParameterError, CorruptModelError, MissingDependencyError
    """
    check_style(column_style)
    if not isinstance(request, str):
        raise ParameterError(f"request is {request!r}. Give a reference such as 'albert' in a string, or path=.")
    if get_tracer:
        raise ParameterError("get_tracer=True is nlu's switch for its own tracing, which is not there. Leave it out.")
    device: dict[str, Any] = {"device": "cuda"} if gpu else {}
    AlbertEmbeddings(**device)._check_device()  # before anything is downloaded
    if path is not None:
        pipe = _from_path(path, request, device, column_style)
    else:
        pipe = _from_references(request, device, column_style)
    if verbose or _verbose:
        for key in pipe:
            print(f"{request}: {key} = {pipe[key]}")
    return pipe


def _from_references(request: str, device: dict[str, Any], style: str) -> NLUPipeline:
    references = list(dict.fromkeys(request.split()))
    if not references or references == ["from_disk"]:
        raise ParameterError(f"There is nothing to load in {request!r}. Give a reference such as 'albert', or path=.")
    embeddings: dict[str, Stage] = {}
    named: dict[str, str] = {}
    entries = {reference: _entry(reference) for reference in references}  # all names, before a model is fetched
    for reference, entry in entries.items():
        model = _model(reference, entry, device)
        name = str(model.get_param("storageRef"))
        key = f"albert_embeddings@{name}"
        if key in embeddings:  # one model by two references
            key = f"albert_embeddings@{reference}"
        embeddings[key] = model.setOutputCol(f"word_embeddings@{key.split('@', 1)[1]}")
        named[key] = reference
    return NLUPipeline({**_text_stages(), **embeddings}, named, style, rewired=True)


def _entry(reference: str) -> Entry | None:
    """Return what the registry says of a reference, None for an id of the hub."""
    entry = registry.lookup(reference)
    if entry is None and not registry.is_hub_id(reference):
        close = registry.suggestions(reference)
        hint = f"Did you mean {' or '.join(close)}? " if close else ""
        if os.path.exists(reference):
            hint = f"What lies there is loaded with path=: nlu.load(path={reference!r}). "
        raise ModelNotFoundError(
            f"{reference!r} is no reference of an ALBERT. {hint}albert_fast computes ALBERT embeddings only; nlu's "
            "other components (sentiment, ner, classifiers, other embeddings) need nlu itself. nlu.print_components() "
            "lists the references that work here."
        )
    return entry


def _model(reference: str, entry: Entry | None, device: dict[str, Any]) -> AlbertEmbeddings:
    model = AlbertEmbeddings.pretrained(reference, entry.lang if entry is not None else None, **device)
    name = entry.name if entry is not None else reference
    return model.setInputCols("sentence", "token").setStorageRef(name)


def _text_stages() -> dict[str, Stage]:
    return {
        "document_assembler": DocumentAssembler(input_col="text", output_col="document", cleanup_mode="shrink"),
        "sentence_detector": SentenceDetector(input_cols=["document"], output_col="sentence"),
        "tokenizer": Tokenizer(input_cols=["sentence"], output_col="token"),
    }


def _from_path(path: str | os.PathLike[str], request: str, device: dict[str, Any], style: str) -> NLUPipeline:
    folder = path_of(path)
    if not os.path.exists(folder):
        hint = hints.of_name(path, "nlu.load({})") or (
            " Give a folder that NLUPipeline.save or PipelineModel.save wrote, or a model; a published model is loaded "
            "by its reference, without path=: nlu.load('albert')."
        )
        raise ModelNotFoundError(f"There is nothing at path={os.fspath(path)!r}.{hint}")
    if (folder / FILE_NAME).is_file() or spark_folder.is_pipeline(folder):
        return _from_pipeline(folder, request, device, style)
    try:
        model = AlbertEmbeddings.load(folder, **device)
    except ModelNotFoundError as error:
        raise ModelNotFoundError(f"path={os.fspath(path)!r} holds no saved pipeline, and no model: {error}") from error
    model.setInputCols("sentence", "token").setOutputCol("word_embeddings")
    key = f"albert_embeddings@{model.get_param('storageRef') or folder.name}"
    return NLUPipeline({**_text_stages(), key: model}, {key: request}, style, rewired=True)


def _from_pipeline(folder: Path, request: str, device: dict[str, Any], style: str) -> NLUPipeline:
    stages = PipelineModel.load(folder).flat()
    for stage in stages:
        if device and stage.hasParam("device"):
            stage.set_param("device", device["device"])
    components = keyed(stages)
    return NLUPipeline(components, dict.fromkeys(components, request), style)
