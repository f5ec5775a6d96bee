"""Outcomes, intake and conditions of each school and stage by year, as arrays beside the units of a study."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.county import County
from toolkit.data.schema import COMPULSORY_STAGES, STAGES
from toolkit.data.schema.school_years import GRADES
from toolkit.indicators.adoption import Adoption
from toolkit.indicators.adoption_units import unit_rows, whole_sums
from toolkit.indicators.outcomes import Outcomes, compute_outcomes
from toolkit.indicators.panel_achievement import (
    SCHOOL_COLUMNS,
    UNIT_YEAR,
    Reference,
    compute_achievement,
    number_pupils,
)
from toolkit.indicators.resources import compute_resource_indicators
from toolkit.indicators.stable_units import StableUnits, trace_units
from toolkit.standards import Standard

Floats = NDArray[np.float64]

GRADE_COLUMNS = [f"enrolment_grade_{grade}" for grade in GRADES]

STAFF_SHARES = {
    "backbone_teacher_share": "backbone_teachers",
    "higher_qualification_share": "teachers_above_required_qualification",
    "senior_title_share": "senior_title_teachers",
}
"""Teacher mix: the count of a stage that is divided by its teachers."""

STUDENT_SHARES = {"migrant_share": "migrant_students", "left_behind_share": "left_behind_students"}
"""Intake: the count of the whole school that is divided by its students of all stages."""


@dataclass(frozen=True, slots=True)
class SchoolPanel:
    """What is known of each unit in each school year.

    Attributes
    ----------
    units : pandas.DataFrame, (n_units, 2)
        `school` and `stage`, in the order of `Adoption.units`.
    years : tuple of int
        School years.
    measures : mapping of str to ndarray, (n_units, n_years)
        By name of the outcome, missing where not known: `achievement` (standard deviations of pupils),
        `achievement_error_variance` (of its school mean, pupils drawn independently), `prior_score` (the
        pupils' earlier score, standardised in the same way), `tested_pupils`, `coverage` (scores of the
        tested grades by their enrolment), the indicators of the standard ("R1" ...), `enrolment`,
        `log_enrolment`, `new_entrants`, teacher mix and intake (shares in [0, 1]).
    reference : {"county", "untreated", "untreated_base_sd"}
        What scores are standardised on.
    tests : pandas.DataFrame
        The tests: `year`, `stage`, `grade`, `subject`, `test`, `n_pupils`, `n_reference` and `reason` (a
        vocabulary code) of those that do not enter, else "".
    """

    units: pd.DataFrame
    years: tuple[int, ...]
    measures: Mapping[str, Floats]
    reference: Reference
    tests: pd.DataFrame

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Names of the outcomes with any value."""
        return tuple(name for name, values in self.measures.items() if np.isfinite(values).any())

    def tidy(self) -> pd.DataFrame:
        """Return one row per unit and year with a column per outcome."""
        n_units, n_years = len(self.units), len(self.years)
        long = self.units.loc[np.repeat(np.arange(n_units), n_years)].reset_index(drop=True)
        columns = {name: values.ravel() for name, values in self.measures.items()}
        return pd.concat([long.assign(year=np.tile(self.years, n_units)), pd.DataFrame(columns)], axis=1)

    def tested_grades(self, stage: str) -> tuple[int, ...]:
        """Return the grades of a stage that were tested in two or more years."""
        entered = ((self.tests["stage"] == stage) & (self.tests["reason"] == "")).to_numpy(dtype=bool)
        pairs = self.tests.loc[entered, ["grade", "year"]].to_numpy(dtype=float)
        grades, n_years = np.unique(np.unique(pairs, axis=0)[:, 0], return_counts=True)
        return tuple(int(grade) for grade in grades[n_years > 1])


@dataclass(frozen=True, slots=True)
class ScoreScale:
    """What scores are standardised on.

    Attributes
    ----------
    reference : {"county", "untreated", "untreated_base_sd"}
        All counted pupils of the county; those of comparison schools; or the mean of comparison schools
        in the year with their standard deviation in the base years, which keeps changes of the spread.
    base_years : tuple of int
        Years of that standard deviation.
    """

    reference: Reference = "county"
    base_years: tuple[int, ...] = ()


COUNTY_SCALE = ScoreScale()


def compute_school_panel(
    county: County,
    standard: Standard,
    adoption: Adoption,
    *,
    scale: ScoreScale = COUNTY_SCALE,
    outcomes: Outcomes | None = None,
) -> SchoolPanel:
    """Compute the outcomes of the units of an adoption study in every year.

    Achievement of a school is the mean of its pupils' scores over all tests of the year, each in
    standard deviations from the mean of the reference in the same year, grade, subject and test.

    Parameters
    ----------
    county : County
        The county of `adoption`; without `scores` the achievement is missing.
    standard : Standard
        Indicators, split and scope.
    adoption : Adoption
        Units and how merged schools are joined.
    scale : ScoreScale
        What scores are standardised on.
    outcomes : Outcomes, optional
        The scores that count, where they have been settled already.

    Raises
    ------
    ValueError
        If the scale needs base years and has none.

    Notes
    -----
    Standardised scores of unlinked tests say where schools stand in their year; the growth of the
    reference itself is zero by construction. Shares of migrant and left-behind students are of the
    whole school, since they are not reported by stage.
    """
    return compute_school_panels(county, standard, adoption, (scale,), outcomes=outcomes)[0]


def compute_school_panels(
    county: County,
    standard: Standard,
    adoption: Adoption,
    scales: Sequence[ScoreScale],
    *,
    outcomes: Outcomes | None = None,
) -> tuple[SchoolPanel, ...]:
    """Compute the outcomes with scores on each of several scales; see `compute_school_panel`."""
    found = trace_units(county, mergers=adoption.mergers)
    units = adoption.units[["school", "stage"]].reset_index(drop=True)
    place = _Place(units, adoption.data_years)
    numbered = number_pupils(compute_outcomes(county, standard) if outcomes is None else outcomes, found)
    untreated = adoption.units.loc[adoption.units["status"] == "comparison", ["school", "stage"]]
    reported = _reported(county, standard, found)
    in_scope = np.isfinite(place.matrix(reported[reported["is_own"]].assign(one=1.0), "one"))
    others = _stage_values(place, reported) | _indicators(county, standard, found, place)
    panels = []
    for scale in scales:
        achievement = compute_achievement(
            numbered, untreated, reference=scale.reference, base_years=scale.base_years
        )
        values = {
            name: np.where(in_scope, place.matrix(achievement.schools, name), np.nan)
            for name in SCHOOL_COLUMNS
        }
        values["coverage"] = _coverage(place, achievement.tested, reported)
        panels.append(
            SchoolPanel(units, adoption.data_years, values | others, scale.reference, achievement.tests)
        )
    return tuple(panels)


class _Place:
    """Turns rows by school, stage and year into arrays of units by years."""

    def __init__(self, units: pd.DataFrame, years: tuple[int, ...]) -> None:
        self.index = pd.MultiIndex.from_frame(units)
        self.years = years

    def matrix(self, rows: pd.DataFrame, name: str) -> Floats:
        """Return one column of a table with unique keys, (n_units, n_years)."""
        filled = np.full((len(self.index), len(self.years)), np.nan)
        unit = self.index.get_indexer(pd.MultiIndex.from_frame(rows[["school", "stage"]]))
        year = pd.Index(self.years).get_indexer(pd.Index(rows["year"].astype(int)))
        known = (unit >= 0) & (year >= 0)
        filled[unit[known], year[known]] = rows[name].to_numpy(dtype=float)[known]
        return filled


def _reported(county: County, standard: Standard, found: StableUnits) -> pd.DataFrame:
    """Return the rows of the schools in scope by unit, stage and year."""
    staged = ["teachers", "new_entrants", *STAFF_SHARES.values()]
    columns = [f"{name}_{stage}" for name in staged for stage in COMPULSORY_STAGES]
    columns += [f"enrolment_{stage}" for stage in STAGES] + GRADE_COLUMNS + list(STUDENT_SHARES.values())
    rows = unit_rows(county, standard, found, columns)
    return rows[rows["scope"] == ""].reset_index(drop=True)


def _stage_values(place: _Place, reported: pd.DataFrame) -> dict[str, Floats]:
    """Return enrolment, entrants, teacher mix and intake of each unit and year."""
    by_stage = [*STAFF_SHARES.values(), "teachers", "new_entrants"]
    rows = reported.assign(students=_all_students(reported))
    for name in by_stage:
        of_stage = [rows[f"{name}_{stage}"].where(rows["stage"] == stage) for stage in COMPULSORY_STAGES]
        rows[name] = of_stage[0].where(rows["stage"] == "primary", of_stage[1])
    summed = ["enrolment", "students", *by_stage, *STUDENT_SHARES.values()]
    # What one of the joined schools does not report is not known of the unit.
    totals = whole_sums(rows, UNIT_YEAR, summed)
    found = {name: place.matrix(totals, name) for name in summed}
    enrolment = np.where(found["enrolment"] > 0, found["enrolment"], np.nan)
    values = {
        "enrolment": enrolment,
        "log_enrolment": np.log(enrolment),
        "new_entrants": found["new_entrants"],
    }
    with np.errstate(divide="ignore", invalid="ignore"):
        for share, count in STAFF_SHARES.items():
            values[share] = np.where(found["teachers"] > 0, found[count] / found["teachers"], np.nan)
        for share, count in STUDENT_SHARES.items():
            values[share] = np.where(found["students"] > 0, found[count] / found["students"], np.nan)
    return values


def _all_students(rows: pd.DataFrame) -> Floats:
    """Return the students of a school over all stages; missing when a reported stage is."""
    by_stage = rows[[f"enrolment_{stage}" for stage in STAGES]].to_numpy(dtype=float)
    own = rows["enrolment"].to_numpy(dtype=float)
    return np.where(np.isnan(own), np.nan, np.nansum(by_stage, axis=1))


def _indicators(county: County, standard: Standard, found: StableUnits, place: _Place) -> dict[str, Floats]:
    """Return the indicators of the standard; of joined schools the stocks over the students."""
    if not standard.indicators or standard.split is None:
        return {}
    resources = compute_resource_indicators(county, standard)
    rows = resources.units[["stage", "year", "enrolment"]].assign(
        school=[found.unit(str(code)) for code in resources.units["school_id"]]
    )
    values = {}
    for position, indicator in enumerate(resources.standard.indicators):
        stocks = rows.assign(amount=resources.amount[:, position])
        totals = whole_sums(stocks, UNIT_YEAR, ["amount", "enrolment"])
        totals["value"] = (
            indicator.per * totals["amount"] / totals["enrolment"].where(totals["enrolment"] > 0)
        )
        values[indicator.id] = place.matrix(totals, "value")
    return values


def _coverage(place: _Place, tested: pd.DataFrame, reported: pd.DataFrame) -> Floats:
    """Return scores of a school and year by the enrolment of the grades tested, one per test."""
    if tested.empty:
        return np.full((len(place.index), len(place.years)), np.nan)
    joined = tested.merge(whole_sums(reported, UNIT_YEAR, GRADE_COLUMNS), on=UNIT_YEAR, how="left")
    grades = joined["grade"].to_numpy(dtype=int)
    students = joined[GRADE_COLUMNS].to_numpy(dtype=float)[np.arange(len(joined)), grades - 1]
    totals = whole_sums(joined.assign(students=students), UNIT_YEAR, ["n_scores", "students"])
    totals["coverage"] = totals["n_scores"] / totals["students"].where(totals["students"] > 0)
    return place.matrix(totals, "coverage")
