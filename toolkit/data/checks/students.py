"""Enrolment against grades, entrants and the type of the school."""

from typing import Any

import pandas as pd

from toolkit.data.checks.evidence import Evidence, has_stage, rows, total_enrolment
from toolkit.data.checks.settings import national_standard
from toolkit.data.problems import Problem, Severity
from toolkit.data.schema import STAGES
from toolkit.data.schema.schools import SCHOOL_TYPES, possible_stages

# Six years of primary school, or five (五四学制), where grade 6 is counted as junior.
GRADES_OF_STAGE = (
    {"primary": range(1, 7), "junior": range(7, 10)},
    {"primary": range(1, 6), "junior": range(6, 10)},
)
STOCKS = ("teaching_area", "sports_ground_area", "equipment_value", "multimedia_rooms")


def grades_against_stages(evidence: Evidence) -> list[Problem]:
    """Find stages whose grades do not add up to their enrolment, in either length of primary school."""
    years = evidence.school_years
    found = []
    for stage in GRADES_OF_STAGE[0]:
        sums = [_sum_of_grades(years, grades[stage]) for grades in GRADES_OF_STAGE]
        enrolment = years[f"enrolment_{stage}"]
        wrong = sums[0].notna() & enrolment.notna() & (sums[0] != enrolment) & ~(sums[1] == enrolment)
        found += [
            evidence.problem(
                "grades_differ_from_stage",
                "warning",
                "school_years",
                index,
                f"enrolment_{stage}",
                value=enrolment[index],
                total=sums[0][index],
            )
            for index in rows(wrong)
        ]
    return found


def entrants_against_first_grades(evidence: Evidence) -> list[Problem]:
    """Find stages whose new entrants are not the students of the first grade."""
    years = evidence.school_years
    found = []
    for stage in GRADES_OF_STAGE[0]:
        entrants = years[f"new_entrants_{stage}"]
        firsts = [years[f"enrolment_grade_{grades[stage][0]}"] for grades in GRADES_OF_STAGE]
        wrong = entrants.notna() & firsts[0].notna() & (entrants != firsts[0]) & ~(entrants == firsts[1])
        found += [
            evidence.problem(
                "entrants_differ_from_first_grade",
                "warning",
                "school_years",
                index,
                f"new_entrants_{stage}",
                value=entrants[index],
                grade=f"@enrolment_grade_{GRADES_OF_STAGE[0][stage][0]}",
                pupils=firsts[0][index],
            )
            for index in rows(wrong)
        ]
    return found


def stages_against_type(evidence: Evidence) -> list[Problem]:
    """Find students or teachers in a stage that the type of the school does not teach."""
    years = evidence.school_years
    known = years["school_type"].isin(list(SCHOOL_TYPES))
    found = []
    for stage in STAGES:
        columns = [f"enrolment_{stage}"] + ([f"teachers_{stage}"] if stage != "senior" else [])
        outside = known & ~has_stage(years["school_type"], stage)
        for column in columns:
            found += [
                evidence.problem(
                    "stage_not_of_type",
                    "error",
                    "school_years",
                    index,
                    column,
                    value=years.at[index, column],
                    type=f"@{years.at[index, 'school_type']}",
                )
                for index in rows(outside & (years[column] > 0))
            ]
    return found


def stages_without_students(evidence: Evidence) -> list[Problem]:
    """Find stages of a combined school whose students are missing, or zero."""
    years = evidence.school_years
    combined = years["school_type"].map(lambda name: len(possible_stages(name)) > 1)
    combined = combined.astype(bool) & (years["school_type"] != "special_education_school")
    found = []
    for stage in STAGES:
        students = years[f"enrolment_{stage}"]
        taught = combined & has_stage(years["school_type"], stage)
        kinds: tuple[tuple[str, Severity, Any], ...] = (
            ("stage_enrolment_missing", "warning", taught & students.isna()),
            ("stage_enrolment_zero", "notice", taught & (students == 0)),
        )
        for code, severity, flagged in kinds:
            found += [
                evidence.problem(
                    code,
                    severity,
                    "school_years",
                    index,
                    f"enrolment_{stage}",
                    stage=f"@{stage}",
                    type=f"@{years.at[index, 'school_type']}",
                )
                for index in rows(flagged)
            ]
    return found


def stocks_without_students(evidence: Evidence) -> list[Problem]:
    """Find schools that report no students at all, but rooms, grounds or equipment."""
    years = evidence.school_years
    empty = total_enrolment(years) == 0
    return [
        evidence.problem(
            "stock_without_students",
            "warning",
            "school_years",
            index,
            f"enrolment_{(possible_stages(years.at[index, 'school_type']) or STAGES)[0]}",
            year=years.at[index, "year"],
        )
        for index in rows(empty & (years[list(STOCKS)] > 0).any(axis=1))
    ]


def small_teaching_points(evidence: Evidence) -> list[Problem]:
    """List the teaching points too small to be counted by the national standard, once each."""
    years = evidence.school_years
    least = national_standard().scope.minimum_enrolment_by_type.get("teaching_point", 0)
    small = (years["school_type"] == "teaching_point") & (total_enrolment(years) < least)
    flagged = years[small.fillna(False)].dropna(subset=["school_id"])
    return [
        evidence.problem(
            "teaching_point_small",
            "notice",
            "school_years",
            int(rows_of_school.index[-1]),
            "enrolment_primary",
            least=least,
            years=sorted(rows_of_school["year"].dropna()),
        )
        for _, rows_of_school in flagged.groupby("school_id", sort=False)
    ]


def _sum_of_grades(years: pd.DataFrame, grades: range) -> pd.Series:
    columns = [f"enrolment_grade_{grade}" for grade in grades]
    return years[columns].sum(axis=1, min_count=len(columns))
