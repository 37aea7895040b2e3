"""Pipeline and PipelineModel: stages in a row."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .annotators.stage import Run, Stage
from .errors import ParameterError
from .wiring import Columns

if TYPE_CHECKING:
    import sys

    from .stage_folder import Writer
    from .tables.frame import Frame

    if sys.version_info >= (3, 11):
        from typing import Self
    else:
        from typing_extensions import Self


class Pipeline:
    """Stages in a row (``pyspark.ml.Pipeline`` for the stages of this package).

    Parameters
    ----------
    stages
        Annotators, finishers, pipelines and fitted pipelines.
    """

    def __init__(self, stages: Sequence[Any] | None = None) -> None:
        self._stages: list[Any] = []
        if stages is not None:
            self.setStages(stages)

    def setStages(self, value: Sequence[Any]) -> Self:
        """Set the stages."""
        self._stages = _checked(value, (Stage, Pipeline, PipelineModel))
        return self

    def getStages(self) -> list[Any]:
        """Return the stages."""
        return list(self._stages)

    def fit(self, dataset: Any = None) -> PipelineModel:
        """Return the pipeline that does the work. Nothing is learnt from the data.

        Parameters
        ----------
        dataset
            Any table that `PipelineModel.transform` takes; with one, the wiring is checked against its columns.

        Raises
        ------
        WiringError
            A stage asks for a column that no stage before it makes and the data does not have, or of another type.
        ParameterError
            A stage's parameters do not allow its work, for example a pattern that is not supported.
        """
        fitted = [stage.fit() if hasattr(stage, "fit") else stage for stage in self._stages]
        model = PipelineModel(fitted)
        if dataset is not None:
            from .tables.read import read_table

            frame, _ = read_table(dataset, model.text_column())
            model.columns_after(frame.wiring())
        return model

    def save(self, path: str | os.PathLike[str], overwrite: bool = False) -> str:
        """Write the pipeline to a folder; see `PipelineModel.save`."""
        return self.fit().save(path, overwrite)

    def write(self) -> Writer:
        """Return Spark's way to save: ``pipeline.write().overwrite().save(path)``."""
        from .stage_folder import Writer

        return Writer(self)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Pipeline:
        """Read a saved pipeline."""
        return cls(PipelineModel.load(path).stages)

    @classmethod
    def read(cls) -> type[Self]:
        """Return Spark's way to load: ``Pipeline.read().load(path)``."""
        return cls

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._stages})"


class PipelineModel:
    """A pipeline that is ready to work.

    Parameters
    ----------
    stages
        Fitted stages.

    Attributes
    ----------
    stages : list
        The stages, in order.
    """

    def __init__(self, stages: Sequence[Any]) -> None:
        self.stages: list[Any] = _checked(stages, (Stage, PipelineModel))
        for number, stage in enumerate(self.stages):
            if hasattr(stage, "fit"):
                raise ParameterError(
                    f"Stage {number} of the pipeline, a {type(stage).__name__}, is not fitted. Write "
                    "Pipeline(stages=[...]).fit()."
                )

    def flat(self) -> list[Stage]:
        """Return the stages with those of nested pipelines in their places."""
        flat: list[Stage] = []
        for stage in self.stages:
            flat += stage.flat() if isinstance(stage, PipelineModel) else [stage]
        return flat

    def columns_after(self, columns: Columns) -> Mapping[str, str | None]:
        """Return the columns of a table after all stages, before any work is done.

        Raises
        ------
        WiringError
            A stage asks for a column that is missing or of another type, or makes one that is there already.
        """
        for stage in self.flat():
            columns = stage.columns_after(columns)
        return columns

    def text_column(self) -> str:
        """Return the column that a list of texts stands for: the first that a DocumentAssembler reads."""
        for stage in self.flat():
            if stage.hasParam("inputCol") and (name := stage.get_param("inputCol")) is not None:
                return str(name)
        return "text"

    def transform(self, dataset: Any, params: object = None) -> Any:
        """Run all stages on a table.

        Parameters
        ----------
        dataset
            A pandas DataFrame, a dict of columns, a `Frame`, or texts (list, tuple, Series, one-dimensional array).

        Returns
        -------
        The same kind of table with the stages' columns; a `Frame` for texts. Cells of annotations are views that read
        like lists of `Annotation`; the vectors behind them are the memory that the engine wrote.

        Raises
        ------
        WiringError
            Before any work is done: a column is missing, of another type, or would be made twice.
        InputError
            The data is no table, or a text cannot be read; names the row.
        """
        from .tables.read import read_table

        frame, restore = read_table(dataset, self.text_column())
        self.columns_after(frame.wiring())
        return restore(self.run(frame, self.default_run()))

    def default_run(self) -> Run:
        """Return what the stages of a run agree on."""
        compat = (stage.get_param("compat") for stage in self.flat() if stage.hasParam("compat"))
        return Run(compat=next((value for value in compat if value is not None), None))

    def run(self, frame: Frame, run: Run) -> Frame:
        """Run all stages on a frame whose wiring has been checked."""
        for stage in self.flat():
            frame = stage.run(frame, run)
        return frame

    def save(self, path: str | os.PathLike[str], overwrite: bool = False) -> str:
        """Write the pipeline to a folder: ``pipeline.json`` with the parameters of all stages, and a model folder for
        each stage that has one. It appears whole or not at all.

        Raises
        ------
        ParameterError
            The folder exists and may not be replaced.
        WriteError
            The folder cannot be written.
        ModelNotFoundError
            A model's files are gone.
        """
        from .stage_folder import save_stages

        return os.fspath(save_stages(self.flat(), path, overwrite=overwrite))

    def write(self) -> Writer:
        """Return Spark's way to save: ``model.write().overwrite().save(path)``."""
        from .stage_folder import Writer

        return Writer(self)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> PipelineModel:
        """Read a saved pipeline: ours, or one of Spark NLP's (its folder, or a zip of it) made of stages that are here.

        The stages of a Spark NLP pipeline give correct vectors as all of ours do; for its own,
        ``model.stages[i].setCompat("sparknlp")``.

        Raises
        ------
        ModelNotFoundError
            There is no saved pipeline, or a part of it is missing.
        CorruptModelError
            A part is damaged.
        ParameterError
            A Spark NLP pipeline has a stage or a parameter that is not here, or is a single stage.
        """
        from .models.foreign import spark_folder

        if spark_folder.is_pipeline(path):
            from .spark_pipeline import load_spark_stages

            return cls(load_spark_stages(path))
        from .stage_folder import load_stages

        return cls(load_stages(path))

    @classmethod
    def read(cls) -> type[PipelineModel]:
        """Return Spark's way to load: ``PipelineModel.read().load(path)``."""
        return cls

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.stages})"


def _checked(stages: Any, kinds: tuple[type, ...]) -> list[Any]:
    """Return the stages as a list, or say which of them is none."""
    if not isinstance(stages, Iterable):
        raise ParameterError(f"The stages of a pipeline are a list, not a {type(stages).__name__}. Write [stage].")
    listed = list(stages)
    for number, stage in enumerate(listed):
        if not isinstance(stage, kinds):
            what = "None; a call before returned nothing" if stage is None else f"a {type(stage).__name__}"
            raise ParameterError(f"Stage {number} of the pipeline is {what}, not a stage of albert_fast.")
    return listed


class RecursivePipeline(Pipeline):
    """Spark NLP's pipeline whose stages may see those before them. None of ours does: it is a `Pipeline`."""
