"""Variance and distribution of a weighted sum of which only what is left after taking out means is seen."""

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

Floats = NDArray[np.float64]
_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(64)
_TOLERANCE = 1e-12


def factor_of_residuals(whole: Floats, seen: Floats) -> float:
    """Return by what squared sums of clusters are too small.

    Parameters
    ----------
    whole, seen : ndarray of float, (n_clusters, n_outcomes)
        How what each cluster adds to the sum answers to each outcome, and how it is seen to.

    Returns
    -------
    float
        Variance of the sum over the mean of the sum of squares seen, for outcomes that are independent and of
        equal variance. Missing where nothing is seen, or an answer is missing.

    References
    ----------
    Bell, R. M. and McCaffrey, D. F. (2002). Bias reduction in standard errors for linear regression with
    multi-stage samples. Survey Methodology 28(2), 169-181.
    """
    mean, variance = float((seen**2).sum()), float((whole**2).sum())
    return variance / mean if np.inf > mean > _TOLERANCE * variance else np.nan


def studentized_quantile(
    whole: Floats, seen: Floats, confidence_level: float = 0.95, *, independent: bool = False
) -> float:
    """Return how many times its standard error an error exceeds so rarely, either way.

    The standard error is the root of the sum of squares of what is seen of the clusters. Exact for outcomes
    that are independent, normal and of equal variance.

    Parameters
    ----------
    whole : ndarray of float, (n_outcomes,)
        How the error answers to each outcome.
    seen : ndarray of float, (n_clusters, n_outcomes)
        How what is seen of each cluster does, with its factor.
    confidence_level : float
        Two-sided.
    independent : bool
        Take error and standard error to be independent of each other, whatever the answers. If they hang
        together, the standard error is large where the error is, and fewer of them are enough; but never
        fewer than for a normal error with a known one, since that rests on what is seen being noise alone.

    Returns
    -------
    float
        With m things seen that are alike and independent of the error, the quantile of the t distribution
        with m degrees of freedom. Missing where an answer is.

    Notes
    -----
    An error e exceeds c standard errors where e² - c² (sum of squares seen) is above zero: a quadratic form
    of normal numbers with one positive eigenvalue and negative ones, in the ratios -r. That has the
    probability of the mean of the product of (1 + r / sin²(x)) to the power of -1/2, over x from 0 to pi/2:
    the tail of the normal distribution as Craig's integral over a finite range, and the mean over the other
    numbers taken inside.

    References
    ----------
    Craig, J. W. (1991). A new, simple and exact result for calculating the probability of error for
    two-dimensional signal constellations. Proceedings of IEEE MILCOM '91, 571-575.
    """
    rows = np.vstack([whole, seen])
    products = rows @ rows.T
    if not np.isfinite(products).all():
        return np.nan
    if independent:
        products[0, 1:] = products[1:, 0] = 0.0
    sizes, axes = np.linalg.eigh(products)
    kept = sizes > _TOLERANCE * sizes[-1]
    reduced = axes[:, kept] * np.sqrt(sizes[kept])
    error, squares = np.outer(reduced[0], reduced[0]), reduced[1:].T @ reduced[1:]
    sines = np.sin((_NODES + 1) * np.pi / 4) ** 2

    def excess(log_quantile: float) -> float:
        forms = np.linalg.eigvalsh(error - np.exp(2 * log_quantile) * squares)
        if not forms[-1] > 0:
            return confidence_level - 1
        ratios = np.maximum(-forms[:-1], 0) / forms[-1]
        terms = np.log1p(ratios[:, None] / sines)
        return float(_NODE_WEIGHTS @ np.exp(-terms.sum(axis=0) / 2)) / 2 - (1 - confidence_level)

    found = optimize.root_scalar(excess, bracket=(-10, 20), method="brentq", xtol=1e-9).root
    least = 0.0 if independent else float(stats.norm.ppf(0.5 + confidence_level / 2))
    return max(float(np.exp(found)), least)
