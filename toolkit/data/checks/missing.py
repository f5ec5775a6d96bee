"""How much is filled in, and which missing cells leave a verdict open."""

import pandas as pd

from toolkit.data.checks.evidence import Evidence, gather_evidence, has_stage, rows
from toolkit.data.checks.settings import national_standard
from toolkit.data.county import Reading
from toolkit.data.problems import Problem
from toolkit.data.schema import COMPULSORY_STAGES, STAGES, TABLES


def completeness(reading: Reading) -> pd.DataFrame:
    """Count missing cells by table and column, where the column applies.

    A column of one stage applies to the schools that teach it.

    Parameters
    ----------
    reading : Reading
        The county as it was read.

    Returns
    -------
    pandas.DataFrame
        Per column: `table`, `column`, `cells`, `missing`, `missing_share` (in [0, 1], missing for
        an empty table) and `decides`: whether the seven resource indicators need it.
    """
    evidence = gather_evidence(reading)
    deciding = deciding_columns()
    counts = []
    for table in TABLES.values():
        if table.name not in reading.county.tables:
            continue
        frame = evidence.school_years if table.name == "school_years" else evidence.table(table.name)
        for column in table.column_names:
            values = frame.loc[_applies(evidence, table.name, column), column]
            decides = table.name == "school_years" and column in deciding
            counts.append((table.name, column, len(values), int(values.isna().sum()), decides))
    result = pd.DataFrame(counts, columns=["table", "column", "cells", "missing", "decides"])
    share = result["missing"] / result["cells"].where(result["cells"] > 0)
    result.insert(4, "missing_share", share)
    return result


def missing_deciding_values(evidence: Evidence) -> list[Problem]:
    """List the columns of the seven resource indicators that have missing cells, once each."""
    years = evidence.school_years
    in_scope = ~years["school_type"].isin(national_standard().scope.excluded_types)
    found = []
    for column in deciding_columns():
        applies = _applies(evidence, "school_years", column) & in_scope
        missing = rows(applies & years[column].isna())
        if missing:
            found.append(
                evidence.problem(
                    "deciding_value_missing",
                    "notice",
                    "school_years",
                    missing[0],
                    column,
                    what=f"@{column}",
                    missing=len(missing),
                    cells=int(applies.sum()),
                )
            )
    return found


def deciding_columns() -> tuple[str, ...]:
    """Return the columns of school years that the seven resource indicators are computed from."""
    columns = [f"enrolment_{stage}" for stage in STAGES]
    for indicator in national_standard().indicators:
        for component in indicator.numerator:
            stages = ("",) if indicator.shared else tuple(f"_{stage}" for stage in COMPULSORY_STAGES)
            columns += [component.column + stage for stage in stages]
    return tuple(dict.fromkeys(columns))


def _applies(evidence: Evidence, table: str, column: str) -> pd.Series:
    """Say in which rows a column can have a value."""
    if table != "school_years":
        return pd.Series(True, index=evidence.table(table).index)
    years = evidence.school_years
    stage = column.rpartition("_")[2]
    if stage not in STAGES:
        return pd.Series(True, index=years.index)
    return has_stage(years["school_type"], stage)
