"""Contributions of clusters to several effects: the variance of their average is that of the average."""

from dataclasses import replace

import numpy as np
import pytest

from toolkit.inference.pooled_cohorts import estimate_pooled_average
from toolkit.inference.pooled_contributions import answers_to_outcomes, pool_contributions
from toolkit.models.group_time import NEVER, AdoptionPanel, estimate_group_time

PERIODS = np.arange(2016.0, 2023.0)


def draw_effects(seed, cohorts_of_groups, *, n_never=10, sizes=None):
    """Return group-time effects of groups of one to three schools, and their clusters."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(1, 4, len(cohorts_of_groups))
    sizes = drawn if sizes is None else np.full(len(drawn), sizes)
    cohorts = np.concatenate([np.repeat(cohorts_of_groups, sizes), np.full(n_never, NEVER)])
    clusters = np.concatenate([np.repeat(np.arange(len(sizes)), sizes), 100 + np.arange(n_never)])
    outcomes = rng.normal(size=(len(cohorts), len(PERIODS)))
    panel = AdoptionPanel(
        outcomes, PERIODS, cohorts, np.empty((len(cohorts), 0)), rng.uniform(0.5, 2, len(cohorts))
    )
    return estimate_group_time(panel, comparison="not_yet", base="universal"), clusters


def average_weights(effects, last=np.inf):
    """Return the treated cells, and their weights in the average of `estimate_pooled_average`."""
    times = np.round(effects.event_times, 9)
    cells = np.flatnonzero(np.isfinite(effects.effects) & (times >= 0) & (times <= last))
    sizes = effects.panel.weights @ (effects.panel.cohorts[:, None] == effects.cohorts[cells])
    at, of_time = np.unique(times[cells], return_inverse=True)
    return cells, sizes / np.bincount(of_time, sizes)[of_time] / len(at)


def scaled_sums(effects, clusters, cells, weights):
    """Return what each cluster adds to a weighted sum of effects, with its factor."""
    pooled = pool_contributions(effects, clusters, cells)
    answers = answers_to_outcomes(effects, clusters, cells, weights)
    return pooled.factors(weights, *answers) * (pooled.contributions @ weights)


@pytest.mark.parametrize("cohorts", [[2018] * 3, [2019] * 12])
def test_of_one_cohort_of_single_schools_the_variance_is_that_of_the_pooled_average(cohorts):
    # In one period after adoption what a school adds is one change, as the pooled average takes it to be.
    effects, clusters = draw_effects(len(cohorts), np.array(cohorts, dtype=float), sizes=1)
    expected = estimate_pooled_average(effects, clusters, last=0)
    cells, weights = average_weights(effects, last=0)
    sums = scaled_sums(effects, clusters, cells, weights)
    assert np.sqrt((sums**2).sum()) == pytest.approx(expected.std_error, rel=1e-9)


@pytest.mark.parametrize("cohorts", [[2018, 2018, 2020, 2020], [2018, 2019, 2020], [2018, 2018, 2020]])
def test_the_variance_is_right_on_average(cohorts):
    rng, found, stated = np.random.default_rng(6), [], []
    effects, clusters = draw_effects(7, np.array(cohorts, dtype=float))
    cells, _ = average_weights(effects)
    weights = rng.normal(size=len(cells))
    for _ in range(400):
        panel = replace(effects.panel, outcomes=rng.normal(size=effects.panel.outcomes.shape))
        drawn = estimate_group_time(panel, comparison="not_yet", base="universal")
        found.append(weights @ drawn.effects[cells])
        stated.append((scaled_sums(drawn, clusters, cells, weights) ** 2).sum())
    # 400 squares of normal numbers are known to 7 %, as are variances seen from two or three clusters.
    assert np.mean(stated) == pytest.approx(np.mean(np.square(found)), rel=0.25)


def test_the_sign_of_weights_does_not_change_the_variance():
    effects, clusters = draw_effects(1, np.array([2018.0, 2018, 2019, 2019, 2020]))
    cells, weights = average_weights(effects)
    sums = [scaled_sums(effects, clusters, cells, sign * weights) for sign in (1, -1)]
    np.testing.assert_allclose(sums[0], -sums[1], rtol=1e-12)


@pytest.mark.parametrize(("cohorts", "n_never"), [([2018.0], 6), ([2018.0, 2018.0], 1)])
def test_a_side_of_one_cluster_has_no_variance(cohorts, n_never):
    effects, clusters = draw_effects(2, np.array(cohorts), n_never=n_never)
    cells, weights = average_weights(effects)
    assert np.isnan(scaled_sums(effects, clusters, cells, weights)).all()


@pytest.mark.parametrize("is_complete", [True, False])
@pytest.mark.parametrize("has_levels", [False, True])
@pytest.mark.parametrize("cohorts", [[2018, 2018, 2020, 2020], [2018, 2019, 2020], [2018, 2018, 2020]])
def test_effects_and_contributions_are_the_sums_of_outcomes_that_their_answers_say(
    cohorts, has_levels, is_complete
):
    effects, clusters = draw_effects(3, np.array(cohorts, dtype=float))
    if not is_complete:
        # A school leaves, so that of a cohort one group alone may be left; others miss a year.
        outcomes = effects.panel.outcomes.copy()
        outcomes[0, 4:] = outcomes[[3, -1], [1, 5]] = np.nan
        panel = replace(effects.panel, outcomes=outcomes)
        effects = estimate_group_time(panel, comparison="not_yet", base="universal")
    outcomes, rng = np.nan_to_num(effects.panel.outcomes), np.random.default_rng(4)
    cells = np.flatnonzero(np.isfinite(effects.effects) & (effects.periods >= effects.cohorts))
    weights = rng.normal(size=len(cells))
    levels = rng.uniform(0, 2, len(outcomes)) if has_levels else None
    whole, seen = answers_to_outcomes(effects, clusters, cells, weights, levels=levels)
    assert (whole * outcomes).sum() == pytest.approx(weights @ effects.effects[cells])
    pooled = pool_contributions(effects, clusters, cells, levels=levels)
    np.testing.assert_allclose((seen * outcomes).sum(axis=(1, 2)), pooled.contributions @ weights, atol=1e-12)


def test_units_of_several_blocks_are_refused():
    effects, clusters = draw_effects(5, np.array([2018.0, 2018, 2019]))
    blocks = replace(effects, unit_blocks=np.arange(len(effects.unit_blocks)))
    cells, weights = average_weights(blocks)
    with pytest.raises(ValueError, match="several blocks"):
        answers_to_outcomes(blocks, clusters, cells, weights)
