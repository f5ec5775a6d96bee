"""Imputation estimator: untreated outcomes of the treated from unit and period effects of the untreated."""

from typing import Final

import numpy as np

from toolkit.models.group_time import AdoptionPanel
from toolkit.models.robust_estimate import (
    Floats,
    RobustEstimate,
    Whole,
    accept,
    clustered_error,
    leave_out_early,
    refuse,
)
from toolkit.models.two_way import TwoWayEffects

AVERAGE: Final = "event_times_equal"


def estimate_imputation(
    panel: AdoptionPanel, clusters: Whole, *, last: int, anticipation: int = 0
) -> RobustEstimate:
    """Estimate the mean effect over event times 0 to `last` by imputing untreated outcomes.

    Unit and period effects are fitted, by the weights of the units, to all outcomes of units that never
    adopt or have not yet; years of anticipation and event times after `last` are left out. Each event time
    counts alike, units within it by weight. No covariates. Assumes that outcomes would have moved in
    parallel in all years before adoption, too: more than estimators with one base year assume.

    The standard error is the conservative one of the paper, by cluster, with effects centred at the mean
    of their event time over all cohorts and not of their cohort: a cohort is often a single school group,
    whose own mean would leave no error at all. No factor for few clusters.

    Parameters
    ----------
    panel : AdoptionPanel
        Weights count in the fit and in the means.
    clusters : ndarray of int, (n_units,)
        Level at which adoption was decided.
    last : int
        Last event time.
    anticipation : int
        Years before adoption in which a unit may already have changed.

    References
    ----------
    Borusyak, K., Jaravel, X. and Spiess, J. (2024). Revisiting event-study designs: robust and efficient
    estimation. Review of Economic Studies 91(6).
    """
    used, own = leave_out_early(panel, clusters, anticipation)
    since = used.periods[None, :] - used.cohorts[:, None]
    seen = np.isfinite(used.outcomes)
    untreated = seen & (since < -anticipation)
    is_target = seen & (since >= 0) & (since <= last) & untreated.any(axis=1, keepdims=True)
    if not is_target.any():
        return refuse(AVERAGE, "robustness_no_treated")
    cells_of_times = [is_target & (since == time) for time in range(last + 1)]
    if not all(cells.any() for cells in cells_of_times):
        return refuse(AVERAGE, "robustness_no_complete_window")
    effects = TwoWayEffects(untreated, used.weights)
    gaps = effects.gaps(used.outcomes)
    target, centred = np.zeros_like(gaps), np.zeros_like(gaps)
    for cells in cells_of_times:
        weight = np.where(cells, used.weights[:, None], 0.0)
        target[cells] = weight[cells] / weight.sum() / len(cells_of_times)
        centred[cells] = gaps[cells] - _centre(weight[cells], gaps[cells], own[np.nonzero(cells)[0]])
    loads = effects.loads(target)
    if loads is None:
        return refuse(AVERAGE, "robustness_year_without_untreated")
    errors = (target * centred + loads * np.where(untreated, gaps, 0.0)).sum(axis=1)
    treated = is_target.any(axis=1)
    return accept(
        float((target * np.where(is_target, gaps, 0.0)).sum()),
        clustered_error(errors, own, few_clusters_factor=False),
        convention="imputation_event_time",
        average=AVERAGE,
        treated_clusters=own[treated],
        n_comparison=int((untreated.any(axis=1) & ~treated).sum()),
    )


def _centre(weights: Floats, effects: Floats, clusters: Whole) -> float:
    """Return the mean effect in which a cluster counts by the square of its weight.

    It makes the sum of squared cluster sums of the centred effects smallest.
    """
    _, member = np.unique(clusters, return_inverse=True)
    totals = np.bincount(member, weights)
    return float(totals @ np.bincount(member, weights * effects) / (totals @ totals))
