"""School years and dates as they are written in cells."""

import calendar
import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from functools import cache

from toolkit.data.reading.each import PLACEHOLDER, Outcome, convert_different
from toolkit.data.reading.quantities import Converted
from toolkit.data.schema import Column
from toolkit.data.text import arabic_numerals, visible
from toolkit.data.words import ERROR_VALUES, MISSING, RUNNING

FIRST_SCHOOL_YEAR, LAST_SCHOOL_YEAR = 1990, 2050
FIRST_EVENT_YEAR = 100
SCHOOL_YEAR_COLUMNS = frozenset(("year", "start_year", "end_year", "valid_from"))
"""Years that mean a school year: a date before August belongs to the one that began the year before."""

_FIRST_MONTH = 8
_FIRST_SERIAL, _LAST_SERIAL = 10_000, 60_000
_EPOCH = dt.date(1899, 12, 30)
_PAIR = re.compile(r"((?:19|20)\d{2})\s*[-/~～—–至_]+\s*((?:19|20)?\d{2})\s*(?:学年度?|年度?)?")
_SINGLE = re.compile(r"(\d{3,4})\s*(?:学年度?|年度|年|级|秋季?|年秋季?)?")
_TIME = r"(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
_DATE = re.compile(r"(\d{4})\s*[-./年]\s*(\d{1,2})(?:\s*[-./月]\s*(\d{1,2}))?\s*[月日号]?" + _TIME)

_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})?")


def convert_years(values: list[object], column: Column) -> Converted:
    """Convert cells to the year in which a school year starts, or to calendar years."""
    return _convert(values, column, _year, "Int64")


def convert_dates(values: list[object], column: Column) -> Converted:
    """Convert cells to dates; a month means its first day, at the end of a spell its last."""
    return _convert(values, column, _date, "datetime64[ns]")


def _convert(
    values: list[object], column: Column, parse: Callable[[object, Column], Outcome], dtype: str
) -> Converted:
    def outcome(value: object) -> Outcome:
        text = unicodedata.normalize("NFKC", visible(value)).lower() if isinstance(value, str) else ""
        if text in ERROR_VALUES:
            return None, "cell_error", ""
        return (None, "", PLACEHOLDER) if text in MISSING else parse(value, column)

    return convert_different(values, outcome, dtype)


def _year(value: object, column: Column) -> Outcome:
    parsed, conversion = _read_year(value, column.name in SCHOOL_YEAR_COLUMNS)
    if parsed is None:
        return None, "year_unreadable", ""
    first = FIRST_SCHOOL_YEAR if column.name == "year" else FIRST_EVENT_YEAR
    if not first <= parsed <= LAST_SCHOOL_YEAR:
        return None, "year_impossible", ""
    return parsed, "", conversion


def _read_year(value: object, is_school_year: bool) -> tuple[int | None, str]:
    if isinstance(value, dt.date):
        return _year_of(value.year, value.month, is_school_year)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if not float(value).is_integer():
            return None, ""
        return _year_from_text(str(int(value)), is_school_year) if value >= 1e5 else (int(value), "")
    return _year_from_text(value, is_school_year) if isinstance(value, str) else (None, "")


@cache
def _year_from_text(text: str, is_school_year: bool) -> tuple[int | None, str]:
    plain = unicodedata.normalize("NFKC", visible(text)).replace("–", "-").replace("—", "-")
    plain = plain.removesuffix(".0") if re.fullmatch(r"\d{4}\.0", plain) else plain
    pair = _PAIR.fullmatch(plain)
    if pair:
        first, second = int(pair.group(1)), int(pair.group(2))
        second += first // 100 * 100 if second < 100 else 0
        if second - first == 1:
            return first, "school_year_pair"
    single = _SINGLE.fullmatch(arabic_numerals(plain))
    if single:
        return int(single.group(1)), "" if plain.isdigit() and plain == text else "year_from_text"
    date = _DATE.fullmatch(plain) or _COMPACT.fullmatch(plain)
    if date and 1 <= int(date.group(2)) <= 12:
        return _year_of(int(date.group(1)), int(date.group(2)), is_school_year)
    return None, ""


def _year_of(year: int, month: int, is_school_year: bool) -> tuple[int, str]:
    if is_school_year:
        return year if month >= _FIRST_MONTH else year - 1, "school_year_of_date"
    return year, "year_of_date"


def _date(value: object, column: Column) -> Outcome:
    is_end = column.name.endswith("_end")
    if isinstance(value, dt.datetime):
        return _possible(value.date(), "")
    if isinstance(value, dt.date):
        return _possible(value, "")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _date_from_number(float(value), is_end)
    if isinstance(value, str):
        return _date_from_text(value, is_end)
    return None, "date_unreadable", ""


def _date_from_number(value: float, is_end: bool) -> Outcome:
    if _FIRST_SERIAL <= value < _LAST_SERIAL:
        return _possible(_EPOCH + dt.timedelta(days=int(value)), "date_from_serial")
    if value.is_integer():
        return _date_from_text(str(int(value)), is_end)
    text = repr(value)
    # 2019.1 is January typed as 2019.1, or October that lost its zero.
    if re.fullmatch(r"\d{4}\.1", text):
        return None, "date_ambiguous", ""
    return _date_from_text(text, is_end)


@cache
def _date_from_text(text: str, is_end: bool) -> Outcome:
    plain = unicodedata.normalize("NFKC", visible(text))
    if plain.lower() in RUNNING:
        return (None, "", "running") if is_end else (None, "date_unreadable", "")
    match = _DATE.fullmatch(plain) or _COMPACT.fullmatch(plain)
    if match:
        year, month = int(match.group(1)), int(match.group(2))
        if not 1 <= month <= 12:
            return None, "date_unreadable", ""
        last = calendar.monthrange(year, month)[1]
        day = int(match.group(3)) if match.group(3) else last if is_end else 1
        if not 1 <= day <= last:
            return None, "date_unreadable", ""
        return _possible(dt.date(year, month, day), "date_from_text" if match.group(3) else "date_from_month")
    single = re.fullmatch(r"((?:19|20)\d{2})\s*(?:年|学年)?", plain)
    if single:
        year = int(single.group(1))
        return (dt.date(year, 8, 31) if is_end else dt.date(year, 9, 1)), "", "date_from_year"
    return None, "date_unreadable", ""


def _possible(date: dt.date, conversion: str) -> Outcome:
    if not 1900 <= date.year <= LAST_SCHOOL_YEAR:
        return None, "date_impossible", ""
    return date, "", conversion
