import numpy as np
import pytest
from scipy import stats

from toolkit.inference.clusters import (
    align_clusters,
    cluster_covariance,
    cluster_std_errors,
    debiased_effective_clusters,
    degrees_of_freedom,
    design_variances,
    effective_clusters,
    inflate_by_side,
    influence_effective_clusters,
    sum_influence,
    t_interval,
)

RNG = np.random.default_rng(1)
INFLUENCE = RNG.normal(size=(40, 3))
CLUSTERS = RNG.integers(0, 7, size=40)


def slow_covariance(influence, clusters):
    total = np.zeros((3, 3))
    for label in set(clusters.tolist()):
        own = sum(row for row, at in zip(influence, clusters, strict=True) if at == label)
        total += np.outer(own, own)
    return total / len(influence) ** 2


def test_covariance_equals_the_sum_over_clusters():
    found = cluster_covariance(sum_influence(INFLUENCE, CLUSTERS))
    np.testing.assert_allclose(found, slow_covariance(INFLUENCE, CLUSTERS), rtol=1e-12)


def test_factor_for_few_clusters_is_g_over_g_minus_1():
    influence = sum_influence(INFLUENCE, CLUSTERS)
    ratio = cluster_covariance(influence, few_clusters_factor=True) / cluster_covariance(influence)
    np.testing.assert_allclose(ratio, 7 / 6)


def test_a_mean_with_units_as_clusters_has_the_textbook_standard_error():
    values = RNG.normal(size=25)
    influence = sum_influence(values - values.mean(), np.arange(25))
    found = cluster_std_errors(influence, few_clusters_factor=True)
    assert found[0] == pytest.approx(values.std(ddof=1) / 5)


def test_order_and_names_of_units_do_not_matter_and_scale_is_kept():
    order = RNG.permutation(40)
    names = np.array([f"school group {label}" for label in CLUSTERS])
    other = cluster_covariance(sum_influence(100 * INFLUENCE[order], names[order]))
    np.testing.assert_allclose(
        other, 1e4 * cluster_covariance(sum_influence(INFLUENCE, CLUSTERS)), rtol=1e-12
    )


def test_aligned_clusters_keep_the_covariance_between_samples():
    first, second = CLUSTERS != 2, CLUSTERS != 5
    parts = [sum_influence(INFLUENCE[kept, 0], CLUSTERS[kept]) for kept in (first, second)]
    joint = cluster_covariance(align_clusters(parts))
    expected = sum(
        INFLUENCE[first & (label == CLUSTERS), 0].sum() * INFLUENCE[second & (label == CLUSTERS), 0].sum()
        for label in range(7)
    ) / (first.sum() * second.sum())
    assert joint[0, 1] == pytest.approx(expected, rel=1e-12)
    assert joint[0, 0] == pytest.approx(cluster_covariance(parts[0])[0, 0], rel=1e-12)


def test_equal_clusters_are_all_effective_and_one_large_cluster_is_one():
    assert effective_clusters(np.ones(12)) == pytest.approx(12)
    assert effective_clusters([1.0, 0.0, 0.0]) == 1
    # Carter, Schnepel and Steigerwald: G / (1 + squared coefficient of variation).
    sizes = np.array([5.0, 1, 1, 1])
    assert effective_clusters(sizes) == pytest.approx(4 / (1 + sizes.var() / sizes.mean() ** 2))


def test_design_variances_go_from_sums_of_squares_to_squared_sums():
    weights, clusters = np.array([1.0, 2, -1, 3]), [0, 0, 1, 1]
    np.testing.assert_allclose(design_variances(weights, clusters), [9, 4])
    np.testing.assert_allclose(design_variances(weights, clusters, correlation=0), [5, 10])
    np.testing.assert_allclose(design_variances(weights, clusters, correlation=0.5), [7, 7])


def test_three_treated_and_many_comparison_clusters_leave_two_degrees_of_freedom():
    weights = np.concatenate([np.full(3, 1 / 3), np.full(3000, -1 / 3000)])
    effective = effective_clusters(design_variances(weights, np.arange(3003)))
    assert degrees_of_freedom(effective) == pytest.approx(2.0, abs=0.02)


def test_debiased_number_recovers_the_clusters_where_the_simple_one_gives_a_third():
    draws = np.random.default_rng(3).normal(size=(400, 90))
    simple = np.mean([influence_effective_clusters(row) for row in draws])
    debiased = np.mean([debiased_effective_clusters(row) for row in draws])
    assert simple == pytest.approx(30, rel=0.1)
    assert debiased == pytest.approx(90, rel=0.1)
    assert debiased_effective_clusters(np.ones(5)) == 5


def test_t_interval_covers_with_three_treated_clusters_where_the_normal_one_does_not():
    design = np.concatenate([np.full(3, 1 / 3), np.full(60, -1 / 60)])
    degrees = degrees_of_freedom(effective_clusters(design_variances(design, np.arange(63))))
    values = np.random.default_rng(4).normal(size=(4000, 63))
    treated, others = values[:, :3], values[:, 3:]
    # The variance of each side about its own mean, divisor n - 1.
    error = np.sqrt(treated.var(axis=1, ddof=1) / 3 + others.var(axis=1, ddof=1) / 60)
    estimate = treated.mean(axis=1) - others.mean(axis=1)
    low, high = t_interval(0.0, 1.0, degrees)
    assert low == -high
    assert np.mean(np.abs(estimate) <= high * error) == pytest.approx(0.95, abs=0.015)
    assert np.mean(np.abs(estimate) <= stats.norm.ppf(0.975) * error) < 0.88


def test_inflated_by_side_the_variance_is_welch_s():
    values, treated = RNG.normal(size=20), np.arange(20) < 4
    influence = np.where(treated, (values - values[:4].mean()) / 4, -(values - values[4:].mean()) / 16) * 20
    summed = sum_influence(influence, np.arange(20))
    welch = values[:4].var(ddof=1) / 4 + values[4:].var(ddof=1) / 16
    assert cluster_covariance(inflate_by_side(summed, treated))[0, 0] == pytest.approx(welch)
    assert cluster_covariance(summed)[0, 0] < 0.85 * welch
    with pytest.raises(ValueError, match="single cluster"):
        inflate_by_side(summed, np.arange(20) < 1)
    with pytest.raises(ValueError, match="sides for 20"):
        inflate_by_side(summed, treated[:5])


def test_refuses_missing_influence_wrong_lengths_and_one_cluster():
    with pytest.raises(ValueError, match="finite"):
        sum_influence([1.0, np.nan], [0, 1])
    with pytest.raises(ValueError, match="cluster labels for"):
        sum_influence([1.0, 2.0], [0, 1, 1])
    with pytest.raises(ValueError, match="two clusters"):
        cluster_covariance(sum_influence([1.0, 2.0], [0, 0]))
    with pytest.raises(ValueError, match="above zero"):
        effective_clusters([0.0, 0.0])
    with pytest.raises(ValueError, match="correlation"):
        design_variances([1.0], [0], correlation=2)
