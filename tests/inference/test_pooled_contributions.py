"""Contributions of clusters to several effects: the variance of their average is that of the average."""

import numpy as np
import pytest

from toolkit.inference.pooled_cohorts import estimate_pooled_average, small_pool_factor
from toolkit.inference.pooled_contributions import pool_contributions
from toolkit.models.group_time import NEVER, AdoptionPanel, estimate_group_time

PERIODS = np.arange(2016.0, 2023.0)


def draw_effects(seed, cohorts_of_groups, *, n_never=10):
    """Return group-time effects of groups of one to three schools, and their clusters."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 4, len(cohorts_of_groups))
    cohorts = np.concatenate([np.repeat(cohorts_of_groups, sizes), np.full(n_never, NEVER)])
    clusters = np.concatenate([np.repeat(np.arange(len(sizes)), sizes), 100 + np.arange(n_never)])
    outcomes = rng.normal(size=(len(cohorts), len(PERIODS)))
    panel = AdoptionPanel(
        outcomes, PERIODS, cohorts, np.empty((len(cohorts), 0)), rng.uniform(0.5, 2, len(cohorts))
    )
    return estimate_group_time(panel, comparison="not_yet", base="universal"), clusters


def average_weights(effects):
    """Return the treated cells, and their weights in the average of `estimate_pooled_average`."""
    times = np.round(effects.event_times, 9)
    cells = np.flatnonzero(np.isfinite(effects.effects) & (times >= 0))
    sizes = effects.panel.weights @ (effects.panel.cohorts[:, None] == effects.cohorts[cells])
    at, of_time = np.unique(times[cells], return_inverse=True)
    return cells, sizes / np.bincount(of_time, sizes)[of_time] / len(at)


def scale_by_weight(pooled, weights):
    """Return contributions scaled for clusters whose error grows with their weight alone."""
    sides = (pooled.shares @ np.abs(weights), pooled.comparison_weights)
    return pooled.scale(
        weights, [small_pool_factor(side[side > 0], pooled.pools[side > 0]) for side in sides]
    )


@pytest.mark.parametrize(
    "cohorts", [[2018, 2018, 2020, 2020], [2018, 2019, 2020], [2018, 2020, 2020, 2020], [2019] * 12]
)
def test_the_variance_of_the_average_effect_is_that_of_the_pooled_average(cohorts):
    effects, clusters = draw_effects(len(cohorts), np.array(cohorts, dtype=float))
    expected = estimate_pooled_average(effects, clusters)
    cells, weights = average_weights(effects)
    scaled, degrees = scale_by_weight(pool_contributions(effects, clusters, cells), weights)
    assert np.sqrt(((scaled @ weights) ** 2).sum()) == pytest.approx(expected.std_error, rel=1e-12)
    assert degrees == pytest.approx(expected.degrees, rel=1e-12)


def test_the_sign_of_weights_does_not_change_degrees_of_freedom():
    effects, clusters = draw_effects(1, np.array([2018.0, 2018, 2019, 2019, 2020]))
    cells, weights = average_weights(effects)
    pooled = pool_contributions(effects, clusters, cells)
    assert scale_by_weight(pooled, -weights)[1] == scale_by_weight(pooled, weights)[1]


@pytest.mark.parametrize(("cohorts", "n_never"), [([2018.0], 6), ([2018.0, 2018.0], 1)])
def test_a_side_of_one_cluster_has_no_variance(cohorts, n_never):
    effects, clusters = draw_effects(2, np.array(cohorts), n_never=n_never)
    cells, weights = average_weights(effects)
    scaled, degrees = scale_by_weight(pool_contributions(effects, clusters, cells), weights)
    assert np.isnan(scaled).all()
    assert np.isnan(degrees)
