import numpy as np
import pytest
from scipy import stats

from toolkit.inference.linear_estimators import (
    analytic_t_test,
    mean_change_estimator,
    overall_effect_estimator,
)
from toolkit.inference.permutation import permutation_test
from toolkit.models.group_time import NEVER, AdoptionPanel, estimate_group_time
from toolkit.models.group_time_aggregates import aggregate_group_time

PERIODS = np.arange(2015.0, 2021.0)


def panel(seed=1, n_units=60, effect=0.0):
    rng = np.random.default_rng(seed)
    group = np.where(np.arange(n_units) < 30, np.arange(n_units) // 3, -1)
    cohorts = np.select([group == -1, group < 2, group < 4], [NEVER, 2018.0, 2019.0], NEVER)
    outcomes = rng.normal(size=(n_units, 6)) + rng.normal(size=(n_units, 1))
    outcomes += effect * (PERIODS[None, :] >= cohorts[:, None])
    covariates = rng.normal(size=(n_units, 1))
    return AdoptionPanel(outcomes, PERIODS, cohorts, covariates, rng.uniform(1, 3, n_units)), group


def labels(group):
    return np.where(group >= 0, group, 1000 + np.arange(len(group)))


@pytest.mark.parametrize("kind", ["simple", "event_time"])
def test_estimate_and_variance_equal_those_of_the_group_time_effects(kind):
    own, group = panel()
    estimate, contributions = overall_effect_estimator(own, labels(group), kind=kind)(
        own.outcomes, own.cohorts
    )
    overall = aggregate_group_time(estimate_group_time(own), kind)
    sums = [overall.overall_influence[labels(group) == label].sum() for label in np.unique(labels(group))]
    assert estimate == overall.overall
    np.testing.assert_allclose(contributions, np.array(sums) / 60, atol=1e-15)


def test_estimate_and_contributions_are_linear_in_the_outcomes():
    own, group = panel()
    estimator = overall_effect_estimator(own, labels(group))
    other = np.random.default_rng(3).normal(size=own.outcomes.shape)
    parts = [estimator(values, own.cohorts) for values in (own.outcomes, other)]
    joint = estimator(2 * own.outcomes - 3 * other, own.cohorts)
    assert joint[0] == pytest.approx(2 * parts[0][0] - 3 * parts[1][0])
    np.testing.assert_allclose(joint[1], 2 * parts[0][1] - 3 * parts[1][1], atol=1e-14)


def test_a_constant_effect_is_recovered_without_error():
    own, group = panel()
    exposed = (PERIODS[None, :] >= own.cohorts[:, None]).astype(float)
    estimate, contributions = overall_effect_estimator(own, labels(group))(exposed, own.cohorts)
    assert estimate == pytest.approx(1.0)
    np.testing.assert_allclose(contributions, 0, atol=1e-14)


def test_is_missing_when_nobody_is_treated():
    own, group = panel()
    estimate, contributions = overall_effect_estimator(own, labels(group))(own.outcomes, np.full(60, NEVER))
    assert np.isnan(estimate)
    assert np.isnan(contributions).all()


def test_means_of_changes_equal_the_group_time_effects_without_covariates():
    own, group = panel(effect=0.7)
    plain = AdoptionPanel(own.outcomes, PERIODS, own.cohorts, np.empty((60, 0)), own.weights)
    late = np.where(group == 4, 2030.0, np.where(group == 5, 2015.0, own.cohorts))
    for cohorts in (own.cohorts, late, np.where(group == 3, 2016.5, own.cohorts)):
        slow = overall_effect_estimator(plain, labels(group))(own.outcomes, cohorts)
        fast = mean_change_estimator(plain, labels(group))(own.outcomes, cohorts)
        assert fast[0] == pytest.approx(slow[0], rel=1e-12)
        np.testing.assert_allclose(fast[1], slow[1], atol=1e-15)


def test_means_of_changes_refuse_missing_outcomes_and_nobody_treated():
    own, group = panel()
    estimator = mean_change_estimator(own, labels(group))
    with pytest.raises(ValueError, match="complete"):
        estimator(np.full((60, 6), np.nan), own.cohorts)
    assert np.isnan(estimator(own.outcomes, np.full(60, NEVER))[0])


def test_permutation_of_group_time_effects_covers_the_effect():
    own, group = panel(effect=1.5)
    estimator = mean_change_estimator(own, labels(group))
    result = permutation_test(own.outcomes, PERIODS, own.cohorts, group, estimator, seed=1)
    assert result.n_assignments == 1260
    assert result.conf_low <= 1.5 <= result.conf_high
    assert result.p_value <= 0.05


def test_t_test_is_that_of_estimate_over_standard_error():
    own, group = panel(effect=0.5)
    estimator = overall_effect_estimator(own, labels(group))
    estimate, contributions = estimator(own.outcomes, own.cohorts)
    found = analytic_t_test(estimator, 9.0)(own.outcomes, own.cohorts)
    assert found == pytest.approx(2 * stats.t.cdf(-abs(estimate) / np.linalg.norm(contributions), 9))
