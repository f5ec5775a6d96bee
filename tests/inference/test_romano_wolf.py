import numpy as np
import pytest

from toolkit.inference.clusters import cluster_std_errors, sum_influence
from toolkit.inference.multiplier import draw_errors
from toolkit.inference.romano_wolf import bootstrap_p_values, holm, romano_wolf

RNG = np.random.default_rng(1)
ERRORS = RNG.normal(size=(499, 5)) @ (np.eye(5) + 0.5)
STD_ERRORS = ERRORS.std(axis=0)
ESTIMATES = STD_ERRORS * np.array([1.0, -2.6, 2.2, 0.1, -3.4])


def slow_stepdown(estimates, std_errors, errors):
    """Reject the most significant, drop it, go on: with sets and loops."""
    statistics = np.abs(estimates / std_errors)
    left, adjusted, previous = set(range(len(estimates))), {}, 0.0
    while left:
        top = max(left, key=lambda position: statistics[position])
        larger = sum(
            max(abs(draw[position]) / std_errors[position] for position in left) >= statistics[top]
            for draw in errors
        )
        previous = adjusted[top] = max(previous, (1 + larger) / (1 + len(errors)))
        left.remove(top)
    return [adjusted[position] for position in range(len(estimates))]


def test_adjusted_p_values_equal_the_stepdown_by_hand():
    found = romano_wolf(ESTIMATES, STD_ERRORS, ERRORS)
    np.testing.assert_allclose(found, slow_stepdown(ESTIMATES, STD_ERRORS, ERRORS), rtol=1e-12)


def test_a_hypothesis_is_not_rejected_before_one_of_greater_significance():
    rng = np.random.default_rng(8)
    errors = np.column_stack([rng.standard_t(1, size=399), rng.normal(size=399)])
    estimates, std_errors = np.array([3.0, 2.9]), np.ones(2)
    found = romano_wolf(estimates, std_errors, errors)
    np.testing.assert_allclose(found, slow_stepdown(estimates, std_errors, errors))
    assert found[0] == found[1] > 10 * bootstrap_p_values(estimates, std_errors, errors)[1]


def test_is_at_most_holm_and_at_least_the_p_value_alone():
    alone = bootstrap_p_values(ESTIMATES, STD_ERRORS, ERRORS)
    found = romano_wolf(ESTIMATES, STD_ERRORS, ERRORS)
    assert (found >= alone).all()
    assert (found <= holm(alone) + 3 * np.sqrt(0.25 / 499)).all()


def test_copies_of_one_hypothesis_cost_nothing_where_holm_pays_for_each():
    copies = ERRORS[:, [0]] * [1.0, 2.0, -3.0]
    scale = STD_ERRORS[0] * np.array([1.0, 2.0, 3.0])
    alone = bootstrap_p_values(2.3 * scale, scale, copies)
    np.testing.assert_allclose(romano_wolf(2.3 * scale, scale, copies), alone)
    np.testing.assert_allclose(holm(alone), 3 * alone)


def test_order_and_units_of_the_outcomes_do_not_matter():
    order, units = RNG.permutation(5), np.array([1, 10, 0.1, 5, 2.0])
    found = romano_wolf((units * ESTIMATES)[order], (units * STD_ERRORS)[order], (units * ERRORS)[:, order])
    np.testing.assert_allclose(found, romano_wolf(ESTIMATES, STD_ERRORS, ERRORS)[order])


def test_holm_equals_the_worked_example():
    # 0.01 * 4, 0.02 * 3, max(0.06, 0.03 * 2), max(0.06, 0.05): by hand.
    np.testing.assert_allclose(holm([0.05, 0.01, 0.03, 0.02]), [0.06, 0.04, 0.06, 0.06])
    np.testing.assert_allclose(holm([0.6, 0.9]), [1.0, 1.0])


def test_any_false_rejection_is_as_rare_as_stated():
    rng = np.random.default_rng(6)
    false = []
    for draw in range(300):
        values = rng.normal(size=(80, 6)) + rng.normal(size=(80, 1))
        means = values.mean(axis=0)
        summed = sum_influence(values - means, np.arange(80))
        errors = draw_errors(summed, seed=draw, n_draws=199)
        false.append((romano_wolf(means, cluster_std_errors(summed), errors) <= 0.05).any())
    assert np.mean(false) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


def test_refuses_missing_values_and_standard_errors_of_zero():
    with pytest.raises(ValueError, match="finite"):
        romano_wolf([np.nan, 1], [1, 1], np.zeros((3, 2)))
    with pytest.raises(ValueError, match="above zero"):
        romano_wolf([0, 1], [0, 1], np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        holm([1.2])
