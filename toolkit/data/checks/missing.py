"""How much is filled in, and which missing cells leave a verdict open."""

import pandas as pd

from toolkit.data.checks.evidence import Evidence, gather_evidence, has_stage, rows, total_enrolment
from toolkit.data.checks.settings import national_standard
from toolkit.data.county import Reading
from toolkit.data.problems import Problem
from toolkit.data.schema import COMPULSORY_STAGES, STAGES, TABLES, Column
from toolkit.standards import Standard

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
    counts = [
        _count(evidence, standard, table.name, column, year)
        for table in TABLES.values()
        if table.name in reading.county.tables
        for column in table.columns
        if not column.may_be_empty
    ]
    return pd.DataFrame(counts, columns=COUNTS).astype({"year": "Int64"})


def missing_deciding_values(evidence: Evidence) -> list[Problem]:
    """List the columns of the national resource indicators that have missing cells, once each."""
    years, standard = evidence.school_years, national_standard()
    found = []
    for name in deciding_columns(standard):
        applies = _applies(evidence, standard, "school_years", TABLES["school_years"].column(name))
        missing = rows(applies & years[name].isna())
        if missing:
            found.append(
                evidence.problem(
                    "deciding_value_missing",
                    "notice",
                    "school_years",
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
    evidence: Evidence, standard: Standard, table: str, column: Column, year: int | None
) -> tuple[object, ...]:
    """Return the counts of one column."""
    frame = evidence.school_years if table == "school_years" else evidence.table(table)
    applying = frame[_applies(evidence, standard, table, column)]
    empty = applying[column.name].isna()
    cells, missing = len(applying), int(empty.sum())
    share = missing / cells if cells else float("nan")
    decides = table == "school_years" and column.name in deciding_columns(standard)
    counts = (table, column.name, cells, missing, share, decides, year)
    if "year" not in frame or year is None:
        return *counts, float("nan"), float("nan")
    of_year = (applying["year"] == year).fillna(False).astype(bool)
    return *counts, int(of_year.sum()), int((empty & of_year).sum())


def _applies(evidence: Evidence, standard: Standard, table: str, column: Column) -> pd.Series:
    """Say in which rows a column can have a value."""
    frame = evidence.school_years if table == "school_years" else evidence.table(table)
    applies = pd.Series(True, index=frame.index)
    if table == "scores" and column.name == "score":
        applies = ~frame["absent"].fillna(False).astype(bool)
    if table != "school_years":
        return applies
    if column.stage:
        applies &= has_stage(frame["school_type"], column.stage)
    return applies & in_scope(evidence, standard) if column.name in deciding_columns(standard) else applies
