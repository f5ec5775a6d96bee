"""Terms and sentences, merged from the TOML files beside this module."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Language = Literal["zh", "en"]

FOLDER = Path(__file__).parent


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


def term(name: str) -> Term:
    """Return the term of a code name.

    Raises
    ------
    KeyError
        If the vocabulary does not hold the name.
    """
    return _terms()[name]


def label(name: str, language: Language) -> str:
    """Return the label of a code name in one language."""
    return getattr(term(name), language)


def unit_label(name: str, language: Language) -> str:
    """Return the unit of a code name in one language, empty when it has none."""
    unit = term(name).unit
    return label(unit, language) if unit else ""


def sentence(name: str, language: Language, /, **values: object) -> str:
    """Return a sentence with its placeholders filled."""
    return _sentences()[name][language].format(**values)


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
