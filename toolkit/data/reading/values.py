"""Codes, texts, closed lists and yes/no as they are written in cells."""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache

from rapidfuzz import fuzz, process

from toolkit.data.reading.dates import convert_dates, convert_years
from toolkit.data.reading.each import PLACEHOLDER, Outcome, convert_different
from toolkit.data.reading.quantities import Converted, convert_numbers
from toolkit.data.schema import Column
from toolkit.data.schema.words import NO_WORDS, WORDS, YES_WORDS
from toolkit.data.text import arabic_numerals, plain_code, squash, visible
from toolkit.data.words import ERROR_VALUES, GRADE_WORDS, MISSING
from toolkit.vocabulary import label

EXACT_DIGITS = 15
"""Digits of a number that a spreadsheet program keeps."""

_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?e[+-]?\d+", re.IGNORECASE)
_GRADE = re.compile(r"(?:小学|初中|高中)?(\d{1,2})年级")
_TEXT_FORMULA = re.compile(r'="([^"]*)"')


def convert_column(
    values: list[object], column: Column, *, unit: str = "", words: Mapping[str, str] | None = None
) -> Converted:
    """Convert the raw cells of one column to canonical values.

    Parameters
    ----------
    values : list
        Raw cells.
    column : Column
        What they hold.
    unit : str
        Unit declared in the header.
    words : mapping of str to str or None
        Words of a closed list declared by a mapping, besides the known ones.
    """
    if column.name == "grade":
        values = [_grade(value) for value in values]
    if column.is_numeric:
        return convert_numbers(values, column, unit)
    if column.kind == "year":
        return convert_years(values, column)
    if column.kind == "date":
        return convert_dates(values, column)
    if column.kind == "code":
        return _convert_each(values, _code, "str")
    if column.kind == "text":
        return _convert_each(values, _text, "str")
    known = _flag_words() if column.kind == "boolean" else _choice_words(column)
    known = known | {squash(word): _as_flag(name) for word, name in (words or {}).items()}
    return _convert_each(
        values,
        lambda value: _listed(value, known, column),
        "boolean" if column.kind == "boolean" else "str",
        skip=frozenset(known),
    )


def allowed_labels(column: Column) -> str:
    """Return references to the labels of a closed list."""
    names = ("yes", "no") if column.kind == "boolean" else column.choices
    return "|".join(f"@{name}" for name in names)


def _grade(value: object) -> object:
    """Return the number of a grade written in words, anything else as it is."""
    if not isinstance(value, str):
        return value
    plain = squash(value)
    number = _GRADE.fullmatch(arabic_numerals(plain))
    return int(number.group(1)) if number else GRADE_WORDS.get(plain, value)


def _convert_each(
    values: list[object],
    parse: Callable[[object], Outcome],
    dtype: str,
    skip: frozenset[str] = frozenset(),
) -> Converted:
    """Convert a column, each different cell once; words in `skip` are no placeholders."""

    def outcome(value: object) -> Outcome:
        return _outcome_of_text(value, parse, skip) if isinstance(value, str) else parse(value)

    return convert_different(values, outcome, dtype)


def _outcome_of_text(value: str, parse: Callable[[object], Outcome], skip: frozenset[str]) -> Outcome:
    lower = unicodedata.normalize("NFKC", visible(value)).lower()
    if lower in ERROR_VALUES:
        return None, "cell_error", ""
    if (lower in MISSING or visible(value).lower() in MISSING) and squash(value) not in skip:
        return None, "", PLACEHOLDER
    return parse(value)


def _code(value: object) -> Outcome:
    if isinstance(value, bool | dt.date | dt.time | dt.timedelta):
        return None, "code_converted", ""
    if isinstance(value, (int, float)):
        if abs(value) >= 10**EXACT_DIGITS:
            return None, "code_digits_lost", ""
        if not float(value).is_integer():
            return None, "code_not_whole", ""
        return str(int(value)), "", "code_from_number"
    text = str(value)
    if text.isascii() and text.isalnum():
        return text, "", ""
    seen = visible(text)
    wrapped = _TEXT_FORMULA.fullmatch(seen)
    plain = plain_code(wrapped.group(1) if wrapped else seen.lstrip("'‘’"))
    if _SCIENTIFIC.fullmatch(plain) and ("." in plain or "+" in plain):
        return None, "code_scientific", ""
    if re.fullmatch(r"\d+\.0+", plain):
        return plain.partition(".")[0], "", "code_from_number"
    if plain != text:
        return plain, "", "lookalike" if _is_disguised(text, plain) else "trimmed"
    return plain, "", ""


def _is_disguised(text: str, plain: str) -> bool:
    """Say whether a code differs from its plain form by more than white space."""
    return re.sub(r"\s+", "", text).strip("'‘’=\"") != plain


def _text(value: object) -> Outcome:
    if isinstance(value, bool):
        return str(value), "", ""
    if isinstance(value, dt.datetime | dt.date):
        return value.strftime("%Y-%m-%d"), "", ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**EXACT_DIGITS:
        return str(int(value)), "", ""
    return visible(str(value)), "", ""


def _listed(value: object, known: Mapping[str, object], column: Column) -> Outcome:
    """Return the code name of a word of a closed list."""
    if isinstance(value, bool):
        return (value, "", "") if column.kind == "boolean" else (None, "choice_unknown", "")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value)
    plain = squash(text)
    symbol = visible(text)
    for form in (
        plain,
        symbol.lower(),
        squash(re.sub(r"[(（].*?[)）]", "", text)),
        re.sub(r"^\d{1,2}", "", plain),
    ):
        if form and form in known:
            return known[form], "", ""
    close = (
        process.extract(plain, known.keys(), scorer=fuzz.ratio, score_cutoff=90, limit=3)
        if len(plain) > 4
        else []
    )
    names = {known[word] for word, _, _ in close}
    if len(names) == 1:
        return names.pop(), "", "choice_nearly"
    return None, "flag_unknown" if column.kind == "boolean" else "choice_unknown", ""


@cache
def _choice_words(column: Column) -> dict[str, object]:
    words: dict[str, object] = {}
    for name in column.choices:
        for word in (name, label(name, "zh"), label(name, "en"), *WORDS.get(name, ())):
            words.setdefault(squash(word), name)
    return words


@cache
def _flag_words() -> dict[str, object]:
    words: dict[str, object] = {}
    for flag, texts in ((True, (*YES_WORDS, label("yes", "zh"))), (False, (*NO_WORDS, label("no", "zh")))):
        for text in texts:
            words[squash(text) or text] = flag
    return words


def _as_flag(name: str) -> object:
    return {"yes": True, "no": False}.get(name, name)
