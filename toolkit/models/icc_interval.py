"""Intervals for the intraclass correlation, the share of variance that lies between schools."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy import stats

from toolkit.models.random_intercept import GroupSums, estimate_ratio, profile_of
from toolkit.models.variance_ratio import RatioProfile, between_f, criterion, ratio_grid, zero_of

IntervalMethod = Literal["exact", "profile"]


@dataclass(frozen=True, slots=True)
class ICCInterval:
    """Intraclass correlation with an interval.

    Attributes
    ----------
    method : {"exact", "profile"}
        How the interval was made.
    estimate : float
        REML estimate.
    low, high : float
        Bounds, at least 0 and below 1. The exact interval can be [0, 0], and can lie beside the
        estimate: it is empty above zero when schools differ less than pupils drawn at random would.
    confidence_level : float
        Nominal coverage.
    n_groups, n_obs : int
        Groups and observations.
    """

    method: IntervalMethod
    estimate: float
    low: float
    high: float
    confidence_level: float
    n_groups: int
    n_obs: int


def icc_interval(
    sums: GroupSums, *, method: IntervalMethod = "exact", confidence_level: float = 0.95
) -> ICCInterval:
    """Estimate the intraclass correlation with an exact or a profile-likelihood interval.

    Parameters
    ----------
    sums : GroupSums
        Sufficient statistics; with covariates the correlation is the one given them.
    method : {"exact", "profile"}, default "exact"
        "exact" inverts the F test of a variance ratio, which has its nominal coverage for any number and
        sizes of groups when effects of groups and observations are normal. "profile" holds all ratios
        whose REML criterion is within the chi-squared quantile of the minimum: right in large samples.
    confidence_level : float, default 0.95
        Nominal coverage.

    Raises
    ------
    DesignError
        As for `fit_random_intercept`.

    Notes
    -----
    Neither interval covers schools whose effects are far from normal, nor pupils sampled with unequal
    weights. When all schools of a county were examined, the interval still takes their effects as drawn:
    it speaks of the process behind them, not of these schools.

    References
    ----------
    Wald, A. (1940). A note on the analysis of variance with unequal class frequencies. Annals of
    Mathematical Statistics 11(1), 96-100.
    Harville, D. A. and Fenech, A. P. (1985). Confidence intervals for a variance ratio, or for
    heritability, in an unbalanced mixed linear model. Biometrics 41(1), 137-152.
    Searle, S. R. (1971). Linear Models, section 9.10: the closed form with groups of one size.
    """
    if method not in get_args(IntervalMethod):
        raise ValueError(f"method must be one of {get_args(IntervalMethod)}, not {method!r}")
    if not 0 < confidence_level < 1:
        raise ValueError(f"confidence_level must lie between 0 and 1, not {confidence_level!r}")
    profile = profile_of(sums)
    ratio = estimate_ratio(profile, "reml")
    bounds = (
        _exact(profile, confidence_level) if method == "exact" else _profile(profile, ratio, confidence_level)
    )
    return ICCInterval(
        method=method,
        estimate=ratio / (1 + ratio),
        low=bounds[0] / (1 + bounds[0]),
        high=bounds[1] / (1 + bounds[1]),
        confidence_level=confidence_level,
        n_groups=sums.n_groups,
        n_obs=sums.n_obs,
    )


def _exact(profile: RatioProfile, confidence_level: float) -> tuple[float, float]:
    """Return the ratios at which the pivot equals the outer quantiles of F."""
    tail = (1 - confidence_level) / 2
    upper, lower = stats.f.isf([tail, 1 - tail], profile.between_df, profile.within_df)
    grid = ratio_grid(profile)
    values = between_f(profile, grid)

    def bound(quantile: float) -> float:
        # The pivot falls with the ratio: where it starts below the quantile the bound is zero.
        if values[0] <= quantile:
            return 0.0
        position = int(np.argmax(values <= quantile))
        bracket = float(grid[position - 1]), float(grid[position])
        return zero_of(lambda ratio: float(between_f(profile, np.array([ratio]))[0]) - quantile, *bracket)

    return bound(upper), bound(lower)


def _profile(profile: RatioProfile, ratio: float, confidence_level: float) -> tuple[float, float]:
    """Return the outermost ratios whose REML criterion is within the chi-squared quantile of the minimum."""
    lowest = criterion(profile, np.array([ratio]), "reml")[0]
    limit = lowest + stats.chi2.ppf(confidence_level, 1)
    grid = np.union1d(ratio_grid(profile), [ratio])
    inside = np.flatnonzero(criterion(profile, grid, "reml") <= limit)

    def bound(outer: int, inner: int) -> float:
        low, high = sorted((grid[outer], grid[inner]))
        return zero_of(lambda at: float(criterion(profile, np.array([at]), "reml")[0]) - limit, low, high)

    low = 0.0 if inside[0] == 0 else bound(inside[0] - 1, inside[0])
    return low, bound(inside[-1] + 1, inside[-1])
