"""Access to frames whose result is one type whatever the labels.

The frames come in as `Any`: what pandas returns by label may be a frame or a series to a type checker.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def records(frame: Any) -> Iterator[Any]:
    """Iterate over the rows as named tuples."""
    return cast(Iterator[Any], frame.itertuples())


def only(frame: Any, kept: object) -> pd.DataFrame:
    """Return the rows where `kept` holds."""
    return cast(pd.DataFrame, frame.loc[np.asarray(kept, dtype=bool)])


def rows_where(kept: object) -> NDArray[np.int64]:
    """Return the positions where `kept` holds."""
    return np.flatnonzero(np.asarray(kept, dtype=bool))


def column(frame: Any, name: str) -> pd.Series:
    """Return one column."""
    return cast(pd.Series, frame[name])


def columns(frame: Any, names: list[str]) -> pd.DataFrame:
    """Return some columns."""
    return cast(pd.DataFrame, frame[names])


def looked_up(series: Any, table: Mapping[str, float]) -> NDArray[np.float64]:
    """Return the entry of the table for each value."""
    return np.array([table[value] for value in series], dtype=float)


def counted(frame: Any, by: list[str]) -> pd.Series:
    """Return the number of rows by the given columns."""
    return cast(pd.Series, frame.groupby(by).size())
