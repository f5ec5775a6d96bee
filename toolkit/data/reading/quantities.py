"""Numbers, shares and counts as they are written in cells."""

import math
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache

import numpy as np
import pandas as pd

from toolkit.data.reading.cells import CellError, is_blank
from toolkit.data.schema import Column
from toolkit.data.text import visible
from toolkit.data.words import (
    AREA_UNITS,
    COUNTING_UNITS,
    ERROR_VALUES,
    MISSING,
    MONEY_UNITS,
    MULTIPLIERS,
    SHARE_UNITS,
    UNIT_CONVERSIONS,
)
from toolkit.vocabulary import format_number, has_term, unit_label

_NUMBER = re.compile(
    r"([+-]?)((?:\d{1,3}(?:[, ]\d{3})+|\d+)(?:\.\d*)?|\.\d+)(e[+-]?\d+)?\s*(\S*)", re.IGNORECASE
)
_RATIO = re.compile(r"1\s*[:∶]\s*(\d+(?:\.\d+)?)")
_COUNTING = frozenset(unit.lower() for unit in COUNTING_UNITS)


@dataclass(frozen=True, slots=True)
class Issue:
    """One cell of a column that cannot be used as it is."""

    position: int
    code: str
    values: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Converted:
    """The values of a column after conversion, with what was noticed.

    Attributes
    ----------
    series : pandas.Series
        Canonical values; missing where a cell could not be used.
    issues : list of Issue
        Cells that could not be used.
    conversions : Counter
        Converted cells by conversion.
    placeholders : list of int
        Positions of dashes and words for "none" that were read as missing.
    has_own_units : bool
        Whether units were written in the cells.
    doubts : list of (str, str)
        Codes of warnings about the column as a whole, with the first value concerned.
    """

    series: pd.Series
    issues: list[Issue] = field(default_factory=list)
    conversions: Counter = field(default_factory=Counter)
    placeholders: list[int] = field(default_factory=list)
    has_own_units: bool = False
    doubts: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A text read as a number: its value, and what had to be done."""

    value: float = math.nan
    issue: str = ""
    conversion: str = ""
    factor: float | None = None
    is_placeholder: bool = False


def unit_factor(unit: str, column: Column) -> float | None:
    """Return what a value in a unit is multiplied by, or None where the unit does not fit the column."""
    plain = unicodedata.normalize("NFKC", unit).lower().strip(" .")
    if not plain or (column.kind != "share" and plain in _own_units(column.name)):
        return 1.0
    if column.kind == "share":
        return SHARE_UNITS.get(plain)
    known = {"area": AREA_UNITS, "money": MONEY_UNITS}.get(column.quantity)
    if known is not None:
        return known.get(plain, MULTIPLIERS.get(plain) if column.quantity == "money" else None)
    if plain in AREA_UNITS or plain in MONEY_UNITS:
        return None
    if plain[0] in MULTIPLIERS and (len(plain) == 1 or plain[1:] in _COUNTING):
        return MULTIPLIERS[plain[0]]
    return 1.0 if plain in _COUNTING else None


@cache
def _own_units(name: str) -> frozenset[str]:
    if not has_term(name):
        return frozenset()
    return frozenset(
        unicodedata.normalize("NFKC", unit_label(name, language)).lower() for language in ("zh", "en")
    )


def convert_numbers(values: list[object], column: Column, unit: str = "") -> Converted:
    """Convert the cells of a quantity to its canonical unit.

    Parameters
    ----------
    values : list
        Raw cells.
    column : Column
        What they hold.
    unit : str
        Unit declared in the header, empty when none is.
    """
    result = Converted(pd.Series(dtype="float64"))
    header_factor = unit_factor(unit, column) if unit else None
    is_plain = [type(value) is float or type(value) is int for value in values]
    numbers = np.array(
        [value if plain else math.nan for value, plain in zip(values, is_plain, strict=True)], dtype=float
    )
    explicit = np.zeros(len(values), dtype=bool)
    for position, value in enumerate(values):
        if is_plain[position] or is_blank(value):
            continue
        parsed = _parse(value, column)
        if parsed.issue:
            result.issues.append(Issue(position, parsed.issue, (("value", shown_cell(value)),)))
        elif parsed.is_placeholder:
            result.placeholders.append(position)
        else:
            numbers[position] = parsed.value * (1.0 if parsed.factor is None else parsed.factor)
            explicit[position] = parsed.factor is not None
            result.conversions[parsed.conversion] += 1
    result.has_own_units = bool(explicit.any())
    plain = ~explicit & ~np.isnan(numbers)
    if column.kind == "share":
        _settle_percent(numbers, plain, result, unit)
    elif header_factor not in (None, 1.0):
        numbers[plain] *= header_factor
        result.conversions[UNIT_CONVERSIONS.get(header_factor, "unit")] += int(plain.sum())
    _check_range(numbers, values, column, result)
    del result.conversions[""]
    result.series = pd.Series(numbers)
    return result


def shown_cell(value: object) -> str:
    """Return a raw cell as messages show it, cut where it is long."""
    if isinstance(value, float):
        text = format(Decimal(f"{value:.15g}"), "f") if value.is_integer() else repr(value)
    else:
        text = visible(str(value))
    return text if len(text) <= 40 else f"{text[:40]}…"


def _settle_percent(numbers: np.ndarray, plain: np.ndarray, result: Converted, unit: str) -> None:
    """Decide for a whole column whether its shares are written 0.85 or 85."""
    above = plain & (numbers > 1)
    unclear = plain & (numbers > 0) & (numbers <= 1)
    if not above.any():
        # Excel stores a cell that shows 85 % as 0.85, whatever the header says.
        if unit and unclear.any():
            result.doubts.append(("share_below_percent", shown_cell(float(numbers[unclear][0]))))
        return
    for position in np.flatnonzero(unclear):
        pairs = (
            ("value", shown_cell(float(numbers[position]))),
            ("other", shown_cell(float(numbers[above][0]))),
        )
        result.issues.append(Issue(int(position), "share_mixed", pairs))
    numbers[unclear] = math.nan
    numbers[above] /= 100
    result.conversions["percent"] += int(above.sum())


def _check_range(numbers: np.ndarray, values: list[object], column: Column, result: Converted) -> None:
    """Take out values that are no whole numbers or lie outside the possible range."""
    if column.kind == "integer":
        rounded = np.round(numbers)
        broken = ~np.isnan(numbers) & (np.abs(numbers - rounded) > 1e-6)
        _refuse(numbers, values, broken, "not_whole", (), result)
        numbers[:] = np.where(np.isnan(numbers), numbers, rounded)
    if column.minimum is not None:
        scale = 100 if column.kind == "share" else 1
        pairs = (("minimum", _bound(column.minimum * scale, column)),)
        _refuse(numbers, values, numbers < column.minimum, "below_minimum", pairs, result)
    if column.maximum is not None:
        scale = 100 if column.kind == "share" else 1
        pairs = (("maximum", _bound(column.maximum * scale, column)),)
        _refuse(numbers, values, numbers > column.maximum, "above_maximum", pairs, result)


def _refuse(
    numbers: np.ndarray,
    values: list[object],
    flagged: np.ndarray,
    code: str,
    pairs: tuple[tuple[str, str], ...],
    result: Converted,
) -> None:
    for position in np.flatnonzero(flagged):
        result.issues.append(Issue(int(position), code, (("value", shown_cell(values[position])), *pairs)))
    numbers[flagged] = math.nan


def _bound(value: float, column: Column) -> str:
    text = format_number(value, 0 if float(value).is_integer() else 2)
    return f"{text}%" if column.kind == "share" else text


def _parse(value: object, column: Column) -> _Parsed:
    if isinstance(value, CellError):
        return _Parsed(issue="cell_error" if value.text else "formula_uncached")
    if isinstance(value, str):
        return _parse_text(value, column)
    if isinstance(value, (np.integer, np.floating)):
        return _Parsed(float(value))
    return _Parsed(issue="number_unreadable")


@cache
def _parse_text(text: str, column: Column) -> _Parsed:
    plain = unicodedata.normalize("NFKC", visible(text)).replace("−", "-").replace("–", "-").strip(" '")
    lower = plain.lower()
    if lower in ERROR_VALUES:
        return _Parsed(issue="cell_error")
    if lower in MISSING or visible(text).lower() in MISSING:
        return _Parsed(is_placeholder=True)
    ratio = _RATIO.fullmatch(plain)
    if ratio and column.kind == "number" and not column.quantity:
        return _Parsed(float(ratio.group(1)), conversion="ratio")
    match = _NUMBER.fullmatch(plain)
    if match is None:
        return _Parsed(issue="number_unreadable")
    sign, digits, exponent, unit = match.groups()
    value = float(f"{sign}{digits.replace(',', '').replace(' ', '')}{exponent or ''}")
    if not math.isfinite(value):
        return _Parsed(issue="number_unreadable")
    if not unit:
        return _Parsed(value, conversion="number_from_text")
    factor = unit_factor(unit, column)
    if factor is None:
        return _Parsed(issue="unit_unfit" if _is_unit(unit) else "number_unreadable")
    counted = column.kind != "share" and not column.quantity
    return _Parsed(
        value * factor if counted else value,
        conversion="percent" if column.kind == "share" else UNIT_CONVERSIONS.get(factor, "unit_in_cell"),
        factor=None if counted else factor,
    )


def _is_unit(text: str) -> bool:
    plain = text.lower()
    return plain in AREA_UNITS or plain in MONEY_UNITS or plain in SHARE_UNITS or plain in _COUNTING
