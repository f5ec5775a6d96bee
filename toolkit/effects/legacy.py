"""The effect on pupils who were at their school already when it joined, beside the effect on all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.effects.adoption_panel import AdoptionSample
from toolkit.effects.adoption_study import with_base_year
from toolkit.effects.event_study import EventStudySettings
from toolkit.effects.grade_cells import (
    CELL_KEY,
    GradeCells,
    GradeWeights,
    SampleGrades,
    average_weights,
    contrast_averages,
    estimate_grade_cells,
    grade_weights,
    has_two_on_each_side,
    is_legacy,
    take_grades,
)
from toolkit.effects.guard import GuardFinding
from toolkit.effects.guard_limits import DEFAULT_LIMITS, DesignLimits
from toolkit.effects.joint_effects import ESTIMATE_COLUMNS, find_refusal, tabulate_estimates
from toolkit.indicators.grade_panel import GradePanel
from toolkit.inference.clusters import ClusterInfluence

Floats = NDArray[np.float64]

ONE_CLUSTER = GuardFinding("legacy_one_cluster", "refused", {})
ESTIMATES = ("effect_total", "effect_legacy", "effect_intake_change")
FOLLOWED = ("effect_all_tested", "effect_seen_before", "effect_moved_in")
TABLE_COLUMNS = ["event_time", "estimate", "n_cells", *ESTIMATE_COLUMNS]
CELL_COLUMNS = ["grade", "event_time", "n_cohorts", "n_schools", "effect", "is_legacy", "is_used"]


@dataclass(frozen=True, slots=True)
class LegacyEffect:
    """Effect on all pupils tested, on those there before their school joined, and the difference.

    Attributes
    ----------
    sample : AdoptionSample
        Schools.
    weights : {"pupils", "equal"}
        How grades count.
    by_grade : mapping of int to float
        The weight of each grade.
    cells : pandas.DataFrame
        One row per grade and event time: cohorts and adopters behind it, mean effect, whether its pupils were
        there before, and whether its event time enters.
    table : pandas.DataFrame
        Rows of `ESTIMATES` by event time, and averages over event times with a missing `event_time`. Without
        rows if refused.
    refusals : tuple of GuardFinding
        Why total and legacy cannot be told apart, with counts.
    followed : pandas.DataFrame
        Rows of `FOLLOWED`: in the same cells all pupils tested, and those alone who were seen at the school
        before it joined. Without rows where pupils cannot be followed.
    followed_refusals : tuple of GuardFinding
        Why not.
    """

    sample: AdoptionSample
    weights: GradeWeights
    by_grade: dict[int, float]
    cells: pd.DataFrame
    table: pd.DataFrame
    refusals: tuple[GuardFinding, ...]
    followed: pd.DataFrame
    followed_refusals: tuple[GuardFinding, ...]

    @property
    def counts_pupils_moved_in(self) -> bool:
        """Whether the only legacy estimate counts pupils who moved into a legacy grade after joining."""
        return self.followed.empty

    def tidy(self) -> pd.DataFrame:
        """Return total, legacy and difference, by event time and on average."""
        return self.table


def estimate_legacy_effect(
    sample: AdoptionSample,
    panels: Sequence[GradePanel],
    settings: EventStudySettings | None = None,
    *,
    weights: GradeWeights = "pupils",
    limits: DesignLimits = DEFAULT_LIMITS,
) -> LegacyEffect:
    """Estimate the effect on pupils who had entered their school before it joined, and on all.

    Estimand: at each event time with a grade whose pupils all entered before joining, the mean effect over
    such grades (legacy), and over all tested grades (total). Their difference holds what joining did to
    who enters, if the effect on given pupils at that event time is the same in all grades: the grades of the
    two are not the same. Averages are over the event times with both, each with equal weight.

    Parameters
    ----------
    sample : AdoptionSample
        Achievement of one stage and role.
    panels : sequence of GradePanel
        Achievement by grade of the same county or counties.
    settings : EventStudySettings, optional
        As in the main study.
    weights : {"pupils", "equal"}
        Grades count by the pupils tested in them at adopters in the baseline years, or alike.
    limits : DesignLimits
        Below which nothing is estimated.

    Notes
    -----
    Without links between years, pupils who moved into a legacy grade after their school joined are counted
    as legacy, and those who left are missing. Where pupils can be followed, the effect on those who were
    seen at the same school before it joined is given beside that on all pupils of the same cells, comparison
    schools under the same rule.
    """
    chosen = settings or EventStudySettings()
    sample = with_base_year(sample, anticipation=chosen.anticipation)
    grades = take_grades(sample, panels)
    by_grade = grade_weights(sample, grades, weights=weights)
    of_sample = chosen.cells(sample)
    refusals = find_refusal(sample, chosen, limits=limits, estimand="legacy", cells=of_sample)
    cells = estimate_grade_cells(sample, grades, chosen)
    old = np.array(
        [
            is_legacy(sample.stage, grade, since)
            for grade, since in zip(cells.table["grade"], cells.table["event_time"], strict=True)
        ],
        dtype=bool,
    )
    times, of_old = average_weights(cells.table, old, by_grade)
    everything, of_all = average_weights(cells.table, np.ones(len(old), dtype=bool), by_grade)
    of_all = of_all[np.isin(everything, times)]
    refusals = refusals or _refusals(cells.table, times, of_all, of_old)
    table = pd.DataFrame(columns=TABLE_COLUMNS)
    if not refusals:
        table = _compared(cells, times, of_all, of_old, ESTIMATES, chosen)
        refusals = () if len(table) else (ONE_CLUSTER,)
    refused = find_refusal(sample, chosen, limits=limits, cells=of_sample)
    followed, followed_refusals = _followed(sample, grades, chosen, by_grade, cells, refused)
    return LegacyEffect(
        sample=sample,
        weights=weights,
        by_grade=by_grade,
        cells=_cells_by_grade(cells.table, old, times),
        table=table,
        refusals=refusals,
        followed=followed,
        followed_refusals=followed_refusals,
    )


def _refusals(cells: pd.DataFrame, times: Floats, of_all: Floats, of_old: Floats) -> tuple[GuardFinding, ...]:
    """Return why legacy and total cannot be told apart."""
    if not len(times):
        n_grades = int(cells["grade"].nunique())
        return (GuardFinding("legacy_no_cells", "refused", {"grades": n_grades}),)
    if np.array_equal(of_all > 0, of_old > 0):
        n_grades = len(np.unique(cells["grade"].to_numpy()[(of_old > 0).any(axis=0)]))
        numbers = {"grades": n_grades, "years": len(times)}
        return (GuardFinding("legacy_cells_coincide", "refused", numbers),)
    return ()


def _compared(
    cells: GradeCells,
    times: Floats,
    first: Floats,
    second: Floats,
    names: tuple[str, str, str],
    settings: EventStudySettings,
) -> pd.DataFrame:
    """Return two averages of the same cells and their difference, by event time and over all of these.

    Years that a single group or comparison school moves have no error and are not listed; they are part of
    the average. Nothing is listed where it has none either.
    """
    if not has_two_on_each_side(cells, first.mean(axis=0), second.mean(axis=0)):
        return pd.DataFrame(columns=TABLE_COLUMNS)
    blocks = []
    for at, one, other in [
        *((float(at), first[row], second[row]) for row, at in enumerate(times)),
        (np.nan, first.mean(axis=0), second.mean(axis=0)),
    ]:
        if not has_two_on_each_side(cells, one, other):
            continue
        effects, influence = contrast_averages(cells, one, other)
        found = [
            tabulate_estimates(
                effects[[row]],
                ClusterInfluence(influence.clusters, influence.contributions[:, [row]]),
                settings,
            )
            for row in range(3)
        ]
        n_cells = [np.count_nonzero(one), np.count_nonzero(other), np.count_nonzero(one != other)]
        block = pd.concat(found, ignore_index=True)
        blocks.append(block.assign(event_time=at, estimate=list(names), n_cells=n_cells))
    # Three views of one question are no family of hypotheses.
    return pd.concat(blocks, ignore_index=True).assign(p_adjusted=np.nan)[TABLE_COLUMNS]


def _followed(
    sample: AdoptionSample,
    grades: SampleGrades,
    settings: EventStudySettings,
    by_grade: dict[int, float],
    whole: GradeCells,
    refused: tuple[GuardFinding, ...],
) -> tuple[pd.DataFrame, tuple[GuardFinding, ...]]:
    """Return the effect on all pupils and on those seen before, in the cells that have the latter."""
    table = pd.DataFrame(columns=TABLE_COLUMNS)
    if not grades.seen_before:
        return table, (GuardFinding("legacy_pupils_not_linked", "refused", {}),)
    if refused:
        return table, refused
    seen = estimate_grade_cells(sample, grades, settings, only_seen_before=True)
    keys = [pd.MultiIndex.from_frame(cells.table[CELL_KEY]) for cells in (whole, seen)]
    place = keys[0].get_indexer(keys[1])
    enough = place >= 0
    times, weights = average_weights(seen.table, enough, by_grade)
    if not len(times):
        numbers = {"grades": len(sample.tested_grades)}
        return table, (GuardFinding("legacy_pupils_not_seen", "refused", numbers),)
    of_whole = np.zeros((len(times), len(whole.table)))
    of_whole[:, place[enough]] = weights[:, enough]
    both = _side_by_side(whole, seen)
    blank = [np.zeros_like(weights), np.zeros_like(of_whole)]
    first, second = np.hstack([of_whole, blank[0]]), np.hstack([blank[1], weights])
    table = _compared(both, times, first, second, FOLLOWED, settings)
    return table, () if len(table) else (ONE_CLUSTER,)


def _side_by_side(one: GradeCells, other: GradeCells) -> GradeCells:
    """Return the cells of two estimates on the same clusters."""
    influence = np.column_stack([one.influence.contributions, other.influence.contributions])
    return GradeCells(
        pd.concat([one.table, other.table], ignore_index=True),
        ClusterInfluence(one.influence.clusters, influence),
        np.column_stack([one.shares, other.shares]),
        one.is_treated,
    )


def _cells_by_grade(cells: pd.DataFrame, old: NDArray[np.bool_], times: Floats) -> pd.DataFrame:
    """Return one row per grade and event time."""
    marked = cells.assign(is_legacy=old, mass=cells["weight"] * cells["effect"])
    by = marked.groupby(["grade", "event_time"])
    table = by.agg(
        n_cohorts=("cohort", "size"),
        n_schools=("n_schools", "sum"),
        mass=("mass", "sum"),
        weight=("weight", "sum"),
        is_legacy=("is_legacy", "first"),
    ).reset_index()
    table["effect"] = table["mass"] / table["weight"]
    return table.assign(is_used=table["event_time"].isin(times))[CELL_COLUMNS]
