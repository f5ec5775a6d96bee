"""Variance of a weighted sum of changes of which only what is left after taking out means is seen."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def answers_by_cluster(
    answers: Floats, weights: Floats, levels: Floats | None, member: NDArray[np.intp], n_clusters: int
) -> Floats:
    """Return how the sums of clusters answer to the change of each unit, and how they are seen to.

    Parameters
    ----------
    answers : ndarray of float, (n_units,)
        How the sum over all units answers to the change of each.
    weights : ndarray of float, (n_units,)
        The mean of the changes with these weights is taken out of each.
    levels : ndarray of float, (n_units,), or None
        In proportion to weight times level, the sum over all clusters is taken out of each of them, too.
    member : ndarray of int, (n_units,)
        Cluster of each unit.
    n_clusters : int
        Clusters; some may have no unit here.

    Returns
    -------
    whole_and_seen : ndarray of float, (2, n_clusters, n_units)
    """
    whole = np.zeros((n_clusters, len(answers)))
    whole[member, np.arange(len(answers))] = answers
    if not len(answers):
        return np.stack([whole, whole])
    seen = whole - np.outer(whole.sum(axis=1), weights / weights.sum())
    if levels is not None:
        parts = np.bincount(member, weights * levels, n_clusters)
        seen -= np.outer(parts / parts.sum(), seen.sum(axis=0))
    return np.stack([whole, seen])


def correct_for_residuals(whole: Floats, seen: Floats) -> tuple[float, float]:
    """Return by what squared sums of clusters are too small, and their degrees of freedom.

    Parameters
    ----------
    whole, seen : ndarray of float, (n_clusters, n_units)
        How the sums of clusters answer to the change of each unit, and how they are seen to.

    Returns
    -------
    factor, degrees : float
        Variance of the sum over the mean of the sum of squares seen, and the degrees of freedom of that after
        Satterthwaite: both for changes that are independent and of equal variance. Missing, and zero, where
        nothing is seen.

    References
    ----------
    Bell, R. M. and McCaffrey, D. F. (2002). Bias reduction in standard errors for linear regression with
    multi-stage samples. Survey Methodology 28(2), 169-181.
    """
    of_clusters = seen @ seen.T
    mean = float(np.trace(of_clusters))
    if not mean > 1e-12 * float((whole**2).sum()):
        return np.nan, 0.0
    return float((whole**2).sum()) / mean, mean**2 / float((of_clusters**2).sum())
