"""A pipeline that Spark NLP saved -> stages of ours. What cannot be read is refused, not assumed."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .annotators.stage import Stage
from .errors import AlbertFastError, ParameterError

if TYPE_CHECKING:
    from .models.foreign import spark_folder

# Settings of the JVM's machinery that say nothing about results.
_WITHOUT_EFFECT = frozenset(("engine", "lazyAnnotator", "configProtoBytes"))


def load_spark_stages(source: str | os.PathLike[str]) -> list[Stage]:
    """Read a saved Spark NLP PipelineModel, a folder or a zip of it.

    Raises
    ------
    ParameterError
        It holds a stage, or a parameter, that is not here.
    ModelNotFoundError, CorruptModelError
        A part is missing or damaged.
    """
    from .models.foreign import spark_folder

    return [_stage(saved, number) for number, saved in enumerate(spark_folder.read_pipeline(source))]


def _stage(saved: spark_folder.Stage, number: int) -> Stage:
    annotators = importlib.import_module(".annotators", __package__)
    if saved.class_name not in annotators.__all__:
        raise ParameterError(
            f"Stage {number} of the saved pipeline is a {saved.class_name} ({saved.uid}), which albert_fast does not "
            f"have. It has {', '.join(annotators.__all__)}. Save the pipeline without that stage."
        )
    kind: type[Stage] = getattr(annotators, saved.class_name)
    try:
        stage = _albert(saved) if saved.class_name == "AlbertEmbeddings" else kind(**_parameters(kind, saved))
    except AlbertFastError as error:
        raise type(error)(f"Stage {number} of the saved pipeline, {saved.class_name} {saved.uid}: {error}") from error
    stage.uid = saved.uid
    return stage


def _albert(saved: spark_folder.Stage) -> Stage:
    from .annotators import AlbertEmbeddings
    from .models.foreign import spark_folder

    return AlbertEmbeddings._from_files(spark_folder.model_files(saved), {})


def _parameters(kind: type[Stage], saved: spark_folder.Stage) -> dict[str, Any]:
    declared = {param.spark_name: param for param in kind.params()}
    wanted: dict[str, Any] = {}
    for name, value in saved.params.items():
        if name in declared:
            wanted[declared[name].name] = value
        elif name not in _WITHOUT_EFFECT:
            raise ParameterError(f"its parameter {name!r} ({value!r}) is not one that albert_fast knows")
    # A version of Spark NLP whose default is another one than ours meant its own.
    for name, value in saved.defaults.items():
        if name in declared and name not in saved.params and not _same(value, declared[name].default):
            wanted[declared[name].name] = value
    return {**wanted, **_rules(saved)}


def _same(value: Any, default: Any) -> bool:
    return bool(value == (list(default) if isinstance(default, tuple) else default))


def _rules(saved: spark_folder.Stage) -> Mapping[str, Any]:
    """Return the parameters that stand for a tokenizer's saved rules."""
    rules = saved.rules
    if rules is None:
        return {}
    if rules.context_chars is None:
        return {"rules": rules.patterns}
    context = {"context_chars": rules.context_chars}
    return context if rules.are_default else {**context, "infix_patterns": rules.infixes}
