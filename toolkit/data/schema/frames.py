"""Data frames that have exactly the columns and types of a table of the contract."""

from functools import cache

import pandas as pd

from toolkit.data.schema.model import Column, Kind, Table

DTYPES: dict[Kind, str] = {
    "code": "str",
    "text": "str",
    "choice": "str",
    "integer": "float64",
    "number": "float64",
    "share": "float64",
    "boolean": "boolean",
    "year": "Int64",
    "date": "datetime64[ns]",
}


def conform(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Return a frame with all columns of the table in their order and types, absent ones missing.

    Values must already be canonical; columns that the table does not know are refused.

    Raises
    ------
    ValueError
        If the frame has a column that is not in the table.
    """
    unknown = set(frame.columns) - set(table.column_names)
    if unknown:
        raise ValueError(f"not columns of {table.name!r}: {', '.join(sorted(map(str, unknown)))}")
    missing = _without_rows(table).reindex(range(len(frame)))
    return pd.DataFrame(
        {
            column.name: _typed(frame[column.name], column) if column.name in frame else missing[column.name]
            for column in table.columns
        },
        index=missing.index,
    )


def _typed(cells: pd.Series, column: Column) -> pd.Series:
    return cells.reset_index(drop=True).astype(pd.api.types.pandas_dtype(DTYPES[column.kind]))


@cache
def _without_rows(table: Table) -> pd.DataFrame:
    return pd.DataFrame({column.name: pd.Series(dtype=DTYPES[column.kind]) for column in table.columns})
