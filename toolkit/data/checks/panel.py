"""The same school in successive years: sharp changes and copied rows."""

from typing import Any

import numpy as np
import pandas as pd

from toolkit.data.checks.evidence import Evidence, Frame, in_order_of_year, total_enrolment
from toolkit.data.checks.settings import settings
from toolkit.data.problems import Problem
from toolkit.data.schema.school_years import SCHOOL_YEARS

NUMBERS = [column.name for column in SCHOOL_YEARS.columns if column.is_numeric]


def sharp_changes(evidence: Evidence) -> list[Problem]:
    """Find sharp changes from one year to the next, as the ministry screens for them.

    Stocks of a school whose students hardly changed are held to a narrower limit. Schools that
    merged, split or moved in that year, new schools in their first years, and stocks of schools
    with a building or equipment project, are let pass.
    """
    limits = settings("jumps")
    now = in_order_of_year(evidence.school_years)
    now = now[now["before"] >= 0]
    before = evidence.school_years.loc[now["before"]].set_axis(now.index)
    linked = _pairs(now, _linked_years(evidence)) | _is_growing(now, limits["years_of_growth"])
    built = _pairs(now, _project_years(evidence))
    steady = _change(total_enrolment(before), total_enrolment(now)).abs() < limits["steady_students"]
    found = []
    for column, least in limits["least_difference"].items():
        change = _change(before[column], now[column])
        flagged = (change.abs() > limits["sharp"]) & _differs(before, now, column, least) & ~linked
        found += _jumps(evidence, "sharp_change", column, before, now, change[flagged])
    for column, least in limits["least_stock_difference"].items():
        change = _change(before[column], now[column])
        large = _differs(before, now, column, least) & ~linked & ~built
        alone = (change.abs() > limits["sharp_with_steady_students"]) & large & steady
        sharp = (change.abs() > limits["sharp"]) & large & ~steady
        found += _jumps(evidence, "change_without_students", column, before, now, change[alone])
        found += _jumps(evidence, "sharp_change", column, before, now, change[sharp])
    return found


def copied_rows(evidence: Evidence) -> list[Problem]:
    """Find rows that repeat the year before, or another school of the year, in every number."""
    years = evidence.school_years
    least = settings("copied")["least_columns"]
    now = in_order_of_year(years)
    now = now[now["before"] >= 0]
    before = years.loc[now["before"]].set_axis(now.index)
    same = _equal_rows(before[NUMBERS], now[NUMBERS], least)
    found = [
        evidence.problem(
            "row_copied", "warning", "school_years", int(index), "year", year=before.at[index, "year"]
        )
        for index in now.index[same]
    ]
    return found + _copies_within_years(evidence, least)


def _copies_within_years(evidence: Evidence, least: int) -> list[Problem]:
    """Find schools whose numbers are all those of another school in the same year."""
    years = evidence.school_years.dropna(subset=["school_id", "year"])
    filled = years[years[NUMBERS].notna().sum(axis=1) >= least]
    filled = filled[(total_enrolment(filled) > 0).to_numpy(dtype=bool)]
    first = filled.groupby(["year", *NUMBERS], dropna=False, sort=False)["school_id"].transform("first")
    copies = filled[first != filled["school_id"]]
    return [
        evidence.problem(
            "school_copied",
            "warning",
            "school_years",
            int(index),
            "school_id",
            other=evidence.names.get(first[index], first[index]),
        )
        for index in copies.index
    ]


def _equal_rows(before: Frame, now: Frame, least: int) -> np.ndarray:
    earlier, later = before.to_numpy(dtype=float), now.to_numpy(dtype=float)
    both = ~np.isnan(earlier) & ~np.isnan(later)
    agrees = (earlier == later) | (np.isnan(earlier) & np.isnan(later))
    moving = (np.where(both, later, 0) > 0).sum(axis=1)
    return agrees.all(axis=1) & (both.sum(axis=1) >= least) & (moving >= least)


def _change(before: Any, now: Any) -> Any:
    """Return the change as a share of the earlier value, missing where that is zero."""
    return (now - before) / before.where(before > 0)


def _differs(before: Frame, now: Frame, column: str, least: float) -> pd.Series:
    return (now[column] - before[column]).abs() >= least


def _jumps(
    evidence: Evidence,
    code: str,
    column: str,
    before: Frame,
    now: Frame,
    change: Any,
) -> list[Problem]:
    return [
        evidence.problem(
            code,
            "warning",
            "school_years",
            int(index),
            column,
            earlier=before.at[index, column],
            value=now.at[index, column],
            percent=f"{100 * share:+.0f}%",
        )
        for index, share in change.items()
    ]


def _linked_years(evidence: Evidence) -> set[tuple[str, int]]:
    """Return the school years in which, or before which, a school merged, split or moved."""
    links = evidence.table("school_links")
    links = links[links["link_kind"] != "rename"].dropna(subset=["link_date"])
    return {
        (code, int(date.year) + shift)
        for column in ("from_school_id", "to_school_id")
        for code, date in zip(links[column], links["link_date"], strict=True)
        for shift in (0, 1)
    }


def _project_years(evidence: Evidence) -> set[tuple[str, int]]:
    """Return the school years within or just after a project."""
    projects = evidence.table("projects").dropna(subset=["project_start"])
    ends = projects["project_end"].fillna(projects["project_start"] + pd.DateOffset(years=3))
    return {
        (code, year)
        for code, start, end in zip(projects["school_id"], projects["project_start"], ends, strict=True)
        for year in range(start.year, end.year + 2)
    }


def _is_growing(now: Frame, years_of_growth: int) -> Any:
    """Say which rows belong to the first years of a school that is younger than the panel."""
    first = now.groupby("school_id")["year"].transform("min") - 1
    return (first > first.min()) & (now["year"] - first <= years_of_growth)


def _pairs(rows: Frame, wanted: set[tuple[str, int]]) -> pd.Series:
    present = [
        (code, int(year)) in wanted for code, year in zip(rows["school_id"], rows["year"], strict=True)
    ]
    return pd.Series(present, index=rows.index, dtype=bool)
