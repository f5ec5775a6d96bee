"""A column of cells converted, each different cell once."""

from collections import Counter
from collections.abc import Callable, Hashable
from typing import Any

import pandas as pd

from toolkit.data.reading.cells import CellError, is_blank
from toolkit.data.reading.quantities import Converted, Issue, shown_cell

Outcome = tuple[object, str, str]
"""Value, issue and conversion of one cell."""

PLACEHOLDER = "placeholder"
"""The conversion of a dash or a word for "none"."""


def convert_different(values: list[object], outcome_of: Callable[[object], Outcome], dtype: str) -> Converted:
    """Convert a column whose cells mean the same wherever they stand.

    Parameters
    ----------
    values : list
        Raw cells.
    outcome_of : callable
        Returns value, issue and conversion of one cell that is neither blank nor defective.
    dtype : str
        Type of the converted column.
    """
    keys = _keys(values)
    outcomes = {
        key: _outcome(value, outcome_of) for key, value in dict(zip(keys, values, strict=True)).items()
    }
    result = Converted(pd.Series([outcomes[key][0] for key in keys], dtype=dtype))
    noted = {key for key, (_, issue, conversion) in outcomes.items() if issue or conversion}
    if noted:
        _note(values, keys, {key: outcomes[key] for key in noted}, result)
    return result


def _keys(values: list[object]) -> list[Any]:
    """Return what is equal for the same cells: 1, 1.0 and True are equal, but not the same."""
    if len(set(map(type, values)) - {str}) <= 1:
        return values
    return [value if type(value) is str else (type(value), value) for value in values]


def _outcome(value: object, outcome_of: Callable[[object], Outcome]) -> Outcome:
    if is_blank(value):
        return None, "", ""
    if isinstance(value, CellError):
        return None, "cell_error" if value.text else "formula_uncached", ""
    return outcome_of(value)


def _note(
    values: list[object], keys: list[Hashable], noted: dict[Hashable, Outcome], result: Converted
) -> None:
    """Write issues, conversions and placeholders into the result, in the order of the cells."""
    conversions: Counter = Counter()
    for position, key in enumerate(keys):
        if key not in noted:
            continue
        _, issue, conversion = noted[key]
        if conversion == PLACEHOLDER:
            result.placeholders.append(position)
        elif conversion:
            conversions[conversion] += 1
        if issue:
            value = values[position]
            text = str(value) if isinstance(value, CellError) else shown_cell(value)
            result.issues.append(Issue(position, issue, (("value", text),)))
    result.conversions = conversions
