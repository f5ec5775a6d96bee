"""Teachers of each school, stage and year by qualification, title and post: from rows, or from files."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from toolkit.models.grouped_sums import load_group_counts

SCHOOL_YEAR = ["county_id", "school_id", "year", "stage"]
COUNTED: Mapping[str, tuple[str, Sequence[object] | None]] = {
    "n_qualification_known": ("qualification", None),
    "n_bachelor": ("qualification", ("bachelor", "master", "doctorate")),
    "n_title_known": ("title", None),
    "n_senior_title": ("title", ("senior_title", "full_senior_title")),
    "n_post_known": ("established_post", None),
    "n_established": ("established_post", (True,)),
}
"""What is counted of the roll: the column, and the values that count (None: any)."""

SHARES: Mapping[str, tuple[str, str]] = {
    "bachelor_share": ("n_bachelor", "n_qualification_known"),
    "senior_share": ("n_senior_title", "n_title_known"),
    "established_share": ("n_established", "n_post_known"),
}
"""Shares of the teachers of whom it is known."""

STAFF_COLUMNS = ["county_id", "year", "stage", "n_schools", "n_teachers", *COUNTED, *SHARES]


def count_staff(roll: pd.DataFrame) -> pd.DataFrame:
    """Count the teachers of a roll by school, year and stage.

    Parameters
    ----------
    roll : pandas.DataFrame
        The table `teachers` with a column `county_id`. A row without school, year or stage does not count.

    Returns
    -------
    pandas.DataFrame
        One row per county, school, year and stage, sorted: `n_teachers` and the counts of `COUNTED`.
    """
    complete = roll.dropna(subset=SCHOOL_YEAR)
    counted = complete[SCHOOL_YEAR].assign(
        n_teachers=1,
        **{
            name: complete[column].notna() if values is None else complete[column].isin(list(values))
            for name, (column, values) in COUNTED.items()
        },
    )
    return _typed(counted.groupby(SCHOOL_YEAR, sort=True).sum().reset_index())


def load_staff_counts(
    paths: str | Path | Sequence[str | Path], *, threads: int = 1, memory_limit: str = "1GB"
) -> pd.DataFrame:
    """Count the teachers of Parquet files by school, year and stage, without holding the rows in memory.

    Parameters
    ----------
    paths : path or sequence of paths
        Files with the columns of the table of teachers and `county_id`, such as those of a pool.
    threads, memory_limit
        As for `load_group_moments`.

    Returns
    -------
    pandas.DataFrame
        As for `count_staff` of the same rows.
    """
    found = load_group_counts(
        paths, by=SCHOOL_YEAR, counts=COUNTED, threads=threads, memory_limit=memory_limit
    )
    return _typed(found.rename(columns={"n": "n_teachers"}))


def describe_staff(counts: pd.DataFrame) -> pd.DataFrame:
    """Return teachers and their shares by county, year and stage.

    Returns
    -------
    pandas.DataFrame
        With the columns `STAFF_COLUMNS`; a share is missing where nothing is known.
    """
    by = counts.groupby(["county_id", "year", "stage"], sort=True)
    table = by[["n_teachers", *COUNTED]].sum().assign(n_schools=by.size()).reset_index()
    for name, (part, whole) in SHARES.items():
        table[name] = table[part] / table[whole].where(table[whole] > 0)
    return table[STAFF_COLUMNS]


def _typed(counts: pd.DataFrame) -> pd.DataFrame:
    whole = dict.fromkeys(("year", "n_teachers", *COUNTED), "int64")
    texts = dict.fromkeys(("county_id", "school_id", "stage"), "str")
    return counts.astype(whole | texts)[[*SCHOOL_YEAR, "n_teachers", *COUNTED]]
