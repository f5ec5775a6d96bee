"""Jackknife over clusters: bias and standard errors of any function of a sample."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toolkit.inference.clusters import degrees_of_freedom, effective_clusters

Floats = NDArray[np.float64]
Statistic = Callable[[NDArray[np.intp]], ArrayLike]


@dataclass(frozen=True, slots=True)
class Jackknife:
    """Estimates with the bias of order one over the number of clusters taken out.

    Attributes
    ----------
    plain, corrected : ndarray of float, (n_estimates,)
        On the whole sample, and less the estimated bias.
    std_errors : ndarray of float, (n_estimates,)
        Missing, as `corrected`, where an estimate is missing without some cluster or a stratum has a
        single one.
    degrees : ndarray of float, (n_estimates,)
        Degrees of freedom: effective folds of each stratum, by weight, less one, put together after
        Welch and Satterthwaite. Missing where the standard error is missing or zero.
    n_folds : int
        Clusters, or sets of clusters, left out one at a time.
    """

    plain: Floats
    corrected: Floats
    std_errors: Floats
    degrees: Floats
    n_folds: int


def jackknife_clusters(
    statistic: Statistic,
    clusters: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    most_folds: int = 60,
    seed: int = 1,
) -> Jackknife:
    """Leave out one cluster at a time; with many clusters, one of equal random sets of them.

    Parameters
    ----------
    statistic : callable
        From positions of units to estimates, (n_estimates,); it must be a smooth function of means.
    clusters : array_like, (n_units,)
        Cluster of each unit; clusters are taken as independent.
    strata : array_like, (n_units,), optional
        Stratum of each unit, the same within a cluster, such as treated or not. The number of clusters in
        a stratum is then taken as given, and how many there are of each adds nothing to the error.
    weights : array_like, (n_units,), optional
        Weights for the degrees of freedom alone; equal by default.
    most_folds : int
        Evaluations per stratum, beside the one on the whole sample.
    seed : int
        Seed of the random sets.

    Raises
    ------
    ValueError
        If there is a single cluster, or a cluster lies in two strata.

    References
    ----------
    Tukey's pseudo-values; Efron, B. and Stein, C. (1981). The jackknife estimate of variance. Annals of
    Statistics 9(3), 586-596.
    """
    labels, first, member = np.unique(np.asarray(clusters), return_index=True, return_inverse=True)
    if len(labels) < 2:
        raise ValueError("a jackknife needs two clusters or more")
    of_unit = np.zeros(len(member)) if strata is None else np.asarray(strata)
    stratum = of_unit[first]
    if (stratum[member] != of_unit).any():
        raise ValueError("a cluster lies in two strata")
    sizes = np.bincount(member, np.ones(len(member)) if weights is None else np.asarray(weights, dtype=float))
    plain = np.asarray(statistic(np.arange(len(member))), dtype=float)
    rng = np.random.default_rng(seed)
    corrected, variances, freedoms, n_folds = plain.copy(), [], [], 0
    for label in np.unique(stratum):
        own = np.flatnonzero(stratum == label)
        fold = np.full(len(labels), -1)
        fold[own] = _folds(len(own), most_folds, rng)
        count = fold.max() + 1
        left_out = [np.flatnonzero(fold[member] != one) for one in range(count)]
        without = np.array([np.asarray(statistic(units), dtype=float) for units in left_out])
        pseudo = count * plain - (count - 1) * without
        corrected += pseudo.mean(axis=0) - plain
        is_known = count > 1
        variances.append(pseudo.var(axis=0, ddof=1) / count if is_known else np.full(len(plain), np.nan))
        freedoms.append(degrees_of_freedom(effective_clusters(np.bincount(fold[own], sizes[own]))))
        n_folds += count
    parts = np.array(variances)
    variance = parts.sum(axis=0)
    spread = (parts**2 / np.array(freedoms)[:, None]).sum(axis=0)
    return Jackknife(
        plain=plain,
        corrected=np.where(np.isfinite(variance), corrected, np.nan),
        std_errors=np.sqrt(variance),
        degrees=np.divide(variance**2, spread, out=np.full(len(plain), np.nan), where=spread > 0),
        n_folds=n_folds,
    )


def _folds(n_clusters: int, most_folds: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return the fold of each cluster of a stratum: its own, or one of equal random sets."""
    if n_clusters <= most_folds:
        return np.arange(n_clusters)
    return rng.permutation(np.arange(n_clusters) % most_folds)
