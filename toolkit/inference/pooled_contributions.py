"""What each cluster adds to the errors of effects by cohort and period, cohorts with few clusters pooled."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toolkit.inference.pooled_cohorts import EffectCells, choose_cells, pool_cohorts
from toolkit.inference.residual_changes import correct_for_residuals
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
    comparison_weights : ndarray of float, (n_clusters,)
        Weight of clusters that are treated in no cell; zero for the others.
    """

    contributions: Floats
    shares: Floats
    comparison_weights: Floats

    def scale(self, weights: Floats, whole: Floats, seen: Floats) -> tuple[Floats, Floats]:
        """Return contributions without bias for a weighted sum of the effects, and the parts of its variance.

        The variance of the sum is the sum of squares of the returned contributions times the weights. Treated
        and comparison have a correction each, and are put together after Welch. Both are missing where one
        cluster alone is treated, or alone is the comparison.

        Parameters
        ----------
        weights : ndarray of float, (n_cells,)
            Of the effects in the sum, of either sign.
        whole, seen : ndarray of float, (n_clusters, n_units, n_periods)
            See `answers_to_outcomes`.

        Returns
        -------
        scaled : ndarray of float, (n_clusters, n_cells)
        parts : ndarray of float, (n_parts,)
            See `residual_changes.studentized_quantile`.
        """
        scaled, variances, of_sides = self.contributions.copy(), [], []
        for own in (self.shares @ np.abs(weights) > 0, self.comparison_weights > 0):
            n_clusters = np.count_nonzero(own)
            if n_clusters < 2:
                return np.full_like(scaled, np.nan), np.empty(0)
            factor, parts = correct_for_residuals(
                whole[own].reshape(n_clusters, -1), seen[own].reshape(n_clusters, -1)
            )
            scaled[own] *= np.sqrt(factor)
            variances.append(float(((scaled[own] @ weights) ** 2).sum()))
            of_sides.append(parts)
        total = sum(variances)
        if not total > 0:
            return scaled, np.empty(0)
        shared = [parts * variance / total for parts, variance in zip(of_sides, variances, strict=True)]
        return scaled, np.concatenate(shared)


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
    return PooledContributions(
        contributions=contributions,
        shares=shares,
        comparison_weights=pooling.by_cluster(effects.panel.weights[:, None])[:, 0] * is_comparison,
    )


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
    by_cell = effects.panel.weights[:, None] * (np.abs(compared).sum(axis=2).T > 0)
    others = pooling.by_cluster(by_cell / by_cell.sum(axis=0))
    of_comparison = (others - pooling.by_cluster(pooling.own)) * weights
    of_rates = pooling.by_cluster(pooling.like) * weights @ pooling.rates
    seen = np.tensordot(of_comparison, compared, 1) - np.tensordot(of_rates, both, 1)
    whole = np.zeros_like(seen)
    whole[pooling.member, np.arange(len(pooling.member))] = np.tensordot(weights, both, 1)
    return whole, seen + whole


def outcome_weights(effects: GroupTimeEffects, cells: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return the weight of each outcome in the mean changes behind some effects.

    An effect is the sum of outcomes times the first less that of outcomes times the second: the treated, and
    their comparison. Both are (n_cells, n_units, n_periods). Covariates are left out of account.
    """
    panel = effects.panel
    found = np.zeros((2, len(cells), *panel.outcomes.shape))
    for place, cell in enumerate(cells):
        now, then = np.searchsorted(panel.periods, (effects.periods[cell], effects.bases[cell]))
        seen = panel.weights * np.isfinite(panel.outcomes[:, [now, then]]).all(axis=1)
        own = panel.cohorts == effects.cohorts[cell]
        for side, chosen in enumerate((own, ~own & (panel.cohorts >= effects.comparisons[cell]))):
            shares = chosen * seen / (chosen * seen).sum()
            found[side, place, :, now] += shares
            found[side, place, :, then] -= shares
    return found[0], found[1]


def pool_rates(cells: EffectCells, pools: NDArray[np.intp], like: Floats) -> Floats:
    """Return what its pool says of each effect, as a sum of the effects, (n_cells, n_cells).

    `like` is the sum of weights of the treated of each cell, (n_cells,), or of weights times levels: then it
    is what the pool says of the effect per level.
    """
    sizes = cells.panel.weights @ cells.of_unit()
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
    chosen = choose_cells(effects, cells)
    _, member = np.unique(np.asarray(clusters), return_inverse=True)
    own = chosen.of_unit() * effects.panel.weights[:, None]
    like = own if levels is None else own * levels[:, None]
    rates = pool_rates(chosen, pool_cohorts(chosen, member), like.sum(axis=0))
    sizes = own.sum(axis=0)
    return _Pooling(member, own / sizes, like / sizes, rates)
