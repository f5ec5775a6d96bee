"""Bounds that let the slope of the difference in trends change only so much from period to period."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import lsq_linear
from scipy.special import ndtr, ndtri

from toolkit.inference.honest_study import (
    CLUSTERS_PER_COEFFICIENT,
    Breakdown,
    EventStudy,
    HonestInterval,
    check_confidence_level,
    first_contact,
    refuse_bounds,
    target_weights,
    zero_between,
)

Floats = NDArray[np.float64]


def estimate_under_smoothness(
    study: EventStudy,
    weights: ArrayLike,
    *,
    curvature: float = 0.0,
    confidence_level: float = 0.95,
    clusters_per_coefficient: float = CLUSTERS_PER_COEFFICIENT,
) -> HonestInterval:
    """Estimate the shortest interval of fixed length for a weighted effect when trends differ smoothly.

    The slope of the difference in trends changes by at most `curvature` between consecutive periods; with
    0 it is a straight line, which is extrapolated. The middle of the interval is linear in the
    coefficients, its length covers the largest bias, and the weights of the periods before are those
    that make it shortest.

    Parameters
    ----------
    study : EventStudy
        Coefficients and covariance.
    weights : array_like, (n_after,)
        Weights of the target over the periods after the base period.
    curvature : float
        Largest change of the slope, in units of the outcome.
    confidence_level : float
        Coverage.
    clusters_per_coefficient : float
        Effective clusters required for each coefficient.

    Notes
    -----
    The covariance is taken as known and the coefficients as normal: nothing is corrected for the number
    of clusters beyond the refusal.

    References
    ----------
    Rambachan and Roth (2023), Review of Economic Studies 90(5): fixed-length intervals.
    """
    if curvature < 0 or not np.isfinite(curvature):
        raise ValueError(f"curvature must be finite and not negative, not {curvature}")
    check_confidence_level(confidence_level)
    target = target_weights(study, weights)
    refusal = refuse_bounds(study, clusters_per_coefficient=clusters_per_coefficient)
    estimate, half_length = np.nan, np.nan
    if not refusal:
        combination = shortest_combination(study, target, curvature, confidence_level)
        estimate = float(combination @ study.coefficients)
        half_length = _half_length(study, combination, curvature, confidence_level)
    return HonestInterval(
        restriction="smoothness",
        bound=curvature,
        confidence_level=confidence_level,
        estimate=estimate,
        conf_low=estimate - half_length,
        conf_high=estimate + half_length,
        refusal=refusal,
    )


def find_breakdown_curvature(
    study: EventStudy,
    weights: ArrayLike,
    *,
    confidence_level: float = 0.95,
    clusters_per_coefficient: float = CLUSTERS_PER_COEFFICIENT,
) -> Breakdown:
    """Find the smallest change of the slope at which the interval contains zero.

    Parameters are those of `estimate_under_smoothness`.
    """
    target = target_weights(study, weights)
    refusal = refuse_bounds(study, clusters_per_coefficient=clusters_per_coefficient)
    value = np.nan
    if not refusal:

        def distance(curvature: float) -> float:
            """Return how far zero is outside the interval."""
            interval = estimate_under_smoothness(
                study,
                target,
                curvature=curvature,
                confidence_level=confidence_level,
                clusters_per_coefficient=clusters_per_coefficient,
            )
            return max(interval.conf_low, -interval.conf_high)

        value = first_contact(distance)
    return Breakdown("smoothness", confidence_level, value, refusal)


def largest_bias(combination: ArrayLike, n_before: int) -> float:
    """Return the largest bias of a combination of coefficients when the slope changes by at most 1.

    Parameters
    ----------
    combination : array_like, (n_before + n_after,)
        Weights of the coefficients; straight lines through the base period must cancel, as they do in
        the result of `shortest_combination`.
    n_before : int
        Number of periods before the base period.

    Notes
    -----
    A difference in trends is a straight line through the base period plus a kink at each period but the
    first and last. The bias is a sum of its kinks, with these weights, and largest when each has its
    bound and the sign of its weight.
    """
    values = np.asarray(combination, dtype=np.float64)
    after = _kink_weights(values[n_before:])
    # The kink in the base period is counted once, with what comes after it.
    before = _kink_weights(values[:n_before][::-1])[1:]
    return float(np.abs(before).sum() + np.abs(after).sum())


def shortest_combination(
    study: EventStudy, target: Floats, curvature: float, confidence_level: float
) -> Floats:
    """Return the weights of all coefficients whose interval is shortest.

    Among combinations with the target after the base period in which straight lines cancel, the length
    of the interval is a convex function of the standard deviation and of the sum of absolute weights of
    kinks before. For each price of a kink the least variance plus price is a lasso, solved by its dual;
    the price at which the length is least is a zero of one function.
    """
    n_before = study.n_before
    extrapolation = np.zeros(n_before + study.n_after)
    extrapolation[n_before:] = target
    extrapolation[n_before - 1] = np.arange(1, study.n_after + 1) @ target
    kinks = np.zeros((n_before + study.n_after, n_before - 1))
    # In column k, the only kink before that is not balanced is that k + 1 periods before the base.
    for kink in range(n_before - 1):
        bend = np.zeros(n_before + 1)
        bend[kink : kink + 3] = 1, -2, 1
        kinks[:n_before, kink] = bend[:0:-1]
    root = np.linalg.cholesky(study.covariance)
    factor, offset = root.T @ kinks, root.T @ extrapolation
    dearest = float(np.abs(factor.T @ offset).max(initial=0.0))
    if dearest == 0:
        return extrapolation

    def combine(price: float) -> Floats:
        return extrapolation + kinks @ _lasso(factor, offset, price)

    def excess(price: float) -> float:
        combination = combine(price)
        spread = float(np.linalg.norm(root.T @ combination))
        standard_bias = curvature * largest_bias(combination, n_before) / spread
        quantile = folded_normal_quantile(standard_bias, confidence_level)
        slope = np.tanh(quantile * standard_bias)
        return price - spread * curvature * slope / (quantile - standard_bias * slope)

    if curvature == 0:
        return combine(0.0)
    if excess(dearest) <= 0:
        return extrapolation
    return combine(zero_between(excess, 0.0, dearest, 1e-13 * dearest))


def folded_normal_quantile(mean: float, probability: float) -> float:
    """Return the quantile of the absolute value of a normal variable with given mean and variance 1."""

    def excess(value: float) -> float:
        return float(ndtr(value - mean) - ndtr(-value - mean) - probability)

    mean = abs(mean)
    low, high = mean + float(ndtri(probability)), mean + float(ndtri((1 + probability) / 2))
    return zero_between(excess, low - 1e-9, high + 1e-9, 1e-13)


def _half_length(study: EventStudy, combination: Floats, curvature: float, confidence_level: float) -> float:
    """Return half the length of the interval around a combination of the coefficients."""
    spread = float(np.sqrt(combination @ study.covariance @ combination))
    bias = curvature * largest_bias(combination, study.n_before)
    return spread * folded_normal_quantile(bias / spread, confidence_level)


def _kink_weights(weights: Floats) -> Floats:
    """Return what a kink of 1 at each distance from the base period, itself first, adds to a weighted sum."""
    return np.cumsum(np.cumsum(weights[::-1]))[::-1]


def _lasso(factor: Floats, offset: Floats, price: float) -> Floats:
    """Return the x that minimises half the squared length of factor x + offset, plus price times |x|."""
    inverse = np.linalg.inv(np.linalg.qr(factor, mode="r")).T
    slope = factor.T @ offset
    if price == 0:
        return -inverse.T @ (inverse @ slope)
    # The gradient of the squares lies within the price; the dual puts it as near to zero as that allows.
    dual = lsq_linear(inverse, -inverse @ slope, (-price, price), method="bvls", tol=1e-15)
    return -inverse.T @ (inverse @ (slope + dual.x))
