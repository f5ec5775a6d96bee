"""How much is filled in, and which missing cells leave a verdict open."""

import pandas as pd

from toolkit.data.checks.evidence import Evidence, gather_evidence, has_stage, rows, total_enrolment
from toolkit.data.checks.settings import national_standard
from toolkit.data.county import Reading
from toolkit.data.problems import Problem
from toolkit.data.schema import COMPULSORY_STAGES, STAGES, TABLES, Column
from toolkit.standards import Standard

YEARLY = "school_years"
COUNTS = [
    "table",
    "column",
    "cells",
    "missing",
    "missing_share",
    "decides",
    "year",
    "cells_in_year",
    "missing_in_year",
]


def completeness(reading: Reading, standard: Standard, year: int | None = None) -> pd.DataFrame:
    """Count missing cells by table and column, where the column applies.

    A column of one stage applies to the schools that teach it; the columns that the resource
    indicators need apply to the schools in the scope of the standard. Columns whose empty
    cells may say that there is nothing to tell are not listed.

    Parameters
    ----------
    reading : Reading
        The county as it was read.
    standard : Standard
        The standard whose resource indicators are to be computed.
    year : int, optional
        School year to count by itself; the latest in the data by default.

    Returns
    -------
    pandas.DataFrame
        Per column: `table`, `column`, `cells`, `missing`, `missing_share` (in [0, 1], missing for
        an empty table), `decides`: whether the resource indicators need it, the `year`, and of
        that year alone `cells_in_year` and `missing_in_year`, missing for a table without years.
    """
    evidence = gather_evidence(reading)
    year = latest_year(evidence) if year is None else year
    deciding, scope = deciding_columns(standard), in_scope(evidence, standard)
    counts = [
        _count(evidence, table.name, column, year, scope if table.name == YEARLY and decides else None)
        for table in TABLES.values()
        if table.name in reading.county.tables
        for column in table.columns
        if not column.may_be_empty
        for decides in (column.name in deciding,)
    ]
    return pd.DataFrame(counts, columns=COUNTS).astype({"year": "Int64"})


def missing_deciding_values(evidence: Evidence) -> list[Problem]:
    """List the columns of the national resource indicators that have missing cells, once each."""
    years, standard = evidence.school_years, national_standard()
    scope = in_scope(evidence, standard)
    found = []
    for name in deciding_columns(standard):
        applies = _applies(years, YEARLY, TABLES[YEARLY].column(name), scope)
        missing = rows(applies & years[name].isna())
        if missing:
            found.append(
                evidence.problem(
                    "deciding_value_missing",
                    "notice",
                    YEARLY,
                    missing[0],
                    name,
                    what=f"@{name}",
                    missing=len(missing),
                    cells=int(applies.sum()),
                )
            )
    return found


def deciding_columns(standard: Standard) -> tuple[str, ...]:
    """Return the columns of school years that the resource indicators are computed from."""
    columns = [f"enrolment_{stage}" for stage in STAGES]
    for indicator in standard.indicators:
        for component in indicator.numerator:
            stages = ("",) if indicator.shared else tuple(f"_{stage}" for stage in COMPULSORY_STAGES)
            columns += [component.column + stage for stage in stages]
    return tuple(dict.fromkeys(columns))


def latest_year(evidence: Evidence) -> int | None:
    """Return the latest school year of the county, None where it has none."""
    years = evidence.school_years["year"].dropna()
    return None if years.empty else int(years.max())


def in_scope(evidence: Evidence, standard: Standard) -> pd.Series:
    """Say which school years a standard counts; a school of unknown size may count."""
    years, scope = evidence.school_years, standard.scope
    taught = {stage: has_stage(years["school_type"], stage) for stage in COMPULSORY_STAGES}
    is_open = pd.DataFrame(
        {stage: teaches & years[f"enrolment_{stage}"].isna() for stage, teaches in taught.items()}
    ).any(axis=1)
    students = total_enrolment(years, COMPULSORY_STAGES)
    least = years["school_type"].map(dict(scope.minimum_enrolment_by_type)).astype("float64").fillna(1)
    counts = years["school_type"].notna() & ~years["school_type"].isin(scope.excluded_types)
    counts &= years["ownership"].isna() | years["ownership"].isin(scope.ownership)
    if scope.excludes_directly_administered:
        counts &= ~years["directly_administered"].fillna(False).astype(bool)
    return counts & (is_open | ~(students < least))


def _count(
    evidence: Evidence, table: str, column: Column, year: int | None, scope: pd.Series | None
) -> tuple[object, ...]:
    """Return the counts of one column; a column with a scope decides indicators."""
    frame = _rows_of(evidence, table)
    applies = _applies(frame, table, column, scope)
    empty = applies & frame[column.name].isna()
    cells, missing = int(applies.sum()), int(empty.sum())
    share = missing / cells if cells else float("nan")
    counts = (table, column.name, cells, missing, share, scope is not None, year)
    if "year" not in frame or year is None:
        return *counts, float("nan"), float("nan")
    of_year = (frame["year"] == year).fillna(False).astype(bool)
    return *counts, int((applies & of_year).sum()), int((empty & of_year).sum())


def _applies(frame: pd.DataFrame, table: str, column: Column, scope: pd.Series | None) -> pd.Series:
    """Say in which rows a column can have a value; one that decides indicators only within the scope."""
    applies = pd.Series(True, index=frame.index)
    if table == "scores" and column.name == "score":
        applies = ~frame["absent"].fillna(False).astype(bool)
    if table == YEARLY and column.stage:
        applies &= has_stage(frame["school_type"], column.stage)
    return applies if scope is None else applies & scope


def _rows_of(evidence: Evidence, table: str) -> pd.DataFrame:
    return evidence.school_years if table == YEARLY else evidence.table(table)
