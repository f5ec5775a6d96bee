"""What a missing cell can be, given the cells beside it."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.schema import TABLES
from toolkit.data.schema.model import Column
from toolkit.indicators.formula_rows import band_bounds
from toolkit.standards import Component

CLASS_SIZE = "classes.class_size"


@dataclass(frozen=True, slots=True)
class Cells:
    """The numbers of one column, and the range of those that are missing.

    Attributes
    ----------
    value : ndarray, (n_rows,)
        The numbers, missing where the cell is.
    low, high : ndarray, (n_rows,)
        Equal to the value where it is known.
    """

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def column_of(address: str) -> Column:
    """Return a column by its `table.column`."""
    table, name = address.split(".")
    return TABLES[table].column(name)


def address_of(part: Component) -> str:
    """Return the `table.column` of a component."""
    return f"{part.table}.{part.column}"


@cache
def columns_beside(address: str) -> tuple[str, ...]:
    """Return a column and those that bound its missing cells, as `table.column`."""
    table, name = address.split(".")
    column = TABLES[table].column(name)
    beside = [other.name for other in TABLES[table].columns if other.at_most == name]
    beside += [column.at_most] if column.at_most else []
    beside += ["size_band"] if address == CLASS_SIZE else []
    return (address, *(f"{table}.{other}" for other in beside))


def cells(rows: pd.DataFrame, address: str) -> Cells:
    """Return the numbers of a column and what its missing cells can be.

    A missing cell is at least its column's minimum (zero if it has none) and any known part of it
    (`at_most` of the schema), and at most its column's maximum and the known cell of which it is a
    part. A class that is known by its band has the size of the band.
    """
    column = column_of(address)
    value = rows[address].to_numpy(dtype=float, na_value=np.nan)
    low = np.full(len(rows), column.minimum if column.minimum is not None else 0.0)
    high = np.full(len(rows), column.maximum if column.maximum is not None else np.inf)
    if address == CLASS_SIZE:
        least, most = band_bounds(rows["classes.size_band"])
        low, high = np.fmax(low, least), np.fmin(high, most)
    table = address.split(".")[0]
    for other in columns_beside(address)[1:]:
        if column_of(other).at_most == column.name:
            low = np.fmax(low, rows[other].to_numpy(dtype=float, na_value=np.nan))
    if column.at_most:
        whole = rows[f"{table}.{column.at_most}"].to_numpy(dtype=float, na_value=np.nan)
        high = np.fmin(high, whole)
    known = ~np.isnan(value)
    # A known part above its known whole is a data error; the lower bound gives way.
    low = np.minimum(low, high)
    return Cells(value, np.where(known, value, low), np.where(known, value, high))
