"""Stocks per student far from the county's, as a wrong unit makes them."""

from typing import Any

import pandas as pd

from toolkit.data.checks.evidence import Evidence, Frame, rows, shown, total_enrolment
from toolkit.data.checks.settings import settings
from toolkit.data.problems import Problem

DOUBTED_ON_READING = ("unit_undeclared", "unit_implausible")


def stocks_far_from_the_county(evidence: Evidence) -> list[Problem]:
    """Find schools whose stock per student is many times larger or smaller than the county median.

    Zero is a value of its own and not judged here.
    """
    limits = settings("per_student")
    years = evidence.school_years
    found = []
    for column, factor in limits["times_median"].items():
        ratio = _per_student(years, column)
        by_year = ratio.groupby(years["year"])
        enough = by_year.transform("count") >= limits["least_schools"]
        times = ratio / by_year.transform("median")
        large = total_enrolment(years) >= limits["least_students"]
        odd = enough & large & ((times > factor) | (times < 1 / factor))
        found += [
            evidence.problem(
                "stock_per_student_odd",
                "warning",
                "school_years",
                index,
                column,
                value=years.at[index, column],
                ratio=float(ratio[index]),
                times=_times(float(times[index])),
            )
            for index in rows(odd)
        ]
    return found


def county_medians(evidence: Evidence) -> list[Problem]:
    """Find years in which the county's median stock per student is not plausible in the column's unit.

    Columns whose unit was already doubted on reading are left to that problem.
    """
    limits = settings("per_student")
    years = evidence.school_years
    doubted = {problem.column for problem in evidence.reading.problems if problem.code in DOUBTED_ON_READING}
    found = []
    for column, (low, high) in limits["median_between"].items():
        ratio = _per_student(years, column).dropna() if column not in doubted else pd.Series(dtype="float64")
        for year, of_year in ratio.groupby(years["year"]):
            median = float(of_year.median())
            if len(of_year) >= limits["least_schools"] and not low <= median <= high:
                found.append(
                    evidence.problem(
                        "county_median_odd",
                        "warning",
                        "school_years",
                        int(of_year.index[0]),
                        column,
                        year=shown(year),
                        median=median,
                        low=float(low),
                        high=float(high),
                    )
                )
    return found


def _per_student(years: Frame, column: str) -> Any:
    """Return the positive stocks per student."""
    students = total_enrolment(years)
    return years[column].where(years[column] > 0) / students.where(students > 0)


def _times(times: float) -> str:
    return f"{times:.0f}" if times >= 1 else f"1/{1 / times:.0f}"
