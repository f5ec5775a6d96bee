import numpy as np
import pytest
from scipy import stats

from toolkit.inference.pooled_cohorts import _side, estimate_pooled_average
from toolkit.models.group_time import NEVER, AdoptionPanel, estimate_group_time
from toolkit.models.group_time_aggregates import aggregate_group_time
from toolkit.models.group_time_blocks import estimate_group_time_within

PERIODS = np.arange(2015.0, 2021.0)


def study(cohorts, seed=1, effect=None, weights=None):
    """Every unit its own cluster; effects by cohort."""
    cohorts = np.array([NEVER if year is None else float(year) for year in cohorts])
    rng = np.random.default_rng(seed)
    outcomes = rng.normal(size=(len(cohorts), len(PERIODS)))
    for cohort, own in (effect or {}).items():
        outcomes += own * (cohorts == cohort)[:, None] * (cohort <= PERIODS)
    own = np.ones(len(cohorts)) if weights is None else weights
    panel = AdoptionPanel(outcomes, PERIODS, cohorts, np.empty((len(cohorts), 0)), own)
    return panel, estimate_group_time(panel, base="universal")


def test_one_cohort_gives_the_test_of_welch():
    panel, effects = study([2018] * 5 + [None] * 9)
    found = estimate_pooled_average(effects, np.arange(14), last=2)
    change = panel.outcomes[:, 3:].mean(axis=1) - panel.outcomes[:, 2]
    statistic, p_value = np.asarray(stats.ttest_ind(change[:5], change[5:], equal_var=False))
    assert found.effect / found.std_error == pytest.approx(statistic)
    assert 2 * stats.t.sf(abs(statistic), found.degrees) == pytest.approx(p_value)
    parts = change[:5].var(ddof=1) / 5, change[5:].var(ddof=1) / 9
    assert found.degrees == pytest.approx(sum(parts) ** 2 / (parts[0] ** 2 / 4 + parts[1] ** 2 / 8))
    half = stats.t.ppf(0.975, found.degrees) * np.sqrt(sum(parts))
    assert found.interval() == pytest.approx((found.effect - half, found.effect + half))
    assert found.effective_treated == pytest.approx(5)


def test_effect_is_the_average_over_event_times():
    weights = np.random.default_rng(2).uniform(1, 3, 17)
    _, effects = study([2017] * 3 + [2018] * 2 + [None] * 12, weights=weights)
    average = aggregate_group_time(effects, "event_time", event_times=(-9, 2))
    found = estimate_pooled_average(effects, np.arange(17), last=2)
    assert found.effect == pytest.approx(average.overall)


def test_clusters_that_adopt_alone_are_compared_with_each_other():
    panel, effects = study([2017, 2018, 2019] + [None] * 8, seed=3)
    found = estimate_pooled_average(effects, np.arange(11), last=1)
    change = {
        cohort: panel.outcomes[:, [cohort - 2015, cohort - 2014]].mean(axis=1)
        - panel.outcomes[:, cohort - 2016]
        for cohort in (2017, 2018, 2019)
    }
    own = [change[cohort][place] - change[cohort][3:].mean() for place, cohort in enumerate(change)]
    untreated = np.mean([values[3:] for values in change.values()], axis=0)
    assert found.effect == pytest.approx(np.mean(own))
    assert found.std_error**2 == pytest.approx(np.var(own, ddof=1) / 3 + np.var(untreated, ddof=1) / 8)
    assert found.effective_treated == pytest.approx(3)


def test_a_difference_between_cohorts_of_two_is_no_error_but_one_between_single_clusters_is():
    for dates, grows in (([2017, 2017, 2018, 2018], False), ([2017, 2018], True)):
        errors = []
        for effect in (0.0, 8.0):
            _, effects = study(dates + [None] * 8, effect={2017: effect})
            errors.append(estimate_pooled_average(effects, np.arange(len(dates) + 8)).std_error)
        assert (errors[1] > 2 * errors[0]) == grows
        assert (errors[1] == pytest.approx(errors[0])) != grows


def test_degrees_and_factor_are_those_of_the_quadratic_form():
    rng = np.random.default_rng(4)
    weights, pool = rng.uniform(1, 4, 9), np.array([0, 0, 0, 1, 1, 1, 1, 2, 2])
    shares = weights / weights.sum()
    same = pool[:, None] == pool[None, :]
    centring = np.eye(9) - same * shares / (same @ shares)[:, None]
    form = centring.T @ np.diag(shares**2) @ centring
    values = rng.normal(size=9)
    variance, degrees = _side(values, weights, pool)
    assert variance == pytest.approx(shares @ shares / np.trace(form) * (values @ values))
    assert degrees == pytest.approx(np.trace(form) ** 2 / np.trace(form @ form))


def test_labels_of_clusters_and_scale_do_not_matter_and_clusters_sum_their_units():
    panel, effects = study([2017] * 4 + [2018] * 4 + [None] * 8, seed=5)
    clusters = np.array([0, 0, 1, 1, 2, 2, 3, 3, *range(4, 12)])
    found = estimate_pooled_average(effects, clusters, last=2)
    renamed = estimate_pooled_average(effects, np.array([f"{9 * label % 17}" for label in clusters]), last=2)
    assert renamed.std_error == pytest.approx(found.std_error)
    assert renamed.degrees == pytest.approx(found.degrees)
    scaled = AdoptionPanel(
        100 * panel.outcomes + 7, PERIODS, panel.cohorts, panel.covariates, 3 * panel.weights
    )
    again = estimate_pooled_average(estimate_group_time(scaled, base="universal"), clusters, last=2)
    assert again.std_error == pytest.approx(100 * found.std_error)
    assert again.effective_treated == pytest.approx(4 - 2 + 1)


def test_blocks_are_cohorts_of_their_own_and_single_clusters_are_pooled_over_blocks():
    panel, _ = study([2017, *[None] * 6, 2017, *[None] * 6, 2018, *[None] * 6], seed=6)
    blocks = np.repeat(np.arange(3), 7)
    effects = estimate_group_time_within(panel, blocks, base="universal")
    found = estimate_pooled_average(effects, np.arange(21), last=1)
    assert found.effect == pytest.approx(
        aggregate_group_time(effects, "event_time", event_times=(-9, 1)).overall
    )
    parts = [
        estimate_pooled_average(estimate_group_time(panel.take(blocks == block)), np.arange(7), last=1).effect
        for block in range(3)
    ]
    change = [
        panel.outcomes[blocks == block][1:, [first, first + 1]].mean(axis=1)
        - panel.outcomes[blocks == block][1:, first - 1]
        for block, first in enumerate((2, 2, 3))
    ]
    untreated = sum(np.var(own, ddof=1) / 6 for own in change) / 9
    assert found.effective_treated == pytest.approx(3)
    assert found.std_error**2 == pytest.approx(np.var(parts, ddof=1) / 3 + untreated)


def test_one_treated_cluster_has_no_variance_and_nothing_identified_is_refused():
    _, effects = study([2018] + [None] * 6)
    found = estimate_pooled_average(effects, np.arange(7))
    assert np.isnan(found.std_error)
    assert found.effective_treated == 1.0
    _, effects = study([2018, 2018])
    with pytest.raises(ValueError, match="identified"):
        estimate_pooled_average(effects, np.arange(2))


def test_covers_zero_as_often_as_stated_with_three_clusters_that_adopt_apart():
    covered = []
    for seed in range(300):
        _, effects = study([2017, 2018, 2018] + [None] * 12, seed=seed)
        low, high = estimate_pooled_average(effects, np.arange(15), last=1).interval()
        covered.append(low <= 0 <= high)
    assert np.mean(covered) == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / 300))


def test_groups_whose_members_join_in_different_years_never_divide_by_zero():
    with np.errstate(all="raise"):
        cohorts = np.array([3.0, 5.0, 3.0, 5.0, *[NEVER] * 8])
        clusters = np.array([0, 0, 1, 1, *range(2, 10)])
        outcomes = np.random.default_rng(0).normal(size=(12, 7))
        panel = AdoptionPanel(outcomes, np.arange(7.0), cohorts, np.empty((12, 0)), np.ones(12))
        effects = estimate_group_time(panel, base="universal")
        for at in range(-3, 4):
            found = estimate_pooled_average(effects, clusters, first=at, last=at)
            assert np.isfinite(found.effect)


def test_one_comparison_cluster_gives_no_standard_error_instead_of_one_too_small():
    _, effects = study([2018] * 5 + [None] * 4)
    clusters = np.array([*range(5), *[5] * 4])
    found = estimate_pooled_average(effects, clusters, last=2)
    assert np.isfinite(found.effect)
    assert np.isnan(found.std_error)
    assert np.isnan(found.degrees)
