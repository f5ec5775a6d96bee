"""Achievement of each school by grade and year, and of the pupils who were there before a given year."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.county import County
from toolkit.indicators.adoption import Adoption
from toolkit.indicators.outcomes import TEST_KEY, Outcomes, compute_outcomes, standardise
from toolkit.indicators.panel_achievement import compute_achievement
from toolkit.indicators.school_panel import SchoolPanel
from toolkit.indicators.stable_units import StableUnits, trace_units
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
    found = trace_units(county, mergers=adoption.mergers)
    untreated = adoption.units.loc[adoption.units["status"] == "comparison", ["school", "stage"]]
    grades = tuple(sorted({int(grade) for grade in settled.pupils["grade"].unique()}))
    shape = (len(grades), len(panel.units), len(panel.years))
    values = {name: np.full(shape, np.nan) for name in MEASURES}
    in_scope = np.isfinite(panel.measures["tested_pupils"])
    for position, grade in enumerate(grades):
        # A test belongs to one grade: what its scores are measured against does not change.
        own = settled.pupils[settled.pupils["grade"] == grade].reset_index(drop=True)
        achievement = compute_achievement(
            replace(settled, pupils=own),
            found,
            untreated,
            reference=panel.reference,
            base_years=base_years,
        )
        for name in MEASURES:
            known = _by_unit_and_year(panel, achievement.schools, name)
            values[name][position] = np.where(in_scope, known, np.nan)
    followed: dict[int, Floats] = {}
    if follow_pupils and panel.reference != "untreated_base_sd":
        followed = _seen_before(settled, found, untreated, panel, grades)
    return GradePanel(
        county_id=adoption.county_id,
        units=panel.units,
        years=panel.years,
        grades=grades,
        achievement=values["achievement"],
        tested_pupils=values["tested_pupils"],
        seen_before=followed,
    )


def _seen_before(
    settled: Outcomes,
    found: StableUnits,
    untreated: pd.DataFrame,
    panel: SchoolPanel,
    grades: tuple[int, ...],
) -> dict[int, Floats]:
    """Return the means of pupils seen at their school before each year; nothing without pupils seen twice."""
    pupils = settled.pupils
    units = {code: found.unit(str(code)) for code in pupils["school_id"].unique()}
    pupils = pupils.assign(school=pupils["school_id"].astype("object").map(units))
    if panel.reference == "untreated":
        number = pupils.groupby(TEST_KEY, sort=True).ngroup().to_numpy().astype(np.int64)
        chosen = pd.MultiIndex.from_frame(pupils[["school", "stage"]]).isin(
            pd.MultiIndex.from_frame(untreated)
        )
        usable = pupils["standardised"].notna().to_numpy()
        points, weights = (pupils[name].to_numpy(dtype=float) for name in ("points", "weight"))
        on_reference = standardise(points, number, weights, chosen & usable)
        pupils = pupils.assign(standardised=np.where(usable, on_reference, np.nan))
    pupils = pupils[pupils["standardised"].notna()]
    first = pupils.groupby(["student_id", "school", "stage"])["year"].transform("min").to_numpy(dtype=float)
    year = pupils["year"].to_numpy(dtype=float)
    if not (first < year).any():
        return {}
    in_scope = np.isfinite(panel.measures["tested_pupils"])
    means = {}
    for since in panel.years[1:]:
        seen = pupils[(year < since) | (first < since)]
        means[int(since)] = np.where(in_scope, _grade_means(seen, panel, grades), np.nan)
    return means


def _grade_means(pupils: pd.DataFrame, panel: SchoolPanel, grades: tuple[int, ...]) -> Floats:
    """Return weighted means of standardised scores, (n_grades, n_units, n_years)."""
    weighted = pupils.assign(part=pupils["weight"] * pupils["standardised"])
    sums = weighted.groupby(["grade", "school", "stage", "year"])[["part", "weight"]].sum().reset_index()
    sums["mean"] = sums["part"] / sums["weight"]
    own = [_by_unit_and_year(panel, sums[sums["grade"] == grade], "mean") for grade in grades]
    return np.array(own).reshape(len(grades), len(panel.units), len(panel.years))


def _by_unit_and_year(panel: SchoolPanel, rows: pd.DataFrame, name: str) -> Floats:
    """Return one column of a table by school, stage and year, (n_units, n_years)."""
    filled = np.full((len(panel.units), len(panel.years)), np.nan)
    index = pd.MultiIndex.from_frame(panel.units)
    unit = index.get_indexer(pd.MultiIndex.from_frame(rows[["school", "stage"]]))
    year = pd.Index(panel.years).get_indexer(pd.Index(rows["year"].astype(int)))
    known = (unit >= 0) & (year >= 0)
    filled[unit[known], year[known]] = rows[name].to_numpy(dtype=float)[known]
    return filled
