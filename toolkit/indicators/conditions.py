"""Conditions of a standard, decided row by row on a table."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.standards import Alternatives, Component, Condition


def meets(rows: pd.DataFrame, alternatives: Alternatives) -> NDArray[np.bool_]:
    """Say which rows meet every condition of at least one alternative, (n_rows,).

    A condition on a missing value is not met: a special case is applied only where the data
    show that it holds. No alternatives at all are always met.
    """
    if not alternatives:
        return np.ones(len(rows), dtype=bool)
    return np.any([_all_met(rows, conditions) for conditions in alternatives], axis=0)


def total(rows: pd.DataFrame, components: tuple[Component, ...]) -> NDArray[np.float64]:
    """Return the signed sum of columns, missing where any of them is, (n_rows,)."""
    return np.sum(
        [part.sign * rows[part.column].to_numpy(dtype=float, na_value=np.nan) for part in components], axis=0
    )


def _all_met(rows: pd.DataFrame, conditions: tuple[Condition, ...]) -> NDArray[np.bool_]:
    return np.all([_met(rows, condition) for condition in conditions], axis=0)


def _met(rows: pd.DataFrame, condition: Condition) -> NDArray[np.bool_]:
    if isinstance(condition.against[0], str):
        return rows[condition.numerator[0].column].isin(condition.against).to_numpy(dtype=bool)
    if isinstance(condition.against[0], bool):
        flag = rows[condition.numerator[0].column]
        return flag.eq(condition.against[0]).fillna(False).to_numpy(dtype=bool)
    value = total(rows, condition.numerator)
    if condition.denominator:
        denominator = total(rows, condition.denominator)
        value = np.divide(value, denominator, out=np.full(len(rows), np.nan), where=denominator != 0)
    numbers = [float(number) for number in condition.against]
    match condition.comparator:
        case ">=":
            return value >= numbers[0]
        case ">":
            return value > numbers[0]
        case "<=":
            return value <= numbers[0]
        case "<":
            return value < numbers[0]
        case "==":
            return np.isin(value, numbers)
        case "between":
            return (value >= numbers[0]) & (value <= numbers[1])
        case _:
            raise ValueError(f"a condition on rows cannot be {condition.comparator!r}")
