"""Sums of which only residuals are seen: known cases, and many draws."""

import numpy as np
import pytest
from scipy import stats

from toolkit.inference.residual_changes import correct_for_residuals, studentized_quantile


def test_equal_clusters_lose_one_degree_of_freedom():
    whole = np.eye(5)
    factor, parts = correct_for_residuals(whole, whole - 1 / 5)
    assert factor == pytest.approx(5 / 4)
    np.testing.assert_allclose(parts, np.full(4, 1 / 4))


def test_squared_sums_of_clusters_have_the_mean_and_the_distribution_that_the_correction_says():
    rng = np.random.default_rng(1)
    whole = np.kron(np.eye(4), np.ones(3)) * rng.normal(size=12)
    seen = whole - 0.3 * rng.normal(size=(4, 12))
    outcomes = rng.normal(size=(40_000, 12))
    squares = ((outcomes @ seen.T) ** 2).sum(axis=1)
    factor, parts = correct_for_residuals(whole, seen)
    assert parts.sum() == pytest.approx(1)
    assert factor * squares.mean() == pytest.approx((outcomes @ whole.T).sum(axis=1).var(), rel=0.03)
    by_parts = rng.normal(size=(40_000, len(parts))) ** 2 @ parts
    assert stats.ks_2samp(squares / squares.mean(), by_parts).statistic < 0.02


@pytest.mark.parametrize("seen", [0.0, np.nan, np.inf])
def test_where_nothing_is_seen_or_known_there_is_no_variance(seen):
    factor, parts = correct_for_residuals(np.ones((2, 3)), np.full((2, 3), seen))
    assert np.isnan(factor)
    assert len(parts) == 0
    assert np.isnan(studentized_quantile(parts))


@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
@pytest.mark.parametrize("n_parts", [1, 2, 7, 60])
def test_parts_of_equal_size_give_the_quantile_of_the_t_distribution(n_parts, level):
    found = studentized_quantile(np.full(n_parts, 1 / n_parts), level)
    assert found == pytest.approx(stats.t.ppf(0.5 + level / 2, n_parts), rel=1e-8)


@pytest.mark.parametrize("parts", [[0.9, 0.1], [0.6, 0.25, 0.1, 0.05], [0.5, *[0.05] * 10]])
def test_an_error_exceeds_the_quantile_as_rarely_as_it_says(parts):
    rng, n_draws = np.random.default_rng(2), 200_000
    variances = rng.normal(size=(n_draws, len(parts))) ** 2 @ parts
    ratios = np.abs(rng.normal(size=n_draws)) / np.sqrt(variances)
    for level in (0.9, 0.95):
        assert np.mean(ratios > studentized_quantile(np.array(parts), level)) == pytest.approx(
            1 - level, abs=0.002
        )
