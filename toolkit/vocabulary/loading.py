"""Terms and sentences, merged from the TOML files beside this module."""

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Language = Literal["zh", "en"]

FOLDER = Path(__file__).parent
VARIANT_MARK = "__"
_VARIANT: ContextVar[str] = ContextVar("variant", default="")


@dataclass(frozen=True, slots=True)
class Term:
    """One code name as people read it.

    Attributes
    ----------
    zh, en : str
        Label in Chinese and in English.
    unit : str
        Code name of the unit, empty when the quantity has none.
    decimals : int or None
        Decimals in tables; None where the quantity is not a number.
    """

    zh: str
    en: str
    unit: str = ""
    decimals: int | None = None


@contextmanager
def wording(variant: str) -> Iterator[None]:
    """Let terms and sentences be those of a variant as long as the context lasts.

    A name `x` then means the texts of `x__<variant>` where the vocabulary has that entry. An empty variant
    changes nothing.
    """
    before = _VARIANT.set(variant)
    try:
        yield
    finally:
        _VARIANT.reset(before)


def term(name: str) -> Term:
    """Return the term of a code name.

    Raises
    ------
    KeyError
        If the vocabulary does not hold the name.
    """
    terms = _terms()
    own, varied = terms[name], terms[_varied(name, terms)]
    return Term(varied.zh, varied.en, own.unit, own.decimals)


def label(name: str, language: Language) -> str:
    """Return the label of a code name in one language."""
    return getattr(term(name), language)


def unit_label(name: str, language: Language) -> str:
    """Return the unit of a code name in one language, empty when it has none."""
    unit = term(name).unit
    return label(unit, language) if unit else ""


def sentence(name: str, language: Language, /, **values: object) -> str:
    """Return a sentence with its placeholders filled."""
    return sentence_template(name, language).format(**values)


def sentence_template(name: str, language: Language) -> str:
    """Return a sentence as the vocabulary has it, its placeholders in braces."""
    sentences = _sentences()
    return sentences[_varied(name, sentences)][language]


def has_term(name: str) -> bool:
    """Say whether the vocabulary holds a term of this name."""
    return name in _terms()


def has_sentence(name: str) -> bool:
    """Say whether the vocabulary holds a sentence of this name."""
    return name in _sentences()


def term_names() -> tuple[str, ...]:
    """Return the code names of all terms."""
    return tuple(_terms())


def sentence_names() -> tuple[str, ...]:
    """Return the names of all sentences."""
    return tuple(_sentences())


def _varied(name: str, entries: Mapping[str, object]) -> str:
    """Return the name of the entry that a name means in the present wording."""
    variant = _VARIANT.get()
    varied = f"{name}{VARIANT_MARK}{variant}"
    return varied if variant and varied in entries else name


@cache
def _terms() -> Mapping[str, Term]:
    return {name: Term(**entry) for name, entry in _merged(FOLDER / "terms").items()}


@cache
def _sentences() -> Mapping[str, dict[str, str]]:
    return _merged(FOLDER / "sentences")


def _merged(folder: Path) -> dict[str, dict]:
    merged: dict[str, dict] = {}
    for path in sorted(folder.glob("*.toml")):
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
        twice = merged.keys() & entries.keys()
        if twice:
            raise ValueError(f"{path.name} defines again: {', '.join(sorted(twice))}")
        merged |= entries
    return merged
