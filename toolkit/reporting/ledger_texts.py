"""Texts of people in a ledger: kept from becoming formulas, and dates read from them."""

import datetime as dt
import re

from toolkit.tables.export import FORMULA_START

_DATE = re.compile(
    r"(\d{4})\s*[-./年]\s*(\d{1,2})\s*[-./月]\s*(\d{1,2})\s*[日号]?(?:[ T]\d{1,2}:\d{2}(?::\d{2})?)?"
)
_COMPACT = re.compile(r"(20\d{2})(\d{2})(\d{2})")
_EPOCH = dt.date(1899, 12, 30)
# Serial numbers of spreadsheets from 2000 to 2099.
_FIRST_SERIAL, _LAST_SERIAL = 36_526, 73_050


def guarded(text: str) -> str:
    """Return a text that no spreadsheet program takes for a formula; `unguarded` undoes it."""
    return f"'{text}" if FORMULA_START.match(text.lstrip("'")) else text


def unguarded(text: str) -> str:
    """Return a text as it was before `guarded`."""
    return text[1:] if text.startswith("'") and FORMULA_START.match(text.lstrip("'")) else text


def parsed_date(text: str) -> dt.date | None:
    """Return the date that a text is, such as 2026-06-30, 2026.6.30 or 2026年6月30日, else None."""
    found = _DATE.fullmatch(text.strip()) or _COMPACT.fullmatch(text.strip())
    if not found:
        return None
    try:
        return dt.date(*map(int, found.groups()))
    except ValueError:
        return None


def date_text(value: object) -> str:
    """Return the content of a date cell: ISO for a date, however it was entered; other texts as they are."""
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _from_number(float(value))
    text = unguarded(str(value).strip()) if value is not None else ""
    date = parsed_date(text)
    return date.isoformat() if date else text


def _from_number(number: float) -> str:
    """Return the date of a serial number or of a number such as 20260630."""
    if _FIRST_SERIAL <= number <= _LAST_SERIAL:
        return (_EPOCH + dt.timedelta(days=int(number))).isoformat()
    text = str(int(number)) if number.is_integer() else str(number)
    date = parsed_date(text)
    return date.isoformat() if date else text
