"""AlbertEmbeddings: ALBERT vectors of words, pieces, sentences and documents."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from .. import params as p
from ..errors import DeviceError, InputError, ModelNotFoundError, ParameterError, TruncationWarning
from ..results import Embeddings
from ..tables.foreign import without_scalars
from ..warn import warn_user
from .albert_params import LEVEL_POOLINGS, AlbertParams

if TYPE_CHECKING:
    from pathlib import Path

    from .. import _core
    from ..device import Cuda
    from ..models import ModelFiles
    from ..tables.frame import Frame
    from ..wiring import Columns
    from .stage import Run

    if sys.version_info >= (3, 11):
        from typing import Self
    else:
        from typing_extensions import Self


def _items(values: object) -> Iterator[Any]:
    """Iterate over a collection of texts; refuse what iterates over something else."""
    if isinstance(values, (bytes, bytearray)):
        raise InputError("The input is bytes, not str. Decode it first, for example with data.decode('utf-8').")
    if getattr(values, "ndim", 1) != 1:
        raise InputError(
            f"The input is {type(values).__name__} with {getattr(values, 'ndim', 0)} dimensions. Give one column of "
            "texts, for example frame['text']."
        )
    if isinstance(values, Mapping) or not isinstance(values, Iterable):
        raise InputError(f"The input is {type(values).__name__}. Give a string or an iterable of strings.")
    return iter(without_scalars(values))


def _as_texts(texts: object) -> tuple[str, ...]:
    """Return the texts as a tuple, which nobody can change while the engine reads it. The core checks each item."""
    return (texts,) if isinstance(texts, str) else tuple(_items(texts))


def _chunks(texts: Iterator[str], size: int) -> Iterator[list[str]]:
    while chunk := list(islice(texts, size)):
        yield chunk


def _warn_of_cuts(stats: Mapping[str, int], options: Mapping[str, Any]) -> None:
    """Warn of words that were not read to their end."""
    if stats["cut_words"]:
        warn_user(
            f"{stats['cut_words']} word(s) had more pieces than a window of {options['max_sentence_length']} holds; "
            f"{stats['cut_pieces']} piece(s) were not read. Every word has a vector, made of its first pieces.",
            TruncationWarning,
        )


class AlbertEmbeddings(AlbertParams):
    """ALBERT embeddings (Lan et al. 2020) of words in context; Spark NLP's annotator of that name.

    Get one with `pretrained` or `load`. A loaded model may be used by any number of threads at once; annotators of the
    same model share its memory and keep their own parameters. A pickled one is its parameters and a path: whoever
    unpickles it reads the files that lie there then. A forked child cannot use its parent's (`ForkError`).

    Parameters
    ----------
    **parameters
        Any parameter below, by keyword; each also has Spark NLP's setter and getter (``batch_size=8`` is
        ``setBatchSize(8)``).

    Other Parameters
    ----------------
    level : {"word", "piece", "sentence", "document"}, default "word"
        What a vector stands for. "token" is another name of "word".
    pooling : str, optional
        Of a word's pieces: "first" (default), "mean", "max". Of sentences and documents: "mean" over all pieces
        without [CLS] and [SEP] (default), "max", "cls", "pooler", or "words", the mean over word vectors (Spark NLP's
        SentenceEmbeddings). "cls" and "pooler" of what spans several windows are the mean over its windows.
    layers : int or sequence of int, default -1
        Hidden states to average: 0 is the projected embedding, n the output of layer n, negative numbers count from
        the last.
    normalize : bool, default False
        Scale vectors to unit length (a text without words keeps its zeros).
    tokenization : {"word", "text"}, default "word"
        "word": every word is encoded alone and bare ``▁`` pieces are dropped, as Spark NLP does. "text": a sentence is
        encoded as a whole after ALBERT's preprocessing, as Google and Hugging Face do.
    detect_sentences : bool, default True
        False takes each text as one sentence.
    max_sentence_length : int, default 128
        Pieces of one window, [CLS] and [SEP] included, at most 512. A longer sentence is read in windows that start at
        word borders and overlap by a quarter; a word takes its vector where it is farthest from an edge.
    case_sensitive : bool, default False
        Keep upper case. Uncased vocabularies have no pieces for it.
    offsets : {"codepoints", "utf16"}, optional
        Unit of ``begin`` and ``end``; default code points, UTF-16 units with ``compat="sparknlp"``.
    compat : {"sparknlp"}, optional
        Reproduce Spark NLP's vectors, its defects included: sentences are padded to their batch of ``batch_size``,
        padding is attended to, long sentences are cut, and words without pieces get no vector.
    threads : int, optional
        Threads of one call. Default: ALBERT_FAST_NUM_THREADS, else every processor this process may use.
    device : str, default "cpu"
        "cpu", "cuda" (an NVIDIA GPU, with the extra ``gpu``) or, of several, "cuda:1". A device that cannot be used is
        a DeviceError. The CUDA path has not run on a GPU yet: see docs/gpu.md.
    precision : {"fp32", "int8", "fp16", "tf32"}, optional
        Arithmetic: "fp32" (default) or "int8" on the CPU; "fp16" (default), "tf32" or "fp32" on CUDA. With "int8" the
        weights of the layers' matrix products are quantized when the model is loaded, and the rows that go into a
        product each by itself, so that a vector still does not depend on its neighbours; all else is fp32.
        `albert_fast.verify` says how far the vectors are from fp32's.

    Examples
    --------
    >>> from albert_fast import AlbertEmbeddings
    >>> model = AlbertEmbeddings.pretrained("albert_tiny_en")
    >>> out = model.embed(["I love NLP", "ALBERT is small."])
    >>> out[1].words
    ['ALBERT', 'is', 'small', '.']
    """

    def __init__(self, /, **parameters: Any) -> None:
        super().__init__(**parameters)
        self._files: ModelFiles | None = None
        # What it was loaded for (a precision, and the device if that is not the CPU), and it.
        self._engine: tuple[tuple[str, Cuda | None], _core.Engine] | None = None

    # ---------------------------------------------------------------- getting and keeping a model

    @classmethod
    def pretrained(
        cls,
        /,
        name: str = "albert_base_uncased",
        lang: str | None = "en",
        remote_loc: str | None = None,
        *,
        cache_dir: str | os.PathLike[str] | None = None,
        revision: str | None = None,
        token: str | bool | None = None,
        local_files_only: bool | None = None,
        **parameters: Any,
    ) -> Self:
        """Load a published model by name, from this machine if it is there, else from where it is published.

        Parameters
        ----------
        name
            A name of `albert_fast.models.models()`, a hub id such as "albert/albert-base-v2", the https address of a
            zip, or a path.
        lang
            Language of the name. Ignored for hub ids, addresses and paths.
        remote_loc
            Spark NLP's storage location. Not used: only the default, None, is accepted.
        cache_dir, revision, token, local_files_only
            As in huggingface_hub; see `albert_fast.models.resolve`.
        **parameters
            Parameters of the annotator.

        Raises
        ------
        ModelNotFoundError, CorruptModelError, MissingDependencyError, ParameterError
        """
        if remote_loc is not None:
            raise ParameterError(
                f"remote_loc is {remote_loc!r}; albert_fast knows no such places. Leave it out, or give the https "
                "address of the model's zip as the name."
            )
        from .. import models

        known = models.registry.lookup(name) is not None
        files = models.resolve(
            name,
            lang if known else None,
            cache_dir=cache_dir,
            revision=revision,
            token=token,
            local_files_only=local_files_only,
            show_progress=parameters.get("show_progress"),
        )
        return cls._from_files(files, parameters)

    @classmethod
    def load(
        cls,
        /,
        path: str | os.PathLike[str],
        *,
        num_attention_heads: int | None = None,
        num_hidden_layers: int | None = None,
        hidden_act: str | None = None,
        layer_norm_eps: float | None = None,
        **parameters: Any,
    ) -> Self:
        """Load a model in any form that people have one: nothing is written, and the form does not change a vector.

        Parameters
        ----------
        path
            A folder of ours or of Hugging Face (model.safetensors or pytorch_model.bin), what Spark NLP saved (folder
            or .zip), a TensorFlow SavedModel folder, Google's checkpoint (folder or .tar.gz), an .onnx file.
        num_attention_heads, num_hidden_layers, hidden_act, layer_norm_eps
            What no file of the model says. Seldom needed; an error asks for it.
        **parameters
            Parameters of the annotator. Those saved with the model apply unless given here again.

        Raises
        ------
        ModelNotFoundError
            There is nothing of that path, a file is missing, or it is of no known form.
        CorruptModelError
            A file is truncated, hostile, changed since it was saved, or does not belong to the others.
        ParameterError
            A number above is needed, or the path is a saved pipeline.

        Warns
        -----
        ForeignGraphWarning
            An ONNX graph is not an ALBERT in a known form and is run as it is: padded, the last hidden state only.
        VocabularyWarning
            The vocabulary has far fewer pieces than the word embeddings have rows: they may not belong together.
        """
        from .. import models

        files = models.read_any(
            path,
            num_attention_heads=num_attention_heads,
            num_hidden_layers=num_hidden_layers,
            hidden_act=hidden_act,
            layer_norm_eps=layer_norm_eps,
        )
        return cls._from_files(files, parameters)

    @classmethod
    def loadSavedModel(cls, folder: str | os.PathLike[str], spark_session: object = None) -> Self:
        """Load a model. Spark NLP's name of `load`; the session is not needed."""
        return cls.load(folder)

    @classmethod
    def pretrainedEngine(
        cls, name: str = "albert_base_uncased", lang: str = "en", remote_loc: str | None = None, engine: str = "onnx"
    ) -> Self:
        """Load a published model by name. Spark NLP's name of `pretrained`; the engine is ONNX Runtime here."""
        return cls.pretrained(name, lang, remote_loc)

    @classmethod
    def _from_files(cls, files: ModelFiles, parameters: Mapping[str, Any]) -> Self:
        annotator = cls(**{**files.parameters, **parameters})
        annotator._files = files
        annotator._warm_up()
        return annotator

    def save(self, path: str | os.PathLike[str], overwrite: bool = False) -> str:
        """Write the model and the parameters to a folder that `load` reads. Appears whole or not at all.

        Raises
        ------
        ModelNotFoundError
            This annotator has no model, or its files are gone.
        CorruptModelError
            Its files are others than those that were loaded.
        WriteError
            The folder cannot be written.
        """
        from .. import models

        files = self._model_files()
        target = models.save_folder(files, path, self.explicit_params(), overwrite=overwrite)
        if files.source.exists() and target.samefile(files.source):  # the files that it was loaded from are gone
            self._files = models.read_any(target)
        return os.fspath(target)

    has_files = True

    def save_files(self, folder: Path) -> None:
        """Write the model into a new folder, for a saved pipeline."""
        self.save(folder)

    @classmethod
    def load_files(cls, parameters: Mapping[str, Any], folder: Path) -> Self:
        """Make an annotator from saved parameters and a model folder."""
        return cls.load(folder, **parameters)

    def export(self, format: str, path: str | os.PathLike[str], overwrite: bool = False) -> str:
        """Write the model for other systems; appears whole or not at all.

        Parameters
        ----------
        format : {"spark-nlp", "onnx"}
            "spark-nlp": a folder for Spark NLP's `AlbertEmbeddings.loadSavedModel`; call setDimension and, where the
            model is cased, setCaseSensitive there, because such a folder cannot hold parameters. "onnx": a folder, or
            one file if `path` ends in ".onnx", for anything that runs ONNX.
        path
            Folder or file to make.
        overwrite
            Replace an earlier export.

        Raises
        ------
        ParameterError
            No such format, or the destination holds other things.
        ModelNotFoundError
            This annotator has no model, or its files are gone.
        CorruptModelError
            Its files are others than those that were loaded.
        WriteError
            The destination cannot be written.
        """
        from .. import models

        return os.fspath(models.export_model(self._model_files(), format, path, overwrite=overwrite))

    def _model_files(self) -> ModelFiles:
        if self._files is None:
            raise ModelNotFoundError(
                "This AlbertEmbeddings has no model. Make it with AlbertEmbeddings.pretrained(name) or "
                "AlbertEmbeddings.load(folder)."
            )
        return self._files

    def _loaded(self) -> _core.Engine:
        wanted = self._check_device()
        if self._engine is None or self._engine[0] != wanted:
            from ..engines import engine_for

            self._engine = wanted, engine_for(self._model_files(), *wanted)
            if wanted[1] is not None and wanted[1].graphs:
                self._capture(self._engine[1])
        return self._engine[1]

    def _capture(self, engine: _core.Engine) -> None:
        """Have short texts run as CUDA graphs, with this annotator's layers and pooling."""
        try:
            engine.prepare(self._options())
        except DeviceError as error:
            warn_user(
                f"Short texts run without CUDA graphs, which takes longer: {error} Another thread that used the device "
                "meanwhile may be the cause: load the model before it starts. ALBERT_FAST_CUDA_GRAPHS=0 does without "
                "them.",
                RuntimeWarning,
            )

    def _warm_up(self) -> None:
        """Make the session now, so that the first call costs what the others cost."""
        self._loaded().embed_ids([[0, 0]], self._options())

    def _check_device(self) -> tuple[str, Cuda | None]:
        """Return the precision, which the device has, and the device if it is not the CPU."""
        from ..device import choose

        # A precision that nobody set is the device's own.
        precision = self.explicit_params().get("precision")
        cuda = choose(self.get_param("device"), precision)
        if cuda is not None:
            return cuda.precision, cuda
        if precision not in (None, "fp32") and self._model_files().graph is not None:
            raise DeviceError(
                f"precision={precision!r} needs the model's weights, but {self._model_files().name} is an ONNX graph "
                "that runs as it is, in the precision it was written with. Use precision='fp32', or load the model "
                "from its weights (a Hugging Face folder, say)."
            )
        return precision or "fp32", None

    # Pickling carries the configuration; whoever unpickles loads the model from the same folder on first use.
    def __getstate__(self) -> dict[str, Any]:
        files = self._files
        return {
            "parameters": self.explicit_params(),
            "uid": self.uid,
            "source": None if files is None else files.source,
            "overrides": {} if files is None else dict(files.overrides),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state["parameters"])  # type: ignore[misc]
        self.uid = state["uid"]
        if state["source"] is not None:
            from .. import models

            self._files = models.read_any(state["source"], **state["overrides"])

    def __copy__(self) -> Self:
        """Return an annotator of the same loaded model with parameters of its own."""
        other = super().__copy__()
        other._files, other._engine = self._files, self._engine
        return other

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self.__copy__()

    def __repr__(self) -> str:
        name = "no model" if self._files is None else self._files.name
        given = ", ".join(f"{key}={value!r}" for key, value in sorted(self.explicit_params().items()))
        return f"AlbertEmbeddings({name}{', ' if given else ''}{given})"

    def getDimension(self) -> int | None:
        """Return dimension; unset, it is the model's hidden size."""
        own: int | None = self.get_param("dimension")
        return self.hidden_size if own is None and self._files is not None else own

    @property
    def hidden_size(self) -> int:
        """Dimensions of a vector."""
        return self._model_files().geometry.hidden_size

    # ---------------------------------------------------------------- a stage of a pipeline

    def columns_after(self, columns: Columns) -> dict[str, str | None]:
        """Return the columns of the table after this stage, before any work is done; see `Stage`.

        Raises
        ------
        WiringError, ModelNotFoundError, ParameterError, DeviceError
        """
        after = super().columns_after(columns)
        self._options(level="word")
        self._check_device()
        return after

    def run(self, frame: Frame, run: Run) -> Frame:
        """Return the table with a vector for every token, whatever the parameter `level` says."""
        from ..columns import AnnotationColumn

        tokens = self._input(frame, "token")
        options = {**self._options(level="word"), "lone_texts": run.light}
        core, stats = self._loaded().annotate(
            self._input(frame, "document").core, tokens.core, options, with_vectors=run.vectors
        )
        _warn_of_cuts(stats, options)
        metadata = {"dimension": self.getDimension(), "ref": self.get_param("storageRef") or self.uid}
        return frame.with_column(self.output_col(), AnnotationColumn(core, metadata))

    # ---------------------------------------------------------------- embedding

    def embed(
        self,
        texts: str | Iterable[str],
        *,
        level: str | None = None,
        pooling: str | None = None,
        layers: int | Sequence[int] | None = None,
        normalize: bool | None = None,
        tokenization: str | None = None,
        detect_sentences: bool | None = None,
        special_tokens: bool = False,
        output_device: str | None = None,
    ) -> Embeddings:
        """Compute the vectors of texts. Options that are not given are the annotator's parameters.

        Parameters
        ----------
        texts
            One text or any number of them; an empty text is allowed.
        special_tokens
            With ``level="piece"``: rows for [CLS] and [SEP] too.
        output_device
            "cpu" (default), or the CUDA device of the model: ``vectors`` is then a `DeviceVectors` there, which
            PyTorch and CuPy take without a copy. Rows that are made of several windows, maxima and
            ``normalize=True`` are finished on the host first, short calls are copied on the card
            (``stats["copies"]`` counts both).

        Returns
        -------
        Embeddings
            ``vectors`` is float32 [rows, hidden_size], written by the engine in place and not copied.

        Raises
        ------
        InputError
            A text is None, not a string, or holds a lone surrogate; names its position.
        ParameterError
            An option is not allowed.
        DeviceError
            The device cannot be used, has no memory for this, or is not the one that `output_device` names.
        ForkError
            The model was loaded before this process was forked.

        Warns
        -----
        TruncationWarning
            A single word had more pieces than a window holds.
        """
        options = self._call_options(
            level=level,
            pooling=pooling,
            layers=layers,
            normalize=normalize,
            tokenization=tokenization,
            detect_sentences=detect_sentences,
            special_tokens=special_tokens,
            output_device=output_device,
        )
        return self._embed(_as_texts(texts), 0, options)

    def _embed(self, texts: Sequence[str], first: int, options: dict[str, Any]) -> Embeddings:
        """Embed texts of which the first has the number `first` in its stream."""
        engine = self._loaded()
        return self._result(engine, engine.embed(texts, options, first), texts, options)

    def _call_options(
        self, /, *, special_tokens: bool = False, output_device: str | None = None, **given: Any
    ) -> dict[str, Any]:
        unknown = set(given) - {"level", "pooling", "layers", "normalize", "tokenization", "detect_sentences"}
        if unknown:
            raise ParameterError(f"{sorted(unknown)[0]} is no option of a call; set it on the annotator.")
        options = self._options(**given)
        if special_tokens and options["level"] != "piece":
            raise ParameterError(f"special_tokens=True needs level='piece'; the level is {options['level']!r}.")
        options["special_tokens"] = bool(special_tokens)
        options["on_device"] = self._stays(output_device)
        return options

    def _stays(self, output_device: str | None) -> bool:
        """Return whether the vectors of a call stay on the model's device."""
        from ..device import stays_on

        return stays_on(self.get_param("device"), output_device)

    def embed_words(
        self,
        sentences: Iterable[Sequence[str]],
        *,
        level: str | None = None,
        pooling: str | None = None,
        layers: int | Sequence[int] | None = None,
        normalize: bool | None = None,
        output_device: str | None = None,
    ) -> Embeddings:
        """Compute the vectors of sentences that are split into words already.

        Each item of `sentences` counts as one text with one sentence; ``begin`` and ``end`` are places in its words
        joined by single blanks. Every word is encoded alone. Other parameters, result and errors as for `embed`.
        """
        if isinstance(sentences, str):
            raise InputError("embed_words takes lists of words, not a string. Use embed for texts.")
        given = []
        for number, words in enumerate(_items(sentences)):
            if isinstance(words, str) or not isinstance(words, Iterable):
                raise InputError(
                    f"sentence {number} is {type(words).__name__}, not a list of words. Use embed for texts that are "
                    "not split."
                )
            given.append(tuple(words))
        options = self._options(level=level, pooling=pooling, layers=layers, normalize=normalize, tokenization="word")
        options["on_device"] = self._stays(output_device)
        engine = self._loaded()
        columns = engine.embed_words(given, options)
        return self._result(engine, columns, [" ".join(words) for words in given], options)

    def stream(
        self,
        /,
        texts: Iterable[str],
        *,
        chunk_texts: int = 1024,
        show_progress: bool | None = None,
        **options: Any,
    ) -> Iterator[Embeddings]:
        """Embed any number of texts in bounded memory: one result per `chunk_texts` texts, in input order.

        Parameters
        ----------
        texts
            Any iterable; it is read as results are taken.
        chunk_texts
            Texts per result.
        show_progress
            True or False, or None for a bar on a terminal only (needs tqdm).
        **options
            As for `embed`.
        """
        if isinstance(texts, str):
            raise InputError("stream takes an iterable of texts, not one text. Use embed for a single text.")
        try:
            size = p.integer(1)(chunk_texts)
        except (TypeError, ValueError) as error:
            raise ParameterError(f"chunk_texts is {chunk_texts!r}; {error}.") from None
        total = len(texts) if isinstance(texts, Sequence) else None
        # Checked here and not in the generator: what is wrong is said now, not at the first result.
        return self._stream(_chunks(_items(texts), size), total, show_progress, self._call_options(**options))

    def stream_chunks(
        self,
        /,
        chunks: Iterable[Sequence[str]],
        *,
        total: int | None = None,
        show_progress: bool | None = None,
        **options: Any,
    ) -> Iterator[Embeddings]:
        """Embed lists of texts as they come, for example from a queue: one result per list, in input order.

        Parameters
        ----------
        chunks
            Any iterable of lists of texts; it is read as results are taken.
        total
            Number of texts for the progress bar, if known.
        show_progress
            True or False, or None for a bar on a terminal only (needs tqdm).
        **options
            As for `embed`.
        """
        if isinstance(chunks, str):
            raise InputError("stream_chunks takes an iterable of lists of texts, not one text. Use embed for that.")
        return self._stream(_items(chunks), total, show_progress, self._call_options(**options))

    def _stream(
        self,
        chunks: Iterator[Sequence[str]],
        total: int | None,
        show_progress: bool | None,
        options: dict[str, Any],
    ) -> Iterator[Embeddings]:
        from ..progress import progress_bar

        done = 0
        wanted = self.get_param("show_progress") if show_progress is None else show_progress
        with progress_bar(total, wanted) as advance:
            for chunk in map(_as_texts, chunks):
                yield self._embed(chunk, done, options)
                done += len(chunk)
                advance(len(chunk))

    def _result(
        self,
        engine: _core.Engine,
        columns: dict[str, Any],
        texts: Sequence[str],
        options: Mapping[str, Any],
    ) -> Embeddings:
        """Wrap what the core returned."""
        _warn_of_cuts(columns["stats"], options)
        if options["on_device"]:
            from ..device_vectors import DeviceVectors

            columns["vectors"] = DeviceVectors(columns["vectors"])
        piece = engine.piece if options["level"] == "piece" else None
        return Embeddings(columns, texts, level=options["level"], utf16=options["utf16_offsets"], piece=piece)

    def _options(self, /, **given: Any) -> dict[str, Any]:
        """Return the settings of one call as the core takes them."""

        def value(name: str) -> Any:
            own = given.get(name)
            return self.get_param(name) if own is None else self.check_param(name, own)

        level = value("level")
        pooling = self._pooling_for(level) if given.get("pooling") is None else value("pooling")
        if pooling not in LEVEL_POOLINGS[level]:
            raise ParameterError(
                f"pooling={pooling!r} does not exist for level={level!r}; it can be {', '.join(LEVEL_POOLINGS[level])}."
            )
        if pooling == "pooler" and not self._model_files().has_pooler:
            raise ParameterError(
                "pooling='pooler' needs the pooler, which this model does not have. Use 'cls' or 'mean'."
            )
        compat = self.get_param("compat")
        layers = self._layer_indices(value("layers"))
        return {
            "level": level,
            "pooling": pooling,
            "tokenization": value("tokenization"),
            "layers": layers,
            "max_sentence_length": self._window(compat),
            "batch_size": self.get_param("batch_size"),
            "threads": self._threads(),
            "detect_sentences": value("detect_sentences"),
            "case_sensitive": self.get_param("case_sensitive"),
            "special_tokens": False,
            "normalize": value("normalize"),
            "utf16_offsets": (self.get_param("offsets") or ("utf16" if compat else "codepoints")) == "utf16",
            "sparknlp": compat == "sparknlp",
            "on_device": False,
            "lone_texts": False,
        }

    def _pooling_for(self, level: str) -> str:
        """Return the annotator's pooling where the level has it, else the level's default."""
        own = self.get_param("pooling")
        if own is not None and self.get_param("level") == level:
            return str(own)  # both were chosen for the annotator: what does not fit together is an error
        return own if own in LEVEL_POOLINGS[level] else LEVEL_POOLINGS[level][0]

    def _layer_indices(self, layers: tuple[int, ...]) -> list[int]:
        count = self._model_files().geometry.num_hidden_layers
        for layer in layers:
            if not -count - 1 <= layer <= count:
                raise ParameterError(
                    f"layers names {layer}; this model has hidden states 0 to {count} (or -1 to -{count + 1})."
                )
        numbers = sorted(layer % (count + 1) for layer in layers)
        if self._model_files().graph is not None and numbers != [count]:
            raise ParameterError(
                f"layers is {layers}; this model is an ONNX graph that is run as it is and gives the last hidden state "
                "only. Use layers=-1, or load the model from its weights."
            )
        return numbers

    def _window(self, compat: str | None) -> int:
        length: int = self.get_param("max_sentence_length")
        most = self._model_files().geometry.max_position_embeddings
        if "max_sentence_length" not in self.explicit_params():
            length = min(length, most)
        if length > most:
            raise ParameterError(f"max_sentence_length is {length}; this model has {most} positions.")
        if length < 3 and compat is None:
            raise ParameterError(
                f"max_sentence_length is {length}; a window needs room for [CLS], [SEP] and a piece: at least 3."
            )
        return length

    def _threads(self) -> int:
        from ..runtime import default_threads, usable_processors

        # More threads than processors only wait for each other.
        wanted: int = self.get_param("threads") or default_threads()
        return min(wanted, usable_processors())
