"""Small counties with test scores, written out by hand or drawn with known variance components."""

import numpy as np
import pandas as pd

from tests.counties import make_county
from toolkit.data.county import County
from toolkit.data.schema import TABLES, conform


def make_tested_county(
    scores: pd.DataFrame,
    *,
    enrolment: dict[str, float],
    grade: int = 5,
    years: tuple[int, ...] = (2025,),
    types: dict[str, str] | None = None,
    first_of_junior: int = 7,
) -> County:
    """Return a county with these scores and that many students of the tested grade in each school."""
    kinds = types or {}
    default = "primary_school" if grade < first_of_junior else "junior_secondary_school"
    stage = "primary" if grade < first_of_junior else "junior"
    schools = [
        {
            "school_id": code,
            "school_name": f"第{code}学校",
            "school_type": kinds.get(code, default),
            "ownership": "public",
        }
        for code in enrolment
    ]
    grades = range(1, first_of_junior) if grade < first_of_junior else range(first_of_junior, 10)
    school_years = [
        {"school_id": code, "year": year, f"enrolment_{stage}": 6 * students}
        | {f"enrolment_grade_{number}": students for number in grades}
        for year in years
        for code, students in enrolment.items()
    ]
    county = make_county(schools, school_years)
    tables = {**county.tables, "scores": conform(scores.reset_index(drop=True), TABLES["scores"])}
    return County(county_id=county.county_id, name=county.name, tables=tables)


def score_rows(marks: dict[str, list[float]], **columns: object) -> pd.DataFrame:
    """Return rows of the scores table with these marks by school."""
    rows = pd.DataFrame(
        [{"school_id": code, "score": mark} for code, values in marks.items() for mark in values]
    )
    fixed = {"year": 2025, "grade": 5, "subject": "chinese", "test": "期末", "full_mark": 100.0} | columns
    rows = rows.assign(student_id=[f"S{number:05d}" for number in range(len(rows))], **fixed)
    return rows.astype({"year": "Int64"})


def drawn_marks(
    rng: np.random.Generator,
    sizes: list[int],
    *,
    icc: float,
    class_share: float = 0.0,
    classes: int = 1,
    mean: float = 70.0,
    spread: float = 10.0,
) -> pd.DataFrame:
    """Draw pupils of classes of schools with these shares of the variance between schools and classes."""
    parts = []
    for number, size in enumerate(sizes):
        school = np.sqrt(icc) * rng.standard_normal()
        effects = np.sqrt(class_share) * rng.standard_normal(classes)
        member = np.arange(size) % classes
        noise = np.sqrt(1 - icc - class_share) * rng.standard_normal(size)
        value = mean + spread * (school + effects[member] + noise)
        codes = [f"c{at}" for at in member]
        parts.append(pd.DataFrame({"school_id": f"{number:03d}", "class_id": codes, "score": value}))
    rows = pd.concat(parts, ignore_index=True)
    fixed = {"year": 2025, "grade": 5, "subject": "chinese", "test": "期末", "full_mark": 100.0}
    rows = rows.assign(student_id=[f"S{number:06d}" for number in range(len(rows))], **fixed)
    return rows.astype({"year": "Int64"})


def enrolment_of(scores: pd.DataFrame, *, times: float = 1.0) -> dict[str, float]:
    """Return as many students of the grade as have an entry, or a multiple."""
    counts = scores.groupby("school_id")["student_id"].nunique()
    return {str(code): times * float(count) for code, count in counts.items()}
