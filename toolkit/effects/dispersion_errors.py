"""Standard errors of the effect on inequality between just these units."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toolkit.inference.pooled_contributions import PooledContributions, pool_contributions
from toolkit.models.counterfactual_dispersion import DispersionPaths
from toolkit.models.group_time import Comparison, estimate_group_time

Floats = NDArray[np.float64]
Measure = Literal["variance", "std_dev", "cv"]


@dataclass(frozen=True, slots=True)
class _Slopes:
    """First and second derivatives of a measure by variance and mean, (n_cells,) each."""

    variance: Floats
    mean: Floats
    variance_twice: Floats
    mixed: Floats
    mean_twice: Floats


@dataclass(frozen=True, slots=True)
class _Cells:
    """Effects on the mean that are taken off, by position; their period, and the treated share of each."""

    positions: NDArray[np.intp]
    periods: NDArray[np.intp]
    shares: Floats
    n_periods: int


def shifted_error(paths: DispersionPaths, clusters: ArrayLike, measure: Measure) -> tuple[float, float]:
    """Return standard error and degrees of freedom of the effect by version "shifted".

    The effect on these units differs from its estimate only by the errors d of the group-time effects.
    With first and second derivatives a and H of the mean measure without treatment and S the covariance of
    the errors, the variance of a'd + d'Hd / 2 is a'Sa + tr(HSHS) / 2 (normal errors).

    Parameters
    ----------
    paths : DispersionPaths
        Observed and without treatment.
    clusters : array_like, (n_units,)
        Cluster of each unit of `paths.effects.panel`.
    measure : {"variance", "std_dev", "cv"}
        Averaged over the periods in which some are treated.

    Returns
    -------
    std_error, degrees : float
        Missing where one cluster alone is treated or alone is the comparison, or a variance without
        treatment is estimated below zero.
    """
    cells = _treated_cells(paths)
    slopes = _slopes(measure, paths.variance_shifted, paths.mean_untreated, cells)
    own = paths.effects.panel.cohorts[:, None] == paths.effects.cohorts[cells.positions]
    weighted = np.where(own, (paths.shares * paths.deviations)[:, cells.periods], 0.0)
    # By how much variance and mean without treatment fall as an effect grows.
    by_variance, by_mean = -2 * np.nansum(weighted, axis=0), -cells.shares
    slope = slopes.variance * by_variance + slopes.mean * by_mean
    curvature = slopes.variance * 2 * (np.diag(cells.shares) - np.outer(cells.shares, cells.shares))
    curvature += slopes.variance_twice * np.outer(by_variance, by_variance)
    crossed = np.outer(by_variance, by_mean)
    curvature += slopes.mixed * (crossed + crossed.T) + slopes.mean_twice * np.outer(by_mean, by_mean)
    curvature *= cells.periods[:, None] == cells.periods
    pooled = pool_contributions(paths.effects, clusters, cells.positions)
    scaled, degrees = pooled.scale(slope)
    spread = scaled @ curvature @ scaled.T
    variance = ((scaled @ slope) ** 2).sum() + (spread**2).sum() / 2
    return float(np.sqrt(variance)) / cells.n_periods, degrees


def squares_error(
    paths: DispersionPaths,
    clusters: ArrayLike,
    measure: Measure,
    *,
    comparison: Comparison,
    anticipation: int,
) -> tuple[float, float]:
    """Return standard error and degrees of freedom of the effect by version "squares".

    The effect on these units differs from its estimate by what squared deviations without treatment did of
    themselves. They are taken as those of the outcomes less the effect of the cell: what effects that differ
    within a cell leave in them makes the error too large, never too small. An error of the untreated mean
    of a period cancels out of its variance; that of a base period in which others are treated is left out.

    Parameters
    ----------
    paths, clusters, measure
        See `shifted_error`.
    comparison, anticipation
        See `estimate_group_time`; those of the paths.
    """
    cells = _treated_cells(paths)
    slopes = _slopes(measure, paths.variance_squares, paths.mean_untreated, cells)
    squares = estimate_group_time(
        replace(paths.effects.panel, outcomes=paths.deviations**2),
        comparison=comparison,
        base="universal",
        anticipation=anticipation,
    )
    parts = [(pool_contributions(squares, clusters, cells.positions), -slopes.variance * cells.shares)]
    if slopes.mean.any():
        on_mean = pool_contributions(paths.effects, clusters, cells.positions)
        parts.append((on_mean, -slopes.mean * cells.shares))
    slope = np.concatenate([slope for _, slope in parts])
    scaled, degrees = _side_by_side([part for part, _ in parts]).scale(slope)
    return float(np.sqrt(((scaled @ slope) ** 2).sum())) / cells.n_periods, degrees


def _treated_cells(paths: DispersionPaths) -> _Cells:
    effects = paths.effects
    positions = np.flatnonzero((effects.periods >= effects.cohorts) & np.isfinite(effects.effects))
    periods = np.searchsorted(paths.periods, effects.periods[positions])
    own = effects.panel.cohorts[:, None] == effects.cohorts[positions]
    return _Cells(
        positions=positions,
        periods=periods,
        shares=(paths.shares[:, periods] * own).sum(axis=0),
        n_periods=int(np.count_nonzero(paths.treated_share > 0)),
    )


def _slopes(measure: Measure, variance: Floats, mean: Floats, cells: _Cells) -> _Slopes:
    """Return derivatives of the measure at the period of each cell; missing where it has none."""
    v, m = variance[cells.periods], mean[cells.periods]
    none = np.zeros(len(v))
    if measure == "variance":
        return _Slopes(none + 1.0, none, none, none, none)
    with np.errstate(invalid="ignore"):
        s = np.sqrt(v)
    if measure == "std_dev":
        return _Slopes(1 / (2 * s), none, -1 / (4 * s**3), none, none)
    return _Slopes(1 / (2 * s * m), -s / m**2, -1 / (4 * s**3 * m), -1 / (2 * s * m**2), 2 * s / m**3)


def _side_by_side(parts: list[PooledContributions]) -> PooledContributions:
    """Return contributions to several families of effects of the same cells and clusters."""
    return replace(
        parts[0],
        contributions=np.hstack([part.contributions for part in parts]),
        shares=np.hstack([part.shares for part in parts]),
    )
