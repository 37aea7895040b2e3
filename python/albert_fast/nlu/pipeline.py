"""NLUPipeline: the stages by name, and `predict`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..annotators import SentenceEmbeddings
from ..annotators.stage import Stage
from ..errors import ParameterError
from ..pipeline import Pipeline, PipelineModel
from .names import check_style
from .stages import fitted, keyed, read_columns, without_sentences
from .units import LEVELS, units_of

if TYPE_CHECKING:
    import pandas as pd

    from ..tables.frame import Frame
    from .inputs import Given

_ENTIRE = "entire_pipeline"


class NLUPipeline(Mapping[str, Stage]):
    """What `load` returns: a mapping of names to annotators, with `predict`.

    ``pipe["tokenizer"].setMinLength(2)`` configures a stage; it applies from the next `predict` on.

    Parameters
    ----------
    components
        The stages, in order.
    references
        For each embedding stage what its column is named after.
    column_style
        "nlu1" or "nlu5"; see `load`.
    rewired
        Run without sentences at the levels document and chunk. False: the stages run as they are.
    """

    def __init__(
        self,
        components: Mapping[str, Stage],
        references: Mapping[str, str],
        column_style: str = "nlu1",
        *,
        rewired: bool = False,
    ) -> None:
        self._components = dict(components)
        self._references = dict(references)
        self._style = check_style(column_style)
        self._rewired = rewired

    def __getitem__(self, key: str) -> Stage:
        if key not in self._components:
            raise KeyError(f"There is no component {key!r}. There is: {', '.join(self._components)}.")
        return self._components[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._components)

    def __len__(self) -> int:
        return len(self._components)

    def __repr__(self) -> str:
        return f"NLUPipeline({', '.join(self._components)})"

    # ---------------------------------------------------------------- predict

    def predict(
        self,
        data: Any,
        output_level: str = "",
        output_path: str = "",
        positions: bool = False,
        keep_stranger_features: bool = True,
        metadata: bool = False,
        multithread: bool = True,
        drop_irrelevant_cols: bool = True,
        return_spark_df: bool = False,
        get_embeddings: bool = True,
        parser_output: bool = False,
        parser_config: str = "",
        partition: int = 1000,
    ) -> pd.DataFrame:
        """Annotate texts; see `albert_fast.nlu` for what the columns hold and where nlu's differ.

        Parameters
        ----------
        data
            A text; a list, tuple, one-dimensional array or Series of texts; or a table with a column "text" (else its
            first is taken): a DataFrame, a dict of columns, a table of polars or pyarrow. It is not changed. None and
            NaN read as an empty text.
        output_level : {"token", "sentence", "document", "chunk"}, optional
            What a row is; "word" is another name of "token". Default: what the last stage makes, a token.
        positions
            Add ``_begin`` and ``_end`` (inclusive) of all annotations.
        keep_stranger_features
            Repeat the columns of a DataFrame beside the results.
        metadata
            Add all levels' columns, the metadata of tokens and vectors, and ``origin_index``: the row's label in the
            input's index.
        drop_irrelevant_cols
            False: add the columns of the other levels and ``origin_index``.
        get_embeddings
            False: no vectors are computed.
        multithread, partition
            nlu's; without effect here.
        output_path, return_spark_df, parser_output, parser_config
            nlu's; only their defaults.

        Returns
        -------
        pandas.DataFrame
            In the order of the input, with its index repeated for every row that comes from one text. In the style
            "nlu1" the level's column and the vectors come first; in the style "nlu5" columns are sorted.

        Raises
        ------
        InputError
            The data is of another kind, a row is not a text, or its columns have names that the result needs.
        ParameterError
            The level does not exist or the pipeline does not make it; or an option of nlu is not available.
        MissingDependencyError
            pandas is not installed.
        """
        _refuse(
            output_path=output_path,
            return_spark_df=return_spark_df,
            parser_output=parser_output,
            parser_config=parser_config,
        )
        level = self._level(output_level)
        components = self._configured(level, get_embeddings)
        units = list(units_of(components, self._references, self._style).values())
        model = PipelineModel(list(components.values()))
        given, frame = _run(model, data)
        from .table import Table

        table = Table(frame, given, units, level)
        everything = metadata or not drop_irrelevant_cols
        table.add_results(everything=everything)
        if positions:
            table.add_positions()
        if metadata:
            table.add_metadata()
        if everything:
            table.add_origin()
        if keep_stranger_features:
            table.add_others()
        return table.to_pandas(sort=self._style == "nlu5")

    def predict_embeds(
        self, data: Any, multithread: bool = True, return_spark_df: bool = False, partition: int = 1000
    ) -> list[list[float]]:
        """Return the first sentence vector of every text as numbers, of the first `SentenceEmbeddings`.

        Raises
        ------
        ParameterError
            The pipeline makes none. Those of `load(reference)` make token vectors only.
        """
        _refuse(return_spark_df=return_spark_df)
        source = next((s.output_col() for s in self._components.values() if isinstance(s, SentenceEmbeddings)), None)
        if source is None:
            raise ParameterError(
                "No Sentence Embedder found in pipeline: its vectors are those of tokens. Use "
                "AlbertEmbeddings.embed(texts, level='document'), or save a pipeline with SentenceEmbeddings and load "
                "it by path=."
            )
        _, frame = _run(PipelineModel(list(self._configured("sentence", True).values())), data)
        column = frame.annotations(source)
        return [cell.vectors[0].tolist() if len(cell.vectors) else [] for cell in column]

    def _level(self, output_level: str | None) -> str:
        units = list(units_of(self._components, self._references, self._style).values())
        level = output_level or (units[-1].level if units else "document")
        level = "token" if level == "word" else level
        if level not in LEVELS:
            raise ParameterError(f"output_level is {level!r}; it can be {', '.join(LEVELS)}.")
        if level != "chunk" and not any(unit.level == level for unit in units):
            there = ", ".join(dict.fromkeys(unit.level for unit in units))
            raise ParameterError(f"output_level is {level!r}, and this pipeline makes no {level}s; it makes: {there}.")
        return level

    def _configured(self, level: str, vectors: bool) -> dict[str, Stage]:
        """Return the stages of one run: fitted, without those that nobody needs, wired for the level."""
        stages = {
            key: stage
            for key, stage in self._components.items()
            if stage.outputAnnotatorType is not None
            and (vectors or stage.outputAnnotatorType not in ("word_embeddings", "sentence_embeddings"))
        }
        if self._rewired and level in ("document", "chunk"):
            stages = without_sentences(stages)
        return {key: fitted(stage) for key, stage in stages.items()}

    # ---------------------------------------------------------------- the rest of nlu's

    def fit(self, dataset: Any = None) -> NLUPipeline:
        """Check the wiring and the parameters. Nothing is learnt; `predict` needs no fit.

        Raises
        ------
        WiringError, ParameterError, DeviceError
        """
        model = PipelineModel([fitted(stage) for stage in self._components.values()])
        model.columns_after(dict.fromkeys([model.text_column(), *read_columns(model)]))
        return self

    def print_info(self, minimal: bool = True) -> None:
        """Print every parameter with its setter and value; minimal: those that have a value, without column names."""
        from .info import info_text

        print(info_text(self._components, minimal))

    def save(self, path: str | os.PathLike[str], component: str = _ENTIRE, overwrite: bool = True) -> None:
        """Write the pipeline, or one component, to a folder; ``load(path=...)`` reads it.

        The stages are saved as they are, the sentence detector among them; a loaded pipeline runs it at every level.

        Raises
        ------
        ParameterError
            There is no such component, or the folder exists and may not be replaced.
        WriteError
            The folder cannot be written.
        """
        if component == _ENTIRE:
            PipelineModel([fitted(stage) for stage in self._components.values()]).save(path, overwrite)
        elif component in self._components:
            fitted(self._components[component]).save(path, overwrite)
        else:
            raise ParameterError(
                f"There is no component {component!r}. There is: {', '.join([_ENTIRE, *self._components])}."
            )


def to_pretty_df(
    pipe: NLUPipeline | PipelineModel | Pipeline,
    data: Any,
    positions: bool = False,
    output_level: str = "",
    metadata: bool = False,
) -> pd.DataFrame:
    """Run any pipeline of this package on texts and return nlu's kind of DataFrame; see `NLUPipeline.predict`."""
    if isinstance(pipe, (Pipeline, PipelineModel)):
        model = pipe.fit() if isinstance(pipe, Pipeline) else pipe
        components = keyed(model.flat())
        pipe = NLUPipeline(components, dict.fromkeys(components, "from_disk"))
    if not isinstance(pipe, NLUPipeline):
        raise ParameterError(f"to_pretty_df takes a pipeline, not a {type(pipe).__name__}.")
    return pipe.predict(data, output_level=output_level, positions=positions, metadata=metadata)


def _run(model: PipelineModel, data: Any) -> tuple[Given, Frame]:
    from .inputs import read_input

    given = read_input(data, model.text_column(), read_columns(model))
    model.columns_after(given.frame.wiring())
    return given, model.run(given.frame, model.default_run())


def _refuse(**given: Any) -> None:
    """Raise for options of nlu that would change the result and are not there."""
    for name, value in given.items():
        if value:
            raise ParameterError(
                f"{name}={value!r} is not available: predict returns a pandas DataFrame. Leave it out and save or "
                "convert the result; for columns of annotations use albert_fast.Pipeline."
            )
