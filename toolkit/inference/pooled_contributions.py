"""What each cluster adds to the errors of effects by cohort and period, cohorts with few clusters pooled."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toolkit.inference.pooled_cohorts import choose_cells, pool_cohorts
from toolkit.models.group_time import GroupTimeEffects

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PooledContributions:
    """Contributions of the clusters to the errors of several effects.

    Attributes
    ----------
    contributions : ndarray of float, (n_clusters, n_cells)
        An effect minus its limit is about the sum of its column, before the factor for few clusters.
    shares : ndarray of float, (n_clusters, n_cells)
        Share of each cluster in the weight of the treated of each cell.
    pools : ndarray of int, (n_clusters,)
        Pool of cohorts, or -1 for the comparison, whose mean was taken out of the cluster.
    comparison_weights : ndarray of float, (n_clusters,)
        Weight of clusters that are treated in no cell; zero for the others.
    """

    contributions: Floats
    shares: Floats
    pools: NDArray[np.int64]
    comparison_weights: Floats

    def scale(self, weights: Floats, corrections: Sequence[tuple[float, float]]) -> tuple[Floats, float]:
        """Return contributions without bias for a weighted sum of the effects, and its degrees of freedom.

        The variance of the sum is the sum of squares of the returned contributions times the weights; treated
        and comparison are put together after Welch. Both are missing where one cluster alone is treated, or
        alone is the comparison.

        Parameters
        ----------
        weights : ndarray of float, (n_cells,)
            Of the effects in the sum, of either sign.
        corrections : sequence of (float, float)
            By what the squares of the treated and of the comparison are too small, and their degrees of
            freedom: of `pooled_cohorts.small_pool_factor` where the error of a cluster grows with its weight
            alone, or of `residual_changes.correct_for_residuals`.

        Returns
        -------
        scaled : ndarray of float, (n_clusters, n_cells)
        degrees : float
        """
        scaled, variances, freedoms = self.contributions.copy(), [], []
        sides = (self.shares @ np.abs(weights), self.comparison_weights)
        for side, (factor, freedom) in zip(sides, corrections, strict=True):
            own = side > 0
            if np.count_nonzero(own) < 2:
                return np.full_like(scaled, np.nan), np.nan
            scaled[own] *= np.sqrt(factor)
            variances.append(float(((scaled[own] @ weights) ** 2).sum()))
            freedoms.append(freedom)
        spread = sum(part**2 / freedom for part, freedom in zip(variances, freedoms, strict=True) if freedom)
        return scaled, sum(variances) ** 2 / spread if spread else np.nan


def pool_contributions(
    effects: GroupTimeEffects,
    clusters: ArrayLike,
    cells: NDArray[np.intp],
    *,
    levels: Floats | None = None,
) -> PooledContributions:
    """Return what each cluster adds to the errors of some effects.

    Parameters
    ----------
    effects : GroupTimeEffects
        Of one block, such as a county.
    clusters : array_like, (n_units,)
        Cluster of each unit of `effects.panel`; no cluster holds treated and never-treated units.
    cells : ndarray of int, (n_cells,)
        Positions of identified effects of treated periods.
    levels : ndarray of float, (n_units,), optional
        What the effects on the units of a pool are taken to be in proportion to, not below zero. By default
        they are taken to be equal.

    Notes
    -----
    For few cells and units: arrays of units times cells are held. Cohorts of a single cluster are pooled as
    in `estimate_pooled_average`; if their effects differ otherwise, the difference counts as error.
    """
    panel, chosen = effects.panel, choose_cells(effects, cells)
    labels, member = np.unique(np.asarray(clusters), return_inverse=True)
    of_pool = pool_cohorts(chosen, member)
    own = chosen.of_unit() * panel.weights[:, None]
    sizes = own.sum(axis=0)
    like = own if levels is None else own * levels[:, None]
    _, of_time = np.unique(chosen.times, return_inverse=True)
    of_rate = of_time * (of_pool.max() + 1) + of_pool
    with np.errstate(invalid="ignore"):
        rates = np.bincount(of_rate, sizes * chosen.effects) / np.bincount(of_rate, like.sum(axis=0))
    of_cells = np.zeros((len(effects.effects), len(cells)))
    of_cells[cells, np.arange(len(cells))] = 1.0
    # The influence has taken the mean of its own cohort out of each unit: back to that of the pool.
    errors = effects.combine_influence(of_cells) / panel.n_units
    errors += (own * chosen.effects - like * rates[of_rate]) / sizes
    shares = _sums(own / sizes, member, len(labels))
    contributions = _sums(errors, member, len(labels))
    is_comparison = (shares == 0).all(axis=1) & (contributions != 0).any(axis=1)
    by_pool = np.column_stack([shares[:, of_pool == pool].sum(axis=1) for pool in np.unique(of_pool)])
    return PooledContributions(
        contributions=contributions,
        shares=shares,
        pools=np.where(is_comparison, -1, by_pool.argmax(axis=1)),
        comparison_weights=np.bincount(member, panel.weights) * is_comparison,
    )


def _sums(values: Floats, member: NDArray[np.intp], n_clusters: int) -> Floats:
    """Return sums by cluster, (n_clusters, n_columns)."""
    sums = np.zeros((n_clusters, values.shape[1]))
    np.add.at(sums, member, values)
    return sums
