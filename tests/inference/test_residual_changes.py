"""Sums of changes of which only residuals are seen: known cases, and many draws."""

import numpy as np
import pytest

from toolkit.inference.residual_changes import answers_by_cluster, correct_for_residuals


def test_equal_clusters_of_one_unit_lose_one_degree_of_freedom():
    equal = np.ones(5)
    factor, degrees = correct_for_residuals(*answers_by_cluster(equal, equal, equal, np.arange(5), 5))
    assert factor == pytest.approx(5 / 4)
    assert degrees == pytest.approx(4)


def test_squared_sums_of_clusters_have_the_mean_and_the_spread_that_the_correction_says():
    rng = np.random.default_rng(1)
    member = np.repeat(np.arange(4), [3, 2, 2, 4])
    answers, weights, levels = rng.normal(size=11), rng.uniform(0.5, 2, 11), rng.uniform(0, 3, 11)
    whole, seen = answers_by_cluster(answers, weights, levels, member, 4)
    changes = rng.normal(size=(40_000, 11))
    # By hand: changes less their mean, summed by cluster, less each cluster's part of the whole sum.
    left = changes - (changes @ weights / weights.sum())[:, None]
    sums = np.stack([(left * answers)[:, member == cluster].sum(axis=1) for cluster in range(4)], axis=1)
    parts = np.bincount(member, weights * levels) / (weights @ levels)
    sums -= sums.sum(axis=1, keepdims=True) * parts
    np.testing.assert_allclose(changes @ seen.T, sums, atol=1e-12)
    squares = (sums**2).sum(axis=1)
    factor, degrees = correct_for_residuals(whole, seen)
    assert factor * squares.mean() == pytest.approx((changes @ answers).var(), rel=0.03)
    assert degrees == pytest.approx(2 * squares.mean() ** 2 / squares.var(), rel=0.05)


def test_a_single_cluster_shows_nothing():
    whole, seen = answers_by_cluster(np.ones(3), np.ones(3), np.ones(3), np.zeros(3, dtype=int), 1)
    factor, degrees = correct_for_residuals(whole, seen)
    assert np.isnan(factor)
    assert degrees == 0
