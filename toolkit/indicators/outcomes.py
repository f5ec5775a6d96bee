"""Pupils' test scores: which count, for which school and stage, on which scale."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.county import County
from toolkit.data.schema import COMPULSORY_STAGES, TABLES, conform
from toolkit.data.schema.school_years import GRADE_OF_EITHER_STAGE, GRADES
from toolkit.indicators.roster import school_rows
from toolkit.indicators.scope import left_out_reason
from toolkit.indicators.stages import stages_taught
from toolkit.standards import Standard

Estimand = Literal["census_test", "sample_test", "unclassed_test"]
"""Full-census examination, sampled monitoring, or coverage not known because enrolment is missing."""

Scale = Literal[
    "mark_scale", "scale_without_full_mark", "linked_scale_test", "several_full_marks", "letters_only"
]
"""Marks out of a known full mark; points without one; a linked or standardised scale; no usable scale."""

TEST_KEY = ["year", "stage", "grade", "subject", "test"]
PLAUSIBLE_VALUES = tuple(
    name for name in TABLES["scores"].column_names if name.startswith("plausible_value_")
)
NOT_COUNTED = (
    "entry_absent",
    "entry_letter_only",
    "entry_without_score",
    "entry_without_school",
    "entry_school_unknown",
    "entry_out_of_scope",
)
FULL_SCALE = 100.0


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The scores that count, and what is known of each test.

    Attributes
    ----------
    pupils : pandas.DataFrame
        One row per pupil and test that counts: `year`, `stage`, `grade`, `subject`, `test` (empty when
        unnamed), `school_id`, `class_id`, `student_id`, `score` (as reported), `points` (on a scale of
        100 where the full mark is known, else as `score`), `standardised` (zero mean and unit standard
        deviation among all counted pupils of the same test, weighted as they are), `weight` (1 in tests
        without complete weights), the plausible values, `gender`, `migrant`, `left_behind`, `boarding`,
        `prior_score`.
    tests : pandas.DataFrame
        One row per year, stage, grade, subject and test: entries, those counted and those not by reason
        (`entry_...`), `n_schools` tested, `n_schools_with_grade`, `enrolment` of the grade,
        `coverage`, `estimand`, `scale`, `full_mark`, `weighted`, `n_plausible_values`.
    other_entries : pandas.DataFrame
        `year` and `n_entries` of the rows outside grades 1-9, or without grade or subject.
    schools : pandas.DataFrame
        Name of each school by `school_id` and `year`.
    census_from : float
        Coverage from which on a test is a full-census examination.
    """

    pupils: pd.DataFrame
    tests: pd.DataFrame
    other_entries: pd.DataFrame
    schools: pd.DataFrame
    census_from: float

    def tidy(self) -> pd.DataFrame:
        """Return one row per test."""
        return self.tests


def compute_outcomes(county: County, standard: Standard, *, census_from: float | None = None) -> Outcomes:
    """Settle which scores count, for which school and stage, and what each test is.

    A score counts when the pupil was present, has a score or plausible values, and the school is one
    that the standard counts in that year. Grades 1-5 are primary and 7-9 junior; grade 6 is junior
    where the pupil's school, or in combined schools any school of the county that teaches no primary
    stage, has a grade 6 (五四学制). A combined school is one school in each of its stages.

    Parameters
    ----------
    county : County
        With `schools` and `school_years`; without `scores` all tables are empty.
    standard : Standard
        Whose scope says which schools count.
    census_from : float, optional
        Coverage of the grade's enrolment from which on a test is a full-census examination; by default
        that of ``outcomes.toml``.
    """
    limit = outcome_settings()["coverage"]["census_from"] if census_from is None else census_from
    schools = _counted_schools(county, standard)
    entries = _entries(county, schools)
    pupils = entries[(entries["status"] == "counted") & ~_outside(entries)].reset_index(drop=True)
    tests = _tests(entries, pupils, schools, limit)
    return Outcomes(
        pupils=_scored(pupils, tests),
        tests=tests,
        other_entries=_other_entries(entries),
        schools=schools[["school_id", "year", "school_name"]].reset_index(drop=True),
        census_from=limit,
    )


def standardise(
    values: NDArray[np.float64],
    tests: NDArray[np.integer],
    weights: NDArray[np.float64],
    reference: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return values in standard deviations from the mean of the reference pupils of the same test.

    Parameters
    ----------
    values, weights : ndarray, (n_pupils,)
        Scores without missing ones, and positive weights.
    tests : ndarray of int, (n_pupils,)
        Number of each pupil's test, from 0.
    reference : ndarray of bool, (n_pupils,)
        Pupils whose weighted mean and standard deviation are the zero and the unit.

    Returns
    -------
    ndarray, (n_pupils,)
        Missing where the reference has no pupil, or no spread.
    """
    n_tests = int(tests.max()) + 1 if len(tests) else 0
    mass = np.where(reference, weights, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        total = np.bincount(tests, mass, n_tests)
        mean = np.bincount(tests, mass * values, n_tests) / total
        deviation = values - mean[tests]
        spread = np.sqrt(np.bincount(tests, mass * deviation**2, n_tests) / total)
        spread[spread <= np.finfo(float).eps * np.abs(mean)] = np.nan
        return deviation / spread[tests]


@cache
def outcome_settings() -> dict[str, dict[str, float]]:
    """Return the settings by which tests are classed."""
    path = Path(__file__).with_name("outcomes.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _counted_schools(county: County, standard: Standard) -> pd.DataFrame:
    """Return one row per school and year: name, why it does not count, stages, stage of grade 6, grades."""
    rows = school_rows(county)
    taught = stages_taught(rows)
    primary, junior = taught[:, 0], taught[:, 1]
    sixth = (rows[f"enrolment_grade_{GRADE_OF_EITHER_STAGE}"] > 0).to_numpy(dtype=bool)
    years_of_four = set(rows.loc[sixth & junior & ~primary, "year"])
    sixth_is_junior = junior & (~primary | rows["year"].isin(years_of_four).to_numpy(dtype=bool))
    return rows.assign(
        reason=left_out_reason(rows, standard.scope),
        teaches_primary=primary,
        teaches_junior=junior,
        stage_of_sixth=np.where(sixth_is_junior, "junior", "primary"),
    ).drop_duplicates(["school_id", "year"])


def _entries(county: County, schools: pd.DataFrame) -> pd.DataFrame:
    """Return all rows of the scores with stage and status: counted, or why not."""
    table = TABLES["scores"]
    scores = county.tables.get("scores", conform(pd.DataFrame(), table))
    known = schools[["school_id", "year", "reason", "stage_of_sixth"]].assign(known=True)
    entries = scores.assign(test=scores["test"].fillna("")).merge(known, on=["school_id", "year"], how="left")
    grade = entries["grade"].to_numpy(dtype=float)
    below = np.where(grade == GRADE_OF_EITHER_STAGE, entries["stage_of_sixth"].fillna("primary"), "primary")
    entries["stage"] = np.where(grade <= GRADE_OF_EITHER_STAGE, below, "junior")
    absent = entries["absent"].fillna(False).to_numpy(dtype=bool)
    scored = entries[["score", *PLAUSIBLE_VALUES]].notna().any(axis=1).to_numpy(dtype=bool)
    lettered = entries["grade_letter"].notna().to_numpy(dtype=bool)
    reasons = [
        (~np.isin(grade, GRADES), "entry_other_grade"),
        (entries["school_id"].isna().to_numpy(dtype=bool), "entry_without_school"),
        (entries["known"].isna().to_numpy(dtype=bool), "entry_school_unknown"),
        ((entries["reason"].fillna("") != "").to_numpy(dtype=bool), "entry_out_of_scope"),
        (absent, "entry_absent"),
        (~scored & lettered, "entry_letter_only"),
        (~scored, "entry_without_score"),
    ]
    entries["status"] = np.select(
        [mask for mask, _ in reasons], [code for _, code in reasons], default="counted"
    )
    return entries


def _tests(
    entries: pd.DataFrame, pupils: pd.DataFrame, schools: pd.DataFrame, census_from: float
) -> pd.DataFrame:
    """Return one row per test with its accounting, coverage, estimand and scale."""
    taken = entries[~_outside(entries)]
    counts = taken.groupby([*TEST_KEY, "status"]).size().unstack("status", fill_value=0)
    counts = counts.reindex(columns=["counted", *NOT_COUNTED], fill_value=0)
    tests = counts.assign(n_entries=counts.sum(axis=1)).rename(columns={"counted": "n_pupils"})
    tests["n_schools"] = pupils.groupby(TEST_KEY)["school_id"].nunique().reindex(tests.index, fill_value=0)
    tests = tests.join(_scales(taken, pupils)).reset_index()
    tests = tests.merge(_grade_enrolment(schools, pupils), on=TEST_KEY, how="left")
    tests["coverage"] = tests["n_pupils"] / tests["enrolment"]
    most = tests["n_pupils"] / tests["least_enrolment"]
    sampled, full = most < census_from, tests["coverage"] >= census_from
    tests["estimand"] = np.select([sampled, full], ["sample_test", "census_test"], "unclassed_test")
    tests["stage_order"] = tests["stage"].map(list(COMPULSORY_STAGES).index).astype(int)
    tests = tests.sort_values(["year", "stage_order", "grade", "subject", "test"], kind="stable")
    return tests.drop(columns=["stage_order", "least_enrolment"]).reset_index(drop=True)


def _outside(entries: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which rows belong to no test of compulsory education."""
    incomplete = entries[["year", "grade", "subject"]].isna().any(axis=1)
    return (incomplete | (entries["status"] == "entry_other_grade")).to_numpy(dtype=bool)


def _other_entries(entries: pd.DataFrame) -> pd.DataFrame:
    """Return how many rows of each year belong to no test of compulsory education."""
    counts = entries[_outside(entries)].groupby("year", dropna=False).size()
    return counts.rename("n_entries").reset_index()


def _scales(entries: pd.DataFrame, pupils: pd.DataFrame) -> pd.DataFrame:
    """Return scale, full mark, weighting and number of plausible values of each test."""
    by, own = entries.groupby(TEST_KEY), pupils.groupby(TEST_KEY)
    marks = entries[entries["status"] == "counted"].groupby(TEST_KEY)["full_mark"]
    lowest, highest = marks.min(), marks.max()
    found = pd.DataFrame(index=by.size().index)
    found["full_mark"] = highest.reindex(found.index)
    values = own[list(PLAUSIBLE_VALUES)].count() if len(pupils) else pd.DataFrame(columns=PLAUSIBLE_VALUES)
    complete = values.reindex(found.index).eq(own.size().reindex(found.index), axis=0)
    found["n_plausible_values"] = complete.sum(axis=1)
    linked = by["linked_scale"].any() | (own["score"].min().reindex(found.index) < 0).fillna(False)
    counted = own.size().reindex(found.index).fillna(0) > 0
    letters = by["grade_letter"].count() > 0
    found["scale"] = np.select(
        [
            ~counted & letters,
            linked.astype(bool) | (found["n_plausible_values"] > 0),
            (lowest < highest).reindex(found.index, fill_value=False),
            found["full_mark"].notna(),
        ],
        ["letters_only", "linked_scale_test", "several_full_marks", "mark_scale"],
        default="scale_without_full_mark",
    )
    positive = pupils.assign(positive=pupils["weight"] > 0).groupby(TEST_KEY)["positive"].all()
    found["weighted"] = positive.reindex(found.index, fill_value=False).astype(bool)
    return found


def _grade_enrolment(schools: pd.DataFrame, pupils: pd.DataFrame) -> pd.DataFrame:
    """Return enrolment of each test's grade in the schools that count, and how many have the grade.

    `enrolment` is missing when a school that teaches the stage does not report the grade;
    `least_enrolment` counts only its pupils with a score.
    """
    counted = schools[schools["reason"] == ""]
    columns = {f"enrolment_grade_{grade}": float(grade) for grade in GRADES}
    kept = ["school_id", "year", "teaches_primary", "teaches_junior", "stage_of_sixth"]
    long = counted.melt(kept, list(columns), var_name="grade", value_name="students")
    long["grade"] = long["grade"].map(columns).astype("float64")
    stage = np.where(long["grade"] < GRADE_OF_EITHER_STAGE, "primary", "junior")
    long["stage"] = np.where(long["grade"] == GRADE_OF_EITHER_STAGE, long["stage_of_sixth"], stage)
    taught = np.where(long["stage"] == "primary", long["teaches_primary"], long["teaches_junior"])
    long = long[taught.astype(bool) | (long["students"] > 0)]
    tested = pupils.groupby([*TEST_KEY, "school_id"]).size().rename("tested").reset_index()
    keys = tested[TEST_KEY].drop_duplicates()
    joined = keys.merge(long, on=["year", "stage", "grade"], how="left")
    joined = joined.merge(tested, on=[*TEST_KEY, "school_id"], how="left")
    # A school without figures for a grade may simply not have it; its pupils with a score say that it does.
    optional = joined["grade"] == GRADE_OF_EITHER_STAGE
    missing = joined["students"].isna() & (~optional | joined["tested"].notna())
    joined["least"] = joined["students"].fillna(joined["tested"]).fillna(0.0)
    joined["unreported"] = missing
    joined["has_grade"] = (joined["least"] > 0) | missing
    by = joined.groupby(TEST_KEY)
    found = by.agg(
        least_enrolment=("least", "sum"),
        unreported=("unreported", "sum"),
        n_schools_with_grade=("has_grade", "sum"),
    )
    found["enrolment"] = found["least_enrolment"].where(found["unreported"] == 0)
    return found.drop(columns="unreported").reset_index()


def _scored(pupils: pd.DataFrame, tests: pd.DataFrame) -> pd.DataFrame:
    """Return the counted pupils with points, standardised scores and usable weights."""
    kinds = tests[[*TEST_KEY, "scale", "full_mark", "weighted"]].rename(
        columns={"full_mark": "test_full_mark"}
    )
    joined = pupils.merge(kinds, on=TEST_KEY, how="left")
    score = joined["score"].fillna(joined[list(PLAUSIBLE_VALUES)].mean(axis=1))
    on_marks = (joined["scale"] == "mark_scale").to_numpy(dtype=bool)
    points = np.where(on_marks, FULL_SCALE * score / joined["test_full_mark"], score)
    weight = np.where(joined["weighted"].eq(True), joined["weight"], 1.0)
    number = joined.groupby(TEST_KEY, sort=False).ngroup().to_numpy(dtype=np.int64)
    comparable = (joined["scale"] != "several_full_marks").to_numpy(dtype=bool)
    kept = [
        *TEST_KEY,
        *("school_id", "class_id", "student_id"),
        *PLAUSIBLE_VALUES,
        *("gender", "migrant", "left_behind", "boarding", "prior_score"),
    ]
    return joined[kept].assign(
        score=score,
        points=points,
        weight=weight,
        standardised=standardise(score.to_numpy(), number, weight, comparable),
    )
