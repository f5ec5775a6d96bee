"""How unevenly groups of pupils are spread over a county's schools, year by year."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from toolkit.data.county import County
from toolkit.data.schema import COMPULSORY_STAGES, STAGES
from toolkit.indicators.roster import school_rows
from toolkit.indicators.stages import stage_enrolment, stages_taught, with_untaught_stages_empty
from toolkit.variation.segregation import (
    correct_small_unit_bias,
    dissimilarity,
    expected_dissimilarity,
    expected_information_index,
    information_index,
    undefined_reason,
)

WHOLE_SCHOOL_COUNTS = {"migrant_pupils": "migrant_students", "left_behind_pupils": "left_behind_students"}
COLUMNS = [
    "pupils",
    "part",
    "grade",
    "year",
    "n_schools",
    "n_missing",
    "n_inconsistent",
    "n_pupils_left_out",
    "students",
    "members",
    "share",
    "dissimilarity",
    "dissimilarity_random",
    "dissimilarity_corrected",
    "information",
    "information_random",
    "information_corrected",
    "state",
]


@dataclass(frozen=True, slots=True)
class PupilSegregation:
    """Segregation of groups of pupils between the schools of a county.

    Attributes
    ----------
    last_year : int
        School year of the report; later years are left out.
    low_prior_share : float
        Part of a grade that counts as low prior attainment.
    table : pandas.DataFrame
        One row per group (`pupils`), `part` and `year`. `part` is "all_stages" where schools report
        one count for all stages, a stage, or a grade ("in_grade_6", with the number in `grade`).
        `n_schools` in the index; `n_missing` schools left out because a count is not
        reported; `n_inconsistent` left out because it exceeds the enrolment; `n_pupils_left_out`
        tested pupils without prior score or school. `share` of the group; each index raw, expected
        under random allocation (`_random`), and `_corrected`. `state` is "" or the reason why
        the indices are not defined.
    """

    last_year: int
    low_prior_share: float
    table: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per group, part and year."""
        return self.table

    @property
    def latest(self) -> pd.DataFrame:
        """The rows of the year of the report."""
        return self.table[self.table["year"] == self.last_year]


def compute_pupil_segregation(county: County, *, last_year: int) -> PupilSegregation:
    """Compute the segregation of migrant, left-behind, boarding and low-prior pupils.

    Migrant and left-behind pupils are reported by school, over all its stages; boarders by stage;
    pupils with low prior attainment come from the scores, by grade, where each tested pupil
    counts once. Schools whose count is missing are left out and counted: they are not zero.

    Parameters
    ----------
    county : County
        With `schools` and `school_years`, and `scores` where there are any.
    last_year : int
        School year of the report.
    """
    rows = school_rows(county)
    rows = rows[
        (rows["year"] <= last_year) & ~rows["school_type"].isin(_settings("schools")["excluded_types"])
    ]
    share = float(_settings("low_prior")["share"])
    parts = [*_reported(rows.reset_index(drop=True)), *_low_prior(county, share, last_year)]
    table = pd.DataFrame(parts, columns=COLUMNS)
    return PupilSegregation(last_year, share, table)


def _reported(rows: pd.DataFrame) -> list[dict[str, object]]:
    """Return the indices of the counts that schools report."""
    taught = stages_taught(rows)
    filled = with_untaught_stages_empty(rows, taught)
    by_stage = stage_enrolment(filled)
    parts = [
        (name, "all_stages", rows[column].to_numpy(dtype=float), by_stage.sum(axis=1))
        for name, column in WHOLE_SCHOOL_COUNTS.items()
    ]
    for position, stage in enumerate(STAGES):
        if stage in COMPULSORY_STAGES:
            boarders = rows[f"boarders_{stage}"].to_numpy(dtype=float)
            students = np.where(taught[:, position], by_stage[:, position], 0.0)
            parts.append(("boarding_pupils", stage, boarders, students))
    years = rows["year"].to_numpy(dtype=int)
    return [
        _row(name, part, np.nan, int(year), members[years == year], students[years == year])
        for name, part, members, students in parts
        for year in np.unique(years)
        if (~(students[years == year] == 0)).any()
    ]


def _low_prior(county: County, share: float, last_year: int) -> list[dict[str, object]]:
    """Return the indices of pupils in the lowest part of their grade by prior attainment."""
    scores = county.tables.get("scores")
    if scores is None or scores["prior_score"].isna().all():
        return []
    pupils = _pupils(scores[scores["year"] <= last_year])
    excluded = _settings("schools")["excluded_types"]
    register = county.tables["schools"]
    special = set(register.loc[register["school_type"].isin(excluded), "school_id"])
    pupils = pupils[~pupils["school_id"].isin(special)]
    found = []
    for (year, grade), own in pupils.groupby(["year", "grade"]):
        known = own[own["prior"].notna() & own["school_id"].notna()]
        if known.empty:
            continue
        limit = np.quantile(known["prior"].to_numpy(dtype=float), share, method="inverted_cdf")
        low = (known["prior"] <= limit).groupby(known["school_id"])
        without = own["school_id"].nunique() - known["school_id"].nunique()
        left_out = len(own) - len(known)
        row = _row(
            "low_prior_pupils",
            f"in_grade_{int(grade)}",  # pyright: ignore[reportArgumentType]
            float(grade),  # pyright: ignore[reportArgumentType]
            int(year),  # pyright: ignore[reportArgumentType]
            low.sum().to_numpy(dtype=float),
            low.size().to_numpy(dtype=float),
        )
        found.append(row | {"n_missing": without, "n_pupils_left_out": left_out})
    return sorted(found, key=lambda row: (row["grade"], row["year"]))


def _pupils(scores: pd.DataFrame) -> pd.DataFrame:
    """Return one row per pupil, year and grade: the school and the mean prior score over subjects.

    Prior scores are standardised within year, grade, subject and test first: tests differ in scale.
    """
    test = scores.groupby(["year", "grade", "subject", "test"], dropna=False)["prior_score"]
    spread = test.transform("std", ddof=0)
    prior = (scores["prior_score"] - test.transform("mean")) / spread.where(spread > 0, 1.0)
    # Means of equal scores must be equal whatever the order in which they were added.
    table = scores[["student_id", "year", "grade", "school_id"]].assign(prior=prior)
    by_pupil = table.groupby(["year", "grade", "student_id"])
    return (
        by_pupil.agg(school_id=("school_id", "first"), prior=("prior", "mean"))
        .round({"prior": 9})
        .reset_index()
    )


def _row(
    name: str, part: str, grade: float, year: int, members: np.ndarray, students: np.ndarray
) -> dict[str, object]:
    """Return the indices of one group, part and year over the schools that report."""
    unknown = (np.isnan(members) & ~(students == 0)) | np.isnan(students)
    wrong = ~unknown & (np.nan_to_num(members) > students)
    counted = ~unknown & ~wrong & (students > 0)
    own, pupils = members[counted], students[counted]
    state = undefined_reason(own, pupils)
    row: dict[str, object] = dict.fromkeys(COLUMNS, np.nan)
    row |= {
        "pupils": name,
        "part": part,
        "grade": grade,
        "year": year,
        "n_schools": int(counted.sum()),
        "n_missing": int(unknown.sum()),
        "n_inconsistent": int(wrong.sum()),
        "n_pupils_left_out": 0,
        "students": pupils.sum(),
        "members": own.sum(),
        "share": own.sum() / pupils.sum() if pupils.sum() > 0 else np.nan,
        "state": state,
    }
    return row if state else row | _indices(own, pupils)


def _indices(members: np.ndarray, students: np.ndarray) -> dict[str, object]:
    total = float(members.sum())
    raw = dissimilarity(members, students), information_index(members, students)
    random = expected_dissimilarity(students, total), expected_information_index(students, total)
    names = ("dissimilarity", "information")
    found: dict[str, object] = {}
    for name, index, expected in zip(names, raw, random, strict=True):
        found |= {
            name: index,
            f"{name}_random": expected,
            f"{name}_corrected": correct_small_unit_bias(index, expected),
        }
    return found


@cache
def _settings(section: str) -> dict[str, Any]:
    path = Path(__file__).with_name("segregation.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))[section]
