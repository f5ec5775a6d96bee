"""Intervals of the intraclass correlation: closed form, simulated pivot, dense matrices, edges."""

import numpy as np
import pytest
from scipy import stats

from tests.models.oracle import frozen_sums
from toolkit.errors import DesignError
from toolkit.models.icc_interval import icc_interval
from toolkit.models.random_intercept import (
    fit_random_intercept,
    group_sums,
    group_sums_from_moments,
    profile_of,
)
from toolkit.models.variance_ratio import between_f, criterion

N = np.array([20.0, 35, 60, 100, 170, 300, 420, 600])
MEAN = np.array([0.5, -0.4, 0.1, 0.3, -0.6, 0.2, 0.0, -0.2])
SUMS = group_sums_from_moments(N, MEAN, 0.85 * (N - 1))


def test_equals_the_closed_form_with_groups_of_one_size():
    # Searle (1971), section 9.10: (F / F_u - 1) / (F / F_u + n - 1), and the same with the lower quantile.
    k, n = 6, 5
    mean = np.array([1505.0, 1528, 1564, 1498, 1600, 1470])  # the batches of Dyestuff
    within = 58830.0
    f = n * mean.var(ddof=1) / (within / (k * (n - 1)))
    low, high = ((f / q - 1) / (f / q + n - 1) for q in stats.f.ppf([0.975, 0.025], k - 1, k * (n - 1)))
    interval = icc_interval(group_sums_from_moments([n] * k, mean, within))
    assert (interval.low, interval.high) == pytest.approx((low, high), rel=1e-9)


def test_pivot_is_walds_weighted_sum_of_squares():
    ratio = 0.3
    weight = N / (1 + N * ratio)
    centre = weight @ MEAN / weight.sum()
    within = np.sum(0.85 * (N - 1)) / (N.sum() - len(N))
    expected = weight @ (MEAN - centre) ** 2 / (len(N) - 1) / within
    assert between_f(profile_of(SUMS), np.array([ratio]))[0] == pytest.approx(expected, rel=1e-12)


def chance_of_pivot(sums, icc):
    """Return the distribution function of F at the pivot of the exact interval."""
    profile = profile_of(sums)
    pivot = between_f(profile, np.array([icc / (1 - icc)]))[0]
    return float(stats.f.cdf(pivot, profile.between_df, profile.within_df))


def test_simulated_pivot_has_the_f_distribution_for_unequal_sizes():
    rng = np.random.default_rng(11)
    icc, n, draws = 0.15, N[:6], 250
    values = []
    for _ in range(draws):
        mean = np.sqrt(icc) * rng.normal(size=6) + np.sqrt((1 - icc) / n) * rng.normal(size=6)
        sums = group_sums_from_moments(n, mean, (1 - icc) * rng.chisquare(n.sum() - 6))
        values.append(chance_of_pivot(sums, icc))
    assert stats.kstest(values, "uniform").pvalue > 0.001
    assert np.mean(np.array(values) < 0.05) == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / draws))


def test_pivot_with_a_covariate_has_the_f_distribution_too():
    rng = np.random.default_rng(12)
    group = np.repeat(np.arange(6), [3, 5, 8, 12, 20, 30])
    x = rng.normal(size=len(group)) + group % 2
    school = rng.normal(size=6)
    values = []
    for _ in range(120):
        y = 0.5 * x + 0.5 * rng.normal(size=6)[group] + rng.normal(size=len(group))
        values.append(chance_of_pivot(group_sums(y, group, np.column_stack([x, school[group]])), 0.2))
    assert stats.kstest(values, "uniform").pvalue > 0.001


def test_pivot_with_covariates_equals_the_one_from_least_squares_on_dummies():
    rng = np.random.default_rng(13)
    group = np.repeat(np.arange(6), [3, 5, 8, 12, 20, 30])
    x = np.column_stack([rng.normal(size=len(group)), rng.normal(size=6)[group]])
    y = x @ [0.5, 1.0] + 0.5 * rng.normal(size=6)[group] + rng.normal(size=len(group))
    profile = profile_of(group_sums(y, group, x))
    dummies = np.column_stack([np.eye(6)[group], x])
    fitted = dummies @ np.linalg.lstsq(dummies, y, rcond=None)[0]
    within = np.sum((y - fitted) ** 2)
    design = np.column_stack([np.ones(len(y)), x])
    inverse = np.linalg.inv(np.eye(len(y)) + 0.4 * (group[:, None] == group))
    left = y - design @ np.linalg.solve(design.T @ inverse @ design, design.T @ inverse @ y)
    between = (left @ inverse @ left - within) / (6 - 2)
    assert (profile.between_df, profile.within_df) == (4, len(y) - 7)
    expected = between / (within / (len(y) - 7))
    assert between_f(profile, np.array([0.4]))[0] == pytest.approx(expected, rel=1e-9)


def test_profile_bounds_lie_where_the_criterion_has_risen_by_the_quantile():
    sums = frozen_sums("hsb82", "mAch")
    interval = icc_interval(sums, method="profile")
    ratios = np.array([interval.low, interval.high])
    values = criterion(profile_of(sums), ratios / (1 - ratios), "reml")
    assert values - fit_random_intercept(sums).criterion == pytest.approx(3.841459, abs=1e-5)
    assert interval.low < interval.estimate < interval.high


def test_both_methods_agree_in_large_samples():
    sums = frozen_sums("hsb82", "mAch")
    exact, profile = (icc_interval(sums, method=method) for method in ("exact", "profile"))
    assert (exact.low, exact.high) == pytest.approx((profile.low, profile.high), abs=0.004)
    assert exact.estimate == profile.estimate == fit_random_intercept(sums).icc


@pytest.mark.parametrize("method", ["exact", "profile"])
def test_lower_bound_is_zero_when_zero_is_not_refuted(method):
    interval = icc_interval(
        group_sums_from_moments([30] * 4, [0.0, 0.1, -0.1, 0.15], [29.0] * 4), method=method
    )
    assert interval.low == 0
    assert 0 < interval.high < 1


def test_exact_interval_is_zero_when_schools_are_too_much_alike():
    interval = icc_interval(group_sums_from_moments([30] * 8, [0.001 * i for i in range(8)], [29.0] * 8))
    assert (interval.estimate, interval.low, interval.high) == (0, 0, 0)


@pytest.mark.parametrize("method", ["exact", "profile"])
def test_higher_confidence_gives_the_wider_interval(method):
    wide = icc_interval(SUMS, method=method, confidence_level=0.99)
    narrow = icc_interval(SUMS, method=method, confidence_level=0.9)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_two_schools_and_very_different_schools_are_no_exception():
    for sums in (
        group_sums_from_moments([30, 40], [0.0, 1.0], [29.0, 39.0]),
        group_sums_from_moments([30] * 5, np.arange(5) * 1e4, [29.0] * 5),
    ):
        for method in ("exact", "profile"):
            interval = icc_interval(sums, method=method)
            assert 0 <= interval.low <= interval.estimate <= interval.high < 1


def test_refuses_one_school_and_wrong_arguments():
    with pytest.raises(DesignError, match="too few"):
        icc_interval(group_sums_from_moments([30], [1.0], [29.0]))
    with pytest.raises(ValueError, match="method must be one of"):
        icc_interval(SUMS, method="wald")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="confidence_level"):
        icc_interval(SUMS, confidence_level=95)
