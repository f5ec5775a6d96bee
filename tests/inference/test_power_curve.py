import numpy as np
import pytest
from scipy import stats

from toolkit.inference.power_curve import PowerCurve, simulate_power

PERIODS = np.arange(2016.0, 2020.0)
RNG = np.random.default_rng(1)
GROUP = np.concatenate([np.repeat(np.arange(20), 3), np.full(40, -1)])
OUTCOMES = RNG.normal(size=(100, 4)) * 0.3 + RNG.normal(size=(100, 1)) + RNG.normal(size=(21, 4))[GROUP] * 0.1


def group_mean_tests(outcomes, cohorts, effects):
    """Two-sample t-tests of the change of groups and lone schools."""
    label = np.where(GROUP >= 0, GROUP, 100 + np.arange(100))
    names = np.unique(label)
    p_values = np.empty((len(effects), len(cohorts)))
    for draw, own in enumerate(cohorts):
        moved = outcomes + effects[:, None, None] * (PERIODS[None, :] >= own[:, None])
        change = moved[:, :, 2:].mean(axis=2) - moved[:, :, :2].mean(axis=2)
        means = np.array([change[:, label == name].mean(axis=1) for name in names])
        treated = np.array([np.isfinite(own[label == name]).all() for name in names])
        p_values[:, draw] = stats.ttest_ind(means[treated], means[~treated], equal_var=False)[1]
    return p_values


def curve(outcomes=OUTCOMES, **options):
    given = {"seed": 1, "effects": (0.0, 0.15, 0.3, 0.6), "n_draws": 30} | options
    return simulate_power(outcomes, GROUP, [2018.0] * 8, group_mean_tests, **given)


def test_power_rises_from_the_size_of_the_test_to_one():
    found = curve()
    assert found.rejected[0] <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 30)
    assert (np.diff(found.rejected) >= 0).all()
    assert found.rejected[-1] == 1
    assert 0 < found.detectable() < 0.6


def test_is_seeded_and_does_not_touch_the_outcomes():
    before = OUTCOMES.copy()
    np.testing.assert_array_equal(curve(n_draws=5).rejected, curve(n_draws=5).rejected)
    np.testing.assert_array_equal(OUTCOMES, before)


def test_scale_of_outcomes_and_effects_does_not_matter():
    scaled = curve(50 * OUTCOMES, effects=(0.0, 7.5, 15.0, 30.0), n_draws=8)
    np.testing.assert_array_equal(scaled.rejected, curve(n_draws=8).rejected)


def test_draws_the_stated_number_of_whole_groups():
    seen = []

    def watch(outcomes, cohorts, effects):
        seen.append(cohorts)
        np.testing.assert_array_equal(outcomes, OUTCOMES)
        return np.ones((len(effects), len(cohorts)))

    simulate_power(OUTCOMES, GROUP, [2018.0, 2019.0], watch, seed=1, effects=(0.0, 2.0), n_draws=3)
    assert seen[0].shape == (3, 100)
    for cohorts in seen[0]:
        assert sorted(cohorts[np.isfinite(cohorts)]) == [2018.0] * 3 + [2019.0] * 3
        assert (cohorts[GROUP < 0] == np.inf).all()
        for name in range(20):
            assert np.ptp(np.where(np.isinf(own := cohorts[name == GROUP]), 0, own)) == 0


def test_detectable_effect_is_read_between_the_effects():
    made = PowerCurve(np.array([0.0, 0.1, 0.2]), np.array([0.05, 0.7, 0.9]), 400, 0.05)
    assert made.detectable() == pytest.approx(0.15)
    assert made.detectable(0.95) == np.inf
    assert made.monte_carlo_error[1] == pytest.approx(np.sqrt(0.21 / 400))


def test_refuses_more_adoptions_than_groups_and_effects_not_from_zero():
    with pytest.raises(ValueError, match="21 adoptions for 20"):
        simulate_power(OUTCOMES, GROUP, [2018.0] * 21, group_mean_tests, seed=1)
    with pytest.raises(ValueError, match="increase from zero"):
        curve(effects=(0.1, 0.2))
