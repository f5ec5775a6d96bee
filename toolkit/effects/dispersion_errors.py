"""Standard errors of the effect on inequality between just these units."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toolkit.inference.pooled_cohorts import EffectCells, choose_cells, from_pooled_means, pool_cohorts
from toolkit.inference.pooled_contributions import (
    PooledContributions,
    answers_to_outcomes,
    outcome_weights,
    pool_contributions,
    pool_rates,
)
from toolkit.inference.residual_changes import studentized_quantile
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

    By position in the effects; their period, the treated share, and the pool of cohorts of each.
    """

    positions: NDArray[np.intp]
    periods: NDArray[np.intp]
    shares: Floats
    n_periods: int
    chosen: EffectCells
    pools: NDArray[np.intp]


def shifted_error(
    paths: DispersionPaths, clusters: ArrayLike, measure: Measure, *, confidence_level: float = 0.95
) -> tuple[float, float]:
    """Return standard error of the effect by version "shifted", and its multiple that an interval reaches to.

    The effect on these units differs from its estimate only by the errors d of the group-time effects. With
    a and H the first and second derivatives of the mean measure without treatment at the estimate, and S the
    covariance of the errors, the error is a'd less a term of second order, and a itself moves with d: where
    the error is large on one side, a seems small. An interval of the errors e for which e² is at most c²
    (a'Sa + s e), with s = a'SHSa / a'Sa, allows for that; half its width is c times the root of
    a'Sa + c² s² / 4. That is taken to both sides of the estimate, with two for c in the second term.

    Parameters
    ----------
    paths : DispersionPaths
        Observed and without treatment.
    clusters : array_like, (n_units,)
        Cluster of each unit of `paths.effects.panel`.
    measure : {"variance", "std_dev", "cv"}
        Averaged over the periods in which some are treated.
    confidence_level : float
        Of the interval.

    Returns
    -------
    std_error, critical_value : float
        Missing where one cluster alone is treated or alone is the comparison, or a variance without
        treatment is estimated below zero.
    """
    cells, effects = _treated_cells(paths, clusters), paths.effects
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
    pooled = pool_contributions(effects, clusters, cells.positions)
    whole, seen = answers_to_outcomes(effects, clusters, cells.positions, slope)
    factors = pooled.factors(slope, whole, seen)
    scaled = pooled.contributions * factors[:, None]
    variance = ((scaled @ slope) ** 2).sum()
    towards = scaled.T @ (scaled @ slope)
    with np.errstate(invalid="ignore", divide="ignore"):
        bend = towards @ curvature @ towards / variance
    # A quarter of the square of the two standard errors that an interval reaches to is one.
    variance += bend**2
    critical = studentized_quantile(whole.sum(axis=0).reshape(-1), _rows(factors, seen), confidence_level)
    return float(np.sqrt(variance)) / cells.n_periods, critical


def squares_error(
    paths: DispersionPaths,
    clusters: ArrayLike,
    measure: Measure,
    *,
    comparison: Comparison,
    anticipation: int,
    confidence_level: float = 0.95,
) -> tuple[float, float]:
    """Return standard error of the effect by version "squares", and its multiple that an interval reaches to.

    The effect on these units differs from its estimate by what squared deviations without treatment did of
    themselves. They are taken as those of the outcomes less the mean effect of the pool of cohorts. Effects
    that grow with the deviation change its square in proportion to it, and that is taken out, too; what
    effects that differ otherwise leave makes the error too large, never too small. An error of the untreated
    mean of a period cancels out of its variance; that of a base period in which others are treated is left
    out.

    Parameters
    ----------
    paths, clusters, measure, confidence_level
        See `shifted_error`.
    comparison, anticipation
        See `estimate_group_time`; those of the paths.

    Returns
    -------
    std_error, critical_value : float
        See `shifted_error`.

    Notes
    -----
    A school's error grows with how far it is from the mean, and the means of few schools take much of it with
    them: the squares are corrected by `factor_of_residuals`. What is
    seen of them holds effects that differ between schools, and is taken to be independent of the error.
    """
    cells, effects = _treated_cells(paths, clusters), paths.effects
    slopes = _slopes(measure, paths.variance_squares, paths.mean_untreated, cells)
    on_square, on_mean = -slopes.variance * cells.shares, -slopes.mean * cells.shares
    deviations = paths.deviations
    for cell, apart in enumerate(from_pooled_means(cells.chosen, cells.pools)):
        deviations[cells.chosen.of_unit()[:, cell], cells.periods[cell]] += apart
    level = np.nansum(deviations, axis=1) / np.maximum(np.isfinite(deviations).sum(axis=1), 1)
    squares = estimate_group_time(
        replace(effects.panel, outcomes=deviations**2),
        comparison=comparison,
        base="universal",
        anticipation=anticipation,
    )
    families = [pool_contributions(squares, clusters, cells.positions, levels=level**2)]
    # An outcome changes its squared deviation by twice the deviation times itself.
    whole, seen = (
        2 * level[:, None] * answers
        for answers in answers_to_outcomes(squares, clusters, cells.positions, on_square, levels=level**2)
    )
    seen = answers_of_deviations(seen, paths, clusters)
    slope = on_square
    if on_mean.any():
        families.append(pool_contributions(effects, clusters, cells.positions))
        slope = np.concatenate([on_square, on_mean])
        of_mean = answers_to_outcomes(effects, clusters, cells.positions, on_mean)
        whole, seen = whole + of_mean[0], seen + of_mean[1]
    pooled = _side_by_side(families)
    factors = pooled.factors(slope, whole, seen)
    variance = ((factors * (pooled.contributions @ slope)) ** 2).sum()
    critical = studentized_quantile(
        whole.sum(axis=0).reshape(-1), _rows(factors, seen), confidence_level, independent=True
    )
    return float(np.sqrt(variance)) / cells.n_periods, critical


def _rows(factors: Floats, seen: Floats) -> Floats:
    """Return how what is seen of each cluster answers to outcomes, times its factor, a row for each."""
    return factors[:, None] * seen.reshape(len(seen), -1)


def answers_of_deviations(answers: Floats, paths: DispersionPaths, clusters: ArrayLike) -> Floats:
    """Return how sums of deviations answer to each outcome, (n_sums, n_units, n_periods).

    Out of each outcome are taken the untreated mean of its period, and the effect that its pool of cohorts
    has at that time since adoption.

    Parameters
    ----------
    answers : ndarray of float, (n_sums, n_units, n_periods)
        How each sum answers to each deviation.
    paths, clusters
        See `shifted_error`.
    """
    cells = _treated_cells(paths, clusters)
    treated, compared = outcome_weights(paths.effects, cells.positions)
    both, of_unit = treated - compared, cells.chosen.of_unit()
    by_period = answers.sum(axis=1)
    of_effects = by_period[:, cells.periods] * cells.shares
    own = (answers[:, :, cells.periods] * of_unit).sum(axis=1)
    sizes = cells.chosen.panel.weights @ of_unit
    of_effects -= own @ pool_rates(cells.chosen, cells.pools, sizes, sizes)
    return answers - by_period[:, None] * paths.shares + np.tensordot(of_effects, both, 1)


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
        pools=pool_cohorts(chosen, member),
    )


def _slopes(measure: Measure, variance: Floats, mean: Floats, cells: _Cells) -> _Slopes:
    """Return derivatives of the measure at the period of each cell; missing where it has none."""
    v, m = variance[cells.periods], mean[cells.periods]
    none = np.zeros(len(v))
    if measure == "variance":
        return _Slopes(none + 1.0, none, none, none, none)
    with np.errstate(invalid="ignore", divide="ignore"):
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
