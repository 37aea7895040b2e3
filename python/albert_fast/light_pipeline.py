"""LightPipeline and PretrainedPipeline: a fitted pipeline for texts instead of tables."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .annotation import Annotation
from .annotators.finishers import EmbeddingsFinisher, Finisher
from .columns import AnnotationColumn
from .errors import InputError, ModelNotFoundError, ParameterError
from .paths import path_of
from .pipeline import PipelineModel
from .tables.frame import Frame

if TYPE_CHECKING:
    from .annotators.stage import Stage


class LightPipeline:
    """Run a fitted pipeline on texts and get Python values (Spark NLP's class of that name).

    Parameters
    ----------
    pipelineModel
        The pipeline. Stages with ``lazyAnnotator`` are skipped, finishers make nothing: a Finisher's input columns are
        those that are returned.
    parse_embeddings
        Return vectors too. Without it none are computed.
    output_cols
        Columns to return; default all.

    Notes
    -----
    Keys of the results stand in the order of the stages. An empty list gives an empty list.
    """

    def __init__(
        self,
        pipelineModel: PipelineModel,
        parse_embeddings: bool = False,
        output_cols: Sequence[str] | None = None,
    ) -> None:
        if not isinstance(pipelineModel, PipelineModel):
            raise ParameterError(
                f"LightPipeline takes a fitted pipeline, not a {type(pipelineModel).__name__}. Give pipeline.fit(data)."
            )
        self.pipeline_model = pipelineModel
        self.parse_embeddings = parse_embeddings
        self.output_cols = list(output_cols or [])
        self._ignore_unsupported = False
        self._text_column = pipelineModel.text_column()
        self._stages, self._shown = self._light_stages()

    def _light_stages(self) -> tuple[list[Stage], list[str]]:
        """Return the stages that run and the columns that are returned; the wiring is checked on the way."""
        columns: Mapping[str, str | None] = dict.fromkeys(self._own_columns())
        stages: list[Stage] = []
        made: list[str] = []
        finished: list[str] = []
        for stage in self.pipeline_model.flat():
            if _param(stage, "lazyAnnotator") or isinstance(stage, EmbeddingsFinisher):
                continue
            if isinstance(stage, Finisher):
                stage.columns_after(columns)
                finished += stage.input_cols()
                continue
            columns = stage.columns_after(columns)
            stages.append(stage)
            made.append(stage.output_col())
        wanted = finished or self.output_cols or made
        unknown = [name for name in wanted if name not in made]
        if unknown:
            raise ParameterError(f"output_cols names {unknown[0]!r}; the pipeline makes {', '.join(made)}.")
        return stages, [name for name in made if name in wanted]

    def _own_columns(self) -> list[str]:
        """Return the columns that a table would have beside those of the stages. Ids and metadata are not read."""
        names = [self._text_column]
        for stage in self.pipeline_model.flat():
            names += [name for param in ("idCol", "metadataCol") if (name := _param(stage, param)) is not None]
            if (name := _param(stage, "chunkCol")) is not None:
                raise ParameterError(
                    f"{type(stage).__name__} {stage.uid} reads column {name!r} (chunkCol), and a LightPipeline has "
                    "only texts. Use PipelineModel.transform."
                )
        return names

    def fullAnnotate(self, target: str | Sequence[str]) -> list[dict[str, list[Annotation]]]:
        """Annotate one text or several.

        Returns
        -------
        list of dict
            For every text its columns of `Annotation`; a single text gives a list of one.

        Raises
        ------
        InputError
            The target is neither a text nor a list of texts.
        """
        frame = self._annotated([target] if isinstance(target, str) else self._texts(target))
        return list(self._rows(frame, self._annotations))

    def annotate(self, target: str | Sequence[str]) -> dict[str, list[str]] | list[dict[str, list[str]]]:
        """Annotate one text or several, and return strings.

        Returns
        -------
        dict, or list of dict
            For every text its columns of results; with ``parse_embeddings`` a vector as numbers with blanks between.
        """
        if isinstance(target, str):
            return next(self._rows(self._annotated([target]), self._strings))
        return list(self._rows(self._annotated(self._texts(target)), self._strings))

    def transform(self, dataframe: Any) -> Any:
        """Run the pipeline on a table; see `PipelineModel.transform`. With output_cols only those are added."""
        result = self.pipeline_model.transform(dataframe)
        if not self.output_cols:
            return result
        unwanted = [stage.output_col() for stage in self._stages if stage.output_col() not in self.output_cols]
        if isinstance(result, Frame):
            return result.drop(*unwanted)
        if isinstance(result, dict):
            return {name: cells for name, cells in result.items() if name not in unwanted}
        return result.drop(columns=[name for name in unwanted if name in result.columns])

    def setIgnoreUnsupported(self, value: bool) -> LightPipeline:
        """Set Spark NLP's switch. Every stage of ours is supported, so it has no effect."""
        self._ignore_unsupported = bool(value)
        return self

    def getIgnoreUnsupported(self) -> bool:
        """Return Spark NLP's switch."""
        return self._ignore_unsupported

    @staticmethod
    def _texts(target: Any) -> list[str]:
        if isinstance(target, (bytes, Mapping)) or not hasattr(target, "__iter__") or getattr(target, "ndim", 1) != 1:
            hint = " For a table use transform." if _is_table(target) else ""
            raise InputError(f"The target is {type(target).__name__}. Give a text or a list of texts.{hint}")
        texts = list(target)
        for number, text in enumerate(texts):
            if not isinstance(text, str):
                raise InputError(f"text {number} is {type(text).__name__}, not str. Give a text or a list of texts.")
        return texts

    def _annotated(self, texts: list[str]) -> Frame:
        run = self.pipeline_model.default_run()._replace(light=True, vectors=self.parse_embeddings)
        frame = Frame([(self._text_column, texts)], len(texts))
        for stage in self._stages:
            frame = stage.run(frame, run)
        return frame

    def _rows(self, frame: Frame, cell: Any) -> Iterator[dict[str, Any]]:
        columns = [(name, frame.annotations(name)) for name in self._shown]
        for row in range(len(frame)):
            yield {name: cell(column, *column.bounds(row)) for name, column in columns}

    @staticmethod
    def _annotations(column: AnnotationColumn, first: int, last: int) -> list[Annotation]:
        return column.annotations(first, last)

    @staticmethod
    def _strings(column: AnnotationColumn, first: int, last: int) -> list[str]:
        if column.vectors is None:
            return column.core.results(first, last)
        return column.core.vector_texts(first, last, " ")


class PretrainedPipeline:
    """A saved pipeline, ready to annotate (Spark NLP's class of that name).

    Parameters
    ----------
    name, lang, remote_loc
        Spark NLP's names of published pipelines. None of them can be run here; give `disk_location`.
    parse_embeddings
        Return vectors too.
    disk_location
        Folder that `PipelineModel.save` wrote.

    Attributes
    ----------
    model : PipelineModel
    light_model : LightPipeline
    """

    def __init__(
        self,
        name: str,
        lang: str = "en",
        remote_loc: str | None = None,
        parse_embeddings: bool = False,
        disk_location: str | os.PathLike[str] | None = None,
    ) -> None:
        if disk_location is None:
            raise ModelNotFoundError(
                f"The published pipeline {name!r} ({lang}) cannot be run here by its name: albert_fast runs pipelines "
                "of the stages that it has. Where it has all of them, unpack the published zip and use "
                "PretrainedPipeline.from_disk(folder); else build one of what is here and save it."
            )
        self.model = PipelineModel.load(disk_location)
        self.light_model = LightPipeline(self.model, parse_embeddings)

    @classmethod
    def from_disk(cls, path: str | os.PathLike[str], parse_embeddings: bool = False) -> PretrainedPipeline:
        """Load a pipeline that `PipelineModel.save` wrote."""
        return cls(str(path_of(path)), parse_embeddings=parse_embeddings, disk_location=path)

    def annotate(self, target: Any, column: str | None = None) -> Any:
        """Annotate a text, a list of texts, or a table whose texts stand in `column`; see `LightPipeline.annotate`."""
        if _is_table(target):
            return self.transform(_renamed(target, column, self.model.text_column()))
        return self.light_model.annotate(target)

    def fullAnnotate(self, target: str | Sequence[str]) -> Any:
        """Annotate a text or a list of texts; see `LightPipeline.fullAnnotate`."""
        return self.light_model.fullAnnotate(target)

    def transform(self, data: Any) -> Any:
        """Run the pipeline on a table; see `PipelineModel.transform`."""
        return self.model.transform(data)


def _param(stage: Stage, name: str) -> Any:
    return stage.get_param(name) if stage.hasParam(name) else None


def _is_table(target: Any) -> bool:
    return isinstance(target, (Frame, Mapping)) or hasattr(target, "iloc")


def _renamed(table: Any, column: str | None, name: str) -> Any:
    if column is None or column == name:
        return table
    if isinstance(table, Frame):
        return table.withColumnRenamed(column, name)
    if isinstance(table, Mapping):
        return {name if key == column else key: cells for key, cells in table.items()}
    return table.rename(columns={column: name})
