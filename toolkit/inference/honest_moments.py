"""Tests of moment inequalities with nuisance parameters that cancel: least favourable and conditional."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr, ndtr, ndtri

from toolkit.inference.honest_study import zero_between

Floats = NDArray[np.float64]

# Standard deviations of a normal variable beyond which its density is taken as zero.
REACH = 9.0
SAME = 1e-9


@dataclass(frozen=True, slots=True)
class ViolationFunctions:
    """Largest violation of a system of inequalities as the largest of a few linear functions.

    The statistic of the test is the least violation, in standard deviations, that some value of the
    nuisance parameters leaves: the value of a linear programme. Its dual has finitely many vertices and
    the value is the largest over these, each a linear function of the data. Here all of them are
    combinations of two normal variables: the estimated target less its value under the hypothesis, and
    one estimated change before treatment.

    Attributes
    ----------
    functions : ndarray of float, (n_functions, 2)
        Coefficients on target and change: the first is positive on the target, the second is negative,
        the others are zero on it and not positive on the change.
    estimates : ndarray of float, (2,) or (2, n_hypotheses)
        Estimated target and change, for all hypotheses or one by one.
    covariance : ndarray of float, (2, 2)
        Their covariance, not singular.
    """

    functions: Floats
    estimates: Floats
    covariance: Floats

    def values(self, hypotheses: ArrayLike) -> Floats:
        """Return the functions (n_functions, n_hypotheses) at values of the target."""
        target = self.estimates[0] - np.atleast_1d(np.asarray(hypotheses, dtype=np.float64))
        return np.outer(self.functions[:, 0], target) + self.functions[:, 1:] * self.estimates[1]

    def range_below(self, critical_value: float) -> tuple[float, float] | None:
        """Return the values of the target at which no function exceeds a critical value."""
        target, change = self.estimates
        if (self.functions[2:, 1] * change > critical_value).any():
            return None
        reach = (critical_value - self.functions[:2, 1] * change) / self.functions[:2, 0]
        low, high = float(target - reach[0]), float(target - reach[1])
        return (low, high) if low <= high else None


def least_favourable_value(violation: ViolationFunctions, size: float) -> float:
    """Return the value that the statistic exceeds with probability `size` if every inequality binds.

    Under the hypothesis the statistic is never more likely to be large. The probability is an integral
    over the change (Gauss–Legendre), within which the target has a closed form; nothing is simulated.

    References
    ----------
    Andrews, Roth and Pakes (2023), Review of Economic Studies 90(6): least-favourable critical values.
    """

    def excess(critical_value: float) -> float:
        return 1 - size - _probability_below(violation, critical_value)

    # No function has a standard deviation above 1, and three of them bound all.
    return zero_between(excess, 0.0, float(ndtri(1 - size / 3)) + 1e-6, 1e-12)


def reject_conditionally(
    violation: ViolationFunctions, hypotheses: ArrayLike, size: float, ceiling: float = np.inf
) -> NDArray[np.bool_]:
    """Test values of the target with the statistic, given which function is largest.

    Given that, and given what of the data is independent of that function, the statistic is a truncated
    normal variable with mean at most zero under the hypothesis; the limits are where another function
    would take over. With a `ceiling`, values above it are rejected and the test is conditional on
    staying below.

    Parameters
    ----------
    violation : ViolationFunctions
        The system of inequalities.
    hypotheses : array_like, (n_hypotheses,)
        Values of the target to test.
    size : float
        Probability of rejecting a true value in the conditional step.
    ceiling : float
        Critical value of a first step.

    Returns
    -------
    ndarray of bool, (n_hypotheses,)
        True where the value is rejected.

    References
    ----------
    Andrews, Roth and Pakes (2023), Review of Economic Studies 90(6); Rambachan and Roth (2023), Review of
    Economic Studies 90(5), section 3.
    """
    values = violation.values(hypotheses)
    joint = violation.functions @ violation.covariance @ violation.functions.T
    largest = np.argmax(values, axis=0)
    statistic = values[largest, np.arange(values.shape[1])]
    variance = joint[largest, largest]
    positive = np.maximum(variance, np.finfo(np.float64).tiny)
    share = joint[:, largest] / positive
    with np.errstate(divide="ignore", invalid="ignore"):
        takeover = (values - share * statistic) / (1 - share)
    low = np.where(share < 1 - SAME, takeover, -np.inf).max(axis=0)
    high = np.minimum(np.where(share > 1 + SAME, takeover, np.inf).min(axis=0), ceiling)
    scale = np.sqrt(positive)
    chance = _truncated_tail(statistic / scale, low / scale, high / scale)
    return (statistic > ceiling) | ((statistic > 0) & (variance > 0) & (chance < size))


def _probability_below(violation: ViolationFunctions, critical_value: float) -> float:
    """Return the probability that no function exceeds a value at least zero if all have mean zero."""
    functions, covariance = violation.functions, violation.covariance
    spread = np.sqrt(covariance[1, 1])
    steepest = -functions[2:, 1].min(initial=0.0) * spread
    first = max(-REACH, -critical_value / steepest) if steepest > 0 else -REACH
    nodes, weights = _nodes()
    half = (REACH - first) / 2
    standard = first + half * (nodes + 1)
    change = standard * spread
    slope = covariance[0, 1] / covariance[1, 1]
    rest = np.sqrt(covariance[0, 0] - slope * covariance[0, 1])
    upper, lower = ((critical_value - row[1] * change) / row[0] for row in functions[:2])
    inside = ndtr((upper - slope * change) / rest) - ndtr((lower - slope * change) / rest)
    density = np.exp(-(standard**2) / 2) / np.sqrt(2 * np.pi)
    return float(half * weights @ (density * inside))


@cache
def _nodes() -> tuple[Floats, Floats]:
    """Return nodes and weights of Gauss–Legendre quadrature."""
    return np.polynomial.legendre.leggauss(128)


def _truncated_tail(at: Floats, low: Floats, high: Floats) -> Floats:
    """Return the chance that a standard normal variable within limits exceeds a value within them."""
    above_at, above_low, above_high = (log_ndtr(-point) for point in (at, np.minimum(low, at), high))
    with np.errstate(divide="ignore", invalid="ignore"):
        numerator = np.log1p(-np.exp(above_high - above_at))
        denominator = np.log1p(-np.exp(above_high - above_low))
        chance = np.exp(above_at - above_low + numerator - denominator)
    return np.where(at < high, chance, 0.0)
