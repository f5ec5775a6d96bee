"""The rows that a formula of a standard adds up, table by table."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.county import County
from toolkit.data.schema import STAGES, TABLES, conform
from toolkit.indicators.roster import school_rows
from toolkit.indicators.scope import left_out_reason
from toolkit.indicators.stages import stages_taught
from toolkit.standards import Scope

SCHOOL_TABLES = ("school_years", "schools")
COUNTY_TABLES = ("county_years", "surveys")
FIRST_MONTH_OF_SCHOOL_YEAR = 9


def counted_schools(county: County, scope: Scope | None) -> pd.DataFrame:
    """Return one row per school and year that counts; columns are named `table.column`.

    A stage that the school does not teach has nothing of what is counted by stage.

    Parameters
    ----------
    county : County
        With the tables `schools` and `school_years`.
    scope : Scope or None
        Which schools count; None for all.
    """
    rows = school_rows(county)
    if scope is not None:
        rows = rows[left_out_reason(rows, scope) == ""].reset_index(drop=True)
    taught = stages_taught(rows)
    known_type = rows["school_type"].notna().to_numpy()
    named = {f"school_years.{name}": rows[name] for name in TABLES["school_years"].column_names}
    for column in TABLES["school_years"].columns:
        if column.stage and column.is_numeric:
            untaught = known_type & ~taught[:, STAGES.index(column.stage)]
            cells = rows[column.name].to_numpy(dtype=float)
            named[f"school_years.{column.name}"] = np.where(untaught & np.isnan(cells), 0.0, cells)
    named |= {f"schools.{name}": rows[name] for name in TABLES["schools"].column_names}
    keys = {"year": rows["year"].astype("int64"), "row": rows["school_id"]}
    keys |= {name: rows[name] for name in ("school_id", "school_name")}
    return pd.DataFrame(keys | named)


def formula_rows(county: County, table: str, schools: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of one table by year, with the school's own rows beside them.

    Parameters
    ----------
    county : County
        The county; an absent table has no rows.
    table : str
        Table of the data contract other than those that the county enters for itself.
    schools : pandas.DataFrame
        Schools that count, from `counted_schools`; rows of other schools are left out.

    Returns
    -------
    pandas.DataFrame
        `year`, `school_id`, `school_name`, `row` (how a cell's row is named to the reader), then
        the columns `table.column`. A row without a year of its own stands in every year in which
        it holds: members of school groups from start to end, rotations and support while they run,
        projects from their first calendar year on.
    """
    if table in SCHOOL_TABLES:
        return schools
    rows = county.tables.get(table, conform(pd.DataFrame(), TABLES[table]))
    years = sorted(int(year) for year in schools["year"].unique())
    rows = _by_year(rows, table, years)
    if table == "classes":
        rows = _classes(rows)
    keys = rows["school_id"] if "school_id" in rows else rows[_school_column(table)]
    named = rows.drop(columns="year").rename(columns=lambda name: f"{table}.{name}")
    named = named.assign(year=rows["year"].astype("int64"), school_id=keys, row=_row_names(rows, table))
    beside = schools.drop(columns=["row", "school_name"]).drop_duplicates(["school_id", "year"])
    names = schools.drop_duplicates(["school_id", "year"])[["school_id", "year", "school_name"]]
    # A rotation or a support may lead to a school outside the county, or to one known by name only.
    how: Literal["left", "inner"] = "left" if table in ("rotations", "support", "school_links") else "inner"
    return named.merge(names.merge(beside, on=["school_id", "year"]), on=["school_id", "year"], how=how)


def band_bounds(bands: pd.Series) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the smallest and the largest class of each size band; missing where no band is given."""
    ends = bands.str.extract(r"^band_(?P<low>\d+)_(?P<high>\d+|up)$")
    high = ends["high"].mask(ends["high"] == "up", "inf")
    return np.asarray(ends["low"], dtype=np.float64), np.asarray(high, dtype=np.float64)


def _school_column(table: str) -> str:
    return {"rotations": "receiving_school_id", "support": "receiver_id", "school_links": "to_school_id"}[
        table
    ]


def _row_names(rows: pd.DataFrame, table: str) -> list[str]:
    """Return a readable name for each row: its key without year and school name."""
    key = [name for name in TABLES[table].key if name != "year"]
    columns = {name: rows[name] for name in key}
    if table == "classes":
        columns["size_band"] = columns["size_band"].mask(columns["class_id"].notna())
    texts = [[_text(value) for value in column.tolist()] for column in columns.values()]
    return ["/".join(part for part in parts if part) for parts in zip(*texts, strict=True)]


def _text(value: object) -> str:
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return ""
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _classes(rows: pd.DataFrame) -> pd.DataFrame:
    """Return classes and bands; a class of known size is one class, a band without classes none."""
    single = rows["class_size"].notna() & rows["class_count"].isna()
    counted = rows.assign(class_count=rows["class_count"].mask(single, 1.0))
    return counted[counted["class_count"] != 0].reset_index(drop=True)


def _by_year(rows: pd.DataFrame, table: str, years: list[int]) -> pd.DataFrame:
    """Return rows with the years in which they hold."""
    if "year" in TABLES[table].column_names:
        return rows[rows["year"].isin(years)].reset_index(drop=True)
    holds = HOLDS[table]
    parts = [rows[holds(rows, year)].assign(year=year) for year in years]
    return pd.concat(parts, ignore_index=True) if parts else rows.assign(year=0)


def _member(rows: pd.DataFrame, year: int) -> pd.Series:
    started = (rows["start_year"] <= year).fillna(False)
    return started & (rows["end_year"].isna() | (rows["end_year"] >= year).fillna(False))


def _begun(rows: pd.DataFrame, year: int) -> pd.Series:
    return rows["project_start"] < pd.Timestamp(year + 1, 1, 1)


def _running(start: str, end: str) -> Callable[[pd.DataFrame, int], pd.Series]:
    def holds(rows: pd.DataFrame, year: int) -> pd.Series:
        first = pd.Timestamp(year, FIRST_MONTH_OF_SCHOOL_YEAR, 1)
        last = pd.Timestamp(year + 1, FIRST_MONTH_OF_SCHOOL_YEAR, 1)
        return (rows[start] < last) & (rows[end].isna() | (rows[end] >= first))

    return holds


def _linked(rows: pd.DataFrame, year: int) -> pd.Series:
    return rows["link_date"] < pd.Timestamp(year + 1, FIRST_MONTH_OF_SCHOOL_YEAR, 1)


HOLDS: dict[str, Callable[[pd.DataFrame, int], pd.Series]] = {
    "school_groups": _member,
    "projects": _begun,
    "rotations": _running("rotation_start", "rotation_end"),
    "support": _running("support_start", "support_end"),
    "school_links": _linked,
}
