"""Changes of the outcome less what changes of covariates explain, within the units of equal first dose."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from toolkit.models.switching_dose_influence import (
    Contrast,
    contrast_weights,
    count_clusters,
    long_changes,
    scale_by_clusters,
    weighted_means,
)
from toolkit.models.switching_dose_paths import DosePaths

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

CovariateError = Literal["package", "centred"]


@dataclass(frozen=True, slots=True)
class Residualisation:
    """Slopes of yearly changes of the outcome on those of covariates, among cells not yet changed.

    Attributes
    ----------
    slopes : ndarray of float, (n_pools, n_covariates)
        Weighted least squares with period effects, pool by pool.
    unit_scores : ndarray of float, (n_kept, n_covariates)
        What each unit adds to the error of the slopes of its pool.
    inflation : ndarray of float, (n_pools,)
        Weight of the cells of all pools over that of the own pool: a factor of the authors' program.
    """

    slopes: Floats
    unit_scores: Floats
    inflation: Floats


def fit_residualisation(paths: DosePaths, clusters: Whole | None) -> Residualisation:
    """Regress yearly changes of the outcome on those of the covariates and period effects in every pool.

    Only cells before the unit's first change enter. Collinear covariates share their slope (minimum norm).
    """
    end, n_units = paths.end, len(paths.units)
    changes = np.diff(paths.outcomes[:, :end], axis=1)
    moves = np.diff(paths.covariates[:, :end], axis=1)
    periods = np.arange(1, end)
    rows, columns = np.nonzero(np.isfinite(changes) & (paths.first[:, None] > periods))
    pairs = paths.pool[rows] * end + periods[columns]
    weights = paths.weights[rows, periods[columns]]
    outcome = changes[rows, columns]
    outcome = outcome - weighted_means(pairs, weights, outcome)[pairs]
    own = moves[rows, columns]
    own = np.column_stack([column - weighted_means(pairs, weights, column)[pairs] for column in own.T])
    pool, n_pools, n_covariates = paths.pool[rows], paths.n_pools, own.shape[1]
    cross = np.empty((n_pools, n_covariates, n_covariates))
    products = np.empty((n_pools, n_covariates))
    for first in range(n_covariates):
        products[:, first] = np.bincount(pool, weights * own[:, first] * outcome, minlength=n_pools)
        for second in range(first + 1):
            total = np.bincount(pool, weights * own[:, first] * own[:, second], minlength=n_pools)
            cross[:, first, second] = cross[:, second, first] = total
    inverse = np.linalg.pinv(cross, hermitian=True)
    slopes = np.einsum("pij,pj->pi", inverse, products)
    residual = outcome - np.einsum("ij,ij->i", own, slopes[pool])
    scale = np.nan_to_num(scale_by_clusters(count_clusters(pairs, rows, clusters)), nan=1.0)[pairs]
    scores = np.column_stack(
        [np.bincount(rows, weights * scale * column * residual, minlength=n_units) for column in own.T]
    )
    totals = np.bincount(pool, weights, minlength=n_pools)
    return Residualisation(
        slopes=slopes,
        unit_scores=np.einsum("uij,uj->ui", inverse[paths.pool], scores),
        inflation=np.divide(totals.sum(), totals, out=np.zeros(n_pools), where=totals > 0),
    )


def covariate_moves(contrast: Contrast, paths: DosePaths) -> tuple[Floats, Floats]:
    """Return the changes of the covariates of switchers and unchanged, (n_cells, n_covariates) each."""
    moves = long_changes(paths.covariates[:, : paths.end], contrast.horizon, is_placebo=contrast.is_placebo)
    start = contrast.horizon * (2 if contrast.is_placebo else 1)
    switchers, unchanged = (
        moves[side.units, side.periods - start] for side in (contrast.switchers, contrast.unchanged)
    )
    return switchers, unchanged


def residualise(
    contrast: Contrast, paths: DosePaths, fitted: Residualisation, moves: tuple[Floats, Floats]
) -> Contrast:
    """Take off the changes of the outcome what the changes of the covariates explain."""
    switchers, unchanged = (
        replace(side, changes=side.changes - (own * fitted.slopes[paths.pool[side.units]]).sum(axis=1))
        for side, own in zip((contrast.switchers, contrast.unchanged), moves, strict=True)
    )
    return replace(contrast, switchers=switchers, unchanged=unchanged)


def covariate_errors(
    contrast: Contrast,
    paths: DosePaths,
    fitted: Residualisation,
    moves: tuple[Floats, Floats],
    signs: Whole,
    convention: CovariateError,
) -> Floats:
    """Compute what the estimated slopes add to the error of the signed sum of effects, (n_kept,).

    "centred" is the influence of the slopes. "package" follows the authors' program: scores are multiplied by
    `inflation`, and the slopes themselves are subtracted from scores that have mean zero already.
    """
    own, demanded = contrast_weights(contrast, signs)
    pool = paths.pool[np.concatenate([contrast.switchers.units, contrast.unchanged.units])]
    weighted = np.concatenate([own, demanded])[:, None] * np.concatenate(moves)
    imbalance = np.column_stack([np.bincount(pool, column, minlength=paths.n_pools) for column in weighted.T])
    if convention == "centred":
        return -(imbalance[paths.pool] * fitted.unit_scores).sum(axis=1)
    # The program adds the error of the slopes only where a pool is observed one period longer.
    imbalance[np.unique(paths.pool[contrast.horizon > paths.last - 1])] = 0.0
    scores = (imbalance[paths.pool] * fitted.unit_scores).sum(axis=1) * fitted.inflation[paths.pool]
    shift = (imbalance * fitted.slopes).sum(axis=1)
    per_unit = shift[paths.pool] if contrast.is_placebo else np.full(len(scores), shift.sum())
    return per_unit / len(scores) - scores
