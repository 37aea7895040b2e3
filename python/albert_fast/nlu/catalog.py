"""Which references there are: those of nlu that mean an ALBERT with a name here."""

from __future__ import annotations

from ..models import models

_COMPONENT_TYPES = ("", "embed", "embed_sentence", "word_embeddings")


def get_components(
    m_type: str = "",
    include_pipes: bool = False,
    lang: str = "",
    licensed: bool = False,
    get_all: bool = False,
) -> list[str]:
    """Return the references that `load` takes; a model without one is named by its name.

    Parameters
    ----------
    m_type
        Type of component. There are embeddings only: "embed" and "" give all, any other type none.
    lang
        Language, for example "en" or "xx" (multilingual); "" gives all.
    include_pipes, licensed, get_all
        nlu's. There are neither published pipelines nor licensed models here, so they change nothing.
    """
    if m_type not in _COMPONENT_TYPES:
        return []
    found = [entry for entry in models() if lang in ("", entry.lang)]
    return [reference for entry in found for reference in entry.aliases or (entry.name,)]


def print_components(lang: str = "", action: str = "") -> None:
    """Print every reference with the model that it means, of one language and type where given."""
    wanted = set(get_components(action, lang=lang))
    for entry in models():
        for reference in entry.aliases or (entry.name,):
            if reference in wanted and lang in ("", entry.lang):
                print(f"nlu.load({reference!r})  ->  {entry.name} ({entry.lang})")


def print_all_languages() -> None:
    """Print the languages of the models; "xx" is multilingual."""
    print(", ".join(sorted({entry.lang for entry in models()})))
