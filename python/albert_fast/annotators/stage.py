"""What all stages of a pipeline share: a uid, columns in and out, and the check of the wiring."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from .. import params as p
from ..errors import WiringError
from ..wiring import EMPTY, Columns, there

if TYPE_CHECKING:
    from pathlib import Path

    from ..columns import AnnotationColumn
    from ..stage_folder import Writer
    from ..tables.frame import Frame

    if sys.version_info >= (3, 11):
        from typing import Self
    else:
        from typing_extensions import Self


class Run(NamedTuple):
    """What the stages of one run agree on.

    Attributes
    ----------
    compat
        "sparknlp" where one of the stages reproduces Spark NLP; the others then choose words by its rules.
    light
        A `LightPipeline` runs: no batch holds sentences of two texts, documents carry no metadata.
    vectors
        False: nobody will look at vectors, so none are computed.
    """

    compat: str | None = None
    light: bool = False
    vectors: bool = True


class Stage(p.HasParams):
    """A stage of a pipeline: parameters, a uid, and a step from a table to a table.

    Attributes
    ----------
    uid
        The stage's name in messages and saved pipelines, as in Spark.
    inputAnnotatorTypes, outputAnnotatorType
        What the input columns must hold, and what the output column holds.
    """

    uid_prefix: ClassVar[str] = "STAGE"
    inputAnnotatorTypes: ClassVar[tuple[str, ...]] = ()
    outputAnnotatorType: ClassVar[str | None] = None

    def __init__(self, /, **parameters: Any) -> None:
        super().__init__(parameters)
        self.uid = f"{self.uid_prefix}_{os.urandom(6).hex()}"

    # ---------------------------------------------------------------- columns

    def input_cols(self) -> list[str]:
        """Return the columns of annotations that the stage reads."""
        columns = self.get_param("inputCols") if self.hasParam("inputCols") else None
        if columns is None:
            raise WiringError(f"{self._title()} has no input columns. Set them with setInputCols.")
        return list(columns)

    def output_col(self) -> str:
        """Return the column that the stage makes."""
        column = self.get_param("outputCol")
        if column is None:
            raise WiringError(f"{self._title()} has no output column. Set it with setOutputCol.")
        return str(column)

    def columns_after(self, columns: Columns) -> dict[str, str | None]:
        """Return the columns of the table after this stage, before any work is done.

        Raises
        ------
        WiringError
            A column is missing, of another type, or made twice; names the stage, the column and what is there.
        """
        self._check_inputs(columns)
        return self._with_output(columns, self.output_col(), self.outputAnnotatorType)

    def _check_inputs(self, columns: Columns) -> None:
        names = self.input_cols()
        found = [self._type_of(name, columns) for name in names]
        missing = Counter(self.inputAnnotatorTypes)
        missing.subtract(kind for kind in found if kind != EMPTY)
        if len(found) != len(self.inputAnnotatorTypes) or min(missing.values()) < 0:
            wanted = " and ".join(self.inputAnnotatorTypes)
            given = ", ".join(f"{name!r} ({kind})" for name, kind in zip(names, found, strict=True))
            raise WiringError(
                f"{self._title()} needs input columns of type {wanted}, and got {given}. {there(columns)}"
            )

    def _type_of(self, name: str, columns: Columns) -> str:
        if name not in columns:
            raise WiringError(f"{self._title()} reads column {name!r}, which is not there. {there(columns, name)}")
        return columns[name] or "no annotations"

    def _with_output(self, columns: Columns, name: str, kind: str | None) -> dict[str, str | None]:
        if name in columns:
            raise WiringError(
                f"{self._title()} would make column {name!r}, which is there already. Choose another name with "
                f"setOutputCol, or drop that column first. {there(columns)}"
            )
        return {**columns, name: kind}

    def _title(self) -> str:
        return f"{type(self).__name__} {self.uid}"

    def _input(self, frame: Frame, kind: str) -> AnnotationColumn:
        """Return the input column of one type, whichever of them it is."""
        return frame.annotations(self._input_name(frame, kind), kind)

    def _input_name(self, frame: Frame, kind: str) -> str:
        for name in self.input_cols():
            if frame.type_of(name) == kind:
                return name
        for name in self.input_cols():
            if frame.wiring()[name] == EMPTY:
                return name
        raise WiringError(f"{self._title()} needs an input column of type {kind}. {there(frame.types())}")

    # ---------------------------------------------------------------- work

    def run(self, frame: Frame, run: Run) -> Frame:
        """Return the table with this stage's column. The wiring has been checked."""
        raise NotImplementedError

    def default_run(self) -> Run:
        """Return what a run of this stage alone agrees on."""
        return Run(compat=self.get_param("compat") if self.hasParam("compat") else None)

    def transform(self, data: Any) -> Any:
        """Run this stage on a table.

        Parameters
        ----------
        data
            A pandas DataFrame, a dict of columns, a `Frame`, or a list of texts, which become the column "text".

        Returns
        -------
        The same kind of table with one more column; a `Frame` for a list of texts.

        Raises
        ------
        WiringError
            An input column is missing or of another type, or the output column is there already.
        InputError
            The data is no table.
        """
        from ..tables.read import read_table

        frame, restore = read_table(data)
        self.columns_after(frame.wiring())
        return restore(self.run(frame, self.default_run()))

    def copy(self, extra: Mapping[str, Any] | None = None) -> Self:
        """Return a stage with the same uid and parameters of its own, changed by `extra`."""
        import copy

        other = copy.copy(self)
        for name, value in (extra or {}).items():
            other.set_param(name, value)
        return other

    def __copy__(self) -> Self:
        other = type(self)(**self.explicit_params())
        other.uid = self.uid
        return other

    def __repr__(self) -> str:
        return self.uid

    # ---------------------------------------------------------------- files

    # Whether the parameters do not say all: the stage then has a folder of its own in a saved pipeline.
    has_files: ClassVar[bool] = False

    def save_files(self, folder: Path) -> None:
        """Write the stage's files into a new folder."""
        raise NotImplementedError

    @classmethod
    def load_files(cls, parameters: Mapping[str, Any], folder: Path) -> Self:
        """Make a stage from saved parameters and the folder that `save_files` wrote."""
        raise NotImplementedError

    def save(self, path: str | os.PathLike[str], overwrite: bool = False) -> str:
        """Write the stage to a folder, a pipeline of one stage; `load` reads it."""
        from ..stage_folder import save_stages

        return os.fspath(save_stages([self], path, overwrite=overwrite))

    def write(self) -> Writer:
        """Return Spark's way to save: ``stage.write().overwrite().save(path)``."""
        from ..stage_folder import Writer

        return Writer(self)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a stage of this class that was saved.

        Raises
        ------
        ModelNotFoundError
            There is none, or it is of another class.
        """
        from ..errors import ModelNotFoundError
        from ..stage_folder import load_stages

        stages = load_stages(path)
        if len(stages) != 1 or not isinstance(stages[0], cls):
            found = ", ".join(type(stage).__name__ for stage in stages)
            raise ModelNotFoundError(f"{path} holds {found or 'no stage'}, not one {cls.__name__}.")
        return stages[0]

    @classmethod
    def read(cls) -> type[Self]:
        """Return Spark's way to load: ``Stage.read().load(path)``."""
        return cls


class Annotator(Stage):
    """A stage with input columns of annotations."""

    def setInputCols(self, *columns: str | Sequence[str]) -> Self:
        """Set the input columns, as strings or one list; their order does not matter."""
        self.set_param("inputCols", p.listed(columns))
        return self

    getInputCols = p.Getter()
    setOutputCol = p.Setter()
    getOutputCol = p.Getter()
    setLazyAnnotator = p.Setter()
    getLazyAnnotator = p.Getter()

    _params: ClassVar[tuple[p.Param, ...]] = (
        p.Param("input_cols", "inputCols", None, p.optional(p.strings()), "Columns that the stage reads."),
        p.Param("output_col", "outputCol", None, p.optional(p.text), "Column that the stage makes."),
        p.Param("lazy_annotator", "lazyAnnotator", False, p.boolean, "Skipped by recursive and light pipelines."),
    )


def annotator_params(inputs: int) -> tuple[p.Param, ...]:
    """Return the declarations that every annotator has; `inputs` is the number of its input columns."""
    input_cols, output_col, lazy = Annotator._params
    fixed = p.Param("input_cols", "inputCols", None, p.optional(p.strings(inputs)), input_cols.doc)
    return fixed, output_col, lazy
