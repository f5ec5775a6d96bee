"""Group-time effects as estimators linear in the outcomes, for permutation and simulated power."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from toolkit.inference.permutation import LinearEstimator
from toolkit.inference.power_curve import PlaceboTest
from toolkit.models.group_time import AdoptionPanel, Base, Comparison, estimate_group_time
from toolkit.models.group_time_aggregates import Kind, aggregate_group_time

Floats = NDArray[np.float64]


def overall_effect_estimator(
    panel: AdoptionPanel,
    clusters: ArrayLike,
    *,
    kind: Kind = "simple",
    comparison: Comparison = "never",
    base: Base = "varying",
) -> LinearEstimator:
    """Return the overall average of the group-time effects as a function of outcomes and cohorts.

    Periods, covariates and weights are the panel's. The estimate is linear in the outcomes because the
    propensity does not depend on them. Under another assignment a cell may be refused for lack of
    overlap: the average is over the cells that remain, and missing without any.

    Parameters
    ----------
    panel : AdoptionPanel
        Its outcomes and cohorts are not used.
    clusters : array_like, (n_units,)
        School groups, real and pseudo, and schools in none, each with its own label.
    kind : {"simple", "event_time", "cohort", "period"}
        Which overall average.
    comparison, base
        See `estimate_group_time`.
    """
    _, member = np.unique(np.asarray(clusters), return_inverse=True)
    n_clusters = int(member.max()) + 1

    def estimate(outcomes: Floats, cohorts: Floats) -> tuple[float, Floats]:
        own = AdoptionPanel(outcomes, panel.periods, cohorts, panel.covariates, panel.weights)
        effects = estimate_group_time(own, comparison=comparison, base=base)
        if not (np.isfinite(effects.effects) & (effects.event_times >= 0)).any():
            return np.nan, np.full(n_clusters, np.nan)
        overall = aggregate_group_time(effects, kind)
        influence = overall.overall_influence / len(effects.used)
        sums = np.bincount(member[effects.used], influence, minlength=n_clusters)
        return overall.overall, sums.astype(np.float64)

    return estimate


def mean_change_estimator(panel: AdoptionPanel, clusters: ArrayLike) -> LinearEstimator:
    """Return the "simple" overall average without covariates, never treated as comparison, in closed form.

    Equal to `overall_effect_estimator` and tens of times faster, which a permutation test of a thousand
    assignments repays. Units treated in the first period or before are left out.

    Parameters
    ----------
    panel : AdoptionPanel
        Its outcomes, cohorts and covariates are not used.
    clusters : array_like, (n_units,)
        As in `overall_effect_estimator`.

    Returns
    -------
    LinearEstimator
        Outcomes must be complete (ValueError).
    """
    _, member = np.unique(np.asarray(clusters), return_inverse=True)
    n_clusters = int(member.max()) + 1
    periods = panel.periods

    def estimate(outcomes: Floats, cohorts: Floats) -> tuple[float, Floats]:
        if not np.isfinite(outcomes).all():
            raise ValueError("outcomes must be complete for means of changes")
        own = np.isfinite(cohorts) & (cohorts > periods[0])
        dates, of_unit = np.unique(cohorts[own], return_inverse=True)
        if not len(dates) or dates[0] > periods[-1] or not np.isinf(cohorts).any():
            return np.nan, np.full(n_clusters, np.nan)
        is_member = np.zeros((len(cohorts), len(dates)))
        is_member[np.flatnonzero(own), of_unit] = panel.weights[own]
        untreated = panel.weights * np.isinf(cohorts)
        after = (periods[:, None] >= dates[None, :]).astype(float)
        before = np.searchsorted(periods, dates) - 1
        # One column per cohort: changes since its base period, added over its treated periods.
        change = outcomes @ after - outcomes[:, before] * after.sum(axis=0)
        sizes, n_used = is_member.sum(axis=0), np.count_nonzero(cohorts > periods[0])
        mean = (is_member * change).sum(axis=0) / sizes
        mean_untreated = untreated @ change / untreated.sum()
        total = float(sizes @ after.sum(axis=0))
        overall = float(sizes @ (mean - mean_untreated)) / total
        errors = ((change - mean) * is_member).sum(axis=1) / total
        errors -= untreated * ((change - mean_untreated) @ sizes) / (untreated.sum() * total)
        # The sizes of the cohorts are estimates, too.
        surplus = (mean - mean_untreated - after.sum(axis=0) * overall) / total
        errors += is_member @ surplus - (cohorts > periods[0]) * float(sizes @ surplus) / n_used
        return overall, np.bincount(member, errors, minlength=n_clusters).astype(np.float64)

    return estimate


def analytic_t_test(estimator: LinearEstimator, degrees: float) -> PlaceboTest:
    """Return the two-sided t-test of no effect as a function of outcomes and cohorts.

    Parameters
    ----------
    estimator : LinearEstimator
        Its squared contributions add to the variance.
    degrees : float
        Degrees of freedom, such as those of `clusters.degrees_of_freedom`.
    """

    def p_value(outcomes: Floats, cohorts: Floats) -> float:
        estimate, contributions = estimator(outcomes, cohorts)
        std_error = np.sqrt(contributions @ contributions)
        return float(2 * stats.t.sf(abs(estimate / std_error), degrees))

    return p_value
