"""Multiplier bootstrap of influence functions by cluster, with simultaneous bands."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from toolkit.inference.clusters import ClusterInfluence

Multiplier = Literal["rademacher", "mammen", "webb"]

Floats = NDArray[np.float64]

BLOCK_BYTES = 8 * 2**20
CACHED_DRAWS, CACHED_BYTES = 64, 32
"""Tile of signs that is unpacked at a time: it stays in the cache, and BLAS keeps to one thread for it."""
WEBB_POINTS = np.sqrt([1.5, 1.0, 0.5, 0.5, 1.0, 1.5]) * [-1, -1, -1, 1, 1, 1]
GOLDEN = (1 + np.sqrt(5)) / 2
IQR_OF_NORMAL = float(stats.norm.ppf(0.75) - stats.norm.ppf(0.25))


@dataclass(frozen=True, slots=True)
class SimultaneousBand:
    """Intervals that hold all estimates together with the stated confidence.

    Attributes
    ----------
    estimates, std_errors : ndarray of float, (n_estimates,)
        Standard errors are interquartile ranges of the draws over that of the standard normal.
    critical_value : float
        Quantile of the largest absolute studentised draw.
    conf_low, conf_high : ndarray of float, (n_estimates,)
        Estimate minus and plus critical value times standard error.
    confidence_level : float
        Nominal.
    """

    estimates: Floats
    std_errors: Floats
    critical_value: float
    conf_low: Floats
    conf_high: Floats
    confidence_level: float


def draw_multipliers(
    rng: np.random.Generator, n_draws: int, n_clusters: int, kind: Multiplier = "rademacher"
) -> Floats:
    """Draw independent multipliers of mean zero and variance one, (n_draws, n_clusters).

    Drawing row by row or all at once gives the same numbers.

    Parameters
    ----------
    rng : numpy Generator
        Advanced by the draws.
    n_draws, n_clusters : int
        Size.
    kind : {"rademacher", "mammen", "webb"}
        Two signs; Mammen's two points of third moment one; Webb's six points of equal chance, for few
        clusters.

    References
    ----------
    Mammen, E. (1993). Bootstrap and wild bootstrap for high dimensional linear models. Annals of
    Statistics 21(1), 255-285.
    Webb, M. D. (2023). Reworking wild bootstrap-based inference for clustered errors. Canadian Journal of
    Economics 56(3), 839-858.
    """
    if kind not in get_args(Multiplier):
        raise ValueError(f"kind must be one of {get_args(Multiplier)}, not {kind!r}")
    if kind == "rademacher":
        packed = _packed_signs(rng, n_draws, n_clusters)
        signs = np.unpackbits(packed, axis=1, count=n_clusters).astype(np.float64)
        signs *= 2
        signs -= 1
        return signs
    uniform = rng.random((n_draws, n_clusters))
    if kind == "mammen":
        return np.where(uniform < GOLDEN / np.sqrt(5), 1 - GOLDEN, GOLDEN)
    return WEBB_POINTS[(6 * uniform).astype(np.intp)]


def draw_errors(
    influence: ClusterInfluence, *, seed: int, n_draws: int = 999, kind: Multiplier = "rademacher"
) -> Floats:
    """Draw errors of the estimates: sums over clusters of multiplier times contribution.

    The multipliers of a draw serve all estimates, so that their correlation is kept; put the estimates of
    several outcomes together by `align_clusters` before. Rows of units may come in any order. Memory
    stays near 8 MB for the multipliers, whatever the number of clusters; the block size does not
    change a draw.

    Parameters
    ----------
    influence : ClusterInfluence
        Contributions of the clusters.
    seed : int
        Seed of the multipliers.
    n_draws : int
        Draws.
    kind : {"rademacher", "mammen", "webb"}
        See `draw_multipliers`. With few clusters no kind helps: the draws repeat the contributions, whose
        variance is then badly known.

    Returns
    -------
    ndarray of float, (n_draws, n_estimates)
        About the distribution of estimate minus truth.

    References
    ----------
    Callaway, B. and Sant'Anna, P. H. C. (2021). Difference-in-differences with multiple time periods.
    Journal of Econometrics 225(2), 200-230, for multipliers shared by the units of a cluster.
    """
    if kind not in get_args(Multiplier):
        raise ValueError(f"kind must be one of {get_args(Multiplier)}, not {kind!r}")
    rng = np.random.default_rng(seed)
    contributions = influence.contributions
    bits = 1 if kind == "rademacher" else 64
    block = max(1, 8 * BLOCK_BYTES // (bits * influence.n_clusters))
    errors = np.empty((n_draws, contributions.shape[1]))
    for start in range(0, n_draws, block):
        size = min(block, n_draws - start)
        if kind == "rademacher":
            own = _signed_sums(_packed_signs(rng, size, influence.n_clusters), contributions)
        else:
            own = draw_multipliers(rng, size, influence.n_clusters, kind) @ contributions
        errors[start : start + size] = own
    return errors


def _packed_signs(rng: np.random.Generator, n_draws: int, n_clusters: int) -> NDArray[np.uint8]:
    """Draw signs as bits, (n_draws, bytes): one bit per cluster, filled up to 64."""
    words = rng.integers(0, 2**64, size=(n_draws, -(-n_clusters // 64)), dtype=np.uint64)
    return words.astype("<u8", copy=False).view(np.uint8)


def _signed_sums(packed: NDArray[np.uint8], contributions: Floats) -> Floats:
    """Add contributions with packed signs, unpacked a tile at a time."""
    positive = np.zeros((len(packed), contributions.shape[1]))
    for first in range(0, len(packed), CACHED_DRAWS):
        draws = slice(first, first + CACHED_DRAWS)
        for start in range(0, packed.shape[1], CACHED_BYTES):
            rows = contributions[8 * start : 8 * (start + CACHED_BYTES)]
            signs = np.unpackbits(packed[draws, start : start + CACHED_BYTES], axis=1, count=len(rows))
            positive[draws] += signs.astype(np.float64) @ rows
    positive *= 2
    positive -= contributions.sum(axis=0)
    return positive


def interquartile_std_errors(errors: ArrayLike) -> Floats:
    """Compute the interquartile range of each column over that of the standard normal, (n_estimates,).

    The scale of the R package did: less moved by single draws than their standard deviation. Quartiles
    are order statistics (the inverse of the empirical distribution).
    """
    low, high = np.quantile(np.asarray(errors, dtype=float), [0.25, 0.75], axis=0, method="inverted_cdf")
    return (high - low) / IQR_OF_NORMAL


def simultaneous_critical_value(errors: ArrayLike, *, confidence_level: float = 0.95) -> float:
    """Compute the quantile of the largest absolute draw, each estimate on its interquartile scale.

    The convention of the R package did; the quantile is an order statistic. Estimates without error,
    such as the base period of an event study, are left out. Never below the pointwise normal quantile.

    Parameters
    ----------
    errors : array_like, (n_draws, n_estimates)
        Draws of `draw_errors`.
    confidence_level : float
        In (0, 1).

    Raises
    ------
    ValueError
        If no estimate has an error.
    """
    values = np.asarray(errors, dtype=float)
    scale = interquartile_std_errors(values)
    moves = scale > 0
    if not moves.any():
        raise ValueError("no estimate has an error: there is nothing to bound")
    largest = np.abs(values[:, moves] / scale[moves]).max(axis=1)
    quantile = float(np.quantile(largest, confidence_level, method="inverted_cdf"))
    return max(quantile, float(stats.norm.ppf(0.5 + confidence_level / 2)))


def simultaneous_band(
    estimates: ArrayLike, errors: ArrayLike, *, confidence_level: float = 0.95
) -> SimultaneousBand:
    """Compute intervals that hold all estimates together (sup-t).

    Parameters
    ----------
    estimates : array_like, (n_estimates,)
        Estimates.
    errors : array_like, (n_draws, n_estimates)
        Draws of `draw_errors`.
    confidence_level : float
        In (0, 1).

    References
    ----------
    Montiel Olea, J. L. and Plagborg-Moller, M. (2019). Simultaneous confidence bands: theory,
    implementation, and an application to SVARs. Journal of Applied Econometrics 34(1), 1-17.
    """
    centre = np.asarray(estimates, dtype=float)
    scale = interquartile_std_errors(errors)
    critical = simultaneous_critical_value(errors, confidence_level=confidence_level)
    half = critical * scale
    return SimultaneousBand(centre, scale, critical, centre - half, centre + half, confidence_level)
