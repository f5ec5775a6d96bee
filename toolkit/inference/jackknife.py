"""Jackknife over clusters: bias and standard errors of any function of a sample."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
        Missing where an estimate is missing without some cluster.
    pseudo_values : ndarray of float, (n_folds, n_estimates)
        What each fold contributes; their means are `corrected`.
    n_folds : int
        Clusters, or sets of clusters, left out one at a time.
    """

    plain: Floats
    corrected: Floats
    std_errors: Floats
    pseudo_values: Floats
    n_folds: int


def jackknife_clusters(
    statistic: Statistic, clusters: ArrayLike, *, most_folds: int = 100, seed: int = 1
) -> Jackknife:
    """Leave out one cluster at a time; with many clusters, one of equal random sets of them.

    Parameters
    ----------
    statistic : callable
        From positions of units to estimates, (n_estimates,); it must be a smooth function of means.
    clusters : array_like, (n_units,)
        Cluster of each unit; clusters are taken as independent.
    most_folds : int
        Evaluations beside the one on the whole sample.
    seed : int
        Seed of the random sets.

    References
    ----------
    Tukey's pseudo-values; Efron, B. and Stein, C. (1981). The jackknife estimate of variance. Annals of
    Statistics 9(3), 586-596.
    """
    labels, member = np.unique(np.asarray(clusters), return_inverse=True)
    n_folds = min(len(labels), most_folds)
    if n_folds < 2:
        raise ValueError("a jackknife needs two clusters or more")
    fold_of = np.arange(len(labels)) % n_folds
    if len(labels) > most_folds:
        fold_of = np.random.default_rng(seed).permutation(fold_of)
    fold = fold_of[member]
    plain = np.asarray(statistic(np.arange(len(member))), dtype=float)
    without = np.array(
        [np.asarray(statistic(np.flatnonzero(fold != one)), dtype=float) for one in range(n_folds)]
    )
    pseudo = n_folds * plain - (n_folds - 1) * without
    return Jackknife(
        plain=plain,
        corrected=pseudo.mean(axis=0),
        std_errors=pseudo.std(axis=0, ddof=1) / np.sqrt(n_folds),
        pseudo_values=pseudo,
        n_folds=n_folds,
    )
