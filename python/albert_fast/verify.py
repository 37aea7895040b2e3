"""Is this the model that its name says, and how faithful is every precision of this machine?

Two questions, two parts of a report: vectors that Spark NLP's model cards and class documentation print for the
published models, and every other precision that this machine offers, measured against fp32 on the CPU.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .errors import DeviceError, ParameterError, TruncationWarning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .annotators import AlbertEmbeddings
    from .models import ModelFiles
    from .results import Embeddings

Verdict = Literal["pass", "fail", "unknown"]
TOLERANCE = 5e-4  # other kernels than those that made the published numbers
REFERENCE = ("cpu", "fp32")
DEVICES = ("cpu", "cuda")
PRECISIONS = ("fp32", "tf32", "fp16", "bf16", "int8")
MEAN_COSINE, WORST_COSINE = 0.999, 0.995


@dataclass(frozen=True, slots=True)
class Published:
    """Vectors that somebody printed: the first numbers of each word; "0.423…" was cut off after its last digit."""

    model: str
    text: str
    source: str
    words: Mapping[str, tuple[str, ...]]


# Facts from Spark NLP's model cards of 28 April 2020 and from the documentation of its class AlbertEmbeddings.
# Numbers cut off before their first decimal are left out: they would check nothing.
_CARD, _DOCS = "model card, 2020-04-28", "class documentation"
PUBLISHED = (
    Published("albert_base_uncased", "I love NLP", _CARD, {
        "I": ("1.0153148174285889", "0.5481745600700378", "-0.44…"),
        "love": ("0.3452114760875702", "-1.191628336906433", "0.423…"),
        "NLP": ("-0.4268064796924591", "-0.3819553852081299", "0.8…"),
    }),
    Published("albert_base_uncased", "This is a sentence.", _DOCS, {
        "This": ("1.1342473030090332", "-1.3855540752410889", "0.9818322062492371", "-0.784737348556518…"),
        "is": ("0.847029983997345", "-1.047153353691101", "-0.1520637571811676", "-0.6245765686035156…"),
        "a": ("-0.009860038757324219", "-0.13450059294700623", "2.707749128341675", "1.2916892766952…"),
        "sentence": ("-0.04192575812339783", "-0.5764210224151611", "-0.3196685314178467", "-0.527840495109…"),
        ".": ("0.15583214163780212", "-0.1614152491092682", "-0.28423872590065", "-0.135491415858268…"),
    }),
    Published("albert_large_uncased", "I love NLP", _CARD, {
        "I": ("0.3967159688472748", "-0.6448764801025391", "-0.3…"),
        "love": ("1.1107065677642822", "-0.2454298734664917", "0.60…"),
        "NLP": ("0.02937467396259308", "-0.7092287540435791"),
    }),
    Published("albert_xlarge_uncased", "I love NLP", _CARD, {
        "I": ("-0.4735468626022339", "-0.03991951420903206"),
        "love": ("-0.4254034459590912", "-0.371383935213089", "-0.3…"),
        "NLP": ("0.7200506329536438", "-0.12543179094791412"),
    }),
    Published("albert_xxlarge_uncased", "I love NLP", _CARD, {
        "I": ("-0.07972775399684906", "0.06297606974840164"),
        "love": ("-0.07597140967845917", "0.05237535387277603"),
        "NLP": ("0.005398618057370186", "-0.0253510233014822"),
    }),
)  # fmt: skip

# Written for this purpose: statements, questions, numbers, names, quotation, short and long.
TEXTS = (
    "The ferry leaves at half past six, whatever the weather.",
    "Nobody had told the new cook that the oven runs hot.",
    "Prices rose by 3.4 percent in March and fell again in April.",
    "Is there a train to Lyon after midnight?",
    '"Put it down," she said, "before somebody gets hurt."',
    "He repaired clocks for forty years and never wore a watch.",
    "The committee will publish its findings on Thursday.",
    "Rain.",
    "A small river, brown after the storm, carried branches, planks and half a garden fence past the mill.",
    "Our server answered within 12 ms until the disk was full.",
    "What the witness saw, and what she believed she saw, turned out to be two different stories.",
    "Add the flour slowly, or it will clump.",
    "The patient was given 250 mg twice a day for a week.",
    "Two foxes live behind the library; the children have named them.",
    "In 1911 the village had one telephone, and it stood in the baker's shop.",
    "Please sign both copies and send one back to us.",
)


@dataclass(frozen=True, slots=True)
class Check:
    """One published number beside ours."""

    text: str
    source: str
    word: str
    position: int
    published: str
    found: float
    passed: bool


@dataclass(frozen=True, slots=True)
class Fidelity:
    """One precision of this machine, measured against fp32 on the CPU, word by word."""

    device: str
    precision: str
    words: int
    mean_cosine: float
    worst_cosine: float
    worst_word: str
    largest_difference: float
    passed: bool


@dataclass(frozen=True, slots=True)
class Report:
    """What `verify` found.

    Attributes
    ----------
    model
        Name of the model that was verified.
    published_model
        The published model whose numbers were compared, None where none apply.
    certain
        Whether the model claims to be that one, by its name, its origin or the caller's word; else only its sizes
        agree.
    checks, fidelity
        What was measured. Without another precision on this machine, `fidelity` is empty.
    verdict
        "pass": published numbers apply and all agree, and every precision is faithful. "fail": something is wrong.
        "unknown": nothing published applies, or it applies by its sizes only and does not agree.
    reason
        The verdict in a sentence.
    """

    model: str
    published_model: str | None
    certain: bool
    checks: tuple[Check, ...]
    fidelity: tuple[Fidelity, ...]
    verdict: Verdict
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return dataclasses.asdict(self)


def verify(model: AlbertEmbeddings, *, expected: str | None = None, texts: Sequence[str] = TEXTS) -> Report:
    """Compare a model with what is published of it, and this machine's precisions with each other.

    Parameters
    ----------
    expected
        Name of the published model that it must be; default: what its name, origin or sizes say.
    texts
        Texts on which precisions are compared, in the model's language.

    Raises
    ------
    ParameterError
        There are no published numbers for `expected`.
    """
    files = model._model_files()
    published, certain = _applicable(files, expected)
    checks = tuple(check for item in published for check in _compare(model, item))
    fidelity = _fidelity(model, texts)
    name = published[0].model if published else None
    verdict, reason = _judge(name, certain, checks, fidelity)
    return Report(files.name, name, certain, checks, fidelity, verdict, reason)


def _applicable(files: ModelFiles, expected: str | None) -> tuple[list[Published], bool]:
    from .models import registry

    names = list(dict.fromkeys(item.model for item in PUBLISHED))
    if expected is not None:
        entry = registry.lookup(expected)
        if entry is None or entry.name not in names:
            raise ParameterError(f"There are no published numbers for {expected!r}; there are for {', '.join(names)}.")
        return _of(entry.name), True
    for name in names:
        entry = registry.lookup(name)
        places = {source.place for source in entry.sources} if entry is not None else set()
        if files.name == name or files.origin in places:
            return _of(name), True
    for name in names:
        entry = registry.lookup(name)
        if entry is not None and _has_sizes(files, entry.geometry):
            return _of(name), False
    return [], False


def _of(name: str) -> list[Published]:
    return [item for item in PUBLISHED if item.model == name]


def _has_sizes(files: ModelFiles, sizes: Any) -> bool:
    geometry = files.geometry
    one_group = geometry.num_hidden_groups == geometry.inner_group_num == 1
    english = geometry.vocab_size == 30_000  # the vocabulary of the published English models
    return one_group and english and all(getattr(geometry, key) == getattr(sizes, key) for key in sizes.__slots__)


# -------------------------------------------------------------------------------------------- published vectors


def _compare(model: AlbertEmbeddings, published: Published) -> list[Check]:
    files = model._model_files()
    # As the cards did: every word encoded alone, lower-cased, the text as one sequence.
    annotator = type(model)._from_files(
        files,
        {
            **{param.name: param.default for param in type(model).params() if param.name in files.parameters},
            "tokenization": "word",
            "detect_sentences": False,
            "case_sensitive": False,
            "max_sentence_length": min(128, files.geometry.max_position_embeddings),
            "device": REFERENCE[0],
            "precision": REFERENCE[1],
        },
    )
    out = annotator.embed(published.text, level="word", pooling="first", layers=-1, normalize=False)
    checks = []
    for word, numbers in published.words.items():
        row = out.vectors[out.words.index(word)] if word in out.words else None
        for position, text in enumerate(numbers):
            found = float("nan") if row is None or position >= len(row) else float(row[position])
            checks.append(Check(published.text, published.source, word, position, text, found, _agrees(text, found)))
    return checks


def _agrees(published: str, found: float) -> bool:
    """Whether a number is the published one, which "…" marks as cut off: 0.42… is anything from 0.42 to 0.43."""
    digits = published.removesuffix("…")
    near = float(digits)
    far = near
    if digits != published:
        unit = 10.0 ** -len(digits.partition(".")[2])
        far += -unit if digits.startswith("-") else unit
    return min(near, far) - TOLERANCE <= found <= max(near, far) + TOLERANCE


# ----------------------------------------------------------------------------------------------------- fidelity


def _fidelity(model: AlbertEmbeddings, texts: Sequence[str]) -> tuple[Fidelity, ...]:
    """Measure every precision that can be had here; one that cannot is no row."""
    others = [(device, precision) for device in DEVICES for precision in PRECISIONS if (device, precision) != REFERENCE]
    rows = []
    expected: NDArray[np.float32] | None = None
    for device, precision in others:
        annotator = _annotator(model, device, precision)
        if annotator is None:
            continue
        if expected is None:
            reference = _annotator(model, *REFERENCE)
            assert reference is not None, "the reference runs everywhere"
            expected = _embed(reference, texts).vectors
        found = _embed(annotator, texts)
        rows.append(_measure(device, precision, expected, found.vectors, found.words))
    return tuple(rows)


def _embed(annotator: AlbertEmbeddings, texts: Sequence[str]) -> Embeddings:
    with warnings.catch_warnings():
        # Both sides read the same part of a long word.
        warnings.simplefilter("ignore", TruncationWarning)
        return annotator.embed(texts, level="word")


def _annotator(model: AlbertEmbeddings, device: str, precision: str) -> AlbertEmbeddings | None:
    parameters = {**model.explicit_params(), "device": device, "precision": precision}
    try:
        return type(model)._from_files(model._model_files(), parameters)
    except (DeviceError, ParameterError):
        if (device, precision) == REFERENCE:
            raise
        return None


def _measure(
    device: str, precision: str, expected: NDArray[np.float32], found: NDArray[np.float32], words: Sequence[str]
) -> Fidelity:
    a, b = expected.astype(np.float64), found.astype(np.float64)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosines = np.einsum("ij,ij->i", a, b) / np.where(lengths == 0, 1, lengths)
    worst = int(np.argmin(cosines))
    mean, least = float(cosines.mean()), float(cosines[worst])
    passed = mean >= MEAN_COSINE and least >= WORST_COSINE  # false for NaN too
    return Fidelity(device, precision, len(cosines), mean, least, words[worst], float(np.abs(a - b).max()), passed)


# ------------------------------------------------------------------------------------------------------ verdict


def _judge(
    name: str | None, certain: bool, checks: Sequence[Check], fidelity: Sequence[Fidelity]
) -> tuple[Verdict, str]:
    unfaithful = [f"{row.precision} on {row.device}" for row in fidelity if not row.passed]
    if unfaithful:
        return "fail", f"{' and '.join(unfaithful)} is not faithful to fp32 on the CPU."
    wrong = [check for check in checks if not check.passed]
    if name is None:
        return "unknown", "No published numbers apply to this model."
    if not wrong:
        return "pass", f"All {len(checks)} published numbers of {name} agree."
    many = f"{len(wrong)} of {len(checks)} published numbers of {name} do not agree"
    if certain:
        return "fail", f"{many}: these are not its weights, they are damaged, or the engine is at fault."
    return "unknown", (
        f"{many}; the model has the same sizes, but does not say that it is that one. If it must be, verify it as "
        f"{name}: then this is a failure."
    )


def as_text(report: Report) -> str:
    """Return a report as tables and a verdict."""
    lines = [f"model  {report.model}"]
    if report.checks:
        by = "claimed" if report.certain else "by its sizes"
        lines += [f"compared with  {report.published_model} ({by}), tolerance {TOLERANCE:g}", ""]
        rows = [("TEXT", "WORD", "NUMBER", "PUBLISHED", "FOUND", "")]
        rows += [
            (c.text, c.word, str(c.position), c.published, f"{c.found:.7f}", "ok" if c.passed else "WRONG")
            for c in report.checks
        ]
        lines += _table(rows)
    lines.append("")
    if report.fidelity:
        rows = [("DEVICE", "PRECISION", "WORDS", "MEAN COSINE", "WORST", "LARGEST DIFFERENCE")]
        rows += [
            (f.device, f.precision, str(f.words), f"{f.mean_cosine:.6f}", f"{f.worst_cosine:.6f} ({f.worst_word})",
             f"{f.largest_difference:.2g} {'ok' if f.passed else 'UNFAITHFUL'}")
            for f in report.fidelity
        ]  # fmt: skip
        lines += _table(rows)
    else:
        lines.append("precisions  fp32 on the CPU only; there is nothing to compare it with on this machine")
    lines += ["", f"{report.verdict}: {report.reason}"]
    return "\n".join(lines) + "\n"


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
