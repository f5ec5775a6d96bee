"""Jackknife over clusters."""

import numpy as np
import pytest

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
