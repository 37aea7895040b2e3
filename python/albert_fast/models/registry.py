"""Names of published ALBERT models -> where their files are.

The names are those of Spark NLP's model hub and of the `nlu` references; the hub ids are the "References" of
Spark NLP's model cards, or the releases that the cards name; the uploads are the files in Spark NLP's public
storage whose full names its cards give. A name without a known place is kept, so that its error can say how to
load it by hand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

BUILT_IN = "albert_tiny_en"
UPLOADS = "https://s3.amazonaws.com/auxdata.johnsnowlabs.com/public/models/"
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.\-]*/[A-Za-z0-9][\w.\-]*")


@dataclass(frozen=True, slots=True)
class Source:
    """One place of a model's files: `kind` is "hub" (`place` is a repository) or "zip" (an https address)."""

    kind: Literal["hub", "zip"]
    place: str


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of the released ALBERT of a size's name; a model's own `config.json` decides.

    The number of attention heads is left to that file: descriptions of xlarge disagree.
    """

    hidden_size: int
    num_hidden_layers: int
    intermediate_size: int
    embedding_size: int = 128


_RELEASED = {
    "base": Sizes(768, 12, 3072),
    "large": Sizes(1024, 24, 4096),
    "xlarge": Sizes(2048, 24, 8192),
    "xxlarge": Sizes(4096, 12, 16384),
}
_BUILT_IN_SIZES = Sizes(160, 4, 640, 96)


@dataclass(frozen=True, slots=True)
class Entry:
    """One published model.

    Attributes
    ----------
    name, lang
        Spark NLP's name and language; "xx" is multilingual.
    size
        "tiny", "base", "large", "xlarge" or "xxlarge".
    dimension
        Length of its vectors, where known.
    hub
        Hugging Face id, or None.
    aliases
        References of `nlu` for the same model.
    uploads
        Names of the zips in Spark NLP's public storage, the preferred one first.
    """

    name: str
    lang: str
    size: str
    dimension: int | None
    hub: str | None
    aliases: tuple[str, ...] = ()
    uploads: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[Source, ...]:
        """Where the files are, in the order in which the places are tried."""
        zips = tuple(Source("zip", UPLOADS + name) for name in self.uploads)
        return (*((Source("hub", self.hub),) if self.hub else ()), *zips)

    @property
    def geometry(self) -> Sizes | None:
        """The sizes, where they are known."""
        return _BUILT_IN_SIZES if self.name == BUILT_IN else _RELEASED.get(self.size)


_EMB = "albert_embeddings_"
_ENTRIES = (
    Entry(BUILT_IN, "en", "tiny", 160, None, ("en.embed.albert_tiny",)),
    Entry(
        "albert_base_uncased", "en", "base", 768, "albert/albert-base-v2",
        ("albert", "en.albert", "en.embed.albert", "en.embed.albert.base_uncased", "en.embed_sentence.albert",
         "embed.albert_base_uncased"),
        ("albert_base_uncased_en_3.1.1_2.4_1624450373237.zip", "albert_base_uncased_en_2.5.0_2.4_1588073363475.zip"),
    ),
    Entry("albert_large_uncased", "en", "large", 1024, "albert/albert-large-v2",
          ("en.embed.albert.large_uncased", "embed.albert_large_uncased"),
          ("albert_large_uncased_en_2.5.0_2.4_1588073397355.zip",)),
    Entry("albert_xlarge_uncased", "en", "xlarge", 2048, "albert/albert-xlarge-v2",
          ("en.embed.albert.xlarge_uncased", "embed.albert_xlarge_uncased"),
          ("albert_xlarge_uncased_en_2.5.0_2.4_1588073443653.zip",)),
    Entry("albert_xxlarge_uncased", "en", "xxlarge", 4096, "albert/albert-xxlarge-v2",
          ("en.embed.albert.xxlarge_uncased", "embed.albert_xxlarge_uncased"),
          ("albert_xxlarge_uncased_en_2.5.0_2.4_1588073588232.zip",)),
    Entry("albert_large_uncased_opt", "en", "large", 1024, "albert/albert-large-v2", (),
          ("albert_large_uncased_opt_en_5.0.2_3.0_1690935934328.zip",)),
    Entry(_EMB + "albert_base_v1", "en", "base", 768, "albert/albert-base-v1", ("en.embed.albert_base_v1",)),
    Entry(_EMB + "albert_xlarge_v1", "en", "xlarge", 2048, "albert/albert-xlarge-v1",
          ("en.embed.albert_xlarge_v1",)),
    Entry(_EMB + "albert_xxlarge_v1", "en", "xxlarge", 4096, "albert/albert-xxlarge-v1",
          ("en.embed.albert_xxlarge_v1",)),
    Entry("albert_cda", "en", "large", 1024, "fairnlp/albert-cda"),
    Entry("albert_indic", "xx", "base", 768, "ai4bharat/indic-bert", ("xx.embed.albert.indic",),
          ("albert_indic_xx_3.4.0_3.0_1643211494926.zip",)),
    Entry(_EMB + "albert_base_arabic", "ar", "base", 768, "asafaya/albert-base-arabic", ("ar.embed.albert",)),
    Entry(_EMB + "albert_large_arabic", "ar", "large", 1024, "asafaya/albert-large-arabic",
          ("ar.embed.albert_large_arabic",)),
    Entry(_EMB + "albert_xlarge_arabic", "ar", "xlarge", 2048, "asafaya/albert-xlarge-arabic",
          ("ar.embed.albert_xlarge_arabic",)),
    Entry(_EMB + "albert_german_ner", "de", "base", 768, "abhilash1910/albert-german-ner",
          ("de.embed.albert_german_ner",)),
    Entry(_EMB + "albert_fa_base_v2", "fa", "base", 768, "m3hrdadfi/albert-fa-base-v2", ("fa.embed.albert",)),
    Entry(_EMB + "albert_fa_zwnj_base_v2", "fa", "base", 768, "HooshvareLab/albert-fa-zwnj-base-v2",
          ("fa.embed.albert_fa_zwnj_base_v2",)),
    Entry("albert_persian_farsi_zwnj_base_v2", "fa", "base", 768, "HooshvareLab/albert-fa-zwnj-base-v2"),
    Entry(_EMB + "fralbert_base", "fr", "base", 768, "qwant/fralbert-base", ("fr.embed.albert",)),
    Entry(_EMB + "albert_base_japanese_v1", "ja", "base", 768, "ken11/albert-base-japanese-v1",
          ("ja.embed.albert_base_japanese_v1",)),
    Entry(_EMB + "marathi_albert", "mr", "base", 768, "l3cube-pune/marathi-albert", ("mr.embed.albert",)),
    Entry(_EMB + "marathi_albert_v2", "mr", "base", 768, "l3cube-pune/marathi-albert-v2",
          ("mr.embed.albert_v2",)),
    Entry(_EMB + "albert_large_bahasa_cased", "ms", "large", 1024,
          "malay-huggingface/albert-large-bahasa-cased", ("ms.embed.albert",)),
    Entry(_EMB + "albert_base_bahasa_cased", "ms", "base", 768,
          "malay-huggingface/albert-base-bahasa-cased", ("ms.embed.albert_base_bahasa_cased",)),
    Entry(_EMB + "albert_tiny_bahasa_cased", "ms", "tiny", None,
          "malay-huggingface/albert-tiny-bahasa-cased", ("ms.embed.albert_tiny_bahasa_cased",)),
    Entry(_EMB + "ALR_BERT", "ro", "base", 768, "dragosnicolae555/ALR_BERT", ("ro.embed.ALR_BERT",)),
)  # fmt: skip


def models() -> tuple[Entry, ...]:
    """Return every published model that has a name here, the built-in one first."""
    return _ENTRIES


def lookup(name: str) -> Entry | None:
    """Return the model of a Spark NLP name, an nlu reference, or an old hub id such as "albert-base-v2".

    English references work without "en.".
    """
    for entry in _ENTRIES:
        if name == entry.name or name in entry.aliases or f"en.{name}" in entry.aliases:
            return entry
    # The hub itself still answers to the old ids of Google's models, which had no organisation.
    return next((entry for entry in _ENTRIES if entry.hub == f"albert/{name}"), None)


def suggestions(name: str) -> list[str]:
    """Return up to three known names that look like `name`."""
    import difflib

    names = {key.lower(): key for entry in _ENTRIES for key in (entry.name, *entry.aliases)}
    lowered = name.lower().replace("-", "_")
    close = difflib.get_close_matches(lowered, names, n=3, cutoff=0.6)
    return [names[key] for key in close]


def is_hub_id(name: str) -> bool:
    """Whether a name has the shape "organisation/model"."""
    return _HUB_ID.fullmatch(name) is not None and ".." not in name and "--" not in name
