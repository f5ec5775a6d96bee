"""Normal variables that stay within limits: their probability and mean."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import norm

Floats = NDArray[np.float64]

# Points of the rule for probabilities of boxes; nothing is drawn, so results do not vary.
BOX_POINTS = 4_096
PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
OPEN_UNIT = (1e-300, 1 - 1e-16)


def box_probability(limits: Floats, mean: Floats, covariance: Floats) -> float:
    """Return the chance that each normal variable is within a limit of zero, one after the other.

    Genz (1992), Journal of Computational and Graphical Statistics 1(2), on a fixed lattice of points.
    """
    if not len(limits):
        return 1.0
    root = np.linalg.cholesky(covariance)
    points = _lattice(len(limits))
    drawn = np.zeros_like(points)
    chance = np.ones(len(points))
    for at, limit in enumerate(limits):
        shift = mean[at] + drawn[:, :at] @ root[at, :at]
        low, high = ndtr((-limit - shift) / root[at, at]), ndtr((limit - shift) / root[at, at])
        chance *= high - low
        drawn[:, at] = ndtri(np.clip(low + points[:, at] * (high - low), *OPEN_UNIT))
    return float(chance.mean())


def box_mean(limits: Floats, mean: Floats, covariance: Floats) -> Floats:
    """Return the mean of normal variables given that each is within a limit of zero.

    By parts: the density at the two ends of each variable times the chance of the others there.
    """
    ends = np.zeros(len(limits))
    spreads = np.sqrt(np.diag(covariance))
    for at in range(len(limits)):
        others = np.delete(np.arange(len(limits)), at)
        slope = covariance[others, at] / covariance[at, at]
        rest = covariance[np.ix_(others, others)] - np.outer(slope, covariance[others, at])
        for end, sign in ((-limits[at], 1), (limits[at], -1)):
            moved = mean[others] + slope * (end - mean[at])
            density = norm.pdf(end, mean[at], spreads[at])
            ends[at] += sign * density * box_probability(limits[others], moved, rest)
    return mean + covariance @ ends / box_probability(limits, mean, covariance)


def _lattice(dimension: int) -> Floats:
    """Return points spread evenly over a unit cube, folded so that periodic rules apply."""
    steps = np.sqrt(np.array(PRIMES[:dimension], dtype=np.float64))
    if len(steps) < dimension:
        raise ValueError(f"at most {len(PRIMES)} periods before for single coefficients, not {dimension}")
    return np.abs(2 * np.modf(np.outer(np.arange(1, BOX_POINTS + 1), steps))[0] - 1)
