"""Covariance of estimates from their influence functions, summed by cluster."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse, stats

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClusterInfluence:
    """What each cluster adds to the error of each estimate.

    Attributes
    ----------
    clusters : ndarray, (n_clusters,)
        Labels, increasing.
    contributions : ndarray of float, (n_clusters, n_estimates)
        Sum of the influence in the cluster over the number of units: an estimate minus its limit is
        about the sum of its column.
    """

    clusters: NDArray
    contributions: Floats

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return len(self.clusters)


def sum_influence(influence: ArrayLike, clusters: ArrayLike) -> ClusterInfluence:
    """Sum influence functions by cluster.

    Parameters
    ----------
    influence : array_like, (n_units,) or (n_units, n_estimates)
        Scaled so that an estimate minus its limit is about the mean of its column over the units.
    clusters : array_like, (n_units,)
        Cluster of each unit: the level at which the treatment was assigned, such as the school group.

    Raises
    ------
    ValueError
        If a value is missing or the lengths differ.
    """
    values = np.asarray(influence, dtype=float)
    values = values[:, None] if values.ndim == 1 else values
    own = np.asarray(clusters)
    if own.shape != (len(values),):
        raise ValueError(f"{own.shape} cluster labels for {len(values)} units")
    if not np.isfinite(values).all():
        raise ValueError("the influence must be finite: leave refused estimates out before")
    labels, member = np.unique(own, return_inverse=True)
    units = np.arange(len(values))
    membership = sparse.csr_matrix((np.ones(len(values)), (member, units)), shape=(len(labels), len(values)))
    sums = np.asarray(membership @ values)
    sums /= len(values)
    return ClusterInfluence(labels, sums)


def align_clusters(parts: Sequence[ClusterInfluence]) -> ClusterInfluence:
    """Put estimates of several samples side by side on all their clusters.

    A cluster that is absent from a sample adds nothing to its estimates. Draws made from the result are
    shared by the estimates, and keep their correlation.
    """
    labels = np.unique(np.concatenate([part.clusters for part in parts]))
    blocks = []
    for part in parts:
        block = np.zeros((len(labels), part.contributions.shape[1]))
        block[np.searchsorted(labels, part.clusters)] = part.contributions
        blocks.append(block)
    return ClusterInfluence(labels, np.column_stack(blocks))


def inflate_by_side(influence: ClusterInfluence, side: ArrayLike) -> ClusterInfluence:
    """Multiply contributions by the root of m / (m - 1), with m the clusters on the same side.

    A mean over m clusters takes one degree of freedom from them. The factor G / (G - 1) of all clusters
    does not see that few are treated; this one does, and makes the variance of a difference of means of
    equal clusters that of Welch's test.

    Parameters
    ----------
    influence : ClusterInfluence
        Contributions of the clusters.
    side : array_like, (n_clusters,)
        Treated or comparison, or the cohort, of each cluster in the order of `influence.clusters`.

    Raises
    ------
    ValueError
        If a side has a single cluster: its variance is unknown.
    """
    _, member, counts = np.unique(np.asarray(side), return_inverse=True, return_counts=True)
    if len(member) != influence.n_clusters:
        raise ValueError(f"{len(member)} sides for {influence.n_clusters} clusters")
    if (counts < 2).any():
        raise ValueError("a side with a single cluster has no variance")
    factor = np.sqrt(counts / (counts - 1))[member]
    return ClusterInfluence(influence.clusters, influence.contributions * factor[:, None])


def cluster_covariance(influence: ClusterInfluence, *, few_clusters_factor: bool = False) -> Floats:
    """Estimate the covariance of the estimates, robust to any dependence within clusters.

    Parameters
    ----------
    influence : ClusterInfluence
        Contributions are not centred: over all clusters those of a just-identified estimate add to zero.
    few_clusters_factor : bool
        Multiply by G / (G - 1), with G clusters. Off is the convention of the R package did and of
        csdid; on that of diff-diff and of Stata.

    Returns
    -------
    ndarray of float, (n_estimates, n_estimates)

    Raises
    ------
    ValueError
        If there are fewer than two clusters.
    """
    if influence.n_clusters < 2:
        raise ValueError("a covariance needs two clusters")
    covariance = influence.contributions.T @ influence.contributions
    if few_clusters_factor:
        covariance *= influence.n_clusters / (influence.n_clusters - 1)
    return covariance


def cluster_std_errors(influence: ClusterInfluence, *, few_clusters_factor: bool = False) -> Floats:
    """Return standard errors, (n_estimates,); see `cluster_covariance`."""
    return np.sqrt(np.diag(cluster_covariance(influence, few_clusters_factor=few_clusters_factor)))


def design_variances(weights: ArrayLike, clusters: ArrayLike, *, correlation: float = 1.0) -> Floats:
    """Compute the variance that each cluster adds to a linear estimate, whatever the outcome turns out to be.

    Parameters
    ----------
    weights : array_like, (n_units,)
        The estimate is the sum of weight times the unit's outcome (or its change).
    clusters : array_like, (n_units,)
        Cluster of each unit.
    correlation : float
        Assumed correlation of two units of a cluster, of equal variance. One is the conservative
        choice of Carter, Schnepel and Steigerwald.

    Returns
    -------
    ndarray of float, (n_clusters,)
        In the unit of the variance of one unit's outcome.
    """
    if not 0 <= correlation <= 1:
        raise ValueError(f"correlation must be in [0, 1], not {correlation}")
    values = np.asarray(weights, dtype=float)
    _, member = np.unique(np.asarray(clusters), return_inverse=True)
    totals, squares = np.bincount(member, values), np.bincount(member, values**2)
    return (1 - correlation) * squares + correlation * totals**2


def effective_clusters(variances: ArrayLike) -> float:
    """Compute the effective number of clusters from the variance that each cluster adds.

    G* = (sum of v)² / (sum of v²) = 1 / (sum of squared shares) = G / (1 + squared coefficient of
    variation of v): G for equal clusters, near the number of treated clusters when they are few and
    carry the variance. It equals Satterthwaite's degrees of freedom of the sum of v, each estimated by
    one squared normal contribution.

    Parameters
    ----------
    variances : array_like, (n_clusters,)
        Expected, not realised, variances, such as those of `design_variances`; take those of the
        treated clusters alone for the effective number of treated clusters.

    Raises
    ------
    ValueError
        If none is above zero, or one is below.

    References
    ----------
    Carter, A. V., Schnepel, K. T. and Steigerwald, D. G. (2017). Asymptotic behavior of a t-test robust
    to cluster heterogeneity. Review of Economics and Statistics 99(4), 698-709.
    """
    values = np.asarray(variances, dtype=float)
    if (values < 0).any() or not values.sum() > 0:
        raise ValueError("variances must not be negative, and one must be above zero")
    shares = values / values.sum()
    return float(1 / (shares @ shares))


def influence_effective_clusters(contributions: ArrayLike) -> float:
    """Compute the effective number of clusters from squared contributions: 1 / (sum of squared shares).

    Simple and conservative: realised squares vary more than their expectation, so that G equal clusters
    of normal contributions give about G / 3. `debiased_effective_clusters` takes this out.

    Parameters
    ----------
    contributions : array_like, (n_clusters,)
        Column of `ClusterInfluence.contributions`, or its rows of treated clusters.
    """
    return effective_clusters(np.asarray(contributions, dtype=float) ** 2)


def debiased_effective_clusters(contributions: ArrayLike) -> float:
    """Estimate (sum of v)² / (sum of v²) from contributions of variance v, taken as normal.

    A normal contribution c has E c⁴ = 3 v², so (sum of c⁴) / 3 stands for the sum of v² and is taken out
    twice of (sum of c²)²: G* = 3 (sum of c²)² / (sum of c⁴) - 2, at most the number of clusters with
    a contribution.

    Parameters
    ----------
    contributions : array_like, (n_clusters,)
        As in `influence_effective_clusters`.
    """
    values = np.asarray(contributions, dtype=float)
    return min(3 * influence_effective_clusters(values) - 2, float(np.count_nonzero(values)))


def degrees_of_freedom(effective: float) -> float:
    """Return the degrees of freedom of a t-statistic: effective clusters less one, at least one.

    With few treated and many comparison clusters this is Welch's number, treated clusters less one.
    """
    return max(effective - 1.0, 1.0)


def t_interval(
    estimate: float, std_error: float, degrees: float, *, confidence_level: float = 0.95
) -> tuple[float, float]:
    """Return estimate minus and plus the t quantile times the standard error."""
    half = float(stats.t.ppf(0.5 + confidence_level / 2, degrees)) * std_error
    return estimate - half, estimate + half
