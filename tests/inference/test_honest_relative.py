"""Bounds under relative magnitudes: linear programmes, simulated size, limits and refusals."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from scipy.optimize import linprog

from tests.inference.honest_oracle import medicaid_study, random_study
from toolkit.inference.honest_moments import (
    ViolationFunctions,
    least_favourable_value,
    reject_conditionally,
)
from toolkit.inference.honest_relative import (
    estimate_under_relative_magnitudes,
    find_breakdown_ratio,
    violations,
)
from toolkit.inference.honest_study import EventStudy

TARGETS = {2: [1.0, 0.0], 3: [0.2, 0.5, 0.3], 4: [0.25] * 4, 1: [1.0]}


def limits(interval):
    return interval.conf_low, interval.conf_high


def inequalities(n_before, n_after, change, ratio):
    """Rows of: each change after, up and down, is at most ratio times the change before."""
    rows = []
    for sign in (1, -1):
        for period in range(n_after):
            row = np.zeros(n_before + n_after)
            row[n_before + period] += sign
            if period:
                row[n_before + period - 1] -= sign
            row[:n_before] -= ratio * change
            rows.append(row)
    return np.array(rows)


def with_target_first(target):
    """A basis of the effects whose first coordinate is the target, and its inverse."""
    basis = np.eye(len(target))
    largest = np.argmax(np.abs(target))
    basis[largest] = target
    return np.linalg.inv(basis[[largest, *np.delete(np.arange(len(target)), largest)]])


def system(study, target, change, ratio):
    rows = inequalities(study.n_before, study.n_after, change, ratio)
    effects = rows[:, study.n_before :] @ with_target_first(np.asarray(target))
    return rows, effects[:, 0], effects[:, 1:], np.sqrt(np.diag(rows @ study.covariance @ rows.T))


@pytest.mark.parametrize("target", [[1.0], [0.0, 1.0], [0.2, 0.5, 0.3], [0.5, 0.0, -0.7, 0.2]])
def test_statistic_is_the_value_of_the_linear_programme(target):
    rng = np.random.default_rng(1)
    for ratio in (0.0, 0.6, 2.0):
        study = random_study(rng, 3, len(target))
        change = np.array([0.0, -1.0, 1.0])
        rows, on_target, nuisance, spreads = system(study, target, change, ratio)
        found = violations(study, np.array(target), change, ratio)
        for hypothesis in (-1.5, 0.2, 3.0):
            programme = linprog(
                np.eye(len(target))[0],
                A_ub=-np.column_stack([spreads, nuisance]),
                b_ub=-(rows @ study.coefficients - on_target * hypothesis),
                bounds=(None, None),
            )
            assert found.values(hypothesis).max() == pytest.approx(programme.fun, abs=1e-8)


@pytest.mark.parametrize("target", [[1.0], [0.3, 0.7], [0.2, 0.5, 0.3]])
def test_functions_are_the_vertices_of_the_dual_found_by_enumeration(target):
    study = random_study(np.random.default_rng(2), 2, len(target))
    change, ratio = np.array([-1.0, 1.0]), 0.8
    rows, on_target, nuisance, spreads = system(study, target, change, ratio)
    equations = np.vstack([spreads, nuisance.T])
    vertices = set()
    for basis in combinations(range(len(rows)), len(target)):
        square = equations[:, basis]
        if abs(np.linalg.det(square)) > 1e-10:
            weights = np.linalg.solve(square, np.eye(len(target))[0])
            if (weights > -1e-12).all():
                combined = weights @ rows[list(basis)]
                vertices.add((round(weights @ on_target[list(basis)], 9), *combined.round(9) + 0.0))
    found = violations(study, np.array(target), change, ratio)
    directions = np.vstack([np.append(np.zeros(2), target), np.append(change, np.zeros(len(target)))])
    ours = {(round(row[0], 9), *(row @ directions).round(9) + 0.0) for row in found.functions}
    # With one period after, its pair lies between the two sides.
    assert vertices == (ours if len(target) > 1 else {row for row in ours if row[0] != 0})
    assert len(ours) == len(target) + 2


@pytest.mark.parametrize("ratio", [0.0, 0.5, 3.0])
def test_least_favourable_value_is_exceeded_as_often_as_it_should(ratio):
    rng = np.random.default_rng(3)
    found = violations(random_study(rng, 3, 3), np.array([0.2, 0.5, 0.3]), np.array([0.0, 0.0, -1.0]), ratio)
    draws = rng.multivariate_normal([0, 0], found.covariance, size=100_000)
    largest = (draws @ found.functions.T).max(axis=1)
    for size in (0.005, 0.05):
        share = np.mean(largest > least_favourable_value(found, size))
        assert share == pytest.approx(size, abs=4 * np.sqrt(size / len(draws)))


def rejections(found, estimates, hypothesis=0.0):
    """Whether the hybrid and the conditional test reject a value of the target, draw by draw."""
    drawn = ViolationFunctions(found.functions, estimates, found.covariance)
    ceiling = least_favourable_value(found, 0.005)
    return np.array(
        [
            reject_conditionally(drawn, hypothesis, 0.045 / 0.995, ceiling),
            reject_conditionally(drawn, hypothesis, 0.05),
        ]
    )


# Under the null at its worst: all inequalities bind, or those on one side with the rest slack.
@pytest.mark.parametrize("steps", [0.0, 0.7, 8.0])
@pytest.mark.parametrize("ratio", [0.5, 2.0])
def test_size_is_right_at_the_edge_of_what_the_trend_allows(steps, ratio):
    rng = np.random.default_rng(4)
    found = violations(random_study(rng, 2, 2), np.array([0.5, 0.5]), np.array([-1.0, 1.0]), ratio)
    change = steps * np.sqrt(found.covariance[1, 1])
    edge = ratio * (1.0 + 0.5) * change
    n_draws = 40_000
    draws = rng.multivariate_normal([edge, change], found.covariance, size=n_draws).T
    shares = rejections(found, draws).mean(axis=1)
    error = np.sqrt(0.05 * 0.95 / n_draws)
    assert (shares < 0.05 + 4 * error).all()
    if steps == 8.0:
        assert (shares > 0.05 - 4 * error).all()


def test_covers_the_worst_trend_after_small_changes_before():
    rng = np.random.default_rng(5)
    ratio, n_draws = 2.0, 40_000
    covariance = (np.eye(3) + np.ones((3, 3))) / 2
    # The changes before are 0 and 0.3 steps, that after is twice as large: an effect of zero.
    truth = np.array([-0.3, -0.3, 0.6])
    draws = rng.multivariate_normal(truth, covariance, size=n_draws)
    study = EventStudy(truth[:2], truth[2:], covariance, 1e4)
    covered = np.zeros((2, n_draws), dtype=bool)
    for change in np.array([[-1.0, 1.0], [1.0, -1.0], [0.0, -1.0], [0.0, 1.0]]):
        estimates = np.array([draws[:, 2], draws[:, :2] @ change])
        covered |= ~rejections(violations(study, np.array([1.0]), change, ratio), estimates)
    error = np.sqrt(0.05 * 0.95 / n_draws)
    assert (covered.mean(axis=1) > 0.95 - 4 * error).all()


def test_covers_where_the_interval_that_takes_the_change_before_as_known_does_not():
    rng = np.random.default_rng(8)
    ratio, n_draws = 2.0, 40_000
    covariance = np.diag([1.0, 1.0, 0.25])
    truth = np.array([0.0, -10.0, 20.0])
    draws = rng.multivariate_normal(truth, covariance, size=n_draws)
    study = EventStudy(truth[:2], truth[2:], covariance, 1e4)
    covered = np.zeros((2, n_draws), dtype=bool)
    for change in np.array([[-1.0, 1.0], [1.0, -1.0], [0.0, -1.0], [0.0, 1.0]]):
        estimates = np.array([draws[:, 2], draws[:, :2] @ change])
        covered |= ~rejections(violations(study, np.array([1.0]), change, ratio), estimates)
    changes = np.abs(np.column_stack([draws[:, 1] - draws[:, 0], draws[:, 1]])).max(axis=1)
    plug_in = np.abs(draws[:, 2]) <= ratio * changes + 1.96 * 0.5
    error = np.sqrt(0.05 * 0.95 / n_draws)
    assert (covered.mean(axis=1) > 0.95 - 4 * error).all()
    assert plug_in.mean() < 0.9


@pytest.mark.parametrize("test", ["hybrid", "conditional"])
def test_is_the_usual_interval_when_trends_are_parallel_after(test):
    rng = np.random.default_rng(6)
    for n_after, target in TARGETS.items():
        study = random_study(rng, 3, n_after)
        estimate = np.array(target) @ study.after
        error = np.sqrt(np.array(target) @ study.covariance[3:, 3:] @ target)
        found = estimate_under_relative_magnitudes(study, target, ratio=0.0, test=test)
        usual = estimate - 1.959963984540054 * error, estimate + 1.959963984540054 * error
        assert limits(found) == pytest.approx(usual, abs=1e-6 * error)


def test_tends_to_what_the_trend_identifies_when_errors_vanish():
    # Largest change before is 2: effects within [5 - 3 * 2 * 1.5, 5 + ...] for the mean of two periods.
    study = EventStudy(np.array([1.0, -1.0]), np.array([4.0, 6.0]), 1e-10 * np.eye(4), 1e4)
    found = estimate_under_relative_magnitudes(study, [0.5, 0.5], ratio=3.0)
    assert limits(found) == pytest.approx((5 - 9, 5 + 9), abs=1e-3)


def test_grows_with_the_ratio_and_the_confidence_level():
    study = medicaid_study()
    found = [
        limits(estimate_under_relative_magnitudes(study, [0.5, 0.5], ratio=r)) for r in (0, 0.5, 1, 2, 4)
    ]
    assert all(b[0] < a[0] and b[1] > a[1] for a, b in pairwise(found))
    wide = estimate_under_relative_magnitudes(study, [0.5, 0.5], confidence_level=0.99)
    narrow = estimate_under_relative_magnitudes(study, [0.5, 0.5], confidence_level=0.9)
    assert wide.conf_low < narrow.conf_low < narrow.conf_high < wide.conf_high


def test_moves_with_units_and_sign():
    study = random_study(np.random.default_rng(7), 4, 3)
    low, high = limits(estimate_under_relative_magnitudes(study, [0.2, 0.3, 0.5]))
    times = 1e-3
    small = EventStudy(-times * study.before, -times * study.after, times**2 * study.covariance, 1e4)
    found = limits(estimate_under_relative_magnitudes(small, [0.2, 0.3, 0.5]))
    assert found == pytest.approx((-times * high, -times * low), rel=1e-6)


def test_first_change_before_counts_like_any_other():
    # Only the earliest change is large; leaving it out would give the short interval of a calm past.
    covariance = 1e-8 * np.eye(4)
    study = EventStudy(np.array([5.0, 0.0, 0.0]), np.array([1.0]), covariance, 1e4)
    assert limits(estimate_under_relative_magnitudes(study, [1.0])) == pytest.approx((-4, 6), abs=1e-2)


def test_at_the_breakdown_the_interval_touches_zero():
    study = medicaid_study()
    for target, flipped in (([1.0, 0.0], 1), ([0.5, 0.5], -1)):
        turned = EventStudy(flipped * study.before, flipped * study.after, study.covariance, 43.0)
        value = find_breakdown_ratio(turned, target).value
        found = estimate_under_relative_magnitudes(turned, target, ratio=value)
        assert min(np.abs(limits(found))) == pytest.approx(0, abs=1e-7)


def test_breakdown_is_zero_when_nothing_is_significant_and_found_without_any_estimated_change():
    calm = EventStudy(np.zeros(2), np.array([0.1]), np.eye(3), 1e4)
    assert find_breakdown_ratio(calm, [1.0]).value == 0
    strong = EventStudy(np.zeros(2), np.array([9.0]), np.eye(3), 1e4)
    value = find_breakdown_ratio(strong, [1.0]).value
    assert value > 1
    found = estimate_under_relative_magnitudes(strong, [1.0], ratio=value)
    assert found.conf_low == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("clusters", "refusal"), [(13.9, "few_clusters"), (14.0, "")])
def test_refuses_with_fewer_than_two_effective_clusters_per_coefficient(clusters, refusal):
    study = medicaid_study()
    study = EventStudy(study.before, study.after, study.covariance, clusters)
    found = estimate_under_relative_magnitudes(study, [1.0, 0.0])
    assert found.refusal == refusal
    assert np.isnan(found.conf_low) == np.isnan(found.conf_high) == bool(refusal)
    assert np.isnan(find_breakdown_ratio(study, [1.0, 0.0]).value) == bool(refusal)
    strict = estimate_under_relative_magnitudes(study, [1.0, 0.0], clusters_per_coefficient=3)
    assert strict.refusal == "few_clusters"


def test_refuses_without_a_period_before_or_with_a_singular_covariance():
    alone = EventStudy(np.array([]), np.array([1.0]), np.eye(1), 1e4)
    assert estimate_under_relative_magnitudes(alone, [1.0]).refusal == "no_period_before"
    twin = EventStudy(
        np.array([1.0, 1.0]), np.array([1.0]), np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1.0]]), 1e4
    )
    assert estimate_under_relative_magnitudes(twin, [1.0]).refusal == "singular_covariance"


def test_names_what_is_wrong_with_its_arguments():
    study = medicaid_study()
    for options, words in (
        ({"ratio": -1.0}, "ratio must be"),
        ({"test": "naive"}, "test must be one of"),
        ({"confidence_level": 1.0}, "confidence_level must be"),
    ):
        with pytest.raises(ValueError, match=words):
            estimate_under_relative_magnitudes(study, [1.0, 0.0], **options)
    with pytest.raises(ValueError, match="2 periods after"):
        estimate_under_relative_magnitudes(study, [1.0])
    with pytest.raises(ValueError, match="not all zero"):
        estimate_under_relative_magnitudes(study, [0.0, 0.0])
    with pytest.raises(ValueError, match="needs a period after"):
        EventStudy(np.ones(1), np.array([]), np.eye(1), 50.0)
    with pytest.raises(ValueError, match="symmetric"):
        EventStudy(np.ones(1), np.ones(1), np.array([[1.0, 0.5], [0.0, 1.0]]), 50.0)
    with pytest.raises(ValueError, match="finite"):
        EventStudy(np.array([np.nan]), np.ones(1), np.eye(2), 50.0)
    with pytest.raises(ValueError, match="covariance of shape"):
        EventStudy(np.ones(2), np.ones(1), np.eye(2), 50.0)
