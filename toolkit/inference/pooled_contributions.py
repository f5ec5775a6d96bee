"""What each cluster adds to the errors of effects by cohort and period, cohorts with few clusters pooled."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toolkit.inference.pooled_cohorts import EffectCells, choose_cells, pool_cohorts
from toolkit.inference.residual_changes import factor_of_residuals
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
    is_comparison : ndarray of bool, (n_clusters,)
        Clusters that are treated in no cell, and compared with in some.
    """

    contributions: Floats
    shares: Floats
    is_comparison: NDArray[np.bool_]

    def factors(self, weights: Floats, whole: Floats, seen: Floats) -> Floats:
        """Return by what contributions to a weighted sum of the effects are too small, (n_clusters,).

        Treated and comparison have a factor each. With them the variance of the sum is the sum of squares of
        the contributions times the weights. Missing where one cluster alone is treated, or alone is the
        comparison.

        Parameters
        ----------
        weights : ndarray of float, (n_cells,)
            Of the effects in the sum, of either sign.
        whole, seen : ndarray of float, (n_clusters, n_units, n_periods)
            See `answers_to_outcomes`.
        """
        found = np.ones(len(self.contributions))
        for own in (self.shares @ np.abs(weights) > 0, self.is_comparison):
            enough = np.count_nonzero(own) > 1
            factor = factor_of_residuals(whole[own], seen[own]) if enough else np.nan
            if np.isnan(factor):
                return np.full_like(found, np.nan)
            found[own] = np.sqrt(factor)
        return found


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
    pooling = _pool(effects, clusters, cells, levels)
    of_cells = np.zeros((len(effects.effects), len(cells)))
    of_cells[cells, np.arange(len(cells))] = 1.0
    # The influence has taken the mean of its own cohort out of each unit: back to that of the pool.
    found = effects.effects[cells]
    errors = effects.combine_influence(of_cells) / effects.panel.n_units
    errors += pooling.own * found - pooling.like * (pooling.rates @ found)
    shares, contributions = pooling.by_cluster(pooling.own), pooling.by_cluster(errors)
    is_comparison = (shares == 0).all(axis=1) & (contributions != 0).any(axis=1)
    return PooledContributions(contributions, shares, is_comparison)


def answers_to_outcomes(
    effects: GroupTimeEffects,
    clusters: ArrayLike,
    cells: NDArray[np.intp],
    weights: Floats,
    *,
    levels: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Return how a weighted sum of effects, and the contributions to it, answer to each outcome.

    Parameters
    ----------
    effects, clusters, cells, levels
        See `pool_contributions`. Covariates are left out of account.
    weights : ndarray of float, (n_cells,)
        Of the effects in the sum.

    Returns
    -------
    whole, seen : ndarray of float, (n_clusters, n_units, n_periods)
        The sum of the effects is that of the outcomes times the first, each cluster with its own units; the
        contribution of a cluster to it is the sum of the outcomes times its second.
    """
    pooling = _pool(effects, clusters, cells, levels)
    treated, compared = outcome_weights(effects, cells)
    both = treated - compared
    # A cluster is seen as what it adds less its share in what was taken out: the mean of the comparison, and
    # for the treated what the pool says of the effect.
    others = pooling.by_cluster(np.maximum(compared, 0).sum(axis=2).T)
    of_comparison = (others - pooling.by_cluster(pooling.own)) * weights
    of_rates = pooling.by_cluster(pooling.like) * weights @ pooling.rates
    seen = np.tensordot(of_comparison, compared, 1) - np.tensordot(of_rates, both, 1)
    whole = np.zeros_like(seen)
    whole[pooling.member, np.arange(len(pooling.member))] = np.tensordot(weights, both, 1)
    return whole, seen + whole


def outcome_weights(effects: GroupTimeEffects, cells: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return the weight of each outcome in the mean changes behind some effects.

    An effect is the sum of outcomes times the first less that of outcomes times the second: the treated, and
    their comparison. Both are (n_cells, n_units, n_periods). Covariates are left out of account. The cells
    are of treated periods, and of one block of units.
    """
    panel = effects.panel
    if len(np.unique(effects.unit_blocks)) > 1:
        raise ValueError("units of several blocks: each block has a comparison of its own")
    found = np.zeros((2, len(cells), *panel.outcomes.shape))
    for place, cell in enumerate(cells):
        now, then = np.searchsorted(panel.periods, (effects.periods[cell], effects.bases[cell]))
        seen = panel.weights * np.isfinite(panel.outcomes[:, [now, then]]).all(axis=1)
        own = panel.cohorts == effects.cohorts[cell]
        for side, chosen in enumerate((own, ~own & (panel.cohorts >= effects.comparisons[cell]))):
            with np.errstate(invalid="ignore"):
                shares = chosen * seen / (chosen * seen).sum()
            found[side, place, :, now] += shares
            found[side, place, :, then] -= shares
    return found[0], found[1]


def pool_rates(cells: EffectCells, pools: NDArray[np.intp], sizes: Floats, like: Floats) -> Floats:
    """Return what its pool says of each effect, as a sum of the effects, (n_cells, n_cells).

    `sizes` is the sum of weights of the treated of each cell, (n_cells,); `like` the same, or that of weights
    times levels: then it is what the pool says of the effect per level.
    """
    together = (cells.times[:, None] == cells.times) & (pools[:, None] == pools)
    with np.errstate(invalid="ignore", divide="ignore"):
        return together * sizes / (together @ like)[:, None]


@dataclass(frozen=True, slots=True)
class _Pooling:
    """How the effects of a pool of cohorts are put together.

    Cluster of each unit; share of each unit in the treated of each cell, and the same times its level,
    (n_units, n_cells); what its pool says of each effect, see `pool_rates`.
    """

    member: NDArray[np.intp]
    own: Floats
    like: Floats
    rates: Floats

    def by_cluster(self, values: Floats) -> Floats:
        """Return sums by cluster, (n_clusters, n_columns)."""
        sums = np.zeros((int(self.member.max()) + 1, values.shape[1]))
        np.add.at(sums, self.member, values)
        return sums


def _pool(
    effects: GroupTimeEffects, clusters: ArrayLike, cells: NDArray[np.intp], levels: Floats | None
) -> _Pooling:
    panel, chosen = effects.panel, choose_cells(effects, cells)
    _, member = np.unique(np.asarray(clusters), return_inverse=True)
    is_seen = np.isfinite(panel.outcomes)
    now, then = (np.searchsorted(panel.periods, at[cells]) for at in (effects.periods, effects.bases))
    own = chosen.of_unit() * is_seen[:, now] * is_seen[:, then] * panel.weights[:, None]
    like = own if levels is None else own * levels[:, None]
    sizes = own.sum(axis=0)
    rates = pool_rates(chosen, pool_cohorts(chosen, member), sizes, like.sum(axis=0))
    with np.errstate(invalid="ignore"):
        return _Pooling(member, own / sizes, like / sizes, rates)
