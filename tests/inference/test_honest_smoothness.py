"""Bounds under smoothness: vertices, linear programmes, other searches, limits and refusals."""

from itertools import pairwise, product

import numpy as np
import pytest
from scipy.optimize import linprog, minimize
from scipy.stats import norm

from tests.inference.honest_oracle import medicaid_study, random_study
from toolkit.inference.honest_smoothness import (
    estimate_under_smoothness,
    find_breakdown_curvature,
    folded_normal_quantile,
    largest_bias,
    shortest_combination,
)
from toolkit.inference.honest_study import EventStudy

SHAPES = [(1, 1), (2, 1), (2, 3), (3, 2), (4, 1), (5, 2)]


def limits(interval):
    return interval.conf_low, interval.conf_high


def second_differences(n_before, n_after):
    """Changes of the slope of a path that is zero in the base period."""
    full = np.zeros((n_before + n_after - 1, n_before + n_after + 1))
    for row in range(len(full)):
        full[row, row : row + 3] = 1, -2, 1
    return np.delete(full, n_before, axis=1)


def some_combination(rng, n_before, n_after):
    """Weights in which straight lines through the base period cancel."""
    weights = rng.normal(size=n_before + n_after)
    time = np.delete(np.arange(-n_before, n_after + 1), n_before)
    return weights - np.eye(len(time))[n_before - 1] * (weights @ time) / time[n_before - 1]


@pytest.mark.parametrize(("n_before", "n_after"), SHAPES)
def test_largest_bias_is_the_value_of_the_linear_programme(n_before, n_after):
    combination = some_combination(np.random.default_rng(1), n_before, n_after)
    slopes = second_differences(n_before, n_after)
    programme = linprog(
        -combination, A_ub=np.vstack([slopes, -slopes]), b_ub=np.ones(2 * len(slopes)), bounds=(None, None)
    )
    assert largest_bias(combination, n_before) == pytest.approx(-programme.fun, abs=1e-8)


@pytest.mark.parametrize(("n_before", "n_after"), [(2, 1), (2, 3), (3, 2)])
def test_largest_bias_is_the_largest_over_all_vertices(n_before, n_after):
    combination = some_combination(np.random.default_rng(2), n_before, n_after)
    slopes = second_differences(n_before, n_after)
    # Lines do not matter, so a path that is also zero in the last period before stands for all.
    square = np.vstack([slopes, np.eye(n_before + n_after)[n_before - 1]])
    paths = (np.linalg.solve(square, [*signs, 0.0]) for signs in product((-1, 1), repeat=len(slopes)))
    assert largest_bias(combination, n_before) == pytest.approx(max(combination @ path for path in paths))


def half_length(study, combination, curvature):
    spread = np.sqrt(combination @ study.covariance @ combination)
    return spread * folded_normal_quantile(
        curvature * largest_bias(combination, study.n_before) / spread, 0.95
    )


@pytest.mark.parametrize(("n_before", "n_after"), [(2, 1), (2, 3), (3, 2), (5, 2)])
@pytest.mark.parametrize("curvature", [0.0, 0.05, 0.4])
def test_no_search_finds_a_shorter_interval(n_before, n_after, curvature):
    rng = np.random.default_rng(n_before + 10 * n_after)
    study = random_study(rng, n_before, n_after)
    target = rng.dirichlet(np.ones(n_after))
    ours = shortest_combination(study, target, curvature, 0.95)
    assert ours[n_before:] == pytest.approx(target)
    time = np.arange(-n_before, 0)
    reach = np.arange(1, n_after + 1) @ target

    def length(free):
        last = (reach + free @ time[:-1]) / 1.0
        return half_length(study, np.concatenate([free, [last], target]), curvature)

    best = length(ours[: n_before - 1])
    assert best == pytest.approx(half_length(study, ours, curvature), rel=1e-12)
    found = best
    for start in (ours[: n_before - 1], rng.normal(size=n_before - 1)):
        options = {"xatol": 1e-9, "fatol": 1e-12, "maxiter": 800}
        found = min(found, minimize(length, start, method="Nelder-Mead", options=options).fun)
    assert best == pytest.approx(found, rel=1e-7)
    directions = rng.normal(size=(40, n_before - 1))
    assert all(length(ours[: n_before - 1] + 1e-3 * move) >= best * (1 - 1e-10) for move in directions)


def test_extrapolates_the_line_through_one_period_before():
    covariance = np.array([[1.0, 0.3], [0.3, 2.0]])
    study = EventStudy(np.array([0.4]), np.array([1.5]), covariance, 1e4)
    found = estimate_under_smoothness(study, [1.0], curvature=0.0)
    error = np.sqrt(1.0 + 2.0 + 2 * 0.3)
    assert found.estimate == pytest.approx(1.9)
    assert limits(found) == pytest.approx((1.9 - 1.959964 * error, 1.9 + 1.959964 * error), abs=1e-5)


def test_a_straight_trend_is_taken_out_by_generalised_least_squares():
    rng = np.random.default_rng(3)
    study = random_study(rng, 4, 2)
    time = np.array([-4.0, -3, -2, -1, 1, 2])
    design = np.column_stack([time, np.eye(6)[:, 4:]])
    inverse = np.linalg.inv(study.covariance)
    information = design.T @ inverse @ design
    fitted = np.linalg.solve(information, design.T @ inverse @ study.coefficients)
    error = np.sqrt(np.linalg.inv(information)[1, 1])
    found = estimate_under_smoothness(study, [1.0, 0.0])
    assert found.estimate == pytest.approx(fitted[1])
    assert found.conf_high - found.estimate == pytest.approx(1.959963984540054 * error)


def test_covers_the_worst_path_exactly_as_often_as_it_says():
    study, curvature = medicaid_study(), 0.01
    found = estimate_under_smoothness(study, [0.5, 0.5], curvature=curvature, confidence_level=0.9)
    combination = shortest_combination(study, np.array([0.5, 0.5]), curvature, 0.9)
    spread = np.sqrt(combination @ study.covariance @ combination)
    bias = curvature * largest_bias(combination, study.n_before)
    half = (found.conf_high - found.conf_low) / 2
    assert norm.cdf(half, bias, spread) - norm.cdf(-half, bias, spread) == pytest.approx(0.9, abs=1e-9)


@pytest.mark.parametrize("mean", [0.0, 0.3, 2.0, 50.0, 1e4])
def test_folded_normal_quantile_inverts_the_distribution(mean):
    value = folded_normal_quantile(mean, 0.95)
    assert norm.cdf(value - mean) - norm.cdf(-value - mean) == pytest.approx(0.95, abs=1e-10)


def test_moves_with_units_and_sign_and_ignores_straight_trends():
    study = random_study(np.random.default_rng(4), 4, 3)
    target = [0.2, 0.3, 0.5]
    low, high = limits(estimate_under_smoothness(study, target, curvature=0.2))
    times = 1e-4
    small = EventStudy(-times * study.before, -times * study.after, times**2 * study.covariance, 1e4)
    found = limits(estimate_under_smoothness(small, target, curvature=0.2 * times))
    assert found == pytest.approx((-times * high, -times * low), rel=1e-8)
    tilted = EventStudy(
        study.before + 7 * np.arange(-4, 0), study.after + 7 * np.arange(1, 4), study.covariance, 1e4
    )
    assert limits(estimate_under_smoothness(tilted, target, curvature=0.2)) == pytest.approx((low, high))


def test_grows_with_the_curvature():
    study = medicaid_study()
    lengths = [
        found.conf_high - found.conf_low
        for curvature in (0, 1e-4, 1e-3, 1e-2, 0.1, 1)
        for found in [estimate_under_smoothness(study, [0.0, 1.0], curvature=curvature)]
    ]
    assert all(after > before for before, after in pairwise(lengths))


def test_at_the_breakdown_the_interval_touches_zero():
    study = medicaid_study()
    for target, sign in (([1.0, 0.0], 1), ([0.5, 0.5], -1)):
        turned = EventStudy(sign * study.before, sign * study.after, study.covariance, 43.0)
        value = find_breakdown_curvature(turned, target).value
        found = estimate_under_smoothness(turned, target, curvature=value)
        assert min(np.abs(limits(found))) == pytest.approx(0, abs=1e-8)
    nothing = EventStudy(np.zeros(3), np.array([0.1]), np.eye(4), 1e4)
    assert find_breakdown_curvature(nothing, [1.0]).value == 0


def test_refuses_with_few_clusters_and_names_wrong_arguments():
    study = medicaid_study()
    few = EventStudy(study.before, study.after, study.covariance, 13.0)
    found = estimate_under_smoothness(few, [1.0, 0.0])
    assert found.refusal == "few_clusters"
    assert np.isnan([found.estimate, found.conf_low, found.conf_high]).all()
    assert find_breakdown_curvature(few, [1.0, 0.0]).refusal == "few_clusters"
    assert estimate_under_smoothness(few, [1.0, 0.0], clusters_per_coefficient=1.5).refusal == ""
    with pytest.raises(ValueError, match="curvature must be"):
        estimate_under_smoothness(study, [1.0, 0.0], curvature=-0.1)
