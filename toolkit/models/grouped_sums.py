"""Moments per school or class from pupil rows: number, mean, sum of squares about the mean."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.errors import DesignError

MOMENT_COLUMNS = ("n", "mean", "within_ss")
WEIGHT_COLUMNS = ("weight_sum", "weight_square_sum")


def compute_group_moments(
    frame: pd.DataFrame, *, outcome: str, by: str | Sequence[str], weight: str | None = None
) -> pd.DataFrame:
    """Compute moments per group from a table with one row per pupil.

    Parameters
    ----------
    frame : DataFrame
        One row per pupil and, if wanted, per year or subject.
    outcome : str
        Column of the outcome.
    by : str or sequence of str
        Columns that make a group.
    weight : str, optional
        Column of sampling weights.

    Returns
    -------
    DataFrame
        One row per group, sorted: the columns of `by`, `n`, `mean`, `within_ss`; with weights also
        `weight_sum` and `weight_square_sum`, and mean and sum of squares are weighted. Rows that lack
        outcome, key or a positive weight are left out; `attrs["n_left_out"]` says how many.

    Raises
    ------
    DesignError
        If no row is left.
    """
    keys = [by] if isinstance(by, str) else list(by)
    values = frame[outcome].to_numpy(dtype=float, na_value=np.nan)
    weights = np.ones(len(frame)) if weight is None else frame[weight].to_numpy(dtype=float, na_value=np.nan)
    complete = (
        np.isfinite(values)
        & np.isfinite(weights)
        & (weights > 0)
        & frame[keys].notna().all(axis=1).to_numpy()
    )
    if not complete.any():
        raise DesignError("models_no_complete_rows")
    kept = frame.loc[complete, keys]
    groups = kept.groupby(keys, sort=True, observed=True)
    member = groups.ngroup().to_numpy(dtype=np.intp)
    table = pd.DataFrame(groups.size().index.to_frame(index=False))
    for name, column in _moments(member, values[complete], weights[complete]).items():
        if weight is not None or name not in WEIGHT_COLUMNS:
            table[name] = column
    table.attrs["n_left_out"] = int(len(frame) - complete.sum())
    return table


def load_group_moments(
    paths: str | Path | Sequence[str | Path],
    *,
    outcome: str,
    by: str | Sequence[str],
    weight: str | None = None,
    where: Mapping[str, object] | None = None,
    fill: Mapping[str, object] | None = None,
    ranges: Sequence[str] = (),
    threads: int = 1,
    memory_limit: str = "1GB",
) -> pd.DataFrame:
    """Compute moments per group from Parquet files, without holding the rows in memory.

    Parameters
    ----------
    paths : path or sequence of paths
        Parquet files; read in sorted order.
    outcome, by, weight
        As for `compute_group_moments`.
    where : mapping, optional
        Columns and the value, or list of values, that a row must have there.
    fill : mapping, optional
        Columns and what stands for a missing value in them, before `where` is looked at.
    ranges : sequence of str, optional
        Columns with numbers or truth values of which the least and greatest value per group are wanted,
        too: `least_...` and `greatest_...`, missing where the group has none. Not with weights.
    threads : int, default 1
        With one thread the sums are added in the order of the rows and come out the same, bit for bit, in
        every run. More threads add in the order in which they happen to finish.
    memory_limit : str, default "1GB"
        Beyond it DuckDB spills to disk.

    Returns
    -------
    DataFrame
        As for `compute_group_moments`; `attrs["n_left_out"]` counts rows that `where` lets through.

    Raises
    ------
    DesignError
        If no row is left.
    """
    keys = [by] if isinstance(by, str) else list(by)
    rows, values = _rows(paths, where, fill)
    weighting = "1" if weight is None else _quoted(weight)
    extra = "".join(f", CAST({_quoted(name)} AS DOUBLE) AS {_quoted(f'range_{name}')}" for name in ranges)
    source = (
        f"SELECT {_listed(keys)}{extra}, CAST({_quoted(outcome)} AS DOUBLE) AS junheng_y,"
        f" CAST({weighting} AS DOUBLE) AS junheng_w FROM {rows}"
    )
    usable = ["isfinite(junheng_y)", "isfinite(junheng_w)", "junheng_w > 0"]
    usable += [f"{_quoted(key)} IS NOT NULL" for key in keys]
    query = (_PLAIN if weight is None else _WEIGHTED).format(
        source=source, usable=" AND ".join(usable), keys=_listed(keys), ranges=_ranges(ranges)
    )
    with _connection(threads, memory_limit) as connection:
        table = connection.execute(query, values).df()
        total = connection.execute(f"SELECT count(*) FROM {rows}", values).fetchall()[0][0]
    if table.empty:
        raise DesignError("models_no_complete_rows")
    table["n"] = table["n"].astype(float)
    table.attrs["n_left_out"] = int(total - table["n"].sum())
    return table


def load_group_counts(
    paths: str | Path | Sequence[str | Path],
    *,
    by: Sequence[str],
    counts: Mapping[str, tuple[str, Sequence[object] | None]],
    threads: int = 1,
    memory_limit: str = "1GB",
) -> pd.DataFrame:
    """Count rows of Parquet files per group, without holding them in memory.

    Parameters
    ----------
    by : sequence of str
        Columns that make a group; a row that lacks one is not counted.
    counts : mapping of str to (str, sequence or None)
        Name of each count, the column it looks at, and the values that count; None for any value.
    paths, threads, memory_limit
        As for `load_group_moments`.

    Returns
    -------
    DataFrame
        One row per group, sorted: the columns of `by`, `n` (rows), and the counts.
    """
    values: list[object] = []
    parts = ["count(*) AS n"]
    for name, (column, wanted) in counts.items():
        condition = f"{_quoted(column)} IS NOT NULL"
        if wanted is not None:
            condition = f"{_quoted(column)} IN ({', '.join('?' * len(wanted))})"
            values += wanted
        parts.append(f"count(*) FILTER (WHERE {condition}) AS {_quoted(name)}")
    known = " AND ".join(f"{_quoted(column)} IS NOT NULL" for column in by)
    query = (
        f"SELECT {_listed(by)}, {', '.join(parts)} FROM {_FILES} WHERE {known}"
        f" GROUP BY {_listed(by)} ORDER BY {_listed(by)}"
    )
    with _connection(threads, memory_limit) as connection:
        return connection.execute(query, [*values, _names(paths)]).df()


def parquet_columns(paths: str | Path | Sequence[str | Path]) -> tuple[str, ...]:
    """Return the columns that any of the Parquet files has."""
    with _connection(1, "1GB") as connection:
        found = connection.execute(f"SELECT * FROM {_FILES} LIMIT 0", [_names(paths)])
        return tuple(found.df().columns)


_FILES = "read_parquet(?, union_by_name = true)"
# var_pop updates a mean and a sum of squares about it, and does not subtract squares of large numbers.
_PLAIN = """
SELECT {keys}, count(*) AS n, avg(junheng_y) AS mean, var_pop(junheng_y) * count(*) AS within_ss{ranges}
FROM ({source}) WHERE {usable} GROUP BY {keys} ORDER BY {keys}
"""
_WEIGHTED = """
WITH complete AS (SELECT * FROM ({source}) WHERE {usable}),
centres AS MATERIALIZED (
    SELECT {keys}, count(*) AS n, sum(junheng_w * junheng_y) / sum(junheng_w) AS mean,
           sum(junheng_w) AS weight_sum, sum(junheng_w * junheng_w) AS weight_square_sum
    FROM complete GROUP BY {keys}
)
SELECT {keys}, any_value(n) AS n, any_value(mean) AS mean,
       sum(junheng_w * (junheng_y - mean) * (junheng_y - mean)) AS within_ss,
       any_value(weight_sum) AS weight_sum, any_value(weight_square_sum) AS weight_square_sum
FROM complete JOIN centres USING ({keys}) GROUP BY {keys} ORDER BY {keys}
"""


def _moments(
    member: NDArray[np.integer], values: NDArray[np.float64], weights: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Return the moments of each group, the squares taken about its mean."""
    total = np.bincount(member, weights)
    mean = np.bincount(member, weights * values) / total
    deviation = values - mean[member]
    correction = np.bincount(member, weights * deviation) / total
    deviation -= correction[member]
    return {
        "n": np.bincount(member).astype(float),
        "mean": (mean + correction).astype(float),
        "within_ss": np.bincount(member, weights * deviation**2).astype(float),
        "weight_sum": total.astype(float),
        "weight_square_sum": np.bincount(member, weights**2).astype(float),
    }


def _rows(
    paths: str | Path | Sequence[str | Path],
    where: Mapping[str, object] | None,
    fill: Mapping[str, object] | None,
) -> tuple[str, list[object]]:
    """Return the SQL relation of the rows to look at, and the values of its place-holders."""
    filled = fill or {}
    replaced = ", ".join(f"coalesce({_quoted(column)}, ?) AS {_quoted(column)}" for column in filled)
    columns = f"* REPLACE ({replaced})" if filled else "*"
    condition, values = _condition(where or {})
    relation = f"(SELECT * FROM (SELECT {columns} FROM {_FILES}) WHERE {condition})"
    return relation, [*filled.values(), _names(paths), *values]


def _ranges(columns: Sequence[str]) -> str:
    """Return the SQL of the least and greatest value of columns."""
    return "".join(
        f", {function}({_quoted(f'range_{column}')}) AS {_quoted(f'{prefix}_{column}')}"
        for column in columns
        for function, prefix in (("min", "least"), ("max", "greatest"))
    )


def _names(paths: str | Path | Sequence[str | Path]) -> list[str]:
    """Return the names of the files in sorted order."""
    return sorted(str(path) for path in ([paths] if isinstance(paths, str | Path) else paths))


@contextmanager
def _connection(threads: int, memory_limit: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection to a database in memory, with a folder of its own for what memory does not hold."""
    # By itself DuckDB would spill into the folder that the user happens to stand in.
    with TemporaryDirectory(prefix="junheng-duckdb-", ignore_cleanup_errors=True) as spill:
        settings = {"threads": threads, "memory_limit": memory_limit, "temp_directory": spill}
        with duckdb.connect(":memory:", config=settings) as connection:
            # The bar would be written into the page of a report after two seconds.
            connection.execute("SET enable_progress_bar = false")
            yield connection


def _condition(where: Mapping[str, object]) -> tuple[str, list[object]]:
    """Return the SQL condition of a filter, and the values of its place-holders."""
    parts, values = ["true"], []
    for column, wanted in where.items():
        choices = list(wanted) if isinstance(wanted, list | tuple | set | frozenset) else [wanted]
        parts.append(f"{_quoted(column)} IN ({', '.join('?' * len(choices))})" if choices else "false")
        values += choices
    return " AND ".join(parts), values


def _quoted(column: str) -> str:
    """Return a column name as an SQL identifier."""
    return '"' + column.replace('"', '""') + '"'


def _listed(columns: Sequence[str]) -> str:
    """Return column names as a list of SQL identifiers."""
    return ", ".join(_quoted(column) for column in columns)
