"""Titles and words of a report, which is in one language, as lines in both languages need them."""

import re
import string
from collections import defaultdict
from collections.abc import Mapping
from functools import cache

from toolkit.exhibits import Caption
from toolkit.reporting.run_change import Told, same
from toolkit.tables.exhibit import TableColumn
from toolkit.vocabulary import (
    VARIANT_MARK,
    Language,
    label,
    sentence,
    sentence_names,
    sentence_template,
    term_names,
)

TITLE = "title_"
# What labels are put together with, and the labels that may stand in it; any where none are named.
COMPOSED = ("adoption_study_name", "adoption_outcome_in_unit", "compare_indicator")
PLACES = {
    "stage": ("primary", "junior"),
    "role": (
        "adoption_role_member",
        "adoption_role_lead",
        "adoption_role_any",
        "adoption_role_member__county",
    ),
}
# Years, counts and numbers of indicators read the same in both languages.
WORDS: Mapping[Language, re.Pattern[str]] = {
    "zh": re.compile("[\u4e00-\u9fff]"),
    "en": re.compile("[a-z\u4e00-\u9fff]"),
}
BRACKETED = "title_in_one_language"


def title_told(caption: Caption) -> Told:
    """Return the title of an exhibit in both languages.

    A report holds it in its own language only. The sentence that it was made from gives the other one, as
    far as what was filled in has words in both; else the key stands there, the title behind it in brackets.
    """
    own, other = _pair(caption.language)
    text = _title_in(caption, own, other)
    if text is None:
        text = sentence(BRACKETED, other, key=caption.key, title=caption.title)
    return _told({own: caption.title, other: text})


def word_told(text: str, language: Language) -> Told:
    """Return a label of the vocabulary in both languages, found by its text; any other text as it is."""
    own, other = _pair(language)
    found = _filled(text, own, other)
    return same(text) if found is None else _told({own: text, other: found})


def column_told(column: TableColumn, language: Language) -> Told:
    """Return the heading of a column in both languages, as far as the vocabulary has it.

    Its entry is that of its name, or the name with the part of the toolkit before it.
    """
    own, other = _pair(language)
    entries = (name for name in term_names() if f"_{name}".endswith(f"_{column.name}"))
    found = [label(name, other) for name in sorted(entries, key=len) if label(name, own) == column.label]
    return _told({own: column.label, other: found[0]}) if found else word_told(column.label, language)


def _title_in(caption: Caption, own: Language, other: Language) -> str | None:
    """Return a title in the other language; None where it cannot be told."""
    for name in _title_names(caption.key):
        values = _values(name, caption.title, own)
        if values is None:
            continue
        words = {place: _filled(value, own, other, place) for place, value in values.items()}
        if None not in words.values():
            return sentence(name, other, **words)
    return None


@cache
def _title_names(key: str) -> tuple[str, ...]:
    """Return the sentences that a title may be made from: stage and role may stand behind their name."""
    fitting = [
        name
        for name in sentence_names()
        if name.startswith(TITLE)
        and f"{key}_".startswith(f"{name.removeprefix(TITLE).split(VARIANT_MARK)[0]}_")
    ]
    return tuple(sorted(fitting, key=lambda name: (VARIANT_MARK in name, -len(name))))


def _values(name: str, text: str, language: Language) -> Mapping[str, str] | None:
    """Return what was filled into a sentence; None if the text was not made from it."""
    found = _pattern(name, language).fullmatch(text)
    return None if found is None else found.groupdict()


@cache
def _pattern(name: str, language: Language) -> re.Pattern[str]:
    """Return what matches the texts that can be made from a sentence."""
    parts, seen = [], set()
    for literal, field, _, _ in string.Formatter().parse(sentence_template(name, language)):
        parts.append(re.escape(literal))
        if field:
            parts.append(f"(?P={field})" if field in seen else f"(?P<{field}>.+)")
            seen.add(field)
    return re.compile("".join(parts))


def _filled(value: str, own: Language, other: Language, place: str = "") -> str | None:
    """Return what stands in a place of a title in the other language; None where it cannot be told."""
    if not WORDS[own].search(value):
        return value
    found = _word_in(value, own, other, PLACES.get(place, ()))
    return found or next(
        (text for name in COMPOSED if (text := _composed(name, value, own, other)) is not None), None
    )


def _composed(name: str, text: str, own: Language, other: Language) -> str | None:
    """Return a text that is put together from labels in the other language; None if it is not."""
    parts = _values(name, text, own)
    if parts is None:
        return None
    words = {place: _filled(part, own, other, place) for place, part in parts.items()}
    return None if None in words.values() else sentence(name, other, **words)


def _word_in(text: str, own: Language, other: Language, names: tuple[str, ...] = ()) -> str | None:
    """Return a label in the other language, of some names only if any are given.

    None if there is no such label, or several that differ.
    """
    found = _words(own, other, names).get(text, frozenset())
    return min(found) if len({word.lower() for word in found}) == 1 else None


@cache
def _words(own: Language, other: Language, names: tuple[str, ...]) -> Mapping[str, frozenset[str]]:
    """Return labels by their text in one language, of all names if none are given."""
    found: dict[str, set[str]] = defaultdict(set)
    for name in names or term_names():
        found[label(name, own)].add(label(name, other))
    return {text: frozenset(words) for text, words in found.items()}


def _pair(language: Language) -> tuple[Language, Language]:
    return ("zh", "en") if language == "zh" else ("en", "zh")


def _told(texts: Mapping[Language, str]) -> Told:
    return Told(texts["zh"], texts["en"])
