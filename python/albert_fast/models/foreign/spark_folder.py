"""A saved Spark NLP pipeline as plain values: its stages in order, their parameters, and a tokenizer's rules.

Nothing of Spark or Java runs. What a pipeline is made of is told; what it means is for the pipeline's classes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import CorruptModelError, ModelNotFoundError, ParameterError
from ...paths import path_of
from ..containers import archive, tree
from ..containers.blobs import FileBlob
from ..containers.java_objects import JavaError, JavaObject, ObjectStream, sequence_file
from ..containers.tree import Tree
from ..files import ModelFiles
from . import spark_metadata, spark_nlp
from .spark_metadata import METADATA, PIPELINE_MODEL

MAX_STAGES = 1000
MAX_RULES_BYTES = 16 << 20
_RULE_FACTORY = "com.johnsnowlabs.nlp.util.regex.RuleFactory"
_REGEX_RULE = "com.johnsnowlabs.nlp.util.regex.RegexRule"
_LIST = "scala.collection.immutable.List$SerializationProxy"
_LIST_END = "scala.collection.immutable.ListSerializeEnd$"
_PATTERN = "java.util.regex.Pattern"
_PREFIX = re.compile(r"\\A\(\[\\Q(.*?)\\E\]\*\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TokenizerRules:
    r"""The rules of a TokenizerModel, in Java's regular expressions.

    Attributes
    ----------
    patterns
        The whole rules, in the order in which they are tried; each group of a match is a token. This is what runs.
    context_chars
        The characters C where every rule has the usual prefix ``\A([\QC\E]*)`` and suffix ``([\QC\E]*)\z``, else
        None: such rules cannot be taken apart.
    prefix, infixes, suffix
        The parts that `patterns` were put together of, where `context_chars` is known, else None.
    """

    patterns: tuple[str, ...]
    context_chars: tuple[str, ...] | None
    prefix: str | None
    infixes: tuple[str, ...] | None
    suffix: str | None

    @property
    def are_default(self) -> bool:
        """Whether the only rule is the one that Spark NLP makes of its context characters alone."""
        if self.context_chars is None:
            return False
        chars = "".join(self.context_chars)
        return self.infixes == (rf"([^\Q{chars}\E](?:.*[^\Q{chars}\E])*)",)


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a saved pipeline.

    Attributes
    ----------
    class_name, java_class
        "AlbertEmbeddings" and the like, and the same with its package.
    uid
        Spark's name of the stage.
    params, defaults
        Parameters by Spark's names: those that were set, and the defaults of the version that saved.
    folder
        Where its files are: a path, which for a zip leads into the archive.
    tree
        Its files.
    rules
        Of a TokenizerModel, None for others.
    """

    class_name: str
    java_class: str
    uid: str
    params: Mapping[str, Any]
    defaults: Mapping[str, Any]
    folder: Path
    tree: Tree
    rules: TokenizerRules | None = None

    def all_params(self) -> dict[str, Any]:
        """Return every parameter's value."""
        return {**self.defaults, **self.params}


def is_pipeline(path: str | os.PathLike[str]) -> bool:
    """Whether a folder, or a zip, is a saved PipelineModel."""
    root = path_of(path)
    try:
        if not root.exists() or (root.is_dir() and not (root / METADATA).is_file()):
            return False
        return spark_metadata.read(_open(root)).java_class == PIPELINE_MODEL
    except (CorruptModelError, OSError):  # also what may not be read, and names that no file can have
        return False


def read_pipeline(path: str | os.PathLike[str]) -> list[Stage]:
    """Read the stages of a saved PipelineModel in order; those of a pipeline within it stand in its place.

    Parameters
    ----------
    path
        Folder that Spark's `save` wrote, or a zip of it.

    Raises
    ------
    ModelNotFoundError
        There is no such folder, or a stage's folder is missing.
    ParameterError
        It is a single stage, not a pipeline.
    CorruptModelError
        A file is damaged, or a tokenizer's rules are of a form that is not read.
    """
    root = path_of(path).absolute()
    if not root.exists():
        raise ModelNotFoundError(f"There is no folder {root}. Give the folder of a saved pipeline.")
    stages: list[Stage] = []
    _add_stages(_open(root), stages, depth=0)
    return stages


def model_files(stage: Stage, **overrides: object) -> ModelFiles:
    """Return the model of a stage that is an AlbertEmbeddings; see `read_any` for `overrides`."""
    return spark_nlp.read_spark_nlp(stage.tree, overrides)


def _open(root: Path) -> Tree:
    if root.is_dir():
        found = tree.of_folder(root)
    else:
        with root.open("rb") as file:
            start = file.read(4)
        if not archive.is_zip(start):
            raise ModelNotFoundError(f"{root} is neither a folder nor a zip. Give the folder of a saved pipeline.")
        found = archive.of_zip(FileBlob.of(root), root, str(root))
    if METADATA not in found and len(found.top()) == 1:
        found = found.below(next(iter(found.top())))
    if METADATA not in found:
        raise ModelNotFoundError(f"{root} has no {METADATA}, so it is no saved pipeline. Give the folder of one.")
    return found


def _add_stages(found: Tree, stages: list[Stage], depth: int) -> None:
    metadata = spark_metadata.read(found)
    if metadata.java_class != PIPELINE_MODEL:
        raise ParameterError(
            f"{found.where()} is a saved {metadata.class_name}, not a pipeline: use {metadata.class_name}.load."
        )
    uids = metadata.params.get("stageUids")
    if not isinstance(uids, list) or not all(isinstance(uid, str) and "/" not in uid for uid in uids):
        raise CorruptModelError(f"{found.where(METADATA)}: stageUids is not a list of names. Save the pipeline again.")
    if len(uids) + len(stages) > MAX_STAGES or depth > 10:
        raise CorruptModelError(f"{found.where()} has more than {MAX_STAGES} stages, or they are nested too deep.")
    width = len(str(len(uids)))
    for index, uid in enumerate(uids):
        name = f"stages/{index:0{width}d}_{uid}"
        inner = found.below(name)
        if METADATA not in inner:
            raise ModelNotFoundError(
                f"{found.where()} lists the stage {uid}, but {name}/{METADATA} is missing. Fetch the whole pipeline."
            )
        stage = spark_metadata.read(inner)
        if stage.java_class == PIPELINE_MODEL:
            _add_stages(inner, stages, depth + 1)
            continue
        rules = _tokenizer_rules(inner) if stage.class_name == "TokenizerModel" else None
        stages.append(
            Stage(
                class_name=stage.class_name,
                java_class=stage.java_class,
                uid=stage.uid or uid,
                params=stage.params,
                defaults=stage.defaults,
                folder=inner.folder(),
                tree=inner,
                rules=rules,
            )
        )


# ------------------------------------------------------------------------------------------------- rules


def _tokenizer_rules(found: Tree) -> TokenizerRules:
    """Read the feature `rules` of a TokenizerModel: the only place where its context characters are."""
    names = sorted(name for name in found.files if name.startswith("fields/rules/part-"))
    where = found.where("fields/rules")
    try:
        values = [value for name in names for value in sequence_file(found.read(name, MAX_RULES_BYTES))]
        if len(values) != 1:
            raise JavaError(f"it holds {len(values)} values, not one")
        patterns = tuple(_patterns(ObjectStream(values[0]).read()))
    except JavaError as error:
        raise CorruptModelError(
            f"{where}, the rules of the pipeline's tokenizer, cannot be read: {error}. Nothing is assumed in their "
            "place: save the pipeline again, or make it with Tokenizer() and the parameters you want."
        ) from None
    return _taken_apart(patterns)


def _patterns(value: Any) -> list[str]:
    factory = value[0] if isinstance(value, list) and len(value) == 1 else value
    if not isinstance(factory, JavaObject) or factory.class_name != _RULE_FACTORY:
        raise JavaError("it is no RuleFactory")
    rules = factory.fields.get("rules")
    if not isinstance(rules, JavaObject) or rules.class_name != _LIST:
        raise JavaError(f"its rules are no Scala list, but {getattr(rules, 'class_name', type(rules).__name__)}")
    items = list(rules.written)
    if not items or getattr(items[-1], "class_name", "") != _LIST_END:
        raise JavaError("its list of rules does not end")
    found = []
    for rule in items[:-1]:
        regex = rule.fields.get("regex") if isinstance(rule, JavaObject) and rule.class_name == _REGEX_RULE else None
        pattern = regex.fields.get("pattern") if isinstance(regex, JavaObject) else None
        if not isinstance(pattern, JavaObject) or pattern.class_name != _PATTERN:
            raise JavaError("a rule that is no regular expression")
        text, flags = pattern.fields.get("pattern"), pattern.fields.get("flags")
        if not isinstance(text, str) or flags != 0:
            raise JavaError(f"a rule with the flags {flags!r}")
        found.append(text)
    if not found:
        raise JavaError("it holds no rule")
    return found


def _taken_apart(patterns: tuple[str, ...]) -> TokenizerRules:
    start = _PREFIX.match(patterns[0])
    if start is not None:
        prefix, chars = start[0], start[1]
        suffix = rf"([\Q{chars}\E]*)\z"
        size = len(prefix) + len(suffix)
        if all(len(p) >= size and p.startswith(prefix) and p.endswith(suffix) for p in patterns):
            infixes = tuple(p[len(prefix) : len(p) - len(suffix)] for p in patterns)
            return TokenizerRules(patterns, tuple(chars), prefix, infixes, suffix)
    return TokenizerRules(patterns, None, None, None, None)
