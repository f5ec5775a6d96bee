"""Jackknife over clusters."""

import numpy as np
import pytest
from scipy import stats

from toolkit.inference.jackknife import jackknife_clusters


def test_of_a_mean_gives_the_standard_error_of_the_mean():
    values = np.random.default_rng(1).normal(size=40)
    found = jackknife_clusters(lambda units: [values[units].mean()], np.arange(40))
    assert found.corrected[0] == pytest.approx(values.mean())
    assert found.std_errors[0] == pytest.approx(values.std(ddof=1) / np.sqrt(40))


def test_takes_the_bias_out_of_a_variance():
    values = np.random.default_rng(2).normal(size=25)
    found = jackknife_clusters(lambda units: [values[units].var()], np.arange(25))
    assert found.corrected[0] == pytest.approx(values.var(ddof=1))


def test_units_of_a_cluster_are_left_out_together():
    values = np.random.default_rng(3).normal(size=30)
    clusters = np.repeat(np.arange(10), 3)
    found = jackknife_clusters(lambda units: [values[units].mean()], clusters)
    means = values.reshape(10, 3).mean(axis=1)
    assert found.std_errors[0] == pytest.approx(means.std(ddof=1) / np.sqrt(10))


def test_many_clusters_are_left_out_in_sets_with_about_the_same_error():
    values = np.random.default_rng(4).normal(size=2000)
    found = jackknife_clusters(lambda units: [values[units].mean()], np.arange(2000), most_folds=100)
    assert found.n_folds == 100
    assert found.std_errors[0] == pytest.approx(values.std() / np.sqrt(2000), rel=0.25)


def test_one_cluster_is_refused():
    with pytest.raises(ValueError, match="two clusters"):
        jackknife_clusters(lambda units: [0.0], np.zeros(5))


def test_strata_give_the_error_and_the_degrees_of_freedom_of_welch():
    rng = np.random.default_rng(5)
    values, side = np.concatenate([rng.normal(size=6), 2 * rng.normal(size=20)]), np.repeat([0, 1], [6, 20])
    found = jackknife_clusters(
        lambda units: [values[units][side[units] == 0].mean() - values[units][side[units] == 1].mean()],
        np.arange(26),
        strata=side,
    )
    welch = stats.ttest_ind(values[:6], values[6:], equal_var=False)
    assert found.corrected[0] == pytest.approx(values[:6].mean() - values[6:].mean())
    assert found.corrected[0] / found.std_errors[0] == pytest.approx(welch.statistic)
    assert found.degrees[0] == pytest.approx(welch.df)


def test_a_share_of_strata_varies_without_them_and_a_difference_of_their_levels_does_not_with_them():
    side = np.repeat([0, 1], [5, 15])
    share = jackknife_clusters(lambda units: [side[units].mean()], np.arange(20))
    assert share.std_errors[0] == pytest.approx(side.std(ddof=1) / np.sqrt(20))

    def gap(units):
        return [side[units][side[units] == 1].mean()]

    within = jackknife_clusters(gap, np.arange(20), strata=side)
    assert within.std_errors[0] == 0
    assert np.isnan(within.degrees[0])


def test_unequal_weights_cost_degrees_of_freedom():
    values = np.random.default_rng(6).normal(size=10)
    weights = np.array([10.0] + [1.0] * 9)
    found = jackknife_clusters(lambda units: [values[units].mean()], np.arange(10), weights=weights)
    assert found.degrees[0] == pytest.approx(19**2 / 109 - 1)
    assert jackknife_clusters(lambda units: [values[units].mean()], np.arange(10)).degrees[0] == 9


def test_sets_of_clusters_are_made_within_strata():
    side = np.repeat([0, 1], [4, 500])
    found = jackknife_clusters(lambda units: [0.0], np.arange(504), strata=side, most_folds=50)
    assert found.n_folds == 54


def test_a_stratum_of_one_cluster_gives_no_error():
    values = np.random.default_rng(7).normal(size=8)
    found = jackknife_clusters(lambda units: [values[units].mean()], np.arange(8), strata=[1] + [0] * 7)
    assert np.isnan(found.std_errors[0])
    assert np.isnan(found.corrected[0])
    assert found.plain[0] == pytest.approx(values.mean())


def test_a_cluster_in_two_strata_is_refused():
    with pytest.raises(ValueError, match="two strata"):
        jackknife_clusters(lambda units: [0.0], [0, 0, 1], strata=[0, 1, 1])
