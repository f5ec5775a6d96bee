import numpy as np
import pytest

from toolkit.inference.linear_estimators import overall_effect_estimator
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
    estimator = overall_effect_estimator(
        own, labels(group), kind=kind, comparison="not_yet", anticipation=1, last=1
    )
    estimates, contributions = estimator(own.outcomes[None], own.cohorts[None])
    effects = estimate_group_time(own, comparison="not_yet", anticipation=1, base="universal")
    overall = aggregate_group_time(effects, kind, event_times=(-np.inf, 1))
    sums = [overall.overall_influence[labels(group) == label].sum() for label in np.unique(labels(group))]
    assert estimates[0, 0] == pytest.approx(overall.overall, abs=1e-12)
    np.testing.assert_allclose(contributions[0, 0], np.array(sums) / 60, atol=1e-14)


def test_permutation_of_group_time_effects_covers_the_effect():
    own, group = panel(effect=1.5)
    estimator = overall_effect_estimator(own, labels(group), kind="simple")
    result = permutation_test(own.outcomes, PERIODS, own.cohorts, group, estimator, seed=1)
    assert result.n_assignments == 1260
    assert result.conf_low <= 1.5 <= result.conf_high
    assert result.p_value <= 0.05
