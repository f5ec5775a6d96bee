"""Stacked difference-in-differences: each cohort beside its own comparison, the cohorts averaged by size."""

from typing import Final

import numpy as np

from toolkit.models.group_time import NEVER, AdoptionPanel, Comparison
from toolkit.models.robust_estimate import (
    Floats,
    RobustEstimate,
    Whole,
    accept,
    clustered_error,
    leave_out_early,
    refuse,
)

AVERAGE: Final = "event_times_equal"


def estimate_stacked(
    panel: AdoptionPanel,
    clusters: Whole,
    *,
    last: int,
    anticipation: int = 0,
    comparison: Comparison = "never",
) -> RobustEstimate:
    """Estimate the mean effect over event times 0 to `last` from one sub-experiment per cohort.

    A sub-experiment holds the units of the cohort and of the comparison that were observed in the base year
    (the last one before anticipation) and in all years of the window: its composition is the same at every
    event time. Cohorts whose window the data do not hold are left out. Cohorts are averaged by the summed
    weights of their treated units, in treated and comparison alike, so that no trend enters through
    different shares. No covariates. Assumes that outcomes of cohort and comparison would have moved in
    parallel from the base year on.

    The standard error takes the cohort of a treated cluster as drawn with it; a comparison unit that serves
    in several sub-experiments stays one unit.

    Parameters
    ----------
    panel : AdoptionPanel
        Weights count in all means.
    clusters : ndarray of int, (n_units,)
        Level at which adoption was decided.
    last : int
        Last event time.
    anticipation : int
        Years before adoption in which a unit may already have changed.
    comparison : {"never", "not_yet"}
        Units that never adopt, or also those whose anticipation begins after the window.

    References
    ----------
    Wing, C., Freedman, S. and Hollingsworth, A. (2024). Stacked difference-in-differences. NBER Working
    Paper 32054.
    """
    used, own = leave_out_early(panel, clusters, anticipation)
    parts = [
        part
        for cohort in np.unique(used.cohorts[np.isfinite(used.cohorts)])
        if (part := _sub_experiment(used, cohort, last, anticipation, comparison)) is not None
    ]
    if not parts:
        return refuse(AVERAGE, "robustness_no_complete_window")
    parts = [(treated, controls, change) for treated, controls, change in parts if len(controls)]
    if not parts:
        return refuse(AVERAGE, "robustness_no_comparison")
    total = sum(used.weights[treated].sum() for treated, _, _ in parts)
    contributions = np.zeros(used.n_units)
    estimate = 0.0
    for treated, controls, change in parts:
        share = used.weights[treated] / total
        odds = used.weights[controls] / used.weights[controls].sum()
        trend = odds @ change[controls]
        estimate += share @ (change[treated] - trend)
        contributions[treated] += share * (change[treated] - trend)
        contributions[controls] -= share.sum() * odds * (change[controls] - trend)
    everyone = np.concatenate([treated for treated, _, _ in parts])
    contributions[everyone] -= used.weights[everyone] / total * estimate
    others = np.unique(np.concatenate([controls for _, controls, _ in parts]))
    return accept(
        estimate,
        clustered_error(
            contributions[np.union1d(everyone, others)],
            own[np.union1d(everyone, others)],
            few_clusters_factor=True,
        ),
        convention="cluster_g",
        average=AVERAGE,
        treated_clusters=own[everyone],
        n_comparison=len(np.setdiff1d(others, everyone)),
    )


def _sub_experiment(
    panel: AdoptionPanel, cohort: float, last: int, anticipation: int, comparison: Comparison
) -> tuple[np.ndarray, np.ndarray, Floats] | None:
    """Return treated units, comparison units and the change of each unit; None without a full window."""
    wanted = cohort + np.arange(last + 1)
    if not np.isin([*wanted, cohort - 1 - anticipation], panel.periods).all():
        return None
    after = panel.outcomes[:, np.searchsorted(panel.periods, wanted)].mean(axis=1)
    change = after - panel.outcomes[:, np.searchsorted(panel.periods, cohort - 1 - anticipation)]
    seen = np.isfinite(change)
    treated = np.flatnonzero(seen & (panel.cohorts == cohort))
    begins = NEVER if comparison == "never" else cohort + last + anticipation + 1
    controls = np.flatnonzero(seen & (panel.cohorts >= begins))
    return (treated, controls, change) if len(treated) else None
