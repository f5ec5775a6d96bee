"""Standard errors of the effect on inequality between just these units."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toolkit.inference.pooled_cohorts import EffectCells, choose_cells, from_pooled_means, pool_cohorts
from toolkit.inference.pooled_contributions import PooledContributions, pool_contributions
from toolkit.inference.residual_changes import answers_by_cluster, correct_for_residuals
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
    """Effects on the mean that are taken off.

    By position in the effects; their period, the treated share, and the pool of cohorts of each. `member` is
    the cluster of each unit.
    """

    positions: NDArray[np.intp]
    periods: NDArray[np.intp]
    shares: Floats
    n_periods: int
    chosen: EffectCells
    member: NDArray[np.intp]
    pools: NDArray[np.intp]


def shifted_error(paths: DispersionPaths, clusters: ArrayLike, measure: Measure) -> tuple[float, float]:
    """Return standard error and degrees of freedom of the effect by version "shifted".

    The effect on these units differs from its estimate only by the errors d of the group-time effects.
    With first and second derivatives a and H of the mean measure without treatment and S the covariance of
    the errors, the variance of a'd + d'Hd / 2 is a'Sa + tr(HSHS) / 2 (normal errors). With few groups the
    square of an estimated S is too large on average, which is taken out of the second term. Degrees of
    freedom are those of the sum of both terms after Satterthwaite.

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
    cells = _treated_cells(paths, clusters)
    slopes = _slopes(measure, paths.variance_shifted, paths.mean_untreated, cells)
    own = cells.chosen.of_unit()
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
    scaled, degrees = pooled.scale(slope, _corrections(cells, pooled, slope))
    first = ((scaled @ slope) ** 2).sum()
    # The mean of the square is too large by this where one direction counts, by less where several do.
    second = ((scaled @ curvature @ scaled.T) ** 2).sum() / 2 / (1 + 2 / degrees)
    of_both = degrees * (first + second) ** 2 / (first**2 + second**2) if first + second else degrees
    return float(np.sqrt(first + second)) / cells.n_periods, float(of_both)


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
    themselves. They are taken as those of the outcomes less the mean effect of the pool of cohorts. Effects
    that grow with the deviation change its square in proportion to it, and that is taken out, too; what
    effects that differ otherwise leave makes the error too large, never too small. An error of the untreated
    mean of a period cancels out of its variance; that of a base period in which others are treated is left
    out.

    Parameters
    ----------
    paths, clusters, measure
        See `shifted_error`.
    comparison, anticipation
        See `estimate_group_time`; those of the paths.

    Notes
    -----
    A school's error grows with how far it is from the mean, and the mean of few schools takes much of it with
    it: the squares are corrected by `correct_for_residuals`.
    """
    cells, effects = _treated_cells(paths, clusters), paths.effects
    slopes = _slopes(measure, paths.variance_squares, paths.mean_untreated, cells)
    on_square, on_mean = -slopes.variance * cells.shares, -slopes.mean * cells.shares
    deviations = paths.deviations
    for cell, apart in enumerate(from_pooled_means(cells.chosen, cells.pools)):
        deviations[cells.chosen.of_unit()[:, cell], cells.periods[cell]] += apart
    level = np.nanmean(deviations, axis=1)
    squares = estimate_group_time(
        replace(effects.panel, outcomes=deviations**2),
        comparison=comparison,
        base="universal",
        anticipation=anticipation,
    )
    parts = [pool_contributions(squares, clusters, cells.positions, levels=level**2)]
    slope = on_square
    if on_mean.any():
        parts.append(pool_contributions(effects, clusters, cells.positions))
        slope = np.concatenate([on_square, on_mean])
    pooled = _side_by_side(parts)
    # A change of a school changes its squared deviation by twice the deviation times itself.
    answers = 2 * level[:, None] * on_square + on_mean
    scaled, degrees = pooled.scale(slope, _corrections(cells, pooled, answers, level**2))
    return float(np.sqrt(((scaled @ slope) ** 2).sum())) / cells.n_periods, degrees


def _corrections(
    cells: _Cells, pooled: PooledContributions, answers: Floats, levels: Floats | None = None
) -> list[tuple[float, float]]:
    """Return factor and degrees of freedom of the squares of the treated and of the comparison.

    `answers` says how the measure answers to the change of each unit in each cell, (n_units, n_cells), or of
    any unit, (n_cells,); `levels` to what the effects on the units of a pool are in proportion, (n_units,),
    if they are not equal.
    """
    n_clusters, weights, of_unit = len(pooled.pools), cells.chosen.panel.weights, cells.chosen.of_unit()
    answers = np.broadcast_to(answers, of_unit.shape)
    in_cells = of_unit * weights[:, None]
    in_cells /= in_cells.sum(axis=0)
    treated = np.zeros((2, n_clusters, len(weights)))
    for at in np.unique(cells.chosen.times):
        for pool in np.unique(cells.pools):
            together = (cells.chosen.times == at) & (cells.pools == pool)
            own = of_unit[:, together].any(axis=1)
            if own.any():
                of_sum = (in_cells * answers)[np.ix_(own, together)].sum(axis=1)
                level = None if levels is None else levels[own]
                treated[:, :, own] += answers_by_cluster(
                    of_sum, weights[own], level, cells.member[own], n_clusters
                )
    own = pooled.comparison_weights[cells.member] > 0
    of_sum = weights[own] * answers[own].sum(axis=1)
    level = None if levels is None else np.ones(len(of_sum))
    comparison = answers_by_cluster(of_sum, weights[own], level, cells.member[own], n_clusters)
    return [correct_for_residuals(*treated), correct_for_residuals(*comparison)]


def _treated_cells(paths: DispersionPaths, clusters: ArrayLike) -> _Cells:
    effects = paths.effects
    positions = np.flatnonzero((effects.periods >= effects.cohorts) & np.isfinite(effects.effects))
    periods = np.searchsorted(paths.periods, effects.periods[positions])
    chosen = choose_cells(effects, positions)
    _, member = np.unique(np.asarray(clusters), return_inverse=True)
    return _Cells(
        positions=positions,
        periods=periods,
        shares=(paths.shares[:, periods] * chosen.of_unit()).sum(axis=0),
        n_periods=int(np.count_nonzero(paths.treated_share > 0)),
        chosen=chosen,
        member=member,
        pools=pool_cohorts(chosen, member),
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
