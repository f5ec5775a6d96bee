"""Effects by grade, cohort and year, and averages of them that share their influence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.effects.adoption_panel import AdoptionSample
from toolkit.effects.event_study import EventStudySettings
from toolkit.effects.sample_cells import identified_cells
from toolkit.effects.subgroups import positions_in
from toolkit.indicators.grade_panel import GradePanel
from toolkit.inference.clusters import ClusterInfluence, inflate_by_side, sum_influence

Floats = NDArray[np.float64]
GradeWeights = Literal["pupils", "equal"]

FIRST_GRADES = {"primary": 1, "junior": 7}
CELL_KEY = ["grade", "block", "cohort", "event_time"]
CELL_COLUMNS = [*CELL_KEY, "n_schools", "weight", "effect"]
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class SampleGrades:
    """Outcomes by grade of the schools of one sample.

    Attributes
    ----------
    grades : tuple of int
        Grades with a score.
    achievement, tested_pupils : ndarray, (n_grades, n_units, n_periods)
        As in `GradePanel`.
    seen_before : mapping of int to ndarray, (n_grades, n_units, n_periods)
        As in `GradePanel`, by cohort; empty where a county cannot follow its pupils.
    """

    grades: tuple[int, ...]
    achievement: Floats
    tested_pupils: Floats
    seen_before: Mapping[int, Floats]


@dataclass(frozen=True, slots=True)
class GradeCells:
    """Effects by grade, cohort and event time.

    Attributes
    ----------
    table : pandas.DataFrame, (n_cells, n_columns)
        `grade`, `block` (county or province within which schools are compared), `cohort`, `event_time`,
        adopters behind the cell (`n_schools`) and their `weight`, `effect`.
    influence : ClusterInfluence
        Contributions of the clusters of the sample, without a factor for few clusters.
    shares : ndarray, (n_clusters, n_cells)
        Share of the adopters' weight behind each cell that lies in each cluster.
    is_treated : ndarray of bool, (n_clusters,)
        Clusters with adopters.
    """

    table: pd.DataFrame
    influence: ClusterInfluence
    shares: Floats
    is_treated: NDArray[np.bool_]


def is_legacy(stage: str, grade: int, event_time: float) -> bool:
    """Say whether pupils tested in a grade had entered their school's stage before it joined.

    Pupils of grade k in school year Y entered grade f, the first of the stage, in Y - (k - f). The first
    school year of membership g has event time 0, and those who enter in g are new: pupils were there
    before if and only if Y - (k - f) < g, which is e <= k - f - 1. Examinations of June Y + 1 belong to
    school year Y. The first grade is 1 or 7; where junior schools begin with grade 6 the rule is on the
    safe side.
    """
    return event_time <= grade - FIRST_GRADES[stage] - 1


def take_grades(sample: AdoptionSample, panels: Sequence[GradePanel]) -> SampleGrades:
    """Put the grades of the schools of a sample side by side.

    Raises
    ------
    ValueError
        If a county or a school of the sample is not among the panels.
    """
    counties = sample.units["county_id"].to_numpy(dtype=object)
    missing = set(counties) - {panel.county_id for panel in panels}
    if missing:
        raise ValueError(f"no grades of the counties {sorted(missing)}")
    grades = tuple(sorted({grade for panel in panels for grade in panel.grades}))
    shape = (len(grades), len(sample.units), len(sample.periods))
    followed = [set(panel.seen_before) for panel in panels]
    cohorts = {int(cohort) for cohort in sample.cohorts[np.isfinite(sample.cohorts)]}
    can_follow = all(followed)
    whole = {name: np.full(shape, np.nan) for name in ("achievement", "tested_pupils")}
    seen = {cohort: np.full(shape, np.nan) for cohort in cohorts} if can_follow else {}
    for panel in panels:
        mine = np.flatnonzero(counties == panel.county_id)
        rows = positions_in(panel.units, sample.units.iloc[mine])
        place = np.searchsorted(grades, panel.grades)
        years = pd.Index(panel.years).get_indexer(pd.Index(sample.periods.astype(int)))
        there = np.flatnonzero(years >= 0)
        target = np.ix_(place, mine, there)
        source = np.ix_(np.arange(len(panel.grades)), rows, years[there])
        for name, values in whole.items():
            values[target] = getattr(panel, name)[source]
        for cohort, values in seen.items():
            values[target] = panel.seen_before.get(cohort, panel.achievement)[source]
    return SampleGrades(grades, whole["achievement"], whole["tested_pupils"], seen)


def estimate_grade_cells(
    sample: AdoptionSample,
    grades: SampleGrades,
    settings: EventStudySettings,
    *,
    only_seen_before: bool = False,
) -> GradeCells:
    """Estimate the effect in every grade, cohort and year from joining to the last one studied.

    Parameters
    ----------
    sample : AdoptionSample
        Schools, weights and covariates.
    grades : SampleGrades
        Its outcomes by grade.
    settings : EventStudySettings
        Comparison, anticipation, last year.
    only_seen_before : bool
        Whether to take the pupils alone who were seen at their school before the cohort joined.

    Notes
    -----
    A grade is compared with the same grade in the base year: other pupils, tested at the same age. A cell
    needs adopters and comparison schools with the grade tested in both years.
    """
    clusters, member = np.unique(sample.clusters, return_inverse=True)
    adopters = np.isfinite(sample.cohorts)
    found: list[_Cell] = []
    given = [(float(cohort), values) for cohort, values in grades.seen_before.items()]
    for cohort, values in given if only_seen_before else [(np.nan, grades.achievement)]:
        for position, grade in enumerate(grades.grades):
            found += _cells(replace(sample, outcomes=values[position]), settings, grade, cohort)
    table = pd.DataFrame([cell.row for cell in found], columns=CELL_COLUMNS)
    contributions, shares = np.zeros((2, len(clusters), len(found)))
    for column, cell in enumerate(found):
        rows = np.searchsorted(clusters, cell.influence.clusters)
        contributions[rows, column] = cell.influence.contributions[:, 0]
        np.add.at(shares[:, column], member[cell.treated], sample.weights[cell.treated])
    shares /= np.maximum(shares.sum(axis=0), np.finfo(float).tiny)
    return GradeCells(
        table=table.astype({"grade": int, "block": int, "n_schools": int}),
        influence=ClusterInfluence(clusters, contributions),
        shares=shares,
        is_treated=np.bincount(member, adopters) > 0,
    )


def grade_weights(sample: AdoptionSample, grades: SampleGrades, *, weights: GradeWeights) -> dict[int, float]:
    """Return the weight of each grade: its pupils tested at adopters in the baseline years, or one."""
    if weights == "equal":
        return dict.fromkeys(grades.grades, 1.0)
    adopts, early = np.isfinite(sample.cohorts), np.isin(sample.periods, sample.baseline_years)
    pupils = np.nan_to_num(grades.tested_pupils[:, adopts][:, :, early]).sum(axis=(1, 2))
    return {grade: float(number) for grade, number in zip(grades.grades, pupils, strict=True)}


def average_weights(
    cells: pd.DataFrame, chosen: NDArray[np.bool_], by_grade: Mapping[int, float]
) -> tuple[Floats, Floats]:
    """Return event times with a chosen cell, and the weights of all cells in the mean at each of them.

    Within a grade cohorts count by the weight of the schools behind them, grades by theirs. Rows add to
    one, (n_event_times, n_cells).
    """
    grade = cells["grade"].to_numpy()
    time = cells["event_time"].to_numpy(dtype=float)
    mass = cells["weight"].to_numpy(dtype=float)
    of_grade = np.array([by_grade[one] for one in grade], dtype=float)
    usable = chosen & (of_grade > 0)
    times = np.unique(time[usable])
    weights = np.zeros((len(times), len(cells)))
    for row, at in enumerate(times):
        here = usable & (time == at)
        for one in np.unique(grade[here]):
            own = here & (grade == one)
            weights[row, own] = by_grade[int(one)] * mass[own] / mass[own].sum()
        weights[row] /= weights[row].sum()
    return times, weights


def combine_cells(cells: GradeCells, weights: Floats) -> tuple[Floats, Floats]:
    """Return averages of cells, (n_averages,), and what clusters add to them, (n_clusters, n_averages).

    Within a grade and event time the shares of the cohorts are estimates, too: a cohort of one group
    tells nothing of the spread between groups by itself, only by its distance from the other cohorts.

    Parameters
    ----------
    cells : GradeCells
        Effects.
    weights : ndarray, (n_averages, n_cells)
        Of `average_weights`, or means of its rows.
    """
    values = cells.table["effect"].to_numpy(dtype=float)
    contributions = cells.influence.contributions @ weights.T
    blocks = cells.table.groupby(["grade", "event_time"]).ngroup().to_numpy()
    for row, own in enumerate(weights):
        for block in np.unique(blocks[own > 0]):
            cohorts = np.flatnonzero((blocks == block) & (own > 0))
            mean = values[cohorts] @ own[cohorts] / own[cohorts].sum()
            contributions[:, row] += cells.shares[:, cohorts] @ (own[cohorts] * (values[cohorts] - mean))
    return weights @ values, contributions


def has_two_on_each_side(cells: GradeCells, first: Floats, second: Floats) -> bool:
    """Say whether two clusters on either side move these averages, so that their error is known."""
    _, own = combine_cells(cells, np.vstack([first, second]))
    moves = (own != 0).any(axis=1)
    treated = cells.is_treated[moves]
    return bool(min(np.count_nonzero(treated), np.count_nonzero(~treated)) >= 2)


def contrast_averages(cells: GradeCells, first: Floats, second: Floats) -> tuple[Floats, ClusterInfluence]:
    """Return two averages and the first less the second, with the factor of few clusters on either side."""
    effects, own = combine_cells(cells, np.vstack([first, second]))
    # Two averages of the same numbers differ by rounding at most: by nothing, and without an error.
    apart, difference = own[:, 0] - own[:, 1], effects[0] - effects[1]
    apart[np.abs(apart) <= ROUNDING * np.abs(own).max()] = 0.0
    if not apart.any() and abs(difference) <= ROUNDING * np.abs(effects).max():
        difference = 0.0
    contributions = np.column_stack([own, apart])
    # A cluster that moves neither is no degree of freedom of theirs.
    moves = (own != 0).any(axis=1)
    influence = ClusterInfluence(cells.influence.clusters[moves], contributions[moves])
    values = np.append(effects, difference)
    return values, inflate_by_side(influence, cells.is_treated[moves])


@dataclass(frozen=True, slots=True)
class _Cell:
    """One cell: its row of the table, the adopters behind it and the influence on it."""

    row: tuple[float, ...]
    treated: NDArray[np.intp]
    influence: ClusterInfluence


def _cells(sample: AdoptionSample, settings: EventStudySettings, grade: int, only: float) -> list[_Cell]:
    """Return the cells of one grade, of all cohorts or one."""
    if not np.isfinite(sample.outcomes).any():
        return []
    effects = settings.cells(sample).effects
    since, wanted = effects.event_times, identified_cells(effects, settings.last)
    wanted &= effects.bases == effects.cohorts - 1 - settings.anticipation
    if np.isfinite(only):
        wanted &= effects.cohorts == only
    found = []
    for cell in np.flatnonzero(wanted):
        cohort, block = effects.cohorts[cell], effects.blocks[cell]
        pair = np.isin(sample.periods, [effects.periods[cell], effects.bases[cell]])
        there = (effects.panel.cohorts == cohort) & (effects.unit_blocks == block)
        there &= np.isfinite(effects.panel.outcomes[:, pair]).all(axis=1)
        treated = effects.used[there]
        mass = float(sample.weights[treated].sum())
        row = (grade, block, cohort, since[cell], len(treated), mass, effects.effects[cell])
        influence = sum_influence(effects.influence[:, cell], sample.clusters[effects.used])
        found.append(_Cell(row, treated, influence))
    return found
