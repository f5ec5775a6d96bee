"""Sums of which only residuals are seen: known cases, and many draws."""

import numpy as np
import pytest
from scipy import stats

from toolkit.inference.residual_changes import factor_of_residuals, studentized_quantile


def test_equal_clusters_lose_one_degree_of_freedom():
    whole = np.eye(5)
    seen = np.sqrt(5 / 4) * (whole - 1 / 5)
    assert factor_of_residuals(whole, whole - 1 / 5) == pytest.approx(5 / 4)
    assert studentized_quantile(np.ones(5), seen) == pytest.approx(stats.t.ppf(0.975, 4))


def test_squared_sums_of_clusters_have_the_mean_that_the_factor_says():
    rng = np.random.default_rng(1)
    whole = np.kron(np.eye(4), np.ones(3)) * rng.normal(size=12)
    seen = whole - 0.3 * rng.normal(size=(4, 12))
    outcomes = rng.normal(size=(40_000, 12))
    squares = ((outcomes @ seen.T) ** 2).sum(axis=1)
    variance = (outcomes @ whole.T).sum(axis=1).var()
    assert factor_of_residuals(whole, seen) * squares.mean() == pytest.approx(variance, rel=0.03)


@pytest.mark.parametrize("seen", [0.0, np.nan, np.inf])
def test_where_nothing_is_seen_or_known_there_is_no_variance(seen):
    assert np.isnan(factor_of_residuals(np.ones((2, 3)), np.full((2, 3), seen)))


def test_without_an_answer_there_is_no_quantile():
    assert np.isnan(studentized_quantile(np.ones(3), np.full((2, 3), np.nan)))


@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
@pytest.mark.parametrize("n_seen", [1, 2, 7, 60])
def test_things_seen_that_are_alike_give_the_quantile_of_the_t_distribution(n_seen, level):
    # The error is the first outcome, what is seen the others.
    answers = np.eye(n_seen + 1)
    found = studentized_quantile(answers[0], answers[1:] / np.sqrt(n_seen), level)
    assert found == pytest.approx(stats.t.ppf(0.5 + level / 2, n_seen), rel=1e-7)


def exceeds(whole, seen, quantile, n_draws=200_000):
    """Return how often an error exceeds so many standard errors, over normal outcomes."""
    outcomes = np.random.default_rng(2).normal(size=(n_draws, len(whole)))
    errors = np.sqrt(((outcomes @ seen.T) ** 2).sum(axis=1))
    return np.mean(np.abs(outcomes @ whole) > quantile * errors)


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize("sizes", [[0.9, 0.1], [0.6, 0.25, 0.1, 0.05], [0.5, *[0.05] * 10]])
def test_an_error_exceeds_the_quantile_as_rarely_as_it_says(sizes, level):
    seen = np.eye(len(sizes) + 1)[1:] * np.sqrt(sizes)[:, None]
    whole = np.eye(len(sizes) + 1)[0]
    quantile = studentized_quantile(whole, seen, level)
    assert exceeds(whole, seen, quantile) == pytest.approx(1 - level, abs=0.002)


def test_what_is_seen_and_the_error_may_hang_together():
    whole, seen = np.array([1.0, 1.0, 0.0]), np.array([[0.2, -0.6, 0.5], [0.1, -0.5, -0.7]])
    quantile = studentized_quantile(whole, seen)
    assert exceeds(whole, seen, quantile) == pytest.approx(0.05, abs=0.002)
    assert quantile < studentized_quantile(whole, seen, independent=True)


def test_an_error_that_grows_with_its_standard_error_has_the_quantile_of_a_normal_one():
    whole = np.array([1.0, 0.1])
    seen = np.array([[1.0, 0.0], [0.0, 0.3]])
    assert studentized_quantile(whole, seen) == pytest.approx(stats.norm.ppf(0.975))
    assert studentized_quantile(whole, seen, 0.9) == pytest.approx(stats.norm.ppf(0.95))
    assert studentized_quantile(whole, seen, independent=True) > 2.5
