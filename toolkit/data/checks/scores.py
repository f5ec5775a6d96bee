"""Scores: range, absence, full marks and coverage."""

from typing import Any

import pandas as pd

from toolkit.data.checks.evidence import Evidence, Frame, rows
from toolkit.data.checks.settings import settings
from toolkit.data.problems import Problem, Severity
from toolkit.data.schema.school_years import GRADES

TEST = ["year", "grade", "subject", "test"]


def scores_outside_marks(evidence: Evidence) -> list[Problem]:
    """Find scores above the full mark, and negative ones, which stand for absence in some systems."""
    scores = evidence.table("scores")
    above = scores["score"] > scores["full_mark"]
    found = [
        evidence.problem(
            "score_above_full_mark",
            "error",
            "scores",
            index,
            "score",
            value=scores.at[index, "score"],
            full_mark=scores.at[index, "full_mark"],
        )
        for index in rows(above)
    ]
    negative = scores[(scores["score"] < 0).fillna(False)]
    # Scores on a linked scale may be centred on zero.
    negative = negative[~negative["linked_scale"].fillna(False).astype(bool)]
    for value, group in negative.groupby("score"):
        found.append(
            evidence.problem(
                "score_negative",
                "error",
                "scores",
                int(group.index[0]),
                "score",
                value=float(value),
                count=len(group),
            )
        )
    return found


def scores_of_absent_pupils(evidence: Evidence) -> list[Problem]:
    """Count absent pupils with a score, and present ones without, by test."""
    scores = evidence.table("scores")
    absent = scores["absent"].fillna(False).astype(bool)
    values = [column for column in scores.columns if column.startswith("plausible_value_")]
    empty = scores["score"].isna() & scores["grade_letter"].isna() & scores[values].isna().all(axis=1)
    found = []
    kinds: tuple[tuple[str, Severity, Any], ...] = (
        ("absent_with_score", "warning", absent & scores["score"].notna()),
        ("score_missing", "notice", ~absent & empty),
    )
    for code, severity, flagged in kinds:
        for key, group in scores[flagged].groupby(TEST, dropna=False, sort=False):
            found.append(
                evidence.problem(
                    code,
                    severity,
                    "scores",
                    int(group.index[0]),
                    "score",
                    count=len(group),
                    **_named(key),
                )
            )
    return found


def full_marks_within_tests(evidence: Evidence) -> list[Problem]:
    """Find tests with several full marks."""
    scores = evidence.table("scores").dropna(subset=["full_mark"])
    found = []
    for key, marks in scores.groupby(TEST, dropna=False, sort=False)["full_mark"]:
        if marks.min() < marks.max():
            index = int(marks.index[marks.to_numpy() != marks.iloc[0]][0])
            full_marks = sorted(f"{mark:g}" for mark in marks.unique())
            found.append(
                evidence.problem(
                    "full_marks_differ",
                    "warning",
                    "scores",
                    index,
                    "full_mark",
                    marks=full_marks,
                    **_named(key),
                )
            )
    return found


def coverage_of_grades(evidence: Evidence) -> list[Problem]:
    """Find schools whose pupils with an entry are clearly fewer or more than the grade's students.

    Where a test covers only part of the grade in most schools it was a sample, and few pupils are
    no sign of missing ones.
    """
    low, high = settings("scores")["coverage_between"]
    covered = _coverage(evidence)
    by_test = covered.groupby(TEST, dropna=False)["share"]
    is_census = by_test.transform("median") >= low
    odd = covered[(covered["share"] > high) | ((covered["share"] < low) & is_census)]
    return [
        evidence.problem(
            "coverage_odd",
            "warning",
            "scores",
            int(row["first"]),
            "student_id",
            pupils=int(row["pupils"]),
            students=float(row["students"]),
            **_named(tuple(row[name] for name in TEST)),
        )
        for row in odd.to_dict("records")
    ]


def _coverage(evidence: Evidence) -> Frame:
    """Return pupils with an entry beside the students of their grade, by school and test."""
    scores = evidence.table("scores").dropna(subset=["school_id", "year", "grade"]).reset_index(names="row")
    counts = scores.groupby(["school_id", *TEST], dropna=False, sort=False).agg(
        pupils=("student_id", "nunique"), first=("row", "first")
    )
    grades = {f"enrolment_grade_{grade}": float(grade) for grade in GRADES}
    students = evidence.school_years.melt(
        ["school_id", "year"], list(grades), var_name="grade", value_name="students"
    )
    students = students.assign(grade=students["grade"].map(grades).astype("float64")).query("students > 0")
    joined = counts.reset_index().merge(students, on=["school_id", "year", "grade"])
    return joined.assign(share=joined["pupils"] / joined["students"])


def _named(key: tuple) -> dict[str, Any]:
    """Return the year, grade, subject and test of a group as placeholders."""
    year, grade, subject, test = key
    return {
        "year": "" if pd.isna(year) else int(year),
        "grade": "" if pd.isna(grade) else f"@in_grade_{int(grade)}",
        "subject": "" if pd.isna(subject) else f"@{subject}",
        "test": "" if pd.isna(test) else str(test),
    }
