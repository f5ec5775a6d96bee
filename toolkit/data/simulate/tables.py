"""Simulated rows as tables of the data contract."""

import pandas as pd

from toolkit.data.schema import TABLES, Column
from toolkit.data.simulate.frames import column

DTYPES = {
    "code": "str",
    "text": "str",
    "choice": "str",
    "integer": "float64",
    "number": "float64",
    "share": "float64",
    "year": "Int64",
    "boolean": "boolean",
}


def canonical_table(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with all columns of a table, in its order, with canonical types; empty text is missing.

    Raises
    ------
    KeyError
        If the frame has a column that the table does not have.
    """
    table = TABLES[name]
    for name_given in frame.columns:
        table.column(name_given)
    typed = {asked.name: _typed(frame, asked) for asked in table.columns}
    return pd.DataFrame(typed).reset_index(drop=True)


def _typed(frame: pd.DataFrame, asked: Column) -> pd.Series:
    """Return one column with its canonical type, all missing when the frame has none."""
    missing = pd.Series(float("nan"), index=frame.index)
    values = column(frame, asked.name) if asked.name in frame else missing
    if asked.kind == "date":
        return pd.to_datetime(values).astype("datetime64[ns]")
    dtype = DTYPES[asked.kind]
    if dtype == "str":
        values = values.astype(object).where(values.notna() & (values.astype(object) != ""), None)
    return values.astype(pd.api.types.pandas_dtype(dtype))
