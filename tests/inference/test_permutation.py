from itertools import combinations

import numpy as np
import pytest

from toolkit.inference.permutation import permutation_test

NEVER = np.inf
PERIODS = np.arange(2015.0, 2021.0)


def mean_change(outcomes, cohorts):
    """Difference between treated and never treated in the change of means; each unit its own cluster."""
    treated = np.isfinite(cohorts)
    first = cohorts[treated].min()
    change = outcomes[:, first <= PERIODS].mean(axis=1) - outcomes[:, first > PERIODS].mean(axis=1)
    contributions = np.empty(len(change))
    for side, sign in ((treated, 1), (~treated, -1)):
        contributions[side] = sign * (change[side] - change[side].mean()) / side.sum()
    return change[treated].mean() - change[~treated].mean(), contributions


def mean_changes(outcomes, cohorts):
    """The same for all outcomes and assignments."""
    found = [[mean_change(values, assigned) for assigned in cohorts] for values in outcomes]
    estimates = np.array([[estimate for estimate, _ in row] for row in found])
    return estimates, np.array([[own for _, own in row] for row in found])


def simulated(seed, n_groups=8, n_treated=3, size=2, effect=0.0, alone=0):
    """Groups of schools with shocks of their own, the first of them treated from 2018."""
    rng = np.random.default_rng(seed)
    n_units = n_groups * size + alone
    group = np.concatenate([np.repeat(np.arange(n_groups), size), np.full(alone, -1)])
    cohorts = np.where((group >= 0) & (group < n_treated), 2018.0, NEVER)
    outcomes = rng.normal(size=(n_units, 6)) + rng.normal(size=(n_groups + 1, 6))[group]
    outcomes += effect * (PERIODS[None, :] >= cohorts[:, None])
    return outcomes, cohorts, group


def slow_p_value(outcomes, cohorts, group, effect):
    """Share of the ways to choose treated groups with a statistic as large, effect taken away."""
    untreated = outcomes - effect * (PERIODS[None, :] >= cohorts[:, None])
    n_groups, n_treated = group.max() + 1, len(np.unique(group[np.isfinite(cohorts)]))

    def statistic(assigned):
        estimate, own = mean_change(untreated, assigned)
        return abs(estimate) / np.sqrt(own @ own)

    observed = statistic(cohorts)
    others = [
        statistic(np.where(np.isin(group, chosen), 2018.0, NEVER))
        for chosen in combinations(range(n_groups), n_treated)
    ]
    return np.mean(np.array(others) >= observed * (1 - 1e-9))


def test_exact_p_value_equals_all_choices_of_treated_groups():
    for seed in range(4):
        data = simulated(seed, effect=0.8 * (seed % 2))
        result = permutation_test(data[0], PERIODS, *data[1:], mean_changes, seed=1)
        assert result.is_exact
        assert result.n_assignments == result.n_used == 56
        assert result.p_value == pytest.approx(slow_p_value(*data, 0.0), abs=1e-12)


def test_interval_ends_where_the_test_by_hand_begins_to_reject():
    data = simulated(11, n_groups=10, effect=1.0, alone=5)
    result = permutation_test(data[0], PERIODS, *data[1:], mean_changes, seed=1, confidence_level=0.9)
    assert result.n_used == 120
    grid = np.linspace(result.conf_low - 1, result.conf_high + 1, 25)
    kept = [effect for effect in grid if slow_p_value(*data, effect) > 0.1]
    assert min(kept) >= result.conf_low
    assert max(kept) <= result.conf_high
    width = result.conf_high - result.conf_low
    assert slow_p_value(*data, result.conf_low + 1e-6 * width) > 0.1
    assert slow_p_value(*data, result.conf_low - 1e-6 * width) <= 0.1
    assert slow_p_value(*data, result.conf_high - 1e-6 * width) > 0.1
    assert slow_p_value(*data, result.conf_high + 1e-6 * width) <= 0.1


def test_monte_carlo_adds_the_real_assignment_and_agrees_with_the_exact_p_value():
    data = simulated(3, n_groups=8, alone=3)
    exact = permutation_test(data[0], PERIODS, *data[1:], mean_changes, seed=1)
    drawn = permutation_test(data[0], PERIODS, *data[1:], mean_changes, seed=1, n_draws=499, most_exact=10)
    assert not drawn.is_exact
    assert drawn.n_used == 500
    assert drawn.smallest_p_value == 0.002
    assert (500 * drawn.p_value) == pytest.approx(round(500 * drawn.p_value), abs=1e-9)
    assert drawn.p_value == pytest.approx(exact.p_value, abs=4 * np.sqrt(0.25 / 499))
    again = permutation_test(data[0], PERIODS, *data[1:], mean_changes, seed=1, n_draws=499, most_exact=10)
    assert again == drawn


def test_order_of_units_does_not_matter_and_intervals_follow_shift_and_scale():
    outcomes, cohorts, group = simulated(5, effect=0.5)
    plain = permutation_test(outcomes, PERIODS, cohorts, group, mean_changes, seed=1, confidence_level=0.9)
    order = np.random.default_rng(0).permutation(len(group))
    exposed = PERIODS[None, :] >= cohorts[:, None]
    moved = permutation_test(
        (100 * (outcomes + 3 * exposed))[order],
        PERIODS,
        cohorts[order],
        group[order],
        mean_changes,
        seed=1,
        confidence_level=0.9,
    )
    assert moved.estimate == pytest.approx(100 * (plain.estimate + 3))
    assert moved.conf_low == pytest.approx(100 * (plain.conf_low + 3))
    assert moved.conf_high == pytest.approx(100 * (plain.conf_high + 3))


def test_interval_is_unbounded_when_there_are_too_few_assignments():
    data = simulated(1, n_groups=4, n_treated=1, alone=6)
    result = permutation_test(data[0], PERIODS, *data[1:], mean_changes, seed=1)
    assert result.smallest_p_value == 0.25
    assert (result.conf_low, result.conf_high) == (-np.inf, np.inf)


def test_rejects_as_often_as_stated_and_covers_the_effect_with_three_treated_groups():
    rejected, covered = [], []
    for seed in range(60):
        data = simulated(seed, n_groups=7, n_treated=3, size=2, effect=0.0)
        result = permutation_test(data[0], PERIODS, *data[1:], mean_changes, seed=1, confidence_level=0.9)
        rejected.append(result.p_value <= 0.1)
        covered.append(result.conf_low <= 0 <= result.conf_high)
    # Of 35 assignments three are the most extreme tenth.
    assert np.mean(rejected) == pytest.approx(3 / 35, abs=3 * np.sqrt(0.09 * 0.91 / 60))
    assert np.mean(covered) >= 0.9 - 3 * np.sqrt(0.09 * 0.91 / 60)


def test_assignments_without_an_estimate_count_as_extreme():
    outcomes, cohorts, group = simulated(2, effect=3.0)

    def partial(values, assigned):
        estimates, own = mean_changes(values, assigned)
        blank = np.isfinite(assigned[:, group == 7]).any(axis=1)
        return np.where(blank, np.nan, estimates), np.where(blank[:, None], np.nan, own)

    result = permutation_test(outcomes, PERIODS, cohorts, group, partial, seed=1)
    # Group 7 is treated in 21 of the 56 choices.
    assert result.n_undefined == 21
    assert result.p_value >= 21 / 56


def test_refuses_treated_units_outside_the_groups_and_a_missing_estimate():
    outcomes, cohorts, group = simulated(2)
    with pytest.raises(ValueError, match="in no school group"):
        permutation_test(outcomes, PERIODS, cohorts, np.where(group == 7, 0, group - 1), mean_changes, seed=1)
    with pytest.raises(ValueError, match="took place"):
        permutation_test(
            outcomes,
            PERIODS,
            cohorts,
            group,
            lambda values, assigned: (np.full((2, 56), np.nan), np.full((2, 56, 16), np.nan)),
            seed=1,
        )
