"""Variance of an average effect when cohorts have too few clusters to have a variance of their own."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toolkit.inference.clusters import t_interval
from toolkit.models.group_time import AdoptionPanel, GroupTimeEffects

Floats = NDArray[np.float64]
TOLERANCE = 1e-12


@dataclass(frozen=True, slots=True)
class PooledAverage:
    """An average effect with a variance that compares treated clusters across cohorts.

    Attributes
    ----------
    effect : float
        Mean over the event times, each with equal weight, of the effects weighted by size of the cohort.
    std_error : float
        Clustered, without bias for treated clusters of equal variance. Missing where one cluster alone is
        treated, or alone is the comparison.
    degrees : float
        Degrees of freedom after Welch and Satterthwaite; missing where outcomes have no spread.
    effective_treated : float
        Degrees of freedom of the treated clusters plus one: their number, if they weigh the same.
    """

    effect: float
    std_error: float
    degrees: float
    effective_treated: float

    def interval(self, confidence_level: float = 0.95) -> tuple[float, float]:
        """Return the t interval."""
        return t_interval(self.effect, self.std_error, self.degrees, confidence_level=confidence_level)


@dataclass(frozen=True, slots=True)
class EffectCells:
    """Identified effects by cohort and period that are averaged.

    Attributes
    ----------
    panel : AdoptionPanel
        Units that entered.
    unit_blocks : ndarray of int, (n_units,)
        Block of each unit, within which it is compared.
    effects, cohorts, times : ndarray of float, (n_cells,)
        Effect of each cell, its cohort, and its time since adoption.
    blocks : ndarray of int, (n_cells,)
        Block of each cell.
    combine : callable
        From weights of the cells, (n_cells,), to what each unit adds to the error of their sum, (n_units,).
    """

    panel: AdoptionPanel
    unit_blocks: NDArray[np.int64]
    effects: Floats
    cohorts: Floats
    times: Floats
    blocks: NDArray[np.int64]
    combine: Callable[[Floats], Floats]

    def of_unit(self) -> NDArray[np.bool_]:
        """Say of which cells each unit is the treated, (n_units, n_cells)."""
        panel = self.panel
        return (panel.cohorts[:, None] == self.cohorts) & (self.unit_blocks[:, None] == self.blocks)


def estimate_pooled_average(
    effects: GroupTimeEffects, clusters: ArrayLike, *, first: float = 0.0, last: float = np.inf
) -> PooledAverage:
    """Estimate the average effect over some event times, and its variance from all treated clusters.

    The influence function takes the mean of its own cohort out of each cluster: a cluster that adopts alone
    in its year seems to add nothing to the variance, and a cohort of two half of what it does. Here every
    cohort pays for its mean by a factor and a degree of freedom, and cohorts of a single cluster are pooled:
    what is taken out of them is their common mean at the same event time. A single one is pooled with the
    smallest other cohort. If the effects of pooled cohorts differ, the difference counts as error: the
    interval is then too wide, never too narrow.

    Parameters
    ----------
    effects : GroupTimeEffects
        Refused cells are left out.
    clusters : array_like, (n_units,)
        Cluster of each unit of `effects.panel`; no cluster holds treated and never-treated units.
    first, last : float
        First and last event time of the average; by default all from adoption on.

    Raises
    ------
    ValueError
        If no effect of these event times is identified.

    Notes
    -----
    Factor and degrees of freedom are those of clusters of equal variance with the weights that they have in
    the estimate: m / (m - 1) and m - 1 for m clusters of equal weight in one cohort. Treated and comparison
    clusters are put together after Welch. The cohorts and the comparison of different blocks are apart. The
    sizes of the cohorts are taken as given: the effect is that on the units that were treated.

    References
    ----------
    Welch, B. L. (1947). The generalization of 'Student's' problem when several different population variances
    are involved. Biometrika 34, 28-35.
    Satterthwaite, F. E. (1946). An approximate distribution of estimates of variance components. Biometrics
    Bulletin 2, 110-114.
    """
    times = np.round(effects.event_times, 9)
    cells = np.flatnonzero(np.isfinite(effects.effects) & (times >= first) & (times <= last))
    if not len(cells):
        raise ValueError("no effect of these event times is identified")
    return pool_cells(choose_cells(effects, cells), clusters)


def choose_cells(effects: GroupTimeEffects, cells: NDArray[np.intp]) -> EffectCells:
    """Return some identified effects by their positions."""
    return EffectCells(
        panel=effects.panel,
        unit_blocks=effects.unit_blocks,
        effects=effects.effects[cells],
        cohorts=effects.cohorts[cells],
        times=np.round(effects.event_times[cells], 9),
        blocks=effects.blocks[cells],
        combine=lambda weights: _summed_influence(effects, cells, weights),
    )


def _summed_influence(effects: GroupTimeEffects, cells: NDArray[np.intp], weights: Floats) -> Floats:
    """Return what each unit adds to the error of a sum of some cells, (n_units,)."""
    of_all = np.zeros((len(effects.effects), 1))
    of_all[cells, 0] = weights
    return effects.combine_influence(of_all)[:, 0] / effects.panel.n_units


def pool_cells(cells: EffectCells, clusters: ArrayLike) -> PooledAverage:
    """Average cells and pool their cohorts; see `estimate_pooled_average`."""
    panel, values = cells.panel, cells.effects
    _, member = np.unique(np.asarray(clusters), return_inverse=True)
    of_unit = cells.of_unit()
    sizes = panel.weights @ of_unit
    at, of_time = np.unique(cells.times, return_inverse=True)
    weights = sizes / np.bincount(of_time, sizes)[of_time] / len(at)
    of_pool = pool_cohorts(cells, member)
    # Weight of each unit in each cell of the estimate, among the treated.
    shares = of_unit * panel.weights[:, None] * (weights / sizes)
    errors = cells.combine(weights) + shares @ from_pooled_means(cells, of_pool)
    contributions = np.bincount(member, errors).astype(np.float64)
    by_pool = np.column_stack(
        [np.bincount(member, shares[:, of_pool == pool].sum(axis=1)) for pool in np.unique(of_pool)]
    )
    treated, pool = by_pool.sum(axis=1), by_pool.argmax(axis=1)
    if np.count_nonzero(treated) < 2:
        return PooledAverage(float(weights @ values), np.nan, np.nan, 1.0)
    others = (treated == 0) & (np.abs(contributions) > 0)
    if len(np.unique(member[np.isinf(panel.cohorts)])) == 1:
        # A comparison that is one cluster has a variance that nothing shows: it must not pass for none.
        return PooledAverage(float(weights @ values), np.nan, np.nan, 1.0)
    parts = [_side(contributions[treated > 0], treated[treated > 0], pool[treated > 0])]
    if np.count_nonzero(others) > 1:
        block = np.zeros(len(contributions), dtype=np.intp)
        block[member] = cells.unit_blocks
        # Within a block they count by their weight, and blocks by that of their treated.
        sizes_of_others = np.bincount(member, panel.weights) * others
        in_block = np.bincount(block, sizes_of_others)
        by_treated = np.bincount(block, treated) / np.where(in_block > 0, in_block, 1.0)
        weights_of_others = sizes_of_others * by_treated[block]
        parts.append(_side(contributions[others], weights_of_others[others], block[others]))
    variance = sum(part for part, _ in parts)
    spread = sum(part**2 / freedom for part, freedom in parts if freedom)
    degrees = variance**2 / spread if spread else np.nan
    return PooledAverage(
        effect=float(weights @ values),
        std_error=float(np.sqrt(variance)),
        degrees=float(degrees),
        effective_treated=parts[0][1] + 1,
    )


def pool_cohorts(cells: EffectCells, member: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the pool of each cell: its cohort, or the common one of cohorts with a single cluster.

    The cohorts of different blocks are different cohorts. `member` is the cluster of each unit.
    """
    keys = np.column_stack([cells.blocks.astype(np.float64), cells.cohorts])
    of_unit = cells.of_unit()
    _, first, cohort = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    counts = np.array([len(np.unique(member[of_unit[:, cell]])) for cell in first])
    is_single = counts == 1
    if np.count_nonzero(is_single) == 1 and len(counts) > 1:
        is_single[np.argmin(np.where(is_single, counts.max() + 1, counts))] = True
    return np.where(is_single, 0, 1 + np.arange(len(counts)))[cohort.reshape(-1)]


def from_pooled_means(cells: EffectCells, of_pool: NDArray[np.intp]) -> Floats:
    """Return the effect of each cell less the mean of its pool at the same time since adoption."""
    sizes = cells.panel.weights @ cells.of_unit()
    _, of_time = np.unique(cells.times, return_inverse=True)
    of_mean = of_time * (of_pool.max() + 1) + of_pool
    means = np.bincount(of_mean, sizes * cells.effects)[of_mean] / np.bincount(of_mean, sizes)[of_mean]
    return cells.effects - means


def _side(contributions: Floats, weights: Floats, pool: NDArray[np.intp]) -> tuple[float, float]:
    """Return the variance that one side adds and its degrees of freedom."""
    factor, freedom = small_pool_factor(weights, pool)
    return factor * float(contributions @ contributions), freedom


def small_pool_factor(weights: Floats, pool: NDArray[np.intp]) -> tuple[float, float]:
    """Return by what squared contributions of one side are too small, and their degrees of freedom.

    With independent clusters of unit variance, weight a and a mean taken out of each pool, the sum of squared
    contributions is a quadratic form, whose trace is its mean and twice that of its square the variance.
    Missing where every pool is a single cluster: groups whose members join in different years leave such.

    Parameters
    ----------
    weights : ndarray of float, (n_clusters,)
        Of the clusters of the side, not below zero.
    pool : ndarray of int, (n_clusters,)
        Pool of each of them.
    """
    shares = weights / weights.sum()
    mean = square = 0.0
    for label in np.unique(pool):
        own = shares[pool == label]
        total = own.sum()
        if not total > 0:
            continue
        p2, p3, p4, p5 = (float(((own / total) ** power).sum()) for power in (2, 3, 4, 5))
        mean += total**2 * (p2 - 2 * p3 + p2**2)
        cross = p2**4 + 2 * p4 * p2 - 4 * p2**2 * p3 + 2 * p3**2
        square += total**4 * (cross + p4 * (1 + 2 * p2) - 4 * p5)
    if not mean > TOLERANCE:
        return np.nan, 0.0
    return float(shares @ shares / mean), float(mean**2 / square)
