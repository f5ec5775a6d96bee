"""What the checks look at, and how they say where something was found."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from toolkit.data.county import Reading
from toolkit.data.problems import Problem, Severity
from toolkit.data.schema import STAGES, TABLES, conform
from toolkit.data.schema.schools import SCHOOL_TYPES, possible_stages
from toolkit.vocabulary import format_number

Frame = Any
"""A pandas DataFrame. Its own annotations give each column and each result several types."""

REGISTER_COLUMNS = [
    "school_type",
    "location",
    "town",
    "opened",
    "closed",
    "ownership",
    "directly_administered",
]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A reading, prepared for the checks.

    Attributes
    ----------
    reading : Reading
        The county as it was read.
    names : mapping of str to str
        Latest name of each school code in the register.
    school_years : pandas.DataFrame
        The table with the register's entry in force in each year, in the order of the input.
    """

    reading: Reading
    names: Mapping[str, str]
    school_years: Frame

    def table(self, name: str) -> Frame:
        """Return a table, empty with all its columns when the county lacks it."""
        if name in self.reading.county.tables:
            return self.reading.county.tables[name]
        return _empty(name)

    def place(self, table: str, index: int, column: str) -> tuple[str, str, str]:
        """Return file, sheet and cell; the cell of the row's first present column if this one is absent."""
        origin = self.reading.origins.get(table)
        if origin is None:
            return "", "", ""
        file, sheet, cell = origin.cell(index, column)
        for other in () if cell else TABLES[table].column_names:
            file, sheet, cell = origin.cell(index, other)
            if cell:
                break
        return file, sheet, cell

    def school(self, table: str, index: int, column: str = "school_id") -> str:
        """Return the name of the school in one row, or its code."""
        frame = self.table(table)
        beside = column.removesuffix("_id") + "_name"
        if column not in frame.columns:
            return ""
        code = frame.at[index, column]
        if not pd.isna(code) and code in self.names:
            return self.names[code]
        if beside in frame.columns and not pd.isna(frame.at[index, beside]):
            return str(frame.at[index, beside])
        return "" if pd.isna(code) else str(code)

    def problem(
        self,
        code: str,
        severity: Severity,
        table: str,
        index: int,
        column: str,
        *,
        school_column: str = "school_id",
        **values: object,
    ) -> Problem:
        """Return one problem at a cell; `@name` among the values stands for a label."""
        file, sheet, cell = self.place(table, index, column)
        texts = tuple((key, shown(value)) for key, value in values.items())
        school = self.school(table, index, school_column)
        return Problem(code, severity, file, sheet, cell, table, column, school, texts)


def registered_names(reading: Reading) -> dict[str, str]:
    """Return the latest name of each school code in the register."""
    return _latest_names(reading.county.tables.get("schools", _empty("schools")))


def gather_evidence(reading: Reading) -> Evidence:
    """Prepare a reading for the checks."""
    schools = reading.county.tables.get("schools", _empty("schools"))
    years = reading.county.tables.get("school_years", _empty("school_years"))
    return Evidence(reading, _latest_names(schools), _with_register(years, schools))


def shown(value: object) -> str:
    """Return a value as the sentences show it."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return format_number(float(value), 0 if float(value).is_integer() else 2)
    if isinstance(value, Iterable):
        return ", ".join(str(item) for item in value)
    return str(value)


def rows(flagged: Any) -> list[int]:
    """Return the index of the rows that are flagged; missing counts as not flagged."""
    truth = flagged.fillna(False).astype(bool)
    return [int(index) for index in truth.index[truth]]


def has_stage(school_type: pd.Series, stage: str) -> pd.Series:
    """Say which types of school may teach a stage; unknown types teach none."""
    teaching = [name for name in SCHOOL_TYPES if stage in possible_stages(name)]
    return school_type.isin(teaching)


def total_enrolment(school_years: Frame, stages: tuple[str, ...] = STAGES) -> pd.Series:
    """Return the students of all stages that are known, missing where none is."""
    columns = [f"enrolment_{stage}" for stage in stages]
    return school_years[columns].sum(axis=1, min_count=1)


def in_order_of_year(school_years: Frame) -> Frame:
    """Return one row per school and year, ordered, with the row of the year before beside it.

    The added columns `before` (index of the earlier row, -1 if there is none) let any two rows
    of the same school in successive years be compared.
    """
    known = school_years.dropna(subset=["school_id", "year"])
    ordered = known.sort_values(["school_id", "year"], kind="stable")
    ordered = ordered.drop_duplicates(["school_id", "year"], keep="first")
    earlier = ordered.groupby("school_id")["year"].shift()
    follows = (ordered["year"] - earlier).eq(1).fillna(False).to_numpy(dtype=bool)
    index = ordered.index.to_series().shift(fill_value=-1).to_numpy()
    return ordered.assign(before=np.where(follows, index, -1))


def _latest_names(schools: Frame) -> dict[str, str]:
    known = schools.dropna(subset=["school_id", "school_name"])
    ordered = known.sort_values("valid_from", kind="stable", na_position="first")
    return dict(zip(ordered["school_id"], ordered["school_name"], strict=True))


def _with_register(years: Frame, schools: Frame) -> Frame:
    """Join the register's entry in force: the last one not after the year, else the first."""
    entries = schools.dropna(subset=["school_id"])[["school_id", "valid_from", *REGISTER_COLUMNS]]
    entries = entries.assign(since=entries["valid_from"].astype("float64").fillna(-np.inf))
    entries = entries.sort_values("since", kind="stable").drop(columns="valid_from")
    asked = years[["school_id", "year"]].reset_index(names="row")
    asked = asked.assign(year=asked["year"].astype("float64")).dropna()
    paired = asked.merge(entries, on="school_id", how="inner")
    in_force = paired["since"] <= paired["year"]
    # The last entry in force comes last; where none is, the earliest entry stands in.
    rank = np.where(in_force, np.arange(len(paired)), -1 - np.arange(len(paired)))
    chosen = paired.assign(rank=rank).sort_values(["row", "rank"]).drop_duplicates("row", keep="last")
    attributes = chosen.set_index("row")[REGISTER_COLUMNS].reindex(years.index)
    return years.assign(**{name: attributes[name] for name in REGISTER_COLUMNS})


@cache
def _empty(table: str) -> Frame:
    return conform(pd.DataFrame(), TABLES[table])
