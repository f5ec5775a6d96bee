"""The random-intercept model of pupils in schools, fitted from sums per school."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from toolkit.models.variance_ratio import (
    Method,
    RatioProfile,
    criterion,
    criterion_slope,
    cross_products,
    profile_variance_ratio,
    ratio_grid,
    solve_fixed_effects,
    zero_of,
)


@dataclass(frozen=True, slots=True)
class GroupSums:
    """Sufficient statistics of the random-intercept model.

    Attributes
    ----------
    n : ndarray of float, (n_groups,)
        Observations of each group.
    means : ndarray of float, (n_groups, n_columns)
        Means of the outcome (first column) and of the covariates.
    within : ndarray of float, (n_columns, n_columns)
        Cross-products about the means of the groups, added over groups.
    columns : tuple of str
        Names of the outcome and of the covariates.
    """

    n: NDArray[np.float64]
    means: NDArray[np.float64]
    within: NDArray[np.float64]
    columns: tuple[str, ...]

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return len(self.n)

    @property
    def n_obs(self) -> int:
        """Number of observations."""
        return round(float(self.n.sum()))


@dataclass(frozen=True, slots=True)
class RandomInterceptFit:
    """Estimates of y_ij = x_ij' b + u_i + e_ij, u ~ N(0, between), e ~ N(0, within).

    Attributes
    ----------
    method : {"reml", "ml"}
        Restricted or full maximum likelihood.
    terms : tuple of str
        "intercept" and the covariates.
    coefficients : ndarray of float, (n_terms,)
        Fixed effects.
    covariance : ndarray of float, (n_terms, n_terms)
        Their covariance, the variances taken as known.
    between_variance, within_variance : float
        Variance of the group effects and of the observations within groups.
    criterion : float
        REML criterion or -2 log-likelihood, constants included.
    n_groups, n_obs : int
        Groups and observations.
    at_boundary : bool
        Whether the between variance is estimated as zero.
    """

    method: Method
    terms: tuple[str, ...]
    coefficients: NDArray[np.float64]
    covariance: NDArray[np.float64]
    between_variance: float
    within_variance: float
    criterion: float
    n_groups: int
    n_obs: int
    at_boundary: bool

    @property
    def icc(self) -> float:
        """Between variance as a share of both; given the covariates if there are any."""
        return self.between_variance / (self.between_variance + self.within_variance)

    @property
    def std_error(self) -> NDArray[np.float64]:
        """Standard errors of the fixed effects, (n_terms,)."""
        return np.sqrt(np.diag(self.covariance))

    def tidy(self) -> pd.DataFrame:
        """Return one row per fixed effect."""
        return pd.DataFrame({"term": self.terms, "estimate": self.coefficients, "std_error": self.std_error})


def group_sums(
    outcome: ArrayLike, group: ArrayLike, covariates: pd.DataFrame | ArrayLike | None = None
) -> GroupSums:
    """Compute sufficient statistics from one row per observation.

    Parameters
    ----------
    outcome : array_like, (n_obs,)
        Outcome.
    group : array_like, (n_obs,)
        Labels of the groups; the order of the labels does not matter.
    covariates : DataFrame or array_like, (n_obs, n_covariates), optional
        Covariates of observations or of groups, without an intercept.

    Raises
    ------
    ValueError
        If a value is missing or not finite: leave rows out before, and say how many.
    """
    values = np.asarray(outcome, dtype=float)[:, np.newaxis]
    names: tuple[str, ...] = ("outcome",)
    if covariates is not None:
        table = covariates if isinstance(covariates, pd.DataFrame) else pd.DataFrame(np.asarray(covariates))
        names += tuple(
            name if isinstance(name, str) else f"x{position + 1}"
            for position, name in enumerate(table.columns)
        )
        values = np.column_stack([values, table.to_numpy(dtype=float)])
    member, labels = pd.factorize(pd.Series(np.asarray(group)))
    if len(member) != len(values):
        raise ValueError(f"{len(member)} group labels for {len(values)} outcomes")
    if (member < 0).any() or not np.isfinite(values).all():
        raise ValueError("outcome, group and covariates must be complete and finite")
    n = np.bincount(member, minlength=len(labels)).astype(float)
    means = np.column_stack([np.bincount(member, column) / n for column in values.T])
    deviations = values - means[member]
    correction = np.column_stack([np.bincount(member, column) / n for column in deviations.T])
    deviations -= correction[member]
    within = np.einsum("ri,rj->ij", deviations, deviations)
    return GroupSums(n, means + correction, within, names)


def group_sums_from_moments(n: ArrayLike, mean: ArrayLike, within_ss: ArrayLike) -> GroupSums:
    """Take sufficient statistics of the model without covariates from moments per group.

    Parameters
    ----------
    n, mean : array_like, (n_groups,)
        Observations and mean of each group.
    within_ss : array_like, (n_groups,) or a number
        Sum of squares about the mean of each group, or its total.

    Raises
    ------
    ValueError
        If a value is missing, a group is empty or a sum of squares is negative.
    """
    size, means = np.asarray(n, dtype=float), np.asarray(mean, dtype=float)
    squares = np.asarray(within_ss, dtype=float)
    if size.shape != means.shape or (squares.ndim and squares.shape != size.shape):
        raise ValueError(
            f"n, mean and within_ss differ in shape: {size.shape}, {means.shape}, {squares.shape}"
        )
    if not (np.isfinite(size).all() and np.isfinite(means).all() and np.isfinite(squares).all()):
        raise ValueError("n, mean and within_ss must be complete and finite")
    if (size < 1).any() or (squares < 0).any():
        raise ValueError("every group needs an observation and a sum of squares that is not negative")
    return GroupSums(size, means[:, np.newaxis], np.full((1, 1), squares.sum()), ("outcome",))


def fit_random_intercept(sums: GroupSums, *, method: Method = "reml") -> RandomInterceptFit:
    """Estimate fixed effects and both variances by restricted or full maximum likelihood.

    Fixed effects and within variance are profiled out; what is left is a function of the ratio of the
    variances, searched for all its minima between zero and values that no data support. The
    estimate is the lowest of them, zero included.

    Parameters
    ----------
    sums : GroupSums
        Sufficient statistics.
    method : {"reml", "ml"}, default "reml"
        REML takes the fixed effects out of the degrees of freedom of the variances.

    Raises
    ------
    DesignError
        If there are too few groups, no group has two observations, nothing varies within groups, or
        covariates are collinear.

    References
    ----------
    Laird, N. M. and Ware, J. H. (1982). Random-effects models for longitudinal data. Biometrics 38(4),
    963-974.
    Bates, D., Maechler, M., Bolker, B. and Walker, S. (2015). Fitting linear mixed-effects models using
    lme4. Journal of Statistical Software 67(1), equations (34) and (42): the profiled criteria.
    """
    if method not in get_args(Method):
        raise ValueError(f"method must be one of {get_args(Method)}, not {method!r}")
    profile = profile_of(sums)
    ratio = estimate_ratio(profile, method)
    at = np.array([ratio])
    products = cross_products(profile, at)
    _, effects, residual = solve_fixed_effects(products)
    degrees = profile.n_obs - (profile.n_terms if method == "reml" else 0)
    variance = float(residual[0]) / degrees
    # From effects on centred columns to effects on the columns as given: only the intercept moves.
    move = np.eye(profile.n_terms)
    move[0, 1:] = -profile.centre[:-1]
    coefficients = move @ effects[0]
    coefficients[0] += profile.centre[-1]
    return RandomInterceptFit(
        method=method,
        terms=("intercept", *sums.columns[1:]),
        coefficients=coefficients,
        covariance=variance * move @ np.linalg.inv(products[0, :-1, :-1]) @ move.T,
        between_variance=ratio * variance,
        within_variance=variance,
        criterion=float(criterion(profile, at, method)[0]),
        n_groups=sums.n_groups,
        n_obs=sums.n_obs,
        at_boundary=ratio == 0,
    )


def profile_of(sums: GroupSums) -> RatioProfile:
    """Return the statistics in the order in which the criterion is evaluated."""
    order = [*range(1, len(sums.columns)), 0]
    return profile_variance_ratio(sums.n, sums.means[:, order], sums.within[np.ix_(order, order)])


def estimate_ratio(profile: RatioProfile, method: Method) -> float:
    """Return the ratio of between to within variance at the lowest minimum of the criterion."""
    grid = ratio_grid(profile)
    slopes = criterion_slope(profile, grid, method)
    minima = [0.0] if slopes[0] >= 0 else []
    for position in np.flatnonzero((slopes[:-1] < 0) & (slopes[1:] >= 0)):
        minima.append(_root(profile, method, grid[position : position + 2]))
    values = criterion(profile, np.array(minima), method)
    return float(minima[int(np.argmin(values))])


def _root(profile: RatioProfile, method: Method, bracket: Sequence[float] | NDArray[np.float64]) -> float:
    """Return the ratio in the bracket at which the slope of the criterion is zero."""

    def slope(ratio: float) -> float:
        return float(criterion_slope(profile, np.array([ratio]), method)[0])

    low, high = float(bracket[0]), float(bracket[1])
    return zero_of(slope, low, high)
