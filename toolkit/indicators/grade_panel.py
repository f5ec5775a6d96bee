"""Achievement of each school by grade and year, and of the pupils who were there before a given year."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.county import County
from toolkit.indicators.adoption import Adoption
from toolkit.indicators.outcomes import Outcomes, compute_outcomes
from toolkit.indicators.panel_achievement import (
    PUPILS,
    NumberedPupils,
    StandardisedScores,
    count_pupils,
    number_pupils,
    standardise_scores,
)
from toolkit.indicators.school_panel import SchoolPanel
from toolkit.indicators.stable_units import trace_units
from toolkit.standards import Standard

Floats = NDArray[np.float64]

MEASURES = ("achievement", "tested_pupils")


@dataclass(frozen=True, slots=True)
class GradePanel:
    """What is known of each grade of each unit in each school year.

    Attributes
    ----------
    county_id : str
        County.
    units : pandas.DataFrame, (n_units, 2)
        `school` and `stage`, in the order of `Adoption.units`.
    years : tuple of int
        School years.
    grades : tuple of int
        Grades with a score, 1 to 9. Grade 6 is of the stage of the unit.
    achievement, tested_pupils : ndarray, (n_grades, n_units, n_years)
        Mean score in standard deviations of pupils, over the tests of the grade, and pupils behind it.
    seen_before : mapping of int to ndarray, (n_grades, n_units, n_years)
        By school year g: from g on the mean of those pupils alone who had a score at the same school
        before g, in earlier years that of all pupils. Empty where pupils cannot be followed.
    """

    county_id: str
    units: pd.DataFrame
    years: tuple[int, ...]
    grades: tuple[int, ...]
    achievement: Floats
    tested_pupils: Floats
    seen_before: dict[int, Floats]

    def tidy(self) -> pd.DataFrame:
        """Return one row per grade, unit and year with scores."""
        parts = []
        for position, grade in enumerate(self.grades):
            unit, year = np.nonzero(np.isfinite(self.achievement[position]))
            parts.append(
                self.units.iloc[unit].assign(
                    grade=grade,
                    year=np.array(self.years)[year],
                    achievement=self.achievement[position][unit, year],
                    tested_pupils=self.tested_pupils[position][unit, year],
                )
            )
        columns = [*self.units.columns, "grade", "year", *MEASURES]
        if not parts:
            return pd.DataFrame(columns=columns)
        return pd.concat(parts, ignore_index=True)[columns]


def compute_grade_panel(
    county: County,
    standard: Standard,
    adoption: Adoption,
    panel: SchoolPanel,
    *,
    base_years: tuple[int, ...] = (),
    outcomes: Outcomes | None = None,
    follow_pupils: bool = False,
) -> GradePanel:
    """Compute achievement by grade for the units of a panel, on its reference.

    Parameters
    ----------
    county, standard, adoption : County, Standard, Adoption
        Those of the panel.
    panel : SchoolPanel
        Years in scope and reference of the scores.
    base_years : tuple of int
        As in `compute_school_panel`.
    outcomes : Outcomes, optional
        The scores that count, where they have been settled already.
    follow_pupils : bool
        Whether pupils are followed by `student_id` to tell who was there before. Not with a standard
        deviation of base years.

    Raises
    ------
    ValueError
        If the panel holds other units than the adoption.
    """
    if not panel.units.equals(adoption.units[["school", "stage"]].reset_index(drop=True)):
        raise ValueError("the panel holds other units than the adoption")
    settled = compute_outcomes(county, standard) if outcomes is None else outcomes
    numbered = number_pupils(settled, trace_units(county, mergers=adoption.mergers))
    untreated = adoption.units.loc[adoption.units["status"] == "comparison", ["school", "stage"]]
    # A test belongs to one grade: what its scores are measured against is the same grade by grade.
    scores = standardise_scores(numbered, untreated, reference=panel.reference, base_years=base_years)
    place = _Place(numbered, panel)
    known = np.isfinite(scores.value)
    followed: dict[int, Floats] = {}
    if follow_pupils and panel.reference != "untreated_base_sd":
        followed = _seen_before(numbered, scores, place, panel)
    return GradePanel(
        county_id=adoption.county_id,
        units=panel.units,
        years=panel.years,
        grades=place.grades,
        achievement=place.means(scores.value, known),
        tested_pupils=place.counts(known),
        seen_before=followed,
    )


class _Place:
    """Sums scores up by grade, unit and year."""

    def __init__(self, numbered: NumberedPupils, panel: SchoolPanel) -> None:
        self.numbered, self.weights = numbered, numbered.column("weight")
        grade = numbered.tests["grade"].to_numpy(dtype=float).astype(int)
        self.grades = tuple(int(one) for one in np.unique(grade))
        self.shape = (len(self.grades), len(panel.units), len(panel.years))
        self.in_scope = np.isfinite(panel.measures["tested_pupils"])
        cells = pd.MultiIndex.from_frame(numbered.cells[["school", "stage"]])
        unit = pd.MultiIndex.from_frame(panel.units).get_indexer(cells)
        year = pd.Index(panel.years).get_indexer(pd.Index(numbered.cells["year"].astype(int)))
        self.is_there = ((unit >= 0) & (year >= 0))[numbered.cell]
        of_grade = np.searchsorted(self.grades, grade)[numbered.test]
        self.place = (of_grade * self.shape[1] + unit[numbered.cell]) * self.shape[2] + year[numbered.cell]
        self.size = int(np.prod(self.shape))

    def means(self, values: Floats, chosen: NDArray[np.bool_]) -> Floats:
        """Return weighted means of the chosen scores, missing without any, (n_grades, n_units, n_years)."""
        own = chosen & self.is_there
        place, weight = self.place[own], self.weights[own]
        sums = np.bincount(place, weight * values[own], self.size)
        with np.errstate(invalid="ignore", divide="ignore"):
            found = sums / np.bincount(place, weight, self.size)
        return np.where(self.in_scope, found.reshape(self.shape), np.nan)

    def counts(self, chosen: NDArray[np.bool_]) -> Floats:
        """Return the pupils with a chosen score, missing without a score, (n_grades, n_units, n_years)."""
        own = chosen & self.is_there
        any_score = np.bincount(self.place[own], minlength=self.size) > 0
        counts = np.where(any_score, count_pupils(self.numbered, own, self.place, self.size), np.nan)
        return np.where(self.in_scope, counts.reshape(self.shape), np.nan)


def _seen_before(
    numbered: NumberedPupils, scores: StandardisedScores, place: _Place, panel: SchoolPanel
) -> dict[int, Floats]:
    """Return the means of pupils seen at their school before each year; nothing without pupils seen twice."""
    values = scores.value if panel.reference == "untreated" else numbered.column("standardised")
    known = np.isfinite(values)
    first = np.where(known, _first_years(numbered, known), np.nan)
    year = numbered.column("year")
    if not (first < year).any():
        return {}
    return {
        int(since): place.means(values, known & ((year < since) | (first < since)))
        for since in panel.years[1:]
    }


def _first_years(numbered: NumberedPupils, known: NDArray[np.bool_]) -> Floats:
    """Return the first year in which the pupil has a known score at the same school and stage, (n_scores,).

    Missing where the pupil has no number.
    """
    school = numbered.cells.groupby(["school", "stage"]).ngroup().to_numpy(dtype=np.int64)[numbered.cell]
    own = known & numbered.is_known
    pairs, pair = np.unique(school[own] * PUPILS + numbered.pupil[own], return_inverse=True)
    first = np.full(len(pairs), np.inf)
    np.minimum.at(first, pair, numbered.column("year")[own])
    found = np.full(len(known), np.nan)
    found[own] = first[pair]
    return found
