"""Conditions of a standard, decided row by row as far as missing cells allow."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.indicators.cell_bounds import address_of, cells, column_of
from toolkit.standards import Alternatives, Component, Condition


@dataclass(frozen=True, slots=True)
class Holding:
    """Where conditions hold in every completion of the missing cells, and where in some.

    Attributes
    ----------
    surely, possibly : ndarray of bool, (n_rows,)
        The same where nothing that matters is missing.
    """

    surely: NDArray[np.bool_]
    possibly: NDArray[np.bool_]


def holding(rows: pd.DataFrame, alternatives: Alternatives) -> Holding:
    """Say where every condition of at least one alternative is met.

    Parameters
    ----------
    rows : pandas.DataFrame
        Columns named `table.column`.
    alternatives : Alternatives
        None at all are always met.

    Notes
    -----
    Each condition is decided by the range of its own cells; conditions that hang on the same missing
    cell are combined as if they were free of each other, which can only leave more open.
    """
    if not alternatives:
        always = np.ones(len(rows), dtype=bool)
        return Holding(always, always)
    parts = [[_condition(rows, condition) for condition in conditions] for conditions in alternatives]
    return Holding(
        np.any([np.all([part.surely for part in one], axis=0) for one in parts], axis=0),
        np.any([np.all([part.possibly for part in one], axis=0) for one in parts], axis=0),
    )


def condition_addresses(alternatives: Alternatives) -> tuple[str, ...]:
    """Return the columns that conditions read, as `table.column`, each once."""
    parts = [
        address_of(part)
        for conditions in alternatives
        for condition in conditions
        for part in (*condition.numerator, *condition.denominator)
    ]
    return tuple(dict.fromkeys(parts))


def _condition(rows: pd.DataFrame, condition: Condition) -> Holding:
    address = address_of(condition.numerator[0])
    column = column_of(address)
    if column.is_numeric or column.kind == "year":
        low, high = _range(rows, condition.numerator)
        if condition.denominator:
            least, most = _range(rows, condition.denominator)
            low, high = _quotient(low, most), _quotient(high, least)
            undefined = most == 0
            low, high = np.where(undefined, np.nan, low), np.where(undefined, np.nan, high)
        return _compared(low, high, condition)
    found = rows[address]
    known = found.notna().to_numpy()
    if column.kind == "date":
        met = _dates_met(found, condition)
    elif column.kind == "boolean":
        met = found.eq(condition.against[0]).fillna(False).to_numpy(dtype=bool)
    else:
        met = found.isin(condition.against).to_numpy(dtype=bool)
    # An empty cell that may be empty says that there is nothing to tell: no end, no programme.
    return Holding(met, met | (~known & (not column.may_be_empty)))


def _range(
    rows: pd.DataFrame, components: tuple[Component, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    low, high = np.zeros(len(rows)), np.zeros(len(rows))
    for part in components:
        if column_of(address_of(part)).kind == "year":
            year = rows[address_of(part)].to_numpy(dtype=float, na_value=np.nan)
            low, high = low + year, high + year
            continue
        found = cells(rows, address_of(part))
        low = low + (found.low if part.sign > 0 else -found.high)
        high = high + (found.high if part.sign > 0 else -found.low)
    return low, high


def _quotient(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.isinf(below), 0.0, above / below)


def _compared(low: NDArray[np.float64], high: NDArray[np.float64], condition: Condition) -> Holding:
    numbers = [float(number) for number in condition.against]
    first = numbers[0]
    match condition.comparator:
        case ">=":
            return Holding(low >= first, high >= first)
        case ">":
            return Holding(low > first, high > first)
        case "<=":
            return Holding(high <= first, low <= first)
        case "<":
            return Holding(high < first, low < first)
        case "==":
            inside = [(low <= number) & (number <= high) for number in numbers]
            return Holding((low == high) & np.isin(low, numbers), np.any(inside, axis=0))
        case "between":
            return Holding((low >= first) & (high <= numbers[1]), (high >= first) & (low <= numbers[1]))
        case _:
            raise ValueError(f"a condition on rows cannot be {condition.comparator!r}")


def _dates_met(found: pd.Series, condition: Condition) -> NDArray[np.bool_]:
    days = [pd.Timestamp(str(day)) for day in condition.against]
    match condition.comparator:
        case ">=":
            met = found >= days[0]
        case ">":
            met = found > days[0]
        case "<=":
            met = found <= days[0]
        case "<":
            met = found < days[0]
        case "==":
            met = found.isin(days)
        case _:
            raise ValueError(f"a condition on dates cannot be {condition.comparator!r}")
    return met.to_numpy(dtype=bool)
