"""One difference between two runs: what it is about, before and after, and why; in both languages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from toolkit.vocabulary import Language, Term, format_number, has_term, label, sentence, term

Section = Literal["verdict", "school", "standard", "parameter", "data", "software", "notebook", "number"]
SECTIONS: tuple[Section, ...] = get_args(Section)

LARGEST_DECIMALS = 6
# Results of one machine are equal; elsewhere they may differ by rounding.
RELATIVE_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Told:
    """A text in Chinese and in English."""

    zh: str
    en: str

    def __bool__(self) -> bool:
        return bool(self.zh)


NOTHING = Told("", "")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two runs.

    Attributes
    ----------
    section : Section
        What kind of difference it is.
    stage : str
        Stage it belongs to, empty when to none.
    subject : Told
        What changed: a school, an indicator, a file, a parameter, a table.
    aspect : Told
        Which part of it, empty when there is only one.
    before, after : Told
        What the two runs have; "–" where one has nothing.
    causes : tuple of Told
        Why; empty where the change is itself a cause.
    """

    section: Section
    stage: str
    subject: Told
    aspect: Told
    before: Told
    after: Told
    causes: tuple[Told, ...] = ()


def changed(
    section: Section,
    stage: str,
    subject: Told,
    aspect: Told,
    shown: Sequence[Told],
    causes: tuple[Told, ...] = (),
) -> Change:
    """Return a difference whose two sides stand one after the other."""
    before, after = shown
    return Change(section, stage, subject, aspect, before, after, causes)


def told(name: str, /, **values: object) -> Told:
    """Return a sentence of the vocabulary in both languages; values may be texts in both themselves."""
    return Told(*(sentence(name, language, **_values(values, language)) for language in get_args(Language)))


def labelled(name: str, fallback: str = "") -> Told:
    """Return a label of the vocabulary in both languages; of an unknown name the fallback, or itself."""
    if has_term(name):
        return Told(term(name).zh, term(name).en)
    return same(fallback or name)


def same(text: str) -> Told:
    """Return a text that is the same in both languages; a dash for an empty one."""
    text = text or format_number(None, 0)
    return Told(text, text)


def joined(parts: Iterable[Told]) -> Told:
    """Return texts one after another, as each language lists them."""
    parts = tuple(parts)
    texts = (
        label("compare_separator", language).join(getattr(part, language) for part in parts)
        for language in get_args(Language)
    )
    return Told(*texts)


def verdict(name: str) -> Told:
    """Return a verdict in words."""
    return labelled(f"compare_verdict_{name}") if name else same("")


def numbers(before: float, after: float, decimals: int, *, share: bool = False) -> tuple[Told, Told]:
    """Return two numbers with as many decimals as tell them apart, at least those asked for."""
    scale, sign = (100, "%") if share else (1, "")
    texts: list[str] = []
    for shown in range(decimals, max(decimals, LARGEST_DECIMALS) + 1):
        texts = [format_number(value * scale, shown) for value in (before, after)]
        if texts[0] != texts[1]:
            break
    dash = format_number(None, 0)
    first, second = (same(text if text == dash else f"{text}{sign}") for text in texts)
    return first, second


def differ(before: float, after: float) -> bool:
    """Say whether two numbers differ by more than rounding; a missing one equals a missing one."""
    if before != before or after != after:
        return (before == before) != (after == after)
    return before != after and not abs(before - after) <= RELATIVE_TOLERANCE * max(abs(before), abs(after))


def _values(values: dict[str, object], language: Language) -> dict[str, object]:
    return {
        name: getattr(value, language) if isinstance(value, Told | Term) else value
        for name, value in values.items()
    }
