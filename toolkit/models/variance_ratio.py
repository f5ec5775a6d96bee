"""The random-intercept model as a function of one number: between variance over within variance."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from toolkit.errors import DesignError

Method = Literal["reml", "ml"]

GRID_STEP = 0.25  # In log ratio; the criterion cannot turn twice within a small part of one unit.
GRID_MARGIN = 1e8
CELLS_AT_ONCE = 1_000_000
# Standard deviation within groups, as a share of the size of the numbers, that is rounding and no variation.
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class RatioProfile:
    """Sufficient statistics of the model, ordered for evaluation at many variance ratios.

    Columns are the intercept, the covariates and, last, the outcome, all but the first measured from
    `centre`. Groups of one size enter together.

    Attributes
    ----------
    sizes, counts : ndarray of float, (n_sizes,)
        Distinct group sizes and the number of groups that have each.
    products : ndarray of float, (n_sizes, n_columns, n_columns)
        Sum over the groups of a size of the outer products of their means.
    within : ndarray of float, (n_columns, n_columns)
        Cross-products within groups, over all groups.
    centre : ndarray of float, (n_columns - 1,)
        Means over all observations of covariates and outcome.
    within_residual : float
        Residual sum of squares within groups, after the covariates that vary there.
    within_df, between_df : int
        Degrees of freedom of `within_residual` and of what is left between groups.
    """

    sizes: NDArray[np.float64]
    counts: NDArray[np.float64]
    products: NDArray[np.float64]
    within: NDArray[np.float64]
    centre: NDArray[np.float64]
    within_residual: float
    within_df: int
    between_df: int

    @property
    def n_obs(self) -> float:
        """Number of observations."""
        return float(self.sizes @ self.counts)

    @property
    def n_terms(self) -> int:
        """Number of fixed effects, the intercept included."""
        return len(self.within) - 1


def profile_variance_ratio(
    n: NDArray[np.float64], means: NDArray[np.float64], within: NDArray[np.float64]
) -> RatioProfile:
    """Order sufficient statistics for evaluation; columns of `means` and `within` end with the outcome.

    Raises
    ------
    DesignError
        If the statistics do not identify the two variances and the fixed effects.
    """
    if len(n) < 2:
        raise DesignError("models_too_few_groups", groups=len(n))
    if n.max() < 2:
        raise DesignError("models_no_group_with_two", groups=len(n))
    centre = n @ means / n.sum()
    columns = np.column_stack([np.ones(len(n)), means - centre])
    sizes, member, counts = np.unique(n, return_inverse=True, return_counts=True)
    pairs = [
        [np.bincount(member, columns[:, i] * columns[:, j]) for j in range(columns.shape[1])]
        for i in range(columns.shape[1])
    ]
    padded = np.zeros((len(pairs), len(pairs)))
    padded[1:, 1:] = within
    residual, rank = _within_residual(within, np.sqrt(n.sum()) * np.abs(means).max(axis=0))
    within_df = round(n.sum()) - len(n) - rank
    between_df = len(n) - (len(pairs) - 1 - rank)
    if within_df < 1 or between_df < 1:
        raise DesignError("models_too_few_groups", groups=len(n))
    if residual <= ROUNDING**2 * n.sum() * np.max(np.abs(means[:, -1])) ** 2:
        raise DesignError("models_no_variation_within")
    profile = RatioProfile(
        sizes,
        counts.astype(float),
        np.moveaxis(np.array(pairs), -1, 0),
        padded,
        centre,
        residual,
        within_df,
        between_df,
    )
    _refuse_collinear(cross_products(profile, np.zeros(1))[0, :-1, :-1])
    return profile


def cross_products(
    profile: RatioProfile, ratio: NDArray[np.float64], *, power: int = 1
) -> NDArray[np.float64]:
    """Return Z' V^-1 Z at each ratio, (n_ratios, n_columns, n_columns), for residual variance one.

    V^-1 of a group is I - ratio / (1 + n ratio) 11', so that each group adds its cross-products within
    and n / (1 + n ratio) times the outer product of its means. With `power` 2 the factor is squared and
    the part within is left out: minus the derivative with respect to the ratio.
    """
    width = profile.within.size
    flat = profile.products.reshape(-1, width)
    start = profile.within.ravel() if power == 1 else np.zeros(width)
    rows = max(1, CELLS_AT_ONCE // len(profile.sizes))
    parts = []
    for first in range(0, len(ratio), rows):
        factor = profile.sizes / (1 + np.multiply.outer(ratio[first : first + rows], profile.sizes))
        # einsum adds in one fixed order, a threaded matrix product need not
        parts.append(start + np.einsum("gm,mf->gf", factor**power, flat))
    return np.concatenate(parts).reshape(-1, *profile.within.shape)


def solve_fixed_effects(
    products: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return log determinant of X'V^-1 X, fixed effects and residual sum of squares, for each ratio.

    Elimination of the normal equations, whose matrices are positive definite, for all ratios at once.
    """
    rest = products.copy()
    n_terms = rest.shape[1] - 1
    for term in range(n_terms):
        below = rest[:, term + 1 :, term] / rest[:, term, term, np.newaxis]
        rest[:, term + 1 :, term + 1 :] -= below[:, :, np.newaxis] * rest[:, np.newaxis, term, term + 1 :]
    effects = np.empty((len(rest), n_terms))
    for term in reversed(range(n_terms)):
        later = np.sum(rest[:, term, term + 1 : n_terms] * effects[:, term + 1 :], axis=1)
        effects[:, term] = (rest[:, term, -1] - later) / rest[:, term, term]
    pivots = np.diagonal(rest, axis1=1, axis2=2)[:, :n_terms]
    return np.sum(np.log(pivots), axis=1), effects, rest[:, -1, -1]


def criterion(profile: RatioProfile, ratio: NDArray[np.float64], method: Method) -> NDArray[np.float64]:
    """Return the REML criterion or -2 log-likelihood at each ratio, all other parameters profiled out."""
    information, _, residual = solve_fixed_effects(cross_products(profile, ratio))
    degrees = _degrees(profile, method)
    determinant = np.einsum("gm,m->g", np.log1p(np.multiply.outer(ratio, profile.sizes)), profile.counts)
    if method == "reml":
        determinant = determinant + information
    return degrees * (1 + np.log(2 * np.pi * residual / degrees)) + determinant


def criterion_slope(profile: RatioProfile, ratio: NDArray[np.float64], method: Method) -> NDArray[np.float64]:
    """Return the derivative of `criterion` with respect to the ratio."""
    products = cross_products(profile, ratio)
    _, effects, residual = solve_fixed_effects(products)
    minus = cross_products(profile, ratio, power=2)
    contrast = np.concatenate([-effects, np.ones((len(ratio), 1))], axis=1)
    falls = np.einsum("gi,gij,gj->g", contrast, minus, contrast)
    outer = 1 + np.multiply.outer(ratio, profile.sizes)
    slope = (
        np.einsum("gm,m->g", profile.sizes / outer, profile.counts)
        - _degrees(profile, method) * falls / residual
    )
    if method == "reml":
        solved = np.linalg.solve(products[:, :-1, :-1], minus[:, :-1, :-1])
        slope = slope - np.trace(solved, axis1=1, axis2=2)
    return slope


def between_f(profile: RatioProfile, ratio: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the variance ratio that is F with `between_df`, `within_df` when `ratio` is the true one.

    The generalised residual sum of squares less the part within groups, over the mean square within: for
    the model without covariates sum_i w_i (mean_i - mean_w)^2 / (k - 1), w_i = n_i / (1 + n_i ratio),
    over the mean square within (Wald 1940).
    """
    products = cross_products(profile, ratio)
    products[:, -1, -1] -= profile.within_residual
    between = np.maximum(solve_fixed_effects(products)[2], 0.0)
    return (between / profile.between_df) / (profile.within_residual / profile.within_df)


def ratio_grid(profile: RatioProfile) -> NDArray[np.float64]:
    """Return ratios from zero to far beyond any that the data can support, evenly spaced in the logarithm."""
    spread = np.einsum("mii->i", profile.products)[-1] / profile.counts.sum()
    scale = spread * profile.within_df / profile.within_residual
    first, last = np.log(1 / (GRID_MARGIN * profile.sizes.max())), np.log(GRID_MARGIN * (1 + scale))
    return np.concatenate([[0.0], np.exp(np.linspace(first, last, int((last - first) / GRID_STEP) + 2))])


def zero_of(function: Callable[[float], float], low: float, high: float) -> float:
    """Return the zero of a function in a bracket of ratios."""
    root = optimize.brentq(function, low, high, xtol=1e-15 * high, rtol=np.float64(1e-14))
    return float(root)  # pyright: ignore[reportArgumentType]


def _degrees(profile: RatioProfile, method: Method) -> float:
    """Return the divisor of the residual sum of squares."""
    return profile.n_obs - (profile.n_terms if method == "reml" else 0)


def _within_residual(within: NDArray[np.float64], size: NDArray[np.float64]) -> tuple[float, int]:
    """Return the residual sum of squares within groups and the rank of the covariates there."""
    scale = np.sqrt(np.diag(within)[:-1])
    varies = scale > ROUNDING * size[:-1]
    if not varies.any():
        return float(within[-1, -1]), 0
    scale, inside = scale[varies], within[:-1, :-1][np.ix_(varies, varies)]
    values, vectors = np.linalg.eigh(inside / np.multiply.outer(scale, scale))
    kept = values > ROUNDING * len(values)
    loads = vectors[:, kept].T @ (within[:-1, -1][varies] / scale)
    return float(within[-1, -1] - np.sum(loads**2 / values[kept])), int(kept.sum())


def _refuse_collinear(products: NDArray[np.float64]) -> None:
    """Raise if a covariate is constant or a combination of the others."""
    scale = np.sqrt(np.diag(products))
    if (scale == 0).any() or np.linalg.eigvalsh(products / np.multiply.outer(scale, scale))[0] < 1e-10:
        raise DesignError("models_collinear", terms=len(scale))
