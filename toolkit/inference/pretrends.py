"""Placebo tests of the periods before treatment, and what trends they would miss."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ncfdtr, ndtri
from scipy.stats import f

from toolkit.inference.honest_boxes import box_mean, box_probability
from toolkit.inference.honest_study import EventStudy, Refusal, is_singular, target_weights, zero_between

Floats = NDArray[np.float64]
Rule = Literal["joint", "any"]
LEAST_DENOMINATOR_DEGREES = 1.0


@dataclass(frozen=True, slots=True)
class PlaceboTest:
    """Joint test that all coefficients before the base period are zero.

    Attributes
    ----------
    wald : float
        Quadratic form of the coefficients in the inverse of their covariance.
    statistic : float
        `wald` scaled to its F reference.
    degrees, denominator_degrees : float
        Degrees of freedom of the reference.
    p_value : float
        Missing if refused.
    refusal : str
        Why there is no test; empty if there is one.
    """

    wald: float
    statistic: float
    degrees: float
    denominator_degrees: float
    p_value: float
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class DetectableTrend:
    """Straight difference in trends that a placebo test detects with given probability.

    Attributes
    ----------
    rule : {"joint", "any"}
        How the trend is detected.
    power : float
        Probability of detecting it.
    slope : float
        Change of the difference from period to period, in units of the outcome.
    bias : float
        Bias of the target under the trend.
    bias_if_undetected : float
        Bias of the target over the samples in which the test does not detect the trend.
    refusal : str
        Why there are no values; empty if there are.
    """

    rule: Rule
    power: float
    slope: float
    bias: float
    bias_if_undetected: float
    refusal: Refusal


def compute_joint_placebo_test(study: EventStudy) -> PlaceboTest:
    """Test whether the coefficients before the base period are jointly zero.

    With G clusters and q coefficients, wald (G - q) / (G q) is referred to F(q, G - q): Hotelling's
    distribution, exact for means of G independent normal clusters whose covariance is the sum of squares
    over clusters divided by G² (no factor G / (G - 1)). With that factor in the covariance the test is
    slightly conservative. Refused unless G exceeds q by one.
    """
    refusal = _refuse_test(study)
    if refusal:
        return PlaceboTest(np.nan, np.nan, study.n_before, np.nan, np.nan, refusal)
    n_before, clusters = study.n_before, study.effective_clusters
    wald = float(study.before @ np.linalg.solve(_covariance_before(study), study.before))
    statistic = wald * (clusters - n_before) / (clusters * n_before)
    return PlaceboTest(
        wald=wald,
        statistic=statistic,
        degrees=n_before,
        denominator_degrees=clusters - n_before,
        p_value=float(f.sf(statistic, n_before, clusters - n_before)),
        refusal="",
    )


def compute_placebo_power(
    study: EventStudy, slope: float, *, size: float = 0.05, rule: Rule = "joint"
) -> float:
    """Compute the probability that a placebo test detects a straight difference in trends.

    Parameters
    ----------
    study : EventStudy
        Covariance and periods; the coefficients are not used.
    slope : float
        Change of the difference from period to period.
    size : float
        Significance level of the joint test, or of each single coefficient.
    rule : {"joint", "any"}
        The joint test, or any coefficient before outside its normal interval.

    Raises
    ------
    ValueError
        If the test itself is refused.

    References
    ----------
    Roth (2022), American Economic Review: Insights 4(3), whose rule is "any".
    """
    _check_rule(rule)
    if _refuse_test(study):
        raise ValueError(f"the test is refused: {_refuse_test(study)}")
    trend = _trend_before(study, slope)
    if rule == "any":
        covariance = _covariance_before(study)
        return 1 - box_probability(_box_limits(covariance, size), trend, covariance)
    n_before, rest = study.n_before, study.effective_clusters - study.n_before
    critical_value = f.isf(size, n_before, rest)
    return 1 - float(ncfdtr(n_before, rest, _noncentrality(study, trend), critical_value))


def find_detectable_trend(
    study: EventStudy, weights: ArrayLike, *, power: float = 0.5, size: float = 0.05, rule: Rule = "joint"
) -> DetectableTrend:
    """Find the straight difference in trends detected with given power, and the bias it causes.

    Parameters
    ----------
    study : EventStudy
        Covariance and periods; the coefficients are not used.
    weights : array_like, (n_after,)
        Weights of the target over the periods after the base period.
    power : float
        Probability of detecting the trend, above that of a false alarm.
    size : float
        Significance level of the joint test, or of each single coefficient.
    rule : {"joint", "any"}
        The joint test, or any coefficient before outside its normal interval.

    Notes
    -----
    The trend is straight through the base period; the bias grows with the distance of a period. Among
    samples that pass the test the mean of the coefficients before shrinks towards zero, and those after
    move with it as far as they are correlated. For the joint test both are ratios of noncentral F
    probabilities; for single coefficients they are probabilities of boxes, to about four digits.

    References
    ----------
    Roth (2022), American Economic Review: Insights 4(3).
    """
    _check_rule(rule)
    target = target_weights(study, weights)
    refusal = _refuse_test(study)
    if refusal:
        return DetectableTrend(rule, power, np.nan, np.nan, np.nan, refusal)
    floor = compute_placebo_power(study, 0.0, size=size, rule=rule)
    if not floor < power < 1:
        raise ValueError(f"power must be between {floor:.3f}, its value without a trend, and 1, not {power}")

    def shortfall(slope: float) -> float:
        return power - compute_placebo_power(study, slope, size=size, rule=rule)

    steepest = float(np.sqrt(np.diag(study.covariance)[: study.n_before]).max())
    while shortfall(steepest) > 0:
        steepest *= 2
    slope = zero_between(shortfall, 0.0, steepest, 1e-10 * steepest)
    covariance = _covariance_before(study)
    trend = _trend_before(study, slope)
    if rule == "any":
        mean_if_passed = box_mean(_box_limits(covariance, size), trend, covariance)
    else:
        mean_if_passed = trend * _shrinkage(study, trend, size)
    across = study.covariance[study.n_before :, : study.n_before]
    bias = slope * float(target @ np.arange(1, study.n_after + 1))
    moved = across @ np.linalg.solve(covariance, mean_if_passed - trend)
    return DetectableTrend(rule, power, slope, bias, bias + float(target @ moved), "")


def _check_rule(rule: str) -> None:
    """Raise if a rule is not known."""
    if rule not in get_args(Rule):
        raise ValueError(f"rule must be one of {get_args(Rule)}, not {rule!r}")


def _refuse_test(study: EventStudy) -> Refusal:
    """Say why the coefficients before cannot be tested; empty if they can."""
    if not study.n_before:
        return "no_period_before"
    if study.effective_clusters < study.n_before + LEAST_DENOMINATOR_DEGREES:
        return "few_clusters"
    return "singular_covariance" if is_singular(_covariance_before(study)) else ""


def _trend_before(study: EventStudy, slope: float) -> Floats:
    """Return a straight difference in trends in the periods before the base period."""
    return -slope * np.arange(study.n_before, 0, -1, dtype=np.float64)


def _covariance_before(study: EventStudy) -> Floats:
    """Return the covariance of the coefficients before the base period."""
    return study.covariance[: study.n_before, : study.n_before]


def _noncentrality(study: EventStudy, trend: Floats) -> float:
    """Return the noncentrality of the joint test under a difference in trends."""
    return float(trend @ np.linalg.solve(_covariance_before(study), trend))


def _shrinkage(study: EventStudy, trend: Floats, size: float) -> float:
    """Return the mean of the coefficients before, where the joint test passes, relative to the trend.

    For normal z with mean m in q dimensions and an independent chi-squared variable w, the mean of z where
    z'z <= w c is m times the chance that a noncentral chi-squared variable with q + 2 degrees is at most
    w c, over that with q degrees.
    """
    n_before, rest = study.n_before, study.effective_clusters - study.n_before
    critical_value = f.isf(size, n_before, rest)
    shift = _noncentrality(study, trend)
    passed = ncfdtr(n_before, rest, shift, critical_value)
    wider = ncfdtr(n_before + 2, rest, shift, critical_value * n_before / (n_before + 2))
    return float(wider / passed)


def _box_limits(covariance: Floats, size: float) -> Floats:
    """Return the largest absolute coefficients that are not significant one by one."""
    return ndtri(1 - size / 2) * np.sqrt(np.diag(covariance))
