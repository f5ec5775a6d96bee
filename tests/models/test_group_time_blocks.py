"""Comparisons inside blocks only: brute force, equality with single blocks, invariances."""

import numpy as np
import pytest

from toolkit.models.group_time import NEVER, AdoptionPanel, estimate_group_time
from toolkit.models.group_time_aggregates import aggregate_group_time
from toolkit.models.group_time_blocks import estimate_group_time_within


def make_panel(seed=3, blocks=3, n=14, periods=6):
    rng = np.random.default_rng(seed)
    block = np.repeat(np.arange(blocks), n)
    cohorts = np.tile(np.r_[[2.0] * 3, [4.0] * 4, [NEVER] * (n - 7)], blocks)
    outcomes = rng.normal(size=(blocks * n, periods)) + rng.normal(size=(blocks * n, 1))
    weights = rng.uniform(0.5, 2, blocks * n)
    panel = AdoptionPanel(
        outcomes, np.arange(periods, dtype=float), cohorts, np.empty((blocks * n, 0)), weights
    )
    return panel, block


def test_one_block_gives_the_effects_of_the_plain_estimator():
    panel, block = make_panel(blocks=1)
    plain = estimate_group_time(panel, base="universal")
    within = estimate_group_time_within(panel, block, base="universal")
    np.testing.assert_allclose(within.effects, plain.effects)
    np.testing.assert_allclose(within.influence, plain.influence)


def test_each_block_has_the_effects_it_would_have_alone():
    panel, block = make_panel()
    within = estimate_group_time_within(panel, block, comparison="not_yet")
    for own in range(3):
        alone = estimate_group_time(panel.take(block == own), comparison="not_yet")
        np.testing.assert_allclose(within.effects[within.blocks == own], alone.effects)


def test_the_influence_of_a_block_is_what_it_would_be_alone_scaled_to_all_units():
    panel, block = make_panel()
    order = np.random.default_rng(2).permutation(len(block))
    within = estimate_group_time_within(panel.take(order), block[order])
    for own in range(3):
        rows, cells = within.unit_blocks == own, within.blocks == own
        alone = estimate_group_time(panel.take(order[rows]))
        np.testing.assert_allclose(within.influence[np.ix_(rows, cells)], 3 * alone.influence, atol=1e-12)
        assert not within.influence[np.ix_(~rows, cells)].any()


def test_the_overall_average_weighs_cells_by_the_weight_of_their_treated_units():
    panel, block = make_panel()
    within = estimate_group_time_within(panel, block)
    sizes, values = [], []
    for cell in range(len(within.effects)):
        if within.event_times[cell] < 0:
            continue
        own = (block == within.blocks[cell]) & (panel.cohorts == within.cohorts[cell])
        sizes.append(panel.weights[own].sum())
        values.append(within.effects[cell])
    overall = aggregate_group_time(within, "simple").overall
    assert overall == pytest.approx(np.average(values, weights=sizes))


@pytest.mark.parametrize("kind", ["simple", "event_time", "cohort", "period"])
def test_shocks_of_a_block_in_a_period_change_nothing(kind):
    panel, block = make_panel()
    shocks = np.random.default_rng(1).normal(size=(3, 6))[block]
    moved = AdoptionPanel(
        panel.outcomes + shocks, panel.periods, panel.cohorts, panel.covariates, panel.weights
    )
    before = aggregate_group_time(estimate_group_time_within(panel, block), kind)
    after = aggregate_group_time(estimate_group_time_within(moved, block), kind)
    assert after.overall == pytest.approx(before.overall)
    np.testing.assert_allclose(after.overall_influence, before.overall_influence, atol=1e-9)


@pytest.mark.parametrize("kind", ["simple", "event_time", "cohort", "period"])
def test_influence_is_what_a_small_change_of_a_weight_does(kind):
    panel, block = make_panel(n=10)
    found = aggregate_group_time(estimate_group_time_within(panel, block), kind)
    step, total = 1e-5, panel.n_units
    for unit in (0, 5, 9, 13, 27):
        weights = panel.weights.copy()
        weights[unit] *= 1 + step
        changed = AdoptionPanel(panel.outcomes, panel.periods, panel.cohorts, panel.covariates, weights)
        other = aggregate_group_time(estimate_group_time_within(changed, block), kind)
        moved = (other.overall - found.overall) / step
        assert found.overall_influence[unit] / total == pytest.approx(moved, rel=2e-3, abs=1e-7)


def test_the_mean_of_the_influence_is_zero():
    panel, block = make_panel()
    found = aggregate_group_time(estimate_group_time_within(panel, block), "event_time")
    assert abs(found.overall_influence.mean()) < 1e-12
